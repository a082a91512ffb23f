"""The simulated RCS for Business keeps what its reference documents: UUIDs, limits, errors and
events.
"""

import json
import uuid
from dataclasses import replace

import pytest

from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.rcs import AGENT, RcsSimulator
from shared.schemas.commands import SendMessage, Signal
from shared.schemas.content import Content
from shared.schemas.events import Subscribed, Unsubscribed, UserMessage
from shared.schemas.http import Call
from tests.infra.simulated import BOT, HERE, PHONE, RCS, ask, customer, says, sent, shown, told

UUID = "7c2d9f56-98a4-4b3c-8d3c-6a2b1f0e5d4c"


@pytest.fixture
def rcs() -> RcsSimulator:
    return RcsSimulator(PlatformStore(":memory:"), "", "token")


async def test_rcs_shows_a_repeated_id_once_and_says_nothing(rcs: RcsSimulator) -> None:
    await says(rcs)
    assert [(await sent(rcs)).status for _ in range(2)] == [200, 200]
    assert shown(rcs) == ["Hello"]


async def test_rcs_counts_ids_in_one_space_for_the_whole_agent(rcs: RcsSimulator) -> None:
    await says(rcs)
    await customer(rcs, "/customers/+12025550101/messages", {"text": "Hi"})
    said = SendMessage(id="1", to=f"{AGENT}|{PHONE}", representative=BOT, content=Content(text="B"))
    for number in (PHONE, "+12025550101"):
        call = RCS.call(said)
        assert call is not None
        assert (await ask(rcs, replace(call, url=call.url.replace(PHONE, number)))).status == 200
    assert [row["side"] for row in rcs.store.transcript("+12025550101")] == ["customer"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{PHONE}/agentMessages?messageId=7777&agentId={AGENT}", 400),
        (f"{PHONE}/agentMessages?agentId={AGENT}", 400),
        (f"{PHONE}/agentMessages?messageId={UUID}", 400),
        (f"{PHONE}/agentMessages?messageId={UUID}&agentId=another", 403),
        (f"+12025550199/agentMessages?messageId={UUID}&agentId={AGENT}", 404),
        (f"{PHONE}/agentEvents?eventId=7777&agentId={AGENT}", 400),
        (f"{PHONE}/agentEvents?eventId={UUID}&agentId={AGENT}", 400),
    ],
)
async def test_rcs_refuses_what_its_reference_refuses(
    rcs: RcsSimulator, path: str, status: int
) -> None:
    await says(rcs)
    body = b'{"contentMessage": {"text": "Hello"}}'
    assert (await ask(rcs, Call("POST", f"{HERE}/sim/rcs/v1/phones/{path}", body))).status == status


async def test_rcs_keeps_its_limits(rcs: RcsSimulator) -> None:
    await says(rcs)
    assert (await sent(rcs, "x" * 3072)).status == 200
    assert (await sent(rcs, "x" * 3073, command_id="2")).status == 400


async def test_rcs_shows_typing_and_reads(rcs: RcsSimulator) -> None:
    said = await says(rcs)
    for signal in (
        Signal(id="1", to=f"{AGENT}|{PHONE}", kind="TYPING_STARTED"),
        Signal(id="2", to=f"{AGENT}|{PHONE}", kind="READ", message_id=said["messageId"]),
    ):
        call = RCS.call(signal)
        assert call is not None
        assert (await ask(rcs, call)).status == 200
    assert (await customer(rcs, f"/customers/{PHONE}", {}, "GET"))["typing"] == "The business"
    await sent(rcs)
    assert (await customer(rcs, f"/customers/{PHONE}", {}, "GET"))["typing"] is None


async def test_rcs_says_what_was_delivered_and_read_by_the_id_it_was_sent_under(
    rcs: RcsSimulator,
) -> None:
    await says(rcs)
    await sent(rcs)
    told(rcs)
    native = next(row["id"] for row in rcs.store.transcript(PHONE) if row["side"] == "business")
    await customer(rcs, f"/customers/{PHONE}/status", {"read": native})
    (receipt,) = told(rcs)
    assert receipt.form["receipts"]["receipts"][0]["message"].endswith(f"/messages/{native}")


async def test_a_customer_who_unsubscribes_from_rcs_causes_two_reports(rcs: RcsSimulator) -> None:
    await customer(rcs, f"/customers/{PHONE}/status", {"subscribed": False})
    assert [type(event) for event in told(rcs)] == [Unsubscribed, Unsubscribed]
    await customer(rcs, f"/customers/{PHONE}/status", {"subscribed": True})
    assert {type(event) for event in told(rcs)} == {Subscribed, UserMessage}


@pytest.mark.parametrize(
    "content",
    [
        {"contentInfo": {"fileUrl": "https://x.test/a.png", "altText": "Boots"}},
        {"text": "Hi", "fallback": "Hi"},
        {"text": "Hi", "suggestions": [{"reply": {"text": "Yes", "postbackData": "y", "mood": 1}}]},
        {
            "richCard": {
                "carouselCard": {
                    "cardWidth": "SMALL",
                    "cardContents": [{"title": "A"}, {"subtitle": "B"}],
                }
            }
        },
    ],
)
async def test_rcs_refuses_a_name_that_it_does_not_know(
    rcs: RcsSimulator, content: dict[str, object]
) -> None:
    await says(rcs)
    path = f"/sim/rcs/v1/phones/{PHONE}/agentMessages?messageId={uuid.uuid4()}&agentId={AGENT}"
    answer = await ask(
        rcs, Call("POST", f"{HERE}{path}", json.dumps({"contentMessage": content}).encode())
    )
    assert answer.status == 400
    assert b"Unknown name" in answer.body
