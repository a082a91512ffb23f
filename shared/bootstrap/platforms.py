"""The platforms in one list. A new one is a folder in `shared/platforms`, a function and a line
here, a settings row and a README row.

A platform is imported when it is first used: all of them take a tenth of a function's start, and
most functions see one or two.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from shared.bootstrap.at_first_use import AtFirstUse
from shared.platforms.base import Platform
from shared.schemas.conversation import Capabilities
from shared.settings.model import GOOGLE_CHAT_HOST, Settings
from shared.transports.clock import WallClock


def platforms(settings: Settings) -> Mapping[str, Platform]:
    """Returns the platforms by name, each with its own settings."""
    return AtFirstUse({name: partial(make, settings) for name, make in _MAKERS.items()})


def _business_messages(settings: Settings) -> Platform:
    from shared.platforms.business_messages.platform import SCOPE, BusinessMessages

    return BusinessMessages(
        signing_keys=settings.business_messages_signing_keys,
        client_token=settings.business_messages_client_token,
        api_url=settings.business_messages_api_url,
        auth=auth_of(settings.business_messages_auth, SCOPE),
    )


def _csku(settings: Settings) -> Platform:
    from shared.platforms.csku.platform import Csku

    return Csku(
        webhook_secrets=settings.csku_webhook_secrets,
        media_hosts=settings.csku_media_hosts,
    )


def _rcs(settings: Settings) -> Platform:
    from shared.platforms.rcs.platform import SCOPE, Rcs

    return Rcs(
        client_tokens=settings.rcs_client_tokens,
        api_url=settings.rcs_api_url,
        auth=auth_of(settings.rcs_auth, SCOPE),
        traffic_type=settings.rcs_traffic_type,
        facts=settings.unverified_facts,
        language=settings.baton_language,
        now=WallClock().now,
    )


def _whatsapp(settings: Settings) -> Platform:
    from shared.platforms.whatsapp.platform import WhatsApp
    from shared.platforms.whatsapp.webhook import Numbers

    return WhatsApp(
        app_secrets=settings.whatsapp_app_secrets,
        verify_token=settings.whatsapp_verify_token,
        api_url=settings.whatsapp_api_url,
        access_token=settings.whatsapp_access_token,
        app_name=settings.whatsapp_app_name,
        numbers=Numbers(settings.whatsapp_numbers),
        per_second=settings.whatsapp_messages_per_second,
        groups=settings.whatsapp_groups == "on",
        facts=settings.unverified_facts,
        language=settings.baton_language,
        now=WallClock().now,
    )


def _ccai(settings: Settings) -> Platform:
    from shared.platforms.ccai.platform import Ccai

    oldest = settings.ccai_signature_max_age
    return Ccai(
        webhook_secrets=settings.ccai_webhook_secrets,
        events_login=settings.ccai_events_login,
        unofficial=settings.ccai_unofficial,
        oldest=timedelta(seconds=oldest) if oldest else None,
        now=WallClock().now,
        replaces_failed_agents=settings.virtual_agent_failed == "request-human",
        api_url=settings.ccai_api_url,
        api_user=settings.ccai_api_user,
        api_token=settings.ccai_api_token,
    )


def _google_chat(settings: Settings) -> Platform:
    from shared.platforms.google_chat.names import SCOPE
    from shared.platforms.google_chat.platform import GoogleChat
    from shared.platforms.google_chat.proofs import Proofs

    return GoogleChat(
        now=WallClock().now,
        proofs=Proofs(
            audience=settings.google_chat_audience,
            push_account=settings.google_chat_push_account,
            keys_url=keys_url(settings),
        ),
        api_url=settings.google_chat_api_url,
        auth=auth_of(settings.google_chat_auth, SCOPE),
        people=settings.people,
    )


def _matrix(settings: Settings) -> Platform:
    from shared.platforms.matrix.names import Homeserver
    from shared.platforms.matrix.platform import Matrix

    return Matrix(
        hs_tokens=settings.matrix_hs_tokens,
        as_token=settings.matrix_as_token,
        api_url=settings.matrix_api_url,
        home=Homeserver(settings.matrix_server_name or "", settings.matrix_user_prefix),
        places=frozenset(
            desk.place for desk in settings.baton_desks if desk.kind == "matrix" and desk.place
        ),
    )


def _slack(settings: Settings) -> Platform:
    from shared.platforms.slack.platform import Slack

    return Slack(
        now=WallClock().now,
        signing_secrets=settings.slack_signing_secrets,
        api_url=settings.slack_api_url,
        bot_token=settings.slack_bot_token,
    )


_MAKERS: Mapping[str, Callable[[Settings], Platform]] = {
    "business_messages": _business_messages,
    "csku": _csku,
    "rcs": _rcs,
    "whatsapp": _whatsapp,
    "ccai": _ccai,
    "google_chat": _google_chat,
    "matrix": _matrix,
    "slack": _slack,
}


def api_urls(settings: Settings) -> tuple[str, ...]:
    """Returns the addresses of platforms that the operator's settings name."""
    given = filter(None, (settings.matrix_api_url, settings.ccai_api_url))
    return (
        settings.business_messages_api_url,
        settings.rcs_api_url,
        settings.whatsapp_api_url,
        settings.csku_api_url,
        settings.slack_api_url,
        settings.google_chat_api_url,
        *given,
    )


def keys_url(settings: Settings) -> str:
    """Returns where the certificates of Google Chat's tokens are: at Google, or at what stands for
    Google Chat in a test.
    """
    from shared.platforms.google_chat.proofs import KEYS_URL

    api = settings.google_chat_api_url
    return KEYS_URL if api.rstrip("/") == GOOGLE_CHAT_HOST else api


def capabilities(known: Mapping[str, Platform]) -> Mapping[str, Capabilities]:
    """Returns what Baton can do on each platform. Some platforms are only tracked, through the
    reports of agents' browsers.
    """
    tracked = {"dialogflow": lambda: Capabilities(delivers=False)}
    return AtFirstUse({**tracked, **{name: partial(_of, known, name) for name in known}})


def _of(known: Mapping[str, Platform], name: str) -> Capabilities:
    return known[name].capabilities


def auth_of(setting: str, scope: str) -> str:
    return f"google:{scope}" if setting == "google" else setting
