"""What chats of the CCAI Platform are called, and which facts about it no official page that could be read states.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-guide names routes, webhook and
signature; the full schema (chat_platform_openapi.yaml) could not be read. What is below comes from third-party code
written against a tenant. Each group can be left out of CCAI_UNOFFICIAL where a tenant proves it wrong.
"""

from enum import StrEnum

from shared.schemas.ids import conversation_id

NAME = "ccai"


class Unofficial(StrEnum):
    """`chats`: the body of POST /chats and of a text message, and the integer `id` of the answers. `transcript` and
    `context`: where they stand in that body. `messages`: the sender and text of message_received. `participants`:
    participant_joined and participant_left. `endings`: chat_ended, chat_dismissed and the names of deflections.
    `created`: that chat_created names its end user."""

    CHATS = "chats"
    TRANSCRIPT = "transcript"
    CONTEXT = "context"
    MESSAGES = "messages"
    PARTICIPANTS = "participants"
    ENDINGS = "endings"
    CREATED = "created"


EVERYTHING = tuple(Unofficial)
CREATED = "chat_created"


def chat(native: int | str) -> str:
    """Returns the id of a chat's conversation, the same that agents' browsers report."""
    return conversation_id(NAME, f"chat-{native}")


def user(native: int | str) -> str:
    """Returns the id under which the journal keeps which chats were created for an end user."""
    return conversation_id(NAME, f"user-{native}")


def created(native: int | str) -> str:
    """Returns the id of the event that a chat was created."""
    return f"{CREATED}:{native}"


def chat_created_by(event_id: str | None) -> str | None:
    """Returns the chat that such an event names, None for any other event."""
    kind, _, native = (event_id or "").partition(":")
    return native if kind == CREATED and native else None
