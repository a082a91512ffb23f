"""A cache of the conversations that this instance has read or committed.

With it, an event of a known conversation costs one commit and no read. A copy of a conversation
that other instances write too is outdated at the next event: in a dialogue the customer's words and
the bot's come through two functions. The commit that relies on it is refused, which costs two reads
and a second commit. So after a refused commit the conversation is read first.
"""

from collections import OrderedDict

from shared.ports import Commit, ConversationStore, PreconditionFailed, Snapshot, Written
from shared.schemas.conversation import Conversation

CONVERSATIONS = 1000
# An outdated copy costs three RPCs and a pause, a needless read one: after so many needless reads
# in a row, the copies are relied on again.
NEEDLESS_READS = 3


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
        # conversations that others write, and how many reads in a row found nothing of others
        self._shared: OrderedDict[str, int] = OrderedDict()
        # All other methods are those of the inner store.
        self.entry = store.entry
        self.sent_as = store.sent_as
        self.update = store.update
        self.update_together = store.update_together
        self.pending = store.pending
        self.pending_count = store.pending_count
        self.queue = store.queue
        self.journal = store.journal
        self.journal_back = store.journal_back
        self.latest = store.latest
        self.due_conversations = store.due_conversations
        self.due_entries = store.due_entries
        self.conversations = store.conversations
        self.people = store.people
        self.due_people = store.due_people
        self.watch_person = store.watch_person
        self.watch_phase = store.watch_phase
        self.device = store.device
        self.keep_device = store.keep_device
        self.forget_device = store.forget_device
        self.counted = store.counted
        self.correct = store.correct
        self.journal_ends = store.journal_ends
        self.scrub = store.scrub
        self.frozen = store.frozen

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        """Returns the copy if there is one that can be relied on and not `fresh`, else reads the
        conversation and keeps a copy.
        """
        if not fresh and conversation not in self._shared:
            known = self._known.get(conversation)
            if known is not None:
                self._known.move_to_end(conversation)
                return known
        known = self._forget(conversation)
        snapshot = await self._store.load(conversation, fresh=fresh)
        self._compare(known, snapshot)
        if snapshot is not None:
            self._remember(snapshot)
        return snapshot

    async def commit(self, commit: Commit) -> Written:
        """Drops the copies before the write, so that none remains if the write fails or its
        answer is lost.
        """
        for conversation in commit.conversations:
            self._forget(conversation.value.id)
        try:
            written = await self._store.commit(commit)
        except PreconditionFailed:
            for conversation in commit.conversations:
                self._share(conversation.value.id)
            raise
        for snapshot in written.conversations:
            self._remember(snapshot)
        return written

    def copy_called(self, name: str) -> Snapshot[Conversation] | None:
        known = self._known.get(self._called.get(name, name))
        return known if known is not None and known.value.is_called(name) else None

    def _share(self, conversation: str) -> None:
        self._shared[conversation] = 0
        self._shared.move_to_end(conversation)
        if len(self._shared) > self._size:
            self._shared.popitem(last=False)

    def _compare(
        self, known: Snapshot[Conversation] | None, read: Snapshot[Conversation] | None
    ) -> None:
        """Notes whether the read of a conversation that others write was needed."""
        if known is None or known.value.id not in self._shared:
            return
        if read is None or read.token != known.token:
            self._share(known.value.id)
        elif self._shared[known.value.id] + 1 < NEEDLESS_READS:
            self._shared[known.value.id] += 1
        else:
            del self._shared[known.value.id]

    def _forget(self, conversation: str) -> Snapshot[Conversation] | None:
        known = self._known.pop(conversation, None)
        if known is not None:
            for name in known.value.names:
                if self._called.get(name.id) == conversation:
                    del self._called[name.id]
        return known

    def _remember(self, snapshot: Snapshot[Conversation]) -> None:
        conversation = snapshot.value.id
        self._forget(conversation)
        self._known[conversation] = snapshot
        for name in snapshot.value.names:
            self._called[name.id] = conversation
        if len(self._known) > self._size:
            self._forget(next(iter(self._known)))
