"""Recounting: makes what reports show what the journal says was measured, while everything goes on.

Journal and counts are read as they stood at one moment. What is between them is no sum to be added
but the correction itself, which stands beside the counts and replaces the one that was there,
unless that is of a later moment. What is counted meanwhile is in neither, or in both later; so it
does not matter how often, from which moment, or beside which other recount this is done, nor where
it is interrupted: it is simply done again.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.conversations.contention import until_uncontended
from shared.measures.counts import (
    DAY,
    QUARTER,
    Count,
    Tally,
    added,
    counts,
    day_of,
    difference,
    in_tally,
)
from shared.ports import ConversationStore
from shared.schemas.commands import Record, State
from shared.schemas.journal import JournalEntry
from shared.schemas.measures import Measure

PAGE = 200
AT_ONCE = 10_000  # measures that are added up before they are kept
TAKES = timedelta(days=1)  # a recount, at most; for so long the journal must still be there


@dataclass(frozen=True, slots=True)
class Recounted:
    """By how much the corrections changed, and the days of UTC whose journal is no longer
    whole: they stay.
    """

    changed: list[Count]
    spared: list[datetime]


async def recount(
    store: ConversationStore, since: datetime, until: datetime, now: datetime
) -> Recounted:
    """Returns what had to be changed of the days of UTC from that of `since` until before that of
    `until` ends.

    `now` is when it begins; what a recount that began later has corrected stays. Raises
    Unavailable, and Contended where others kept it from being written; it may be done again at
    once.
    """
    since, until = day_of(since), day_of(until - QUARTER) + DAY
    async with store.frozen() as still:
        ends = await still.journal_ends(since, until)
        counted = await still.counted(since, until, (Tally.COUNTED,))
        right = difference(await measured(still, since, until), counted)
    present = await _corrected(store, since, until)
    spared = {day for day, end in ends.items() if end <= now + TAKES}
    kept = [one for one in present if day_of(one.cell.quarter) in spared]
    corrections = [*kept, *(one for one in right if day_of(one.cell.quarter) not in spared)]
    await until_uncontended(lambda: store.correct(since, until, corrections, now))
    return Recounted(difference(await _corrected(store, since, until), present), sorted(spared))


async def _corrected(store: ConversationStore, since: datetime, until: datetime) -> list[Count]:
    return in_tally(await store.counted(since, until, (Tally.CORRECTED,)), Tally.COUNTED)


async def measured(store: ConversationStore, since: datetime, until: datetime) -> list[Count]:
    """Returns what must have been counted: the records that are done, and those of erased
    conversations.
    """
    total = in_tally(await store.counted(since, until, (Tally.ERASED,)), Tally.COUNTED)
    waiting: list[Measure] = []
    async for entry in _journal(store):
        waiting += [one for one in _counted(entry) if since <= one.at < until]
        if len(waiting) >= AT_ONCE:
            total, waiting = added([*total, *counts(waiting)]), []
    return added([*total, *counts(waiting)])


def _counted(entry: JournalEntry) -> list[Measure]:
    done = (
        c for c in entry.commands if isinstance(c, Record) and c.state in (State.SENT, State.FAILED)
    )
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
    """Yields the journal of a conversation, in sequence."""
    cursor: str | None = ""
    while cursor is not None:
        page = await store.journal(conversation, cursor or None, PAGE)
        for entry in page.items:
            yield entry.value
        cursor = page.cursor
