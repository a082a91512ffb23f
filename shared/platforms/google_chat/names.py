"""Names at Google Chat, and the ids that Baton makes from them.

A thread `spaces/AAA/threads/BBB` is the chat `AAA~BBB`.
https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages
"""

import re

from shared.schemas.notation import command_id, conversation_id

NAME = "google_chat"
SCOPE = "https://www.googleapis.com/auth/chat.bot"
OUR_THREADS = "baton-"  # what the keys of threads begin with that Baton opens
SPACE = re.compile(r"spaces/([A-Za-z0-9_-]{1,100})")
_THREAD = re.compile(r"spaces/([A-Za-z0-9_-]{1,100})/threads/([A-Za-z0-9_-]{1,100})")
_MESSAGE = re.compile(r"spaces/([A-Za-z0-9_-]{1,100})/messages/([A-Za-z0-9_-]{1,100})\.[^/]{1,100}")


def native_chat(thread: object) -> str | None:
    """Returns the chat of a thread's resource name, None for anything else."""
    found = _THREAD.fullmatch(thread) if isinstance(thread, str) else None
    return "~".join(found.groups()) if found else None


def chat_of_message(name: object) -> str | None:
    """Returns the chat of a message's resource name, which no page says: its last part begins with
    the id of its thread. None for anything else.
    """
    found = _MESSAGE.fullmatch(name) if isinstance(name, str) else None
    return "~".join(found.groups()) if found else None


def thread_name(native: str) -> str:
    """Returns the resource name of a chat's thread."""
    space, _, thread = native.partition("~")
    return f"spaces/{space}/threads/{thread}"


def space_name(native: str) -> str:
    """Returns the resource name of the space that a chat is in."""
    return f"spaces/{native.partition('~')[0]}"


def chat(native: str) -> str:
    """Returns the id of a chat's conversation."""
    return conversation_id(NAME, native)


def thread_key(handoff: str) -> str:
    """Returns the key by which Google Chat knows the thread of a handoff."""
    return f"{OUR_THREADS}{handoff}"


def message_id(of: str, what: str) -> str:
    """Returns the id of one of Baton's messages: `client-` and at most 63 characters, small
    letters, digits and hyphens. It names the message in later calls.
    """
    return f"client-{command_id(NAME, of, what)}"
