"""Business Messages' suggestions, where a platform has its own chips or none at all.

https://developers.google.com/business-communications/business-messages/reference/rest/v1/conversations.messages#suggestion
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.schemas.content import Content, Suggestion, Tap

REQUEST_HUMAN = "baton:request-human"  # the postback of the chip that stands for a liveAgentRequest
# Its label, as a liveAgentRequest has none; no more than the 20 characters of a WhatsApp button.
_ASKING: Mapping[str, str] = {
    "en": "Talk to a person",
    "es": "Hablar con alguien",
    "id": "Bicara dengan orang",
    "pt": "Falar com alguém",
    "zh": "联系人工客服",
}


def reply_of(one: Suggestion, language: str | None) -> Tap | None:
    """Returns what comes back as the customer's message when it is tapped; the wish for a person is one of these."""
    if one.live_agent_request is None:
        return one.reply
    return Tap(text=_ASKING.get(language or "en", _ASKING["en"]), postback_data=REQUEST_HUMAN)


def all_of(content: Content) -> list[Suggestion]:
    """Returns the suggestions of a message and of its cards, in the order in which one reads them."""
    return [*(one for card in cards_of(content) for one in card.suggestions), *content.suggestions]


def cards_of(content: Content) -> list[Any]:
    """Returns the contents of its cards, none for a message without."""
    card = content.rich_card
    if card is None:
        return []
    return [card.standalone_card.card_content] if card.standalone_card else list(card.carousel_card.card_contents)  # type: ignore[union-attr]  # exactly one of the two is given


def lines(suggestions: Iterable[Suggestion], language: str | None) -> list[str]:
    """Returns suggestions as lines of text, where they cannot be tapped: addresses and numbers in plain sight."""
    return [line for one in suggestions if (line := _line(one, language))]


def _line(one: Suggestion, language: str | None) -> str | None:
    tap = reply_of(one, language) or one.action
    if tap is None:
        return None
    extra = tap.model_extra or {}
    target = _inner(extra, "openUrlAction", "url") or _inner(extra, "dialAction", "phoneNumber")
    return f"• {tap.text}: {target}" if target else f"• {tap.text}"


def _inner(extra: Mapping[str, Any], action: str, field: str) -> str | None:
    inner = extra.get(action)
    value = inner.get(field) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else None
