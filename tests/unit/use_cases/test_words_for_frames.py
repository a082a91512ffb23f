"""Where JOINED and LEFT are only texts, a text that is refused silences no participant."""

from dataclasses import replace
from typing import Any

import pydantic_core
import pytest

from shared.conversations.apply import apply
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.handoff.policy import Policy
from shared.schemas.content import Content
from shared.schemas.conversation import Capabilities
from shared.schemas.events import (
    BotMessage,
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    Undelivered,
    UserMessage,
)
from shared.schemas.notifications import HANDOFFS
from shared.schemas.representative import Representative, RepresentativeType
from tests.unit.use_cases.bot_play import ID, JANE
from tests.unit.use_cases.conftest import Bench

OTHER = "business_messages:4444"
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
ONLY_WORDS = Policy(capabilities={"business_messages": Capabilities(frames=False, labels=False)})


async def test_a_joined_that_is_refused_is_said_again_with_the_next_words(bench: Bench) -> None:
    bench.ports = replace(bench.ports, policy=ONLY_WORDS)
    await happens(bench, UserMessage, "m1", form={}, said="hi")
    await happens(bench, HumanJoined, "e1", representative=JANE)
    bench.sender.refuses = lambda call: 400 if b"joined" in call.body else None
    await happens(
        bench, HumanMessage, "h1", representative=JANE, content=Content(text="lost in the turmoil")
    )
    await deliver(bench.ports, ID)
    bench.sender.refuses = lambda _: None
    bench.sender.calls.clear()
    await happens(bench, HumanMessage, "h2", representative=JANE, content=Content(text="Hello"))
    await deliver(bench.ports, ID)
    assert [body["text"] for body in bench.sender.sent] == [
        "Jane joined the conversation.",
        "Jane: Hello",
    ]
    assert [told["type"] for told in bench.publisher.on(HANDOFFS)] == [
        "handoff.joined",
        "delivery.failed",
    ]
    assert await bench.store.pending_count(ID) == 0


# JOINED is given up: that the human has left is said only to whom has seen words of theirs.

A_DAY, LATER = 86_400, 700  # seconds; the longest pause between two tries
BACK = "has left. You are talking with our automated assistant again."


@pytest.fixture
def words(bench: Bench) -> Bench:
    bench.ports = replace(bench.ports, policy=ONLY_WORDS)
    return bench


async def tries(bench: Bench, forward: float = LATER) -> None:
    bench.clock.forward(forward)
    await deliver(bench.ports, ID)


def shown(bench: Bench) -> list[str]:
    """Returns the texts that the platform took."""
    calls = [
        call
        for call in bench.sender.calls
        if "platform.test" in call.url and not bench.sender.refuses(call)
    ]
    return [pydantic_core.from_json(call.body)["text"] for call in calls]


async def begins(bench: Bench, status: int, *names: str) -> None:
    """A customer writes, and of those who join the platform does not take the words that tell
    of it.
    """
    await happens(bench, UserMessage, "m1", form={}, said="hi")
    await tries(bench, 0)
    bench.sender.refuses = lambda call: status if b"joined" in call.body else None
    for name in names:
        await happens(bench, HumanJoined, f"j {name}", representative=named(name))


def named(name: str) -> Representative:
    return JANE.model_copy(update={"display_name": name})


@pytest.mark.parametrize("status", [503, 400], ids=["given up after a day", "refused"])
@pytest.mark.parametrize("left", ["before", "after"])
async def test_of_whom_the_customer_has_heard_nothing_it_is_not_said_that_they_left(
    words: Bench, status: int, left: str
) -> None:
    await begins(words, status, "Jane")
    await tries(words, 0)
    if left == "before":
        await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words, A_DAY)
    if left == "after":
        await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words)
    await happens(
        words, BotMessage, "b1", representative=BOT, content=Content(text="How may I help?")
    )
    await tries(words)
    assert shown(words) == ["How may I help?"]
    assert await words.store.pending_count(ID) == 0
    assert [one["type"] for one in words.publisher.on(HANDOFFS)].count("delivery.failed") == 1


