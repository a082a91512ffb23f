"""A customer taps the suggestion that asks for a person: who hears of it, and that it stays one
handoff.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.handoff.machine import Decision
from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.schemas.base import JsonObject
from shared.schemas.commands import Post, Publish
from shared.schemas.conversation import Phase
from shared.schemas.notifications import USER_MESSAGES
from tests.unit.talk import Talk

FORM: JsonObject = {"userStatus": {"requestedLiveAgent": True}}
HOOKS: dict[str, Any] = {"webhooks": frozenset({"BOT", "HUMAN"})}
CLOSED = Desk(name="day", hours=Hours(time_zone="Asia/Jakarta", mon=("09:00-17:00",)))
SUNDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _heard(decision: Decision) -> list[str]:
    posted = [one for one in decision.commands if isinstance(one, Post)]
    # the entry holds the form
    assert all((one.readers, one.body) == ((one.audience,), {}) for one in posted)
    return [one.audience for one in posted]


def _published(decision: Decision) -> list[object]:
    told = [
        one for one in decision.commands if isinstance(one, Publish) and one.topic == USER_MESSAGES
    ]
    return [one.body["audience"] for one in told if one.readers]


def test_bot_and_desk_hear_of_the_tap_that_begins_a_handoff() -> None:
    talk = Talk(**HOOKS)
    decision = talk.wants_human(form=FORM)
    assert (_heard(decision), _published(decision)) == (["BOT", "HUMAN"], [["BOT", "HUMAN"]])
    assert talk.phase is Phase.QUEUED


def test_a_second_tap_is_heard_and_begins_nothing() -> None:
    talk = Talk(**HOOKS)
    talk.wants_human(form=FORM)
    again = talk.wants_human(form=FORM)
    assert _heard(again) == ["BOT", "HUMAN"]
    assert [kind for kind, _ in talk.told] == ["handoff.requested"]


def test_while_a_human_is_there_only_the_desk_hears() -> None:
    talk = Talk(**HOOKS)
    talk.joins()
    decision = talk.wants_human(form=FORM)
    assert (_heard(decision), talk.phase) == (["HUMAN"], Phase.HUMAN)


def test_a_request_without_a_tap_is_not_published() -> None:
    """A bot that calls `:requestHuman` knows that it did."""
    talk = Talk(**HOOKS)
    assert _heard(talk.wants_human()) == []


@pytest.mark.parametrize("reaction", ["asks", "joins"])
def test_a_bot_or_desk_that_acts_on_hearing_it_makes_no_second_handoff(reaction: str) -> None:
    talk = Talk(**HOOKS)
    talk.wants_human(form=FORM)
    if reaction == "asks":
        talk.wants_human(fact=False, key="bot")
        assert talk.phase is Phase.QUEUED
    else:
        talk.joins(fact=False, key="agent")
        assert talk.phase is Phase.HUMAN
    assert [kind for kind, _ in talk.told].count("handoff.requested") == 1


def test_outside_hours_the_bot_hears_and_its_own_asking_tells_the_customer_nothing_twice() -> None:
    talk = Talk(**HOOKS, desks=(CLOSED,))
    talk.now = SUNDAY
    talk.user()
    assert _heard(talk.wants_human(form=FORM)) == ["BOT"]
    assert (talk.phase, len(talk.shown)) == (Phase.BOT, 1)
    talk.wants_human(fact=False, key="bot")
    assert len(talk.shown) == 1
    assert [kind for kind, _ in talk.told] == ["handoff.failed"]
    talk.user("and now?")
    talk.wants_human(fact=False, key="bot")
    assert len(talk.shown) == 2, "the customer has written since, and is answered"
