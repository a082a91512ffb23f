"""One event, one commit: load, decide, write the journal entry and the conversation under
compare-and-set.

load ──> decide ──> commit ──────────────> done
 ^                    │ a precondition failed: it does not say which, so read the journal entry
 │                    ├─ absent            another writer was first: decide again on its result
 └──── jitter <───────┘
                      ├─ ours (nonce)      our own commit, whose answer was lost
                      └─ of another writer a duplicate
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from shared.conversations.contention import until_uncontended
from shared.conversations.desk_people import as_known_here
from shared.conversations.earlier_messages import readers_of, with_earlier
from shared.conversations.entries import entries_of, markers_of, new_entry
from shared.conversations.held_messages import Entries, settled, with_held
from shared.conversations.own_acts import with_own_act
from shared.conversations.queue_position import with_place
from shared.conversations.resolve import Place, place_of, where_it_acts
from shared.conversations.room import (
    AT_CAPACITY,
    Seen,
    as_seen,
    healed,
    with_person,
    written,
)
from shared.conversations.too_large import smaller
from shared.errors import BatonError, TooLarge, TooMany, Unavailable
from shared.handoff.guards import asks_for_held, asks_for_own_act, asks_for_place
from shared.handoff.machine import Decision, decide
from shared.logs import Severity, log
from shared.ports import Commit, Hand, Ports, PreconditionFailed, Snapshot
from shared.schemas.commands import Command
from shared.schemas.conversation import Conversation, Holder
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import ByCustomer, ByRepresentative, Event, TakesRoom, Unknown
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.notation import entry_id, platform_of
from shared.schemas.notifications import OUTBOX, WakeUp
from shared.schemas.own_events import PersonGone
from shared.values import frozen

OUTBOX_LIMIT = 500
# after a commit that took longer, delivery may have looked for its version in vain
EARLY_SECONDS = 1.0
AT_ONCE = 20  # customers of one batch
# where the store hangs, the waiting events must not hang one after another
LONGEST_WAIT_SECONDS = 0.5

_CONCERNS_A_PERSON = TakesRoom | PersonGone


class _Turn(asyncio.Lock):
    """`users` is the number of those who have it or wait for it."""

    users = 0


_TURNS: dict[str, _Turn] = {}  # only those that have users


@frozen
class Applied:
    """How an event ended. `duplicate` is the entry that it had before. `conversation` is where it
    acted. `emits` is whether there may be commands to deliver, `commands` are those of this event.
    `in_hand`: the present request delivers of them what it can. `woken`: a wake-up was published
    beside the commit.
    """

    conversation: Conversation
    verdict: Verdict
    refusal: BatonError | None = None
    duplicate: JournalEntry | None = None
    emits: bool = True
    commands: tuple[Command, ...] = ()
    in_hand: bool = False
    woken: bool = False


@frozen
class Delivery:
    """How the commands of the present request are delivered: by its `hand`, if it has one. What is
    left to others is woken after the request, or with `wakes_early` beside the commit.
    """

    hand: Hand | None = None
    wakes_early: bool = False


BY_OTHERS = Delivery()


async def apply(
    ports: Ports,
    event: Event,
    *,
    limit: int | None = OUTBOX_LIMIT,
    delivery: Delivery = BY_OTHERS,
) -> Applied:
    """Returns the result of `event`. It changes the state at most once, however often it is
    applied. What was only heard before, and now comes to Baton, changes it once more.

    Raises NotFound for a request about an unseen conversation. Raises Contended or Unavailable
    where the caller should send it again. Where more than `limit` entries wait for delivery, raises
    TooMany for a request and Unavailable `outbox-full` for a fact.
    """
    applied = await _apply(ports, event, limit, delivery)
    known = applied.duplicate
    if known is None or not known.heard or event.floor is not Holder.OURS:
        return applied
    again = event.model_copy(update={"heard_by": readers_of(known)})
    return await _apply(ports, again, limit, delivery)


async def _apply(ports: Ports, event: Event, limit: int | None, delivery: Delivery) -> Applied:
    nonce = secrets.token_hex(16)
    async with in_turn(_customer(ports, event)):
        began = asyncio.get_running_loop().time()
        try:
            return await _attempt(ports, event, nonce, limit, delivery, fresh=False)
        except PreconditionFailed:
            # others write it, so the next commit may be refused as well
            later = replace(delivery, wakes_early=False)
            # a store that was slow to refuse has used up the sender's patience
            return await until_uncontended(
                lambda: _attempt(ports, event, nonce, limit, later, fresh=True), since=began
            )


class in_turn:
    """Waits for this conversation's turn, so that an instance has no conflicts with itself. After
    LONGEST_WAIT_SECONDS it goes ahead without one.
    """

    def __init__(self, conversation: str) -> None:
        self._conversation = conversation

    async def __aenter__(self) -> None:
        turn = _TURNS.get(self._conversation)
        if turn is None:  # no other event has it or waits for it, so no timer is needed
            turn = _TURNS[self._conversation] = _Turn()
            turn.users = 1
            self._is_mine: bool = await turn.acquire()
        else:
            turn.users += 1
            try:
                self._is_mine = await _acquired(turn)
            except BaseException:
                self._leave(turn)
                raise
        self._turn = turn

    async def __aexit__(self, *_: object) -> None:
        self._leave(self._turn)
        if self._is_mine:
            self._turn.release()

    def _leave(self, turn: _Turn) -> None:
        turn.users -= 1
        if not turn.users:
            del _TURNS[self._conversation]


async def _acquired(lock: asyncio.Lock) -> bool:
    try:
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            return await lock.acquire()
    except TimeoutError:
        return False


def _customer(ports: Ports, event: Event) -> str:
    """Returns the same text for events of one customer, as far as this instance knows them."""
    for one in event.names:
        copy = ports.store.copy_called(one.id)
        if copy is not None:
            return copy.value.id
    return event.source


async def _attempt(
    ports: Ports,
    event: Event,
    nonce: str,
    limit: int | None,
    delivery: Delivery,
    *,
    fresh: bool,
) -> Applied:
    place = await place_of(ports, event, nonce, fresh)
    if place is None:
        return Applied(
            ports.policy.newcomer(event.source, event.source), Verdict.IGNORED, emits=False
        )
    event, snapshot = place.event, place.snapshot
    if isinstance(event, ByRepresentative):
        event = as_known_here(snapshot.value, event)
    conversation = snapshot.value
    if limit is not None and conversation.version - conversation.outbox_base >= limit:
        conversation = await _with_room(ports, conversation, event, limit)
    if asks_for_place(conversation, event, ports.policy):
        event = await with_place(ports, conversation, event)
    if asks_for_own_act(conversation, event):
        event = await with_own_act(ports, conversation, event)
    if isinstance(event, ByCustomer) and event.about is not None:
        event = await with_earlier(ports, conversation, event, event.about)
    held: Entries = ()
    if asks_for_held(conversation, event):
        event, held = await with_held(ports, conversation, event)
    person: Seen = None
    if isinstance(event, _CONCERNS_A_PERSON):
        event, person = await with_person(ports, event)
        if isinstance(event, PersonGone) and not _is_gone(ports, event, person):
            return Applied(conversation, Verdict.IGNORED, emits=False)
    decision = _decided(ports, event, conversation)
    if decision.reason == AT_CAPACITY and person is not None:
        person = await healed(ports, person, where_it_acts)
        event = as_seen(ports, event, person)
        decision = _decided(ports, event, conversation)
    if decision.refusal is not None:
        known = await _any_of(ports, _records(event, conversation, ports))
        if known is not None:
            return Applied(conversation, known.value.verdict, duplicate=known.value)
    seen = Snapshot(conversation, snapshot.token)
    here = Place(event, seen, place.beside, place.learns, held, person)
    try:
        return await _write(ports, here, decision, nonce, delivery)
    except TooLarge:
        if not event.fact:
            raise
    return await _write_less(ports, here, nonce, delivery)


def _is_gone(ports: Ports, event: PersonGone, person: Seen) -> bool:
    """Returns whether the person still is gone, and still has that slot: who opened a page again
    before the commit keeps what they hold.
    """
    if person is None or event.slot not in person.value.slots:
        return False
    return person.value.is_gone(ports.clock.now())


async def _write_less(ports: Ports, place: Place, nonce: str, delivery: Delivery) -> Applied:
    """Cuts a fact that is too large for a record. A refusal would only make its platform send it
    again.
    """
    event, known = place.event, place.snapshot.value
    for less in smaller(event):
        with contextlib.suppress(TooLarge):
            cut, follows = replace(place, event=less), _decided(ports, less, known)
            applied = await _write(ports, cut, follows, nonce, delivery)
            if applied.duplicate is None:
                _log_too_large("WARNING", "a fact was too large to store and was cut", event)
            return applied
    _log_too_large("ERROR", "a fact is too large to store; it is noted and nothing follows", event)
    cut, follows = replace(place, event=less), _quarantined(known, "too-large-to-store")
    return await _write(ports, cut, follows, nonce, delivery)


async def _write(
    ports: Ports, place: Place, decision: Decision, nonce: str, delivery: Delivery
) -> Applied:
    event, snapshot, beside = place.event, place.snapshot, place.beside
    entries = entries_of(ports, event, decision, nonce)
    alone = not (beside.entries or beside.updates or place.held)
    entry, hand = entries[0], delivery.hand if alone and decision.commands else None
    stored = entry if hand is None else await hand.take(snapshot.value, entry)
    joined = {one.line for one in entry.pending}
    conversation = decision.conversation.with_line_ends(snapshot.value, joined, alone=alone)
    emits = bool(decision.commands) or not alone
    in_hand = woken = False
    waking: _EarlyWakeUp | None = None
    known: Snapshot[JournalEntry] | None = None
    # a timer is fired on what was committed, so its wake-up may not come before its commit
    is_early = delivery.wakes_early and stored is entry and emits
    if is_early and not _looks_for_a_person(ports, conversation):
        waking = _EarlyWakeUp(ports, conversation)
    try:
        created = await ports.store.commit(
            Commit(
                [stored, *entries[1:], *beside.entries],
                [Snapshot(conversation, snapshot.token), *beside.conversations],
                [*beside.updates, *(settled(place.held, decision.ended) if place.held else ())],
                [] if place.person is None else written(ports, event, decision, place.person),
            )
        )
        if hand is not None:
            in_hand = hand.keep(entry, created.entries[0].token)
        if waking is not None:
            woken = waking.is_in_time
        _log_first_response(snapshot.value, conversation)
        _log_last_turn(snapshot.value, conversation)
    except PreconditionFailed:
        known = await _any_of(
            ports,
            [
                (entry.conversation, entry.id)
                for entry in entries
                if entry.conversation == event.source or entry.marker
            ],
        )
        if known is None:
            raise
    finally:
        if waking is not None:
            await waking.task
    if known is not None:
        if known.value.nonce != nonce:
            await _learn(ports, place, nonce)
            return Applied(snapshot.value, known.value.verdict, duplicate=known.value)
        if hand is not None and known.value.id == entry.id:
            in_hand = hand.keep(entry, known.token)
    return Applied(
        conversation,
        decision.verdict,
        decision.refusal,
        emits=emits,
        commands=decision.commands,
        in_hand=in_hand,
        woken=woken,
    )


class _EarlyWakeUp:
    """A wake-up that is published beside the commit: the ack waits for the longer of the two."""

    def __init__(self, ports: Ports, conversation: Conversation) -> None:
        self._loop = asyncio.get_running_loop()
        self._late_at = self._loop.time() + EARLY_SECONDS
        publishing = wake(ports, conversation.id, version=conversation.version)
        self.task = asyncio.create_task(publishing)

    @property
    def is_in_time(self) -> bool:
        """Returns whether delivery still looks for the version, if it has not found it yet."""
        return self._loop.time() < self._late_at


def _records(event: Event, conversation: Conversation, ports: Ports) -> list[tuple[str, str]]:
    """Returns the records that the event has if it was taken before, by any name of its
    customer.
    """
    formers = markers_of(event, conversation, ports.clock.now())
    return [(event.source, event.entry_id), *formers]


async def _learn(ports: Ports, place: Place, nonce: str) -> None:
    """Commits what the names of a duplicate tell: no other webhook may tell it."""
    if not place.learns or place.snapshot.token is None:
        return
    known = place.snapshot.value
    after = known.model_copy(update={"version": known.version + 1})
    entry = new_entry(
        ports,
        entry_id(known.id, "names", nonce),
        known.id,
        "names",
        seq=after.version,
        actor="system",
        nonce=nonce,
    )
    await ports.store.commit(
        Commit(
            [entry, *place.beside.entries],
            [Snapshot(after, place.snapshot.token), *place.beside.conversations],
            place.beside.updates,
        )
    )


def _log_too_large(severity: Severity, message: str, event: Event) -> None:
    log(severity, message, conversation=event.source, platform=platform_of(event.source))


def _log_first_response(before: Conversation, after: Conversation) -> None:
    """Logs how long a customer waited for a human's first message; a metric reads it."""
    seconds = after.first_response_seconds
    if seconds is not None and before.first_response_seconds is None:
        log("INFO", "first human response", conversation=after.id, first_response_seconds=seconds)


