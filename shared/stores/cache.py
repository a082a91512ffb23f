"""A cache of the conversations that this instance has read or committed.

With it, an event of a known conversation costs one commit and no read.
"""

from collections import OrderedDict

from shared.ports import Commit, ConversationStore, Snapshot
from shared.schemas.conversation import Conversation

CONVERSATIONS = 1000


class CachedStore:
    """A ConversationStore around another one.

    It keeps the most recently used `size` conversations.

    An outdated copy does no harm: the commit that relies on it fails, and the copy is dropped.
    Absence is not cached, so a conversation that another instance created is found at once.
    """

    def __init__(self, store: ConversationStore, size: int = CONVERSATIONS) -> None:
        self._store = store
        self._size = size
        self._known: OrderedDict[str, Snapshot[Conversation]] = OrderedDict()
        self._called: dict[str, str] = {}  # by name, the conversation whose copy lists it
        # All other methods are those of the inner store.
        self.entry = store.entry
        self.sent_as = store.sent_as
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
        """Returns the copy if there is one and not `fresh`, else reads the conversation and
        keeps a copy.
        """
        known = self._forget(conversation)
        snapshot = (
            known if known and not fresh else await self._store.load(conversation, fresh=fresh)
        )
        if snapshot is not None:
            self._remember(snapshot)
        return snapshot

    async def commit(self, commit: Commit) -> list[Snapshot[Conversation]]:
        """Drops the copies before the write, so that none remains if the write fails or its
        answer is lost.
        """
        for conversation in commit.conversations:
            self._forget(conversation.value.id)
        written = await self._store.commit(commit)
        for snapshot in written:
            self._remember(snapshot)
        return written

    def copy_called(self, name: str) -> Snapshot[Conversation] | None:
        known = self._known.get(self._called.get(name, name))
        return known if known is not None and known.value.is_called(name) else None

    def _forget(self, conversation: str) -> Snapshot[Conversation] | None:
        known = self._known.pop(conversation, None)
        for name in known.value.names if known else ():
            if self._called.get(name.id) == conversation:
                del self._called[name.id]
        return known

    def _remember(self, snapshot: Snapshot[Conversation]) -> None:
        self._forget(snapshot.value.id)
        self._known[snapshot.value.id] = snapshot
        self._called |= {name.id: snapshot.value.id for name in snapshot.value.names}
        if len(self._known) > self._size:
            self._forget(next(iter(self._known)))
