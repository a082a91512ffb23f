"""Business Messages' suggestions on platforms that have other suggestions or none.

https://developers.google.com/business-communications/business-messages/reference/rest/v1/conversations.messages#suggestion
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.logs import log
from shared.platforms.bodies import child, text_at
from shared.platforms.map_links import map_link
from shared.schemas.content import SUGGESTIONS, Content, Suggestion, Tap

# the postback data of the reply that replaces a liveAgentRequest
REQUEST_HUMAN = "baton:request-human"
# The postback data of the reply by which a customer with a username shares the number.
REQUEST_CONTACT = "baton:request-contact-info"
# Its label, because a liveAgentRequest has none. A WhatsApp button takes at most 20 characters.
_ASKING: Mapping[str, str] = {
    "en": "Talk to a person",
    "es": "Hablar con alguien",
    "id": "Bicara dengan orang",
    "pt": "Falar com alguém",
    "zh": "联系人工客服",
}


def without_sign_in(content: Content, platform: str) -> Content:
    """Returns the message for a channel without sign-in.

    That is the message's fallback with its other suggestions. If it has no fallback, only the
    sign-in suggestion is removed, and a WARNING is logged.
    """
    if all(one.authentication_request is None for one in all_of(content)):
        return content
    if content.fallback is None:
        left_out(
            "a suggestion to sign in was left out; give the message a fallback with the address",
            platform,
        )
        return content
    own = [one for one in content.suggestions if one.authentication_request is None]
    asking = [
        one
        for card in cards_of(content)
        for one in card.suggestions
        if one.live_agent_request is not None
    ]
    return Content(text=content.fallback, suggestions=tuple((*own, *asking)[:SUGGESTIONS]))


def left_out(what: str, platform: str) -> None:
    """Logs a WARNING that the customer does not see a part of a message."""
    log("WARNING", what, platform=platform)


def reply_of(one: Suggestion, language: str | None) -> Tap | None:
    """Returns the reply that a tap sends as the customer's message, or None for other suggestions.

    A liveAgentRequest is sent as such a reply.
    """
    if one.live_agent_request is None:
        return one.reply
    return Tap(text=_ASKING.get(language or "en", _ASKING["en"]), postback_data=REQUEST_HUMAN)


def all_of(content: Content) -> list[Suggestion]:
    """Returns the suggestions of a message's cards, then those of the message, in reading order."""
    return [*(one for card in cards_of(content) for one in card.suggestions), *content.suggestions]


def cards_of(content: Content) -> list[Any]:
    """Returns the contents of a message's cards, an empty list if it has none."""
    card = content.rich_card
    if card is None:
        return []
    if card.standalone_card is not None:
        return [card.standalone_card.card_content]
    return list(card.carousel_card.card_contents) if card.carousel_card is not None else []


def lines(suggestions: Iterable[Suggestion], language: str | None) -> list[str]:
    """Returns suggestions as lines of text with their URLs and numbers, for channels where they
    cannot be tapped.
    """
    return [line for one in suggestions if (line := _line(one, language))]


def _line(one: Suggestion, language: str | None) -> str | None:
    tap = reply_of(one, language) or one.action
    if tap is None:
        return None
    target = _target(tap.model_extra or {})
    return f"• {tap.text}: {target}" if target else f"• {tap.text}"


def _target(extra: Mapping[str, Any]) -> str | None:
    """Returns the target of an action as text: a URL, a number, a place or a time."""
    place, when = child(extra, "viewLocationAction"), child(extra, "createCalendarEventAction")
    write = child(child(extra, "composeAction"), "composeTextMessage")
    where = child(place, "latLong")
    found = (
        text_at(child(extra, "openUrlAction"), "url"),
        text_at(child(extra, "dialAction"), "phoneNumber"),
        map_link(where.get("latitude"), where.get("longitude"))
        if where
        else text_at(place, "query"),
        ", ".join(
            filter(None, (text_at(when, name) for name in ("title", "startTime", "endTime")))
        ),
        ", ".join(filter(None, (text_at(write, name) for name in ("phoneNumber", "text")))),
        text_at(child(child(extra, "composeAction"), "composeRecordingMessage"), "phoneNumber"),
        text_at(extra, "fallbackUrl"),
    )
    return next(filter(None, found), None)
