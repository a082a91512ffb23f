"""Which desk gets which handoff, and what happens where no human is available."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.bootstrap.root import Baton
from shared.errors import Misconfigured
from shared.handoff.notices import BUILT_IN, Notice
from shared.handoff.policy import BATONS_OWN
from shared.handoff.routing.desk import Desk, route
from shared.handoff.routing.hours import Hours
from shared.schemas import events
from shared.schemas.commands import CallDesk
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.journal import Verdict
from shared.schemas.variables import Audience, Provenance, Variable
from shared.settings.model import read_settings
from tests.unit.talk import Talk

SUNDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK: dict[str, Any] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",))
HOURS = Hours(time_zone="Asia/Jakarta", **WEEK)
OPENS = datetime(2026, 3, 2, 2, tzinfo=UTC)  # Monday, 09:00 in Jakarta
FAILS, WAITS = Desk(name="day", hours=HOURS), Desk(name="day", hours=HOURS, outside="wait")
CALLED = Desk(name="contact-center", kind="ccai")
CHAT = "ccai:chat-1"


def where(*desks: Desk, now: datetime = SUNDAY, **conversation: Any) -> str:
    one = Conversation(**{"id": "whatsapp:1", "address": "1", **conversation})
    found = route(desks, one, now, "en")
    return f"{found.desk.name}{' closed' * found.closed}"


def test_without_desks_everybody_who_reads_the_api_is_one_that_never_closes() -> None:
    assert where() == "api"


def test_the_first_for_this_channel_and_language_gets_it() -> None:
    desks = (
        Desk(name="rcs", channels=("rcs",)),
        Desk(name="brasil", languages=("pt-BR",)),
        Desk(name="any"),
        Desk(name="late"),
    )
    assert where(*desks) == "any"
    assert where(*desks, locale="pt") == "brasil"
    assert where(*desks, locale="pt-PT", id="rcs:1") == "rcs"


def test_whose_language_is_not_known_is_taken_to_speak_the_operators() -> None:
    assert where(Desk(name="de", languages=("de",)), Desk(name="en", languages=("en",))) == "en"


def test_one_that_is_open_is_preferred_and_else_the_first_is_named() -> None:
    assert where(FAILS, Desk(name="night")) == "night"
    assert where(FAILS, Desk(name="night"), now=OPENS) == "day"
    assert where(FAILS, WAITS.model_copy(update={"name": "other"})) == "day closed"


def test_a_customer_for_whom_no_desk_is_meant_reaches_the_readers_of_the_api() -> None:
    assert (
        where(Desk(name="rcs", channels=("rcs",)), FAILS.model_copy(update={"languages": ("de",)}))
        == "api"
    )


def test_csku_gets_csku_conversations_only() -> None:
    desks = Desk(name="csku", kind="csku"), Desk(name="rest")
    assert where(*desks) == "rest"
    assert where(*desks, links=("csku:c1",)) == where(*desks, id="csku:c1") == "csku"


# Outside hours.


def closed(desk: Desk, locale: str | None = None, **policy: Any) -> Talk:
    talk = Talk(locale, desks=(desk,), **policy)
    talk.user()
    return talk


def test_outside_hours_the_customer_is_informed_each_time_and_the_team_once() -> None:
    talk = closed(FAILS)
    for _ in range(3):
        assert talk.wants_human().verdict is Verdict.ACCEPTED
    assert talk.phase is Phase.BOT
    assert (
        talk.shown
        == [
            "Sorry, nobody is here right now. Our team is back on Monday, 2026-03-02, at 09:00 "
            "(Asia/Jakarta time); "
            "please ask again then. Until then you can keep chatting here."
        ]
        * 3
    )
    assert talk.told == [("handoff.failed", "outside-hours")]
    talk.now = OPENS
    assert talk.wants_human().conversation.phase is Phase.QUEUED
    assert talk.told[1:] == [("handoff.requested", "asked")]


def test_on_the_next_evening_the_team_is_notified_again() -> None:
    talk = closed(FAILS)
    talk.wants_human()
    talk.now = OPENS + timedelta(hours=10)
    talk.wants_human()
    assert len(talk.told) == 2


def test_a_customer_whose_first_act_is_to_ask_for_a_human_is_told_too() -> None:
    talk = Talk(desks=(FAILS,))
    talk.wants_human()
    assert len(talk.shown) == 1


def test_a_desks_own_ai_that_asks_with_every_message_has_the_customer_informed_once() -> None:
    talk = closed(FAILS)
    for _ in range(3):
        talk.desk_wants_human()
    assert (len(talk.shown), len(talk.told)) == (1, 1)


def test_where_it_is_set_so_the_customer_waits_and_reminders_count_from_the_opening() -> None:
    talk = closed(WAITS)
    talk.wants_human()
    talk.wants_human()
    assert talk.phase is Phase.QUEUED
    assert talk.shown[0] == talk.shown[1]
    assert "You are in line" in talk.shown[0]
    assert talk.told == [("handoff.requested", "asked")]
    for minutes in (0, 2, 4):
        assert talk.conversation.due_at == OPENS + timedelta(minutes=minutes)
        talk.now = talk.conversation.due_at or OPENS
        talk.timeout()
    assert [kind for kind, _ in talk.told[1:]] == ["handoff.unclaimed"] * 2
    assert talk.conversation.timer is not None
    assert talk.conversation.timer.n == 3


def test_a_human_may_come_before_the_opening() -> None:
    talk = closed(WAITS)
    talk.wants_human()
    talk.joins()
    assert talk.phase is Phase.HUMAN


def test_a_tracked_conversation_cannot_be_closed() -> None:
    talk = Talk(platform="csku", desks=(FAILS,), capabilities={})
    talk.conversation = talk.conversation.model_copy(update={"tracked": True})
    talk.wants_human()
    assert talk.phase is Phase.QUEUED


@pytest.mark.parametrize("language", sorted(BUILT_IN))
def test_every_language_says_day_date_time_and_zone(language: str) -> None:
    talk = closed(FAILS, language)
    talk.wants_human()
    (said,) = talk.shown
    weekday = BATONS_OWN.text(Notice.WEEKDAYS, language).split(",")[0]
    for part in (weekday, "2026-03-02", "09:00", "Asia/Jakarta"):
        assert part in said
    assert "{" not in said


# Desks that must be called.


def called(talk: Talk) -> list[tuple[str, str | None]]:
    """Returns the desk's calls about handoffs."""
    calls = [one for one in talk.done if isinstance(one, CallDesk) and one.handoff]
    return [(one.action, one.reason or talk.words[one.id]) for one in calls]


