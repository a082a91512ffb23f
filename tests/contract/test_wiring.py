"""From the environment to a store and a queue: each setting builds its adapter, and only that."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from shared.bootstrap.root import Baton
from shared.conversations.apply import apply, wake
from shared.errors import Misconfigured
from shared.ports import Ports
from shared.schemas.events import UserMessage
from shared.settings.model import read_settings
from shared.stores.cache import CachedStore
from shared.transports.pubsub import PubsubPublisher


@pytest.fixture
def deployed(
    firestore_emulator: str, pubsub_emulator: str, fresh_project: str
) -> Mapping[str, str]:
    """Returns the environment of a deployed function, but for the emulators."""
    return {
        "K_SERVICE": "receive-webhook",
        "GOOGLE_CLOUD_PROJECT": fresh_project,
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "PUBSUB_EMULATOR_HOST": pubsub_emulator,
    }


async def test_deployed_means_firestore_and_pubsub(
    deployed: Mapping[str, str], pubsub: Any, capsys: Any
) -> None:
    pubsub("PUT", f"projects/{deployed['GOOGLE_CLOUD_PROJECT']}/topics/baton-outbox", {})
    ports = Baton(read_settings(deployed)).ports
    assert isinstance(ports.store, CachedStore)
    assert isinstance(ports.publisher, PubsubPublisher)

    event = UserMessage(
        id="1", source="csku:1", address="1", actor="customer", form={}, said="hello"
    )
    assert (await apply(ports, event)).duplicate is None
    assert (await apply(ports, event)).duplicate is not None
    await wake(ports, "csku:1")
    assert capsys.readouterr().out == ""


async def test_two_processes_share_the_state(deployed: Mapping[str, str]) -> None:
    one, other = (Baton(read_settings(deployed)).ports for _ in range(2))
    event = UserMessage(
        id="1", source="csku:1", address="1", actor="customer", form={}, said="hello"
    )
    await apply(one, event)
    assert (await apply(other, event)).duplicate is not None


async def test_two_batons_of_a_project_share_nothing(
    deployed: Mapping[str, str], pubsub: Any
) -> None:
    project = deployed["GOOGLE_CLOUD_PROJECT"]
    pubsub("PUT", f"projects/{project}/topics/dev-outbox", {})
    dev = {**deployed, "BATON_PREFIX": "dev", "BATON_DATABASE": "baton-dev"}
    one, other = Baton(read_settings(deployed)).ports, Baton(read_settings(dev)).ports
    event = UserMessage(
        id="1", source="csku:1", address="1", actor="customer", form={}, said="hello"
    )
    await apply(one, event)
    assert (await apply(other, event)).duplicate is None
    await wake(other, "csku:1")  # its own topic is the only one


@pytest.mark.parametrize("setting", ["BATON_STORE", "BATON_QUEUE"])
def test_a_missing_project_is_named(deployed: Mapping[str, str], setting: str, capsys: Any) -> None:
    environment = {
        name: value for name, value in deployed.items() if name != "GOOGLE_CLOUD_PROJECT"
    }
    environment["BATON_QUEUE" if setting == "BATON_STORE" else "BATON_STORE"] = ""
    del environment["K_SERVICE"]
    environment[setting] = "firestore" if setting == "BATON_STORE" else "pubsub"
    with pytest.raises(Misconfigured):
        _ = Baton(read_settings(environment)).ports
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["severity"] == "ERROR"
    assert "GOOGLE_CLOUD_PROJECT" in line["message"]


def test_one_machine_loads_nothing_of_google() -> None:
    program = """
import sys
from shared.bootstrap.root import Baton
from shared.settings.model import read_settings
assert isinstance(Baton(read_settings({})).ports, object)
heavy = ("grpc", "google.api_core", "google.auth", "google.cloud.firestore", "google.pubsub")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_ports_are_built_once(deployed: Mapping[str, str]) -> None:
    baton = Baton(read_settings(deployed))
    ports: Ports = baton.ports
    assert baton.ports is ports
