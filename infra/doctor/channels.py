"""Checks that the doors of RCS, WhatsApp, the CCAI Platform, Google Chat and Slack refuse requests
without proof. The handshakes of RCS and WhatsApp are checked too, and what Slack lets Baton do.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from infra.doctor.http import Answer, Finding, Patient, broken, ill, skipped, well
from shared.settings.model import Settings

RCS, WHATSAPP, CCAI = "/receive_webhook/rcs", "/receive_webhook/whatsapp", "/receive_webhook/ccai"
GOOGLE_CHAT = "/receive_webhook/google_chat"
SLACK = "/receive_webhook/slack"
SLACK_API = str(Settings.model_fields["slack_api_url"].default)
SLACK_SCOPES = (
    *("channels:history", "groups:history", "chat:write", "chat:write.customize", "files:read"),
    *("files:write", "reactions:read", "users:read", "users:read.email"),
)
GRAPH = str(Settings.model_fields["whatsapp_api_url"].default)
ACCOUNT = "whatsapp_business_account"
_Prove = Callable[[str, str], Answer]


def rcs(one: Patient) -> Iterator[Finding]:
    def prove(token: str, secret: str) -> Answer:
        return one.ask("POST", RCS, json.dumps({"clientToken": token, "secret": secret}).encode())

    yield from _proof(one, "rcs", "RCS: the ownership handshake", "RCS_CLIENT_TOKENS", prove)
    yield from _unsigned(one, "rcs", "RCS", RCS)


def whatsapp(one: Patient) -> Iterator[Finding]:
    def prove(token: str, secret: str) -> Answer:
        query = {"hub.mode": "subscribe", "hub.challenge": secret, "hub.verify_token": token}
        return one.ask("GET", f"{WHATSAPP}?{urlencode(query)}")

    what = "WhatsApp: the check of the address"
    yield from _proof(one, "whatsapp", what, "WHATSAPP_VERIFY_TOKEN", prove)
    yield from _unsigned(one, "whatsapp", "WhatsApp", WHATSAPP)
    if one.known.get("WHATSAPP_AFTER_HUMAN") == "meta":
        yield _hears_meta(one)


def _hears_meta(one: Patient) -> Finding:
    """Checks that the app gets what Meta's agent hears. Without that Baton does not know who is
    active.

    https://developers.facebook.com/docs/graph-api/reference/app/subscriptions/
    """
    what = "WhatsApp: the app's subscription to standby and messaging_handovers"
    token, secret = one.first("WHATSAPP_ACCESS_TOKEN"), one.first("WHATSAPP_APP_SECRETS")
    if token is None or secret is None:
        missing = "WHATSAPP_ACCESS_TOKEN" if token is None else "WHATSAPP_APP_SECRETS"
        return skipped(what, f"{missing} is not in your environment")
    app = _graph(one, "app", token)
    app_id = app.json.get("id") if isinstance(app.json, dict) else None
    if app.status != 200 or not isinstance(app_id, str):
        return skipped(what, f"Meta does not say whose the access token is ({app.status})")
    told = _graph(one, f"{app_id}/subscriptions", f"{app_id}|{secret}")
    found = told.json.get("data") if isinstance(told.json, dict) else None
    if told.status != 200 or not isinstance(found, list):
        return skipped(what, f"Meta does not say what the app subscribes to ({told.status})")
    fields = {
        field.get("name") if isinstance(field, dict) else field
        for subscribed in found
        if isinstance(subscribed, dict) and subscribed.get("object") == ACCOUNT
        for field in subscribed.get("fields", ())
    }
    lacks = [field for field in ("standby", "messaging_handovers") if field not in fields]
    if lacks:
        advice = "Subscribe to it in the app's dashboard, WhatsApp, Configuration."
        return ill(f"{what}: {' and '.join(lacks)} is missing", advice)
    return well(what)


def _graph(one: Patient, path: str, token: str) -> Answer:
    base = one.known.get("WHATSAPP_API_URL") or GRAPH
    headers = {"authorization": f"Bearer {token}"}
    return one.send("GET", f"{base.rstrip('/')}/{path}", None, headers)


def ccai(one: Patient) -> Iterator[Finding]:
    yield from _unsigned(one, "ccai", "CCAI Platform", CCAI)


def google_chat(one: Patient) -> Iterator[Finding]:
    """Checks the door, and that the audience is this very address, where it is one."""
    yield from _unsigned(one, "google_chat", "Google Chat", GOOGLE_CHAT)
    what, audience = "Google Chat: GOOGLE_CHAT_AUDIENCE", one.known.get("GOOGLE_CHAT_AUDIENCE")
    if audience is None:
        yield skipped(what, "GOOGLE_CHAT_AUDIENCE is not in your environment")
    elif audience.isdecimal() or audience == f"{one.url}{GOOGLE_CHAT}":
        yield well(f"{what} is a project's number or this webhook's address")
    else:
        advice = f"Is {audience} what the app's configuration has as its HTTP endpoint URL?"
        yield ill(f"{what} is another address than this webhook's", advice)


def slack(one: Patient) -> Iterator[Finding]:
    yield from _unsigned(one, "slack", "Slack", SLACK)
    token = one.first("SLACK_BOT_TOKEN")
    if token is None:
        yield skipped("Slack: the bot's token", "SLACK_BOT_TOKEN is not in your environment")
        return
    told = _slack(one, "auth.test", token)
    if told.json.get("ok") is not True:
        advice = "Copy it from Install App, where it begins with xoxb-."
        yield ill(f"Slack does not accept the bot's token ({_slack_error(told)})", advice)
        return
    has = set(told.headers.get("x-oauth-scopes", "").split(","))
    lacks = [scope for scope in SLACK_SCOPES if scope not in has]
    if lacks:
        advice = "Add them under OAuth & Permissions, and install the app again."
        yield ill(f"Slack: the bot's token lacks {', '.join(lacks)}", advice)
    else:
        yield well("Slack: the bot's token has all scopes")
    yield from (_channel(one, place, token) for place in _places(one))


def _channel(one: Patient, place: str, token: str) -> Finding:
    """Checks that the bot is in the channel of a desk."""
    read = _slack(one, f"conversations.history?{urlencode({'channel': place, 'limit': 1})}", token)
    if read.json.get("ok") is True:
        return well(f"Slack: the bot reads the channel {place}")
    advice = "Is it the id of the channel? Then write /invite @Baton there."
    return ill(f"Slack: the bot cannot read the channel {place} ({_slack_error(read)})", advice)


def _places(one: Patient) -> list[str]:
    """Returns the channels of the desks that are on Slack."""
    try:
        rows = json.loads(one.known.get("BATON_DESKS") or "[]")
    except ValueError:
        return []
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [str(row["place"]) for row in known if row.get("kind") == "slack" and row.get("place")]


def _slack(one: Patient, method: str, token: str) -> Answer:
    base = one.known.get("SLACK_API_URL") or SLACK_API
    headers = {"authorization": f"Bearer {token}"}
    return one.send("GET", f"{base.rstrip('/')}/{method}", None, headers)


def _slack_error(answer: Answer) -> str:
    return str(answer.json.get("error") or answer.status or answer.text)


def _proof(one: Patient, use: str, what: str, setting: str, prove: _Prove) -> Iterator[Finding]:
    wrong, token, secret = prove(uuid.uuid4().hex, "1"), one.first(setting), uuid.uuid4().hex
    if shut := one.closed(what, use, wrong):
        yield shut
    elif wrong.status != 401:
        yield ill(f"{what} with a wrong token is answered {wrong.status}", "It must be 401.")
    elif token is None:
        yield skipped(what, f"{setting} is not in your environment")
    elif (answer := prove(token, secret)).status == 200 and answer.text == secret:
        yield well(f"{what} echoes the secret for the right token, and answers 401 to a wrong one")
    else:
        advice = f"Your {setting} is not the deployment's: which of them has the platform?"
        yield ill(f"{what} does not accept your token ({answer.status})", advice)


def _unsigned(one: Patient, use: str, name: str, path: str) -> Iterator[Finding]:
    answer, what = (
        one.ask("POST", path, b'{"message": {"data": ""}}'),
        "a webhook without signature",
    )
    if shut := one.closed(f"{name}: {what}", use, answer):
        yield shut
    elif answer.status == 401:
        yield well(f"{name}: {what} is answered 401")
    elif answer.status >= 500:
        yield broken(f"{name}: {what}", answer)
    else:
        yield ill(
            f"{name}: {what} is answered {answer.status}",
            "It must be 401: take the webhook down.",
        )
