"""Baton's own survey: what is an answer to it."""

from datetime import datetime, timedelta

from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import FromUser, SuggestionResponse

ANSWERS = ("1", "2", "3", "4", "5")
LASTS = timedelta(days=1)
_BUTTON = "baton:survey:"


def button(survey: str, answer: str) -> str:
    """Returns the postback data of an answer's button."""
    return f"{_BUTTON}{survey}:{answer}"


def is_button(event: FromUser) -> bool:
    """Returns whether the customer tapped a button of a survey, also of one that is over."""
    return _postback(event).startswith(_BUTTON)


def answer_of(event: FromUser) -> int | None:
    """Returns the answer that the customer gave, by a button or as a bare digit."""
    said = _postback(event).rpartition(":")[2] if is_button(event) else (event.said or "").strip()
    return int(said) if len(said) == 1 and said.isdecimal() and 1 <= int(said) <= 5 else None


def answers(conversation: Conversation, event: FromUser, now: datetime) -> bool:
    """Returns whether this answers the survey that waits for it. Words that were written before it
    was asked do not.
    """
    survey = conversation.survey
    if survey is None or now >= survey.until or answer_of(event) is None:
        return False
    if is_button(event):
        return _postback(event).startswith(f"{_BUTTON}{survey.id}:")
    is_late = event.occurred_at is not None and event.occurred_at < survey.asked_at
    return survey.words and conversation.phase is Phase.BOT and not is_late


def _postback(event: FromUser) -> str:
    if not isinstance(event, SuggestionResponse):
        return ""
    tapped = event.form.get("suggestionResponse")
    postback = tapped.get("postbackData") if isinstance(tapped, dict) else None
    return postback if isinstance(postback, str) else ""
