"""Judges a handoff by what the homeserver has stored and what the customer's phone received."""

from collections import Counter
from collections.abc import Sequence

from infra.local import oracle
from tests.functions.desk import Customer
from tests.homeserver.server import PEOPLE, Homeserver, Spoken, spoken, user_id

NAMES = {user_id(name): displayed for name, displayed in PEOPLE.items()}


def faults(
    customer: Customer, homeserver: Homeserver, rooms: Sequence[str], *, lost: bool = False
) -> list[str]:
    """Returns what is wrong between the phone and these rooms, which are all of the customer's.
    Nothing may be under way. `lost`: the homeserver was killed, and may not have reported all that
    it has stored.
    """
    shown = customer.labelled(list(NAMES.values()))
    events = {room: homeserver.events(room) for room in rooms}
    found = oracle.violations(shown, _accepted(customer))
    present = sorted(
        NAMES[one]
        for room in rooms
        if not _is_closed(events[room])
        for one in homeserver.members(room) & NAMES.keys()
    )
    if oracle.open_frames(shown) != present:
        found.append(f"I1: the phone shows {oracle.open_frames(shown)}, {present} are in the room")
    said = [one for room in rooms for one in spoken(events[room])]
    return [*found, *_one_way(said, oracle.texts(shown), lost), *_other_way(said, customer)]


def _accepted(customer: Customer) -> list[str]:
    """Returns what Baton took of humans and bots, in that order."""
    return [
        entry["text"]
        for entry in customer.journal()
        if entry["kind"] in ("human_message", "bot_message") and entry["verdict"] == "accepted"
    ]


def _one_way(said: Sequence[Spoken], shown: Sequence[str], lost: bool) -> list[str]:
    """What people wrote reaches the phone once, in their order."""
    words = [one.text for one in said if one.sender in NAMES and one.kind == "m.text"]
    got = [text for text in shown if text in set(words)]
    if lost and set(got) <= set(words) and len(set(got)) == len(got):
        return []
    return [] if got == words else [f"I4: people wrote {words}, the phone shows {got}"]


def _other_way(said: Sequence[Spoken], customer: Customer) -> list[str]:
    """What the customer wrote reaches the rooms once, in their order, once there was a room."""
    wrote = [
        row["body"]["text"]
        for row in customer.server.get(f"/sim/{customer.platform}/customers/{customer.key}")[
            "transcript"
        ]
        if row["side"] == "customer" and row["kind"] == "message" and row["body"].get("text")
    ]
    ghosts = [one.text for one in said if one.sender not in NAMES and one.kind == "m.text"]
    twice = [text for text, times in Counter(ghosts).items() if times > 1]
    found = [f"I4: {text!r} stands in the room more than once" for text in twice]
    heard = [text for text in ghosts if text in set(wrote)]
    if heard != [text for text in wrote if text in set(heard)]:
        found.append(f"I4: the customer wrote {wrote}, the room shows {heard}")
    return found


def _is_closed(events: list[dict[str, object]]) -> bool:
    return any(event["type"] == "m.room.tombstone" for event in events)
