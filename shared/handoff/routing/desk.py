"""Which desk gets which handoff: the first that is open of those for its channel and language,
else the first.
"""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticKnownError

from shared.handoff.routing.hours import Hours
from shared.schemas.conversation import Conversation
from shared.schemas.desk_kinds import DESK_KINDS, PLACED, PLACES, Way
from shared.schemas.languages import language_of
from shared.schemas.notation import platform_of
from shared.values import frozen

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


def _kind(given: object) -> object:
    """The message is the one that pydantic has for a list of literals."""
    if isinstance(given, str) and given in DESK_KINDS:
        return given
    *others, last = map(repr, DESK_KINDS)
    raise PydanticKnownError("literal_error", {"expected": f"{', '.join(others)} or {last}"})


def _kinds_that(can: str) -> str:
    return ", ".join(kind for kind, able in DESK_KINDS.items() if getattr(able, can))


def _name(given: str) -> str:
    if not _NAME.fullmatch(given):
        raise ValueError(
            "give up to 64 small letters and digits, with - and _ after the first, like north-2"
        )
    return given


def tags_of_languages(given: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the languages of these tags. Raises ValueError."""
    if not all(_TAG.fullmatch(one) for one in given):
        raise ValueError("give tags of languages, like id or pt-BR")
    return tuple(language_of(one) for one in given)


class Desk(BaseModel):
    """Where human agents are. Without channels, languages or hours it takes any, at any time.

    `outside` is what becomes of a handoff while the desk is closed: it fails, or waits until the
    desk opens. `menu` is the queue of its chats, None for the one in the platform's own setting.

    Of a desk whose chats are rooms or threads: `place` is where they are opened, `invite` are the
    people who are invited into each. With `claim` "first", what people write there reaches the
    customer only after they have claimed the conversation; with "at-once" they join by writing.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )

    name: Annotated[str, AfterValidator(_name)]
    kind: Annotated[str, BeforeValidator(_kind)] = "api"
    channels: tuple[str, ...] = ()
    languages: Annotated[tuple[str, ...], AfterValidator(tags_of_languages)] = ()
    hours: Hours | None = None
    holidays: frozenset[date] = frozenset()
    outside: Literal["fail", "wait"] = "fail"
    menu: int | None = None
    place: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    invite: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    claim: Literal["at-once", "first"] = "at-once"

    @model_validator(mode="after")
    def _holidays_of_hours(self) -> Self:
        if self.holidays and self.hours is None:
            raise ValueError(
                "holidays: give hours too; they name the time zone in which a day is a day"
            )
        return self

    @model_validator(mode="after")
    def _only_what_its_kind_has(self) -> Self:
        kind = DESK_KINDS[self.kind]
        if self.menu is not None and not kind.has_menus:
            raise ValueError(
                f"menu: only desks of kind {_kinds_that('has_menus')} have queues that a chat can "
                "be put in"
            )
        given = self.model_fields_set & {"place", "invite", "claim"}
        if given and not kind.is_thread:
            raise ValueError(
                f"{', '.join(sorted(given))}: only desks of kind {_kinds_that('is_thread')} have "
                "chats that are rooms or threads"
            )
        pattern, example = PLACES.get(self.kind, ("", ""))
        if pattern and self.place is not None and not re.fullmatch(pattern, self.place):
            raise ValueError(f"place: give {example}")
        if self.kind in PLACED and self.place is None:
            raise ValueError(f"place: is missing; give {example}")
        return self

    @property
    def opens_chats(self) -> bool:
        return DESK_KINDS[self.kind].way is Way.OPENS_CHATS

    @property
    def must_be_called(self) -> bool:
        return DESK_KINDS[self.kind].way.must_be_called

    def takes(self, conversation: Conversation, language: str) -> bool:
        """Returns whether the desk takes such a handoff, and can read and answer the customer."""
        channel = not self.channels or conversation.platform in self.channels
        return (
            channel
            and self._reaches(conversation)
            and (not self.languages or language in self.languages)
        )

    def _reaches(self, conversation: Conversation) -> bool:
        """Where Baton only tracks, the words in a chat do not reach the customer."""
        if DESK_KINDS[self.kind].way is Way.HAS_CONVERSATION:
            return self.kind in map(platform_of, (conversation.id, *conversation.links))
        return not (self.opens_chats and conversation.tracked)

    def is_open(self, now: datetime) -> bool:
        return self.hours is None or self.hours.is_open(now, self.holidays)

    def next_opening(self, now: datetime) -> datetime | None:
        return self.hours.next_opening(now, self.holidays) if self.hours else None


