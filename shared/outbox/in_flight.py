"""At most once, where the platform does not recognise an id: a command is marked before it is sent,
and judged afterwards.

pending ── mark: token, deadline ──> in flight ──> sent, failed, unknown (no answer), or pending
   ^                                     │         again (a clear refusal)
   │                                     └─ the deadline is over and no outcome is on record
   └── a notice: sent again <────────────┤
                                         └─ a message: unknown, it may have arrived
"""

import contextlib
import uuid
from datetime import timedelta
from typing import TypeVar

from shared.conversations.contention import until_uncontended
from shared.errors import Unavailable
from shared.outbox.record import Work
from shared.ports import Ports, PreconditionFailed, Snapshot
from shared.schemas.commands import BaseCommand, Command, SendMessage, State, TellTeam

Marked = TypeVar("Marked", bound=BaseCommand)
IN_FLIGHT = timedelta(seconds=20)  # the HTTP timeout and 10 s


def is_lost(command: Command) -> bool:
    """Returns whether this message, due again, was in the hand of a delivery that never recorded an
    outcome.
    """
    return isinstance(command, SendMessage | TellTeam) and command.until is not None


def lost(command: Marked) -> Marked:
    return command.model_copy(
        update={"ambiguous": True, "error": "whoever sent it never told how that ended"}
    )


async def mark(ports: Ports, work: Work, command: Marked, **update: object) -> Marked | None:
    """Returns the command as it stands in the journal, in flight, ours and with `update`; None
    where another delivery has it or ended it. Raises Unavailable: then the mark may stand, and
    nothing was sent.
    """
    token = uuid.uuid4().hex
    return await until_uncontended(
        lambda: _try_to_mark(ports, work, command, {**update, "token": token})
    )


async def _try_to_mark(
    ports: Ports, work: Work, command: Marked, update: dict[str, object]
) -> Marked | None:
    stored = work.stored(command.id)
    if not isinstance(stored, type(command)) or stored.state is not State.PENDING:
        return None
    if stored.token == update["token"]:
        return stored  # our own mark, whose answer was lost
    if stored.token != command.token:
        return None
    marked = stored.model_copy(update={**update, "until": ports.clock.now() + IN_FLIGHT})
    try:
        work.entry = await ports.store.update(Snapshot(work.with_command(marked), work.entry.token))
    except (PreconditionFailed, Unavailable) as error:
        await _reload(ports, work)
        raise PreconditionFailed from error
    return marked


async def _reload(ports: Ports, work: Work) -> None:
    """Reads the present entry. Where the read fails the copy stays old, and the next try finds that
    out.
    """
    known = work.entry.value
    with contextlib.suppress(Unavailable):
        work.entry = await ports.store.entry(known.conversation, known.id) or work.entry
