"""A customer's place in line: asked for in their own words, counted for the same desk, and
never a scan of all.
"""

from datetime import timedelta
from typing import Any

import pytest

from shared.conversations import queue_position as line
from shared.conversations.apply import apply
from shared.conversations.queue_position import people_ahead
from shared.errors import Unavailable
from shared.handoff.notices import BUILT_IN, Notice
from shared.handoff.policy import BATONS_OWN
from shared.ports import Commit, Snapshot
from shared.schemas.conversation import Ahead, Conversation, HandoffRequest, Phase
from shared.schemas.events import HumanRequested, UserMessage
from tests.unit.use_cases.conftest import Bench

MINE = "business_messages:mine"


def waiting(
    bench: Bench, name: str, minutes: int, desk: str | None = "api", **more: Any
) -> Conversation:
    since = bench.clock.now() - timedelta(minutes=minutes)
    request = HandoffRequest(reason="asked", source=name, accepted_at=since, desk=desk)
    given = {
        "id": name,
        "address": name,
        "phase": Phase.QUEUED,
        "request": request,
        "version": 1,
        **more,
    }
    return Conversation.model_validate(given)


async def stand_in_line(bench: Bench, *conversations: Conversation) -> None:
    for one in conversations:
        await bench.store.commit(Commit((), [Snapshot(one, None)]))


async def test_who_waits_longer_for_the_same_desk_is_ahead(bench: Bench) -> None:
    mine = waiting(bench, MINE, 5)
    others = [
        waiting(bench, f"business_messages:{n}", minutes) for n, minutes in enumerate((9, 7, 3))
    ]
    elsewhere = waiting(bench, "business_messages:berlin", 8, desk="berlin")
    await stand_in_line(bench, mine, *others, elsewhere)
    assert await people_ahead(bench.ports, mine) == Ahead(people=2)


async def test_more_than_fifty_are_not_counted(bench: Bench) -> None:
    mine = waiting(bench, MINE, 1)
    await stand_in_line(
        bench, mine, *(waiting(bench, f"business_messages:{n}", 100 + n) for n in range(60))
    )
    assert await people_ahead(bench.ports, mine) == Ahead(people=50, more=True)


async def test_where_others_fill_the_line_only_the_first_pages_are_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "PAGE", 3)
    mine = waiting(bench, MINE, 1)
    many = (
        waiting(bench, f"business_messages:{n}", 100 + n, desk="berlin" if n else "api")
        for n in range(20)
    )
    await stand_in_line(bench, mine, *many)
    assert await people_ahead(bench.ports, mine) == Ahead(people=0, more=True)


def asks(text: str = "Queue?", **more: Any) -> UserMessage:
    common: dict[str, Any] = {"id": f"q-{text}", "source": MINE, "address": "mine", "actor": "test"}
    return UserMessage(form={"message": {"text": text}}, said=text, **common, **more)


async def test_a_customer_who_asks_is_answered_and_the_bot_is_not_told(bench: Bench) -> None:
    await stand_in_line(bench, waiting(bench, "business_messages:first", 9))
    await apply(
        bench.ports,
        HumanRequested(id="r1", source=MINE, address="mine", actor="test", reason="asked"),
    )
    await apply(bench.ports, asks())
    await apply(bench.ports, asks())
    (entry,) = [
        one.value for one in await bench.store.latest(MINE, 9) if one.value.kind == "user_message"
    ]
    said, told, _measured = entry.commands
    assert said.model_dump()["content"]["text"] == "You are in line. People ahead of you: 1."
    assert told.model_dump()["body"]["audience"] == ["HUMAN"]


async def test_who_does_not_wait_has_no_place_to_ask_for(bench: Bench) -> None:
    await apply(bench.ports, asks())
    (entry,) = await bench.store.latest(MINE, 9)
    assert [command.kind for command in entry.value.commands] == ["publish", "post", "record"]


async def test_where_the_line_cannot_be_read_the_words_go_to_the_bot(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise Unavailable("planned", "The store was told to fail.")

    await apply(
        bench.ports,
        HumanRequested(id="r1", source=MINE, address="mine", actor="test", reason="asked"),
    )
    monkeypatch.setattr(bench.store, "queue", broken)
    await apply(bench.ports, asks())
    (entry,) = [
        one.value for one in await bench.store.latest(MINE, 9) if one.value.kind == "user_message"
    ]
    assert entry.commands[0].model_dump()["body"]["audience"] == ["BOT", "HUMAN"]


@pytest.mark.parametrize("language", sorted(BUILT_IN))
def test_every_language_has_words_for_asking(language: str) -> None:
    for phrase in BATONS_OWN.text(Notice.PLACE_ASKED, language).split("|"):
        assert BATONS_OWN.asks_place(f" {phrase.upper()} ?", language)
    assert BATONS_OWN.asks_place("Position!", language)
    assert not BATONS_OWN.asks_place("my position on this", language)
