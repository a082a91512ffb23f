"""Links: a desk's conversation joined to a channel's, standing on both, changed in one commit."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from shared.errors import BadRequest, NotFound, Refused
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.commands import Publish
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.ids import command_id, entry_id
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.notifications import HANDOFFS, Notification
from shared.services.apply import FIRST_LOOK, wake
from shared.services.retry import until_uncontended

_Change = tuple[Snapshot[Conversation], Mapping[str, object]]


async def link(ports: Ports, desk: str, channel: str, key: str) -> Conversation:
    """Returns the desk's conversation, whose events act on `channel` from now on; linking twice is linking once.

    Raises BadRequest for a link to itself, NotFound for an unseen channel, Refused `already-linked` or `chain`.
    """
    if desk == channel:
        raise BadRequest("self-link", "A conversation cannot be linked to itself.")
    linked = await until_uncontended(lambda: _link(ports, desk, channel, key))
    await wake(ports, desk)
    return linked


async def unlink(ports: Ports, desk: str, key: str) -> Conversation:
    """Returns the desk's conversation, on its own again. Raises NotFound."""
    return await until_uncontended(lambda: _unlink(ports, desk, key))


async def _link(ports: Ports, desk: str, channel: str, key: str) -> Conversation:
    ours = await ports.store.load(desk) or Snapshot(ports.policy.newcomer(desk, desk.partition(":")[2]), None)
    theirs = await _seen(ports, channel)
    if ours.value.linked_to == channel and desk in theirs.value.links:
        return ours.value
    _check_free(ours.value, theirs.value)
    joined = {
        "address": ours.value.address or desk.partition(":")[2],
        "linked_to": channel,
        "phase": Phase.BOT,
        "humans": (),
        "timer": None,
        "human_since": None,
        "erased": False,
    }
    links = {"links": (*theirs.value.links, desk)}
    return await _write(ports, "link", key, (ours, joined), (theirs, links))


async def _unlink(ports: Ports, desk: str, key: str) -> Conversation:
    ours = await _seen(ports, desk)
    if ours.value.linked_to is None:
        return ours.value
    apart: _Change = (ours, {"linked_to": None})
    theirs = await ports.store.load(ours.value.linked_to)
    if theirs is None:
        return await _write(ports, "unlink", key, apart)
    links = {"links": tuple(one for one in theirs.value.links if one != desk)}
    return await _write(ports, "unlink", key, apart, (theirs, links))


def _check_free(desk: Conversation, channel: Conversation) -> None:
    if desk.linked_to not in (None, channel.id):
        raise Refused("already-linked", "This conversation is linked elsewhere; unlink it first.", to=desk.linked_to)
    if desk.links or channel.linked_to is not None:
        raise Refused("chain", "A link leads from a desk's conversation to a channel's, never further.")


async def _seen(ports: Ports, conversation: str) -> Snapshot[Conversation]:
    snapshot = await ports.store.load(conversation)
    if snapshot is None or snapshot.value.erased:
        raise NotFound("unknown-conversation", "Baton knows no such conversation.", conversation=conversation)
    return snapshot


async def _write(ports: Ports, kind: str, key: str, *changes: _Change) -> Conversation:
    """Writes all changes in one commit, each with its journal entry. Returns the first conversation as it became."""
    nonce = uuid.uuid4().hex
    written = [
        Snapshot(before.value.model_copy(update={**update, "version": before.value.version + 1}), before.token)
        for before, update in changes
    ]
    pairs = zip(changes, written, strict=True)
    entries = [_record(ports, kind, key, nonce, before.value, after.value) for (before, _), after in pairs]
    await ports.store.commit(Commit(entries, written))
    return written[0].value


def _record(ports: Ports, kind: str, key: str, nonce: str, before: Conversation, after: Conversation) -> JournalEntry:
    now = ports.clock.now()
    entry = JournalEntry(
        id=entry_id(after.id, kind, nonce),
        conversation=after.id,
        seq=after.version,
        time=now,
        kind=kind,
        source=after.id,
        actor=key,
        verdict=Verdict.ACCEPTED,
        nonce=nonce,
    )
    if after.phase is before.phase:
        return entry
    return entry.model_copy(update={"commands": (_ending(entry, before, now),), "due_at": now + FIRST_LOOK})


def _ending(entry: JournalEntry, desk: Conversation, now: datetime) -> Publish:
    """Returns what the team is told where a desk's own handoff ends because the channel's takes its place."""
    body = Notification(
        id=command_id(desk.id, entry.id, "linked"),
        type="handoff.failed" if desk.phase is Phase.QUEUED else "handoff.ended",
        conversation=desk.id,
        time=now,
        reason="linked",
    )
    return Publish(id=body.id, topic=HANDOFFS, body=body.model_dump(mode="json", by_alias=True))
