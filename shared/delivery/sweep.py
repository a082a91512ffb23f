"""The sweep: wakes every conversation whose time has come. It decides nothing, so two at once
do no harm.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

import pydantic_core

from shared.conversations.apply import wake
from shared.errors import MethodNotAllowed
from shared.ports import Page, Ports
from shared.schemas.http import Request, Response

PAGE = 300
WITHIN_SECONDS = 50.0  # below the minute after which the next one begins


async def sweep_all(ports: Ports, request: Request) -> Response:
    """Returns how many conversations were woken."""
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    woken = await sweep(ports)
    return Response(body=pydantic_core.to_json({"woken": woken}), notes={"woken": woken})


async def sweep(ports: Ports, until: datetime | None = None, within: float = WITHIN_SECONDS) -> int:
    """Returns how many conversations were woken: those with timers or outbox entries due by `until`
    (default: now).

    It ends with the page it has in hand once `within` seconds are over. What fails is due later
    each time, so those who have waited longest, whom the next one begins with, are not always the
    same.
    """
    until = until or ports.clock.now()
    deadline = asyncio.get_running_loop().time() + within
    woken: set[str] = set()
    async for page in _pages(
        lambda cursor: ports.store.due_conversations(until, cursor, PAGE), deadline
    ):
        await _wake_all(ports, page, woken, timers=True)
    async for page in _pages(lambda cursor: ports.store.due_entries(until, cursor, PAGE), deadline):
        await _wake_all(ports, page, woken)
    return len(woken)


async def _wake_all(
    ports: Ports, page: Sequence[str], woken: set[str], *, timers: bool = False
) -> None:
    """Wakes those of a page who were not, all at once: a publish after the other would take
    most of the time.
    """
    asleep = set(page) - woken
    woken |= asleep
    await asyncio.gather(*(wake(ports, conversation, timers=timers) for conversation in asleep))


async def _pages(
    read: Callable[[str | None], Awaitable[Page[str]]], deadline: float
) -> AsyncIterator[list[str]]:
    page = await read(None)
    yield page.items
    while page.cursor is not None and asyncio.get_running_loop().time() < deadline:
        page = await read(page.cursor)
        yield page.items
