"""Which entry was the last in each line of a conversation's outbox, written with every event.

So an instance that knows this entry as settled may deliver the next one itself, without a query.
"""

from collections.abc import Iterable

from shared.schemas.commands import Command, State
from shared.schemas.conversation import Conversation, LineEnds

MOST_LINES = 12  # a handoff at a desk has a line of its own


def with_line_ends(
    before: Conversation, after: Conversation, commands: Iterable[Command], *, alone: bool
) -> Conversation:
    """Returns the conversation with the lines that these commands of its new version join.

    Not `alone`: the commit has other entries or updates of entries, so nothing is known of them.
    """
    joined = {one.line for one in commands if one.state is State.PENDING}
    if not alone:
        ends = LineEnds(at=after.version, since=after.version)
    elif before.line_ends is None and before.version and not joined:
        return after  # as most conversations that are only tracked
    else:
        last = {**_last(before), **dict.fromkeys(joined, after.version)}
        ends = LineEnds(at=after.version, since=_since(before), last=last)
        if len(last) > MOST_LINES:
            ends = LineEnds(at=after.version, since=after.version)
    return after.model_copy(update={"line_ends": ends})


def last_in(conversation: Conversation, line: str) -> int:
    """Returns the sequence of the last entry that may have a command in this line."""
    return _last(conversation).get(line, _since(conversation))


def _last(conversation: Conversation) -> dict[str, int]:
    ends = conversation.line_ends
    return ends.last if ends is not None and ends.at == conversation.version else {}


def _since(conversation: Conversation) -> int:
    ends = conversation.line_ends
    return ends.since if ends and ends.at == conversation.version else conversation.version