def ended(talk: Talk) -> list[str | None]:
    """Returns the chats without use that the desk was asked to end."""
    return [one.chat for one in talk.done if isinstance(one, CallDesk) and not one.handoff]


def in_line(chat: str | None = "ccai:chat-1") -> Talk:
    talk = closed(CALLED)
    talk.wants_human()
    if chat is not None:
        talk.opened(chat)
    return talk


def test_a_desk_is_called_with_why_and_what_its_agent_may_see() -> None:
    talk = closed(CALLED, "pt-BR")
    seen: dict[str, Any] = {"captured_at": SUNDAY, "provenance": Provenance(signed=True)}
    variables = (
        Variable(key="order", value="A1", audiences=(Audience.AGENT,), **seen),
        Variable(key="score", value=3, audiences=(Audience.EVENT,), **seen),
    )
    talk.take(events.VariablesCaptured(**talk.common(), variables=variables))
    talk.wants_human(metadata={"plan": "gold"})
    (call,) = [one for one in talk.done if isinstance(one, CallDesk)]
    assert (call.desk, call.action, call.reason, call.language) == (
        "contact-center",
        "open",
        "asked",
        "pt-BR",
    )
    assert (call.metadata, call.variables) == ({"plan": "gold"}, {"order": "A1"})


def test_what_the_customer_says_is_passed_on_until_the_conversation_is_the_bots_again() -> None:
    talk = in_line()
    talk.user("hello?")
    talk.joins(source="ccai:chat-1")
    talk.user("it is broken")
    talk.leaves(fact=False)
    talk.user("thanks")
    assert called(talk) == [
        ("open", "asked"),
        ("say", "hello?"),
        ("say", "it is broken"),
        ("close", "human_left"),
    ]
    assert len({one.handoff for one in talk.done if isinstance(one, CallDesk)}) == 1


@pytest.mark.parametrize("joined", [True, False])
def test_a_desk_whose_chat_has_ended_is_not_told(joined: bool) -> None:
    talk = in_line()
    if joined:
        talk.joins(source=CHAT)
    talk.ends(CHAT)
    assert (called(talk), talk.conversation.called) == ([("open", "asked")], None)
    assert talk.conversation.past_chats == (CHAT,)


def test_a_chat_that_was_turned_away_is_ended_so_that_no_agent_takes_it_still() -> None:
    talk = in_line()
    talk.fails(source=CHAT)
    assert (called(talk), talk.phase) == ([("open", "asked"), ("close", "closed")], Phase.BOT)
    talk.joins(source=CHAT)
    assert (talk.phase, ended(talk)) == (Phase.BOT, [CHAT])


def test_a_desks_refusal_reaches_customer_and_team_once() -> None:
    talk = in_line()
    talk.fails(source="ccai:chat-1")
    talk.fails(source="ccai:chat-1")
    assert talk.told[1:] == [("handoff.failed", "closed")]
    (said,) = talk.shown
    assert said.startswith("Sorry, nobody is available right now.")


