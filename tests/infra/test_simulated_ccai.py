"""The simulated CCAI Platform keeps what is documented of the real one, and takes whatever
Baton's desk asks of it.
"""

import json

import pytest

from infra.local.simulators.ccai import PER_SECOND, CcaiFaults, CcaiSimulator
from infra.local.simulators.platform_store import PlatformStore
from shared.platforms.base import Deflected
from shared.platforms.ccai.desk import CcaiDesk
from shared.platforms.ccai.platform import Ccai
from shared.platforms.desk import Chat, Declined, Made, Opening, Spoken, Steps, Words
from shared.schemas.commands import CallDesk
from shared.schemas.events import ChatCreated, Event, HumanJoined, HumanMessage, Unknown
from shared.schemas.http import Answer, Call, Request
from shared.transports.clock import WallClock
from tests.infra.simulated import HERE, ask, customer

DESK = CcaiDesk(f"{HERE}/sim/ccai/apps/api/v1", "dev", "token", 7)
OPEN = CallDesk(
    id="c", desk="support", platform="ccai", action="open", handoff="h-1", reason="billing"
)
CHAT = Chat("1001", "1", "h-1")
HI = Words("c-1", "hi")


@pytest.fixture
def ccai() -> CcaiSimulator:
    return CcaiSimulator(PlatformStore(":memory:"), "", ("first", "second"), "dev", "token")


def told(ccai: CcaiSimulator, by: str = "first") -> list[Event]:
    """Returns what Baton makes of the webhooks that wait, each of them proved by one of the two
    secrets.
    """
    platform, found = Ccai(webhook_secrets=(by,)), list[Event]()
    for seq, body in ccai.store.webhooks(100):
        request = Request("POST", "/", body.encode(), ccai.signed(body.encode()))
        platform.authenticate(request)
        found += [event for event in platform.events(request) if isinstance(event, Event)]
        ccai.store.delivered(seq)
    return found


async def asked(ccai: CcaiSimulator, steps: Steps[Made]) -> Answer:
    """Makes the only call of the steps."""
    call = next(steps)
    assert isinstance(call, Call)
    return await ask(ccai, call)


async def created(ccai: CcaiSimulator, steps: Steps[Made]) -> Made:
    answer = await asked(ccai, steps)
    with pytest.raises(StopIteration) as ended:
        steps.send(answer)
    made: Made = ended.value.value
    return made


async def opened(ccai: CcaiSimulator) -> str | None:
    await asked(ccai, DESK.customer("baton-1", "Ana"))
    said = [Spoken("customer", "hi", WallClock().now())]
    return await created(ccai, DESK.open(Opening(OPEN, "1", said=said)))


def closing(chat: Chat) -> Steps[None]:
    return DESK.close(chat, "c-2", "over")


async def test_an_end_user_is_made_once(ccai: CcaiSimulator) -> None:
    names = ("baton-1", "baton-2", "baton-1")
    assert [await created(ccai, DESK.customer(name, None)) for name in names] == ["1", "2", "1"]


async def test_every_call_makes_another_chat(ccai: CcaiSimulator) -> None:
    assert [await opened(ccai) for _ in range(2)] == ["1001", "1002"]


async def test_chat_created_names_the_end_user_before_the_answer_if_switched_on(
    ccai: CcaiSimulator,
) -> None:
    ccai.faults = CcaiFaults(created_first=1)
    # there is no Baton here
    ccai.let_baton_hear = lambda: _nothing()  # type: ignore[method-assign]
    await opened(ccai)
    found = told(ccai, "second")
    assert [event.source for event in found] == ["ccai:chat-1001", "ccai:user-baton-1"]
    assert found[1].source in DESK.customers("baton-1", "1")
    assert isinstance(found[0], Unknown)
    assert isinstance(found[1], ChatCreated)
    assert DESK.native(found[1].chat) == "1001"


async def _nothing() -> None:
    return None


