"""How many documents of a day the counts are spread over: more under load, fewer after it.

Firestore takes about one write a second to a document, in the long run. A report reads all
documents of its days, so there are not more than needed.
"""

import random
from datetime import datetime, timedelta

from shared.ports import Clock
from shared.stores.documents import SHARDS, shard

MOST = 256  # documents; a report reads each of them
WINDOW = timedelta(seconds=10)
# documents for each write a second of this instance: others may write as much
FOR_EACH_WRITE = 4


class Buckets:
    """The documents that this instance writes. It knows its own rate; that others write too shows
    where a write meets the locks of another.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._number = SHARDS
        self._began: datetime | None = None
        self._writes = 0
        self._contended = False

    def next_for(self, conversation: str) -> int:
        """Returns the number of the document for the next counts of a conversation. Without load
        those of one conversation are in one document.
        """
        self._look()
        self._writes += 1
        if self._number == SHARDS:
            return shard(conversation)
        return random.randrange(self._number)

    def note_contention(self) -> None:
        self._contended = True

    def _look(self) -> None:
        now = self._clock.now()
        if self._began is None:
            self._began = now
        passed = now - self._began
        if passed < WINDOW:
            return
        by_rate = FOR_EACH_WRITE * self._writes / passed.total_seconds()
        by_others = self._number * 2 if self._contended else self._number // 2
        self._number = int(min(max(SHARDS, by_rate, by_others), MOST))
        self._began, self._writes, self._contended = now, 0, False