def test_a_human_of_another_source_takes_the_handoff_from_the_desk_that_was_called() -> None:
    talk = in_line()
    talk.joins()
    talk.user("hi Jane")
    assert called(talk) == [("open", "asked"), ("close", "human_joined")]


def test_a_second_human_does_not_send_the_desks_own_away() -> None:
    talk = in_line()
    talk.joins(source="ccai:chat-1")
    talk.joins("Sam")
    talk.leaves("Sam")
    assert called(talk) == [("open", "asked")]
    talk.joins("Sam")
    talk.ends(CHAT)
    talk.user("only Sam hears this")
    assert (called(talk), talk.conversation.called) == ([("open", "asked")], None)


def test_an_agent_who_leaves_before_a_colleague_comes_does_not_end_the_chat() -> None:
    talk = in_line()
    talk.joins(source="ccai:chat-1")
    talk.leaves(source="ccai:chat-1")
    talk.joins("Bob", source="ccai:chat-1")
    talk.user("Bob hears this")
    assert called(talk) == [("open", "asked"), ("say", "Bob hears this")]


def test_a_desk_that_kept_its_chat_open_is_told_when_the_customer_asks_again() -> None:
    talk = in_line()
    talk.joins(source="ccai:chat-1")
    talk.leaves(source="ccai:chat-1")
    talk.wants_human()
    assert called(talk) == [("open", "asked"), ("close", "asked anew"), ("open", "asked")]


def test_who_waits_for_the_opening_is_announced_when_it_opens() -> None:
    talk = closed(CALLED.model_copy(update={"hours": HOURS, "outside": "wait"}))
    talk.wants_human()
    assert called(talk) == []
    talk.now = OPENS
    talk.timeout()
    assert called(talk) == [("open", "asked")]
    for _ in range(4):
        talk.timeout()
    assert called(talk)[1:] == [("close", "unclaimed_timeout")]
    assert talk.phase is Phase.BOT


def test_a_desk_that_asks_for_a_human_itself_is_not_called() -> None:
    talk = closed(Desk(name="csku", kind="csku"))
    talk.conversation = talk.conversation.model_copy(update={"links": ("csku:d0",)})
    talk.desk_wants_human()
    assert called(talk) == []


# The setting.


def test_the_setting_is_read() -> None:
    week = {"time_zone": "Europe/Berlin", "mon": ["09:00-17:00"]}
    desk = {"name": "berlin", "kind": "ccai", "channels": ["rcs"], "languages": ["de"],
        "hours": week,
            "holidays": ["2026-12-25"], "outside": "wait"}  # fmt: skip
    (read,) = read_settings({"BATON_DESKS": json.dumps([desk])}).baton_desks
    assert (read.name, read.must_be_called, read.channels, read.outside) == (
        "berlin",
        True,
        ("rcs",),
        "wait",
    )


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("berlin", "JSON list"),
        ('{"name": "a"}', "BATON_DESKS"),
        ('[{"kind": "api"}]', "BATON_DESKS 1.name"),
        ('[{"name": "A b"}]', "BATON_DESKS A b.name: give up to 64 small letters"),
        ('[{"name": "a", "kind": "fax"}]', "BATON_DESKS a.kind"),
        ('[{"name": "a"}, {"name": "a"}]', "two desks are called a"),
        ('[{"name": "a", "holidays": ["2026-12-25"]}]', "give hours too"),
        (
            '[{"name": "a", "hours": {"time_zone": "Nowhere", "mon": ["09:00-17:00"]}}]',
            "a.hours.time_zone",
        ),
        ('[{"name": "a", "hours": {"time_zone": "UTC", "mon": ["9-17"]}}]', "a.hours.mon.1"),
        ('[{"name": "a", "outside": "sing"}]', "BATON_DESKS a.outside"),
        ('[{"name": "a", "menu": 4}]', "menu: only desks of kind ccai have queues"),
        ('[{"name": "a", "kind": "ccai", "menu": "sales"}]', "BATON_DESKS a.menu"),
        ('[{"name": "a", "queue": 1}]', "BATON_DESKS a.queue"),
    ],
)
def test_a_wrong_desk_is_named(value: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"BATON_DESKS": value})
    assert named in capsys.readouterr().out


def test_a_channel_that_baton_does_not_know_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Misconfigured):
        _ = Baton(read_settings({"BATON_DESKS": '[{"name": "a", "channels": ["fax"]}]'})).ports
    assert "BATON_DESKS A: fax is none of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"place": "#team:example.org"}, "the internal id of a room"),
        ({"menu": 1}, "menu"),
    ],
)
def test_a_row_of_matrix_has_what_fits_it(row: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Desk(name="people", kind="matrix", **row)
    assert Desk(name="people", kind="matrix", place="!team:example.org").place
