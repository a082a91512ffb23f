"""Journal entries of a link: the key that asked for it, and a notification of the handoff that ends
or goes on because of it.
"""

from collections.abc import Iterable
from datetime import datetime

from shared.conversations.entries import FIRST_LOOK, closings, new_entry, with_record
from shared.measures.definitions import close
from shared.measures.messages import measures_of
from shared.ports import Ports
from shared.schemas.commands import Command, Publish
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.desks import Called
from shared.schemas.journal import JournalEntry
from shared.schemas.measures import Measure, Name
from shared.schemas.notation import command_id, entry_id
from shared.schemas.notifications import HANDOFFS, Notification, NotificationType, transcript_of


def record_of(
    ports: Ports,
    kind: str,
    key: str,
    nonce: str,
    before: Conversation,
    after: Conversation,
    measures: tuple[Measure, ...] = (),
    let_go: Called | None = None,
) -> JournalEntry:
    """Returns the entry, with `measures` for the reports and the commands that end the chats of the
    desk `let_go`.
    """
    now = ports.clock.now()
    entry = new_entry(
        ports,
        entry_id(after.id, kind, nonce),
        after.id,
        kind,
        seq=after.version,
        actor=key,
        nonce=nonce,
    )
    commands: list[Command] = (
        [] if after.phase is before.phase else [_edge(entry, before, after, now)]
    )
    if let_go is not None:
        commands += closings(entry, let_go, "linked")
    due = {"commands": tuple(commands), "due_at": now + FIRST_LOOK} if commands else {}
    return with_record(ports, entry.model_copy(update=due), measures)


def next_version(conversations: Iterable[Conversation]) -> int:
    """Returns the version of conversations that one commit links or unlinks.

    It is greater than any of theirs. An event of a linked conversation counts in the other's
    sequence, and is stored in its own journal too; so that journal stays in the order in which its
    events were accepted.
    """
    return max(conversation.version for conversation in conversations) + 1


def ended(ports: Ports, before: Conversation, after: Conversation) -> tuple[Measure, ...]:
    """Returns the measures of a desk's own handoff that a link ends, and its messages that were not
    counted yet.
    """
    is_over = before.phase is not after.phase
    handoff = close(before, Name.LINKED, ports.clock.now()).measures if is_over else ()
    return handoff if after.uncounted else (*handoff, *measures_of(before.uncounted))


def _edge(entry: JournalEntry, before: Conversation, after: Conversation, now: datetime) -> Publish:
    """Returns the notification of a handoff that ends here because it goes on elsewhere, or that
    goes on here.
    """
    body = Notification(
        id=command_id(after.id, entry.id, "linked"),
        type=_type_of(before, after),
        conversation=after.id,
        time=now,
        representative=after.humans[0].representative if after.humans else None,
        reason="linked",
        transcript=transcript_of(after.id),
        desk=after.request.desk if after.request else None,
    )
    return Publish(id=body.id, topic=HANDOFFS, body=body.model_dump(mode="json", by_alias=True))


def _type_of(before: Conversation, after: Conversation) -> NotificationType:
    if after.phase is Phase.BOT:
        return "handoff.failed" if before.phase is Phase.QUEUED else "handoff.ended"
    return "handoff.joined" if after.phase is Phase.HUMAN else "handoff.requested"
