"""The definitions: what one event ends and begins of all that is measured. README's table says the
same in words.

Every measure counts in the quarter of an hour in which its clock started. A duration is told only
once it has ended; what has begun is counted as well, so that the difference is what is still open.

- An event that changed nothing (a repetition, an echo, a late fact, a refusal) measures nothing.
  But a human's late words are said to the customer: they answer what had been asked when they were
  said, while no other handoff has begun.
- A request to a desk that is closed, and whose customers do not wait, has failed at once; once for
  each time that the team is told, as a desk's own AI asks with every message. So has one that waits
  when such a desk closes.
- Who comes unasked within TRANSFER_GAP of the last human's leaving, and before a bot has spoken,
  goes on with the same handoff: what its end had counted is taken back, and the customer's words
  since then are a turn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.measures.stopwatch import Stopwatch
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import (
    BotMessage,
    Event,
    HandoffFailed,
    HumanMessage,
    HumanRequested,
    SuggestionResponse,
    UserMessage,
)
from shared.schemas.measures import Measure, Moment, Name, Progress
from shared.schemas.own_events import HumanIdleTimeout

_WITHOUT = Progress()
_CUSTOMERS = UserMessage | SuggestionResponse


@dataclass(frozen=True, slots=True)
class Measured:
    """The clocks as they stand now (None: none runs), and what was measured."""

    progress: Progress | None
    measures: tuple[Measure, ...]


def measure(
    before: Conversation,
    after: Conversation,
    event: Event,
    now: datetime,
    *,
    said: bool = True,
    late: bool = False,
) -> Measured:
    """Returns what an accepted event measures, which made `after` of `before` at `now`.

    `said` is False where its words could not be said to the customer: they answer nothing. `late`
    are a human's words that are older than what has set since who speaks.
    """
    stopwatch = Stopwatch(after, before.progress or _WITHOUT, moment(event, now))
    found = (
        _of_late_words(stopwatch, event, said)
        if late
        else _measures(stopwatch, before, after, event, said)
    )
    measures = tuple(found)
    progress = stopwatch.progress
    return Measured(None if progress == _WITHOUT else progress, measures)


def close(conversation: Conversation, name: Name, now: datetime) -> Measured:
    """Returns what is measured where a conversation's handoff ends from outside: it was linked,
    or erased.
    """
    at = Moment(source=conversation.id, accepted_at=now)
    stopwatch = Stopwatch(conversation, conversation.progress or _WITHOUT, at)
    frames = [stopwatch.handled(human) for human in conversation.humans]
    measures = (*frames, *stopwatch.end(name if conversation.phase is Phase.QUEUED else Name.LEFT))
    return Measured(None, measures)


def moment(event: Event, now: datetime) -> Moment:
    return Moment(source=event.source, accepted_at=now, occurred_at=event.occurred_at)


def _measures(
    watch: Stopwatch, before: Conversation, after: Conversation, event: Event, said: bool
) -> Iterator[Measure]:
    was, now = before.phase, after.phase
    if isinstance(event, _CUSTOMERS):
        yield from watch.customer_spoke()
    if was is Phase.BOT and now is not Phase.BOT:
        yield from watch.begin(_asked(after))
    if isinstance(event, HumanRequested) and after.closed != before.closed:
        yield from watch.begin(after.closed[-1].desk)
        yield from watch.end(Name.FAILED)
    yield from watch.frames(before, after, quiet=isinstance(event, HumanIdleTimeout))
    if was is not Phase.HUMAN and now is Phase.HUMAN:
        yield from watch.joined(after.humans[0])
    if said and isinstance(event, HumanMessage) and after.present(event.representative):
        yield from watch.human_spoke(event.representative.name)
    if isinstance(event, _CUSTOMERS) and now is Phase.BOT:
        watch.asked_in_the_gap()
    elif isinstance(event, _CUSTOMERS):
        yield from watch.begin_turn()
    if was is not Phase.BOT and now is Phase.BOT:
        yield from watch.end(Name.FAILED if after.closed != before.closed else _ending(was, event))
    if said and isinstance(event, BotMessage):
        watch.bot_spoke()


def _asked(after: Conversation) -> str | None:
    """Returns the desk that a request went to, None where somebody comes unasked."""
    if after.phase is not Phase.QUEUED:
        return None
    return (after.request.desk if after.request else None) or ""


def _of_late_words(watch: Stopwatch, event: Event, said: bool) -> Iterator[Measure]:
    """The frame that they are shown in is nobody's joining: it is neither waited for nor
    handled.
    """
    if said and isinstance(event, HumanMessage):
        yield from watch.human_spoke_late(event.representative.name)


def _ending(was: Phase, event: Event) -> Name:
    if was is Phase.QUEUED:
        return Name.FAILED if isinstance(event, HandoffFailed) else Name.EXPIRED
    return Name.RETURNED if isinstance(event, HumanIdleTimeout) else Name.LEFT
