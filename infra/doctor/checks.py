"""Checks the doors: a request without proof is refused, a genuine event is accepted and stored."""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from infra.doctor.http import Finding, Patient, broken, closed, ill, skipped, well
from shared.platforms.signatures import hmac_sha512_base64

PROBE = "baton-doctor"
WEBHOOK, CSKU = "/receive_webhook/business_messages", "/receive_webhook/csku"


def answers_at_all(one: Patient) -> Iterator[Finding]:
    answer = one.ask("GET", WEBHOOK)
    if answer.status == 0:
        yield ill(
            f"Nobody answers at {one.url}: {answer.text}",
            "Is it running, and is this its address?",
            fatal=True,
        )
    elif answer.reason in ("", "unknown-path"):
        yield ill(
            f"Something answers {answer.status} at {one.url}, but it is not Baton",
            "Give what stands before the functions' names: http://127.0.0.1:8080, or "
            "https://REGION-PROJECT.cloudfunctions.net. If that is right, allUsers may not call "
            "the function.",
            fatal=True,
        )
    elif answer.reason == "misconfigured":
        yield ill(
            "The settings are wrong",
            "The ERROR line at the function's start names every one.",
            fatal=True,
        )
    else:
        yield well(f"Baton answers at {one.url}")


def handshake(one: Patient) -> Iterator[Finding]:
    token, secret = one.first("BUSINESS_MESSAGES_CLIENT_TOKEN"), uuid.uuid4().hex
    what = "Business Messages: the ownership handshake"
    wrong = one.ask("POST", WEBHOOK, _json({"clientToken": uuid.uuid4().hex, "secret": secret}))
    if closed(wrong) or wrong.status != 401:
        yield closed(wrong) or ill(
            f"{what} with a wrong token is answered {wrong.status}", "It must be 401."
        )
        return
    if token is None:
        yield skipped(what, "BUSINESS_MESSAGES_CLIENT_TOKEN is not in your environment")
        return
    answer = one.ask("POST", WEBHOOK, _json({"clientToken": token, "secret": secret}))
    if answer.status == 200 and answer.text == secret:
        yield well(f"{what} echoes the secret, and only for the right token")
    else:
        advice = (
            "Your BUSINESS_MESSAGES_CLIENT_TOKEN is not the "
            "deployment's: which of them has the platform?"
        )
        yield ill(f"{what} is refused ({answer.status})", advice)


def unsigned(one: Patient) -> Iterator[Finding]:
    """Checks that a webhook without a signature changes nothing."""
    body = _probe()
    bad = {
        "no signature": {},
        "a wrong signature": {"x_goog_signature": hmac_sha512_base64("wrong", body)},
    }
    for what, headers in bad.items():
        answer = one.ask("POST", WEBHOOK, body, **headers)
        shut = closed(answer)
        if shut:
            yield shut
            return
        if answer.status == 401:
            yield well(f"Business Messages: {what} is refused")
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
        yield well("Business Messages: a signed event is taken")
        yield from _journalled(one, json.loads(body)["requestId"])
    elif answer.status == 401:
        advice = (
            "Your BUSINESS_MESSAGES_SIGNING_KEYS are not the "
            "deployment's: which of them has the platform?"
        )
        yield ill("Business Messages: a signed event is refused", advice)
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
    if closed(wrong) or wrong.status != 401:
        yield closed(wrong) or ill(
            f"CSKU: a wrong secret is answered {wrong.status}", "It must be 401."
        )
        return
    yield well("CSKU: a wrong secret is refused")
    if secret is None:
        yield skipped("CSKU: an event", "CSKU_WEBHOOK_SECRETS is not in your environment")
        return
    answer = one.ask("POST", CSKU, body, authorization=secret)
    if answer.status == 200:
        yield well("CSKU: an event is taken")
    elif answer.status == 401:
        yield ill(
            "CSKU: your secret is refused", "Your CSKU_WEBHOOK_SECRETS are not the deployment's."
        )
    else:
        yield broken("CSKU: an event", answer)


def _probe() -> bytes:
    return _json(
        {"conversationId": PROBE, "requestId": f"probe-{uuid.uuid4().hex}", "agent": PROBE}
    )


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()
