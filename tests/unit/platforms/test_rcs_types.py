"""What is sent to RCS for Business is of the types of Telnyx's client, whose API passes these
messages on to Google.

Google publishes no discovery document and no library for this API (tests/vendors/README.md).
"""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
from hypothesis import assume, given

from shared.platforms.rcs.platform import Rcs
from shared.schemas.commands import SendMessage, Signal
from shared.schemas.content import Content
from shared.schemas.content_rules import first_fault
from shared.schemas.http import Call
from tests.unit.platforms.test_outbound import JANE, contents

TO = "agent@rbm.goog|+6281234567890"
TYPES: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vendors" / "rcs.json").read_text())
KNOWN = TYPES["$defs"]

# Where Google's reference leaves these types, and why.
KNOWN["ContentMessageRichCardStandaloneCard"]["required"].remove(
    "thumbnailImageAlignment"  # Google needs it for horizontal cards only
)
KNOWN["ActionOpenURLAction"]["required"] = ["url"]  # Google opens a browser by default
KNOWN["Action"]["properties"]["composeAction"] = {"type": "object"}  # Telnyx does not pass it on
KNOWN["ContentMessage"]["properties"]["uploadedRbmFile"] = {  # Telnyx takes addresses only
    "type": "object",
    "required": ["fileName"],
}
TYPES["properties"]["messageTrafficType"] = {"type": "string"}  # Telnyx sets it itself
JUDGE = jsonschema_rs.validator_for(TYPES)


def sent(content: Content) -> dict[str, Any]:
    command = SendMessage(id="1", to=TO, representative=JANE, content=content)
    call = Rcs(auth="bearer:x").call(command)
    assert isinstance(call, Call)
    body: dict[str, Any] = json.loads(call.body)
    return body


@given(content=contents)
def test_what_is_sent_is_of_the_types_of_another_client(content: Content) -> None:
    assume(first_fault(content) is None)
    JUDGE.validate(sent(content))


def test_a_name_that_these_types_lack_is_refused() -> None:
    body = sent(Content.model_validate({"text": "?", "suggestions": [{"liveAgentRequest": {}}]}))
    JUDGE.validate(body)
    said = body["contentMessage"]
    (chip,) = said["suggestions"]
    for wrong in (
        {"mood": 1},
        {"contentMessage": {**said, "altText": "?"}},
        {"contentMessage": {**said, "suggestions": [{**chip, "liveAgentRequest": {}}]}},
        {"contentMessage": {**said, "suggestions": [{"reply": {**chip["reply"], "mood": 1}}]}},
    ):
        assert not JUDGE.is_valid({**body, **wrong})


def test_typing_and_receipts_are_events_of_these_types() -> None:
    known = KNOWN["Event"]["properties"]["eventType"]["enum"]
    for kind in ("TYPING_STARTED", "READ"):
        signal = Signal.model_validate({"id": "1", "to": TO, "kind": kind, "messageId": "m"})
        call = Rcs(auth="bearer:x").call(signal)
        assert call is not None
        assert json.loads(call.body)["eventType"] in known
