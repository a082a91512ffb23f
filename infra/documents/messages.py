"""The JSON Schemas of what Baton publishes on its topics and posts to webhooks.

Where the running code has a model of a body, that one is described. Bodies in Business Messages
form come from a platform, and are described here: fields that Baton does not know may be there.

https://json-schema.org/draft/2020-12
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from shared.edge.openapi import on_one_line
from shared.schemas.base import JsonObject, NonEmpty, Theirs
from shared.schemas.commands import Listener
from shared.schemas.conversation import Handback
from shared.schemas.details import Details
from shared.schemas.notation import Time
from shared.schemas.notifications import (
    HANDOFFS,
    OUTBOX,
    USER_MESSAGES,
    VARIABLES,
    CommentBody,
    Measured,
    Notification,
    NotificationType,
    VariablesBody,
    WakeUp,
)


class _Open(Theirs):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class UserInfo(_Open):
    display_name: str | None = None
    user_device_locale: str | None = None


class Context(_Open):
    user_info: UserInfo | None = None
    resolved_locale: str | None = None


class Message(_Open):
    """What the customer wrote; of a picture or a file, its address."""

    message_id: str | None = None
    name: str | None = None
    text: str | None = None
    create_time: str | None = None


class SuggestionResponse(_Open):
    """The suggestion that the customer tapped."""

    message: str | None = None
    postback_data: str | None = None
    text: str | None = None
    create_time: str | None = None


class UserStatus(_Open):
    """A tap that asks for a human, or typing. Some platforms write these as texts.

    Without either, it is what `details` says: a reaction, an edit, a deletion, a call permission.
    """

    requested_live_agent: bool | str | None = None
    is_typing: bool | str | None = None
    create_time: str | None = None


class CustomerMessage(_Open):
    """BOT_WEBHOOK_URL, DESK_WEBHOOK_URL: what the customer sent, in Business Messages form.

    `handoff` is there once, with the customer's first words after a human, and for the bot alone.
    `details` is Baton's own: what came beside the words, as data.
    """

    conversation_id: NonEmpty
    agent: str | None = None
    request_id: str | None = None
    send_time: str | None = None
    context: Context | None = None
    message: Message | None = None
    suggestion_response: SuggestionResponse | None = None
    user_status: UserStatus | None = None
    receipts: JsonObject | None = None
    survey_response: JsonObject | None = None
    authentication_response: JsonObject | None = None
    handoff: Handback | None = None
    details: Details | None = None


class UserMessage(CustomerMessage):
    """`baton-user-messages`: what the customer sent, in Business Messages form, and for whom it is.

    `also` names those who get a copy of their own. Typing and receipts have no `conversation`,
    `version` and `accepted_at`.
    """

    schema_version: Literal[1] = Field(1, alias="schema_version")
    audience: tuple[Listener, ...] = Field(min_length=1)
    also: tuple[Listener, ...] = ()
    conversation: str | None = None
    version: int | None = None
    accepted_at: Time | None = Field(None, alias="accepted_at")


class TeamData(Notification):
    headline: str
    customer: str | None = None
    link: str | None = None


class TeamMessage(Theirs):
    """TEAM_WEBHOOK_URL: a notification, with what the team needs to know before it joins."""

    model_config = ConfigDict(extra="forbid", alias_generator=None)

    type: NotificationType
    timestamp: Time
    data: TeamData


MESSAGES: Mapping[str, Any] = {
    OUTBOX: WakeUp,
    HANDOFFS: Notification | Measured,
    VARIABLES: VariablesBody,
    USER_MESSAGES: UserMessage,
    "bot-and-desk-webhook": CustomerMessage,
    "crm-comment": CommentBody,
    "team-webhook": TeamMessage,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Returns the schema of each body, by the name of its topic or webhook."""
    return {name: _schema(name, model) for name, model in MESSAGES.items()}


def _schema(name: str, model: Any) -> dict[str, Any]:
    made = TypeAdapter(model).json_schema(mode="validation")
    inner = {part: on_one_line(one) for part, one in made.get("$defs", {}).items()}
    for one in (made, *inner.values()):
        if "schema_version" in one.get("properties", {}):  # Baton always writes it
            one["required"] = [*one["required"], "schema_version"]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name}
    return {**head, **on_one_line(made), "title": name, **({"$defs": inner} if inner else {})}
