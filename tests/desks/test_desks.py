"""The contract of a desk: what holds whatever the vendor does, on every desk that Baton calls.

The judge is what the desk's people see, what the customer was shown, and what the team was told.
"""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.conversations.desk_people import KNOWN_FOR
from shared.customers.desk_chats import erase_threads
from shared.customers.erase import erase
from shared.desks.work import HINTS
from shared.errors import Unavailable
from shared.ports import Sender
from shared.schemas.conversation import Phase
from shared.schemas.desk_kinds import DESK_KINDS, Way
from shared.schemas.events import Claim
from shared.schemas.http import Answer, Call
from tests.desks.registry import SIMULATORS
from tests.desks.simulator import JANE, TOM, Act, Deletes, OffersToWait, Refusal, Renames
from tests.desks.world import ID, Fault, World, world_of
from tests.soak import SOAKS

KINDS = sorted(SIMULATORS)
CHATS = [kind for kind in KINDS if DESK_KINDS[kind].way is Way.OPENS_CHATS]
THREADS = [kind for kind in CHATS if (able := DESK_KINDS[kind]).is_thread and not able.membership]
TEAM = {"representativeType": "HUMAN", "displayName": "Ada"}
LOSSES = (Fault.LOST, Fault.ANSWER_LOST, Fault.ERROR_AFTER)

Worlds = Callable[..., Any]


@pytest.fixture
def worlds(tmp_path: Path) -> Worlds:
    numbers = itertools.count()

    @asynccontextmanager
    async def worlds(kind: str, **row: Any) -> AsyncIterator[World]:
        store = str(tmp_path / f"{next(numbers)}.sqlite")
        async with world_of(SIMULATORS[kind](), store, row) as world:
            yield world

    return worlds


