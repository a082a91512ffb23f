"""The fixed, documented development settings of `make run`; whatever the environment sets wins."""

import json
from collections.abc import Mapping
from pathlib import Path

BOT_KEY, AGENT_KEY, ADMIN_KEY = "dev-bot", "dev-agent", "dev-admin"
SIGNING_KEY, CLIENT_TOKEN, CSKU_SECRET = "dev-signing-key", "dev-client-token", "dev-csku-secret"
BRIDGE_KEY = "dev-bridge-key-of-32-bytes-or-more"
BRIDGE_HOSTS = ("127.0.0.1", "localhost", "crm.localhost")
API_KEYS = {
    BOT_KEY: {"name": "bot", "may": ["BOT"]},
    AGENT_KEY: {"name": "desk", "may": ["HUMAN"]},
    ADMIN_KEY: {"name": "admin", "may": ["BOT", "HUMAN"], "admin": True},
}


def defaults(port: int, folder: Path) -> Mapping[str, str]:
    """Returns the environment that a local run needs."""
    return {
        "BATON_STORE": f"sqlite:///{folder / 'baton.sqlite'}",
        "BATON_QUEUE": "inline",
        "BATON_BOT": "acknowledge",
        "BATON_API_KEYS": json.dumps(API_KEYS),
        "BUSINESS_MESSAGES_API_URL": f"http://127.0.0.1:{port}/sim/business_messages",
        "BUSINESS_MESSAGES_SIGNING_KEYS": SIGNING_KEY,
        "BUSINESS_MESSAGES_CLIENT_TOKEN": CLIENT_TOKEN,
        "CSKU_WEBHOOK_SECRETS": CSKU_SECRET,
        "BRIDGE_TOKEN_KEYS": BRIDGE_KEY,
        "BRIDGE_ALLOWED_ORIGINS": ",".join(f"http://{host}:{port}" for host in BRIDGE_HOSTS),
    }
