"""A customer who waits, or asks, while desks close: no false promise is made, and the team is
notified of each once.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.schemas import own_events
from shared.schemas.commands import CallDesk, Publish, Record
from shared.schemas.conversation import Ahead, Conversation, Phase
from shared.schemas.journal import Verdict
from shared.schemas.notifications import HANDOFFS
from tests.unit.talk import PLAIN, Talk
from tests.unit.test_identity import HERE, THERE, Moving

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


def test_a_reminder_that_was_under_way_when_the_timer_was_set_again_does_nothing() -> None:
    talk = waiting(WAITS)
    timer = talk.conversation.timer
    assert timer is not None
    talk.wants_human()
    late = talk.take(own_events.UnclaimedTimeout(**talk.common(), armed=timer.armed, n=timer.n))
    assert (late.verdict, talk.conversation.due_at) == (Verdict.IGNORED, OPENS)


def test_who_asks_again_where_customers_do_not_wait_is_promised_nothing_and_fails_as_before() -> (
    None
):
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
        FAILS.model_copy(
            update={
                "holidays": frozenset((CLOSES + n * MINUTE * 1440).date() for n in range(1, 500))
            }
        )
    )
    talk.wants_human()
    assert talk.shown[0].startswith("Sorry, nobody is available right now.")


@pytest.mark.parametrize("desk", [WAITS, FAILS], ids=["wait", "fail"])
def test_a_desks_own_ai_that_asks_again_has_the_customer_informed_only_of_what_changes(
    desk: Desk,
) -> None:
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
    talk = Talk(
        "id", desks=(FAILS.model_copy(update={"languages": ("id",)}), Desk(name="rest", hours=late))
    )
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
    return [
        one.body["desk"] for one in talk.done if isinstance(one, Publish) and one.topic == HANDOFFS
    ]


def test_who_waits_for_the_opening_and_asks_for_their_place_is_told_when_it_is() -> None:
    talk = waiting(WAITS)
    asked: dict[str, Any] = {"ahead": Ahead(people=0)}
    talk.user("queue?", **asked)
    assert talk.shown == ["You are in line, and you are next."]  # they do not wait for it yet
    talk.wants_human()
    talk.done.clear()
    talk.user("queue?", **asked)
    place, opening = talk.shown
    assert (place, "Tuesday, 2026-03-03, at 09:00" in opening) == (
        "You are in line, and you are next.",
        True,
    )


# The timer fires while the desk is closed.


def rings(talk: Talk) -> None:
    """Fires the timer at the moment at which it is due."""
    talk.now = talk.conversation.due_at or talk.now
    talk.timeout()


def asked(before: timedelta, *desks: Desk, locale: str | None = None, **policy: Any) -> Talk:
    """A customer who asked so long before closing time."""
    talk = Talk(locale, desks=desks, **policy)
    talk.now = CLOSES - before
    talk.user()
    talk.wants_human()
    assert (talk.phase, talk.shown) == (Phase.QUEUED, [])
    return talk


@pytest.mark.parametrize("minutes", [1, 2, 3, 5, 7])
def test_who_asked_before_closing_time_waits_for_the_opening_and_hears_so_once(
    minutes: int,
) -> None:
    """They are no worse off than who asks a minute after it, whichever reminder falls after
    closing time.
    """
    talk = asked(minutes * MINUTE, WAITS)
    while talk.conversation.opens_at is None:
        rings(talk)
        assert (talk.phase, talk.now <= CLOSES + 2 * MINUTE) == (Phase.QUEUED, True)
    assert (talk.conversation.opens_at, talk.conversation.due_at) == (OPENS, OPENS)
    assert [said for said in talk.shown if "Tuesday, 2026-03-03, at 09:00" in said] == talk.shown[
        -1:
    ]
    assert "handoff.failed" not in [kind for kind, _ in talk.told]
    known = len(talk.told)
    due = []
    while talk.phase is Phase.QUEUED:
        rings(talk)
        due.append(talk.now)
    assert due == [OPENS + 2 * n * MINUTE for n in range(5)]
    assert [kind for kind, _ in talk.told[known:]] == ["handoff.unclaimed"] * 3 + ["handoff.failed"]


def test_where_customers_do_not_wait_the_request_fails_when_the_timer_finds_the_desk_closed() -> (
    None
):
    talk = asked(2 * MINUTE, FAILS)
    rings(talk)
    assert (talk.now, talk.phase) == (CLOSES, Phase.BOT)
    (said,) = talk.shown
    assert said.startswith("Sorry, nobody is here right now.")
    assert "Tuesday, 2026-03-03, at 09:00" in said
    assert talk.told == [("handoff.requested", "asked"), ("handoff.failed", "outside-hours")]
    talk.wants_human()
    assert talk.shown == [said, said]
    assert len(talk.told) == 2, "the team knows that the desk is closed"


def test_a_request_that_fails_at_closing_time_counts_as_closed() -> None:
    talk = asked(2 * MINUTE, FAILS)
    rings(talk)
    names = [
        one.name for command in talk.done if isinstance(command, Record) for one in command.measures
    ]
    outcomes = {"failed", "closed", "expired"}
    assert outcomes.intersection(names) == {"closed"}


def test_a_desk_that_opens_too_late_to_wait_for_fails_without_a_promise() -> None:
    shut = frozenset((CLOSES + n * MINUTE * 1440).date() for n in range(1, 500))
    talk = asked(2 * MINUTE, WAITS.model_copy(update={"holidays": shut}))
    rings(talk)
    assert (talk.phase, talk.told[-1]) == (Phase.BOT, ("handoff.failed", "outside-hours"))
    assert talk.shown[0].startswith("Sorry, nobody is available right now.")


def test_a_holiday_is_not_an_opening() -> None:
    talk = asked(2 * MINUTE, WAITS.model_copy(update={"holidays": frozenset({OPENS.date()})}))
    rings(talk)
    assert talk.conversation.opens_at == OPENS + timedelta(days=1)


def test_an_opening_that_became_a_holiday_is_none_and_who_waits_hears_the_next() -> None:
    talk = asked(2 * MINUTE, WAITS)
    rings(talk)
    holiday = WAITS.model_copy(update={"holidays": frozenset({OPENS.date()})})
    talk.policy = replace(talk.policy, desks=(holiday,))
    rings(talk)
    assert (talk.now, talk.conversation.opens_at) == (OPENS, OPENS + timedelta(days=1))
    assert "Wednesday, 2026-03-04, at 09:00" in talk.shown[-1]


def test_a_desk_whose_customers_no_longer_wait_promises_no_opening_at_the_end_of_a_wait() -> None:
    talk = asked(2 * MINUTE, WAITS)
    rings(talk)
    talk.policy = replace(
        talk.policy, desks=(FAILS.model_copy(update={"holidays": frozenset({OPENS.date()})}),)
    )
    rings(talk)
    assert (talk.phase, talk.told[-1]) == (Phase.BOT, ("handoff.failed", "outside-hours"))
    assert "please ask again then" in talk.shown[-1]


def test_an_opening_that_is_noticed_after_closing_time_is_over() -> None:
    talk = asked(2 * MINUTE, WAITS.model_copy(update={"kind": "ccai"}))
    rings(talk)
    talk.now = CLOSES + timedelta(days=1, minutes=5)
    talk.timeout()
    assert (talk.phase, talk.conversation.opens_at) == (Phase.QUEUED, OPENS + timedelta(days=1))
    assert calls(talk) == ["open"]


def test_a_called_desk_keeps_its_chat_over_night_and_loses_it_with_a_request_that_fails() -> None:
    for desk, expected in ((WAITS, ["open"]), (FAILS, ["open", "close"])):
        talk = asked(2 * MINUTE, desk.model_copy(update={"kind": "ccai"}))
        rings(talk)
        assert calls(talk) == expected


def test_the_day_on_which_clocks_change_closes_and_opens_by_the_new_clock() -> None:
    berlin = Hours(time_zone="Europe/Berlin", sat=("09:00-17:00",), sun=("09:00-17:00",))
    talk = Talk(desks=(Desk(name="day", hours=berlin, outside="wait"),))
    talk.now = datetime(2026, 3, 28, 15, 58, tzinfo=UTC)  # 16:58 in winter time
    talk.user()
    talk.wants_human()
    rings(talk)
    # 09:00 in summer time
    assert talk.conversation.opens_at == datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert "Sunday, 2026-03-29, at 09:00" in talk.shown[-1]


def test_a_desk_without_hours_goes_on_with_its_reminders() -> None:
    talk = asked(2 * MINUTE, Desk(name="always", outside="wait"))
    while talk.phase is Phase.QUEUED:
        rings(talk)
    assert talk.now == CLOSES + 6 * MINUTE


@pytest.mark.parametrize("desk", [WAITS, FAILS], ids=["wait", "fail"])
def test_what_is_only_tracked_knows_no_closing_time(desk: Desk) -> None:
    talk = Talk(platform="csku", desks=(desk,), capabilities={})
    talk.conversation = Conversation(id="csku:c0", address="c0", tracked=True)
    talk.now = CLOSES - 2 * MINUTE
    talk.wants_human(fact=False)
    while talk.phase is Phase.QUEUED:
        rings(talk)
    assert talk.now == CLOSES + 6 * MINUTE


def test_a_customer_of_two_channels_hears_of_closing_time_where_they_wrote_last() -> None:
    talk = Moving(desks=(WAITS,))
    talk.now = CLOSES - 3 * MINUTE
    talk.user(source=HERE)
    talk.wants_human(source=HERE)
    talk.now += MINUTE / 2
    talk.user(source=THERE)
    rings(talk)
    talk.now = CLOSES + MINUTE
    talk.timeout()
    assert talk.conversation.opens_at == OPENS
    assert "09:00" in talk.shown_in(THERE)[-1]
    assert not [said for said in talk.shown_in(HERE) if "09:00" in said]


def test_who_cannot_be_written_to_is_owed_the_opening() -> None:
    talk = asked(
        2 * MINUTE, WAITS, capabilities={"plain": PLAIN.model_copy(update={"window_hours": 1})}
    )
    talk.now = CLOSES + timedelta(hours=2)
    talk.timeout()
    assert (talk.shown, talk.conversation.opens_at) == ([], OPENS)
    talk.user("hello?")
    (said,) = talk.shown
    assert "Tuesday, 2026-03-03, at 09:00" in said


def test_an_hour_of_reminders_and_a_lunch_break_do_not_make_a_request_wait_for_ever() -> None:
    split: dict[str, Any] = dict.fromkeys(WEEK, ("09:00-12:00", "13:00-17:00"))
    halves = WAITS.model_copy(update={"hours": Hours(time_zone="Asia/Jakarta", **split)})
    talk = asked(30 * MINUTE, halves, unclaimed_after=timedelta(hours=4))
    for _ in range(50):
        if talk.phase is Phase.QUEUED:
            rings(talk)
    assert (talk.phase, talk.told[-1]) == (Phase.BOT, ("handoff.failed", "outside-hours"))
    assert talk.now < CLOSES + timedelta(days=7)


# Another desk is open.


@pytest.mark.parametrize("desk", [WAITS, FAILS], ids=["wait", "fail"])
def test_where_another_desk_is_open_the_request_is_passed_on_to_it(desk: Desk) -> None:
    night = Desk(name="night", kind="ccai")
    talk = asked(2 * MINUTE, desk.model_copy(update={"kind": "ccai"}), night)
    first = talk.conversation.called
    rings(talk)
    called, request = talk.conversation.called, talk.conversation.request
    assert first is not None
    assert called is not None
    assert request is not None
    assert (first.desk, called.desk, request.desk) == ("day", "night", "night")
    assert calls(talk) == ["open", "close", "open"]
    assert [kind for kind, _ in talk.told] == ["handoff.requested", "handoff.unclaimed"]
    assert desks_told(talk) == ["day", "night"]
    assert talk.shown[0].startswith("Everyone is busy right now. You are still in line")
    assert talk.conversation.opens_at is None
    while talk.phase is Phase.QUEUED:
        rings(talk)
    assert talk.now == CLOSES + 6 * MINUTE
    assert talk.told[-1] == ("handoff.failed", "asked")


def test_who_asks_again_while_another_desk_is_open_is_passed_on_at_once() -> None:
    early = Hours(time_zone="Asia/Jakarta", tue=("07:00-09:00",))
    talk = asked(2 * MINUTE, WAITS, Desk(name="early", hours=early))
    rings(talk)
    assert talk.conversation.opens_at == OPENS
    talk.now = OPENS - timedelta(hours=1)
    talk.wants_human()
    assert talk.conversation.timer is not None
    assert (talk.conversation.timer.is_opening, desks_told(talk)) == (False, ["day", "early"])
    assert talk.conversation.due_at == talk.now + 2 * MINUTE


def test_a_desk_for_another_language_is_not_meant_though_it_is_open() -> None:
    talk = asked(2 * MINUTE, WAITS, Desk(name="german", languages=("de",)), locale="id")
    rings(talk)
    assert (talk.conversation.opens_at, desks_told(talk)) == (OPENS, ["day"])


def test_two_desks_that_close_in_turn_do_not_pass_a_request_on_for_ever() -> None:
    night = Hours(time_zone="Asia/Jakarta", **dict.fromkeys(WEEK, ("17:00-09:00",)))
    talk = asked(
        2 * MINUTE, WAITS, Desk(name="night", hours=night), unclaimed_after=timedelta(hours=7)
    )
    for _ in range(100):
        if talk.phase is Phase.QUEUED:
            rings(talk)
    assert talk.phase is Phase.BOT


# Timers that have nothing to do with hours.


def test_a_human_who_is_present_stays_after_closing_time() -> None:
    talk = asked(2 * MINUTE, WAITS)
    talk.joins()
    talk.now = CLOSES + MINUTE
    talk.says("one moment")
    talk.now = talk.conversation.due_at or talk.now
    talk.idle()
    assert (talk.phase, talk.told[-1][0]) == (Phase.BOT, "handoff.returned")
