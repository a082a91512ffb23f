"""Judges a handoff by what the homeserver has stored and what the customer's phone received."""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.local import oracle
from tests.functions.desk import Customer
from tests.homeserver.server import PEOPLE, Homeserver, Spoken, spoken, user_id

NAMES = {user_id(name): displayed for name, displayed in PEOPLE.items()}

FILE = "[image]"  # begins the journal's words for a picture
TAP = "Talk to a person"  # the suggestion by which the simulated phones ask


def faults(
    customer: Customer, homeserver: Homeserver, rooms: Sequence[str], *, lost: bool = False
) -> list[str]:
    """Returns what is wrong between the phone and these rooms, which are all of the customer's.
    Nothing may be under way. `lost`: the homeserver was killed, and may not have reported all that
    it has stored.
    """
    shown = _labelled(customer)
    events = {room: homeserver.events(room) for room in rooms}
    accepted = _accepted(customer)
    words = [text for text in accepted if not text.startswith(FILE)]
    found = [*oracle.violations(shown, words), *_files(customer, accepted)]
    present = sorted(
        NAMES[one]
        for room in rooms
        if not _is_closed(events[room])
        for one in homeserver.members(room) & NAMES.keys()
    )
    if oracle.open_frames(shown) != present:
        found.append(f"I1: the phone shows {oracle.open_frames(shown)}, {present} are in the room")
    all_events = [event for room in rooms for event in events[room]]
    return [
        *found,
        *one_way(said_by_people(all_events), oracle.texts(shown), lost),
        *_other_way(spoken(all_events), customer),
    ]


def _labelled(customer: Customer) -> Sequence[oracle.Row]:
    """Returns what the phone shows with who spoke. A file without words follows a message with its
    sender's name, where the channel has no labels.
    """
    rows = [row for row in customer.rows() if row["body"].get("text") or "files" not in row["body"]]
    if customer.platform == "business_messages":
        return customer.rows()
    return oracle.as_labelled(rows, list(NAMES.values()))


def said_by_people(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the words that were to reach the customer, as they reach one whose channel knows no
    edits.
    """
    found = []
    for event in events:
        content = event["content"]
        if event["sender"] in NAMES and content.get("msgtype") == "m.text":
            new = content.get("m.new_content")
            found.append(f"[edited] {new['body']}" if new else content["body"])
    return found


def _accepted(customer: Customer) -> list[str]:
    """Returns what Baton took of humans and bots, in that order, without what a channel that
    recognises no id may have shown and is not asked again to show.
    """
    return [
        entry["text"]
        for entry in customer.journal()
        if entry["kind"] in ("human_message", "bot_message")
        and entry["verdict"] == "accepted"
        and not (customer.platform == "whatsapp" and entry["outcome"] == "unknown")
    ]


def _files(customer: Customer, accepted: Sequence[str]) -> list[str]:
    """Each file that Baton took is shown once."""
    rows = [row for row in customer.rows() if row["side"] == "business"]
    shown = sum(len(row["body"].get("files", ())) for row in rows)
    taken = sum(text.startswith(FILE) for text in accepted)
    return [] if shown == taken else [f"I4: {taken} files were accepted, {shown} are shown"]


def one_way(words: Sequence[str], shown: Sequence[str], lost: bool) -> list[str]:
    """What people wrote reaches the phone once, in their order."""
    got = [text for text in shown if text in set(words)]
    if lost and len(set(got)) == len(got):
        return []
    return [] if got == words else [f"I4: people wrote {words}, the phone shows {got}"]


def _other_way(said: Sequence[Spoken], customer: Customer) -> list[str]:
    """What the customer wrote after the request stands in the rooms once, in their order."""
    wrote = wrote_on(customer.rows())
    heard = [
        one.text
        for one in said
        if one.sender not in NAMES and one.text in wrote and not one.redacted
    ]
    return [] if heard == wrote else [f"I4: the customer wrote {wrote}, the rooms show {heard}"]


def wrote_on(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the customer's words since they asked for a person, as their phone shows them now."""
    found = dict[str, str]()
    asked = next(row["seq"] for row in rows if row["kind"] == "status")
    for row in rows:
        if row["side"] != "customer" or row["seq"] < asked:
            continue
        body = row["body"]
        if row["kind"] == "message" and body.get("text") not in ("", TAP):
            found[row["id"]] = body["text"]
        elif row["kind"] == "edit":
            found[body["of"]] = body["text"]
        elif row["kind"] == "revoke":
            del found[body["of"]]
    return list(found.values())


def _is_closed(events: Sequence[Mapping[str, Any]]) -> bool:
    return any(event["type"] == "m.room.tombstone" for event in events)
