"""One customer on two channels, one with frames and one of bare texts: each shows whole frames,
whatever happens.
"""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from infra.local.oracle import as_labelled, open_frames, texts, violations
from shared.handoff.channels import all_of
from shared.schemas.commands import SendMessage, State
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry
from tests.property.effort import effort
from tests.property.ground import BARE, DESK, JOINED, LEFT, PLAIN, Ground, deliver_quietly
from tests.property.internet import FAULTS
from tests.property.ledger import said, whole_journal

pytestmark = pytest.mark.soak

BOTH = (PLAIN, BARE)
DESKS_EVENTS = ("agent.message_out", "ai.message_generated")
people, channels = st.sampled_from(("Jane", "Jane", "Sam")), st.sampled_from(BOTH)
instance, index = st.integers(0, 1), st.integers(0, 1000)


class Identity(Ground):
    """`to` is the channel whose conversation holds the customer's; the other one is joined to
    it.
    """

    @initialize(primary=channels)
    def begin(self, primary: str) -> None:
        self.primary, self.other = primary, BOTH[1 - BOTH.index(primary)]
        self.world.platform.learn("c0")
        for channel in BOTH:
            self.post(0, self.clients.says(channel))

    @rule(channel=channels, at=instance)
    def the_customer_writes(self, channel: str, at: int) -> None:
        self.post(at, self.clients.says(channel))

    @rule(channel=channels, at=instance)
    def the_customer_wants_a_human(self, channel: str, at: int) -> None:
        self.post(at, self.clients.wants_human(channel))

    @rule(which=index, at=instance)
    def a_platform_repeats_itself(self, which: int, at: int) -> None:
        self.post(at, self.clients.reports[which % len(self.clients.reports)])

    @rule(channel=channels, who=people, at=instance, event=st.sampled_from((JOINED, JOINED, LEFT)))
    def a_human_joins_or_leaves(self, channel: str, who: str, at: int, event: str) -> None:
        self.ask(at, self.clients.event(channel, "desk-1", who, event))

    @rule(channel=channels, who=people, at=instance)
    def a_human_speaks(self, channel: str, who: str, at: int) -> None:
        self.ask(at, self.clients.message(channel, "desk-1", who))

    @rule(channel=channels, at=instance)
    def the_bot_speaks(self, channel: str, at: int) -> None:
        self.ask(at, self.clients.message(channel, "bot", "Bot"))

    @rule(
        verb=st.sampled_from(("link", "link", "link", "unlink")), at=instance, first=st.booleans()
    )
    def an_admin_links(self, verb: str, at: int, first: bool) -> None:
        for channel in BOTH if first else ():
            self.run(deliver_quietly(self.world.instances[at], channel))
        if (
            self.ask(at, self.clients.ask(self.other, "admin", f":{verb}", {"to": self.primary}))
            == "unknown"
        ):
            self.world.heal()

    @rule(verb=st.sampled_from(("link", "link", "unlink")), to=channels, at=instance)
    def a_desk_is_linked(self, verb: str, to: str, at: int) -> None:
        if self.ask(at, self.clients.ask(DESK, "admin", f":{verb}", {"to": to})) == "unknown":
            self.world.heal()

    @rule(event=st.sampled_from(DESKS_EVENTS), who=people, need=st.integers(0, 1), at=instance)
    def the_desk_reports(self, event: str, who: str, need: int, at: int) -> None:
        self.post(at, self.clients.desk(DESK, event, need, who, 0))

    @rule(seconds=st.sampled_from((1, 40, 600, 2000)), at=instance)
    def time_passes(self, seconds: int, at: int) -> None:
        self.world.clock.advance(seconds)
        self.sweep(at)

    @rule(at=instance)
    def the_queue_delivers(self, at: int) -> None:
        self.deliver_woken(at)

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4))
    def a_platform_fails(self, faults: list[str]) -> None:
        self.world.internet.plan.faults.extend(faults)

    @rule(
        faults=st.lists(
            st.sampled_from(("none", "before", "after", "lost")), min_size=1, max_size=4
        )
    )
    def the_store_fails(self, faults: list[str]) -> None:
        self.world.store_plan.faults.extend(faults)

    @rule(at=instance, steps=st.integers(0, 30))
    def an_instance_will_die(self, at: int, steps: int) -> None:
        self.world.lives[at].steps = steps

    # The end.

    def judge(self, conversation: str) -> list[str]:
        return self.judge_channel(conversation) if conversation in BOTH else []

    def judge_channel(self, channel: str) -> list[str]:
        journals = [self.do(whole_journal(self.world.instances[0].store, one)) for one in BOTH]
        rows = self.ledger.transcript(channel)
        seen = as_labelled(rows, ["Jane", "Sam"]) if channel == BARE else rows
        faults, shown = violations(seen), texts(seen)
        for journal in journals:
            sent, maybe = (
                _said_in(channel, journal, State.SENT),
                _said_in(channel, journal, State.UNKNOWN),
            )
            relevant = [text for text in shown if text in sent]
            faults += [] if relevant == sent else [f"I4: shown {relevant}, sent {sent}"]
            faults += [f"I4: {text!r} twice" for text in maybe if shown.count(text) > 1]
        here = self._shown(channel)
        if open_frames(seen) != here:
            faults.append(f"I1: the customer sees {open_frames(seen)} there, but it is {here}")
        return [f"{channel} {fault}" for fault in faults + self._callers(journals)]

    def _shown(self, channel: str) -> list[str]:
        """Returns who is there as far as Baton believes that this channel has shown."""
        own, primary = self.state(channel), self.state(self.primary)
        assert own is not None
        assert primary is not None
        holder: Conversation = primary if own.linked_to else own
        (found,) = [one for one in all_of(holder) if one.id == channel]
        return sorted(human.representative.name for human in found.shown)

    def _callers(self, journals: list[list[JournalEntry]]) -> list[str]:
        """I3, I5: what callers were answered as accepted is in a journal, once, and ended."""
        entries = [entry for journal in journals for entry in journal]
        faults = [
            f"I5: {e.kind} {e.event_id} never ended"
            for e in entries
            if e.outcome == "pending" or e.due_at
        ]
        for ask in self.clients.asks:
            if ask.answer == "ok" and ask.text:
                said_by = {
                    c.id
                    for e in entries
                    for c in e.commands
                    if isinstance(c, SendMessage) and said(c) == ask.text
                }
                faults += (
                    [] if len(said_by) == 1 else [f"I3: {ask.text} is said {len(said_by)} times"]
                )
        return faults


