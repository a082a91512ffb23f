"""What a homeserver has stored of a customer's rooms."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.homeserver.server import Homeserver, Spoken, spoken, user_id
from tests.kill.judge import Said, Stored
from tests.kill.people import PEOPLE

NAMES = {user_id(name): displayed for name, displayed in PEOPLE.items()}
LINK = "/sim/business_messages/v1/media/"  # its pictures are links


def stored(homeserver: Homeserver, rooms: Sequence[str]) -> Stored:
    events = {room: homeserver.events(room) for room in rooms}
    all_events = [event for room in rooms for event in events[room]]
    stands = [one for one in spoken(all_events) if one.sender not in NAMES and not one.redacted]
    present = [
        NAMES[one]
        for room in rooms
        if not _is_closed(events[room])
        for one in homeserver.members(room) & NAMES.keys()
    ]
    return Stored(
        said_by_people(all_events),
        [one.text for one in stands],
        sum(is_picture(one) for one in stands),
        present,
    )


def said_by_people(events: Sequence[Mapping[str, Any]]) -> list[Said]:
    """Returns the words that were to reach the customer, as they reach one whose channel knows no
    edits.
    """
    found = []
    for event in events:
        content = event["content"]
        if event["sender"] in NAMES and content.get("msgtype") == "m.text":
            new = content.get("m.new_content")
            text = f"[edited] {new['body']}" if new else content["body"]
            found.append((NAMES[event["sender"]], text))
    return found


def is_picture(one: Spoken) -> bool:
    return one.kind == "m.image" or LINK in one.text


def _is_closed(events: Sequence[Mapping[str, Any]]) -> bool:
    return any(event["type"] == "m.room.tombstone" for event in events)
