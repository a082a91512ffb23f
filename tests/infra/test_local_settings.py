"""What the local run adds to the settings that are given."""

import json
from pathlib import Path

import pytest

from infra.local.settings import fill

DESK = {"name": "team", "kind": "matrix"}
ALL = ["@jane:localhost", "@omar:localhost", "@sue:localhost"]


def desks_of(given: str) -> str:
    environment = {"BATON_DESKS": given}
    fill(environment, 8080, Path(".baton"))
    return environment["BATON_DESKS"]


def test_a_matrix_desk_without_people_invites_those_of_the_local_homeserver() -> None:
    assert json.loads(desks_of(json.dumps([DESK]))) == [{**DESK, "invite": ALL}]


@pytest.mark.parametrize(
    ("kind", "place"), [("slack", "C0SUPPORT"), ("google_chat", "spaces/AAAA")]
)
def test_a_desk_in_threads_without_a_place_is_in_the_simulated_one(kind: str, place: str) -> None:
    row = {"name": "team", "kind": kind}
    assert json.loads(desks_of(json.dumps([row]))) == [{**row, "place": place}]
    elsewhere = json.dumps([{**row, "place": "another"}])
    assert desks_of(elsewhere) == elsewhere


@pytest.mark.parametrize(
    "given",
    [
        json.dumps([{**DESK, "invite": ["@tom:localhost"]}]),
        json.dumps([{**DESK, "place": "!team:localhost"}]),
        json.dumps([{"name": "center", "kind": "ccai"}]),
        "no list",
        "{}",
        "[1]",
        "null",
    ],
)
def test_other_desks_are_left_as_they_are(given: str) -> None:
    assert desks_of(given) == given
