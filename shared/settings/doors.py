"""The doors of each function, and the settings that each door needs.

A door without one of its settings stays closed, which is logged at start.
"""

from collections.abc import Callable

from shared.settings.model import Settings
from shared.values import frozen


def _always(_: Settings) -> bool:
    return True


def _serves(platform: str) -> Callable[[Settings], bool]:
    return lambda settings: not settings.baton_platforms or platform in settings.baton_platforms


@frozen
class Door:
    """One way in or out. `functions` have it where `is_used` says so of their settings; it is open
    once all settings that it `needs` are set.
    """

    name: str
    functions: tuple[str, ...]
    needs: tuple[str, ...]
    is_used: Callable[[Settings], bool] = _always


DOORS = (
    Door(
        "webhook of Business Messages",
        ("receive_webhook",),
        ("business_messages_signing_keys", "business_messages_client_token"),
        _serves("business_messages"),
    ),
    Door("webhook of CSKU", ("receive_webhook",), ("csku_webhook_secrets",), _serves("csku")),
    Door("webhook of RCS", ("receive_webhook",), ("rcs_client_tokens",), _serves("rcs")),
    Door(
        "webhook of WhatsApp",
        ("receive_webhook",),
        ("whatsapp_app_secrets", "whatsapp_verify_token"),
        _serves("whatsapp"),
    ),
    Door("webhook of CCAI", ("receive_webhook",), ("ccai_webhook_secrets",), _serves("ccai")),
    Door(
        "threads at Google Chat, whose webhook brings the answers",
        ("receive_webhook", "deliver_outbox"),
        ("google_chat_audience",),
        lambda settings: (
            "google_chat" in settings.baton_platforms
            or any(desk.kind == "google_chat" for desk in settings.baton_desks)
        ),
    ),
    Door(
        "webhook of Matrix",
        ("receive_webhook",),
        ("matrix_hs_tokens",),
        _serves("matrix"),
    ),
    Door(
        "webhook of Slack",
        ("receive_webhook",),
        ("slack_signing_secrets", "slack_bot_token"),
        _serves("slack"),
    ),
    Door("REST API", ("send_representative",), ("baton_api_keys",)),
    Door(
        "sessions of people",
        ("send_representative",),
        ("baton_session_keys",),
        lambda settings: bool(settings.baton_agents),
    ),
    Door("bridge", ("forward_variables",), ("bridge_token_keys", "bridge_allowed_origins")),
    Door(
        "plain webhooks of bot and desk",
        ("deliver_outbox",),
        ("outbound_webhook_keys",),
        lambda settings: bool(settings.webhooks),
    ),
    Door(
        "comments in the CRM",
        ("deliver_outbox",),
        ("crm_comment_secret",),
        lambda settings: settings.crm_comment_url is not None,
    ),
    Door(
        "messages and files of WhatsApp",
        ("send_representative", "deliver_outbox", "relay_media"),
        ("whatsapp_access_token",),
        # These functions do not get the secrets of the webhook, so these cannot say it.
        lambda settings: "whatsapp" in settings.baton_platforms,
    ),
    Door(
        "links to files",
        ("receive_webhook", "send_representative", "deliver_outbox", "relay_media"),
        ("media_link_keys",),
        lambda settings: settings.media_url is not None,
    ),
    Door(
        "chats at CCAI, which an erase ends too",
        ("send_representative", "deliver_outbox"),
        ("ccai_api_url", "ccai_api_user", "ccai_api_token"),
        lambda settings: any(desk.kind == "ccai" for desk in settings.baton_desks),
    ),
    Door(
        "queue of chats at CCAI, for desks that name none",
        ("deliver_outbox",),
        ("ccai_menu_id",),
        lambda settings: any(
            desk.kind == "ccai" and desk.menu is None for desk in settings.baton_desks
        ),
    ),
    Door(
        "rooms of Matrix, which an erase reaches too",
        ("receive_webhook", "send_representative", "deliver_outbox"),
        ("matrix_api_url", "matrix_server_name", "matrix_as_token"),
        lambda settings: any(desk.kind == "matrix" for desk in settings.baton_desks),
    ),
    Door(
        "threads of Slack, which an erase reaches too",
        ("send_representative", "deliver_outbox"),
        ("slack_bot_token",),
        lambda settings: any(desk.kind == "slack" for desk in settings.baton_desks),
    ),
    Door(
        "files of Slack",
        ("relay_media",),
        ("slack_bot_token",),
        lambda settings: "slack" in settings.baton_platforms,
    ),
    Door(
        "flags at CSKU",
        ("deliver_outbox",),
        ("csku_api_business", "csku_api_secret"),
        lambda settings: (
            settings.csku_need_human and any(desk.kind == "csku" for desk in settings.baton_desks)
        ),
    ),
    Door(
        "Dialogflow",
        ("run_bot",),
        ("dialogflow_agent",),
        lambda settings: settings.baton_bot == "dialogflow",
    ),
    Door(
        "webhook of the team",
        ("notify_handoff",),
        ("team_webhook_secret",),
        lambda settings: settings.team_webhook_url is not None,
    ),
)


def closed_doors(settings: Settings, function: str) -> list[str]:
    """Returns the names of the settings that the doors of this function need and that are not
    set, as the environment writes them.
    """
    return [
        name.upper()
        for door in DOORS
        if function in door.functions and door.is_used(settings)
        for name in door.needs
        if getattr(settings, name) in (None, "", (), {})  # 0 is a value
    ]
