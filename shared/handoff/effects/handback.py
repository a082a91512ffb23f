"""What a bot gets when it speaks again after a human: why the human left, who it was, what was
said.
"""

from shared.handoff.draft import Draft
from shared.handoff.visibility import FIELD
from shared.schemas.base import JsonObject
from shared.schemas.conversation import Conversation, Handback, Line
from shared.schemas.events import ByCustomer, SuggestionResponse, UserMessage
from shared.schemas.texts import shortened

LINES_KEPT, LINE_LIMIT = 20, 300
LEFT_BECAUSE = {
    "human_left": "the person left",
    "human_idle_timeout": "the person went quiet",
    "bot_message": "the desk's own assistant took over",
}


def begin(draft: Draft) -> None:
    draft.change(said=(), handback=None, awaited=None)


def hand_back(draft: Draft) -> None:
    draft.change(said=(), handback=_handback(draft, draft.before))


def note_words(draft: Draft) -> None:
    text = draft.event.text
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
        representatives=tuple(human.representative.name for human in before.humans),
        request_reason=request.reason if request else None,
        said=draft.conversation.said,
    )


def field_for_bot(draft: Draft) -> JsonObject:
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
