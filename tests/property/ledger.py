"""Compares what Baton did with what it received, once everything is at rest. Each check returns its
faults.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Set
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from infra.local.oracle import Row, as_labelled, open_frames, texts, violations
from shared.ports import ConversationStore
from shared.schemas.commands import Command, SendEvent, SendMessage, State
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.notation import platform_of
from shared.schemas.notifications import HANDOFFS, USER_MESSAGES
from tests.property.clients import Ask, Clients
from tests.property.world import UNACCEPTABLE, World

# The phases of which the team is notified: written from the words of the design, not from the
# table.
_EDGES = {
    ("BOT", "handoff.requested"): "QUEUED",
    ("BOT", "handoff.joined"): "HUMAN",
    ("QUEUED", "handoff.joined"): "HUMAN",
    ("QUEUED", "handoff.unclaimed"): "QUEUED",
    ("QUEUED", "handoff.failed"): "BOT",
    ("HUMAN", "handoff.ended"): "BOT",
    ("HUMAN", "handoff.returned"): "BOT",
}


async def whole_journal(store: ConversationStore, conversation: str) -> list[JournalEntry]:
    page = await store.journal(conversation, None, 200)
    entries = [entry.value for entry in page.items]
    while page.cursor is not None:
        page = await store.journal(conversation, page.cursor, 200)
        entries += [entry.value for entry in page.items]
    return sorted(entries, key=lambda entry: entry.seq)


@dataclass
class Ledger:
    """`shown`, `told` and `passed_on` are the positions in transcript and topics at which the
    present life of a conversation begins.
    """

    world: World
    clients: Clients
    shown: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)

    def new_life(self, conversation: str) -> None:
        self.shown[conversation] = max((row["seq"] for row in self._rows(conversation)), default=0)
        self.told[conversation] = len(self.world.topics.published.get(HANDOFFS, []))

    def transcript(self, conversation: str) -> list[dict[str, Any]]:
        """Returns what the customer was shown in the conversation's present life."""
        return [
            row for row in self._rows(conversation) if row["seq"] > self.shown.get(conversation, 0)
        ]

    def seen(self, conversation: str, journal: list[JournalEntry]) -> list[Row]:
        """Returns the transcript as its reader understands it, whatever form the channel has."""
        shown = self.transcript(conversation)
        names = {who.name for entry in journal if (who := entry.representative) is not None}
        return list(
            as_labelled(shown, sorted(names)) if platform_of(conversation) == "bare" else shown
        )

    def _rows(self, conversation: str) -> list[dict[str, Any]]:
        native = conversation.partition(":")[2]
        bare = platform_of(conversation) == "bare"
        return (
            self.world.internet.bare.transcript(native)
            if bare
            else self.world.platform.transcript(native)
        )

    def customer_view(
        self, conversation: str, now: Conversation, journal: list[JournalEntry]
    ) -> list[str]:
        """I1, I2, I4, I10: as the customer saw it, in the order in which it was accepted, every
        message once.
        """
        transcript, commands = self.seen(conversation, journal), _to_customer(journal)
        maybe = Counter(
            said(c) for c in commands if c.state is State.UNKNOWN and isinstance(c, SendMessage)
        )
        sent = [said(c) for c in commands if c.state is State.SENT and isinstance(c, SendMessage)]
        faults = violations(transcript, [text for text in sent if text not in maybe])
        shown = Counter(texts(transcript))
        faults += [
            f"I4: {text!r} was shown {shown[text]} times, sent {sent.count(text)}, unknown {count}"
            for text, count in maybe.items()
            if not sent.count(text) <= shown[text] <= sent.count(text) + count
        ]
        here = sorted(human.representative.name for human in now.humans)
        if open_frames(transcript) != here:
            faults.append(
                f"I1: the customer sees {open_frames(transcript)} there, but it is {here}"
            )
        return faults + self._by_id(conversation, commands)

    def _by_id(self, conversation: str, commands: list[SendMessage | SendEvent]) -> list[str]:
        """I10: a message that was not sent, or that failed, is not shown."""
        transcript = self.transcript(conversation)
        known = {command.id for command in commands} | {_notice(command) for command in commands}
        known |= {
            c.content.text
            for c in commands
            if isinstance(c, SendMessage) and platform_of(conversation) == "bare"
        }
        unknown = [
            r for r in _from_baton(transcript) if not known & {r["id"], r["body"].get("text")}
        ]
        faults = [f"I10: nobody sent {row['id']}" for row in unknown]
        gone = {
            c.id
            for c in commands
            if c.state in (State.FAILED, State.UNFRAMED, State.BROKEN) and not c.ambiguous
        }
        events = {c.id for c in commands if isinstance(c, SendEvent)}
        return faults + [
            f"{row['id']} failed, yet it was shown"
            for row in transcript
            if row["id"] in gone - events
        ]

    def callers_view(self, conversation: str, journal: list[JournalEntry]) -> list[str]:
        """I3, I4, I5: what callers were answered is what happened, once, in the order of the
        answers.
        """
        taken = [ask for ask in self._asks(conversation) if ask.answer == "ok" and ask.text]
        shown = texts(self.seen(conversation, journal))
        deliverable = {
            said(c) for c in _to_customer(journal) if _is_sent(c) and isinstance(c, SendMessage)
        }
        unsure = {
            said(c)
            for c in _to_customer(journal)
            if c.state is State.UNKNOWN and isinstance(c, SendMessage)
        }
        faults = [
            f"I5: {ask.id} was accepted and is not in the journal"
            for ask in taken
            if not _entries(journal, ask)
        ]
        for ask in taken:
            wanted = 1 if ask.text in deliverable else 0
            if ask.text in unsure and shown.count(ask.text) < 2:
                continue  # it is unknown whether it arrived
            if shown.count(ask.text or "") != wanted:
                faults.append(
                    f"I4: {ask.id} was shown {shown.count(ask.text or '')} times, not {wanted}"
                )
            if not wanted and not _may_fail(ask, journal):
                faults.append(f"I5: {ask.id} was accepted and never shown")
        faults += [
            f"I3: {a.id} was new and told that it existed"
            for a in self._asks(conversation)
            if a.answer == "exists"
        ]
        refused = [
            ask for ask in self._asks(conversation) if ask.answer == "refused" and ask.text in shown
        ]
        return faults + [f"I3: {ask.id} was refused and shown" for ask in refused]

    def journal_view(self, conversation: str, journal: list[JournalEntry]) -> list[str]:
        """I3, I5: every version has at most one entry, and each entry has ended."""
        # a dedupe record counts in the channel's sequence
        acted_elsewhere = platform_of(conversation) == "csku"
        seqs = [] if acted_elsewhere else [entry.seq for entry in journal]
        faults = [f"I3: two entries of version {seq}" for seq in set(seqs) if seqs.count(seq) > 1]
        return faults + [
            f"I5: {e.kind} {e.event_id} never ended"
            for e in journal
            if e.outcome == "pending" or e.due_at
        ]

    def team_view(self, conversation: str, now: Conversation) -> list[str]:
        """I6: the team is notified of each edge once, under one id, and every request ends."""
        told = self.world.topics.published.get(HANDOFFS, [])[self.told.get(conversation, 0) :]
        mine = [one for one in told if one["conversation"] == conversation]
        once, faults = _first_copies(mine, "id"), []
        phase = "BOT"
        for one in once:
            if one["type"] != "delivery.failed":
                then = _EDGES.get((phase, one["type"]))
                faults += [] if then else [f"I6: {one['type']} was told in {phase}"]
                phase = then or phase
        if phase != now.phase.value:
            faults.append(f"I6: the team believes in {phase}, but it is {now.phase.value}")
        return faults + _unequal_copies(mine, "id")

    def bots_and_desks_view(self, conversation: str, journal: list[JournalEntry]) -> list[str]:
        """I3, I5: every message of the customer is passed on, in order, to one audience."""
        native, life = conversation.partition(":")[2], self.clients.lives[conversation]
        topic = [
            one
            for one in self.world.topics.published.get(USER_MESSAGES, [])
            if one["conversationId"] == native
        ]
        messages = [{**one, "id": one["message"]["messageId"]} for one in topic if "message" in one]
        reports = self.clients.reports
        mine = {
            r.message_id
            for r in reports
            if r.message_id and r.conversation == conversation and r.life == life
        }
        first = [one["id"] for one in _first_copies(messages, "id") if one["id"] in mine]
        wanted = [
            entry.event_id
            for entry in journal
            if entry.kind == "user_message" and entry.event_id in mine
        ]
        faults = [] if first == wanted else [f"I5: passed on {first}, accepted {wanted}"]
        heard = [one for one in self.world.internet.posted if one["conversationId"] == native]
        posted = [one["message"]["messageId"] for one in heard if "message" in one]
        for_bot = [
            o["id"]
            for o in _first_copies(messages, "id")
            if "BOT" in o["audience"] and o["id"] in mine
        ]
        if [one for one in dict.fromkeys(posted) if one in mine] != for_bot:
            faults.append(f"I5: posted {posted}, published for the bot {for_bot}")
        return faults + _unequal_copies(messages, "id")

    def platforms_view(self, conversation: str, journal: list[JournalEntry]) -> list[str]:
        """I5: each message that was answered with 200 has its entry."""
        life, known = self.clients.lives[conversation], {entry.event_id for entry in journal}
        mine = [
            r
            for r in self.clients.reports
            if r.conversation == conversation and r.life == life and r.taken
        ]
        return [
            f"I5: {r.message_id} was answered with 200 and lost"
            for r in mine
            if r.message_id not in {*known, None}
        ]

    def _asks(self, conversation: str) -> list[Ask]:
        life = self.clients.lives[conversation]
        return [
            ask
            for ask in self.clients.asks
            if ask.conversation == conversation and ask.life == life
        ]


