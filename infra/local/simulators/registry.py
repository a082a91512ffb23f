"""The simulated platforms of a local run. Each has its own file."""

import os
from collections.abc import Mapping
from pathlib import Path

from infra.local.settings import (
    CCAI_SECRETS,
    CCAI_TOKEN,
    CCAI_USER,
    CSKU_API_SECRET,
    CSKU_BUSINESS,
    GOOGLE_CHAT_PROJECT,
    RCS_TOKEN,
    SIGNING_KEY,
    SLACK_SECRET,
    SLACK_TOKEN,
    WHATSAPP_SECRET,
    WHATSAPP_TOKEN,
)
from infra.local.simulators.business_messages import BusinessMessagesSimulator
from infra.local.simulators.ccai import CcaiSimulator
from infra.local.simulators.csku import CskuSimulator
from infra.local.simulators.google_chat_app import GoogleChatSimulator
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.rcs import RcsSimulator
from infra.local.simulators.simulator import Simulator
from infra.local.simulators.slack import SlackSimulator
from infra.local.simulators.whatsapp import WhatsAppSimulator


def simulators(port: int, folder: Path) -> Mapping[str, Simulator]:
    """Returns the platforms by name. They use the secrets that the environment sets."""
    doors = f"http://127.0.0.1:{port}/receive_webhook"
    signing, token = (
        _first("BUSINESS_MESSAGES_SIGNING_KEYS", SIGNING_KEY),
        _first("RCS_CLIENT_TOKENS", RCS_TOKEN),
    )
    secret, access = (
        _first("WHATSAPP_APP_SECRETS", WHATSAPP_SECRET),
        _first("WHATSAPP_ACCESS_TOKEN", WHATSAPP_TOKEN),
    )
    stores = {name: PlatformStore(str(folder / file)) for name, file in _FILES.items()}
    return {
        "business_messages": BusinessMessagesSimulator(
            stores["business_messages"], f"{doors}/business_messages", signing
        ),
        "rcs": RcsSimulator(stores["rcs"], f"{doors}/rcs", token),
        "whatsapp": WhatsAppSimulator(stores["whatsapp"], f"{doors}/whatsapp", secret, access),
        "ccai": _ccai(stores["ccai"], f"{doors}/ccai"),
        "google_chat": GoogleChatSimulator(
            stores["google_chat"],
            f"{doors}/google_chat",
            _first("GOOGLE_CHAT_AUDIENCE", GOOGLE_CHAT_PROJECT),
        ),
        "slack": _slack(stores["slack"], f"{doors}/slack", f"http://127.0.0.1:{port}"),
    }


def csku() -> CskuSimulator:
    return CskuSimulator(
        _first("CSKU_API_BUSINESS", CSKU_BUSINESS), _first("CSKU_API_SECRET", CSKU_API_SECRET)
    )


def _ccai(store: PlatformStore, door: str) -> CcaiSimulator:
    """Returns the CCAI Platform. It signs with all secrets: it has a primary and a
    secondary one.
    """
    secrets = tuple(
        one.strip() for one in os.environ.get("CCAI_WEBHOOK_SECRETS", CCAI_SECRETS).split(",")
    )
    return CcaiSimulator(
        store,
        door,
        secrets,
        _first("CCAI_API_USER", CCAI_USER),
        _first("CCAI_API_TOKEN", CCAI_TOKEN),
    )


def _slack(store: PlatformStore, door: str, here: str) -> SlackSimulator:
    secret, token = (
        _first("SLACK_SIGNING_SECRETS", SLACK_SECRET),
        _first("SLACK_BOT_TOKEN", SLACK_TOKEN),
    )
    return SlackSimulator(store, door, secret, token, here)


_FILES = {
    "business_messages": "platform.sqlite",
    "rcs": "rcs.sqlite",
    "whatsapp": "whatsapp.sqlite",
    "ccai": "ccai.sqlite",
    "google_chat": "google_chat.sqlite",
    "slack": "slack.sqlite",
}


def _first(variable: str, default: str) -> str:
    return os.environ.get(variable, default).split(",")[0].strip()
