"""The fixed, documented development settings of `make run`. The environment overrides them."""

import json
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

BOT_KEY, AGENT_KEY, ADMIN_KEY, REPORTS_KEY = "dev-bot", "dev-agent", "dev-admin", "dev-reports"
SIGNING_KEY, CLIENT_TOKEN, CSKU_SECRET = "dev-signing-key", "dev-client-token", "dev-csku-secret"
RCS_TOKEN = "dev-rcs-token"
WHATSAPP_SECRET, WHATSAPP_VERIFY, WHATSAPP_TOKEN = (
    "dev-whatsapp-secret",
    "dev-whatsapp-verify",
    "dev-whatsapp-token",
)
CCAI_SECRETS, CCAI_USER, CCAI_TOKEN = "dev-ccai-secret,dev-ccai-second", "dev", "dev-ccai-token"
CCAI_EVENTS_USER, CCAI_EVENTS_PASSWORD = "dev-events", "dev-ccai-events"
GOOGLE_CHAT_PROJECT, GOOGLE_CHAT_SPACE = "123456789012", "spaces/AAAA"
CSKU_BUSINESS, CSKU_API_SECRET = "dev-business", "dev-csku-api"
SLACK_SECRET, SLACK_TOKEN, SLACK_CHANNEL = "dev-slack-secret", "dev-slack-token", "C0SUPPORT"
MATRIX_AS_TOKEN, MATRIX_HS_TOKEN = "dev-matrix-as-token", "dev-matrix-hs-token"
MATRIX_SERVER_NAME, MATRIX_PORT = "localhost", 8008
MEDIA_LINK_KEY = "dev-media-link-key"
BRIDGE_KEY = "dev-bridge-key-of-32-bytes-or-more"
OUTBOUND_KEY = "dev-outbound-key-32-bytes-or-more"
CRM_COMMENT_SECRET = "whsec_ZGV2LWNybS1jb21tZW50LXNlY3JldC0zMi1ieXRlcw=="
DIALOGFLOW_AGENT = "projects/local/locations/global/agents/baton"
ORIGINS, DESKS = "BRIDGE_ALLOWED_ORIGINS", "BATON_DESKS"
BRIDGE_HOSTS = ("127.0.0.1", "localhost")
# The people who may be chosen at the desk page, each with a key of their own.
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "jane@example.com": {"name": "Jane Doe", "languages": ["en"], "capacity": 4},
    "omar@example.com": {"name": "Omar Haddad", "capacity": 4},
    "sue@example.com": {"name": "Sue Park", "role": "supervisor"},
}
PEOPLE_KEYS = {f"dev-{one.partition('@')[0]}": {"person": one} for one in PEOPLE}
SESSION_KEY = "dev-session-key"
API_KEYS = {
    BOT_KEY: {"name": "bot", "may": ["BOT"]},
    AGENT_KEY: {"name": "desk", "may": ["HUMAN"]},
    REPORTS_KEY: {"name": "reports", "reports": True},
    ADMIN_KEY: {"name": "admin", "may": ["BOT", "HUMAN"], "admin": True, "templates": True},
}


def fill(environment: MutableMapping[str, str], port: int, folder: Path) -> None:
    """Sets what the environment does not set. The run's own pages may call the bridge beside the
    origins that the environment names.
    """
    known = dict(defaults(port, folder))
    if "BATON_AGENTS" in environment:  # the keys of people would be those of others
        known["BATON_API_KEYS"] = json.dumps(API_KEYS)
    for name, value in known.items():
        environment.setdefault(name, value)
    if DESKS in environment:
        environment[DESKS] = _placed(environment[DESKS], environment["MATRIX_SERVER_NAME"])
    if given := environment[ORIGINS].strip(", "):
        pages = dict.fromkeys([*given.split(","), *known[ORIGINS].split(",")])
        environment[ORIGINS] = ",".join(pages)


def _placed(desks: str, server_name: str) -> str:
    """Returns the desks. A Matrix desk that names nobody invites the people of the homeserver that
    `python -m infra.matrix homeserver` starts. A desk on Slack or at Google Chat without a place is
    in the simulated one. What is no list of desks is left as it is.
    """
    people = [f"@{one.partition('@')[0]}:{server_name}" for one in PEOPLE]
    known: Mapping[str, Mapping[str, Any]] = {
        "matrix": {"invite": people},
        "slack": {"place": SLACK_CHANNEL},
        "google_chat": {"place": GOOGLE_CHAT_SPACE},
    }
    try:
        rows = json.loads(desks)
        for row in rows:
            if row["kind"] in known and not {"invite", "place"} & row.keys():
                row.update(known[row["kind"]])
    except (ValueError, TypeError, KeyError, AttributeError):
        return desks
    return json.dumps(rows)


