"""Recounts the reports from the journal while Baton keeps running.

Journal and counts are read at the same moment. Their difference is stored as the correction. It
replaces an earlier correction, unless that one comes from a later reading, and is never added to
it.

What is counted during the recount is in neither reading. So a recount may be repeated, interrupted,
or run beside another one.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from shared.conversations.contention import until_uncontended
from shared.errors import Unreadable
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
from shared.values import frozen

PAGE = 200
AT_ONCE = 10_000  # measures that are held in memory before they are added up
TAKES = timedelta(days=1)  # longest run of a recount: the journal must be kept for longer than that


@frozen
class Recounted:
    """The change of the corrections, and the UTC days that were left unchanged because their
    journal is no longer complete.
    """

    changed: list[Count]
    spared: list[datetime]


async def recount(
    store: ConversationStore, since: datetime, until: datetime, now: datetime
) -> Recounted:
    """Recounts the UTC days from that of `since` to the last one before `until`.

    Returns the changes.

    `now` is when the recount begins; corrections of a later recount are kept. Raises Unavailable,
    and Contended if other writers prevented the write. It may then be repeated at once.
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
    """Returns the counts that follow from the journal, plus those of erased conversations."""
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
    return [measure for record in done for measure in record.counted]


async def _journal(store: ConversationStore) -> AsyncIterator[JournalEntry]:
    """Yields every entry of every conversation."""
    cursor: str | None = ""
    while cursor is not None:
        page = await store.conversations(cursor or None, PAGE)
        if page.unreadable:  # their counts would be taken away
            raise Unreadable
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