async def test_words_are_shown_to_agents_and_echoed_which_baton_drops(ccai: CcaiSimulator) -> None:
    await opened(ccai)
    assert (await asked(ccai, DESK.say(CHAT, HI))).status == 200
    assert [json.loads(body)["event_type"] for _, body in ccai.store.webhooks(9)] == [
        "message_received"
    ]
    assert told(ccai) == []


async def test_agents_join_and_speak(ccai: CcaiSimulator) -> None:
    await opened(ccai)
    for action in ("joins", "says"):
        await customer(
            ccai, "/customers/1001/agent", {"action": action, "name": "Jane", "text": "Hello"}
        )
    joined, said = told(ccai)
    assert isinstance(joined, HumanJoined)
    assert isinstance(said, HumanMessage)
    assert (joined.representative.name, said.content.text) == ("Jane", "Hello")


async def test_the_chat_keeps_who_did_what(ccai: CcaiSimulator) -> None:
    await opened(ccai)
    for action, who in (
        ("joins", {"name": "Jane"}),
        ("says", {"name": "Jane", "text": "Hello"}),
        ("says", {"id": 5, "text": "Hi"}),
        ("leaves", {"name": "Jane"}),
        ("deflects", {"name": "Jane", "reason": "over_capacity"}),
        ("ends", {"name": "Tom"}),
    ):
        await customer(ccai, "/customers/1001/agent", {"action": action, **who})
    rows = [(row["kind"], row["body"].get("name")) for row in ccai.store.transcript("1001")[1:]]
    assert rows == [
        ("joined", "Jane"),
        ("message", "Jane"),
        ("message", "Agent 5"),
        ("left", "Jane"),
        ("deflected", "Jane"),
        ("finished", "Tom"),
    ]


async def test_a_chat_that_baton_ends_names_no_agent_as_its_end(ccai: CcaiSimulator) -> None:
    await opened(ccai)
    await asked(ccai, closing(CHAT))
    assert ccai.store.transcript("1001")[-1]["body"] == {}


async def test_a_chat_that_was_turned_away_is_open_until_it_is_finished(
    ccai: CcaiSimulator,
) -> None:
    await opened(ccai)
    for action in ("deflects", "joins"):
        await customer(ccai, "/customers/1001/agent", {"action": action, "name": "Jane"})
    turned_away, joined = told(ccai)
    assert isinstance(turned_away, Deflected)
    assert isinstance(joined, HumanJoined)
    assert (await asked(ccai, closing(CHAT))).status == 200


async def test_a_finished_chat_takes_nothing_more(ccai: CcaiSimulator) -> None:
    await opened(ccai)
    assert (await asked(ccai, closing(CHAT))).status == 200
    assert DESK.is_over(await asked(ccai, closing(CHAT)))
    for chat in (CHAT, Chat("7", "1", "h")):
        assert DESK.is_over(await asked(ccai, DESK.say(chat, HI)))


async def test_a_tenant_that_reads_the_guides_form_alone_ends_a_chat_too(
    ccai: CcaiSimulator,
) -> None:
    await opened(ccai)
    ccai.faults = CcaiFaults(closing_flat=1)
    steps = closing(CHAT)
    refused = await asked(ccai, steps)
    assert refused.status == 422
    again = steps.throw(Declined(refused))
    assert isinstance(again, Call)
    assert (await ask(ccai, again)).status == 200
    assert ccai.store.transcript("1001")[-1]["kind"] == "finished"


async def test_more_than_ten_requests_a_second_are_refused(ccai: CcaiSimulator) -> None:
    answers = [await asked(ccai, DESK.customer("baton-1", None)) for _ in range(PER_SECOND + 1)]
    assert [answer.status for answer in answers] == [200] * PER_SECOND + [429]
    assert answers[-1].headers["retry-after"] == "1"


async def test_a_call_without_a_login_is_refused(ccai: CcaiSimulator) -> None:
    wrong = CcaiDesk(f"{HERE}/sim/ccai/apps/api/v1", "dev", "guess", 7)
    assert (await asked(ccai, wrong.customer("baton-1", None))).status == 401
