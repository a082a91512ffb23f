"""What a report must say, worked out from known facts with lists and sorting, and compared with
what it says.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.unit.reports.scripts import Fact

Expected = dict[str, Any]
TIMED = {
    "waiting": "waiting",
    "first_response": "firstResponse",
    "response": "response",
    "handling": "handling",
}
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def key_of(name: str, zone: ZoneInfo) -> Callable[[Fact], str]:
    def local(fact: Fact) -> datetime:
        return fact.at.astimezone(zone)

    keys: dict[str, Callable[[Fact], str]] = {
        "channel": lambda fact: fact.channel,
        "desk": lambda fact: fact.desk,
        "agent": lambda fact: fact.agent,
        "day": lambda fact: f"{local(fact):%Y-%m-%d}",
        "hour": lambda fact: f"{DAYS[local(fact).weekday()]} {local(fact):%H}",
        "kind": lambda fact: fact.of,
        "length": lambda fact: length_of(fact.size or 0),
        "reason": lambda fact: fact.of,
    }
    return keys[name]


def length_of(characters: int) -> str:
    if characters > 499:
        return "500 or more"
    for first, last in ((1, 20), (21, 80), (81, 159), (160, 499)):
        if first <= characters <= last:
            return f"{first} to {last}"
    return ""


def nearest_rank(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


PASSED_ON = ("transferred", "offered", "declined", "lapsed", "surveyed", "rated")


def expected(facts: Sequence[Fact], *, somebodys: bool = False) -> Expected:
    """Returns the row that these facts must come to."""
    n = Counter(fact.name for fact in facts)
    row: Expected = {}
    passed_on = {name: n[name] for name in PASSED_ON} | {"ratingSum": n["rating"]}
    if somebodys:
        row = {"joined": n["taken"], "frames": n["frame"], "returned": n["quiet"], **passed_on}
        row["messages"] = n["human_message"]
    else:
        row = {
            "conversations": n["conversation"], "handedOff": n["handed_off"],
            "requested": n["requested"],
            "unasked": n["unasked"], "joined": n["joined"], "failed": n["failed"],
            "closed": n["closed"], "expired": n["expired"],
            "waiting.open": n["requested"] - n["waiting"] - n["failed"] - n["closed"]
            - n["expired"],
            "waiting.without": n["failed"] + n["closed"] + n["expired"],
            "firstResponse.open": n["requested"] - n["first_response"] - n["silent"],
            "firstResponse.without": n["silent"],
            "response.open": n["turn"] - n["response"] - n["unanswered"],
            "response.without": n["unanswered"],
            "left": n["left"], "returned": n["returned"],
            "withHuman": n["joined"] - n["left"] - n["returned"], **passed_on,
            "customerMessages": n["customer_message"], "botMessages": n["bot_message"],
            "humanMessages": n["human_message"],
        }  # fmt: skip
        sizes = [fact.size for fact in facts if fact.name == "exchanged" and fact.size is not None]
        row["exchanged.count"] = len(sizes)
        if sizes:
            row["exchanged.median"] = nearest_rank(sizes, 0.5)
            row["exchanged.p90"] = nearest_rank(sizes, 0.9)
        if n["conversation"]:
            row["handoffRate"] = n["handed_off"] / n["conversation"]
    row["handling.open"] = n["frame"] - n["handling"]
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for fact in facts:
        if fact.seconds is not None:
            seconds[fact.name].append(fact.seconds)
    for name, shown in TIMED.items():
        row[f"{shown}.count"] = len(seconds[name])
        if seconds[name]:
            row |= {
                f"{shown}.median": nearest_rank(seconds[name], 0.5),
                f"{shown}.p90": nearest_rank(seconds[name], 0.9),
            }
    return row


def faults(said: dict[str, Any], wanted: Expected) -> list[str]:
    """Returns where a report's row differs: counts not at all, durations by no more than the
    bins' 0.8 %.
    """
    found = []
    for name, value in wanted.items():
        path, row = name.split("."), said
        shown: Any = row.get(path[0])
        shown = shown.get(path[1]) if len(path) > 1 and isinstance(shown, dict) else shown
        if path[-1] in ("median", "p90"):
            if shown is None or abs(shown - value) > (0 if value < 128 else value / 128):
                found.append(f"{name}: {shown} instead of {value}")
        elif name == "handoffRate":
            found += (
                []
                if shown is not None and abs(shown - value) <= 0.00005
                else [f"{name}: {shown}, not {value}"]
            )
        elif shown != value:
            found.append(f"{name}: {shown} instead of {value}")
    return found
