"""What a bot is told when it speaks again after a human: why the human left, who it was, what
was said meanwhile.
"""

from shared.handoff.draft import Draft
from shared.handoff.visibility import FIELD
from shared.schemas.base import JsonObject
from shared.schemas.conversation import Conversation, Handback, Line, Phase
from shared.schemas.events import FromUser, SuggestionResponse, UserMessage
from shared.schemas.texts import shortened

LINES_KEPT, LINE_LIMIT = 20, 300
LEFT_BECAUSE = {
    "human_left": "the person left",
    "human_idle_timeout": "the person went quiet",
    "bot_message": "the desk's own assistant took over",
}


def remember(draft: Draft, before: Conversation) -> None:
    """Keeps what is said while a human is here, and hands it back when the last one leaves."""
    after = draft.conversation
    if after.tracked or Phase.HUMAN not in (before.phase, after.phase):
        return
    if before.phase is not Phase.HUMAN:
        draft.change(said=(), handback=None, awaited=None)
    _note(draft)
    if after.phase is not Phase.HUMAN:
        draft.change(said=(), handback=_handback(draft, before))


def _note(draft: Draft) -> None:
    text = draft.event.text
    if text is not None:
        line = Line(by=_speaker(draft), text=shortened(text, LINE_LIMIT))
        draft.change(said=(*draft.conversation.said, line)[-LINES_KEPT:])


def _speaker(draft: Draft) -> str | None:
    if isinstance(draft.event, FromUser):
        return None
    representative = getattr(draft.event, "representative", None)
    return representative.name if representative else ""


def _handback(draft: Draft, before: Conversation) -> Handback:
    request = before.request
    return Handback(
        reason=getattr(draft.event, "reason", None)
        or LEFT_BECAUSE.get(draft.event.kind, draft.event.kind),
        ended_at=draft.now,
        representatives=tuple(human.representative.name for human in before.humans),
        request_reason=request.reason if request else None,
        said=draft.conversation.said,
    )


def told(draft: Draft) -> JsonObject:
    """Returns what the bot's copy of the customer's next words carries, and forgets it."""
    handback = draft.conversation.handback
    if (
        handback is None
        or not isinstance(draft.event, UserMessage | SuggestionResponse)
        or draft.event.said is None
    ):
        return {}
    draft.change(handback=None)
    return {FIELD: handback.model_dump(mode="json", by_alias=True, exclude_none=True)}
