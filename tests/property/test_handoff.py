"""The invariants of the core under random interleavings: duplicates, disorder, races, faults,
crashes, restarts.
"""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from shared.ports import Ports
from tests.property.effort import effort
from tests.property.ground import (
    ALL,
    BARE,
    CHANNELS,
    DESK,
    JOINED,
    LEFT,
    PLAIN,
    QUIRKY,
    TRACKED,
    Ground,
    deliver_quietly,
)
from tests.property.internet import FAULTS
from tests.property.ledger import remains
from tests.property.world import UNACCEPTABLE

pytestmark = pytest.mark.soak

EVENTS = ("agent.message_out", "ai.message_generated", "channel.message_in")
LEAVING = (LEFT, "release", "release by somebody")
channels, desks = (
    st.sampled_from((PLAIN, PLAIN, QUIRKY, BARE, BARE)),
    st.sampled_from((DESK, DESK, TRACKED)),
)
anyone, humans = (
    st.sampled_from(("bot", "desk-1", "desk-2")),
    st.sampled_from(("desk-1", "desk-2", "desk-3")),
)
who, instance, index = st.sampled_from((0, 0, 0, 1)), st.integers(0, 1), st.integers(0, 1000)
lateness = st.sampled_from((0, 0, 0, 1, 40, 400, -300))
platform_faults = st.sampled_from(FAULTS)


