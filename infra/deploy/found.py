"""`python -m infra.deploy.found '{"displayName": "Baton"}'` reads a list that gcloud printed as
JSON and prints the name of the first thing in it that is the same.

gcloud applies --limit before --filter, and its filters cannot find an empty object. So the lists
are read whole, and compared here.
"""

import argparse
import json
import sys
from typing import Any

from infra.command import run_tool

Json = dict[str, Any]
ADDED_BY_FIRESTORE = "__name__"  # the last field of every composite index


def found(printed: str, same: Json) -> Json | None:
    """Returns the first thing of a printed list that is the same, None without one. Raises
    ValueError where nothing was listed.
    """
    listed: list[Json] = json.loads(printed)
    return next((one for one in listed if is_same(same, one)), None)


def is_same(wanted: Json, there: Json) -> bool:
    """Says whether all that is wanted is there. Of the resource's name a part is wanted."""
    return wanted.get("name", "") in there.get("name", "") and all(
        name in there and _equals(value, there[name])
        for name, value in wanted.items()
        if name != "name"
    )


def _equals(wanted: Any, there: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(there, dict):
        return is_same(wanted, there)
    if isinstance(wanted, list) and isinstance(there, list):
        given = [
            one
            for one in there
            if not isinstance(one, dict) or one.get("fieldPath") != ADDED_BY_FIRESTORE
        ]
        return len(wanted) == len(given) and all(map(_equals, wanted, given))
    return bool(wanted == there)


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy.found",
        description="Print the name of the first thing in gcloud's list that is the same.",
    )
    parser.add_argument("same", type=json.loads, help="what it must hold, as JSON")
    parser.add_argument("--field", default="name", help="what of it is printed (default: name)")
    arguments = parser.parse_args(given)
    try:
        there = found(sys.stdin.read(), arguments.same)
    except ValueError:
        print("gcloud printed no list", file=sys.stderr)
        return 1
    print("" if there is None else there.get(arguments.field, ""))
    return 0


if __name__ == "__main__":
    run_tool(main)
