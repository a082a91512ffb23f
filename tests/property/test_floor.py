"""Any order of what happens at a number that Baton shares with another sender: webhooks late, twice
and in any order, beside what Baton's own people and bot do.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.handoff.policy import Policy
from shared.ports import Ports
from shared.schemas.conversation import Phase
from shared.schemas.http import Request
from tests.inline import InlineStore
from tests.property.effort import effort
from tests.unit.use_cases.conftest import Bench, HandClock, RecordingPublisher, ScriptedSender
from tests.unit.use_cases.shared_number import THEM, US, Play, SharedNumber

pytestmark = pytest.mark.soak

LEFT, JOINED = "Jane has left.", "Jane joined the conversation."
STEPS = (
    *("says", "hear", "hear", "hear", "deliver", "bot"),
    *("answers", "passes", "takes", "both", "claim", "jane", "leave", "again"),
)


@dataclass
class Walk:
    """`wire` are webhooks under way. `ours` are words that came to Baton, and `theirs` those that
    it only heard.
    """

    play: Play
    number: SharedNumber
    wire: list[Request] = field(default_factory=list)
    heard: list[Request] = field(default_factory=list)
    ours: set[str] = field(default_factory=set)
    theirs: set[str] = field(default_factory=set)
    passes: int = 0
    words: int = 0
    rivals: int = 0

    async def step(self, what: str, choice: int) -> None:
        number, play = self.number, self.play
        if what in ("says", "both"):
            self.words += 1
            text = f"words {self.words}"
            self.wire.append(number.says(text, to=(US, THEM)[choice % 2]))
            (self.ours if number.owner == US else self.theirs).add(text)
            if what == "both" and number.owner == US:
                self.wire.append(number.heard("standby", text))
        elif what == "answers" and number.owner == THEM:
            self.words += 1
            self.wire.append(number.answers(f"answer {self.words}"))
        elif what == "passes" and number.owner == THEM:
            self.passes += 1
            self.wire.append(number.passes())
        elif what == "takes" and number.owner == US:
            self.rivals += 1
            self.wire.append(number.takes())
        elif what == "hear" and self.wire:
            webhook = self.wire.pop(choice % len(self.wire))
            self.heard.append(webhook)
            await play.hears(webhook)
        elif what == "again" and self.heard:
            await play.hears(self.heard[choice % len(self.heard)])
        elif self.heard:
            await self._of_ours(what)

    async def _of_ours(self, what: str) -> None:
        play, known = self.play, await self.play.now()
        phase, is_open = known.phase, known.last_user_at is not None
        if what == "bot":
            await play.bot("beep")
        elif what == "deliver":
            await play.delivers()
        elif what == "claim" and phase is not Phase.HUMAN:
            await play.claims(delivered=self.words % 2 == 0)
        # until the customer's words arrive, Baton takes the channel's window for closed
        elif what == "jane" and phase is Phase.HUMAN and is_open:
            await play.jane("hello")
        elif what == "leave" and phase is Phase.HUMAN:
            await play.leaves(delivered=self.words % 2 == 0)

    async def rest(self) -> None:
        while self.wire:
            await self.step("hear", len(self.wire))
        if self.heard:
            await self.play.delivers()


def begun(folder: str, number: SharedNumber) -> Walk:
    store = InlineStore(str(Path(folder) / "baton.sqlite"))
    clock, sender, publisher = HandClock(number.stamp), ScriptedSender(), RecordingPublisher()
    ports = Ports(store, publisher, sender, clock, Policy(), {})
    return Walk(Play(Bench(ports, store, clock, sender, publisher), number), number)


async def walked(folder: str, steps: list[tuple[str, int]], number: SharedNumber) -> Walk:
    walk = begun(folder, number)
    for what, choice in steps:
        await walk.step(what, choice)
    await walk.rest()
    if walk.heard:
        await check(walk)
    await walk.play.bench.store.close()
    return walk


async def check(walk: Walk) -> None:
    play, number = walk.play, walk.number
    known = await play.now()
    told = {audience: play.told(audience) for audience in ("BOT", "HUMAN")}
    for audience, words in told.items():
        assert len(words) == len(set(words)), f"{audience} was told twice"
    assert walk.ours <= {*told["BOT"], *told["HUMAN"]}, "words that were ours reached neither"
    assert not walk.theirs & {*told["BOT"]}, "a bot was asked what another sender was to answer"
    _frames(number.log, is_here=any(human.told for human in known.humans))
    if walk.passes and known.phase is Phase.BOT:
        assert any(line.startswith(LEFT) for line in number.log), "they wait for a person in vain"
    if known.phase is Phase.HUMAN:
        assert number.owner == US or walk.rivals, "another sender answers beside Jane"
    elif number.whole == 1:
        owner = number.owner
        refused = await play.bot("probe")
        assert (refused == "not-active") == (owner == THEM), "Baton is wrong about who is active"


def _frames(log: list[str], *, is_here: bool) -> None:
    here = False
    for line in log:
        if line == JOINED:
            assert not here
            here = True
        elif line.startswith(LEFT):
            assert here
            here = False
        elif line.startswith("Jane: "):
            assert here, "Jane speaks outside of her frame"
        elif line == "beep":
            assert not here, "the bot speaks while Jane is here"
    assert here == is_here


@effort(60)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=24),
    st.sampled_from((US, THEM, None)),
    st.sampled_from((1, 1, 3)),
)
def test_words_are_answered_once_and_frames_hold(
    steps: list[tuple[str, int]], owner: Any, whole: int
) -> None:
    with TemporaryDirectory() as folder:
        number = SharedNumber(owner=owner, whole=whole)
        asyncio.run(walked(folder, [("says", 0), *steps], number))
