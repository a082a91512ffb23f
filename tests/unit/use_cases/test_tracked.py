"""A conversation whose own platform delivers is not in Baton's queue, and cannot be taken over in
vain.
"""

from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.conversations.queue_position import people_ahead
from shared.customers.links import link
from shared.ports import Commit, Snapshot
from shared.schemas.content import Content
from shared.schemas.events import HumanMessage, HumanRequested, UserMessage
from shared.schemas.representative import Representative
from tests.unit.use_cases.asking import ask, refusal

MINE, TRACKED = "business_messages:3333", "csku:conv_1"
JANE: dict[str, Any] = {"representativeType": "HUMAN", "displayName": "Jane Doe"}


async def _asks(bench: Any, conversation: str) -> None:
    said = UserMessage(id="m-1", source=conversation, actor="p", address="a", form={}, said="Help")
    await apply(bench.ports, said)
    await apply(
        bench.ports, HumanRequested(id="r-1", source=conversation, actor="p", reason="asked")
    )
    bench.clock.forward(1)


async def _queue(bench: Any, **query: str) -> list[str]:
    found = (await ask(bench.ports, "GET", "", phase=query.pop("phase", "QUEUED")))["conversations"]
    return [one["name"].removeprefix("conversations/") for one in found]


async def test_who_waits_for_the_people_of_another_platform_stands_in_no_line_of_batons(
    bench: Any,
) -> None:
    for n in range(3):
        await _asks(bench, f"csku:conv_{n}")
    await _asks(bench, MINE)

    assert await _queue(bench) == [MINE]
    assert (await people_ahead(bench.ports, (await bench.store.load(MINE)).value)).people == 0
    assert (await ask(bench.ports, "GET", f"/{MINE}"))["queuePosition"] == 1
    seen = await ask(bench.ports, "GET", f"/{TRACKED}")
    assert (seen["tracked"], seen["phase"], "queuePosition" in seen) == (True, "QUEUED", False)
    assert (await ask(bench.ports, "GET", f"/{MINE}"))["tracked"] is False


async def test_a_record_of_an_older_version_is_left_out_as_well(bench: Any) -> None:
    """It names the same phase as its body does, so the queue's query finds it."""
    await _asks(bench, TRACKED)
    await bench.store._run(lambda db: db.execute("update conversations set phase = 'QUEUED'"))
    assert await _queue(bench) == []


async def test_a_tracked_conversation_is_listed_while_its_human_speaks(bench: Any) -> None:
    await _asks(bench, TRACKED)
    who = Representative.model_validate(JANE)
    content: Any = {"text": "Hello"}
    await apply(
        bench.ports,
        HumanMessage(id="h-1", source=TRACKED, actor="p", representative=who, content=content),
    )
    assert await _queue(bench, phase="HUMAN") == [TRACKED]


@pytest.mark.parametrize("phase", ["BOT", "QUEUED", "HUMAN"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (":claim", {"representative": JANE}),
        (":release", {"representative": JANE, "reason": "done"}),
        (":fail", {"reason": "nobody"}),
        ("/messages", {"messageId": "x-1", "text": "Hi", "representative": JANE}),
        (
            "/messages",
            {"messageId": "x-2", "text": "Hi", "representative": {"representativeType": "BOT"}},
        ),
        ("/events", {"eventType": "REPRESENTATIVE_JOINED", "representative": JANE}),
        ("/events", {"eventType": "REPRESENTATIVE_LEFT", "representative": JANE}),
        ("/events", {"eventType": "TYPING_STARTED", "representative": JANE}),
        (
            "/events",
            {"eventType": "TYPING_STOPPED", "representative": {"representativeType": "BOT"}},
        ),
    ],
)
async def test_a_message_that_cannot_arrive_is_refused_and_changes_nothing(
    bench: Any, phase: str, path: str, body: dict[str, Any]
) -> None:
    said = UserMessage(id="m-1", source=TRACKED, actor="p", address="a", form={}, said="Help")
    await apply(bench.ports, said)
    if phase != "BOT":
        await apply(
            bench.ports, HumanRequested(id="r-1", source=TRACKED, actor="p", reason="asked")
        )
    if phase == "HUMAN":
        who, content = Representative.model_validate(JANE), Content(text="Hello")
        spoke = HumanMessage(
            id="h-1", source=TRACKED, actor="p", representative=who, content=content
        )
        await apply(bench.ports, spoke)
    before = (await bench.store.load(TRACKED)).value

    assert await refusal(bench.ports, "POST", f"/{TRACKED}{path}", body, eventId="x-3") == "tracked"

    after = (await bench.store.load(TRACKED)).value
    counted = {"version": before.version, "line_ends": before.line_ends}
    assert after.model_copy(update=counted) == before


async def test_a_receipt_is_refused(bench: Any) -> None:
    await _asks(bench, TRACKED)
    path = f"/{TRACKED}/messages/m-1/receipt"
    assert await refusal(bench.ports, "PATCH", path, {"receiptType": "READ"}) == "tracked"


async def test_asking_for_a_human_tells_the_team_and_so_is_taken(bench: Any) -> None:
    await apply(
        bench.ports,
        UserMessage(id="m-1", source=TRACKED, actor="p", address="a", form={}, said="Help"),
    )
    assert (
        await refusal(bench.ports, "POST", f"/{TRACKED}:requestHuman", {"reason": "asked"}) is None
    )


async def test_once_it_is_linked_its_customer_waits_in_line_and_can_be_claimed(bench: Any) -> None:
    await _asks(bench, MINE)
    await _asks(bench, TRACKED)
    await link(bench.ports, TRACKED, MINE, "admin")
    assert await _queue(bench) == [MINE]
    assert await refusal(bench.ports, "POST", f"/{TRACKED}:claim", {"representative": JANE}) is None
    entries = [one.value for one in (await bench.store.journal(MINE, None, 50)).items]
    assert "claim" in [entry.kind for entry in entries]


async def test_a_full_page_of_tracked_conversations_hides_no_customer(bench: Any) -> None:
    """However many wait elsewhere, who waits here is on the first page."""
    for n in range(120):
        conversation = bench.ports.policy.newcomer(f"csku:c{n}", f"c{n}")
        await bench.store.commit(Commit((), [Snapshot(conversation, None)]))
        await apply(
            bench.ports, HumanRequested(id="r", source=f"csku:c{n}", actor="p", reason="asked")
        )
    await _asks(bench, MINE)
    assert await _queue(bench) == [MINE]
