"""Every platform, in one list. A new one is a file beside this, a line here, a settings row and a README row."""

from collections.abc import Mapping

from shared.platforms.base import Platform
from shared.platforms.business_messages import SCOPE, BusinessMessages
from shared.platforms.csku import Csku
from shared.schemas.conversation import Capabilities
from shared.settings import Settings


def platforms(settings: Settings) -> Mapping[str, Platform]:
    """Returns the platforms by name, each with its own settings."""
    known: list[Platform] = [
        BusinessMessages(
            signing_keys=settings.business_messages_signing_keys,
            client_token=settings.business_messages_client_token,
            api_url=settings.business_messages_api_url,
            auth=_auth(settings.business_messages_auth, SCOPE),
        ),
        Csku(webhook_secrets=settings.csku_webhook_secrets),
    ]
    return {platform.name: platform for platform in known}


def capabilities(known: Mapping[str, Platform]) -> Mapping[str, Capabilities]:
    """Returns what Baton can do on each platform; some are only tracked, through what agents' browsers report."""
    tracked = dict.fromkeys(("ccai", "dialogflow"), Capabilities(delivers=False))
    return {**tracked, **{name: platform.capabilities for name, platform in known.items()}}


def _auth(setting: str, scope: str) -> str:
    return f"google:{scope}" if setting == "google" else setting
