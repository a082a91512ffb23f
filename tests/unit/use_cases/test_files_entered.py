"""How many of Baton's own files a WhatsApp text enters, from the door until it is committed: a
reader who follows it must open as many.
"""

import gc
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import shared
from shared.conversations.receive_webhook import receive_webhook
from shared.platforms.whatsapp.platform import WhatsApp
from shared.stores.sqlite.store import SqliteStore
from shared.transports.clock import WallClock
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import ANA, ports_of, says, signed

SHARED = Path(shared.__file__).parent
MOST = 26
MOST_OF_CONVERSATIONS = 4  # door, place, apply, entries


class Files:
    """The files of `shared` that are entered while it records, in any thread."""

    def __init__(self) -> None:
        self.entered: set[Path] = set()
        self.records = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if self.records and event == "call":
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(SHARED):
                self.entered.add(path.relative_to(SHARED))


@pytest.fixture
def files() -> Iterator[Files]:
    files, before = Files(), sys.getprofile()
    threading.setprofile(files)
    sys.setprofile(files)
    yield files
    sys.setprofile(before)
    threading.setprofile(None)


async def test_a_text_enters_no_more_files_than_a_reader_can_follow(
    files: Files, bench: Bench, tmp_path: Path
) -> None:
    store = SqliteStore(str(tmp_path / "profiled.sqlite"))  # its thread starts under the profile
    whatsapp = WhatsApp(app_secrets=("s",), access_token="t", now=WallClock().now)
    ports = ports_of(bench)
    known = {**ports.platforms, "whatsapp": whatsapp}
    ports = replace(ports, store=store, clock=WallClock(), platforms=known, publisher=Until(files))
    await receive_webhook(ports, signed(messages=[says(1, "OTHER")]))  # opens the store
    gc.collect()  # what other tests have left would enter files while it is freed
    files.records = True
    await receive_webhook(ports, signed(messages=[says(0, "FIRST")]))
    assert not files.records, "it was never woken, so never committed"
    assert await store.load(ANA) is not None
    await store.close()
    rooms: dict[str, list[str]] = {}
    for path in sorted(files.entered):
        rooms.setdefault(path.parts[0], []).append(str(path))
    assert len(files.entered) <= MOST, rooms
    assert len(rooms["conversations"]) <= MOST_OF_CONVERSATIONS, rooms


class Until:
    """A publisher that ends the record: the wake-up comes right after the commit."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        self._files.records = False
