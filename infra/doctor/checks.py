"""Checks the doors: a request without proof is refused, a genuine event is accepted and stored."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from infra.deployables import deployables
from infra.doctor.http import (
    Finding,
    Patient,
    broken,
    ill,
    skipped,
    stranger,
    well,
    without_function,
)
from shared.platforms.bodies import hmac_sha512_base64

PROBE = "baton-doctor"
WEBHOOK, CSKU = "/receive_webhook/business_messages", "/receive_webhook/csku"


def answers_at_all(one: Patient) -> Iterator[Finding]:
    """Checks which public functions answer at their addresses. Without any the rest cannot be
    checked.
    """
    if base := without_function(one.url):
        advice = f"Give what stands before the functions' names: {base}"
        yield ill(f"{one.url} is the address of one function", advice, fatal=True)
        return
    public = [name for name, row in deployables().items() if row.public]
    answers = {name: one.look("GET", f"/{name}/{PROBE}") for name in public}
    there = [name for name, answer in answers.items() if answer.function == name]
    if not there:
        yield replace(stranger(one.address(public[0]), public[0], answers[public[0]]), fatal=True)
    elif any(answer.reason == "misconfigured" for answer in answers.values()):
        yield ill(
            "The settings are wrong",
            "The ERROR line at the function's start names every one.",
            fatal=True,
        )
    else:
        yield well(f"These functions answer at {one.url}: {', '.join(there)}")


def handshake(one: Patient) -> Iterator[Finding]:
    token, secret = one.first("BUSINESS_MESSAGES_CLIENT_TOKEN"), uuid.uuid4().hex
    what = "Business Messages: the ownership handshake"
    wrong = one.ask("POST", WEBHOOK, _json({"clientToken": uuid.uuid4().hex, "secret": secret}))
    if wrong.status != 401:
        yield one.closed(what, "business_messages", wrong) or ill(
            f"{what} with a wrong token is answered {wrong.status}", "It must be 401."
        )
        return
    if token is None:
        yield skipped(what, "BUSINESS_MESSAGES_CLIENT_TOKEN is not in your environment")
        return
    answer = one.ask("POST", WEBHOOK, _json({"clientToken": token, "secret": secret}))
    if answer.status == 200 and answer.text == secret:
        yield well(f"{what} echoes the secret for the right token, and answers 401 to a wrong one")
    else:
        advice = (
            "Your BUSINESS_MESSAGES_CLIENT_TOKEN is not the "
            "deployment's: which of them has the platform?"
        )
        yield ill(f"{what} does not accept your token ({answer.status})", advice)


def unsigned(one: Patient) -> Iterator[Finding]:
    """Checks that a webhook without a signature changes nothing."""
    body = _probe()
    bad = {
        "a webhook without signature": {},
        "a webhook with a wrong signature": {"x_goog_signature": hmac_sha512_base64("wrong", body)},
    }
    for what, headers in bad.items():
        answer = one.ask("POST", WEBHOOK, body, **headers)
        if shut := one.closed(f"Business Messages: {what}", "business_messages", answer):
            yield shut
            return
        if answer.status == 401:
            yield well(f"Business Messages: {what} is answered 401")
        else:
            yield ill(
                f"Business Messages: {what} is answered {answer.status}",
                "It must be 401: take the webhook down.",
            )


def signed(one: Patient) -> Iterator[Finding]:
    """Checks that a signed event of an unknown kind is stored in the journal, and has no effect."""
    key, body = one.first("BUSINESS_MESSAGES_SIGNING_KEYS"), _probe()
    if key is None:
        yield skipped(
            "Business Messages: a signed event",
            "BUSINESS_MESSAGES_SIGNING_KEYS is not in your environment",
        )
        return
    answer = one.ask("POST", WEBHOOK, body, x_goog_signature=hmac_sha512_base64(key, body))
    if answer.status == 200:
        yield well("Business Messages: a signed event is accepted")
        yield from _journalled(one, json.loads(body)["requestId"])
    elif answer.status == 401:
        advice = (
            "Your BUSINESS_MESSAGES_SIGNING_KEYS are not the "
            "deployment's: which of them has the platform?"
        )
        yield ill("Business Messages: an event with your signature is answered 401", advice)
    elif answer.reason != "door-closed":  # which was reported before
        yield broken("Business Messages: a signed event", answer)


def _journalled(one: Patient, event_id: str) -> Iterator[Finding]:
    if one.key is None:
        return
    answer = one.api(f"/business_messages:{PROBE}/journal")
    cursor = answer.json.get("nextCursor") if answer.status == 200 else None
    while cursor:
        answer = one.api(f"/business_messages:{PROBE}/journal?cursor={cursor.replace(' ', '%20')}")
        cursor = answer.json.get("nextCursor")
    if answer.status == 200 and any(
        entry.get("eventId") == event_id for entry in answer.json["entries"]
    ):
        yield well("The store keeps it: it is in the journal")
    elif answer.status == 200:
        advice = "Do receive_webhook and send_representative use one project and one BATON_STORE?"
        yield ill("The event was taken and is not in the journal", advice)


def csku(one: Patient) -> Iterator[Finding]:
    body, secret = (
        _json({"event": "probe", "conversation_id": PROBE}),
        one.first("CSKU_WEBHOOK_SECRETS"),
    )
    wrong = one.ask("POST", CSKU, body, authorization="wrong")
    what = "CSKU: an event with a wrong secret"
    if wrong.status != 401:
        yield one.closed(what, "csku", wrong) or ill(
            f"{what} is answered {wrong.status}", "It must be 401."
        )
        return
    yield well(f"{what} is answered 401")
    if secret is None:
        yield skipped("CSKU: an event", "CSKU_WEBHOOK_SECRETS is not in your environment")
        return
    answer = one.ask("POST", CSKU, body, authorization=secret)
    if answer.status == 200:
        yield well("CSKU: an event with your secret is accepted")
    elif answer.status == 401:
        yield ill(
            "CSKU: an event with your secret is answered 401",
            "Your CSKU_WEBHOOK_SECRETS are not the deployment's.",
        )
    else:
        yield broken("CSKU: an event", answer)


def _probe() -> bytes:
    return _json(
        {"conversationId": PROBE, "requestId": f"probe-{uuid.uuid4().hex}", "agent": PROBE}
    )


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()
