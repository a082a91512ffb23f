"""Whose the names in a webhook are: reads the documents of the names, and prepares what the event's
own commit writes beside its conversation.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.conversations.entries import (
    FIRST_LOOK,
    closings,
    entries_of,
    new_entry,
    with_record,
)
from shared.errors import Unavailable
from shared.handoff.channels import all_of
from shared.handoff.machine import decide
from shared.handoff.names import Missing, Naming
from shared.logs import log
from shared.measures.definitions import close
from shared.ports import Ports, Snapshot
from shared.schemas.commands import Publish, SendMessage, State
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.desks import Called
from shared.schemas.details import Details, MovedNumber
from shared.schemas.events import ByCustomer, Event, NamesChanged
from shared.schemas.ids import command_id, entry_id
from shared.schemas.journal import JournalEntry
from shared.schemas.measures import Name as Measured
from shared.schemas.notifications import HANDOFFS, Notification, transcript_of
from shared.schemas.own_events import NumberMoved
from shared.schemas.representative import RepresentativeType
from shared.schemas.times import format_time

MOST_PENDING = 100  # entries of two conversations that one commit can go through


@dataclass(frozen=True, slots=True)
class Beside:
    """What a commit writes beside the event's own conversation and entries."""

    conversations: tuple[Snapshot[Conversation], ...] = ()
    entries: tuple[JournalEntry, ...] = ()
    updates: tuple[Snapshot[JournalEntry], ...] = ()


NOTHING_BESIDE = Beside()


@dataclass(frozen=True, slots=True)
class Resolved:
    """The customer's conversation; its token is None where it begins in a new document. `learns`:
    the names in it have changed. `joined` are the conversations that became part of it.
    `is_reached`: the number that the event tells is not another customer's.
    """

    conversation: Snapshot[Conversation]
    beside: Beside = NOTHING_BESIDE
    learns: bool = False
    joined: tuple[str, ...] = ()
    is_reached: bool = True


async def resolved(ports: Ports, event: Event, nonce: str, *, fresh: bool) -> Resolved:
    """Returns whose the names of an event are. Where this instance's copy of one conversation lists
    them all, no other document is read, unless it must be `fresh`: an old copy fails its token.

    Raises Unavailable.
    """
    copy = None if fresh else _copy(ports, event)
    if copy is not None:
        await ports.store.load(copy.value.id, fresh=False)  # reads it again if others write it
        copy = _copy(ports, event)
    if copy is not None:
        return Resolved(copy)
    read: dict[str, Snapshot[Conversation] | None] = {}
    wanted: Sequence[str] = [
        one for name in event.names for one in (name.id, name.other) if one is not None
    ]
    while True:
        found = await asyncio.gather(*(ports.store.load(one) for one in wanted))
        read |= dict(zip(wanted, found, strict=True))
        naming = _naming(ports, event, read)
        try:
            old = event.old if isinstance(event, NamesChanged) else None
            conversation = naming.conversation_of(old)
            naming.keep_names(conversation)
            break
        except Missing as missing:
            wanted = missing.documents
    whose = await prepared(ports, naming, conversation, read, nonce)
    return replace(whose, is_reached=_has_number(naming, event, conversation))


def _has_number(naming: Naming, event: Event, conversation: str) -> bool:
    """Returns whether the number that an event tells is one of this conversation. A late event may
    tell one that is another customer's by now.
    """
    known = naming.changed.get(conversation) or naming.documents.get(conversation)
    numbers = [one for one in event.names if not one.strong]
    return known is None or all(
        known.is_called(one.id) or (one.other is not None and known.is_called(one.other))
        for one in numbers
    )


def _copy(ports: Ports, event: Event) -> Snapshot[Conversation] | None:
    if isinstance(event, NamesChanged):
        return None
    copies = [ports.store.copy_called(one.id) for one in event.names]
    first = copies[0]
    if first is None or any(one is None or one.value.id != first.value.id for one in copies):
        return None
    now, at = ports.clock.now(), event.occurred_at or ports.clock.now()
    given = {one.id for one in event.names}
    for name in first.value.names:
        if name.id in given and not name.strong and name.since and at < name.since:
            return None  # it may be of the time when the number was another person's
        if name.kept and now - name.kept > ports.policy.kept_for:
            return None
    return first


def _naming(ports: Ports, event: Event, read: dict[str, Snapshot[Conversation] | None]) -> Naming:
    now = ports.clock.now()
    return Naming(
        documents={id: one.value if one else None for id, one in read.items()},
        given=event.names,
        at=event.occurred_at or now,
        now=now,
        kept_for=ports.policy.kept_for,
        address=event.address,
    )


