"""The sweep wakes every conversation that is due, and those of people who are gone. It decides
nothing, so two sweeps at once do no harm.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

import pydantic_core

from shared.conversations.apply import wake
from shared.errors import MethodNotAllowed
from shared.ports import Page, Ports
from shared.schemas.http import Request, Response
from shared.schemas.people import Presence

T = TypeVar("T")

PAGE = 300
WITHIN_SECONDS = 50.0  # less than the minute between two sweeps


async def sweep_all(ports: Ports, request: Request) -> Response:
    """Returns how many conversations were woken."""
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    woken = await sweep(ports)
    return Response(body=pydantic_core.to_json({"woken": woken}), notes={"woken": woken})


async def sweep(ports: Ports, until: datetime | None = None, within: float = WITHIN_SECONDS) -> int:
    """Wakes the conversations with timers or outbox entries due by `until` (default: now), and
    those of people who are gone by then. Returns how many they were.

    After `within` seconds it ends with the page in hand. A failing command is due later after each
    try, so the next sweep, which begins with the longest wait, reaches other conversations too.
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
    async for people in _pages(
        lambda cursor: ports.store.due_people(until, cursor, PAGE), deadline
    ):
        await _wake_what_they_hold(ports, [one.value for one in people], woken)
    return len(woken)


async def _wake_what_they_hold(ports: Ports, gone: Sequence[Presence], woken: set[str]) -> None:
    """Wakes also what was woken before: only this wake-up says who is gone."""
    held = {(one.id, slot.conversation) for one in gone for slot in one.slots.values()}
    woken |= {conversation for _, conversation in held}
    await asyncio.gather(
        *(wake(ports, conversation, person=person) for person, conversation in held)
    )


async def _wake_all(
    ports: Ports, page: Sequence[str], woken: set[str], *, timers: bool = False
) -> None:
    """Wakes those of a page that were not woken before, all at once: publishing one after the other
    would take most of the time.
    """
    asleep = set(page) - woken
    woken |= asleep
    await asyncio.gather(*(wake(ports, conversation, timers=timers) for conversation in asleep))


async def _pages(
    read: Callable[[str | None], Awaitable[Page[T]]], deadline: float
) -> AsyncIterator[list[T]]:
    page = await read(None)
    yield page.items
    while page.cursor is not None and asyncio.get_running_loop().time() < deadline:
        page = await read(page.cursor)
        yield page.items
