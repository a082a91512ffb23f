"""The desks that Baton calls, in one list. A new one is a file beside this, a line here and a
settings row.
"""

from shared.platforms.ccai.desk import CcaiDesk
from shared.platforms.csku.desk import CskuDesk
from shared.platforms.desk import Desks
from shared.platforms.matrix.desk import MatrixDesk
from shared.platforms.matrix.names import Homeserver
from shared.settings.model import Settings


def desks(settings: Settings) -> Desks:
    """Returns the desks by name, each with its own settings."""
    ccai = CcaiDesk(
        api_url=settings.ccai_api_url,
        api_user=settings.ccai_api_user,
        api_token=settings.ccai_api_token,
        menu_id=settings.ccai_menu_id,
        unofficial=settings.ccai_unofficial,
    )
    csku = CskuDesk(
        api_url=settings.csku_api_url,
        business=settings.csku_api_business,
        secret=settings.csku_api_secret,
        need_human=settings.csku_need_human,
    )
    matrix = MatrixDesk(
        api_url=settings.matrix_api_url,
        as_token=settings.matrix_as_token,
        home=Homeserver(settings.matrix_server_name or "", settings.matrix_user_prefix),
        ends=settings.matrix_room_end,
    )
    return Desks(chats={ccai.name: ccai, matrix.name: matrix}, flags={csku.name: csku})
