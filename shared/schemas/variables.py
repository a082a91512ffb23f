"""Session variables: what a virtual agent captures, who may see it, and where it came from.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/post-events-for-vtas
https://docs.cloud.google.com/contact-center/ccai-platform/docs/va-custom-payload
"""

import math
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from shared.schemas.base import JsonObject, NonEmpty, Stored, Theirs
from shared.schemas.notation import Time, time_or_none
from shared.values import frozen

DEEPEST = 20  # levels of lists and objects in a value
_HIGHEST, _DIGITS = 2**63 - 1, 19
_SESSIONS = ("chat_id", "call_id")
_STORABLE = f"values of at most {DEEPEST} levels, and finite numbers"


def _storable(variables: JsonObject) -> JsonObject:
    """Returns `variables`.

    Raises ValueError if a value could not be read back from the store's JSON.

    A document with such a value would be lost as a whole. The error names no key, because keys may
    be confidential.
    """
    if not all(_is_storable(value, DEEPEST) for value in variables.values()):
        raise ValueError(f"a value is nested deeper than {DEEPEST} levels, or no finite number")
    return variables


def _is_storable(value: JsonValue, levels: int) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels >= 0 and all(_is_storable(one, levels - 1) for one in inner)


def _text_or_none(value: object) -> str | None:
    """Returns the text of an optional field, whichever JSON type it has, or None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return str(value) if isinstance(value, str | int | float) else None
    except ValueError:  # Python limits the digits of a number that it converts
        return None


def _object_or_none(value: object) -> object:
    """Returns the values of an object that can be stored, or None."""
    if not isinstance(value, dict):
        return None
    return {key: one for key, one in value.items() if _is_storable(one, DEEPEST)}


def _number_or_none(value: object) -> int | None:
    """Returns a whole number, also from a text of digits, or None."""
    if isinstance(value, str):
        digits = value.strip()
        return (
            int(digits)
            if digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS
            else None
        )
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _session(value: object) -> int | None:
    """Returns the number of a session, or None if there is none. Raises ValueError."""
    if value is None or value == "":
        return None
    number = _number_or_none(value)
    if number is None or not 0 <= number <= _HIGHEST:
        raise ValueError(f"expected a whole number from 0 to {_HIGHEST}, or a text of its digits")
    return number


def _names_session(value: object) -> bool:
    try:
        return _session(value) is not None
    except ValueError:
        return False


# What is read of these fields is narrower than what may stand there, which the schemas say.
Given = str | int | float | None
LenientTime = Annotated[Time | None, BeforeValidator(time_or_none, json_schema_input_type=Given)]
LenientText = Annotated[str | None, BeforeValidator(_text_or_none, json_schema_input_type=Given)]
LenientNumber = Annotated[
    int | None, BeforeValidator(_number_or_none, json_schema_input_type=Given)
]
LenientObject = Annotated[JsonObject | None, BeforeValidator(_object_or_none)]
SessionId = Annotated[int | None, BeforeValidator(_session, json_schema_input_type=Given)]
Values = Annotated[JsonObject, AfterValidator(_storable)]


class Audience(StrEnum):
    """Who may see a variable: consumers of events, the human agent, readers of the CRM record."""

    EVENT = "event"
    AGENT = "agent"
    COMMENT = "comment"


class Snake(Theirs):
    """Data of the CCAI Platform, which uses snake_case."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=None)


class CapturedVariables(Snake):
    intent_name: LenientText = None
    variables: JsonObject
    captured_at: LenientTime = None
    timestamp: LenientTime = None


@frozen
class Unread:
    """A part of an event that could not be read: its place and the expected type.

    It contains neither keys nor values.
    """

    field: str
    expected: str


def _captures(given: object) -> tuple[list[object], list[Unread]]:
    """Returns the captures that can be read, and descriptions of the others."""
    if given is None:
        return [], []
    if not isinstance(given, list):
        return [], [Unread("captured_variables", "expected a list of objects")]
    captures, unread = list[object](), list[Unread]()
    for number, capture in enumerate(given):
        field = f"captured_variables.{number}"
        variables = capture.get("variables") if isinstance(capture, dict) else None
        if not isinstance(capture, dict):
            unread.append(Unread(field, "expected an object with variables"))
        elif isinstance(variables, dict):
            kept = {key: one for key, one in variables.items() if _is_storable(one, DEEPEST)}
            captures += [{**capture, "variables": kept}] if kept else []
            if len(kept) < len(variables):
                unread.append(Unread(f"{field}.variables", f"expected {_STORABLE}"))
        elif variables is not None:
            unread.append(Unread(f"{field}.variables", "expected an object of keys and values"))
    return captures, unread


