"""The messages that the simulated Business Messages refuses: those over a documented limit, and
those without a required value.

https://developers.google.com/business-communications/business-messages/reference/rest/v1/conversations.messages
Names that the reference does not have are accepted: Baton passes them on.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.local.simulators.bodies import at

CONTENT = ("text", "richCard", "image")
SUGGESTIONS = ("reply", "action", "liveAgentRequest", "authenticationRequest")
ACTIONS = ("openUrlAction", "dialAction")
TEXT_LIMIT, SUGGESTION_LIMIT, CARD_SUGGESTION_LIMIT = 3072, 13, 4
TITLE_LIMIT, DESCRIPTION_LIMIT, CARDS = 200, 2000, range(2, 11)
LABEL_LIMIT, POSTBACK_LIMIT = 25, 2048


def fault_of(message: Mapping[str, Any]) -> str | None:
    """Returns why a message is refused, None for a message that is accepted."""
    return next(_faults(message), None)


def _faults(message: Mapping[str, Any]) -> Iterator[str]:
    if not message.get("messageId") or sum(name in message for name in CONTENT) != 1:
        yield f"messageId and exactly one of {', '.join(CONTENT)} are required."
    if "text" in message:
        yield from _wrong_text("text", message["text"], TEXT_LIMIT)
    if "fallback" in message:
        yield from _wrong_text("fallback", message["fallback"], TEXT_LIMIT)
    if "image" in message and not at(message, "image", "contentInfo", "fileUrl"):
        yield "image.contentInfo.fileUrl is required."
    yield from _wrong_suggestions(message.get("suggestions", []), SUGGESTION_LIMIT)
    if "richCard" in message:
        yield from _wrong_cards(message["richCard"])


def _wrong_cards(card: Mapping[str, Any]) -> Iterator[str]:
    if sum(name in card for name in ("standaloneCard", "carouselCard")) != 1:
        yield "richCard holds standaloneCard or carouselCard."
    carousel = at(card, "carouselCard", "cardContents")
    if "carouselCard" in card:
        if len(carousel or ()) not in CARDS:
            yield f"A carousel has {CARDS[0]} to {CARDS[-1]} cards."
        if at(card, "carouselCard", "cardWidth") not in ("SMALL", "MEDIUM"):
            yield "cardWidth is SMALL or MEDIUM."
    for one in carousel or [at(card, "standaloneCard", "cardContent") or {}]:
        yield from _wrong_text("title", one.get("title", "-"), TITLE_LIMIT)
        yield from _wrong_text("description", one.get("description", "-"), DESCRIPTION_LIMIT)
        if "media" in one and not at(one, "media", "contentInfo", "fileUrl"):
            yield "media.contentInfo.fileUrl is required."
        yield from _wrong_suggestions(one.get("suggestions", []), CARD_SUGGESTION_LIMIT)


def _wrong_suggestions(suggestions: list[Mapping[str, Any]], most: int) -> Iterator[str]:
    if len(suggestions) > most:
        yield f"There are more than {most} suggestions."
    for one in suggestions:
        if sum(name in one for name in SUGGESTIONS) != 1:
            yield f"A suggestion holds exactly one of {', '.join(SUGGESTIONS)}."
        tap = one.get("reply", one.get("action"))
        if tap is not None:
            yield from _wrong_text("text of a suggestion", tap.get("text"), LABEL_LIMIT)
            yield from _wrong_text("postbackData", tap.get("postbackData"), POSTBACK_LIMIT, 0)
        if "action" in one and sum(name in one["action"] for name in ACTIONS) != 1:
            yield f"An action holds exactly one of {', '.join(ACTIONS)}."


def _wrong_text(name: str, text: object, most: int, least: int = 1) -> Iterator[str]:
    if not isinstance(text, str) or not least <= len(text) <= most:
        yield f"{name} must be a text of {least} to {most} characters."
