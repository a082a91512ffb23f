"""The definitions of the measures: what an event starts and ends.

The reports' README has them as a table.

A measure counts in the quarter of an hour in which its clock started. The start is counted at once
and the duration when it ends, so the difference is what is open.

- An event without effect (a repetition, an echo, a stale fact, a refusal) measures nothing. A
  human's stale message is an exception, because the customer gets it: it answers what was asked
  before it was written, unless another handoff has begun.
- A message that waits for the customer answers when it is sent.
- A request to a closed desk whose customers do not wait fails at once. It counts once for each
  notification of the team, because a desk's own AI asks with every message. A waiting request fails
  in the same way when such a desk closes.
- A human who joins without a request within TRANSFER_GAP after the last human left, before a bot
  has spoken, continues the same handoff. Its counted end is taken back, and the customer's messages
  since then are a turn.
- A customer who is passed on stays in the same handoff, which begins and ends at its first desk.
  Frames and turns count at the desk that had the customer when they began. A wait after a human was
  there ends as `returned`, and a customer who asks for the assistant ends theirs as `expired` or
  `returned`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.measures.stopwatch import Stopwatch
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import (
    AsksForHuman,
    BotMessage,
    Claim,
    Event,
    HandoffFailed,
    HumanMessage,
    OfferEnded,
    SuggestionResponse,
    Transfer,
    UserMessage,
)
from shared.schemas.measures import Measure, Moment, Name, Progress
from shared.schemas.own_events import HumanIdleTimeout, OfferTimeout, PersonGone
from shared.schemas.representative import Representative

_WITHOUT = Progress()
_CUSTOMERS = UserMessage | SuggestionResponse


@dataclass(frozen=True, slots=True)
class Measured:
    """The clocks after an event (None if none runs), and the measures."""

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
    released: Sequence[Representative] = (),
    rated: int | None = None,
) -> Measured:
    """Returns what an accepted event measures. It changed `before` to `after` at `now`.

    `said` is False if its message could not be sent to the customer, so that it answers nothing.
    `late` is True for a human's stale message: it is older than the fact that last set who speaks.
    `released` are the humans whose messages waited for the customer and are sent with the event.
    `rated` is the answer to the survey of `before`.
    """
    stopwatch = Stopwatch(after, before.progress or _WITHOUT, moment(event, now))
    found = (
        _of_late_words(stopwatch, event, said)
        if late
        else _measures(stopwatch, before, after, event, said)
    )
    measures = (*_of_released_words(stopwatch, before, released), *found)
    if rated is not None and before.survey is not None:
        measures = (*measures, *stopwatch.rated(before.survey, rated))
    progress = stopwatch.progress
    return Measured(None if progress == _WITHOUT else progress, measures)


def close(conversation: Conversation, name: Name, now: datetime) -> Measured:
    """Returns what is measured when a handoff ends because its conversation is linked or erased."""
    at = Moment(source=conversation.id, accepted_at=now)
    stopwatch = Stopwatch(conversation, conversation.progress or _WITHOUT, at)
    frames = [stopwatch.handled(human) for human in conversation.humans]
    measures = (*frames, *stopwatch.end(Name.LEFT if _had_human(conversation) else name))
    return Measured(None, measures)


def moment(event: Event, now: datetime) -> Moment:
    """Returns when the event happened."""
    return Moment(source=event.source, accepted_at=now, occurred_at=event.occurred_at)


def _measures(
    watch: Stopwatch, before: Conversation, after: Conversation, event: Event, said: bool
) -> Iterator[Measure]:
    was, now = before.phase, after.phase
    if isinstance(event, _CUSTOMERS):
        yield from watch.customer_spoke()
    if was is Phase.BOT and now is not Phase.BOT:
        yield from watch.begin(_asked(after))
    if isinstance(event, AsksForHuman) and after.closed != before.closed:
        yield from watch.begin(after.closed[-1].desk)
        yield from watch.end(Name.FAILED)
    yield from watch.frames(before, after, quiet=isinstance(event, HumanIdleTimeout))
    if before.offer is not after.offer or isinstance(event, Transfer):
        yield from _of_passing_on(watch, before, after, event)
    if was is not Phase.HUMAN and now is Phase.HUMAN:
        yield from watch.joined(after.humans[0])
    if said and isinstance(event, HumanMessage) and after.present(event.representative):
        yield from watch.human_spoke(event.representative.name)
    if isinstance(event, _CUSTOMERS) and now is Phase.BOT:
        watch.asked_in_the_gap()
    elif isinstance(event, _CUSTOMERS):
        yield from watch.begin_turn()
    if after.survey is not None and after.survey.id != (before.survey and before.survey.id):
        yield from watch.asked_survey(after.survey)
    if was is not Phase.BOT and now is Phase.BOT:
        is_shut = after.closed != before.closed
        yield from watch.end(Name.FAILED if is_shut else _ending(before, event))
    if said and isinstance(event, BotMessage):
        watch.bot_spoke()


def _asked(after: Conversation) -> str | None:
    """Returns the desk of the request, or None if a human joined without a request."""
    if after.phase is not Phase.QUEUED:
        return None
    return (after.request.desk if after.request else None) or ""


def _of_late_words(watch: Stopwatch, event: Event, said: bool) -> Iterator[Measure]:
    """Measures a stale message.

    Its frame is not counted as a join: it has neither waiting nor handling time.
    """
    if said and isinstance(event, HumanMessage):
        yield from watch.human_spoke_late(event.representative.name)


def _of_released_words(
    watch: Stopwatch, before: Conversation, released: Sequence[Representative]
) -> Iterator[Measure]:
    """Words that waited for the customer answer when they are sent, before the customer's next
    words. Those of a human who has left answer the handoff that ended, if no other has begun.
    """
    for who in released:
        if before.present(who):
            yield from watch.human_spoke(who.name)
        elif watch.progress.ended is not None:
            yield from watch.human_spoke_late(who.name)


def _of_passing_on(
    watch: Stopwatch, before: Conversation, after: Conversation, event: Event
) -> Iterator[Measure]:
    """Measures offers and who gave the customer away. A person who accepts takes the customer from
    those whom the offer named.
    """
    offer, made = before.offer, after.offer
    if isinstance(event, Transfer) and event.to_agent is None:
        yield watch.acted(Name.TRANSFERRED, event.representative.name)
    if made is not None and made is not offer:
        yield watch.acted(Name.OFFERED, made.name)
    if offer is None or made is offer:
        return
    if isinstance(event, Claim) and event.person_id == offer.to:
        gone = (one for one in offer.givers if _left(before, after, one))
        yield from (watch.acted(Name.TRANSFERRED, one) for one in gone)
    elif isinstance(event, OfferTimeout):
        yield watch.acted(Name.LAPSED, offer.name)
    elif isinstance(event, OfferEnded) and event.why == "declined":
        yield watch.acted(Name.DECLINED, offer.name)


def _left(before: Conversation, after: Conversation, name: str) -> bool:
    was, now = (
        any(human.representative.name == name for human in one.humans) for one in (before, after)
    )
    return was and not now


def _had_human(conversation: Conversation) -> bool:
    """Returns whether a human has joined the handoff under way, also where the customer waits for
    a colleague of theirs.
    """
    handoff = conversation.progress.handoff if conversation.progress else None
    has_joined = handoff is not None and handoff.joined
    return conversation.phase is not Phase.QUEUED or has_joined


def _ending(before: Conversation, event: Event) -> Name:
    """A wait that ends after a human was there has the outcome of a human who is gone."""
    if before.phase is Phase.QUEUED and not _had_human(before):
        return Name.FAILED if isinstance(event, HandoffFailed) else Name.EXPIRED
    is_back = isinstance(event, HumanIdleTimeout | PersonGone | UserMessage)
    return Name.RETURNED if is_back or before.phase is Phase.QUEUED else Name.LEFT