def _only_usable(given: dict[object, object]) -> dict[str, None]:
    """Returns a change that removes a session id that cannot be read, if the other one can."""
    usable = [name for name in _SESSIONS if _names_session(given.get(name))]
    return {name: None for name in _SESSIONS if usable and name not in usable}


class TaskVirtualAgent(Snake):
    """The data of a Task_VA event. Only its session id is required.

    Other fields may be missing or null, and numbers may be sent as texts or the other way round.
    Captures that cannot be read are described in `unread`.
    """

    chat_id: SessionId = None
    call_id: SessionId = None
    campaign_id: LenientNumber = None
    campaign_name: LenientText = None
    virtual_agent_id: LenientNumber = None
    virtual_agent_name: LenientText = None
    participant_id: LenientNumber = None
    queue_id: LenientNumber = None
    queue_path: LenientText = None
    queue_language_id: LenientText = None
    session_type: LenientText = None
    conversation_id: LenientText = None
    session_id: LenientText = None
    timestamp: LenientTime = None
    finish_reason: LenientText = None
    data_parameters: LenientObject = None
    captured_variables: tuple[CapturedVariables, ...] = ()
    unread: tuple[Unread, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        captures, unread = _captures(given.get("captured_variables"))
        given_to_it = given.get("data_parameters")
        if isinstance(given_to_it, dict) and _object_or_none(given_to_it) != given_to_it:
            unread.append(Unread("data_parameters", f"expected {_STORABLE}"))
        read = {**given, "captured_variables": captures, "unread": unread}
        return read | _only_usable(given)

    @model_validator(mode="after")
    def _one_session(self) -> Self:
        if (self.chat_id is None) == (self.call_id is None):
            raise ValueError("give either chat_id or call_id")
        return self

    @property
    def native(self) -> str:
        """Returns the session as part of a conversation id: `chat-103646` or `call-7`."""
        return f"chat-{self.chat_id}" if self.chat_id is not None else f"call-{self.call_id}"


TaskType = Literal["Task_VA_Joined", "Task_VA_Left", "Task_VA_Variables_Received"]


class SessionVariable(Snake):
    """The `session_variable` of a Dialogflow payload: what to capture, and from whom each key is
    hidden.
    """

    payload: Values | None = None
    capture_target: Literal["payload", "end_user_response"] = "payload"
    capture_key: NonEmpty | None = None
    capture_type: Annotated[
        tuple[Literal["event", "agent", "comment", "data_parameters"], ...], Field(min_length=1)
    ]
    invisible_to_agent: tuple[str, ...] = ()
    invisible_to_adapter_events: tuple[str, ...] = ()
    display_order_in_adapter: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _what_to_capture(self) -> Self:
        if self.capture_target == "payload" and self.payload is None:
            raise ValueError("capture_target payload needs a payload")
        if self.capture_target == "end_user_response" and self.capture_key is None:
            raise ValueError("capture_target end_user_response needs a capture_key")
        return self


class Action(Snake):
    """The action of a Dialogflow payload: escalate to a human, end, or transfer to a particular
    agent. Only the action is required.
    """

    type: Literal["action"] = "action"
    action: Literal["escalation", "end", "direct"]
    escalation_reason: JsonValue = None
    allow_virtual_agent: JsonValue = None
    menu_id: JsonValue = None
    agent_extension: JsonValue = None
    fallback_menu: JsonValue = None
    language: JsonValue = None


class Ujet(Snake):
    """The custom payload `ujet`.

    Kinds that Baton does not use (texts, buttons, media) are ignored.
    """

    session_variable: SessionVariable | None = None


class Provenance(Stored):
    """Where a value came from.

    `signed`: from the platform itself; else an agent's browser reported it.

    It is part of a public topic.
    """

    model_config = ConfigDict(alias_generator=None)

    signed: bool
    agent: str | None = None
    origin: str | None = None
    seen_at: Time | None = None


class Variable(Stored):
    """The latest value of a key, and which audiences may see it.

    If no audience may see it, the value is not stored: the key only replaces an earlier value. A
    null value is left out of the stored form.

    `said_in` is the id of the customer's message whose words it is, None for any other value.
    """

    key: str
    value: JsonValue = None
    captured_at: Time
    audiences: tuple[Audience, ...]
    provenance: Provenance
    said_in: str | None = None
