"""What a conversation keeps of an event: its version and times, the channel and the customer, what
was said for the bot that speaks next, and what the reports count.
"""

from datetime import datetime
from typing import Literal

from shared.handoff import channels
from shared.handoff.draft import Draft, expect
from shared.measures.definitions import measure as measured_by
from shared.schemas.base import JsonObject
from shared.schemas.commands import Record
from shared.schemas.conversation import Conversation, Handback, Holder, Line, Timer
from shared.schemas.events import (
    ByCustomer,
    FloorMoved,
    FromUser,
    Said,
    SuggestionResponse,
    UserMessage,
)
from shared.schemas.journal import FIELD, Verdict
from shared.schemas.own_events import LineEmpty
from shared.schemas.texts import shortened

LINES_KEPT, LINE_LIMIT = 20, 300
# To look up a member of an enum takes longer than to compare with it.
_ACCEPTED, _SUPPRESSED, _STALE = Verdict.ACCEPTED, Verdict.SUPPRESSED, Verdict.STALE
LEFT_BECAUSE = {
    "human_left": "the person left",
    "human_idle_timeout": "the person went quiet",
    "unclaimed_timeout": "no colleague of the person came",
    "bot_message": "the desk's own assistant took over",
}


def date_event(draft: Draft) -> None:
    draft.event = draft.event.model_copy(update={"occurred_at": draft.now})


def count_version(draft: Draft) -> None:
    draft.change(version=draft.conversation.version + 1)


def note_joining(draft: Draft) -> None:
    draft.change(human_version=draft.conversation.version)


def keep_first_response(draft: Draft) -> None:
    draft.change(first_response_seconds=draft.before.first_response_seconds)


def start_human_time(draft: Draft) -> None:
    if draft.conversation.human_since is None:
        draft.change(human_since=draft.before.human_since or draft.now)


def end_human_time(draft: Draft) -> None:
    draft.change(human_since=None)


def end_request(draft: Draft) -> None:
    draft.change(request=None, answered=False)


def note_answered(draft: Draft) -> None:
    draft.change(answered=True)


def note_speaker(draft: Draft) -> None:
    known = (draft.before.spoke_at, draft.event.occurred_at)
    draft.change(spoke_at=max(filter(None, known)))


def stop_timer(draft: Draft) -> None:
    draft.change(timer=None)


def start_chat_timer(draft: Draft) -> None:
    _start(draft, "chat")


def start_idle_timer(draft: Draft) -> None:
    _start(draft, "idle")


def _start(draft: Draft, kind: Literal["chat", "idle"]) -> None:
    armed, due = draft.conversation.version, draft.now + draft.policy.human_idle_after
    draft.change(timer=Timer(kind=kind, armed=armed, n=1, due_at=due))


def remind(draft: Draft) -> None:
    """A desk has its time from when it is called, also where its opening was noticed late."""
    timer = draft.conversation.timer
    if timer is not None:
        since = draft.now if timer.is_opening else timer.due_at
        due = since + draft.policy.unclaimed_after
        draft.change(timer=timer.model_copy(update={"n": timer.n + 1, "due_at": due}))


def follow_customer(draft: Draft) -> None:
    draft.conversation = channels.followed(draft.conversation, draft.event.source, _when(draft))


def note_customer(draft: Draft) -> None:
    event, known = expect(draft.event, FromUser), draft.conversation
    locale = event.locale or known.locale
    name = event.customer_name or known.customer_name
    if (locale, name) != (known.locale, known.customer_name):
        draft.change(locale=locale, customer_name=name)


def note_context(draft: Draft) -> None:
    known, news = draft.conversation, draft.event.context
    if news is not None:
        context = known.platform_context.with_news(news) if known.platform_context else news
        name = known.customer_name or news.label
        if context is not known.platform_context or name != known.customer_name:
            draft.change(platform_context=context, customer_name=name)


def note_contact(draft: Draft) -> None:
    event = draft.event
    draft.conversation = channels.acted(
        draft.conversation,
        event.source,
        _when(draft),
        event.id,
        event.address,
        event.strong_address,
    )


def note_address(draft: Draft) -> None:
    event = draft.event
    draft.conversation = channels.readdressed(
        draft.conversation, event.source, _when(draft), event.address, event.strong_address
    )