def every(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", kinds)


def that(act: Act) -> pytest.MarkDecorator:
    return every(*(kind for kind in KINDS if act in SIMULATORS[kind].acts))


def test_every_desk_that_baton_calls_keeps_the_contract() -> None:
    assert set(SIMULATORS) == {name for name, kind in DESK_KINDS.items() if kind.way.must_be_called}


# What the desk's people do.


@every(*KINDS)
async def test_words_of_the_desks_people_reach_the_customer_in_a_frame(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        await world.desk.say(chat, JANE, "Hello, I am Jane")
        await world.desk.say(chat, JANE, "How can I help?")
        await world.settle()
        assert world.framed("Hello, I am Jane", "How can I help?") == [
            "JOINED",
            "Hello, I am Jane",
            "How can I help?",
        ]
        assert await world.phase() is Phase.HUMAN
        assert "handoff.joined" in world.told


@that(Act.JOIN)
async def test_who_joins_and_leaves_opens_and_closes_a_frame(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        await world.desk.join(chat, JANE)
        await world.settle()
        assert world.framed() == ["JOINED"]
        await world.desk.say(chat, JANE, "Hello")
        await world.desk.leave(chat, JANE)
        await world.settle()
        assert world.framed("Hello") == ["JOINED", "Hello", "LEFT"]
        assert await world.phase() is Phase.BOT


@that(Act.LEAVE)
async def test_two_people_of_one_chat_have_a_frame_each(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        for who in (JANE, TOM):
            await world.desk.join(chat, who)
            await world.desk.say(chat, who, f"I am {who}")
        await world.desk.leave(chat, JANE)
        await world.settle()
        assert await world.phase() is Phase.HUMAN
        assert world.framed("I am Jane", "I am Tom") == [
            "JOINED",
            "I am Jane",
            "JOINED",
            "I am Tom",
            "LEFT",
        ]


@every(*THREADS)
async def test_where_people_must_claim_first_their_words_wait_for_nothing(
    worlds: Worlds, kind: str
) -> None:
    """Words from before the claim never reach the customer, and the thread says so."""
    async with worlds(kind, claim="first") as world:
        chat = await world.hands_over()
        await world.desk.say(chat, JANE, "Is anybody on this?")
        await world.settle()
        assert world.framed("Is anybody on this?") == []
        assert await world.phase() is Phase.QUEUED
        assert HINTS["claim-first"] in await world.desk.everything()
        await world.desk.join(chat, JANE)
        await world.desk.say(chat, JANE, "Hello")
        await world.settle()
        assert world.framed("Is anybody on this?", "Hello") == ["JOINED", "Hello"]


@every(*KINDS)
@pytest.mark.parametrize("late", [False, True], ids=["at-once", "late"])
async def test_a_webhook_that_comes_twice_or_late_acts_once(
    worlds: Worlds, kind: str, late: bool
) -> None:
    async with worlds(kind) as world:
        world.webhooks.times = 2
        chat = await world.hands_over()
        if late:
            world.webhooks.hold()
        await world.desk.say(chat, JANE, "Hello")
        await world.deliver()
        world.webhooks.release()
        await world.settle()
        assert world.framed("Hello") == ["JOINED", "Hello"]
        assert set(world.webhooks.statuses) == {200}


@every(*KINDS)
async def test_what_is_genuine_and_unknown_is_taken_and_changes_nothing(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind) as world:
        await world.hands_over()
        before, told = world.shown, world.told
        assert await world.posts(world.desk.strange()) == 200
        await world.settle()
        assert (world.shown, world.told) == (before, told)


@every(*KINDS)
async def test_what_is_not_genuine_is_refused(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        assert await world.posts(world.desk.strange(genuine=False)) in (401, 403)


# One chat for each handoff, whatever becomes of a call.


async def calls_of_a_handoff(worlds: Worlds, kind: str, fault: Fault) -> list[int]:
    """Returns the numbers of the calls that fail in turn. The gate fails each call once, and has
    each fault once, where a soak fails each call in every way.
    """
    async with worlds(kind) as world:
        await world.hands_over()
        count, place = len(world.wire.calls), list(Fault).index(fault)
    own = {place % count, *(one for one in range(count) if one % len(Fault) == place)}
    return sorted(range(count) if SOAKS else own)


@pytest.mark.soak
@every(*KINDS)
@pytest.mark.parametrize("fault", Fault)
async def test_a_handoff_makes_one_chat_at_most_whatever_becomes_of_a_call(
    worlds: Worlds, kind: str, fault: Fault
) -> None:
    for number in await calls_of_a_handoff(worlds, kind, fault):
        async with worlds(kind) as world:
            world.wire.faults[number] = fault
            await world.asks_for_a_person()
            await world.settle()
            chats, phase = await world.desk.chats(), await world.phase()
            assert len(chats) <= 1, f"call {number}"
            if phase is Phase.QUEUED:
                assert chats, f"call {number}"
                assert await world.desk.is_open(chats[0])
            else:
                assert "handoff.failed" in world.told, f"call {number}"
                assert world.shown, f"call {number}: the customer was not told"


@pytest.mark.soak
@every(*KINDS)
async def test_a_process_that_ends_after_a_call_makes_no_second_chat(
    worlds: Worlds, kind: str
) -> None:
    for number in await calls_of_a_handoff(worlds, kind, Fault.ANSWER_LOST):
        async with worlds(kind) as world:
            world.wire.ends_at = number
            await world.asks_for_a_person()
            await world.settle()
            assert len(await world.desk.chats()) <= 1, f"call {number}"
            if await world.phase() is not Phase.QUEUED:
                assert await world.open_chats() == [], f"call {number}"
                assert "handoff.failed" in world.told


@every(*CHATS)
async def test_words_of_a_process_that_ends_come_once_where_the_desk_knows_their_id(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        world.wire.ends_at = len(world.wire.calls)
        await world.customer("one", "two")
        await world.settle()
        seen = list(await world.desk.words(chat))
        assert seen == ["one", "two"]
        assert DESK_KINDS[kind].idempotent or "delivery.failed" in world.told


@every(*CHATS)
async def test_an_erased_customers_chat_is_closed(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        await world.customer("my secret")
        await world.settle()
        await erase(world.ports, ID, "test")
        await world.settle()
        assert not await world.desk.is_open(chat)


@every(*(kind for kind in CHATS if DESK_KINDS[kind].is_thread))
async def test_an_erase_of_a_long_conversation_takes_several_requests_and_leaves_nothing(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        await world.customer(*(f"my secret {number}" for number in range(12)))
        await world.settle()
        asked = 0
        for _ in range(12):
            before = len(world.wire.calls)
            try:
                await erase_threads(world.ports, ID, most=9)
                break
            except Unavailable as refused:
                assert refused.reason == "desk-erasing"
                asked += 1
            assert sum(call.method != "GET" for call in world.wire.calls[before:]) == 9
        assert asked
        assert list(await world.desk.words(chat)) == []
        assert "secret" not in await world.desk.everything()
        await erase(world.ports, ID, "test")


# https://docs.slack.dev/reference/methods/chat.delete/, and Matrix's and Google's errors
REFUSALS = {
    "slack": Answer(200, b'{"ok": false, "error": "compliance_exports_prevent_deletion"}'),
    "matrix": Answer(403, b'{"errcode": "M_FORBIDDEN", "error": "not allowed"}'),
    "google_chat": Answer(403, b'{"error": {"code": 403, "status": "PERMISSION_DENIED"}}'),
}


class Refusing:
    """A sender to a desk that lets nothing be changed."""

    def __init__(self, inner: Sender, refusal: Answer) -> None:
        self._inner, self._refusal = inner, refusal

    async def send(self, call: Call) -> Answer | None:
        return await self._inner.send(call) if call.method == "GET" else self._refusal


@every(*REFUSALS)
async def test_a_desk_that_lets_nothing_be_deleted_holds_up_no_erase(
    worlds: Worlds, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with worlds(kind) as world:
        await world.hands_over()
        await world.customer(*(f"my secret {number}" for number in range(12)))
        await world.settle()
        sender = Refusing(world.ports.sender, REFUSALS[kind])
        await erase_threads(replace(world.ports, sender=sender), ID, most=5)
        lines = capsys.readouterr().out
        assert "could not be deleted; delete it there" in lines or "cannot be erased" in lines


@pytest.mark.soak
@every(*CHATS)
@pytest.mark.parametrize("fault", LOSSES)
async def test_a_webhook_that_is_late_as_well_makes_no_second_chat(
    worlds: Worlds, kind: str, fault: Fault
) -> None:
    for number in await calls_of_a_handoff(worlds, kind, fault):
        async with worlds(kind) as world:
            world.wire.faults[number] = fault
            world.webhooks.hold()
            await world.asks_for_a_person()
            await world.deliver()
            await world.passes(60)
            world.webhooks.release()
            await world.settle()
            assert len(await world.desk.chats()) <= 1, f"call {number}"
            if await world.phase() is not Phase.QUEUED:
                assert await world.open_chats() == [], f"call {number}"


@pytest.mark.soak
@every(*KINDS)
async def test_too_many_calls_are_tried_again_when_the_desk_says(worlds: Worlds, kind: str) -> None:
    for number in await calls_of_a_handoff(worlds, kind, Fault.TOO_MANY):
        async with worlds(kind) as world:
            world.wire.faults[number] = world.desk.refusal(Refusal.TOO_MANY, seconds=20)
            await world.asks_for_a_person()
            await world.settle()
            first, then = world.wire.at[number : number + 2]
            assert then - first >= timedelta(seconds=20), f"call {number}"
            assert len(await world.open_chats()) == 1


@every(*KINDS)
async def test_refused_credentials_wait_and_then_tell_everybody(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        world.wire.always = Refusal.CREDENTIALS
        await world.asks_for_a_person()
        await world.deliver()
        await world.passes(15 * 60)
        assert await world.desk.chats() == []
        assert await world.phase() is Phase.BOT
        assert "handoff.failed" in world.told
        assert world.shown


@every(*KINDS)
async def test_renewed_credentials_open_the_chat(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        world.wire.always = Refusal.CREDENTIALS
        await world.asks_for_a_person()
        await world.deliver()
        await world.passes(30)
        world.wire.always = None
        await world.settle()
        assert len(await world.open_chats()) == 1


# The customer's words.


@every(*CHATS)
async def test_the_desk_sees_what_was_said_before_and_then_every_word_in_order(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind) as world:
        await world.customer("My parcel is late")
        await world.bot("Which number?")
        chat = await world.hands_over()
        everything = await world.desk.everything()
        for text in ("My parcel is late", "Which number?", "I need a person", "billing"):
            assert text in everything
        said = ["It is 42", "<b>a & b</b> *c* _d_ @everyone", "two\nlines", "Ω 🚚", "It is 42"]
        await world.customer(*said)
        await world.settle()
        assert list(await world.desk.words(chat)) == said


@every(*CHATS)
async def test_words_that_come_before_the_chat_follow_it(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        world.wire.faults[0] = Fault.TOO_MANY
        await world.asks_for_a_person()
        await world.customer("one", "two", "three")
        await world.settle()
        (chat,) = await world.desk.chats()
        assert list(await world.desk.words(chat)) == ["one", "two", "three"]


@every(*CHATS)
@pytest.mark.parametrize("fault", Fault)
async def test_words_arrive_once_where_the_desk_knows_their_id_and_else_at_most_once(
    worlds: Worlds, kind: str, fault: Fault
) -> None:
    said = ["one", "two", "three"]
    async with worlds(kind) as world:
        chat = await world.hands_over()
        world.wire.faults[len(world.wire.calls) + 1] = fault
        await world.customer(*said)
        await world.settle()
        seen = list(await world.desk.words(chat))
        if DESK_KINDS[kind].idempotent or fault in (Fault.UNREACHABLE, Fault.TOO_MANY):
            assert seen == said
        else:
            assert seen in (said, ["one", "three"])
            assert seen == said or "delivery.failed" in world.told


@every(*CHATS)
async def test_hidden_words_never_arrive(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        until = (world.clock.now() + timedelta(minutes=5)).isoformat()
        hidden = {"key": "pin", "audiences": (), "until": until}
        await world.captures(**hidden)
        await world.customer("my pin is 4711")
        chat = await world.hands_over()
        await world.captures(**hidden)
        await world.customer("my pin is 4711", "and more")
        await world.settle()
        assert "4711" not in await world.desk.everything()
        assert (await world.desk.words(chat))[-1] == "and more"
        assert b"4711" not in b"".join(call.body for call in world.wire.calls)


@every(*CHATS)
async def test_what_baton_wrote_itself_does_not_come_back(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        await world.hands_over()
        before = world.shown
        await world.customer("one", "two")
        await world.settle()
        assert world.shown == before
        assert await world.phase() is Phase.QUEUED


# The end.


@that(Act.END)
@pytest.mark.parametrize("joined", [False, True], ids=["waiting", "joined"])
async def test_a_chat_that_is_over_ends_the_handoff(
    worlds: Worlds, kind: str, joined: bool
) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        before = len(world.shown)
        if joined:
            await world.desk.join(chat, JANE)
            await world.settle()
        await world.desk.end(chat)
        await world.settle()
        assert await world.phase() is Phase.BOT
        assert world.framed() == (["JOINED", "LEFT"] if joined else [])
        assert ("handoff.ended" if joined else "handoff.failed") in world.told
        assert len(world.shown) > before


@that(Act.END)
async def test_words_to_a_chat_that_is_over_end_the_handoff(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        world.webhooks.hold()
        await world.desk.end(chat)
        await world.customer("are you there?")
        await world.deliver()
        assert await world.phase() is Phase.BOT
        assert "handoff.failed" in world.told


@that(Act.DECLINE)
async def test_nobody_available_tells_the_customer_and_the_team(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        chat = await world.hands_over()
        before = len(world.shown)
        await world.desk.decline(chat)
        await world.settle()
        assert await world.phase() is Phase.BOT
        assert world.told.count("handoff.failed") == 1
        assert len(world.shown) == before + 1
        assert await world.open_chats() == []


@that(Act.DELETE)
async def test_who_deletes_what_the_customer_has_hears_that_they_have_it(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind) as world:
        chat, desk = await world.hands_over(), world.desk
        assert isinstance(desk, Deletes)
        world.webhooks.times = 2
        await desk.say(chat, JANE, "Your card is 4711")
        await world.settle()
        shown = world.shown
        await desk.delete(chat, "Your card is 4711")
        await world.settle()
        assert (await desk.everything()).count(HINTS["deleted"]) == 1
        assert world.shown == shown


@every(*THREADS)
async def test_a_note_among_colleagues_may_be_deleted_without_a_word(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind, claim="first") as world:
        chat, desk = await world.hands_over(), world.desk
        assert isinstance(desk, Deletes)
        await desk.say(chat, JANE, "Who takes this?")
        await world.settle()
        await desk.delete(chat, "Who takes this?")
        await world.settle()
        assert HINTS["deleted"] not in await desk.everything()


@that(Act.RENAME)
async def test_somebody_who_takes_another_name_is_the_same_person(
    worlds: Worlds, kind: str
) -> None:
    """The customer knows them by the name under which they have joined."""
    async with worlds(kind) as world:
        chat, desk = await world.hands_over(), world.desk
        assert isinstance(desk, Renames)
        await desk.join(chat, JANE)
        await desk.say(chat, JANE, "Hello")
        await world.settle()
        await desk.rename(JANE, "Jane (on call)")
        world.clock.forward(KNOWN_FOR.total_seconds() + 1)
        await desk.say(chat, JANE, "I am back")
        await world.settle()
        assert world.framed("Hello", "I am back") == ["JOINED", "Hello", "I am back"]
        await desk.leave(chat, JANE)
        await world.settle()
        assert world.framed("Hello", "I am back")[-1] == "LEFT"
        assert await world.phase() is Phase.BOT


@that(Act.RENAME)
async def test_two_people_of_one_name_are_two(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        chat, desk = await world.hands_over(), world.desk
        assert isinstance(desk, Renames)
        await desk.rename(TOM, JANE)
        for who in (JANE, TOM):
            await desk.join(chat, who)
            await desk.say(chat, who, f"I am number {len(who)}")
        await desk.leave(chat, JANE)
        await desk.say(chat, TOM, "I am still here")
        await world.settle()
        words = ("I am number 4", "I am number 3", "I am still here")
        assert world.framed(*words) == ["JOINED", words[0], "JOINED", words[1], "LEFT", words[2]]
        assert await world.phase() is Phase.HUMAN


@that(Act.OFFER_TO_WAIT)
async def test_a_full_desk_that_offers_it_lets_the_customer_wait(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        chat, desk = await world.hands_over(), world.desk
        assert isinstance(desk, OffersToWait)
        before = world.shown
        await desk.offer_to_wait(chat)
        await world.settle()
        assert await desk.keeps_waiting(chat)
        assert await world.phase() is Phase.QUEUED
        assert world.shown == before
        await world.desk.join(chat, JANE)
        await world.settle()
        assert world.framed() == ["JOINED"]


@that(Act.OFFER_TO_WAIT)
async def test_a_full_desk_that_takes_its_offer_back_fails_the_handoff(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind) as world:
        chat, desk = await world.hands_over(), world.desk
        assert isinstance(desk, OffersToWait)
        for number in (0, 1):
            world.wire.faults[len(world.wire.calls) + number] = Answer(422, b"{}")
        await desk.offer_to_wait(chat)
        await world.settle()
        assert await world.phase() is Phase.BOT
        assert world.told.count("handoff.failed") == 1
        assert await world.open_chats() == []


@that(Act.OFFER_TO_WAIT)
async def test_an_offer_to_wait_that_comes_before_the_chat_is_known_is_taken(
    worlds: Worlds, kind: str
) -> None:
    async with worlds(kind) as world:
        desk = world.desk
        assert isinstance(desk, OffersToWait)

        async def offers() -> None:
            await desk.offer_to_wait((await desk.chats())[0])

        world.wire.made = offers
        chat = await world.hands_over()
        assert await world.phase() is Phase.QUEUED
        assert await desk.keeps_waiting(chat)


@every(*CHATS)
@pytest.mark.parametrize("fault", Fault)
async def test_a_chat_that_is_not_needed_any_more_is_closed(
    worlds: Worlds, kind: str, fault: Fault
) -> None:
    async with worlds(kind) as world:
        await world.hands_over()
        world.wire.faults[len(world.wire.calls)] = fault
        await world.happens(Claim, representative=TEAM)
        await world.settle()
        assert await world.open_chats() == []
        assert "delivery.failed" not in world.told


@that(Act.LEAVE)
async def test_the_next_handoff_has_a_chat_of_its_own(worlds: Worlds, kind: str) -> None:
    async with worlds(kind) as world:
        first = await world.hands_over()
        await world.desk.join(first, JANE)
        await world.desk.leave(first, JANE)
        await world.settle()
        await world.asks_for_a_person()
        await world.settle()
        (second,) = await world.open_chats()
        assert second != first
        await world.customer("again")
        await world.settle()
        assert list(await world.desk.words(second)) == ["again"]
