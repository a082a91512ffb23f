"""Checks Matrix: that the door refuses requests without proof, and that the homeserver knows Baton
and reaches it.
"""

import json
import uuid
from collections.abc import Iterator
from urllib.parse import urlencode

from infra.doctor.http import Answer, Finding, Patient, Verdict, broken, ill, skipped, well
from shared.platforms.matrix.names import DEVICE, PREFIX, SERVICE, Homeserver

TRANSACTION = "/receive_webhook/matrix/_matrix/app/v1/transactions/baton-doctor"
NEEDED = ("MATRIX_API_URL", "MATRIX_SERVER_NAME", "MATRIX_AS_TOKEN")


def matrix(one: Patient) -> Iterator[Finding]:
    yield _unproved(one)
    missing = [name for name in NEEDED if not one.known.get(name)]
    if missing:
        yield skipped("Matrix: the homeserver", f"{missing[0]} is not in your environment")
        return
    there = _answers(one)
    yield there
    if there.verdict is not Verdict.WELL:
        return
    for check in (_knows, _has_devices, _reaches):
        found = check(one)
        yield found
        if found.verdict is Verdict.ILL:
            return


def _unproved(one: Patient) -> Finding:
    what = "Matrix: a transaction without the token of the homeserver"
    answer = one.ask("PUT", TRANSACTION, b'{"events": []}', authorization="Bearer wrong")
    if shut := one.closed(what, "matrix", answer):
        return shut
    if answer.status == 401:
        return well(f"{what} is answered 401")
    if answer.status >= 500:
        return broken(what, answer)
    return ill(f"{what} is answered {answer.status}", "It must be 401: take the webhook down.")


def _answers(one: Patient) -> Finding:
    what = "Matrix: the homeserver"
    answer = _asked(one, "GET", "/_matrix/client/versions")
    if not answer.status and "//127.0.0.1:" in one.known["MATRIX_API_URL"]:
        return skipped(what, "none runs on this machine; `make matrix` starts one")
    if answer.status != 200 or not isinstance(_field(answer, "versions"), list):
        advice = "MATRIX_API_URL must be the address of its client-server API."
        return ill(f"{what} answers {answer.status or answer.text}", advice)
    return well(f"{what} answers")


def _knows(one: Patient) -> Finding:
    what = "Matrix: the homeserver knows MATRIX_AS_TOKEN"
    answer = _asked(one, "GET", "/_matrix/client/v3/account/whoami")
    sender = _sender(one)
    user = _field(answer, "user_id")
    if answer.status != 200:
        advice = "Print the registration again, and restart the homeserver with it."
        return ill(f"{what}: it is answered {answer.status}", advice)
    if user != sender:
        advice = "Registration, MATRIX_SERVER_NAME and MATRIX_USER_PREFIX must agree."
        return ill(f"{what}: as that of {user}, and not of {sender}", advice)
    return well(what)


def _has_devices(one: Patient) -> Finding:
    """Checks what makes a repeated message one message. The sender gets a device by it."""
    what = "Matrix: a message that is repeated after a restart is recognised"
    whose = urlencode({"user_id": _sender(one)})
    path = f"/_matrix/client/v3/devices/{DEVICE}?{whose}"
    _asked(one, "PUT", path, json.dumps({"display_name": "Baton"}).encode())
    query = f"{whose}&device_id={DEVICE}"
    answer = _asked(one, "GET", f"/_matrix/client/v3/account/whoami?{query}")
    if answer.status == 200 and _field(answer, "device_id") == DEVICE:
        return well(what)
    advice = "The homeserver does not have Matrix 1.17's devices of application services"
    return skipped(what, f"{advice} (Synapse has them since 1.141)")


def _reaches(one: Patient) -> Finding:
    """Asks the homeserver to ping Baton. Synapse also repeats at once what Baton has not taken."""
    what = "Matrix: the homeserver reaches Baton"
    body = json.dumps({"transaction_id": uuid.uuid4().hex}).encode()
    answer = _asked(one, "POST", f"/_matrix/client/v1/appservice/{SERVICE}/ping", body)
    if answer.status == 200:
        return well(what)
    if _field(answer, "status") == 401:
        advice = "The registration's hs_token is none of MATRIX_HS_TOKENS."
        return ill(f"{what}, and Baton refuses its token", advice)
    advice = "The registration's url must end with /receive_webhook/matrix."
    return ill(f"{what}: {_field(answer, 'errcode') or answer.status}", advice)


def _sender(one: Patient) -> str:
    prefix = one.known.get("MATRIX_USER_PREFIX") or PREFIX
    return Homeserver(one.known["MATRIX_SERVER_NAME"], prefix).sender


def _asked(one: Patient, method: str, path: str, body: bytes | None = None) -> Answer:
    headers = {"authorization": f"Bearer {one.known['MATRIX_AS_TOKEN']}"}
    if body is not None:
        headers["content-type"] = "application/json"
    return one.send(method, f"{one.known['MATRIX_API_URL'].rstrip('/')}{path}", body, headers)


def _field(answer: Answer, name: str) -> object:
    return answer.json.get(name) if isinstance(answer.json, dict) else None