async def prepared(
    ports: Ports,
    naming: Naming,
    conversation: str,
    read: Mapping[str, Snapshot[Conversation] | None],
    nonce: str,
    actor: str = "system",
) -> Resolved:
    """Returns what the commit that changes `conversation` writes beside it. `actor` is who says
    whose the names are. Raises Unavailable.
    """

    def token(document: str) -> object:
        known = read.get(document)
        return known.token if known else None

    written = {
        id: one.model_copy(update={"version": one.version + 1})
        for id, one in naming.changed.items()
        if id != conversation
    }
    entries: list[JournalEntry] = []
    for moved, reason, acting in naming.notes:
        log("WARNING", "a number is another customer's now", conversation=moved, reason=reason)
        told = naming.changed.get(acting)
        if told is None or acting == conversation or told.erased or not told.address:
            about = written.get(moved) or naming.changed[moved]
            entries.append(_note(ports, about, "number_moved", reason, nonce))
            continue
        event = _moved(ports, told, moved, reason, nonce)
        decision = decide(told, event, ports.clock.now(), ports.policy)
        written[acting] = decision.conversation
        entries += entries_of(ports, event, decision, nonce)
    updates: list[Snapshot[JournalEntry]] = []
    for keep, lose in naming.merges:
        whole = naming.changed[keep]
        before = [one.value for one in (read.get(keep), read.get(lose)) if one]
        entries += _merge_entries(ports, whole, lose, before, written, nonce, actor)
        updates += await _dropped(ports, whole, lose)
    known = read.get(conversation)
    value = naming.changed.get(conversation) or (known.value if known else None)
    if value is None:
        raise Unavailable("names-changed", "The customer's names have changed meanwhile.")
    if naming.refused:
        entries += await _conflict(ports, value, naming.refused, nonce)
    beside = Beside(
        tuple(Snapshot(one, token(id)) for id, one in written.items()),
        tuple(entries),
        tuple(updates),
    )
    learns = conversation in naming.changed
    joined = tuple(lose for _, lose in naming.merges)
    return Resolved(Snapshot(value, token(conversation)), beside, learns, joined)


def _moved(ports: Ports, told: Conversation, moved: str, reason: str, nonce: str) -> NumberMoved:
    now = ports.clock.now()
    channel = next((one for one in all_of(told) if one.id == moved), None)
    reachable = channel is not None and not channel.unreachable
    return NumberMoved(
        id=nonce,
        source=moved,
        actor="system",
        reason=reason,
        occurred_at=now,
        details=Details(number_moved=MovedNumber(reachable=reachable)),
        form={
            "conversationId": moved,
            "requestId": nonce,
            "sendTime": format_time(now),
            "userStatus": {"createTime": format_time(now)},
        },
    )


async def _conflict(
    ports: Ports, known: Conversation, refused: tuple[str, str, str], nonce: str
) -> Sequence[JournalEntry]:
    """Returns the entry that notifies the team, once, that two conversations are one customer's and
    stay apart.
    """
    one, other, reason = refused
    kind = "identity_conflict"
    entry = new_entry(
        ports,
        entry_id(known.id, kind, " ".join(sorted((one, other)))),
        known.id,
        kind,
        seq=known.version + 1,
        actor="system",
        nonce=nonce,
        reason=reason,
    )
    if await ports.store.entry(known.id, entry.id) is not None:
        return ()
    log(
        "ERROR",
        "two conversations are one customer's and cannot be joined by themselves",
        conversation=one,
        other=other,
        reason=reason,
    )
    body = Notification(
        id=command_id(known.id, entry.id, kind),
        type="identity.conflict",
        conversation=known.id,
        time=entry.time,
        reason=f"{reason}: {one if other == known.id else other}",
        transcript=transcript_of(known.id),
    )
    told = Publish(id=body.id, topic=HANDOFFS, body=body.model_dump(mode="json", by_alias=True))
    return (entry.model_copy(update={"commands": (told,), "due_at": entry.time + FIRST_LOOK}),)


def _note(
    ports: Ports, conversation: Conversation, kind: str, reason: str, nonce: str
) -> JournalEntry:
    return new_entry(
        ports,
        entry_id(conversation.id, kind, nonce),
        conversation.id,
        kind,
        seq=conversation.version,
        actor="system",
        nonce=nonce,
        reason=reason,
    )


