"""A probe finds in a whole list what an earlier deployment made, in the forms of Google's APIs."""

import json
from typing import Any

import pytest

from infra.deploy.found import found

BACKUPS = "projects/p/databases/(default)/backupSchedules"
INDEXES = "projects/p/databases/(default)/collectionGroups"


def index(group: str, name: str, *paths: str, scope: str = "COLLECTION") -> dict[str, Any]:
    """Returns an index as Firestore lists it: with the field that it adds itself."""
    fields = [{"fieldPath": path, "order": "ASCENDING"} for path in (*paths, "__name__")]
    path = f"{INDEXES}/{group}/indexes/{name}"
    return {"name": path, "queryScope": scope, "fields": fields, "state": "READY"}


LISTED = [
    index("journal", "a", "seq", "time", "kind"),
    index("journal", "b", "seq", "time", scope="COLLECTION_GROUP"),
    index("journals", "c", "seq", "time"),
    index("journal", "d", "time", "seq"),
    index("journal", "e", "seq", "time"),
]


def test_an_index_is_found_among_others_that_are_alike() -> None:
    fields = [{"fieldPath": path, "order": "ASCENDING"} for path in ("seq", "time")]
    same = {"name": "/collectionGroups/journal/", "queryScope": "COLLECTION", "fields": fields}
    there = found(json.dumps(LISTED), same)
    assert there is not None
    assert there["name"].endswith("/indexes/e")
    assert found(json.dumps(LISTED[:-1]), same) is None


def test_an_empty_object_is_found() -> None:
    weekly = {"name": f"{BACKUPS}/w", "weeklyRecurrence": {"day": "SUNDAY"}}
    daily = {"name": f"{BACKUPS}/d", "retention": "604800s", "dailyRecurrence": {}}
    assert found(json.dumps([weekly, daily]), {"dailyRecurrence": {}}) == daily
    assert found(json.dumps([weekly]), {"dailyRecurrence": {}}) is None


@pytest.mark.parametrize("printed", ["", "ERROR: try later"])
def test_what_is_no_list_is_not_an_empty_list(printed: str) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        found(printed, {})
