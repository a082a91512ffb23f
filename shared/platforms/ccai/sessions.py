"""External session events: the portal reports the state of a chat, including the assigned agent.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/external-session-events
"""

from collections.abc import Sequence
from typing import Any

from shared.platforms.ccai.names import NAME, chat
from shared.platforms.ccai.webhook import name_of
from shared.schemas.base import JsonObject
from shared.schemas.events import Event, HumanJoined, Unknown
from shared.schemas.notation import sha256, time_or_none
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.texts import shortened

_WITH_AN_AGENT, _THERE = ("assigned", "active"), ("accepted", "connected")


def session(body: JsonObject, raw: bytes) -> Sequence[Event]:
    """Returns HumanJoined for each agent who is assigned to the chat.

    Events of calls and of agents' states are ignored.

    Later states of the same chat name the same agent again, who is then present already.
    """
    item = body.get("item")
    state = item if isinstance(item, dict) else body
    native = state.get("chat_id")
    if not isinstance(native, int | str) or isinstance(native, bool) or native == "":
        return []
    common: dict[str, Any] = {
        "source": chat(native),
        "address": f"chat-{native}",
        "actor": f"platform:{NAME}",
    }
    at, digest = time_or_none(state.get("timestamp")), sha256(raw.decode("latin-1"))
    found = _agents(state) if state.get("state") in _WITH_AN_AGENT else []
    if not found:
        return [
            Unknown(
                id=f"session:{digest}",
                occurred_at=at,
                name=shortened(f"session {state.get('state')}", 64),
                **common,
            )
        ]
    return [
        HumanJoined(id=f"session:{digest}:{who.name}", occurred_at=at, representative=who, **common)
        for who in found
    ]


def _agents(state: JsonObject) -> list[Representative]:
    people = state.get("participants")
    agents = [
        one
        for one in (people if isinstance(people, list) else [])
        if isinstance(one, dict) and one.get("type") == "agent" and one.get("state") in _THERE
    ]
    names = dict.fromkeys(name_of(one, RepresentativeType.HUMAN) for one in agents)
    return [
        Representative(representative_type=RepresentativeType.HUMAN, display_name=name)
        for name in names
    ]
