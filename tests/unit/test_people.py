"""BATON_AGENTS and the keys of people: who calls, and with which rights."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from shared.bootstrap.root import Baton
from shared.errors import Misconfigured
from shared.schemas.notation import sha256
from shared.schemas.people import Person, Role
from shared.schemas.representative import RepresentativeType
from shared.settings.model import read_settings

JANE = {"name": "Jane Doe", "languages": ["pt-BR", "in"], "capacity": 3}
HUMAN = frozenset({RepresentativeType.HUMAN})


def given(people: object, **keys: Mapping[str, Any]) -> dict[str, str]:
    return {"BATON_AGENTS": json.dumps(people), "BATON_API_KEYS": json.dumps(keys)}


def test_people_are_known_by_an_address_in_lower_case_or_by_a_word() -> None:
    settings = read_settings(given({"Jane@Example.com": JANE, "omar": {"name": "Omar"}}))
    assert settings.people == {
        "jane@example.com": Person(
            id="jane@example.com", name="Jane Doe", languages=("pt", "id"), capacity=3
        ),
        "omar": Person(id="omar", name="Omar"),
    }
    assert Baton(settings).ports.people == settings.people


@pytest.mark.parametrize(
    ("role", "may", "rights"),
    [
        ("agent", HUMAN, set()),
        ("supervisor", HUMAN, {"supervisor"}),
        ("reports", frozenset(), {"reports"}),
        ("admin", HUMAN, {"supervisor", "admin", "templates"}),
    ],
)
def test_the_rights_of_a_person_follow_from_the_role(
    role: str, may: frozenset[RepresentativeType], rights: set[str]
) -> None:
    keys = {"dev-jane": {"person": "JANE@example.com"}}
    people = {"jane@example.com": {"name": "Jane", "role": role}}
    caller = read_settings(given(people, **keys)).api_keys[sha256("dev-jane")]
    assert caller.person == Person(id="jane@example.com", name="Jane", role=Role(role))
    assert (caller.name, caller.may) == ("jane@example.com", may)
    flags = ("supervisor", "reports", "admin", "templates")
    assert {one for one in flags if getattr(caller, one)} == rights


def test_keys_of_systems_are_what_they_were_and_an_admin_supervises() -> None:
    keys: dict[str, Any] = {
        "dev-bot": {"name": "bot", "may": ["BOT"]},
        "dev-admin": {"name": "admin", "admin": True},
        "dev-wall": {"name": "wall", "reports": True},
    }
    callers = read_settings(given({}, **keys)).api_keys
    bot, admin, wall = (callers[sha256(key)] for key in keys)
    assert (bot.person, bot.supervisor, bot.reports) == (None, False, False)
    assert (admin.admin, admin.supervisor) == (True, True)
    assert (wall.may, wall.reports) == (frozenset(), True)


def test_the_key_of_somebody_who_was_removed_opens_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = read_settings(given({}, **{"dev-jane": {"person": "jane@example.com"}}))
    assert settings.api_keys == {}
    logged = capsys.readouterr().out
    assert "a key counts as missing: its person is not in BATON_AGENTS" in logged
    assert "jane" not in logged


@pytest.mark.parametrize(
    ("people", "complaint"),
    [
        ([], 'BATON_AGENTS: give a JSON object, like {"jane@example.com"'),
        ({"jane doe": JANE}, "BATON_AGENTS: name each person by an e-mail address"),
        ({"": JANE}, "BATON_AGENTS: name each person by an e-mail address"),
        ({"j@x.test": JANE, "J@x.test": JANE}, "BATON_AGENTS: a person is in it twice"),
        ({"j": JANE, "k": {"name": "jane doe"}}, "BATON_AGENTS: two people have the same name"),
        ({"j": JANE, "k": {}}, "BATON_AGENTS 2.name: is missing"),
        ({"j": {"name": " "}}, "BATON_AGENTS 1.name: "),
        ({"j": "Jane"}, 'BATON_AGENTS 1: give an object, like {"name"'),
        ({"j": {"name": "J", "role": "boss"}}, "BATON_AGENTS 1.role: Input should be 'agent'"),
        ({"j": {"name": "J", "capacity": -1}}, "BATON_AGENTS 1.capacity: "),
        ({"j": {"name": "J", "key": "s"}}, "BATON_AGENTS 1.key: there is no such key"),
        ({"j": {"name": "J", "languages": ["Dutch!"]}}, "BATON_AGENTS 1.languages: give tags"),
        ({"j": {"name": "J", "avatar": "x.png"}}, "BATON_AGENTS 1: avatar: give the address"),
        ({"j": {"name": "J", "desks": ["moon"]}}, "BATON_AGENTS: moon is none of api"),
    ],
)
def test_faulty_people_are_refused_in_words_that_name_nobody(
    people: object, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misconfigured):
        _ = Baton(read_settings(given(people))).ports
    logged = capsys.readouterr().out
    assert complaint in json.loads(logged)["message"]
    assert "jane" not in logged.lower().replace("jane@example.com", "").replace("jane doe", "")


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({}, "give the name of a system, or the person of BATON_AGENTS"),
        ({"name": "jane", "person": "jane"}, "give the name of a system, or the person"),
        ({"person": "jane", "may": ["BOT"]}, "the rights of a person follow from the role"),
        ({"person": "jane", "admin": True}, "the rights of a person follow from the role"),
        ({"person": "jane", "reports": True}, "the rights of a person follow from the role"),
        ({"name": "x", "reports": True, "may": ["HUMAN"]}, "sees reports and nothing else"),
        ({"name": "Jane", "may": ["HUMAN"]}, "a name is that of a person in BATON_AGENTS"),
    ],
)
def test_a_key_is_of_a_system_or_of_a_person(
    row: dict[str, Any], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misconfigured):
        read_settings(given({"jane": JANE}, **{"dev-key": row}))
    assert complaint in json.loads(capsys.readouterr().out)["message"]
