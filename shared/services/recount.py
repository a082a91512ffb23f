"""Recounting: makes what was counted what the journal says was measured, while everything goes on.

Journal and counts are read as they stood at one moment, and their difference is added. What is counted meanwhile is in
neither, so it is not touched; a recount that was interrupted is simply done again.
"""

from collections.abc import AsyncIterator
from datetime import datetime

from shared.ports import ConversationStore
from shared.reports.counts import Count, added, as_erased, counts, difference
from shared.schemas.commands import Record, State
from shared.schemas.journal import JournalEntry
from shared.schemas.measures import Measure

PAGE = 200
AT_ONCE = 10_000  # measures that are added up before they are kept


async def recount(store: ConversationStore, since: datetime, until: datetime) -> list[Count]:
    """Returns what had to be added, which is nothing where all was right, to what `since` until before `until` began.

    `since` must lie within the time for which the journal is kept. Raises Unavailable.
    """
    async with store.frozen() as still:
        wanted = await measured(still, since, until)
        missing = difference(wanted, await still.counted(since, until))
    await store.count(missing)
    return missing


async def measured(store: ConversationStore, since: datetime, until: datetime) -> list[Count]:
    """Returns what must have been counted: the records that are done, and those of erased conversations."""
    total = as_erased(await store.counted(since, until, erased=True), erased=False)
    waiting: list[Measure] = []
    async for entry in _journal(store):
        waiting += [one for one in _counted(entry) if since <= one.at < until]
        if len(waiting) >= AT_ONCE:
            total, waiting = added([*total, *counts(waiting)]), []
    return added([*total, *counts(waiting)])


def _counted(entry: JournalEntry) -> list[Measure]:
    done = (c for c in entry.commands if isinstance(c, Record) and c.state in (State.SENT, State.FAILED))
    return [measure for record in done for measure in record.measures]


async def _journal(store: ConversationStore) -> AsyncIterator[JournalEntry]:
    """Yields every entry of every conversation."""
    cursor: str | None = ""
    while cursor is not None:
        page = await store.conversations(cursor or None, PAGE)
        for conversation in page.items:
            async for entry in entries_of(store, conversation.id):
                yield entry
        cursor = page.cursor


async def entries_of(store: ConversationStore, conversation: str) -> AsyncIterator[JournalEntry]:
    """Yields the journal of a conversation, oldest first."""
    cursor: str | None = ""
    while cursor is not None:
        page = await store.journal(conversation, cursor or None, PAGE)
        for entry in page.items:
            yield entry.value
        cursor = page.cursor
