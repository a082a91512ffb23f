"""A customer's file is copied as it arrives, holds up nothing, and is erased with the rest."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.errors import NotFound, Unavailable
from shared.media.names import kept_name
from shared.media_links import MediaName
from shared.ports import Opened, Ports
from shared.schemas.commands import KeepMedia, State
from shared.stores.media.directory import DirectoryStore
from tests.unit.file_server import PNG
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import ANA
from tests.unit.use_cases.test_relay import Relay, relay

__all__ = ["relay"]


@dataclass
class Keeper:
    """A MediaStore in a directory that is away for some calls, and ends the process in others."""

    kept: DirectoryStore
    away: int = 0
    crashes: bool = False

    async def put(self, name: str, mime_type: str, chunks: AsyncIterator[bytes]) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("media-store", "The store is away.")
        await self.kept.put(name, mime_type, chunks)
        if self.crashes:
            raise RuntimeError("the process ends here")

    def open(self, name: str, part: str | None) -> AbstractAsyncContextManager[Opened]:
        return self.kept.open(name, part)

    async def delete(self, prefix: str) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("media-store", "The store is away.")
        await self.kept.delete(prefix)


@pytest.fixture
def keeper(relay: Relay, tmp_path: Path) -> Keeper:
    made = Keeper(DirectoryStore(tmp_path / "media", timedelta(days=30)))
    policy = replace(relay.ports.policy, keeps_files=True, webhooks=frozenset())
    relay.ports = replace(relay.ports, policy=policy, media_store=made)
    return made


async def _kept(relay: Relay, keeper: Keeper) -> bytes | None:
    try:
        async with keeper.open(kept_name(await relay.last_entry()), None) as opened:
            return b"".join([chunk async for chunk in opened.chunks])
    except NotFound:
        return None


async def _copies(ports: Ports) -> list[KeepMedia]:
    latest = await ports.store.latest(ANA, 9)
    commands = (command for entry in latest for command in entry.value.commands)
    return [command for command in commands if isinstance(command, KeepMedia)]


async def test_a_file_is_there_after_its_platform_has_forgotten_it(
    relay: Relay, keeper: Keeper
) -> None:
    token = await relay.link(PNG)
    await deliver(relay.ports, ANA)
    assert await _kept(relay, keeper) == PNG
    relay.server.files.clear()
    answer, content = await relay.read(token)
    assert (answer.content_type, content) == ("image/png", PNG)


async def test_without_a_store_nothing_is_copied(relay: Relay) -> None:
    await relay.link(PNG)
    assert await _copies(relay.ports) == []


@pytest.mark.parametrize("fault", ["404", "403", "cut", "to http://169.254.169.254/x"])
async def test_what_cannot_be_copied_troubles_nobody(
    relay: Relay, keeper: Keeper, fault: str, bench: Bench
) -> None:
    relay.server.faults[str(1000)] = fault
    await relay.link(PNG)
    await deliver(relay.ports, ANA)
    assert await _kept(relay, keeper) is None
    relay.clock.forward(timedelta(days=2).total_seconds())
    await deliver(relay.ports, ANA)
    (copy,) = await _copies(relay.ports)
    assert copy.state is State.DROPPED
    assert "delivery.failed" not in str(bench.publisher.published)
    assert not await relay.ports.store.pending_count(ANA)


async def test_a_store_that_is_away_is_asked_again(relay: Relay, keeper: Keeper) -> None:
    keeper.away = 1
    await relay.link(PNG)
    await deliver(relay.ports, ANA)
    assert await _kept(relay, keeper) is None
    relay.clock.forward(60)
    await deliver(relay.ports, ANA)
    assert await _kept(relay, keeper) == PNG
    assert len(relay.server.asked) == 2


async def test_after_a_crash_between_file_and_journal_it_is_not_fetched_again(
    relay: Relay, keeper: Keeper
) -> None:
    keeper.crashes = True
    await relay.link(PNG)
    with pytest.raises(RuntimeError):
        await deliver(relay.ports, ANA)
    keeper.crashes = False
    await deliver(relay.ports, ANA)
    (copy,) = await _copies(relay.ports)
    assert copy.state is State.SENT
    assert len(relay.server.asked) == 1


async def test_an_erase_ends_only_when_the_files_are_gone(relay: Relay, keeper: Keeper) -> None:
    await relay.link(PNG)
    await deliver(relay.ports, ANA)
    name = await relay.last_entry()
    keeper.away = 1
    with pytest.raises(Unavailable):
        await erase(relay.ports, ANA, "admin")
    found = await relay.ports.store.load(ANA)
    assert found is not None and found.value.erasing is not None  # the sweep goes on with it
    await erase(relay.ports, ANA, "admin")
    with pytest.raises(NotFound):
        async with keeper.open(kept_name(name), None):
            pass


async def test_a_copy_that_an_erase_overtakes_is_deleted(relay: Relay, keeper: Keeper) -> None:
    """The erase comes after the file was read, and before the copy is done."""
    await relay.link(PNG)
    name, put = await relay.last_entry(), keeper.put

    async def overtaken(at: str, mime_type: str, chunks: AsyncIterator[bytes]) -> None:
        await erase(relay.ports, ANA, "admin")
        await put(at, mime_type, chunks)

    keeper.put = overtaken  # type: ignore[assignment, method-assign]
    await deliver(relay.ports, ANA)
    with pytest.raises(NotFound):
        async with keeper.open(kept_name(MediaName(ANA, name.entry)), None):
            pass
