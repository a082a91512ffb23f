"""A customer who waits, or asks, while desks close: nothing false is promised, and the team is told of each once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.handoff.hours import Hours
from shared.handoff.routing import Desk
from shared.schemas import own_events
from shared.schemas.commands import CallDesk, Publish
from shared.schemas.conversation import Ahead, Conversation, Phase
from shared.schemas.journal import Verdict
from shared.schemas.notifications import HANDOFFS
from tests.unit.talk import Talk

WEEK: dict[str, Any] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",))
HOURS = Hours(time_zone="Asia/Jakarta", **WEEK)
CLOSES = datetime(2026, 3, 2, 10, tzinfo=UTC)  # Monday, 17:00 in Jakarta
OPENS = datetime(2026, 3, 3, 2, tzinfo=UTC)
FAILS, WAITS = Desk(name="day", hours=HOURS), Desk(name="day", hours=HOURS, outside="wait")
MINUTE = timedelta(minutes=1)


def waiting(*desks: Desk, locale: str | None = None) -> Talk:
    """A customer who asked a minute before closing time and is still waiting a minute after it."""
    talk = Talk(locale, desks=desks)
    talk.now = CLOSES - MINUTE
    talk.user()
    talk.wants_human()
    assert (talk.phase, talk.shown) == (Phase.QUEUED, [])
    talk.now = CLOSES + MINUTE
    return talk


def calls(talk: Talk) -> list[str]:
    return [one.action for one in talk.done if isinstance(one, CallDesk)]


def test_who_asks_again_after_closing_time_waits_for_the_opening_that_they_are_told() -> None:
    talk = waiting(WAITS)
    assert talk.wants_human().verdict is Verdict.ACCEPTED
    (said,) = talk.shown
    assert said.startswith("Nobody is here right now. You are in line")
    assert "Tuesday, 2026-03-03, at 09:00" in said
    assert (talk.conversation.due_at, talk.conversation.opens_at) == (OPENS, OPENS)
    assert talk.wants_human().verdict is Verdict.IGNORED
    assert talk.shown == [said, said]
    for minutes in (0, 2, 4):
        assert talk.conversation.due_at == OPENS + timedelta(minutes=minutes)
        talk.now = OPENS + timedelta(minutes=minutes)
        talk.timeout()
    assert (talk.phase, talk.told[0]) == (Phase.QUEUED, ("handoff.requested", "asked"))
    assert [kind for kind, _ in talk.told[1:]] == ["handoff.unclaimed"] * 2


def test_a_reminder_that_was_under_way_when_the_timer_was_set_anew_does_nothing() -> None:
    talk = waiting(WAITS)
    timer = talk.conversation.timer
    assert timer is not None
    talk.wants_human()
    late = talk.take(own_events.UnclaimedTimeout(**talk.common(), armed=timer.armed, n=timer.n))
    assert (late.verdict, talk.conversation.due_at) == (Verdict.IGNORED, OPENS)


def test_who_asks_again_where_customers_do_not_wait_is_promised_nothing_and_fails_as_before() -> None:
    talk = waiting(FAILS)
    due = talk.conversation.due_at
    assert talk.wants_human().verdict is Verdict.IGNORED
    (said,) = talk.shown
    assert "You are in line" not in said
    assert "please ask again then" in said
    assert (talk.phase, talk.conversation.due_at) == (Phase.QUEUED, due)
    while talk.phase is Phase.QUEUED:
        talk.now = talk.conversation.due_at or talk.now
        talk.timeout()
    assert talk.told[0] == ("handoff.requested", "asked")
    assert [kind for kind, _ in talk.told].count("handoff.failed") == 1


def test_a_desk_that_never_opens_again_promises_nothing() -> None:
    talk = waiting(
        FAILS.model_copy(update={"holidays": frozenset((CLOSES + n * MINUTE * 1440).date() for n in range(1, 500))})
    )
    talk.wants_human()
    assert talk.shown[0].startswith("Sorry, nobody is available right now.")


@pytest.mark.parametrize("desk", [WAITS, FAILS], ids=["wait", "fail"])
def test_a_desks_own_ai_that_asks_again_has_the_customer_told_only_of_what_changes(desk: Desk) -> None:
    talk = waiting(desk)
    for _ in range(3):
        talk.desk_wants_human()
    assert len(talk.shown) == (1 if desk is WAITS else 0)
    assert (talk.conversation.opens_at is None) == (desk is FAILS)


def test_the_desk_that_has_the_handoff_counts_not_the_one_that_would_get_it_now() -> None:
    talk = waiting(Desk(name="english", languages=("en",)), WAITS, locale="en")
    talk.locale = "id"
    talk.user()
    assert talk.wants_human().verdict is Verdict.IGNORED
    assert (talk.shown, talk.conversation.opens_at) == ([], None)


def test_a_called_desk_that_has_the_chat_already_is_not_called_again_when_it_opens() -> None:
    talk = waiting(WAITS.model_copy(update={"kind": "ccai"}))
    talk.wants_human()
    talk.now = OPENS
    talk.timeout()
    assert calls(talk) == ["open"]
    assert talk.conversation.due_at == OPENS + timedelta(minutes=2)


# What Baton only tracks.


@pytest.mark.parametrize(
    "desk", [WAITS, FAILS, WAITS.model_copy(update={"kind": "csku"})], ids=["wait", "fail", "csku"]
)
def test_what_is_only_tracked_never_waits_for_an_opening(desk: Desk) -> None:
    talk = Talk(platform="csku", desks=(desk,), capabilities={})
    talk.conversation = Conversation(id="csku:c0", address="c0", tracked=True)
    talk.now = CLOSES + MINUTE
    talk.wants_human(fact=False)
    assert (talk.phase, talk.conversation.opens_at) == (Phase.QUEUED, None)
    assert talk.conversation.due_at == talk.now + timedelta(minutes=2)
    assert calls(talk) == (["open"] if desk.kind == "csku" else [])
    assert talk.wants_human().verdict is Verdict.IGNORED
    assert talk.conversation.due_at == talk.now + timedelta(minutes=2)


# Several that are closed.


def test_the_team_of_each_desk_that_is_closed_is_told_once_until_it_opens() -> None:
    late = Hours(time_zone="UTC", wed=("09:00-17:00",))
    talk = Talk("id", desks=(FAILS.model_copy(update={"languages": ("id",)}), Desk(name="rest", hours=late)))
    talk.now = CLOSES + MINUTE
    for locale in ("id", "en", "id", "en"):
        talk.locale = locale
        talk.user()
        talk.wants_human()
    assert talk.told == [("handoff.failed", "outside-hours")] * 2
    assert desks_told(talk) == ["day", "rest"]
    assert len(talk.shown) == 4
    talk.now = OPENS + timedelta(hours=9)
    for locale in ("en", "id"):
        talk.locale = locale
        talk.user()
        talk.wants_human()
    assert desks_told(talk) == ["day", "rest", "day"]
    assert [one.desk for one in talk.conversation.closed] == ["rest", "day"]


def desks_told(talk: Talk) -> list[object]:
    return [one.body["desk"] for one in talk.done if isinstance(one, Publish) and one.topic == HANDOFFS]


def test_who_waits_for_the_opening_and_asks_for_their_place_is_told_when_it_is() -> None:
    talk = waiting(WAITS)
    asked: dict[str, Any] = {"ahead": Ahead(people=0)}
    talk.user("queue?", **asked)
    assert talk.shown == ["You are in line, and you are next."]  # they do not wait for it yet
    talk.wants_human()
    talk.done.clear()
    talk.user("queue?", **asked)
    place, opening = talk.shown
    assert (place, "Tuesday, 2026-03-03, at 09:00" in opening) == ("You are in line, and you are next.", True)
