"""What a bot is told when it speaks again after a human: why the human left, who it was, what
was said meanwhile.
"""

from shared.handoff.turn import Turn
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


def remember(turn: Turn, before: Conversation) -> None:
    """Keeps what is said while a human is here, and hands it back when the last one leaves."""
    after = turn.conversation
    if after.tracked or Phase.HUMAN not in (before.phase, after.phase):
        return
    if before.phase is not Phase.HUMAN:
        turn.change(said=(), handback=None, awaited=None)
    _note(turn)
    if after.phase is not Phase.HUMAN:
        turn.change(said=(), handback=_handback(turn, before))


def _note(turn: Turn) -> None:
    text = turn.event.text
    if text is not None:
        line = Line(by=_speaker(turn), text=shortened(text, LINE_LIMIT))
        turn.change(said=(*turn.conversation.said, line)[-LINES_KEPT:])


def _speaker(turn: Turn) -> str | None:
    if isinstance(turn.event, FromUser):
        return None
    representative = getattr(turn.event, "representative", None)
    return representative.name if representative else ""


def _handback(turn: Turn, before: Conversation) -> Handback:
    request = before.request
    return Handback(
        reason=getattr(turn.event, "reason", None)
        or LEFT_BECAUSE.get(turn.event.kind, turn.event.kind),
        ended_at=turn.now,
        representatives=tuple(human.representative.name for human in before.humans),
        request_reason=request.reason if request else None,
        said=turn.conversation.said,
    )


def told(turn: Turn) -> JsonObject:
    """Returns what the bot's copy of the customer's next words carries, and forgets it."""
    handback = turn.conversation.handback
    if (
        handback is None
        or not isinstance(turn.event, UserMessage | SuggestionResponse)
        or turn.event.said is None
    ):
        return {}
    turn.change(handback=None)
    return {FIELD: handback.model_dump(mode="json", by_alias=True, exclude_none=True)}