def _log_last_turn(before: Conversation, after: Conversation) -> None:
    """Logs once that the bot and another robot seem to answer each other."""
    if (
        after.bot_run is not None
        and after.bot_run.is_last
        and not (before.bot_run and before.bot_run.is_last)
    ):
        log(
            "WARNING",
            "a bot and a robot answer each other; the bot is silent for now",
            conversation=after.id,
        )


async def _any_of(
    ports: Ports, entries: Sequence[tuple[str, str]]
) -> Snapshot[JournalEntry] | None:
    """Returns the first of these entries that is already stored."""
    for conversation, entry in entries:
        known = await ports.store.entry(conversation, entry)
        if known is not None:
            return known
    return None


def _decided(ports: Ports, event: Event, conversation: Conversation) -> Decision:
    """Returns what follows from the event: nothing where the platform's file could not read it and
    has alarmed.
    """
    if isinstance(event, Unknown) and event.fault is not None:
        return _quarantined(conversation, "cannot-be-read")
    return decide(conversation, event, ports.clock.now(), ports.policy)


def _quarantined(conversation: Conversation, reason: str) -> Decision:
    unchanged = conversation.model_copy(update={"version": conversation.version + 1})
    return Decision(unchanged, (), Verdict.QUARANTINED, reason)


async def _with_room(
    ports: Ports, conversation: Conversation, event: Event, limit: int
) -> Conversation:
    """Counts the pending entries. That is a read, so it is done only where the versions allow for
    too many.
    """
    pending = await ports.store.pending_count(conversation.id)
    if pending >= limit:
        full = (
            "outbox-full",
            f"{pending} entries wait for delivery in this conversation; send it again later.",
        )
        raise Unavailable(*full) if event.fact else TooMany(*full)
    return conversation.model_copy(update={"outbox_base": conversation.version - pending})