def _merge_entries(
    ports: Ports,
    whole: Conversation,
    lose: str,
    before: Sequence[Conversation],
    written: dict[str, Conversation],
    nonce: str,
    actor: str,
) -> list[JournalEntry]:
    """Returns an entry in both journals. A handoff of the conversation that does not go on ends
    there, for the reports and for the team.
    """
    seq = {whole.id: written.get(whole.id, whole).version, lose: written[lose].version}
    found = []
    for one in before:
        entry = new_entry(
            ports,
            entry_id(one.id, "same_customer", f"{nonce} {lose}"),
            one.id,
            "same_customer",
            seq=seq[one.id],
            actor=actor,
            nonce=nonce,
            reason="same-customer",
        )
        if one.id == lose:
            if one.phase is not Phase.BOT:
                entry = _ended(entry, one)
            left = {human.frame for human in one.humans} - {human.frame for human in whole.humans}
            gone = tuple(human for human in one.humans if human.frame in left)
            ends = one.model_copy(update={"humans": gone})
            entry = with_record(ports, entry, close(ends, Measured.LINKED, entry.time).measures)
        elif (goes := _let_go(before, whole)) is not None:
            commands = tuple(closings(entry, goes, "same-customer"))
            due = {"commands": commands, "due_at": entry.time + FIRST_LOOK}
            entry = entry.model_copy(update=due)
        found.append(entry)
    return found


def _let_go(before: Sequence[Conversation], whole: Conversation) -> Called | None:
    """Returns the desk whose handoff does not go on, where both conversations had called one."""
    called = [one.called for one in before if one.called is not None]
    return next((one for one in called if one != whole.called), None)


def _ended(entry: JournalEntry, before: Conversation) -> JournalEntry:
    body = Notification(
        id=command_id(before.id, entry.id, "same-customer"),
        type="handoff.failed" if before.phase is Phase.QUEUED else "handoff.ended",
        conversation=before.id,
        time=entry.time,
        reason="same-customer",
        transcript=transcript_of(before.id),
        desk=before.request.desk if before.request else None,
    )
    told = Publish(id=body.id, topic=HANDOFFS, body=body.model_dump(mode="json", by_alias=True))
    return entry.model_copy(update={"commands": (told,), "due_at": entry.time + FIRST_LOOK})


async def _dropped(ports: Ports, whole: Conversation, lose: str) -> list[Snapshot[JournalEntry]]:
    """Returns the entries of both outboxes without what a bot still wanted to say, where a human is
    here. What a delivery has in hand cannot be taken back. Raises Unavailable.
    """
    if not whole.humans:
        return []
    pending = [
        entry
        for one in (whole.id, lose)
        for entry in await ports.store.pending(one, 0, MOST_PENDING + 1)
    ]
    if len(pending) > MOST_PENDING:
        raise Unavailable("outbox-full", "Too much waits for delivery; send it again later.")
    now = ports.clock.now()
    found = []
    for entry in pending:
        commands = tuple(
            one.model_copy(update={"state": State.DROPPED, "error": "human-present"})
            if isinstance(one, SendMessage)
            and one.state is State.PENDING
            and one.representative.representative_type is RepresentativeType.BOT
            and (one.until is None or one.until < now)
            else one
            for one in entry.value.commands
        )
        if commands != entry.value.commands:
            found.append(Snapshot(entry.value.with_commands(commands), entry.token))
    return found


def with_source(event: Event, conversation: str) -> Event:
    """Returns the event as one of this conversation, also in the form that bots and desks get."""
    if event.source == conversation:
        return event
    update: dict[str, object] = {"source": conversation}
    form = getattr(event, "form", None)
    if form is not None:
        update["form"] = _renamed(form, event.source, conversation)
    return event.model_copy(update=update)


def with_joined(event: Event, joined: tuple[str, ...]) -> Event:
    """Returns the event, which says what has become part of the conversation with it."""
    if not joined or not isinstance(event, ByCustomer):
        return event
    details = event.details or Details()
    update = {"previous_conversation_ids": joined}
    return event.model_copy(update={"details": details.model_copy(update=update)})


def _renamed(value: object, before: str, after: str) -> object:
    if isinstance(value, dict):
        return {name: _renamed(one, before, after) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, before, after) for one in value]
    if isinstance(value, str):
        if value == before:
            return after
        named = f"conversations/{before}/"
        return f"conversations/{after}/{value[len(named) :]}" if value.startswith(named) else value
    return value
