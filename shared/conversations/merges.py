"""What is noted where a number is another customer's now, and where two conversations turn out to
be one customer's: entries in both journals, and what a bot may not say any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field

from shared.conversations.entries import (
    FIRST_LOOK,
    closings,
    entries_of,
    new_entry,
    with_freed,
    with_record,
)
from shared.errors import Unavailable
from shared.handoff.channels import all_of
from shared.handoff.machine import decide
from shared.handoff.names import Naming
from shared.logs import log
from shared.measures.definitions import close
from shared.ports import Ports, Snapshot
from shared.schemas.commands import Publish, SendMessage, State
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.desks import Called
from shared.schemas.details import Details, MovedNumber
from shared.schemas.journal import JournalEntry
from shared.schemas.measures import Name as Measured
from shared.schemas.notation import command_id, entry_id, format_time
from shared.schemas.notifications import HANDOFFS, Notification, transcript_of
from shared.schemas.own_events import NumberMoved
from shared.schemas.representative import RepresentativeType
from shared.values import frozen

MOST_PENDING = 100  # entries of two conversations that one commit can go through


@frozen
class Noted:
    """New entries, and entries of the outboxes that change."""

    entries: list[JournalEntry] = field(default_factory=list)
    updates: list[Snapshot[JournalEntry]] = field(default_factory=list)


async def noted_of(
    ports: Ports,
    naming: Naming,
    conversation: Conversation,
    written: dict[str, Conversation],
    read: Mapping[str, Snapshot[Conversation] | None],
    nonce: str,
    actor: str,
) -> Noted:
    """Returns what an answer about names notes, beside the change of `conversation`. Puts into
    `written` the conversations of which a number has moved. Raises Unavailable.
    """
    noted = Noted()
    for moved, reason, acting in naming.notes:
        log("WARNING", "a number is another customer's now", conversation=moved, reason=reason)
        told = naming.changed.get(acting)
        if told is None or acting == conversation.id or told.erased or not told.address:
            about = written.get(moved) or naming.changed[moved]
            noted.entries.append(_note(ports, about, "number_moved", reason, nonce))
            continue
        event = _moved(ports, told, moved, reason, nonce)
        decision = decide(told, event, ports.clock.now(), ports.policy)
        written[acting] = decision.conversation
        noted.entries.extend(entries_of(ports, event, decision, nonce))
    for keep, lose in naming.merges:
        whole = naming.changed[keep]
        before = [one.value for one in (read.get(keep), read.get(lose)) if one]
        noted.entries.extend(_merge_entries(ports, whole, lose, before, written, nonce, actor))
        noted.updates.extend(await _dropped(ports, whole, lose))
    if naming.refused:
        noted.entries.extend(await _conflict(ports, conversation, naming.refused, nonce))
    return noted


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
    return [with_freed(found[0], before, [whole]), *found[1:]] if found else []


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
