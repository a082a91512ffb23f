"""The process ends before or after anything that asking the bot does outside: nothing is asked
or said twice.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.bots.run_bot import answer
from shared.errors import NotYet
from shared.ports import Ports
from shared.schemas.events import HumanJoined
from tests.unit.use_cases.bot_play import JANE, SORRY, Play, captures, play, says
from tests.unit.use_cases.conftest import Bench

__all__ = ["play"]
REPLIES = ["Hello", "Which order?"]
HANDOFF = {"liveAgentHandoff": {"metadata": {"reason": "billing"}}}
STEPS = 32  # before and after each call outside


class Ended(BaseException):
    """The process is no more."""


class Gate:
    """Passes every call on, and ends the process before or after the one whose turn has come."""

    def __init__(self, inner: Any, steps: "Steps") -> None:
        self._inner = inner
        self._steps = steps

    def copy_called(self, name: str) -> Any:
        return self._inner.copy_called(name)  # no operation of the store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def passed_on(*args: Any, **kwargs: Any) -> Any:
            self._steps.before()
            result = await getattr(self._inner, name)(*args, **kwargs)
            self._steps.after()
            return result

        return passed_on


class Steps:
    """`last` counts from 1: odd ones end before a call, even ones after it."""

    def __init__(self, last: int) -> None:
        self.taken = 0
        self._last = last

    def before(self) -> None:
        self.taken += 1
        self._end()

    def after(self) -> None:
        self.taken += 1
        self._end()

    def _end(self) -> None:
        if self.taken == self._last:
            raise Ended


def gated(ports: Ports, steps: Steps) -> Ports:
    gates = {name: Gate(getattr(ports, name), steps) for name in ("store", "sender", "publisher")}
    return replace(ports, **gates)  # type: ignore[arg-type]  # a gate has what it passes on


async def _again_until_taken(play: Play, body: dict[str, Any]) -> None:
    for _ in range(5):
        try:
            await play.bot(body, says("a second answer"))
        except NotYet:
            play.bench.clock.forward(30)
        else:
            return
    pytest.fail("the message is never taken")


@pytest.mark.parametrize("joins", [False, True], ids=["alone", "a-human-joins"])
@pytest.mark.parametrize("last", range(1, STEPS + 1))
async def test_each_reply_is_shown_at_most_once_and_silence_is_apologized_for(
    play: Play, bench: Bench, last: int, joins: bool
) -> None:
    body, steps = await play.customer("hi"), Steps(last)
    bench.sender.script[:] = [says(*REPLIES, captures("order", "s3cret", "agent"), HANDOFF)]
    with pytest.raises(Ended):
        await answer(gated(bench.ports, steps), play.assistant, body)
    bench.sender.script.clear()
    if joins:
        await play.happens(HumanJoined, representative=JANE)
    await _again_until_taken(play, body)
    bench.clock.forward(60)
    await _again_until_taken(play, body)
    assert len(play.questions) <= 1
    bot = [line for line in play.shown if line != "JOINED"]
    assert (
        bot in ([], REPLIES[:1], REPLIES)
        if joins
        else bot in (REPLIES, [SORRY], ["a second answer"])
    )
    assert "JOINED" not in play.shown[:-1]
    await _nothing_is_left(bench)
    found = await bench.store.load("business_messages:3333")
    assert found is not None
    assert joins or (found.value.phase == "QUEUED") is (bot == REPLIES)


async def _nothing_is_left(bench: Bench) -> None:
    """However it ended, it has ended, and what the bot said is kept nowhere but where it
    belongs.
    """
    page = await bench.store.journal("business_messages:3333", None, 100)
    entries = [entry.value for entry in page.items]
    assert {entry.asked.state for entry in entries if entry.asked} <= {"done", "unknown", "skipped"}
    assert "s3cret" not in "".join(entry.model_dump_json() for entry in entries)


async def test_the_steps_are_as_many_as_were_tried(play: Play, bench: Bench) -> None:
    body, steps = await play.customer("hi"), Steps(0)
    bench.sender.script[:] = [says(*REPLIES, captures("order", "s3cret", "agent"), HANDOFF)]
    await answer(gated(bench.ports, steps), play.assistant, body)
    assert steps.taken == STEPS