API_READERS = Desk(name="api")


@frozen
class Route:
    """`opens` is when a closed desk opens, in its time zone. None: it is open, or never opens."""

    desk: Desk
    closed: bool = False
    opens: datetime | None = None

    @property
    def waits(self) -> bool:
        """Returns whether the customer waits until the desk opens."""
        return self.closed and self.desk.outside == "wait" and self.opens is not None


def route(desks: Sequence[Desk], conversation: Conversation, now: datetime, language: str) -> Route:
    """Returns where a handoff goes. `language` is that of a customer whose own is not known.

    Where no desk takes it, the readers of the API and the topics get it, so that a gap in the
    settings loses no customer.
    """
    spoken = language_of(conversation.locale) or language
    matching = [desk for desk in desks if desk.takes(conversation, spoken)] or [API_READERS]
    found = next((desk for desk in matching if desk.is_open(now)), matching[0])
    return _at(found, conversation, now)


def standing(
    desks: Sequence[Desk], conversation: Conversation, now: datetime, language: str
) -> Route:
    """Returns the desk of the handoff under way, closed where it is and no other that takes the
    handoff is open.
    """
    next_route = route(desks, conversation, now, language)
    return (
        _at(_desk_asked(desks, conversation), conversation, now)
        if next_route.closed
        else next_route
    )


def passes_on(
    desks: Sequence[Desk], conversation: Conversation, now: datetime, language: str
) -> bool:
    """Returns whether the desk of the handoff under way is closed while another is open that
    takes it.
    """
    own_is_closed = _at(_desk_asked(desks, conversation), conversation, now).closed
    return own_is_closed and not route(desks, conversation, now, language).closed


def next_wait(
    desks: Sequence[Desk],
    conversation: Conversation,
    now: datetime,
    language: str,
    name: str | None,
) -> Route:
    """Returns where a customer waits next who is passed on: at the desk of that name. Without a
    name it is the desk of the handoff under way, or one that is open while that is closed.
    """
    if name is not None:
        named = next((one for one in desks if one.name == name), API_READERS)
        return _at(named, conversation, now)
    other = route(desks, conversation, now, language)
    if conversation.request is None:
        return other
    own = _at(_desk_asked(desks, conversation), conversation, now)
    return other if own.closed and not other.closed else own


def _desk_asked(desks: Sequence[Desk], conversation: Conversation) -> Desk:
    asked = conversation.request.desk if conversation.request else None
    return next((one for one in desks if one.name == asked), API_READERS)


def _at(desk: Desk, conversation: Conversation, now: datetime) -> Route:
    """A tracked conversation has its own platform's people, whose hours Baton does not know."""
    if conversation.tracked or desk.is_open(now):
        return Route(desk)
    return Route(desk, closed=True, opens=desk.next_opening(now))


def desk_list(value: object) -> object:
    """Returns the desks of a setting. Raises ValueError, which says what is wrong."""
    if not isinstance(value, str):
        return value
    try:
        given = json.loads(value)
    except json.JSONDecodeError:
        given = None
    if not isinstance(given, list):
        raise ValueError('give a JSON list, like [{"name": "berlin", "languages": ["de"]}]')
    return given


def distinct(desks: tuple[Desk, ...]) -> tuple[Desk, ...]:
    """Returns them. Raises ValueError where two have one name."""
    names = [desk.name for desk in desks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two desks are called {twice}")
    return desks