def defaults(port: int, folder: Path) -> Mapping[str, str]:
    """Returns the environment that a local run needs."""
    return {
        "BATON_STORE": f"sqlite:///{folder / 'baton.sqlite'}",
        "BATON_QUEUE": "inline",
        "BATON_API_KEYS": json.dumps({**API_KEYS, **PEOPLE_KEYS}),
        "BATON_AGENTS": json.dumps(PEOPLE),
        "BATON_SESSION_KEYS": SESSION_KEY,
        "BUSINESS_MESSAGES_API_URL": f"http://127.0.0.1:{port}/sim/business_messages",
        "BUSINESS_MESSAGES_SIGNING_KEYS": SIGNING_KEY,
        "BUSINESS_MESSAGES_CLIENT_TOKEN": CLIENT_TOKEN,
        "CSKU_WEBHOOK_SECRETS": CSKU_SECRET,
        "RCS_API_URL": f"http://127.0.0.1:{port}/sim/rcs",
        "RCS_CLIENT_TOKENS": RCS_TOKEN,
        "WHATSAPP_API_URL": f"http://127.0.0.1:{port}/sim/whatsapp/v23.0",
        "WHATSAPP_APP_SECRETS": WHATSAPP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": WHATSAPP_VERIFY,
        "WHATSAPP_ACCESS_TOKEN": WHATSAPP_TOKEN,
        "CCAI_WEBHOOK_SECRETS": CCAI_SECRETS,
        "CCAI_EVENTS_USER": CCAI_EVENTS_USER,
        "CCAI_EVENTS_PASSWORD": CCAI_EVENTS_PASSWORD,
        "CCAI_API_URL": f"http://127.0.0.1:{port}/sim/ccai/apps/api/v1",
        "CCAI_API_USER": CCAI_USER,
        "CCAI_API_TOKEN": CCAI_TOKEN,
        "GOOGLE_CHAT_API_URL": f"http://127.0.0.1:{port}/sim/google_chat",
        "GOOGLE_CHAT_AUDIENCE": GOOGLE_CHAT_PROJECT,
        "GOOGLE_CHAT_AUTH": "none",
        "CCAI_MENU_ID": "1",
        "CSKU_API_URL": f"http://127.0.0.1:{port}/sim/csku",
        "CSKU_API_BUSINESS": CSKU_BUSINESS,
        "CSKU_API_SECRET": CSKU_API_SECRET,
        "MATRIX_API_URL": f"http://127.0.0.1:{MATRIX_PORT}",
        "MATRIX_SERVER_NAME": MATRIX_SERVER_NAME,
        "MATRIX_AS_TOKEN": MATRIX_AS_TOKEN,
        "MATRIX_HS_TOKENS": MATRIX_HS_TOKEN,
        "SLACK_API_URL": f"http://127.0.0.1:{port}/sim/slack/api",
        "SLACK_BOT_TOKEN": SLACK_TOKEN,
        "SLACK_SIGNING_SECRETS": SLACK_SECRET,
        "MEDIA_URL": f"http://127.0.0.1:{port}/relay_media",
        "MEDIA_LINK_KEYS": MEDIA_LINK_KEY,
        "MEDIA_BUCKET": (folder / "files").absolute().as_uri(),
        "OUTBOUND_WEBHOOK_KEYS": OUTBOUND_KEY,
        "BRIDGE_TOKEN_KEYS": BRIDGE_KEY,
        ORIGINS: ",".join(f"http://{host}:{port}" for host in BRIDGE_HOSTS),
        "DIALOGFLOW_AGENT": DIALOGFLOW_AGENT,
        "DIALOGFLOW_API_URL": f"http://127.0.0.1:{port}/sim/dialogflow",
        "DIALOGFLOW_AUTH": "none",
        "CRM_COMMENT_URL": f"http://127.0.0.1:{port}/local/comments/{{conversation_id}}",
        "CRM_COMMENT_SECRET": CRM_COMMENT_SECRET,
    }