class Batch:
    """Events that are applied one after another; at the end of the block each conversation for
    which one of them has something to deliver is delivered here, where this function may do so, or
    else woken once, also where the block ends in an error.

    A duplicate wakes its conversation as well: the first wake-up may be lost. Where there is one
    event, what is not delivered here is woken beside its commit, if the queue allows it.

        async with Batch(ports) as batch:
            for event in events:
                await batch.apply(event)
    """

    def __init__(self, ports: Ports, *, alone: bool = False) -> None:
        self._hand = ports.in_place.hand(ports) if ports.in_place else None
        self._delivery = Delivery(self._hand, alone and ports.early_wake_ups)
        self.ports = ports
        self._touched: dict[str, bool] = {}  # and whether a wake-up is needed in any case
        self._assigned: set[str] = set()  # whose timer `assign` is to fire at once

    async def __aenter__(self) -> "Batch":
        return self

    async def __aexit__(self, *_: object) -> None:
        done = await self._hand.deliver() if self._hand else ()
        left = [one for one, needed in self._touched.items() if needed or one not in done]
        wakes = [wake(self.ports, one, timers=one in self._assigned) for one in left]
        if len(wakes) == 1:
            await wakes[0]
        elif wakes:
            await asyncio.gather(*wakes)

    async def apply(self, event: Event, *, limit: int | None = OUTBOX_LIMIT) -> Applied:
        """Returns what became of the event; raises as `apply` does."""
        applied = await apply(self.ports, event, limit=limit, delivery=self._delivery)
        if applied.emits and not applied.woken:
            needed = self._touched.get(applied.conversation.id, False)
            self._touched[applied.conversation.id] = needed or not applied.in_hand
        if applied.duplicate is None and _looks_for_a_person(self.ports, applied.conversation):
            self._touched[applied.conversation.id] = True
            self._assigned.add(applied.conversation.id)
        return applied


