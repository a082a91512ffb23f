"""Google Chat or Slack, the functions, or both are killed while three customers on three channels
are served by three people there, and the oracle holds every invariant.

The vendors are simulated. What they have answered they keep, what they were doing when they were
killed is lost, and events that were not taken are sent again as each vendor documents it.

BATON_KILL_RUNS sets how many runs a soak makes at least, BATON_KILL_SEED where the seeds begin.
"""

import random
from collections.abc import Iterator

import pytest

from tests.functions.desk import CHANNELS, Customer
from tests.kill.judge import Allowed, faults
from tests.kill.kills import KILLS, Server, kill, seeds, tell
from tests.kill.people import PEOPLE
from tests.kill.story import Story
from tests.soak import each_once
from tests.threads.stage import Colleague, Stage, staged
from tests.threads.stored import misnamed, opened_twice, stored

VENDORS = ("slack", "google_chat")
VICTIMS = ("vendor", "functions", "both")
pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stage]]:
    """Baton, each vendor, and their people, for all tests of this worker."""
    with (
        staged("google_chat", tmp_path_factory.mktemp("google_chat")) as google_chat,
        staged("slack", tmp_path_factory.mktemp("slack")) as slack,
    ):
        yield {"google_chat": google_chat, "slack": slack}


@pytest.mark.parametrize("seed", seeds(len(VENDORS) * len(VICTIMS)))
@each_once(steps=KILLS, victim=VICTIMS, vendor=VENDORS)
def test_customers_and_people_notice_nothing_of_two_kills(
    stages: dict[str, Stage], seed: int, steps: tuple[str, str], victim: str, vendor: str
) -> None:
    """Slack sends a button press once, and people press again. It recognises no id of Baton's."""
    stage, chance = stages[vendor], random.Random(f"{seed}-{steps}-{victim}-{vendor}")
    killed, before = victim != "vendor", stage.vendor.threads()
    stories = [
        Story(
            stage,
            Customer.on(stage.baton, channel),
            Colleague(name, stage.vendor),
            repeats=killed and (vendor == "slack" or channel == "whatsapp"),
            once=vendor == "slack",
        )
        for channel, name in zip(CHANNELS, PEOPLE, strict=True)
    ]

    both: tuple[Server, ...] = (stage.vendor, stage.baton)
    victims = {"vendor": both[:1], "functions": both[1:]}.get(victim, both)

    def kills() -> None:
        kill(*victims)
        stage.retries()

    tell(stories, steps, chance, kills)
    allowed = Allowed(late=killed, once=vendor == "slack")
    found = [
        f"{story.customer.platform}: {fault}"
        for story in stories
        for fault in (
            *faults(story.customer, stored(stage.vendor, story.chat), allowed),
            *misnamed(stage.vendor, story.chat, story.customer),
            *opened_twice(stage.vendor, story.chat),
        )
    ]
    assert not found, "\n".join(found)
    opened = [one for one in stage.vendor.threads() if one not in before]
    assert sorted(opened) == sorted(story.chat for story in stories)
