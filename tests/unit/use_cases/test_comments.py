"""Comments for the CRM record: where they go, who is proved, and that nothing from a payload
says so.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from shared.conversations.apply import apply
from shared.delivery.deliver import deliver
from shared.errors import DoorClosed
from shared.handoff.policy import Policy
from shared.outbox.plain_http import comment_call
from shared.ports import CrmRecord, Ports
from shared.schemas.commands import Comment
from shared.schemas.events import VariablesCaptured
from shared.schemas.http import Answer
from shared.schemas.variables import Audience, Provenance, Variable
from tests.unit.use_cases.conftest import Bench

NEXT = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://platform.test/{platform}/{native_id}/comments/{comment_id}?of={conversation_id}"
COMMENT = Comment(id="c-1", body={"comment": "order: A1"})


@pytest.fixture
def ports(bench: Bench) -> Ports:
    crm = CrmRecord(URL, "PUT", (SECRET, NEXT), "Token t")
    return replace(bench.ports, policy=Policy(comments=True), crm=crm)


async def captured(
    ports: Ports, event_id: str, key: str, value: Any, *audiences: Audience, at: Any = None
) -> None:
    variable = Variable(
        key=key,
        value=value,
        captured_at=at or ports.clock.now(),
        audiences=audiences,
        provenance=Provenance(signed=True),
    )
    common = {"source": "business_messages:3333", "address": "3333", "actor": "bot"}
    event = VariablesCaptured.model_validate({"id": event_id, "variables": (variable,), **common})
    await apply(ports, event)
    await deliver(ports, "business_messages:3333")


async def test_a_comment_is_called_out_once_per_capture_signed_and_where_the_setting_says(
    bench: Bench, ports: Ports
) -> None:
    await captured(ports, "1", "order", {"n": 1}, Audience.COMMENT, Audience.EVENT)
    await captured(ports, "1", "order", {"n": 1}, Audience.COMMENT, Audience.EVENT)
    [call] = bench.sender.calls
    body = json.loads(call.body)
    assert call.method == "PUT"
    assert call.url == (
        f"https://platform.test/business_messages/3333/comments/{body['id']}?of=business_messages%3A3333"
    )
    assert (body["comment"], body["variables"]) == ('order: {"n":1}', {"order": {"n": 1}})
    assert call.headers["authorization"] == "Token t"
    assert call.headers["webhook-id"] == body["id"]
    signatures = [
        Webhook(one).sign(body["id"], bench.clock.now(), call.body.decode())
        for one in (SECRET, NEXT)
    ]
    assert call.headers["webhook-signature"] == " ".join(signatures)


async def test_what_the_record_may_not_show_makes_no_comment(bench: Bench, ports: Ports) -> None:
    await captured(ports, "1", "order", "A1", Audience.AGENT, Audience.EVENT)
    assert bench.sender.calls == []


async def test_a_comment_is_tried_again_under_its_id_and_told_of_when_it_is_refused_for_good(
    bench: Bench, ports: Ports
) -> None:
    bench.sender.script[:] = [Answer(503), None, Answer(400)]
    await captured(ports, "1", "order", "A1", Audience.COMMENT)
    for _ in range(2):
        bench.clock.forward(5)
        await deliver(ports, "business_messages:3333")
    assert len({call.headers["webhook-id"] for call in bench.sender.calls}) == 1
    [told] = bench.publisher.on("baton-handoffs")
    assert (told["type"], told["reason"]) == ("delivery.failed", "comment unknown: HTTP 400")


async def test_its_values_are_not_in_the_journal_once_it_is_settled(
    bench: Bench, ports: Ports
) -> None:
    await captured(ports, "1", "order", "s3cret", Audience.COMMENT)
    page = await bench.store.journal("business_messages:3333", None, 10)
    assert [entry.value.outcome for entry in page.items] == ["done"]
    assert "s3cret" not in "".join(entry.value.model_dump_json() for entry in page.items)


@pytest.mark.parametrize(
    "native", ["../../evil", "a/b?c=d#e", "{comment_id}", "@evil.test", "x\r\nhost: evil"]
)
def test_no_id_can_leave_its_place_in_the_address(bench: Bench, native: str) -> None:
    crm = CrmRecord("https://crm.test/r/{native_id}?q={conversation_id}", "POST", (SECRET,))
    url = comment_call(crm, f"x:{native}", COMMENT, bench.clock.now()).url
    path, _, query = url.removeprefix("https://crm.test/r/").partition("?")
    assert not set(path) & set("/?#@{}\r\n ")
    assert not set(query.removeprefix("q=")) & set("/?#&@{}\r\n ")


@pytest.mark.parametrize(
    ("crm", "setting"),
    [(None, "CRM_COMMENT_URL"), (CrmRecord("https://crm.test"), "CRM_COMMENT_SECRET")],
)
def test_while_something_is_missing_it_waits(
    bench: Bench, crm: CrmRecord | None, setting: str
) -> None:
    with pytest.raises(DoorClosed, match=setting):
        comment_call(crm, "x:1", COMMENT, bench.clock.now())