class Handoff(Ground):
    # What platforms report.

    @rule(channel=channels, at=instance)
    def a_customer_says_something(self, channel: str, at: int) -> None:
        self.post(at, self.clients.says(channel))

    @rule(channel=channels, at=instance)
    def a_customer_wants_a_human(self, channel: str, at: int) -> None:
        self.post(at, self.clients.wants_human(channel))

    @rule(
        desk=desks,
        event=st.sampled_from(EVENTS),
        need=st.integers(0, 1),
        who=who,
        late=lateness,
        at=instance,
    )
    def the_desk_reports(
        self, desk: str, event: str, need: int, who: int, late: int, at: int
    ) -> None:
        self.post(at, self.clients.desk(desk, event, need, who, late))

    @rule(which=index, at=instance)
    def a_platform_repeats_itself(self, which: int, at: int) -> None:
        report = self.clients.reports[which % len(self.clients.reports)]
        before = self.state(report.conversation)
        old = report.taken
        self.post(at, report)
        if old and before is not None and before.erased:
            after = self.state(report.conversation)
            assert after is not None, "I9: the tombstone is gone"
            assert after.erased, "I9: a late duplicate was taken as new"

    @rule(who=who, late=lateness, at=instance)
    def the_desks_human_speaks(self, who: int, late: int, at: int) -> None:
        self.post(at, self.clients.desk(DESK, EVENTS[0], 0, who, late))

    # What bots and desks ask.

    @rule(
        channel=channels, which=index, at=instance, act=st.sampled_from(("says", "says", *LEAVING))
    )
    def whoever_is_there_acts(self, channel: str, which: int, at: int, act: str) -> None:
        state = self.state(channel)
        if state is None or not state.humans:
            return
        human = state.humans[which % len(state.humans)]
        name = human.representative.name
        if act == "says":
            self.ask(at, self.clients.message(channel, "desk-1", name))
        elif act == LEFT:
            self.ask(at, self.clients.event(channel, "desk-1", name, LEFT))
        else:
            key = (human.key or "admin") if act == "release" else "desk-3"
            self.ask(
                at,
                self.clients.verb(
                    channel, key, "release", {"representative": {"displayName": name}}
                ),
            )

    @rule(
        channel=channels,
        key=anyone,
        who=who,
        at=instance,
        text=st.sampled_from(("", "", "", UNACCEPTABLE)),
    )
    def somebody_sends_a_message(
        self, channel: str, key: str, who: int, at: int, text: str
    ) -> None:
        self.ask(at, self.clients.message(channel, key, who, extra=f" {text}"))

    @rule(channel=channels, key=humans, who=who, at=instance, event=st.sampled_from((JOINED, LEFT)))
    def a_human_joins_or_leaves(
        self, channel: str, key: str, who: int, at: int, event: str
    ) -> None:
        self.ask(at, self.clients.event(channel, key, who, event))

    @rule(
        channel=channels,
        at=instance,
        who=who,
        verb=st.sampled_from(("requestHuman", "release", "fail")),
    )
    def an_operator_takes_a_hand(self, channel: str, at: int, who: int, verb: str) -> None:
        person = {"displayName": self.clients.name(channel, who)}
        body = {"reason": self.clients.marker(channel), "representative": person}
        self.ask(at, self.clients.verb(channel, "admin", verb, body))

    @rule(
        channel=channels,
        who=who,
        several=st.lists(st.tuples(humans, instance), min_size=2, max_size=4),
    )
    def several_claim_at_once(self, channel: str, who: int, several: list[tuple[str, int]]) -> None:
        claims = [self.clients.claim(channel, key, who) for key, _ in several]
        before = self.state(channel)
        self.run(
            *(
                self.clients.send(self.world.instances[at], c)
                for c, (_, at) in zip(claims, several, strict=True)
            )
        )
        answers = [claim.answer for claim in claims]
        if before is None or before.erased or "unknown" in answers:
            return
        after = self.state(channel)
        assert after is not None
        holder = ", ".join(human.representative.name for human in after.humans)
        winners = {claim.key for claim in claims if claim.answer == "ok"}
        assert len(winners) == (0 if before.humans and not winners else 1), f"I8: {answers}"
        for claim in claims:
            assert claim.answer in ("ok", "refused"), f"I8: {claim}"
            if claim.answer == "refused":
                assert claim.metadata["reason"] == "held"
                assert claim.metadata["holder"] == holder

    @rule(which=index, at=instance)
    def a_caller_asks_again(self, which: int, at: int) -> None:
        known = [ask for ask in self.clients.asks if ask.id]
        if known:
            ask = known[which % len(known)]
            if ask.answer != "ok":
                self.ask(at, ask)
            elif self.is_alive(ask):
                assert self.ask(at, replace(ask, tries=0)) in ("exists", "unknown"), (
                    f"I3: taken twice: {ask}"
                )

    @rule(which=index, at=instance, key=anyone)
    def a_caller_uses_an_id_twice(self, which: int, at: int, key: str) -> None:
        taken = [ask for ask in self.clients.asks if ask.answer == "ok" and ask.text]
        if taken:
            ask = taken[which % len(taken)]
            other = self.clients.message(
                ask.conversation, key, 0, message_id=ask.id, extra=f" other {which}"
            )
            answer = self.ask(at, other)
            self.clients.asks.remove(other)
            if self.is_alive(ask):
                assert answer in ("exists", "unknown"), f"I3: {answer}"

    @rule(
        desk=st.just(DESK),
        to=st.sampled_from((PLAIN, BARE)),
        verb=st.sampled_from(("link", "link", "unlink")),
        at=instance,
    )
    def an_admin_links(self, desk: str, to: str, verb: str, at: int) -> None:
        ask = self.clients.ask(desk, "admin", f":{verb}", {"to": to})
        if self.ask(at, ask) == "unknown":
            self.world.heal()
            self.ask(at, ask)

    # Races.

    @rule(
        channel=channels,
        kinds=st.lists(st.tuples(st.integers(0, 6), who, instance), min_size=2, max_size=6),
    )
    def everything_happens_at_once(self, channel: str, kinds: list[tuple[int, int, int]]) -> None:
        work: list[Coroutine[Any, Any, Any]] = []
        for kind, who, at in kinds:
            work.append(self.one_of_many(channel, kind, who, self.world.instances[at]))
        self.run(*work)

    def one_of_many(
        self, channel: str, kind: int, who: int, ports: Ports
    ) -> Coroutine[Any, Any, Any]:
        clients = self.clients
        if kind < 2:
            return clients.post(
                ports, clients.says(channel) if kind else clients.wants_human(channel)
            )
        if kind == 2:
            return clients.post(ports, clients.desk(DESK, EVENTS[who], 0, who, 0))
        if kind < 5:
            return clients.send(
                ports, clients.message(channel, "bot" if kind == 3 else "desk-1", who)
            )
        if kind == 5:
            return clients.send(
                ports, clients.event(channel, "desk-1", who, LEFT if who else JOINED)
            )
        return deliver_quietly(ports, channel)

    # Delivery, time and trouble.

    @rule(at=instance)
    def the_queue_delivers(self, at: int) -> None:
        self.deliver_woken(at)

    @rule(channel=channels)
    def two_instances_deliver_at_once(self, channel: str) -> None:
        self.run(*(deliver_quietly(ports, channel, timers=True) for ports in self.world.instances))

    @rule(seconds=st.sampled_from((1, 1, 31, 31, 130, 600, 2000)), at=instance)
    def time_passes(self, seconds: int, at: int) -> None:
        self.world.clock.advance(seconds)
        self.sweep(at)

    @rule(faults=st.lists(platform_faults, min_size=1, max_size=6))
    def the_platform_fails(self, faults: list[str]) -> None:
        self.world.internet.plan.faults.extend(faults)

    @rule(is_down=st.sampled_from((True, True, False)))
    def the_bots_webhook_fails_or_is_well(self, is_down: bool) -> None:
        self.world.internet.bot_is_down = is_down

    @rule(faults=st.lists(st.sampled_from(("none", "before", "after")), min_size=1, max_size=4))
    def the_topics_fail(self, faults: list[str]) -> None:
        self.world.topics.plan.faults.extend(faults)

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

    @rule()
    def everything_restarts(self) -> None:
        self.world.restart()
        self.sweep(0)

    @precondition(lambda self: self.clients.count > 5)
    @rule(which=st.sampled_from((*ALL, PLAIN)), at=instance, busy=st.booleans())
    def a_conversation_is_erased(self, which: str, at: int, busy: bool) -> None:
        state = self.state(which)
        if state is None:
            return
        channel = self.state(state.linked_to) if state.linked_to else state
        assert channel is not None
        family = {which, channel.id, *channel.links}
        markers = {member: self.clients.marker(member) for member in family}
        ask = self.clients.ask(which, "admin", "", {})
        erase = self.clients.send(self.world.instances[at], ask, "DELETE")
        self.run(
            erase, *([deliver_quietly(self.world.instances[1 - at], channel.id)] if busy else [])
        )
        for _ in range(3):
            if ask.answer == "unknown":
                self.world.heal()
                self.run(self.clients.send(self.world.instances[at], ask, "DELETE"))
        assert ask.answer == "ok"
        for member in family:
            self.clients.forget(member)
            self.ledger.new_life(member)
        # what a desk said while it was linked is the channel's own
        for member, marker in markers.items():
            assert remains(self.world.path, marker, None if member in CHANNELS else family) == []


class HandoffInPlace(Handoff):
    """The same where the instance that accepts an event delivers it."""

    in_place = True


Handoff.TestCase.settings = HandoffInPlace.TestCase.settings = effort(40)
TestHandoff, TestHandoffInPlace = Handoff.TestCase, HandoffInPlace.TestCase
