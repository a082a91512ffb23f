"""The part that all calls to a desk share: which chat is meant, whether it is still needed, and how
the call fails.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from shared.conversations.apply import apply_and_wake
from shared.conversations.desk_message_ids import desk_message_id
from shared.handoff.channels import all_of
from shared.handoff.said import SPEAKERS, was_said
from shared.handoff.visibility import details_for, plain_text_for, words_for, words_for_desk
from shared.outbox.attempt import settled
from shared.outbox.files import linked_by
from shared.outbox.record import Work
from shared.outbox.tries import Attempt, Result, again, is_final, tried_by
from shared.platforms.desk import Chat, ChatDesk, Spoken, Words, chat_at
from shared.ports import Ports
from shared.schemas.commands import CallDesk, State
from shared.schemas.conversation import Conversation
from shared.schemas.details import Details
from shared.schemas.events import HandoffFailed
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import platform_of
from shared.schemas.variables import Audience
from shared.values import frozen

TRANSCRIPT = 50  # messages of the journal
FURTHEST = 3200  # entries that are read for them


@frozen
class DeskCall:
    """One command that calls a desk. `channel` is the conversation in its present state."""

    ports: Ports
    work: Work
    command: CallDesk
    channel: Conversation

    @property
    def entry(self) -> JournalEntry:
        return self.work.entry.value

    @property
    def is_wanted(self) -> bool:
        """Whether this handoff is still under way, and with this desk."""
        called = self.channel.called
        return called is not None and called.handoff == self.command.handoff

    @property
    def was_read(self) -> bool:
        """Whether a human has joined since, without this handoff."""
        return not self.is_wanted and self.channel.human_version > self.entry.seq

    async def named(self) -> Chat | None:
        """Returns the chat that the command names, if it is stored; it need not be linked any
        more.
        """
        snapshot = await self.ports.store.load(self.command.chat) if self.command.chat else None
        return chat_at(snapshot.value.address) if snapshot else None

    async def chat(self, desk: ChatDesk) -> Chat | None:
        """Returns the chat that was opened for this handoff, if any. The link is the record of
        it.
        """
        for link in reversed(self.channel.links):
            snapshot = await self.ports.store.load(link) if platform_of(link) == desk.name else None
            found = chat_at(snapshot.value.address) if snapshot else None
            if found is not None and found.handoff == self.command.handoff:
                return found
        return None

    async def said(self) -> Sequence[Spoken]:
        """Returns the messages before the handoff, of all of the customer's channels. Later
        messages have commands of their own.
        """
        others = [one.id for one in all_of(self.channel) if one.id != self.channel.id]
        apart = [await self._kept(one, lambda at: at.time <= self.entry.time) for one in others]
        here = await self._kept(self.channel.id, lambda at: at.seq <= self.entry.seq)
        latest = list(heapq.merge(*map(_timed, (*apart, here)), key=lambda pair: pair[0]))[
            -TRANSCRIPT:
        ]
        return [
            Spoken(
                SPEAKERS[one.kind],
                plain_text_for(Audience.AGENT, one, linked_by(self.ports)) or "",
                one.time,
                one.representative.display_name if one.representative else None,
            )
            for _, one in latest
        ]

    async def words(self, chat: str) -> Words:
        """Returns what the customer said or did, as the people in the conversation `chat` may see
        it.
        """
        entry, linked = self.entry, linked_by(self.ports)
        text = words_for_desk(entry, self.command, linked)
        if self.command.text is not None:  # of an older version
            return Words(self.command.id, text, text)
        shown = details_for(Audience.AGENT, entry) or {}
        details = Details.model_validate(
            linked(entry.conversation, entry.id, shown) if linked else shown
        )
        about = details.about.message if details.about else None
        return Words(
            self.command.id,
            text,
            said=words_for(Audience.AGENT, entry),
            details=details,
            name=self.channel.customer_name,
            about=await self._desk_id(chat, about) if about else None,
            links=tuple(file.url or "" for file in details.attachments),
        )

    async def _desk_id(self, chat: str, message: str) -> str | None:
        handoff = self.command.handoff or ""
        return await desk_message_id(self.ports, self.channel.id, chat, handoff, message)

    async def _kept(
        self, conversation: str, is_before: Callable[[JournalEntry], bool]
    ) -> list[JournalEntry]:
        """Returns the last messages of a journal, without those that an unfinished erase must still
        strip.
        """
        found = await self.ports.store.load(conversation)
        erased = found.value.erasing.upto if found and found.value.erasing else -1
        before = await self._last(conversation, is_before)
        return [one for one in before if was_said(one) and one.seq > erased]

    async def _last(
        self, conversation: str, is_before: Callable[[JournalEntry], bool]
    ) -> list[JournalEntry]:
        """Returns the last entries before the handoff. It reads further back step by step, because
        many entries may follow the handoff.
        """
        limit = TRANSCRIPT
        while True:
            latest = [one.value for one in await self.ports.store.latest(conversation, limit)]
            before = [entry for entry in latest if is_before(entry)][:TRANSCRIPT]
            if len(before) == TRANSCRIPT or len(latest) < limit or limit >= FURTHEST:
                return before
            limit *= 4

    def sent(self, command: CallDesk, native: str | None = None) -> Attempt:
        done = settled(
            command.model_copy(update={"native_id": native or command.native_id}), State.SENT
        )
        return Attempt(done, failed=False)

    def dropped(self, why: str) -> Attempt:
        return Attempt(settled(self.command.model_copy(update={"error": why}), State.DROPPED))

    async def tried(self, command: CallDesk, result: Result) -> Attempt:
        """Returns the command with its next try, or ended together with its handoff where no try is
        left.
        """
        after = tried_by(command, result)
        if not is_final(self.ports, self.entry, after, result):
            return again(self.ports, after, result.retry_after)
        return await self.fail(after, f"the desk did not take the handoff: {result.fault}")

    async def fail(self, command: CallDesk, reason: str) -> Attempt:
        """Ends the handoff, which notifies the customer and, once, the team. Only then the command
        ends.
        """
        if self.is_wanted:
            event = HandoffFailed(
                id=f"desk:{command.id}",
                source=self.channel.id,
                actor=f"desk:{self.command.platform}",
                reason=reason,
                handoff=self.command.handoff,
            )
            await apply_and_wake(self.ports, event, limit=None)
        return Attempt(settled(command, State.UNKNOWN if command.ambiguous else State.FAILED))


def _timed(journal: Iterable[JournalEntry]) -> Iterator[tuple[datetime, JournalEntry]]:
    """Yields a journal in sequence, each entry with its time; an earlier entry with a later time
    lends it that one.
    """
    entries = sorted(journal, key=lambda entry: entry.seq)
    times = itertools.accumulate((entry.time for entry in entries), max)
    yield from zip(times, entries, strict=True)
