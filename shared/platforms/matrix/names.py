"""Ids of Matrix: rooms as conversations, and the users and aliases that are Baton's own.

https://spec.matrix.org/v1.17/appendices/#common-identifier-format
"""

import re

from shared.schemas.notation import conversation_id
from shared.values import frozen

NAME = "matrix"
# The registration's id, the device of each ghost, and the end of the sender's name.
SERVICE, DEVICE, SENDER = "baton", "BATON", "bot"
PREFIX = "baton_"
OURS = "baton-"  # prefix of the identifiers that Baton gives to customers
_PLAIN = re.compile(r"[A-Za-z0-9_.-]")
_ESCAPED = re.compile(r"=([0-9A-F]{2})")


@frozen
class Homeserver:
    """A homeserver, and the names on it that the registration reserves for Baton."""

    server_name: str = ""
    prefix: str = PREFIX

    @property
    def sender(self) -> str:
        """The user who reads the members of desks' rooms. Customers are users of their own."""
        return self.user(f"{self.prefix}{SENDER}")

    def user(self, localpart: str) -> str:
        return f"@{localpart}:{self.server_name}"

    def localpart(self, identifier: str) -> str:
        """Returns the local part of a customer's user id."""
        return f"{self.prefix}{identifier.removeprefix(OURS)}"

    def alias(self, handoff: str) -> str:
        """Returns the local part of the alias of a handoff's room."""
        return f"{self.prefix}{handoff}"

    def is_ours(self, user: str) -> bool:
        """Returns whether a user is a customer, or the sender."""
        return user.startswith(f"@{self.prefix}") and user.endswith(f":{self.server_name}")


def chat(room: str) -> str:
    """Returns the id of a room's conversation: `!abc:example.org` is `matrix:abc~example.org`."""
    escaped = (one if _PLAIN.fullmatch(one) else _escaped(one) for one in room.removeprefix("!"))
    return conversation_id(NAME, "".join(escaped))


def room(conversation: str) -> str:
    """Returns the room of a conversation."""
    native = conversation.removeprefix(f"{NAME}:").replace("~", ":")
    raw = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), native)
    return "!" + raw.encode("latin-1", "replace").decode("utf-8", "replace")


def local_name(user: str) -> str:
    """Returns the name of a user who has chosen none."""
    return user.removeprefix("@").partition(":")[0]


def _escaped(one: str) -> str:
    return "~" if one == ":" else "".join(f"={byte:02X}" for byte in one.encode("utf-8", "replace"))
