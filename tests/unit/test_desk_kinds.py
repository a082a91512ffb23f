"""The kinds of desks are data that agree with the desks of the platforms, and the machine names no
vendor.
"""

import ast
import json
from pathlib import Path

import pytest

from infra.uses import USES
from shared.bootstrap.desks import desks
from shared.bootstrap.platforms import platforms
from shared.errors import Misconfigured
from shared.handoff.routing.desk import Desk
from shared.schemas.conversation import Conversation
from shared.schemas.desk_kinds import DESK_KINDS, PLACED, PLACES, Way
from shared.settings.doors import DOORS
from shared.settings.model import Settings, read_settings

HANDOFF = Path(__file__).parents[2] / "shared" / "handoff"
SETTINGS = Settings()
VENDORS = {*platforms(SETTINGS)}


def kinds(*ways: Way) -> set[str]:
    return {kind for kind, able in DESK_KINDS.items() if able.way in ways}


def test_a_kind_that_must_be_called_has_a_desk_of_its_platform() -> None:
    known = desks(SETTINGS)
    assert kinds(Way.OPENS_CHATS) == set(known.chats)
    assert kinds(Way.HAS_CONVERSATION) == set(known.flags)
    assert kinds(Way.OPENS_CHATS, Way.HAS_CONVERSATION) <= VENDORS
    assert not kinds(Way.READS) & VENDORS


@pytest.mark.parametrize("kind", sorted(kinds(Way.OPENS_CHATS, Way.HAS_CONVERSATION)))
def test_a_desk_without_its_settings_is_a_door_that_is_closed(kind: str) -> None:
    place = {"place": PLACES[kind][1].rpartition(" like ")[2]} if kind in PLACED else {}
    row = json.dumps([{"name": "people", "kind": kind, **place}])
    asked = read_settings({"BATON_DESKS": row, "CSKU_NEED_HUMAN": "true"})
    own = [
        door
        for door in DOORS
        if "deliver_outbox" in door.functions
        and door.is_used(asked)
        and not door.is_used(read_settings({}))
    ]
    assert own
    assert {name.split("_")[0] for door in own for name in door.needs} == {kind.split("_")[0]}


@pytest.mark.parametrize("kind", PLACED)
def test_a_desk_that_needs_a_place_is_refused_without_one(kind: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_settings({"BATON_DESKS": json.dumps([{"name": "people", "kind": kind}])})
    assert "place: is missing" in refused.value.faults


def test_every_kind_of_desk_is_a_use_that_the_doctor_knows() -> None:
    assert {name for name, use in USES.items() if use.kind == "desk"} == set(DESK_KINDS)
    assert {name for use in USES.values() for name in use.doors} <= {door.name for door in DOORS}


@pytest.mark.parametrize("kind", sorted(kinds(Way.HAS_CONVERSATION)))
def test_a_desk_that_has_conversations_takes_only_those_of_its_platform(kind: str) -> None:
    desk, own = Desk(name="people", kind=kind), f"{kind}:1"
    assert desk.takes(Conversation(id=own, address="1"), "en")
    assert desk.takes(Conversation(id="other:1", address="1", links=(own,)), "en")
    assert not desk.takes(Conversation(id="other:1", address="1"), "en")


@pytest.mark.parametrize("path", sorted(HANDOFF.rglob("*.py")), ids=lambda path: path.stem)
def test_the_machine_names_no_vendor(path: Path) -> None:
    tree = ast.parse(path.read_text())
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not VENDORS & {word for word in words if isinstance(word, str)}
    assert not [name for name in names for vendor in VENDORS if vendor in name.lower()]
