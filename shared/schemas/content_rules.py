"""Rules for new messages beyond the schema, so that no channel refuses what Baton has accepted.

Stored content is not checked again: messages accepted under older rules must stay readable.

https://developers.google.com/business-communications/business-messages/reference/rest/v1/conversations.messages
https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/phones.agentMessages
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pydantic_core

from shared.schemas.content import (
    CardContent,
    Content,
    ContentInfo,
    File,
    RichCard,
    Suggestion,
    Tap,
)

# characters; RCS resellers document this limit, and no vendor documents a smaller one
ADDRESS_LIMIT = 2000
WHOLE_LIMIT = 240_000  # bytes of the message as JSON; the RCS limit is 250 KB for the request
ACTIONS = (
    *("openUrlAction", "dialAction"),  # Business Messages and RCS; RCS only:
    *("viewLocationAction", "createCalendarEventAction", "shareLocationAction", "composeAction"),
)
WORDS_OF_A_FILE = 1024  # characters; WhatsApp's limit of a caption
FILE_NAME_LIMIT = 240  # characters; the limit of WhatsApp's documents
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}( *;.{0,200})?")
_NO_NAME = re.compile(r"[\x00-\x1f\x7f/\\]")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_NUMBER = re.compile(r"\+[0-9][0-9().\-]*")  # RFC 3966, a global number
_NOT_IN_PARAMETERS = re.compile(r"[\n\r\t]| {5}")
_Fault = tuple[str, str]


def first_fault(content: Content) -> _Fault | None:
    """Returns the field that breaks a rule and the reason, or None if the content is valid."""
    return next(_faults(content), None)


def is_address(value: object) -> bool:
    """Returns whether this is an absolute, percent-encoded http or https URL."""
    if not isinstance(value, str) or len(value) > ADDRESS_LIMIT or not _ADDRESS.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _faults(content: Content) -> Iterator[_Fault]:
    yield from _blank("text", content.text)
    yield from _blank("fallback", content.fallback)
    if content.image is not None:
        yield from _info("image.contentInfo", content.image.content_info)
    if content.file is not None:
        yield from _file(content.file)
    if content.rich_card is not None:
        yield from _rich_card(content.rich_card)
    yield from _suggestions("suggestions", content.suggestions)
    if content.template is not None:
        yield from _template(content)
    if (
        len(
            pydantic_core.to_json(content.model_dump(mode="json", by_alias=True, exclude_none=True))
        )
        > WHOLE_LIMIT
    ):
        yield "", f"the message has more than {WHOLE_LIMIT} bytes as JSON"


def _template(content: Content) -> Iterator[_Fault]:
    """What Meta refuses, or what would be lost."""
    parameters = content.template.parameters if content.template else ()
    for place, one in enumerate(parameters):
        field = f"template.parameters.{place}"
        yield from _blank(field, one)
        if _NOT_IN_PARAMETERS.search(one):
            yield field, "must have no line break, no tab and no more than 4 spaces in a row"
    if content.suggestions:
        yield "suggestions", "a template has its own buttons; leave suggestions out"


def _blank(field: str, value: str | None) -> Iterator[_Fault]:
    if value is not None and not value.strip():
        yield field, "must not be blank"


def _rich_card(card: RichCard) -> Iterator[_Fault]:
    if card.standalone_card is not None:
        yield from _card("richCard.standaloneCard.cardContent", card.standalone_card.card_content)
    carousel = card.carousel_card
    for place, one in enumerate(carousel.card_contents if carousel else ()):
        field = f"richCard.carouselCard.cardContents.{place}"
        if (
            carousel
            and carousel.card_width == "SMALL"
            and one.media is not None
            and one.media.height == "TALL"
        ):
            yield f"{field}.media.height", "must be SHORT or MEDIUM where cardWidth is SMALL"
        yield from _card(field, one)


def _card(field: str, card: CardContent) -> Iterator[_Fault]:
    yield from _blank(f"{field}.title", card.title)
    yield from _blank(f"{field}.description", card.description)
    if card.title is None and card.description is None and card.media is None:
        yield field, "give a title, a description or media"
    if card.media is not None:
        yield from _info(f"{field}.media.contentInfo", card.media.content_info)
    yield from _suggestions(f"{field}.suggestions", card.suggestions)


def _info(field: str, info: ContentInfo) -> Iterator[_Fault]:
    yield from _address(f"{field}.fileUrl", info.file_url)
    if info.thumbnail_url is not None:
        yield from _address(f"{field}.thumbnailUrl", info.thumbnail_url)


def _file(file: File) -> Iterator[_Fault]:
    if (file.file_url is None) == (file.media_id is None):
        yield "file", "give exactly one of fileUrl and mediaId"
    if file.file_url is not None:
        yield from _address("file.fileUrl", file.file_url)
        if not file.file_url.lower().startswith("https://"):
            yield "file.fileUrl", "must begin with https, because channels fetch nothing else"
    yield from _blank("file.altText", file.alt_text)
    if len(file.alt_text or "") > WORDS_OF_A_FILE:
        yield "file.altText", f"must have at most {WORDS_OF_A_FILE} characters"
    yield from file_faults(file, "file.")


def file_faults(file: File, of: str = "") -> Iterator[_Fault]:
    """Returns what is wrong with the type and the name of a file."""
    if file.mime_type is not None and not _TYPE.fullmatch(file.mime_type):
        yield f"{of}mimeType", "must be a MIME type, like application/pdf"
    name = file.file_name
    if name is not None and (
        len(name) > FILE_NAME_LIMIT or _NO_NAME.search(name) or not name.strip(" .")
    ):
        words = f"must be a name without slashes, of at most {FILE_NAME_LIMIT} characters"
        yield f"{of}fileName", words


def _address(field: str, value: object) -> Iterator[_Fault]:
    if not is_address(value):
        yield (
            field,
            f"must be a percent-encoded http or https address of at most {ADDRESS_LIMIT} "
            f"characters",
        )


def _number(field: str, value: object) -> Iterator[_Fault]:
    digits = (
        sum(one.isdecimal() for one in value)
        if isinstance(value, str) and _NUMBER.fullmatch(value)
        else 0
    )
    if not 4 <= digits <= 15:
        yield field, "must be an international number with its +, like +12025550100"


def _suggestions(field: str, suggestions: tuple[Suggestion, ...]) -> Iterator[_Fault]:
    for place, suggestion in enumerate(suggestions):
        yield from _suggestion(f"{field}.{place}", suggestion)


def _suggestion(field: str, suggestion: Suggestion) -> Iterator[_Fault]:
    kinds = (
        suggestion.reply,
        suggestion.action,
        suggestion.live_agent_request,
        suggestion.authentication_request,
    )
    if sum(kind is not None for kind in kinds) != 1:
        yield field, "give exactly one of reply, action, liveAgentRequest and authenticationRequest"
    if suggestion.reply is not None:
        yield from _tap(f"{field}.reply", suggestion.reply)
    if suggestion.action is not None:
        yield from _tap(f"{field}.action", suggestion.action)
        yield from _action(f"{field}.action", suggestion.action.model_extra or {})
    if suggestion.authentication_request is not None:
        yield from _sign_in(
            f"{field}.authenticationRequest.oauth", suggestion.authentication_request.get("oauth")
        )


def _tap(field: str, tap: Tap) -> Iterator[_Fault]:
    yield from _blank(f"{field}.text", tap.text)
    if not tap.postback_data or tap.postback_data != tap.postback_data.strip():
        yield f"{field}.postbackData", "must not be empty, nor begin or end with a blank"


def _action(field: str, given: Mapping[str, Any]) -> Iterator[_Fault]:
    kinds = [kind for kind in ACTIONS if given.get(kind) is not None]
    if len(kinds) != 1 or not isinstance(given[kinds[0]], dict):
        yield field, f"give exactly one of {', '.join(ACTIONS)}, an object"
        return
    (kind,) = kinds
    yield from _CHECKS[kind](f"{field}.{kind}", given[kind])
    if given.get("fallbackUrl") is not None:
        yield from _address(f"{field}.fallbackUrl", given["fallbackUrl"])


def _place(field: str, given: Mapping[str, Any]) -> Iterator[_Fault]:
    where = given.get("latLong")
    if where is None:
        yield from _words(field, given, "query")
        return
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = where.get(name) if isinstance(where, dict) else None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not -most <= value <= most
        ):
            yield f"{field}.latLong.{name}", f"must be a number from -{most} to {most}"


def _words(field: str, given: Mapping[str, Any], *names: str) -> Iterator[_Fault]:
    for name in names:
        if not isinstance(given.get(name), str) or not given[name].strip():
            yield f"{field}.{name}", "must be a text that is not blank"


def _compose(field: str, given: Mapping[str, Any]) -> Iterator[_Fault]:
    kinds = [
        kind
        for kind in ("composeTextMessage", "composeRecordingMessage")
        if isinstance(given.get(kind), dict)
    ]
    if len(kinds) != 1:
        yield field, "give exactly one of composeTextMessage and composeRecordingMessage, an object"
        return
    (kind,) = kinds
    yield from _number(f"{field}.{kind}.phoneNumber", given[kind].get("phoneNumber"))
    yield from _words(
        f"{field}.{kind}", given[kind], "text" if kind == "composeTextMessage" else "type"
    )


_CHECKS = {
    "openUrlAction": lambda field, given: _address(f"{field}.url", given.get("url")),
    "dialAction": lambda field, given: _number(f"{field}.phoneNumber", given.get("phoneNumber")),
    "viewLocationAction": _place,
    "createCalendarEventAction": lambda field, given: _words(
        field, given, "startTime", "endTime", "title"
    ),
    "shareLocationAction": lambda _field, _given: iter(()),
    "composeAction": _compose,
}


def _sign_in(field: str, oauth: object) -> Iterator[_Fault]:
    if not isinstance(oauth, dict):
        yield field, "must be an object"
        return
    yield from _words(field, oauth, "clientId", "codeChallenge")
    scopes = oauth.get("scopes")
    if (
        not isinstance(scopes, list)
        or not scopes
        or not all(isinstance(one, str) and one for one in scopes)
    ):
        yield f"{field}.scopes", "must be a list of texts, not empty"
