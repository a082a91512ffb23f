"""The kinds of desks, as data: how Baton reaches the people of each, and what a kind can do.
Routing and the use cases ask for these, and never which platform a desk is on.

A kind is named after the platform that its desks are on; `api` is on none. Each kind that must be
called has a desk in `shared/bootstrap/desks.py`, and a test compares the two.
"""

from collections.abc import Mapping
from enum import StrEnum

from shared.values import frozen


class Way(StrEnum):
    READS = "reads the API and the topics"
    OPENS_CHATS = "is called, and opens a chat for each handoff"
    HAS_CONVERSATION = "is called, and already has the conversation"

    @property
    def must_be_called(self) -> bool:
        return self is not Way.READS


@frozen
class DeskKind:
    """What desks of a kind can do.

    - `has_menus`: a chat can be put in one of its queues.
    - `is_thread`: the chat is a place among colleagues, such as a room or a thread, in which
      several people may write. They are shown who has the customer, and must claim first if so
      configured; where they have to join the chat itself, that is their claim.
    - `idempotent`: it recognises a message id that it has seen; else words are said at most once.
    - `finds_chats`: asked again, it finds the chat that it opened; else its webhook must name it.
    - `membership`: people join and leave the chat itself; else their first words are their joining.
    - The others are what it shows as what it is: `typing`, `receipts`, `edits`, `deletions`,
      `reactions`, `replies`, `files`. What it does not show is said in words.
    """

    way: Way
    has_menus: bool = False
    is_thread: bool = False
    idempotent: bool = False
    finds_chats: bool = False
    membership: bool = False
    typing: bool = False
    receipts: bool = False
    edits: bool = False
    deletions: bool = False
    reactions: bool = False
    replies: bool = False
    files: bool = False


DESK_KINDS: Mapping[str, DeskKind] = {
    "api": DeskKind(Way.READS),
    "ccai": DeskKind(Way.OPENS_CHATS, has_menus=True, membership=True),
    "csku": DeskKind(Way.HAS_CONVERSATION),
    "google_chat": DeskKind(
        Way.OPENS_CHATS,
        is_thread=True,
        idempotent=True,
        finds_chats=True,
        edits=True,
        deletions=True,
    ),
    "matrix": DeskKind(
        Way.OPENS_CHATS,
        is_thread=True,
        idempotent=True,
        finds_chats=True,
        membership=True,
        typing=True,
        receipts=True,
        edits=True,
        deletions=True,
        reactions=True,
        replies=True,
        files=True,
    ),
    "slack": DeskKind(
        Way.OPENS_CHATS,
        is_thread=True,
        finds_chats=True,
        edits=True,
        deletions=True,
        files=True,
    ),
}

# What the place of a kind's chats must look like, as a pattern and in words with an example.
PLACES: Mapping[str, tuple[str, str]] = {
    "google_chat": (r"spaces/[A-Za-z0-9_-]{1,100}", "a space, like spaces/AAAAbCdEfGh"),
    "matrix": (r"![^\s/?#]{1,254}", "the internal id of a room, like !abc:example.org"),
    "slack": (r"[CG][A-Z0-9]{2,30}", "the id of a channel, like C0123ABCDEF"),
}
PLACED = ("google_chat", "slack")  # kinds whose rows must name a place
