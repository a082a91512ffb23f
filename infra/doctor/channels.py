"""Checks that the doors of RCS, WhatsApp and the CCAI Platform refuse requests without proof. The
handshakes of RCS and WhatsApp are checked too.

A deployment need not serve all of them: a door that is closed because its secret is missing is
reported, and is no fault.
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

    yield from _proof(one, "RCS: the ownership handshake", "RCS_CLIENT_TOKENS", prove)
    yield from _unsigned(one, "RCS", RCS)


def whatsapp(one: Patient) -> Iterator[Finding]:
    def prove(token: str, secret: str) -> Answer:
        query = {"hub.mode": "subscribe", "hub.challenge": secret, "hub.verify_token": token}
        return one.ask("GET", f"{WHATSAPP}?{urlencode(query)}")

    yield from _proof(one, "WhatsApp: the check of the address", "WHATSAPP_VERIFY_TOKEN", prove)
    yield from _unsigned(one, "WhatsApp", WHATSAPP)


def ccai(one: Patient) -> Iterator[Finding]:
    yield from _unsigned(one, "CCAI Platform", CCAI)


def _proof(one: Patient, what: str, setting: str, prove: _Prove) -> Iterator[Finding]:
    wrong, token, secret = prove(uuid.uuid4().hex, "1"), one.first(setting), uuid.uuid4().hex
    if wrong.reason == "door-closed":
        yield skipped(what, f"the door is closed until {wrong.setting} is set")
    elif wrong.status != 401:
        yield ill(f"{what} with a wrong token is answered {wrong.status}", "It must be 401.")
    elif token is None:
        yield skipped(what, f"{setting} is not in your environment")
    elif (answer := prove(token, secret)).status == 200 and answer.text == secret:
        yield well(f"{what} echoes the secret, and only for the right token")
    else:
        advice = f"Your {setting} is not the deployment's: which of them has the platform?"
        yield ill(f"{what} is refused ({answer.status})", advice)


def _unsigned(one: Patient, name: str, path: str) -> Iterator[Finding]:
    answer = one.ask("POST", path, b'{"message": {"data": ""}}')
    if answer.reason == "door-closed":
        yield skipped(f"{name}: no signature", f"the door is closed until {answer.setting} is set")
    elif answer.status == 401:
        yield well(f"{name}: no signature is refused")
    elif answer.status >= 500:
        yield broken(f"{name}: no signature", answer)
    else:
        yield ill(
            f"{name}: no signature is answered {answer.status}",
            "It must be 401: take the webhook down.",
        )
