"""The kinds of desks, as data: how Baton reaches the people of each. Routing asks for the way, and
never which platform a desk is on.

A kind is named after the platform that its desks are on; `api` is on none. Each kind that must be
called has a desk in `shared/bootstrap/desks.py`, and a test compares the two.
"""

from collections.abc import Mapping
from enum import StrEnum


class Way(StrEnum):
    READS = "reads the API and the topics"
    OPENS_CHATS = "is called, and opens a chat for each handoff"
    HAS_CONVERSATION = "is called, and already has the conversation"

    @property
    def must_be_called(self) -> bool:
        return self is not Way.READS


DESK_KINDS: Mapping[str, Way] = {
    "api": Way.READS,
    "ccai": Way.OPENS_CHATS,
    "csku": Way.HAS_CONVERSATION,
}