@pytest.mark.parametrize("left", ["before", "after"])
async def test_who_has_seen_words_of_theirs_hears_that_they_left(words: Bench, left: str) -> None:
    await begins(words, 503, "Jane")
    await tries(words, 0)
    words.clock.forward(3600)  # so that the words are not given up with what tells of her
    await happens(words, HumanMessage, "h1", representative=JANE, content=Content(text="Hello"))
    if left == "before":
        await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words, A_DAY - 3000)
    if left == "after":
        await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words)
    assert shown(words) == ["Jane: Hello", f"Jane {BACK}"]


async def test_a_delivery_that_ends_in_between_leaves_the_next_one_as_wise(words: Bench) -> None:
    """What follows the lost words fails for now, so that the leaving is looked at by another
    delivery.
    """
    await begins(words, 503, "Jane")
    await tries(words, 0)
    words.clock.forward(3600)
    await happens(words, HumanLeft, "l1", representative=JANE)
    words.sender.refuses = lambda _: 503
    await tries(words, A_DAY - 3000)
    words.sender.refuses = lambda _: None
    words.sender.calls.clear()
    await tries(words)
    assert shown(words) == []
    assert await words.store.pending_count(ID) == 0


async def test_of_two_humans_only_the_one_leaves_of_whom_the_customer_knows(words: Bench) -> None:
    await happens(words, UserMessage, "m1", form={}, said="hi")
    await happens(words, HumanJoined, "j Sam", representative=named("Sam"))
    await tries(words, 0)
    words.sender.refuses = lambda call: 503 if b"Jane joined" in call.body else None
    await happens(words, HumanJoined, "j Jane", representative=JANE)
    await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words, A_DAY + 1)
    await happens(words, HumanLeft, "l2", representative=named("Sam"))
    await tries(words)
    assert shown(words) == ["Sam joined the conversation.", f"Sam {BACK}"]


async def test_who_left_when_the_window_was_closed_and_was_never_heard_of_is_not_said_to_have_left(
    words: Bench,
) -> None:
    windowed = Capabilities(frames=False, labels=False, window_hours=24)
    words.ports = replace(
        words.ports, policy=replace(ONLY_WORDS, capabilities={"business_messages": windowed})
    )
    await begins(words, 503, "Jane")
    await tries(words, 0)
    words.clock.forward(A_DAY)
    await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words)
    await happens(words, UserMessage, "m2", form={}, said="hello?")
    await tries(words)
    assert shown(words) == []


async def test_what_the_platform_took_and_could_not_deliver_counts_as_given_up(
    words: Bench,
) -> None:
    await happens(words, UserMessage, "m1", form={}, said="hi")
    await happens(words, HumanJoined, "j1", representative=JANE)
    await tries(words, 0)
    known = await words.store.load(ID)
    assert known is not None
    await happens(words, Undelivered, "u1", message=known.value.humans[0].frame, reason="131026")
    words.sender.calls.clear()
    await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words)
    assert shown(words) == []


async def test_a_message_that_could_not_be_delivered_is_nothing_of_that_kind(words: Bench) -> None:
    await happens(words, UserMessage, "m1", form={}, said="hi")
    await happens(words, HumanJoined, "j1", representative=JANE)
    await happens(words, Undelivered, "u1", message="my-1", reason="131026")
    await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words, 0)
    assert shown(words) == ["Jane joined the conversation.", f"Jane {BACK}"]


async def test_in_a_channel_that_was_joined_meanwhile_no_unknown_human_leaves(
    words: Bench,
) -> None:
    there = {"source": OTHER, "address": "4444"}
    await happens(words, UserMessage, "m1", form={}, said="hi", **there)
    await deliver(words.ports, OTHER)
    await happens(words, UserMessage, "m2", form={}, said="hi")
    await tries(words, 0)
    await link(words.ports, OTHER, ID, "admin")
    await happens(words, UserMessage, "m3", form={}, said="hi", **there)
    words.sender.refuses = lambda call: 503 if b"joined" in call.body else None
    await happens(words, HumanJoined, "j1", representative=JANE)
    await happens(words, HumanLeft, "l1", representative=JANE)
    await tries(words, 0)
    assert any(b"joined" in call.body and "4444" in call.url for call in words.sender.calls)
    await tries(words, A_DAY + 1)
    assert shown(words) == []


async def happens(bench: Bench, kind: type[Event], event_id: str, **more: Any) -> None:
    event = kind.model_validate(
        {"id": event_id, "source": ID, "address": "3333", "actor": "test", **more}
    )
    await apply(bench.ports, event)