def _said_in(channel: str, journal: list[JournalEntry], state: State) -> list[str]:
    """Returns what bots and humans said there; Baton's own words may be the same more than once."""
    return [
        said(command)
        for entry in journal
        for command in entry.commands
        if isinstance(command, SendMessage)
        and said(command).startswith("mark-")
        and command.state is state
        and command.shown_in(entry.conversation) == channel
    ]


Identity.TestCase.settings = effort(40)
TestIdentity = Identity.TestCase


@pytest.mark.parametrize("primary", BOTH)
def test_a_customer_who_moves_in_the_middle_of_a_humans_frame_keeps_it(primary: str) -> None:
    ground: Any = Identity()
    ground.begin(primary)
    other = ground.other
    ground.time_passes(1, 0)
    ground.a_human_joins_or_leaves(primary, "Jane", 0, JOINED)
    ground.a_human_speaks(primary, "Jane", 0)
    ground.an_admin_links("link", 0, True)
    ground.the_customer_writes(other, 0)
    ground.a_platform_repeats_itself(1, 0)
    ground.a_human_speaks(primary, "Jane", 0)
    ground.the_bot_speaks(other, 0)
    assert ground.clients.asks[-1].answer == "refused"
    ground.a_human_joins_or_leaves(other, "Jane", 0, LEFT)
    ground.the_customer_writes(primary, 0)
    ground.the_bot_speaks(primary, 0)
    assert [ask.answer for ask in ground.clients.asks if ask.path == "/messages"] == [
        "ok",
        "ok",
        "refused",
        "ok",
    ]
    ground.teardown()
