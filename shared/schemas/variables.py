"""Session variables: what a virtual agent captures, who may see it, and who says so.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/post-events-for-vtas
https://docs.cloud.google.com/contact-center/ccai-platform/docs/va-custom-payload
"""

import math
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, StrictInt, model_validator

from shared.schemas.base import JsonObject, NonEmpty, Ours, Theirs
from shared.schemas.times import Time, time_or_none

DEEPEST = 20  # levels of lists and objects in a value


def _storable(variables: JsonObject) -> JsonObject:
    """A record that holds what its parser cannot read again would be lost as a whole. Names no key: it may tell."""
    if not all(_is_storable(value, DEEPEST) for value in variables.values()):
        raise ValueError(f"a value is nested deeper than {DEEPEST} levels, or no finite number")
    return variables


def _is_storable(value: JsonValue, levels: int) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels >= 0 and all(_is_storable(one, levels - 1) for one in inner)


LenientTime = Annotated[Time | None, BeforeValidator(time_or_none)]
SessionId = Annotated[StrictInt, Field(ge=0)]
Values = Annotated[JsonObject, AfterValidator(_storable)]


class Audience(StrEnum):
    """Who may see a variable: listeners of events, the human agent, readers of the CRM record."""

    EVENT = "event"
    AGENT = "agent"
    COMMENT = "comment"


class Snake(Theirs):
    """The CCAI Platform writes snake_case."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=None)


class CapturedVariables(Snake):
    intent_name: str | None = None
    variables: Values
    captured_at: LenientTime = None
    timestamp: LenientTime = None


class TaskVirtualAgent(Snake):
    """The data of a Task_VA event. Either `chat_id` or `call_id`; what is optional is omitted or null."""

    chat_id: SessionId | None = None
    call_id: SessionId | None = None
    campaign_id: StrictInt | None = None
    campaign_name: str | None = None
    virtual_agent_id: StrictInt | None = None
    virtual_agent_name: str | None = None
    participant_id: StrictInt | None = None
    queue_id: StrictInt | None = None
    queue_path: str | None = None
    queue_language_id: str | None = None
    session_type: str | None = None
    conversation_id: str | None = None
    session_id: str | None = None
    timestamp: LenientTime = None
    finish_reason: str | None = None
    data_parameters: JsonObject | None = None
    captured_variables: tuple[CapturedVariables, ...] = ()

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
    """What a Dialogflow payload says about variables, and from whom each key is hidden."""

    payload: Values | None = None
    capture_target: Literal["payload", "end_user_response"] = "payload"
    capture_key: NonEmpty | None = None
    capture_type: Annotated[tuple[Literal["event", "agent", "comment", "data_parameters"], ...], Field(min_length=1)]
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
    """What a Dialogflow payload asks for: a human, the end, or one human in particular. Only that must be readable."""

    type: Literal["action"] = "action"
    action: Literal["escalation", "end", "direct"]
    escalation_reason: JsonValue = None
    allow_virtual_agent: JsonValue = None
    menu_id: JsonValue = None
    agent_extension: JsonValue = None
    fallback_menu: JsonValue = None
    language: JsonValue = None


class Ujet(Snake):
    """The custom payload `ujet`; kinds that Baton has no use for (texts, buttons, media) pass."""

    session_variable: SessionVariable | None = None


class Provenance(Ours):
    """Who says so. Only `signed` came from a platform itself; else an agent's browser claims it. Stands on a topic."""

    model_config = ConfigDict(alias_generator=None)

    signed: bool
    agent: str | None = None
    origin: str | None = None
    seen_at: Time | None = None


class Variable(Ours):
    """The latest value of a key, and which audiences may see it.

    Where nobody may, the value itself is not kept: it only hides an earlier one. A null is left out of a stored record.
    """

    key: str
    value: JsonValue = None
    captured_at: Time
    audiences: tuple[Audience, ...]
    provenance: Provenance
