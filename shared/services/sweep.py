"""The sweep: wakes every conversation whose time has come. It decides nothing, so two at once do no harm."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from shared.ports import Page, Ports
from shared.services.apply import wake

PAGE = 300


async def sweep(ports: Ports, until: datetime | None = None) -> int:
    """Returns how many conversations were woken: those with timers or outbox entries due by `until` (default: now)."""
    until = until or ports.clock.now()
    woken = set()
    async for conversation in _pages(lambda cursor: ports.store.due_conversations(until, cursor, PAGE)):
        woken.add(conversation)
        await wake(ports, conversation, timers=True)
    async for conversation in _pages(lambda cursor: ports.store.due_entries(until, cursor, PAGE)):
        if conversation not in woken:
            woken.add(conversation)
            await wake(ports, conversation)
    return len(woken)


async def _pages(read: Callable[[str | None], Awaitable[Page[str]]]) -> AsyncIterator[str]:
    page = await read(None)
    while True:
        for item in page.items:
            yield item
        if page.cursor is None:
            return
        page = await read(page.cursor)
