"""Versions, timers, since when a human is here, and when the latest fact set who speaks."""

from datetime import datetime
from typing import Literal

from shared.handoff.draft import Draft
from shared.schemas.conversation import Timer


def date_event(draft: Draft) -> None:
    draft.event = draft.event.model_copy(update={"occurred_at": draft.now})


def count_version(draft: Draft) -> None:
    draft.change(version=draft.conversation.version + 1)


def note_joining(draft: Draft) -> None:
    draft.change(human_version=draft.conversation.version)


def keep_first_response(draft: Draft) -> None:
    draft.change(first_response_seconds=draft.before.first_response_seconds)


def start_human_time(draft: Draft) -> None:
    draft.change(human_since=draft.before.human_since or draft.now)


def end_human_time(draft: Draft) -> None:
    draft.change(human_since=None)


def end_request(draft: Draft) -> None:
    draft.change(request=None)


def note_speaker(draft: Draft) -> None:
    known = (draft.before.spoke_at, draft.event.occurred_at)
    draft.change(spoke_at=max(filter(None, known)))


def stop_timer(draft: Draft) -> None:
    draft.change(timer=None)


def start_chat_timer(draft: Draft) -> None:
    _start(draft, "chat", draft.now + draft.policy.human_idle_after)


def start_idle_timer(draft: Draft) -> None:
    _start(draft, "idle", draft.now + draft.policy.human_idle_after)


def _start(draft: Draft, kind: Literal["chat", "idle"], due: datetime) -> None:
    armed = draft.conversation.version
    draft.change(timer=Timer(kind=kind, armed=armed, n=1, due_at=due))


def remind(draft: Draft) -> None:
    """A desk has its time from when it is called, also where its opening was noticed late."""
    timer = draft.conversation.timer
    if timer is not None:
        since = draft.now if timer.is_opening else timer.due_at
        due = since + draft.policy.unclaimed_after
        draft.change(timer=timer.model_copy(update={"n": timer.n + 1, "due_at": due}))
