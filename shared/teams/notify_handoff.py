"""Notifies the team: a notification becomes one journal entry with one command for each target.

The outbox delivers the commands. Each target has a line of its own, so a target that is down delays
neither the others nor the topic.
"""

from shared.conversations.apply import wake
from shared.conversations.contention import until_uncontended
from shared.conversations.entries import new_entry
from shared.edge.pushed import pushed_body
from shared.errors import MethodNotAllowed
from shared.logs import log
from shared.platforms.bodies import validate
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.base import JsonObject
from shared.schemas.commands import TellTeam
from shared.schemas.http import Request, Response
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import command_id
from shared.schemas.notifications import MEASURED, Notification


async def notify_handoff(ports: Ports, request: Request) -> Response:
    """Returns 200 when the journal has the notification.

    Raises BadRequest, or Unavailable, after which the topic delivers it again.
    """
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    told = await take(ports, pushed_body(request))
    if told is None:
        return Response(body=b"{}", notes={"type": MEASURED})
    return Response(
        body=b"{}",
        notes={
            "conversation": told.conversation,
            "type": told.type,
            "waited_seconds": told.waited_seconds,
        },
    )


async def take(ports: Ports, body: JsonObject) -> Notification | None:
    """Returns the notification, or None if it is for reports only.

    Raises BadRequest, Unavailable.

    A repeated delivery is accepted once. The outbox is woken each time, because the first wake-up
    may be lost.
    """
    if is_measured(body):
        return None
    told = validate(Notification, body)
    is_kept = bool(ports.team.targets) and await until_uncontended(lambda: _keep(ports, told))
    if is_kept:
        await wake(ports, told.conversation)
    return told


def is_measured(body: JsonObject) -> bool:
    """Returns whether this is for reports only."""
    return body.get("type") == MEASURED


async def _keep(ports: Ports, told: Notification) -> bool:
    """Commits the entry and returns whether there is something to deliver.

    Raises PreconditionFailed.

    The entry is part of the conversation's sequence, so the conversation's version increases. An
    erased conversation gets no entry, because nothing of it may be stored.
    """
    entry_id = f"notify:{told.id}"
    if await ports.store.entry(told.conversation, entry_id) is not None:
        return True
    found = await ports.store.load(told.conversation)
    if found is not None and found.value.erased:
        log(
            "INFO",
            "the team is not informed: the customer was erased",
            conversation=told.conversation,
            type=told.type,
        )
        return False
    version = found.value.version + 1 if found else 1
    after = (
        [Snapshot(found.value.model_copy(update={"version": version}), found.token)]
        if found
        else []
    )
    await ports.store.commit(Commit([_entry(ports, told, entry_id, version)], after))
    return True


def _entry(ports: Ports, told: Notification, entry_id: str, version: int) -> JournalEntry:
    body = told.model_dump(mode="json", by_alias=True)
    names = [target.name for target in ports.team.targets]
    return new_entry(
        ports,
        entry_id,
        told.conversation,
        "notify",
        seq=version,
        actor="team",
        nonce=told.id,
        reason=told.type,
        event_id=told.id,
        commands=tuple(
            TellTeam(id=command_id(told.conversation, entry_id, name), to=name, body=body)
            for name in names
        ),
    )
