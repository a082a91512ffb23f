"""Two robots that answer each other come to an end, and a bot that serves a person never
notices.
"""

from datetime import timedelta
from typing import Any

import pytest

from shared.schemas.commands import Publish
from shared.schemas.conversation import Phase
from shared.schemas.journal import Verdict
from shared.schemas.notifications import HANDOFFS
from tests.unit.talk import BOT, DESK, Talk

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SILENCED = ("bot.silenced", "bot-loop")


def turn(talk: Talk, **more: Any) -> Any:
    """The customer says something and the bot answers, a tenth of a second later."""
    talk.user()
    talk.now += SECOND / 10
    return talk.bot(fact=False, **more)


def loop(talk: Talk, most: int = 1000) -> int:
    """Returns how many turns two robots have before the bot is refused."""
    for turns in range(most):
        if turn(talk).refusal is not None:
            return turns
    return most


def test_two_robots_that_answer_each_other_are_stopped() -> None:
    talk = Talk()
    assert loop(talk) == 100
    refused = turn(talk)
    assert refused.refusal is not None
    assert (refused.refusal.reason, refused.refusal.status, refused.verdict) == (
        "bot-loop",
        "FAILED_PRECONDITION",
        Verdict.REFUSED,
    )
    assert talk.told == [SILENCED], "once, when the last turn begins"
    (told,) = [one.body for one in talk.done if isinstance(one, Publish) and one.topic == HANDOFFS]
    assert told["representative"] == BOT.model_dump(mode="json", by_alias=True)


def test_a_fact_is_kept_from_the_customer_with_the_reason() -> None:
    talk = Talk()
    loop(talk)
    talk.user()
    said = talk.bot(source=DESK)
    assert (said.verdict, said.reason, said.refusal) == (Verdict.SUPPRESSED, "bot-loop", None)
    assert not said.commands or "BOT" not in str(said.commands)


def test_it_ends_when_a_human_has_spoken() -> None:
    talk = Talk()
    loop(talk)
    talk.joins()
    talk.leaves()
    assert talk.phase is Phase.BOT
    assert loop(talk) == 100
    assert talk.told.count(SILENCED) == 2


def test_it_ends_after_a_pause_and_not_before() -> None:
    talk = Talk()
    loop(talk)
    talk.now += HOUR - 5 * SECOND
    assert turn(talk).refusal is not None
    talk.now += 6 * SECOND
    assert loop(talk) == 100
    assert talk.told == [SILENCED, SILENCED]


def test_while_the_bot_is_silent_the_customer_may_ask_for_a_human() -> None:
    talk = Talk()
    loop(talk)
    assert talk.wants_human().verdict is Verdict.ACCEPTED
    assert turn(talk).refusal is not None, "who waits talks with the same robot"
    talk.joins()
    assert talk.phase is Phase.HUMAN


def test_a_bot_may_say_much_in_one_turn() -> None:
    """A campaign, a list of offers: what matters is how often somebody has answered within a
    tenth of a second.
    """
    talk = Talk()
    for _ in range(50):
        talk.user()
        for _ in range(20):
            assert talk.bot(fact=False).refusal is None
    assert SILENCED not in talk.told


def test_a_bot_that_never_stops_is_stopped() -> None:
    talk = Talk()
    talk.user()
    said = 0
    while talk.bot(fact=False).refusal is None:
        said += 1
    assert said == 2000


def test_the_last_turn_is_said_to_its_end() -> None:
    talk = Talk(bot_turns_limit=2)
    for _ in range(2):
        talk.user()
        for _ in range(3):
            assert talk.bot(fact=False).refusal is None
    talk.user()
    assert talk.bot(fact=False).refusal is not None


def test_a_person_who_is_quick_for_an_hour_never_notices() -> None:
    talk = Talk()
    for _ in range(90):
        talk.now += 39 * SECOND
        assert turn(talk).refusal is None


def test_what_is_refused_leaves_everything_as_it_was() -> None:
    talk = Talk(bot_turns_limit=1)
    turn(talk)
    talk.user()
    before = talk.conversation
    refused = talk.bot(fact=False)
    assert refused.refusal is not None
    assert talk.conversation == before.model_copy(update={"version": before.version + 1})


def test_there_need_not_be_a_limit() -> None:
    talk = Talk(bot_turns_limit=0)
    assert loop(talk, 300) == 300
    assert talk.conversation.bot_run is None


@pytest.mark.parametrize("fact", [True, False])
def test_what_is_only_tracked_is_not_counted(fact: bool) -> None:
    talk = Talk(platform="csku", capabilities={}, bot_turns_limit=1)
    talk.conversation = talk.conversation.model_copy(update={"tracked": True})
    for _ in range(3):
        talk.user()
        decision = talk.bot(fact=fact)
        assert decision.reason in (None, "tracked")
    assert talk.conversation.bot_run is None
