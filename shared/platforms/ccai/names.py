"""What chats of the CCAI Platform are called, and which facts about it no official page that could
be read states.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-guide names
routes, webhook and signature; the full schema (chat_platform_openapi.yaml) could not be read. What
is below comes from third-party code written against a tenant. Each group can be left out of
CCAI_UNOFFICIAL where a tenant proves it wrong.
"""

from enum import StrEnum

from shared.schemas.ids import conversation_id

NAME = "ccai"


class Unofficial(StrEnum):
    """`chats`: the body of POST /chats and of a text message, and the integer `id` of the answers.
    `transcript` and `context`: where they stand in that body. `messages`: the sender and text of
    message_received. `participants`: participant_joined and participant_left. `endings`:
    chat_ended, chat_dismissed and the names of deflections. `created`: that chat_created names its
    end user.
    """

    CHATS = "chats"
    TRANSCRIPT = "transcript"
    CONTEXT = "context"
    MESSAGES = "messages"
    PARTICIPANTS = "participants"
    ENDINGS = "endings"
    CREATED = "created"


EVERYTHING = tuple(Unofficial)
CREATED = "chat_created"
OURS = "baton-"  # how the identifiers begin that Baton gives to end users
_CHAT, _USER, _USER_ID = "chat-", "user-", "user-id-"


def chat(native: int | str) -> str:
    """Returns the id of a chat's conversation, the same that agents' browsers report."""
    return conversation_id(NAME, f"{_CHAT}{native}")


def native_chat(conversation: str) -> str:
    """Returns the platform's id of a chat, given that of its conversation."""
    return conversation.removeprefix(f"{NAME}:{_CHAT}")


def end_user(identifier: str) -> str:
    """Returns the conversation of an end user whom Baton made known; nobody's number begins as
    its identifiers do.
    """
    return conversation_id(NAME, f"{_USER}{identifier}")


def end_user_by_id(native: int | str) -> str:
    """Returns the conversation of an end user of whom only the platform's own id is reported."""
    return conversation_id(NAME, f"{_USER_ID}{native}")


def native_end_user(conversation: str) -> tuple[str, str | None]:
    """Returns what the name of an end user's conversation tells: the identifier, or else the
    platform's own id.
    """
    name = conversation.removeprefix(f"{NAME}:")
    return name.removeprefix(_USER), name.removeprefix(_USER_ID) if name.startswith(
        _USER_ID
    ) else None


def created(native: int | str) -> str:
    """Returns the id of the event that a chat was created."""
    return f"{CREATED}:{native}"