def _looks_for_a_person(ports: Ports, conversation: Conversation) -> bool:
    assign = conversation.assign
    return assign is not None and assign.due_at <= ports.clock.now()


async def apply_and_wake(
    ports: Ports, event: Event, *, limit: int | None = OUTBOX_LIMIT
) -> Applied:
    """Applies one event, then wakes the conversation that it touched. A caller that delivers this
    conversation itself, in the same pass, needs only `apply`.
    """
    async with Batch(ports, alone=True) as batch:
        return await batch.apply(event, limit=limit)


Read = Callable[[Event | Ephemeral], Awaitable[Event | Ephemeral | None]]
Reported = TypeVar("Reported", bound=Event | Ephemeral)


async def as_it_is(one: Event | Ephemeral) -> Event | Ephemeral:
    return one


async def take(ports: Ports, events: Sequence[Event], read: Read = as_it_is) -> None:
    """Applies events, those of one customer in order and those of different customers side by side,
    then wakes each touched conversation once. `read` prepares an event, or leaves it out.

    Where an event cannot be applied, the later events of its customer wait until all come again;
    those of other customers are applied. Raises the first error, once all else is applied.
    """
    failed: list[Exception] = []
    async with Batch(ports, alone=len(events) == 1) as batch:

        async def in_order(group: Sequence[Event]) -> None:
            for event in group:
                try:
                    found = await read(event)
                    if isinstance(found, Event):
                        await batch.apply(found)
                except Exception as error:  # of any kind: the caller's answer says so in the end
                    failed.append(error)
                    _log_untaken(event, error)
                    return

        await side_by_side(ports, in_order, events)
    for first in failed:
        raise first


