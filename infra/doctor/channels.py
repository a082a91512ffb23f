"""Checks that the doors of RCS, WhatsApp and the CCAI Platform refuse requests without proof. The
handshakes of RCS and WhatsApp are checked too.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from infra.doctor.http import Answer, Finding, Patient, broken, ill, skipped, well

RCS, WHATSAPP, CCAI = "/receive_webhook/rcs", "/receive_webhook/whatsapp", "/receive_webhook/ccai"
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


def ccai(one: Patient) -> Iterator[Finding]:
    yield from _unsigned(one, "ccai", "CCAI Platform", CCAI)


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
