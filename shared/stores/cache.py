"""What this instance last read or committed, so that a warm event costs one commit and no read."""

from collections import OrderedDict

from shared.ports import Commit, ConversationStore, Snapshot
from shared.schemas.conversation import Conversation

CONVERSATIONS = 1000


class CachedStore:
    """A ConversationStore around another. A copy that is old does no harm: its token fails, and it
    is forgotten.

    Absence is not remembered, so a conversation that another instance opened is seen at once.
    """

    def __init__(self, store: ConversationStore, size: int = CONVERSATIONS) -> None:
        self._store = store
        self._size = size
        self._known: OrderedDict[str, Snapshot[Conversation]] = OrderedDict()
        self.entry = store.entry
        self.update = store.update
        self.update_together = store.update_together
        self.pending = store.pending
        self.pending_count = store.pending_count
        self.queue = store.queue
        self.journal = store.journal
        self.latest = store.latest
        self.due_conversations = store.due_conversations
        self.due_entries = store.due_entries
        self.conversations = store.conversations
        self.counted = store.counted
        self.correct = store.correct
        self.journal_ends = store.journal_ends
        self.scrub = store.scrub
        self.frozen = store.frozen

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        """Returns the copy where there is one, unless `fresh`; what was read becomes the copy."""
        known = self._known.pop(conversation, None)
        snapshot = (
            known if known and not fresh else await self._store.load(conversation, fresh=fresh)
        )
        if snapshot is not None:
            self._remember(snapshot)
        return snapshot

    async def commit(self, commit: Commit) -> list[Snapshot[Conversation]]:
        """Forgets before it writes: whatever ends this early, an answer lost among it, leaves
        no copy behind.
        """
        for conversation in commit.conversations:
            self._known.pop(conversation.value.id, None)
        written = await self._store.commit(commit)
        for snapshot in written:
            self._remember(snapshot)
        return written

    def _remember(self, snapshot: Snapshot[Conversation]) -> None:
        self._known[snapshot.value.id] = snapshot
        self._known.move_to_end(snapshot.value.id)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
