"""Ids of the CCAI Platform's chats, and the unofficial facts on which this adapter relies.

Official are the routes, the webhook's signature, the upsert of end users by `identifier`, a chat's
`context: {"value": {...}}`, the body of a message, that `message_received` also reports what Baton
posted, that `chat_created` may come before the answer, the statuses of a chat, the body that
finishes a chat, and the address of an agent's file:
https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-guide
https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-endpoints

The full schema (chat_platform_openapi.yaml) was not available. The facts below come from
third-party code that was written against a tenant, and from the guide where it differs from the
reference. If a tenant shows that a group is wrong, leave it out of CCAI_UNOFFICIAL.
"""

import re
from enum import StrEnum

from shared.schemas.notation import conversation_id

NAME = "ccai"
# An agent's file: the chat, and the id that the platform gives it there.
FILE = re.compile(r"(?P<chat>[A-Za-z0-9_-]{1,100})/(?P<media>[A-Za-z0-9_-]{1,100})")


class Unofficial(StrEnum):
    """Groups of unofficial facts.

    - `chats`: the body of POST /chats, and the integer `id` of the answers.
    - `transcript`: its place and its form in the body of POST /chats.
    - `closing`: PATCH /chats/{id} takes the parameters at the top of its body, as the guide names
      them. It is sent where the tenant refuses the body of the reference.
    - `messages`: the sender and the text of message_received.
    - `participants`: participant_joined and participant_left.
    - `endings`: chat_ended, chat_dismissed and the names of deflections.
    - `waiting`: a deflection for over_capacity names its escalation and what it offers. Where it
      offers `human_agent`, the customer keeps waiting.
    - `created`: chat_created names its end user.
    """

    CHATS = "chats"
    TRANSCRIPT = "transcript"
    CLOSING = "closing"
    MESSAGES = "messages"
    PARTICIPANTS = "participants"
    ENDINGS = "endings"
    WAITING = "waiting"
    CREATED = "created"


NOW_OFFICIAL = ("context",)  # facts that CCAI_UNOFFICIAL may still name, without an effect
EVERYTHING = tuple(Unofficial)
CREATED = "chat_created"
KEEP_WAITING = "human_agent"  # the deflection channel with which a customer keeps waiting
OURS = "baton-"  # prefix of the identifiers that Baton gives to end users
_CHAT, _USER, _USER_ID = "chat-", "user-", "user-id-"


def chat(native: int | str) -> str:
    """Returns the id of a chat's conversation, the same that browser reports use."""
    return conversation_id(NAME, f"{_CHAT}{native}")


def native_chat(conversation: str) -> str:
    """Returns the platform's id of the chat of a conversation."""
    return conversation.removeprefix(f"{NAME}:{_CHAT}")


def end_user(identifier: str) -> str:
    """Returns the conversation of an end user whom Baton created.

    `identifier` begins with OURS, so it cannot be a platform's number.
    """
    return conversation_id(NAME, f"{_USER}{identifier}")


def end_user_by_id(native: int | str) -> str:
    """Returns the conversation of an end user of whom only the platform's own id is known."""
    return conversation_id(NAME, f"{_USER_ID}{native}")


def native_end_user(conversation: str) -> tuple[str, str | None]:
    """Returns the identifier and the platform's own id that the conversation's name contains.

    The id is None if it contains only the identifier.
    """
    name = conversation.removeprefix(f"{NAME}:")
    return name.removeprefix(_USER), name.removeprefix(_USER_ID) if name.startswith(
        _USER_ID
    ) else None


def created(native: int | str) -> str:
    """Returns the id of the event that a chat was created."""
    return f"{CREATED}:{native}"
