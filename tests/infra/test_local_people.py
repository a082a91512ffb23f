"""The people to choose from: only with keys that everybody knows, and that open something."""

import json
from pathlib import Path

import pytest

from infra.local.settings import API_KEYS
from tests.forked import ForkedServer

OWN = "8c1f4e7a0b6d92e3f5a1c7d4"


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({}, ["dev-jane", "dev-omar", "dev-sue"]),
        ({"BATON_AGENTS": '{"mona": {"name": "Mona"}}'}, []),
        (
            {
                "BATON_AGENTS": '{"mona": {"name": "Mona"}}',
                "BATON_API_KEYS": json.dumps(
                    {"dev-mona": {"person": "mona"}, OWN: {"person": "mona"}}
                ),
            },
            ["dev-mona"],
        ),
        ({"BATON_API_KEYS": json.dumps(API_KEYS)}, []),
    ],
    ids=["as it is", "other people", "other keys", "no keys of people"],
)
def test_people_are_offered_with_development_keys(
    tmp_path: Path, settings: dict[str, str], keys: list[str]
) -> None:
    with ForkedServer(tmp_path, settings) as run:
        people = run.get("/local/people")["people"]
        assert [one["key"] for one in people] == keys
        for one in people:
            headers = {"authorization": f"Bearer {one['key']}"}
            me = run.send("GET", "/send_representative/v1/me", headers=headers)
            assert (me.status, me.body["name"]) == (200, one["name"])
        assert "counts as missing" not in run.log.read_text()
