"""Each function loads the rooms of `shared/` that its path uses, and no other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deployables import deployables

ROOT = Path(__file__).parents[2]
Lists = list[list[str]]
# what an import of any main.py loads: settings, ports, the registries, the door
AT_START = {
    "bootstrap", "circuits", "edge", "errors", "handoff", "logs", "measures", "media_links",
    "platforms", "ports", "schemas", "settings", "tracing", "transports", "values",
}  # fmt: skip
# what the first request loads beside these
AT_FIRST_REQUEST = {
    "receive_webhook": {"conversations", "delivery", "google_rpc", "outbox", "stores"},
    "forward_variables": {"browser", "conversations", "google_rpc", "stores", "version"},
    "send_representative": {
        "api", "conversations", "customers", "delivery", "google_rpc", "media", "outbox", "people",
        "reports", "stores", "version",
    },
    "deliver_outbox": {
        "conversations", "customers", "delivery", "google_rpc", "media", "outbox", "people",
        "stores",
    },
    "relay_media": {"google_rpc", "media", "stores"},
    "run_bot": {"bots", "conversations", "google_rpc", "stores"},
    "notify_handoff": {"conversations", "google_rpc", "stores", "teams"},
    "sweep": {"conversations", "delivery", "google_rpc", "stores"},
}  # fmt: skip
# modules that only one function's path uses, of rooms that several load
ONLY = {
    "shared.delivery.deliver": {"deliver_outbox"},
    "shared.platforms.desk": {"send_representative", "deliver_outbox"},
    "shared.people.live": {"send_representative"},
    "shared.teams.notify_handoff": {"notify_handoff"},
    "shared.transports.inline": set[str](),
    "shared.stores.sqlite.store": set[str](),
    "cryptography": {"forward_variables"},  # PyJWT imports it
}
# Each of these takes a tenth of the start, or more, and no emulator needs it. A deployment imports
# the credentials once it opens a channel.
NEVER = {
    "google.cloud.firestore_v1", "google.pubsub_v1", "proto", "google.api_core", "google.auth",
    "requests", "aiohttp", "infra",
}  # fmt: skip
# What libraries would search at a start: the metadata of every package, for pydantic's plug-ins,
# and the system's lists of file types.
NEVER_READ = ("entry_points.txt", "mime.types")
# Each function is loaded in a process of its own, all of which begin with the framework.
PROGRAM = """
import importlib, json, os, sys
import functions_framework.aio
loaded = lambda: sorted(name for name in sys.modules)
for function in sys.argv[1:]:
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0, function
        continue
    opened = []
    sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
    main = importlib.import_module(f"functions.{function}.main")
    at_start = loaded()
    getattr(main, "FIND", main.bootstrap.handler)(function)
    print(json.dumps([function, at_start, loaded(), opened]))
    break
"""
GARBAGE = """
import functions_framework.aio, gc
searched = [0]
def count(phase, found):
    if phase == "start":
        searched.append(len(gc.get_objects()))
gc.collect()
gc.callbacks.append(count)
from shared.bootstrap import root
root.announce("receive_webhook")
root.handler("receive_webhook")
print(max(searched) < 10_000 < gc.get_freeze_count(), gc.isenabled())
"""
DEPLOYED = {
    "K_SERVICE": "x", "GOOGLE_CLOUD_PROJECT": "p", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
}  # fmt: skip


def test_the_list_names_every_function() -> None:
    assert set(AT_FIRST_REQUEST) == set(deployables())


@pytest.fixture(scope="module")
def by_function() -> dict[str, Lists]:
    """Returns what each function loaded at its start and in all, and which files it opened."""
    lines = map(json.loads, _printed(PROGRAM, *AT_FIRST_REQUEST))
    return {function: loaded for function, *loaded in lines}


@pytest.mark.parametrize("function", AT_FIRST_REQUEST)
def test_a_function_loads_only_what_its_path_uses(
    function: str, by_function: dict[str, Lists]
) -> None:
    at_start, in_all, opened = by_function[function]
    assert not NEVER & {*in_all}
    assert [one for one in opened if one.endswith(NEVER_READ)] == []
    parts = (one for one in in_all if one.startswith("shared.platforms.") and one.count(".") == 3)
    # a platform or a desk is loaded with the first message of its own
    assert [one for one in parts if one.endswith((".platform", ".desk", ".webhook"))] == []
    assert _rooms(at_start) == AT_START
    assert _rooms(in_all) == AT_START | AT_FIRST_REQUEST[function]
    for module, functions in ONLY.items():
        assert (module in in_all) == (function in functions)


def test_what_is_loaded_is_not_searched_for_garbage() -> None:
    """A collection that runs while it is loaded, or that searches it afterwards, takes 10 ms."""
    assert _printed(GARBAGE)[-1] == "True True"


def _printed(program: str, *arguments: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, env={"PATH": "", **DEPLOYED}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout.splitlines()


def _rooms(modules: list[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.startswith("shared.")}
