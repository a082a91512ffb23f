"""The homeserver, the functions or both are killed while three customers on three channels are
served by three people, and the oracle holds every invariant.

BATON_KILL_RUNS sets how many runs a soak makes at least, BATON_KILL_SEED where the seeds begin.
"""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.functions.desk import CHANNELS, Customer
from tests.homeserver.judge import faults
from tests.homeserver.server import PEOPLE
from tests.homeserver.stage import Stage
from tests.homeserver.story import LONGEST_STEP, STEPS, Story
from tests.soak import SOAKS, each_once

VICTIMS = ("homeserver", "functions", "both")
pytestmark = pytest.mark.soak
RUNS = int(os.environ.get("BATON_KILL_RUNS", "100")) if SOAKS else 1
FIRST_SEED = int(os.environ.get("BATON_KILL_SEED", "1"))
KILLS = (("asks", "person-writes"), ("accepts", "pictures"), ("customer-writes", "leaves"))
SEEDS = range(FIRST_SEED, FIRST_SEED + -(-RUNS // (len(VICTIMS) * len(KILLS))))
LATEST = 0.4  # seconds after a step has begun, in which all of it happens


@pytest.mark.parametrize("seed", SEEDS)
@each_once(steps={"-and-".join(steps): steps for steps in KILLS}, victim=VICTIMS)
def test_customers_and_people_notice_nothing_of_two_kills(
    stage: Stage, seed: int, steps: tuple[str, str], victim: str
) -> None:
    chance, together = random.Random(f"{seed}-{steps}-{victim}"), threading.Barrier(4)
    stories = [
        Story(stage, Customer.on(stage.baton, channel), stage.person(name), together,
              repeats=victim != "functions" or channel == "whatsapp")
        for channel, name in zip(CHANNELS, PEOPLE, strict=True)
    ]  # fmt: skip
    with ThreadPoolExecutor() as threads:
        telling = [threads.submit(story.tell) for story in stories]
        try:
            for step in STEPS:
                together.wait(LONGEST_STEP)
                if step in steps:
                    time.sleep(chance.uniform(0, LATEST))
                    _kill(stage, victim)
        except threading.BrokenBarrierError:
            pass  # the story that broke it says why
        for done in telling:
            done.result()
    found = [
        f"{story.customer.platform}: {fault}"
        for story in stories
        for fault in faults(story.customer, stage.homeserver, [story.room], lost=story.repeats)
    ]
    assert not found, "\n".join(found)


def _kill(stage: Stage, victim: str) -> None:
    """Kills, and starts again on the same ports and data."""
    if victim != "functions":
        stage.homeserver.stop(signal.SIGKILL)
    if victim != "homeserver":
        stage.baton.stop(signal.SIGKILL)
        stage.baton.start()
    if victim != "functions":
        stage.homeserver.start()
    stage.retries()
