"""The homeserver, the functions or both are killed while three customers on three channels are
served by three people, and the oracle holds every invariant.

BATON_KILL_RUNS sets how many runs a soak makes at least, BATON_KILL_SEED where the seeds begin.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.functions.desk import CHANNELS, Customer
from tests.homeserver.stored import stored
from tests.kill.judge import Allowed, faults
from tests.kill.kills import KILLS, Server, kill, seeds, tell
from tests.kill.people import PEOPLE
from tests.kill.story import Story
from tests.soak import each_once

if TYPE_CHECKING:
    from tests.homeserver.stage import Stage

VICTIMS = ("homeserver", "functions", "both")
pytestmark = pytest.mark.soak


@pytest.mark.parametrize("seed", seeds(len(VICTIMS)))
@each_once(steps=KILLS, victim=VICTIMS)
def test_customers_and_people_notice_nothing_of_two_kills(
    stage: Stage, seed: int, steps: tuple[str, str], victim: str
) -> None:
    """A homeserver that is killed loses what it has not reported yet
    (https://github.com/element-hq/synapse/issues/11637), and people say it again.
    """
    loses, chance = victim != "functions", random.Random(f"{seed}-{steps}-{victim}")
    stories = [
        Story(
            stage,
            Customer.on(stage.baton, channel),
            stage.person(name),
            repeats=loses or channel == "whatsapp",
        )
        for channel, name in zip(CHANNELS, PEOPLE, strict=True)
    ]

    both: tuple[Server, ...] = (stage.homeserver, stage.baton)
    victims = {"homeserver": both[:1], "functions": both[1:]}.get(victim, both)

    def kills() -> None:
        kill(*victims)
        stage.retries()

    tell(stories, steps, chance, kills)
    found = [
        f"{story.customer.platform}: {fault}"
        for story in stories
        for fault in faults(
            story.customer, stored(stage.homeserver, [story.chat]), Allowed(lost=story.repeats)
        )
    ]
    assert not found, "\n".join(found)
