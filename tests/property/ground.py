"""The ground on which the rules of the property tests play: ways in, and the end at which
everything is judged.
"""

import asyncio
import tempfile
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.errors import Unavailable
from shared.handoff.channels import all_of
from shared.measures.counts import Count, difference
from shared.measures.messages import measures_of
from shared.ports import ConversationStore, Ports
from shared.reports.figures import figures
from shared.reports.recount import measured
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import FromUser
from shared.schemas.journal import Verdict
from shared.schemas.measures import Name
from tests.property.clients import Ask, Clients, Report
from tests.property.ledger import Ledger, whole_journal
from tests.property.world import UNACCEPTABLE, Crash, World

PLAIN, QUIRKY, DESK, TRACKED = "business_messages:c0", "business_messages:c1", "csku:d0", "csku:d1"
EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
BARE = "bare:p0"
CHANNELS, ALL = (PLAIN, QUIRKY, BARE), (PLAIN, QUIRKY, BARE, DESK, TRACKED)
JOINED, LEFT = "REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"
FROM_USER = {one.kind for one in FromUser.__subclasses__()}
T = TypeVar("T")


class Ground(RuleBasedStateMachine):
    """Three channels (one with a platform that refuses things for good, one of bare texts), a desk
    that may be linked to the first or the last, and one that is only tracked.
    """

    in_place = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.Runner()
        self.world = World(Path(self.folder.name), in_place=self.in_place)
        self.clients = Clients(self.world)
        self.ledger = Ledger(self.world, self.clients)

    @initialize(
        quirk=st.sampled_from(("none", "JOINED", "frames", "HUMAN")),
        linked=st.sampled_from((None, PLAIN, BARE)),
    )
    def begin(self, quirk: str, linked: str | None) -> None:
        self.world.internet.refuses = lambda to, body: _refuses(
            quirk if to == "c1" else "none", body
        )
        for channel in CHANNELS:
            self.world.platform.learn(channel.partition(":")[2])
            self.post(0, self.clients.says(channel))
        if linked:
            self.ask(0, self.clients.ask(DESK, "admin", ":link", {"to": linked}))

    @invariant()
    def both_ends_of_every_link_agree(self) -> None:
        known = {one.id: one for one in self.do(self.states()) if one}
        ends = {(one.id, link) for one in known.values() for link in one.links}
        assert ends == {(one.linked_to, one.id) for one in known.values() if one.linked_to}
        for one in known.values():
            channels = {channel.id for channel in all_of(one)} - {one.id}
            assert channels == {link for link in one.links if one.owns(link)} <= set(CHANNELS)
            assert one.linked_to is None or not one.links, "a chain"

    # The end: everything heals, and what remains is what had to be.

    def teardown(self) -> None:
        try:
            self.come_to_rest()
            faults = [fault for one in ALL for fault in self.judge(one)] + self.judge_the_reports()
            assert not faults, "\n".join(faults)
        finally:
            self.world.restart()
            self.loop.close()
            self.folder.cleanup()

    def come_to_rest(self) -> None:
        self.world.heal()
        for ask in self.clients.asks:
            if ask.answer == "unknown":
                self.ask(0, ask)
        for report in self.clients.reports:
            if not report.taken:
                self.post(0, report)
        for _ in range(12):
            self.world.clock.advance(700)
            self.sweep(0)
        assert self.sweep(0) == 0, "I5: something is due for ever"

    def judge(self, conversation: str) -> list[str]:
        now = self.state(conversation)
        if now is None or now.erased:
            return []
        journal = self.do(whole_journal(self.world.instances[0].store, conversation))
        ledger = self.ledger
        faults = ledger.journal_view(conversation, journal)
        if conversation != DESK:  # a link takes a desk's request over without a word
            faults += ledger.team_view(conversation, now)
        if conversation in CHANNELS:
            faults += ledger.customer_view(conversation, now, journal) + ledger.callers_view(
                conversation, journal
            )
            faults += ledger.platforms_view(conversation, journal) + ledger.bots_and_desks_view(
                conversation, journal
            )
        return [f"{conversation} {fault}" for fault in faults]

    def judge_the_reports(self) -> list[str]:
        """What was counted is what the journal measured, each once; and what reports call open
        is what is open.
        """
        store = self.world.instances[0].store
        wanted, counted = self.do(recounted(store)), self.do(store.counted(*EVER))
        faults = [f"reports: {one}" for one in difference(wanted, counted)]
        said, now = figures(counted), [state for one in ALL if (state := self.state(one))]
        waiting = sum(one.phase is Phase.QUEUED for one in now)
        with_human, there = (
            sum(one.phase is Phase.HUMAN for one in now),
            sum(len(one.humans) for one in now),
        )
        turns = sum(one.progress is not None and one.progress.turn is not None for one in now)
        open_ = (
            said.timings["waiting"].open,
            said.numbers["withHuman"],
            said.timings["handling"].open,
            said.timings["response"].open,
        )
        if open_ != (waiting, with_human, there, turns):
            faults.append(f"reports: open are {open_}, not {(waiting, with_human, there, turns)}")
        written, later = self._customers_messages(), said.numbers["customerMessages"]
        later += sum(
            message.number
            for state in now
            for message in measures_of(state.uncounted)
            if message.name is Name.CUSTOMER_MESSAGE
        )
        if written != later:
            faults.append(f"reports: {later} messages of customers, not {written}")
        return faults

    def _customers_messages(self) -> int:
        """Returns how many the journals have: each was accepted, and not heard before."""
        store = self.world.instances[0].store
        entries = [entry for one in ALL for entry in self.do(whole_journal(store, one))]
        accepted = (
            entry
            for entry in entries
            if entry.kind in FROM_USER and entry.verdict is Verdict.ACCEPTED and not entry.marker
        )
        return len({(entry.source, entry.id) for entry in accepted})

    # The ways in.

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Returns what `work` returns. `Runner.run` also prints it for a signal's handler, which
        takes a tenth of the time.
        """
        return self.loop.get_loop().run_until_complete(work)

    def run(self, *work: Coroutine[Any, Any, Any]) -> None:
        async def together() -> None:
            await asyncio.gather(*work)

        self.do(together())

    def post(self, at: int, report: Report) -> None:
        self.run(self.clients.post(self.world.instances[at], report))

    def ask(self, at: int, ask: Ask) -> str:
        self.run(self.clients.send(self.world.instances[at], ask))
        return ask.answer

    def state(self, conversation: str) -> Conversation | None:
        return self.do(self.world.peek(conversation))

    async def states(self) -> list[Conversation | None]:
        return await asyncio.gather(*(self.world.peek(one) for one in ALL))

    def is_alive(self, ask: Ask) -> bool:
        return self.clients.lives[ask.conversation] == ask.life

    def deliver_woken(self, at: int) -> None:
        for conversation, timers in list(self.world.topics.wake_ups.items()):
            self.world.topics.wake_ups.pop(conversation, None)
            self.run(deliver_quietly(self.world.instances[at], conversation, timers=timers))

    def sweep(self, at: int) -> int:
        async def swept() -> int:
            try:
                return await sweep(self.world.instances[at])
            except (Unavailable, Crash):
                return 0

        woken = self.do(swept())
        self.deliver_woken(at)
        return woken


async def recounted(store: ConversationStore) -> list[Count]:
    return await measured(store, *EVER)


async def deliver_quietly(ports: Ports, conversation: str, *, timers: bool = False) -> None:
    try:
        await deliver(ports, conversation, timers=timers)
    except (Unavailable, Crash):
        return


def _refuses(quirk: str, body: Mapping[str, Any]) -> bool:
    kind = body.get("representative", {}).get("representativeType")
    refused: Mapping[str, bool] = {
        "none": UNACCEPTABLE in body.get("text", ""),
        "JOINED": body.get("eventType") == JOINED,
        "frames": "eventType" in body,
        "HUMAN": kind == "HUMAN",
    }
    return refused[quirk]
