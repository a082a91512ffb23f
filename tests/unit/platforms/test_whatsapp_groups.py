"""Groups of people on WhatsApp: left alone unless the operator switches them on, and never answered
in private.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.platforms.whatsapp.platform import WhatsApp
from shared.platforms.whatsapp.webhook import Numbers
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content
from shared.schemas.events import Event, Undelivered, UserMessage
from shared.schemas.http import Request
from shared.schemas.representative import Representative, RepresentativeType

GROUP = "Y2FwaV9ncm91cDpzYW1wbGU"
ANA = "5511987650101"
OFF = WhatsApp(("s",), api_url="https://graph.test", access_token="t", numbers=Numbers(("1",)))
ON = replace(OFF, groups=True)
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
SAID = {"from": ANA, "id": "wamid.1", "timestamp": "1795959000", "group_id": GROUP}
TEXT = {**SAID, "type": "text", "text": {"body": "When?"}}
STATUS = {
    "id": "wamid.2", "timestamp": "1795959000", "recipient_id": GROUP, "recipient_type": "group",
    "recipient_participant_id": ANA,
}  # fmt: skip


def batch(**lists: Any) -> Request:
    contact = {"profile": {"name": "Ana"}, "wa_id": ANA}
    value = {"metadata": {"phone_number_id": "1"}, "contacts": [contact], **lists}
    body = {"entry": [{"changes": [{"field": "messages", "value": value}]}]}
    return Request("POST", "/whatsapp", json.dumps(body).encode())


@pytest.mark.parametrize(
    "lists",
    [
        {"messages": [TEXT]},
        {"messages": [{**SAID, "type": "reaction", "reaction": {"message_id": "w", "emoji": "!"}}]},
        {"messages": [{**SAID, "type": "revoke", "revoke": {"original_message_id": "w"}}]},
        *({"statuses": [{**STATUS, "status": one}]} for one in ("sent", "delivered", "failed")),
    ],
)
def test_groups_are_left_alone_and_alarm_nobody(
    lists: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert OFF.events(batch(**lists)) == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [(one["severity"], one["items"]) for one in lines if "items" in one]
    assert told == [("INFO", 1)]


def test_what_comes_beside_a_groups_message_is_taken() -> None:
    private = {**TEXT, "id": "wamid.3"}
    del private["group_id"]
    (event,) = OFF.events(batch(messages=[TEXT, private]))
    assert isinstance(event, UserMessage)
    assert event.address == f"1|{ANA}"


def test_a_group_is_a_conversation_of_its_own_and_is_answered_there() -> None:
    private = {**TEXT, "id": "wamid.3"}
    del private["group_id"]
    in_group, alone = ON.events(batch(messages=[TEXT, private]))
    assert isinstance(in_group, UserMessage)
    assert isinstance(alone, UserMessage)
    assert in_group.source != alone.source
    assert GROUP not in in_group.source
    assert in_group.customer_name == "Ana"
    assert in_group.names == (), "a member is another conversation"
    assert in_group.address is not None
    chip = {"reply": {"text": "Now", "postbackData": "now"}}
    said = Content.model_validate({"text": "At six.", "suggestions": [chip]})
    call = ON.call(SendMessage(id="1", to=in_group.address, representative=BOT, content=said))
    assert call is not None
    sent = json.loads(call.body)
    assert (sent["recipient_type"], sent["to"], sent["type"]) == ("group", GROUP, "text")
    assert sent["text"]["body"] == "At six.\n• Now"


def test_a_message_that_one_member_did_not_get_is_not_undelivered() -> None:
    assert ON.events(batch(statuses=[{**STATUS, "status": "failed"}])) == []
    whole = {name: one for name, one in STATUS.items() if name != "recipient_participant_id"}
    (failed,) = ON.events(batch(statuses=[{**whole, "status": "failed"}]))
    (said,) = ON.events(batch(messages=[TEXT]))
    assert isinstance(failed, Undelivered)
    assert isinstance(said, Event)
    assert failed.source == said.source
