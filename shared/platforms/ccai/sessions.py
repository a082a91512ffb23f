"""External session events: the portal reports the state of a chat, including the assigned agent.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/external-session-events shows an
object with `events`. The form of a chat's state is that of
https://docs.cloud.google.com/contact-center/ccai-platform/docs/qm-chat-session-data, which holds
for chats of the web and mobile SDKs. No page says that chats of the Apps API are reported too.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.platforms.ccai.names import NAME, chat
from shared.platforms.ccai.webhook import name_of
from shared.schemas.base import JsonObject
from shared.schemas.events import Event, HumanJoined, Unknown
from shared.schemas.notation import sha256, time_or_none
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.texts import shortened

_SECONDS = 100_000_000_000  # a greater number counts milliseconds
_WITH_AN_AGENT, _THERE = ("assigned", "active"), ("accepted", "connected")


def session(body: JsonObject, raw: bytes) -> Sequence[Event]:
    """Returns HumanJoined for each agent who is assigned to a chat.

    Events of calls and of agents' states are ignored.

    Later states of the same chat name the same agent again, who is then present already.
    """
    digest = sha256(raw.decode("latin-1"))
    states = body.get("events")
    if not isinstance(states, list):
        return [*_of_state(body, digest)]
    found: list[Event] = []
    for number, one in enumerate(states):
        if isinstance(one, dict):
            found += _of_state(one, _event_id(one) or f"{digest}:{number}")
    return found


def _event_id(event: Mapping[str, Any]) -> str | None:
    given = event.get("event_id")
    return given if isinstance(given, str) and given else None


def _of_state(event: JsonObject, id: str) -> Iterator[Event]:
    """Yields the events of one chat's state, which stands in `item` or in the event itself."""
    item = event.get("item")
    state = item if isinstance(item, dict) else event
    native = state.get("chat_id")
    if not isinstance(native, int | str) or isinstance(native, bool) or native == "":
        return
    common: dict[str, Any] = {
        "source": chat(native),
        "address": f"chat-{native}",
        "actor": f"platform:{NAME}",
        "occurred_at": _time_of(state.get("timestamp") or event.get("timestamp")),
    }
    found = _agents(state) if state.get("state") in _WITH_AN_AGENT else []
    if not found:
        name = shortened(f"session {state.get('state')}", 64)
        yield Unknown(id=f"session:{id}", name=name, **common)
    for who in found:
        yield HumanJoined(id=f"session:{id}:{who.name}", representative=who, **common)


def _time_of(given: object) -> datetime | None:
    """Returns a time, which the page describes as Unix milliseconds."""
    return time_or_none(given // 1000 if type(given) is int and given > _SECONDS else given)


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
