"""The customer's way back to the assistant, and the survey after a handoff."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from shared.handoff.notices import BUILT_IN
from shared.handoff.policy import BATONS_OWN
from shared.handoff.survey_answers import button
from shared.measures.definitions import close
from shared.schemas import events
from shared.schemas.base import JsonObject
from shared.schemas.commands import Publish, Record, SendMessage
from shared.schemas.conversation import Phase
from shared.schemas.journal import Verdict
from shared.schemas.measures import Name
from tests.unit.support_team import JANE, OMAR, ZOE, Team


def held(**policy: Any) -> Team:
    team = Team(survey=True, back_asked=True, **policy)
    team.user()
    team.asks()
    team.claims(JANE)
    team.writes(JANE)
    team.done.clear()
    return team


def counted(team: Team) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in team.done:
        if isinstance(one, Record):
            for measure in one.measures:
                found[measure.name] += measure.number
    return found


def taps(team: Team, answer: str, survey: str | None = None) -> Any:
    open_one = team.conversation.survey
    data = button(survey or (open_one.id if open_one else ""), answer)
    form: JsonObject = {"suggestionResponse": {"postbackData": data, "text": answer}}
    return team.take(events.SuggestionResponse(**team.common(), form=form, said=answer))


def surveys(team: Team) -> list[SendMessage]:
    sent = [one for one in team.done if isinstance(one, SendMessage)]
    return [one for one in sent if (one.content.text or "").startswith("How satisfied")]


def heard(team: Team) -> list[object]:
    published = (one for one in team.done if isinstance(one, Publish))
    return [one.body["audience"] for one in published if one.topic == "baton-user-messages"]


def test_the_customer_sends_the_human_away_in_their_own_words() -> None:
    team = held()
    assert team.user(" Back to the ASSISTANT! ").verdict is Verdict.ACCEPTED
    assert (team.phase, team.kinds) == (Phase.BOT, ["handoff.returned"])
    assert team.shown[0] == "Jane has left. You are talking with our automated assistant again."
    assert heard(team) == [["HUMAN"]], "a bot that is back hears the next words"
    assert team.conversation.handback is not None


def test_a_customer_who_waits_may_go_back_too() -> None:
    team = Team(back_asked=True)
    team.user()
    team.asks()
    team.now += timedelta(seconds=5)
    team.user("bot")
    assert (team.phase, team.shown[-1]) == (Phase.BOT, "You are back with the assistant.")


@pytest.mark.parametrize("words", ["is this a bot?", "I will be back to the assistant"])
def test_only_the_whole_message_is_such_words(words: str) -> None:
    team = held()
    team.user(words)
    assert team.phase is Phase.HUMAN


def test_words_are_only_words_unless_configured() -> None:
    team = Team()
    team.user()
    team.claims(JANE)
    team.user("bot")
    assert team.phase is Phase.HUMAN


def test_words_from_before_the_human_came_do_not_send_them_away() -> None:
    """old_back"""
    team = held()
    before = team.now - timedelta(seconds=1)
    assert team.user("bot", occurred_at=before).conversation.phase is Phase.HUMAN
    team.now += timedelta(minutes=1)
    team.passes(JANE)
    team.user("bot", occurred_at=team.now - timedelta(seconds=1))
    assert team.phase is Phase.QUEUED


def test_every_language_has_words_for_it() -> None:
    for language in BUILT_IN:
        phrases = BATONS_OWN.templates[language]["back_asked"].split("|")
        assert len(phrases) > 1
        assert all(BATONS_OWN.asks_back(phrase.upper(), language) for phrase in phrases)


def test_a_survey_is_asked_once_where_the_human_leaves() -> None:
    team = held()
    team.goes(JANE)
    (asked,) = surveys(team)
    labels = [one.reply.text for one in asked.content.suggestions if one.reply]
    assert labels == ["1", "2", "3", "4", "5"]
    assert asked.representative.representative_type == "BOT"
    assert counted(team)["surveyed"] == 1
    taps(team, "4")
    assert (counted(team)["rated"], counted(team)["rating"]) == (1, 4)
    assert team.shown[-1] == "Thank you for your answer."
    assert (taps(team, "1", survey="over").verdict, heard(team)) == (Verdict.IGNORED, [])


def test_an_answer_counts_for_who_left_and_where() -> None:
    team = held()
    team.goes(JANE)
    survey = team.conversation.survey
    assert survey is not None
    assert (survey.agent, survey.desk) == ("Jane", "api")
    team.user("5")
    measures = [m for one in team.done if isinstance(one, Record) for m in one.measures]
    rated = [(m.agent, m.desk, m.number) for m in measures if m.name is Name.RATING]
    assert rated == [("Jane", "api", 5)]
    assert heard(team) == [], "the bot need not make sense of it"


def test_a_colleague_who_goes_on_does_not_ask_again() -> None:
    """survey_each_left"""
    team = held()
    team.goes(JANE)
    team.now += timedelta(minutes=1)
    team.claims(OMAR)
    team.writes(OMAR)
    team.goes(OMAR)
    assert len(surveys(team)) == 1


def test_nothing_is_asked_on_the_way_to_a_colleague_nor_after_silence() -> None:
    team = held(human_idle="queue")
    team.passes(JANE)
    team.claims(OMAR)
    team.silent()
    assert surveys(team) == []
    silent = held()
    silent.silent()
    gone = held()
    gone.is_gone(JANE)
    assert (surveys(silent), surveys(gone)) == ([], [])


def test_nothing_is_asked_of_a_human_who_said_nothing() -> None:
    team = Team(survey=True)
    team.user()
    team.claims(JANE)
    team.goes(JANE)
    assert surveys(team) == []


def test_nothing_is_asked_where_the_window_is_closed() -> None:
    team = held()
    team.now += timedelta(days=2)
    team.goes(JANE)
    assert (team.phase, surveys(team)) == (Phase.BOT, [])


@pytest.mark.parametrize("ended_by", ["bot", "words", "request", "claim"])
def test_bare_digits_answer_only_the_question_asked_last(ended_by: str) -> None:
    """digits_always"""
    team = held()
    team.goes(JANE)
    match ended_by:
        case "bot":
            team.bot("how many tickets?")
        case "words":
            team.user("and one more thing")
        case "request":
            team.asks()
        case _:
            team.claims(OMAR)
    team.user("2")
    assert counted(team)["rated"] == 0
    taps(team, "3")
    assert counted(team)["rated"] == 1, "a button names its survey"


def test_digits_from_before_the_question_answer_another() -> None:
    team = held()
    team.now += timedelta(seconds=10)
    team.goes(JANE)
    team.user("2", occurred_at=team.now - timedelta(seconds=1))
    assert counted(team)["rated"] == 0


def test_an_answer_comes_within_a_day() -> None:
    team = held()
    team.goes(JANE)
    team.now += timedelta(days=1)
    assert taps(team, "4").verdict is Verdict.IGNORED
    assert counted(team)["rated"] == 0


def test_a_customer_who_goes_back_is_asked_too() -> None:
    team = held()
    team.user("bot")
    assert len(surveys(team)) == 1


def test_a_handoff_counts_once_however_often_it_is_passed_on() -> None:
    """begin_again, desk_moves: it begins and ends at the desk where it was asked for."""
    team = Team()
    team.user()
    team.asks()
    team.claims(JANE)
    team.writes(JANE)
    team.offers(JANE, OMAR)
    team.declines(OMAR)
    team.offers(JANE, OMAR)
    team.offer_expires()
    team.offers(JANE, OMAR)
    team.claims(OMAR)
    team.passes(OMAR)
    team.claims(ZOE)
    team.goes(ZOE)
    found = counted(team)
    once = ("requested", "joined", "waiting", "left", "taken", "responded")
    assert {name: found[name] for name in once} == dict.fromkeys(once, 1)
    assert (found["frame"], found["handling"], found["transferred"]) == (3, 3, 2)
    assert (found["offered"], found["declined"], found["lapsed"]) == (3, 1, 1)


def test_a_wait_after_a_human_ends_as_returned() -> None:
    team = held()
    team.passes(JANE)
    for _ in range(4):
        team.reminded()
    found = counted(team)
    assert (found["returned"], found["expired"], found["failed"]) == (1, 0, 0)


def test_an_erase_of_a_customer_who_was_passed_on_ends_what_a_human_joined() -> None:
    team = held()
    team.passes(JANE)
    ended = close(team.conversation, Name.ERASED, team.now).measures
    assert [one.name for one in ended] == [Name.LEFT, Name.EXCHANGED]