def remains(path: str, marker: str, within: Set[str] | None = None) -> list[str]:
    """I9: returns where in the store's tables `marker` is still to be found, in these conversations
    or in any.

    Not in what was counted: it names those who worked here, as they do in every other report, and
    no conversation.
    """
    found = []
    with closing(sqlite3.connect(path)) as db:
        for (table,) in db.execute(
            "select name from sqlite_master where type = 'table' and name <> 'tallies'"
        ).fetchall():
            rows = db.execute(f"select * from {table}").fetchall()  # noqa: S608  # the name comes from the schema
            found += [
                f"I9: {marker} remains in {table}: {row}"
                for row in rows
                if any(marker in str(v) for v in row) and (within is None or row[0] in within)
            ]
    return found


def _to_customer(journal: list[JournalEntry]) -> list[SendMessage | SendEvent]:
    return [
        c for entry in journal for c in entry.commands if isinstance(c, SendMessage | SendEvent)
    ]


def said(command: SendMessage) -> str:
    """Returns the words without the name that stands before them where the channel does not
    show who speaks.
    """
    return (command.content.text or "").removeprefix(f"{command.representative.name}: ")


def _is_sent(command: Command) -> bool:
    return command.state is State.SENT


def _from_baton(transcript: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in transcript if row["side"] == "business"]


def _notice(command: Command) -> str | None:
    """Returns the text that stands in for a JOINED or LEFT."""
    return command.text if isinstance(command, SendEvent) and command.notice else None


def _entries(journal: list[JournalEntry], ask: Ask) -> list[JournalEntry]:
    return [one for one in journal if one.event_id == ask.id and one.verdict is not Verdict.REFUSED]


def _may_fail(ask: Ask, journal: list[JournalEntry]) -> bool:
    states = {command.state for entry in _entries(journal, ask) for command in entry.commands}
    return UNACCEPTABLE in (ask.text or "") or State.UNFRAMED in states


def _first_copies(bodies: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    first: dict[str, dict[str, Any]] = {}
    for body in bodies:
        first.setdefault(body[key], body)
    return list(first.values())


def _unequal_copies(bodies: list[dict[str, Any]], key: str) -> list[str]:
    seen: dict[str, set[str]] = {}
    for body in bodies:
        seen.setdefault(body[key], set()).add(json.dumps(body, sort_keys=True))
    return [
        f"I6: {one} was published with different contents"
        for one, copies in seen.items()
        if len(copies) > 1
    ]
