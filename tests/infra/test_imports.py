"""Each function loads the rooms of `shared/` that its path uses, and no other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deployables import deployables

ROOT = Path(__file__).parents[2]
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
PROGRAM = """
import importlib, json, sys
import functions_framework.aio
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
main = importlib.import_module(f"functions.{sys.argv[1]}.main")
loaded = lambda: sorted(name for name in sys.modules)
at_start = loaded()
getattr(main, "FIND", main.bootstrap.handler)(sys.argv[1])
print(json.dumps([at_start, loaded(), opened]))
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


@pytest.mark.parametrize("function", AT_FIRST_REQUEST)
def test_a_function_loads_only_what_its_path_uses(function: str) -> None:
    at_start, in_all, opened = _loaded(function)
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
    assert _last_line(GARBAGE) == "True True"


def _loaded(function: str) -> tuple[list[str], list[str], list[str]]:
    at_start, in_all, opened = json.loads(_last_line(PROGRAM, function))
    return at_start, in_all, opened


def _last_line(program: str, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, env={"PATH": "", **DEPLOYED}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout.splitlines()[-1]


def _rooms(modules: list[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.startswith("shared.")}
