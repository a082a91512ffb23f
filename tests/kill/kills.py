"""Kills of a desk's own side, of the functions, or of both, while stories are told."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tests.kill.story import LONGEST_STEP, STEPS, Story
from tests.soak import SOAKS

STEPS_KILLED = (("asks", "person-writes"), ("accepts", "pictures"), ("customer-writes", "leaves"))
KILLS = {"-and-".join(steps): steps for steps in STEPS_KILLED}  # the steps of a run's kills
LATEST = 0.4  # seconds after a step has begun, in which all of it happens
RUNS = int(os.environ.get("BATON_KILL_RUNS", "100")) if SOAKS else 1
FIRST_SEED = int(os.environ.get("BATON_KILL_SEED", "1"))


def seeds(others: int) -> range:
    """Returns the seeds for all runs, each of which is with other steps and one of `others`."""
    return range(FIRST_SEED, FIRST_SEED + -(-RUNS // (others * len(KILLS))))


class Server(Protocol):
    def stop(self, how: signal.Signals, /) -> object: ...
    def start(self) -> object: ...


def kill(*victims: Server) -> None:
    """Kills, and starts again on the same ports and data."""
    for one in victims:
        one.stop(signal.SIGKILL)
    for one in reversed(victims):
        one.start()


def tell(
    stories: Sequence[Story],
    steps: Collection[str],
    chance: random.Random,
    kills: Callable[[], None],
) -> None:
    """Tells all stories at once, and kills in these steps."""
    together = threading.Barrier(len(stories) + 1)
    with ThreadPoolExecutor() as threads:
        telling = [threads.submit(story.tell, together) for story in stories]
        try:
            for step in STEPS:
                together.wait(LONGEST_STEP)
                if step in steps:
                    time.sleep(chance.uniform(0, LATEST))
                    kills()
        except threading.BrokenBarrierError:
            pass  # the story that broke it says why
        except BaseException:
            together.abort()
            raise
    ends = [one.exception() for one in telling]
    for end in sorted(filter(None, ends), key=_is_others):
        raise end


def _is_others(end: BaseException) -> bool:
    """Returns whether a story ended because another did."""
    return isinstance(end, threading.BrokenBarrierError)
