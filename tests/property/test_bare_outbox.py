"""A channel of bare texts under everything that can go wrong between the mark of a message and
its outcome.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.effort import effort
from tests.property.ground import BARE, LEFT, Ground, deliver_quietly
from tests.property.internet import FAULTS

pytestmark = pytest.mark.soak

instance = st.integers(0, 1)


class AtMostOnce(Ground):
    @rule(at=instance, count=st.integers(1, 3))
    def a_bot_speaks(self, at: int, count: int) -> None:
        for _ in range(count):
            self.ask(at, self.clients.message(BARE, "bot", 0))

    @rule(at=instance, event=st.sampled_from(("REPRESENTATIVE_JOINED", LEFT)))
    def a_human_comes_or_goes(self, at: int, event: str) -> None:
        self.ask(at, self.clients.event(BARE, "desk-1", 0, event))
        self.ask(at, self.clients.message(BARE, "desk-1", 0))

    @rule(at=instance)
    def one_delivers(self, at: int) -> None:
        self.run(deliver_quietly(self.world.instances[at], BARE, timers=True))

    @rule()
    def both_deliver_at_once(self) -> None:
        self.run(
            *(deliver_quietly(ports, BARE, timers=True) for ports in (*self.world.instances,) * 2)
        )

    @rule(seconds=st.sampled_from((1, 19, 21, 31, 700)), at=instance)
    def time_passes(self, seconds: int, at: int) -> None:
        self.world.clock.advance(seconds)
        self.sweep(at)

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=6))
    def the_platform_fails(self, faults: list[str]) -> None:
        self.world.internet.plan.faults.extend(faults)

    @rule(
        faults=st.lists(
            st.sampled_from(("none", "before", "after", "lost")), min_size=1, max_size=4
        )
    )
    def the_store_fails(self, faults: list[str]) -> None:
        self.world.store_plan.faults.extend(faults)

    @rule(at=instance, steps=st.integers(0, 12))
    def an_instance_will_die(self, at: int, steps: int) -> None:
        self.world.lives[at].steps = steps

    @rule()
    def everything_restarts(self) -> None:
        self.world.restart()
        self.sweep(0)


AtMostOnce.TestCase.settings = effort(30, steps=30)
TestAtMostOnce = AtMostOnce.TestCase
