"""The desks that Baton calls, in one list. A new one is a file beside this, a line here and a
settings row.
"""

from shared.bootstrap.platforms import auth_of
from shared.platforms.ccai.desk import CcaiDesk
from shared.platforms.csku.desk import CskuDesk
from shared.platforms.desk import Desks
from shared.platforms.google_chat.desk import GoogleChatDesk
from shared.platforms.google_chat.names import SCOPE
from shared.platforms.matrix.desk import MatrixDesk
from shared.platforms.matrix.names import Homeserver
from shared.platforms.slack.desk import SlackDesk
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
    google_chat = GoogleChatDesk(
        api_url=settings.google_chat_api_url,
        auth=auth_of(settings.google_chat_auth, SCOPE),
    )
    matrix = MatrixDesk(
        api_url=settings.matrix_api_url,
        as_token=settings.matrix_as_token,
        home=Homeserver(settings.matrix_server_name or "", settings.matrix_user_prefix),
        ends=settings.matrix_room_end,
    )
    slack = SlackDesk(api_url=settings.slack_api_url, bot_token=settings.slack_bot_token)
    chats = (ccai, google_chat, matrix, slack)
    return Desks(chats={one.name: one for one in chats}, flags={csku.name: csku})
