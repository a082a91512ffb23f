"""Today's functions and those of the last release, side by side on one store.

Functions are deployed one by one, and a rollback moves them back one by one. So each call of a
conversation may reach another version than the call before it.
"""

from collections.abc import Callable, Iterator

import pytest

from infra.local.reference import STEPS
from infra.local.server import LocalServer, Reply
from infra.local.talk import BASE, Talk
from tests.functions.released import Released, TwoVersions

LISTS = ("", "?phase=QUEUED", "?phase=HUMAN")


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("today")) as running:
        yield running


@pytest.fixture(scope="module")
def released(today: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    with Released(today, tmp_path_factory.mktemp("released")) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["today-first", "release-first"])
def two(request: pytest.FixtureRequest, today: LocalServer, released: Released) -> TwoVersions:
    return TwoVersions(today, released, today_first=request.param)


def opened(two: TwoVersions) -> Talk:
    """Returns a new conversation. The simulated platform learns of it from today's local run."""
    return Talk(two, Talk.open(two.today).id)


def handoff(talk: Talk) -> None:
    """A whole handoff, with a linked desk whose human also speaks. Each call must be taken."""
    human = {"representativeType": "HUMAN", "displayName": "Jane"}
    other = {**human, "displayName": "Nama Agent Support"}
    steps: list[Callable[[], Reply]] = [
        lambda: talk.say("BOT", "Bot", "What is broken?", "b-1"),
        lambda: talk.customer_says("The wheel", "m-2"),
        talk.asks_for_human,
        lambda: talk.post(":claim", {"requestId": "c-1", "representative": human}),
        lambda: talk.say("HUMAN", "Jane", "I am here", "j-1"),
        lambda: talk.customer_says("Good", "m-3"),
        lambda: talk.link(f"csku:desk-{talk.id}"),
        lambda: talk.csku("agent.message_out", "d-1", "Me too", conversation=f"desk-{talk.id}"),
        lambda: talk.say("HUMAN", "Jane", "Done", "j-2"),
        lambda: talk.post(":release", {"requestId": "c-2", "representative": human}),
        lambda: talk.post(":release", {"requestId": "c-3", "representative": other}, "dev-admin"),
        lambda: talk.say("BOT", "Bot", "Anything else?", "b-2"),
    ]
    for number, step in enumerate(steps):
        assert step().status == 200, number
        talk.server.wait_until_quiet(talk.id)


def test_a_handoff_whose_calls_reach_both_versions_is_shown_whole(two: TwoVersions) -> None:
    talk = opened(two)
    handoff(talk)
    assert talk.seen() == [
        "BOT Bot: What is broken?",
        "JOINED Jane",
        "HUMAN Jane: I am here",
        "JOINED Nama Agent Support",
        "HUMAN Nama Agent Support: Me too",
        "HUMAN Jane: Done",
        "LEFT Jane",
        "LEFT Nama Agent Support",
        "BOT Bot: Anything else?",
    ]


def test_what_one_version_has_taken_the_other_knows_as_a_repetition(two: TwoVersions) -> None:
    """Each webhook comes to both versions, as a platform repeats what was not answered in time."""
    talk = opened(two)
    for number in range(4):
        first, again = (talk.customer_says(f"text {number}", f"m-{number + 10}") for _ in "12")
        assert (first.status, again.status) == (200, 200)
    assert talk.say("BOT", "Bot", "Hello", "b-1").status == 200
    assert talk.say("BOT", "Bot", "Hello", "b-1").status == 409
    assert talk.seen() == ["BOT Bot: Hello"]
    assert len([one for one in talk.journal() if one["kind"] == "user_message"]) == 5


def test_both_versions_read_what_either_wrote(two: TwoVersions) -> None:
    talk = opened(two)
    talk.asks_for_human()
    conversation, journal = f"{BASE}/{talk.id}", f"{BASE}/{talk.id}/journal"
    for path in (conversation, journal, *(f"{BASE}{query}" for query in LISTS)):
        key = {"authorization": "Bearer dev-admin"}
        answers = [two.send("GET", path, headers=key) for _ in "12"]
        assert [one.status for one in answers] == [200, 200], path
    known = [talk.state() for _ in "12"]
    assert [one["phase"] for one in known] == ["QUEUED", "QUEUED"]


def test_the_reference_conversation_is_answered_as_by_one_version(
    today: LocalServer, released: Released
) -> None:
    two = TwoVersions(today, released, today_first=True)
    assert [two.play(step).status for step in STEPS] == [step.expect for step in STEPS]
