"""A customer's message as `baton-user-messages` carries it to the built-in bot."""

from dataclasses import replace
from datetime import datetime

import pydantic_core
from pydantic import Field

from shared.bots.base import Question
from shared.platforms.bodies import validate
from shared.schemas.base import JsonObject, NonEmpty, Theirs
from shared.schemas.conversation import Conversation
from shared.schemas.notation import Time, sha256
from shared.values import frozen


class _Ours(Theirs):
    """The fields that Baton adds to the platform's own form."""

    conversation: NonEmpty
    version: int
    accepted_at: Time = Field(alias="accepted_at")


@frozen
class Words:
    """A customer's message. `id` is the same at every publication; `version` is the version of the
    conversation that the message made.
    """

    question: Question
    id: str
    version: int
    accepted_at: datetime

    @property
    def conversation(self) -> str:
        return self.question.conversation

    def as_asked_of(self, conversation: Conversation) -> Question:
        """Returns the question with the bot's context of the conversation in its present state."""
        known: JsonObject = {
            "conversation": conversation.id,
            "phase": conversation.phase.value,
            "locale": conversation.locale,
            "customerName": conversation.customer_name,
            **self.question.context,
        }
        context: JsonObject = {name: value for name, value in known.items() if value is not None}
        return replace(self.question, locale=conversation.locale, context=context)


def words_of(body: JsonObject) -> Words | None:
    """Returns the customer's message, None for any other body of the topic. Raises BadRequest."""
    message, tapped = body.get("message"), body.get("suggestionResponse")
    said = message if isinstance(message, dict) else tapped
    text = said.get("text") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(text, str) or not text.strip():
        return None
    ours = validate(_Ours, body)
    postback = said.get("postbackData")
    beside = {name: body[name] for name in ("handoff", "details") if body.get(name) is not None}
    question = Question(
        conversation=ours.conversation,
        text=text.strip(),
        postback=postback if isinstance(postback, str) else None,
        context=beside,
    )
    return Words(question, _id(body, message), ours.version, ours.accepted_at)


def _id(body: JsonObject, message: object) -> str:
    if isinstance(message, dict) and isinstance(message.get("messageId"), str):
        return f"message:{message['messageId']}"
    request = body.get("requestId")
    if isinstance(request, str):
        return f"tap:{request}"
    return f"tap:{sha256(pydantic_core.to_json(body).decode())}"