def note_floor(draft: Draft) -> None:
    """Notes the platform's word. What the customer says to us ends a handing back, also where it
    comes late: no other sender gets these words.
    """
    event, source = draft.event, draft.event.source
    if event.floor is None:
        return
    holder, moved = event.floor, isinstance(event, FloorMoved)
    to_us = holder is Holder.OURS and not moved
    rank = channels.MOVED if moved else channels.TO_US if to_us else channels.HEARD
    known = channels.floor_of(draft.conversation, source)
    after = channels.noted(known, holder, event.occurred_at, rank)
    if to_us and after.handing_back:
        after = after.model_copy(update={"handing_back": False})
    was_theirs = known is not None and known.holder is Holder.THEIRS
    draft.lost_floor = rank == channels.HEARD and after.holder is Holder.THEIRS and not was_theirs
    draft.conversation = channels.with_floor(draft.conversation, source, after)


def unsubscribe(draft: Draft) -> None:
    draft.conversation = channels.unsubscribed(draft.conversation, draft.event.source, _when(draft))


def subscribe(draft: Draft) -> None:
    draft.conversation = channels.subscribed(draft.conversation, draft.event.source, _when(draft))


def _when(draft: Draft) -> datetime:
    return draft.event.occurred_at or draft.now


def begin_recall(draft: Draft) -> None:
    draft.change(said=(), handback=None, awaited=None)


def hand_back(draft: Draft) -> None:
    draft.change(said=(), handback=_handback(draft, draft.before))


def note_words(draft: Draft) -> None:
    """A colleague's note is nothing that was said."""
    event = draft.event
    text = event.text if isinstance(event, ByCustomer | Said) else None
    if text is not None:
        line = Line(by=_speaker(draft), text=shortened(text, LINE_LIMIT))
        draft.change(said=(*draft.conversation.said, line)[-LINES_KEPT:])


def _speaker(draft: Draft) -> str | None:
    if isinstance(draft.event, ByCustomer):
        return None
    representative = getattr(draft.event, "representative", None)
    return representative.name if representative else ""


def _handback(draft: Draft, before: Conversation) -> Handback:
    request = before.request
    return Handback(
        reason=getattr(draft.event, "reason", None)
        or LEFT_BECAUSE.get(draft.event.kind, draft.event.kind),
        ended_at=draft.now,
        representatives=_who_spoke(draft, before),
        request_reason=request.reason if request else None,
        said=draft.conversation.said,
    )


def _who_spoke(draft: Draft, before: Conversation) -> tuple[str, ...]:
    """Returns those who were here last. Where they passed the customer on and no colleague came,
    these are the ones who spoke.
    """
    here = tuple(human.representative.name for human in before.humans)
    return here or tuple(dict.fromkeys(line.by for line in draft.conversation.said if line.by))


def handback_for_bot(draft: Draft) -> JsonObject:
    """Returns what the bot's copy of the customer's next words carries, and forgets it."""
    handback = draft.conversation.handback
    if (
        handback is None
        or not isinstance(draft.event, UserMessage | SuggestionResponse)
        or draft.event.said is None
    ):
        return {}
    draft.change(handback=None)
    # A newer version may have stored more. What this version does not know, it passes to no bot.
    known = Handback.model_validate(handback.model_dump(), extra="ignore")
    return {FIELD: known.model_dump(mode="json", by_alias=True, exclude_none=True)}


def measure(draft: Draft) -> None:
    """Words that could not be said to the customer, for which there is a reason, answer nothing."""
    verdict, event = draft.step.verdict, draft.event
    measured = measured_by(
        draft.before,
        draft.conversation,
        event,
        draft.now,
        said=draft.reason is None and verdict is not _SUPPRESSED,
        late=verdict is _STALE,
        written=verdict is _ACCEPTED and event.heard_by is None,
        released=draft.released,
        rated=draft.rated,
    )
    draft.change(progress=measured.progress, uncounted=measured.uncounted)
    if measured.measures:
        draft.emit(Record.of(draft.derived_id("record"), measured.measures))


def forget_lines(draft: Draft) -> None:
    empty = expect(draft.event, LineEmpty).lines
    left = tuple(one for one in draft.conversation.waits_for if one not in empty)
    draft.change(waits_for=left)
