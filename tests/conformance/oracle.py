"""Judges what one customer saw, and what the layer answered, by the invariants alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SPEAKERS, FRAMES, DUPLICATES, ORDER = "speakers", "frames", "duplicates", "order"
CLAIMS, LABELS, DURABILITY, TIMERS, DOORS = "claims", "labels", "durability", "timers", "doors"
INVARIANTS = {
    SPEAKERS: "who may speak: the bot never while a human is present, a human only after joining",
    FRAMES: "JOINED, that human's messages, LEFT: each exactly once",
    DUPLICATES: "what is delivered or asked again is shown once, and changes nothing",
    ORDER: "the customer sees messages in the order in which they were accepted",
    CLAIMS: "of those who claim at once, one holds",
    LABELS: "everything is labelled with the representative who said it",
    DURABILITY: "what was accepted is shown, whatever fails",
    TIMERS: "a request for a human ends, and the customer reads so; a silent human leaves",
    DOORS: "who is not known, or may not, is refused",
}


@dataclass(frozen=True, order=True)
class Finding:
    """An invariant that does not hold, with the vector that shows it."""

    invariant: str
    vector: str
    what: str


def named(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Returns a row of the screen as the vectors write it: `jane h1`, `jane joined`, `bot b1`. What
    the layer says of itself is `notice`.
    """
    who = row.get("representative") or {}
    actor = next((one for one, name in names.items() if name == who.get("displayName")), "unknown")
    if "eventType" in row:
        return f"{actor} {row['eventType'].removeprefix('REPRESENTATIVE_').lower()}"
    said = row.get("text", "").removeprefix("conformance ")
    return f"{actor} {said}" if said != row.get("text") else "notice"


def violations(
    shown: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Returns the invariants that the screen alone breaks, each with the row and words."""
    found, present = list[tuple[str, str, str]](), set[str]()
    for row in shown:
        who = row.get("representative") or {}
        kind, name = who.get("representativeType"), str(who.get("displayName"))
        line = named(row, names)
        if row.get("eventType") == "REPRESENTATIVE_JOINED":
            if name in present:
                found.append((FRAMES, line, "had joined already"))
            present.add(name)
        elif row.get("eventType") == "REPRESENTATIVE_LEFT":
            if name not in present:
                found.append((FRAMES, line, "had not joined"))
            present.discard(name)
        elif kind == "HUMAN" and name not in present and line != "notice":
            found.append((FRAMES, line, "outside of a frame"))
        elif kind == "BOT" and present:
            found.append((SPEAKERS, line, f"while {', '.join(sorted(present))} is present"))
        elif kind not in ("BOT", "HUMAN"):
            found.append((LABELS, line, "has no representative"))
    return found


def differences(
    expected: Sequence[str], seen: Sequence[str], accepted: set[str]
) -> list[tuple[str, str, str]]:
    """Returns how what was seen differs from what the vector expects. Notices of the layer's own
    are left out of both. What was not accepted need not be shown: its answer is a finding already.
    """
    found = list[tuple[str, str, str]]()
    wanted, had = Counter(expected), Counter(one for one in seen if one != "notice")
    for line in wanted | had:
        is_frame = line.endswith((" joined", " left"))
        if had[line] < wanted[line] and (is_frame or line in accepted):
            found.append((FRAMES if is_frame else DURABILITY, line, "is missing"))
        elif had[line] > wanted[line] > 0:
            found.append((FRAMES if is_frame else DUPLICATES, line, "is shown again"))
        elif had[line] and not wanted[line]:
            found.append((_of_stranger(line, is_frame=is_frame), line, "must not be shown"))
    return found


def _of_stranger(line: str, *, is_frame: bool) -> str:
    if line.endswith(" door"):
        return DOORS
    return FRAMES if is_frame else SPEAKERS


def disorder(
    expected: Sequence[str], seen: Sequence[str], odd: set[str]
) -> list[tuple[str, str, str]]:
    """Returns whether what was shown once came in another order than was expected. `odd` are the
    rows of other findings.
    """
    once = [one for one in expected if expected.count(one) == seen.count(one) == 1]
    left = [one for one in once if one not in odd]
    shown = [one for one in seen if one in left]
    return [] if shown == left else [(ORDER, ", ".join(shown), "is another order")]


def mislabelled(
    shown: Sequence[Mapping[str, Any]], said: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, str, str]]:
    """Returns the texts that have another label than the one with which they were said."""
    return [
        (LABELS, row["text"], f"is labelled {row.get('representative')}")
        for row in shown
        if row.get("text") in said and row.get("representative") != said[row["text"]]
    ]