def _log_untaken(event: Event, error: Exception) -> None:
    reason = error.reason if isinstance(error, BatonError) else type(error).__name__
    log("WARNING", "an event could not be taken yet", conversation=event.source, reason=reason)


async def side_by_side(
    ports: Ports,
    work: Callable[[Sequence[Reported]], Awaitable[None]],
    reported: Sequence[Reported],
    at_once: int = AT_ONCE,
) -> None:
    """Does `work` for the reports of each customer, of at most so many customers at once."""
    groups = _by_customer(ports, reported)
    if len(groups) == 1:  # as in almost every webhook: it needs no task of its own
        await work(groups[0])
        return
    places = asyncio.Semaphore(at_once)

    async def in_its_place(group: Sequence[Reported]) -> None:
        async with places:
            await work(group)

    await asyncio.gather(*map(in_its_place, groups))


def _by_customer(ports: Ports, reported: Sequence[Reported]) -> list[list[Reported]]:
    """Returns the reports in groups of one customer each: those that share any name, directly,
    through another report, or through this instance's copy of the conversation.
    """
    if len(reported) < 2:
        return [[one] for one in reported]
    group_of: dict[str, list[Reported]] = {}
    place = {id(one): n for n, one in enumerate(reported)}
    for one in reported:
        names = {one.source, *(name.id for name in getattr(one, "names", ()))}
        names |= {name.id for name in getattr(one, "old", ())}
        copies = filter(None, map(ports.store.copy_called, names))
        names |= {copy.value.id for copy in copies}
        met = {id(group_of[name]): group_of[name] for name in names if name in group_of}
        group = next(iter(met.values()), [])
        if len(met) > 1:
            group = [other for each in met.values() for other in each]
            group_of |= {name: group for name, known in group_of.items() if id(known) in met}
        group.append(one)
        group_of |= dict.fromkeys(names, group)
    groups = {id(group): group for group in group_of.values()}.values()
    return [sorted(group, key=lambda one: place[id(one)]) for group in groups]


async def wake(
    ports: Ports,
    conversation: str,
    *,
    timers: bool = False,
    person: str | None = None,
    version: int | None = None,
) -> None:
    """Asks delivery to look at a conversation, and with `person` whether that person is gone. With
    `version` its commit may still be on its way. A lost wake-up costs only time: the sweep finds
    what is due.
    """
    wake_up = WakeUp(conversation=conversation, timers=timers, person=person, version=version)
    body = wake_up.model_dump_json(exclude_none=True).encode()
    try:
        await ports.publisher.publish(OUTBOX, body, conversation)
    except Unavailable as error:
        log(
            "WARNING",
            "the wake-up was not published; the sweep will deliver",
            reason=error.reason,
            conversation=conversation,
        )
