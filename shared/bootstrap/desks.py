"""The desks that Baton calls, in one list. A new one is a folder in `shared/platforms`, a function
and a line here, and a settings row. Each is imported when it is first used, as platforms are.
"""

from functools import partial
from typing import TYPE_CHECKING

from shared.bootstrap.at_first_use import AtFirstUse
from shared.bootstrap.platforms import auth_of
from shared.ports import Desks
from shared.settings.model import Settings

if TYPE_CHECKING:
    from shared.platforms.desk import ChatDesk, FlagDesk


def desks(settings: Settings) -> Desks:
    """Returns the desks by name, each with its own settings."""
    chats = {"ccai": _ccai, "google_chat": _google_chat, "matrix": _matrix, "slack": _slack}
    return Desks(
        chats=AtFirstUse({name: partial(make, settings) for name, make in chats.items()}),
        flags=AtFirstUse({"csku": partial(_csku, settings)}),
    )


def _ccai(settings: Settings) -> "ChatDesk":
    from shared.platforms.ccai.desk import CcaiDesk

    return CcaiDesk(
        api_url=settings.ccai_api_url,
        api_user=settings.ccai_api_user,
        api_token=settings.ccai_api_token,
        menu_id=settings.ccai_menu_id,
        unofficial=settings.ccai_unofficial,
    )


def _csku(settings: Settings) -> "FlagDesk":
    from shared.platforms.csku.desk import CskuDesk

    return CskuDesk(
        api_url=settings.csku_api_url,
        business=settings.csku_api_business,
        secret=settings.csku_api_secret,
        need_human=settings.csku_need_human,
    )


def _google_chat(settings: Settings) -> "ChatDesk":
    from shared.platforms.google_chat.desk import GoogleChatDesk
    from shared.platforms.google_chat.names import SCOPE

    return GoogleChatDesk(
        api_url=settings.google_chat_api_url,
        auth=auth_of(settings.google_chat_auth, SCOPE),
    )


def _matrix(settings: Settings) -> "ChatDesk":
    from shared.platforms.matrix.desk import MatrixDesk
    from shared.platforms.matrix.names import Homeserver

    return MatrixDesk(
        api_url=settings.matrix_api_url,
        as_token=settings.matrix_as_token,
        home=Homeserver(settings.matrix_server_name or "", settings.matrix_user_prefix),
        ends=settings.matrix_room_end,
    )


def _slack(settings: Settings) -> "ChatDesk":
    from shared.platforms.slack.desk import SlackDesk

    return SlackDesk(api_url=settings.slack_api_url, bot_token=settings.slack_bot_token)
