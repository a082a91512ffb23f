"""What a webhook's names mean: one test for each row of the table."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from shared.handoff.names import QUIET, Missing, Naming
from shared.schemas.conversation import Conversation, Name, Phase, Was
from shared.schemas.events import GivenName

NOW = datetime(2026, 11, 30, tzinfo=UTC)
NUMBER, USER, OTHER = "whatsapp:n", "whatsapp:u", "whatsapp:v"


def at(days: float) -> datetime:
    return NOW - timedelta(days=days)


def living(id: str, *names: str, since: float = 10, **more: object) -> Conversation:
    called = tuple(
        Name(id=one, strong=one != NUMBER, since=at(since), kept=at(since)) for one in names
    )
    return Conversation(id=id, address="1|x", version=3, names=called).model_copy(update=more)


def alias(id: str, whose: str | None, **more: object) -> Conversation:
    return Conversation(id=id, address="", version=1, whose=whose).model_copy(update=more)


def naming(documents: Iterable[Conversation], *given: str, days: float = 0) -> tuple[Naming, str]:
    known: dict[str, Conversation | None] = {one.id: one for one in documents}
    names = [GivenName(id=one, strong=one != NUMBER) for one in given]
    answer = Naming(known, names, at(days), NOW, timedelta(days=30))
    while True:
        try:
            return answer, answer.conversation_of()
        except Missing as missing:
            for one in missing.documents:
                known[one] = None
            answer = Naming(known, names, at(days), NOW, timedelta(days=30))


def names_of(answer: Naming, conversation: str) -> set[str]:
    return {one.id for one in answer.changed[conversation].names}


def test_neither_is_known() -> None:
    answer, to = naming([], USER, NUMBER)
    assert (to, names_of(answer, to)) == (USER, {USER, NUMBER})
    assert answer.changed[NUMBER].whose == USER


def test_neither_is_known_and_the_number_was_anothers_then() -> None:
    gone = alias(NUMBER, None, was=Was(conversation=OTHER, until=at(0)))
    answer, to = naming([gone], USER, NUMBER, days=1)
    assert (to, names_of(answer, to)) == (USER, {USER})


def test_only_the_user_is_known() -> None:
    answer, to = naming([living(USER, USER)], USER, NUMBER)
    assert (to, names_of(answer, to)) == (USER, {USER, NUMBER})


def test_only_the_user_is_known_and_the_number_was_given_up_since() -> None:
    gone = alias(NUMBER, None, was=Was(conversation=USER, until=at(0)))
    answer, to = naming([living(USER, USER), gone], USER, NUMBER, days=1)
    assert (to, answer.changed) == (USER, {})


def test_only_the_number_is_known() -> None:
    answer, to = naming([living(NUMBER, NUMBER)], USER, NUMBER)
    assert (to, names_of(answer, to)) == (NUMBER, {USER, NUMBER})
    assert answer.changed[USER].whose == NUMBER


def test_the_number_is_anothers_and_this_is_later() -> None:
    answer, to = naming([living(OTHER, OTHER, NUMBER), alias(NUMBER, OTHER)], USER, NUMBER)
    assert (to, names_of(answer, USER), names_of(answer, OTHER)) == (USER, {USER, NUMBER}, {OTHER})
    assert answer.changed[NUMBER].was == Was(conversation=OTHER, until=NOW - timedelta(seconds=1))
    assert answer.notes == [(OTHER, "number-moved", OTHER)]
    assert answer.changed[OTHER].unreachable, "only the number was known"


def test_the_number_is_anothers_and_this_is_older() -> None:
    known = [living(OTHER, OTHER, NUMBER), alias(NUMBER, OTHER)]
    answer, to = naming(known, USER, NUMBER, days=20)
    assert (to, names_of(answer, to), answer.notes) == (USER, {USER}, [])


@pytest.mark.parametrize("days", [1, 31])
def test_a_bare_number_is_quiet_after_a_life_or_45_days(days: float) -> None:
    known = living(NUMBER, NUMBER, since=days, last_user_at=at(days))
    answer, to = naming([known], USER, NUMBER)
    is_quiet = days > min(QUIET.days, 30)
    assert (to == USER, answer.notes == [(NUMBER, "number-quiet", NUMBER)]) == (is_quiet, is_quiet)


def test_two_conversations_of_one_customer_are_joined() -> None:
    held = living(NUMBER, NUMBER, phase=Phase.HUMAN)
    answer, to = naming([held, living(USER, USER)], USER, NUMBER)
    assert (to, answer.merges) == (NUMBER, [(NUMBER, USER)])
    assert answer.changed[USER].same_as == NUMBER
    assert answer.changed[NUMBER].waits_for == (USER,)


def test_two_conversations_of_two_customers_stay_apart() -> None:
    known = [living(OTHER, OTHER, NUMBER), alias(NUMBER, OTHER), living(USER, USER)]
    answer, to = naming(known, USER, NUMBER)
    assert (to, answer.merges, names_of(answer, USER)) == (USER, [], {USER, NUMBER})
    late, to = naming(known, USER, NUMBER, days=20)
    assert (to, late.changed) == (USER, {})


def test_a_user_alone() -> None:
    assert naming([living(USER, USER)], USER)[1] == USER
    answer, to = naming([], USER)
    assert (to, names_of(answer, to)) == (USER, {USER})


def test_a_number_alone() -> None:
    assert naming([living(OTHER, OTHER, NUMBER), alias(NUMBER, OTHER)], NUMBER)[1] == OTHER
    moved = alias(NUMBER, OTHER, was=Was(conversation=USER, until=at(5)))
    known = [living(OTHER, OTHER, NUMBER), living(USER, USER), moved]
    assert naming(known, NUMBER)[1] == OTHER
    assert naming(known, NUMBER, days=6)[1] == USER


def test_a_number_alone_whose_document_is_occupied() -> None:
    gave_up = living(NUMBER, USER, was=Was(conversation=NUMBER, until=at(5)))
    answer, to = naming([gave_up, alias(USER, NUMBER)], NUMBER)
    assert to not in (NUMBER, USER)
    assert answer.changed[NUMBER].whose == to


def test_a_conversation_of_an_older_version_is_known_by_its_own_name() -> None:
    old = Conversation(id=NUMBER, address="1|x", version=7)
    answer, to = naming([old], NUMBER)
    assert (to, answer.changed) == (NUMBER, {})
    answer, to = naming([old], USER, NUMBER)
    assert (to, names_of(answer, to)) == (NUMBER, {NUMBER, USER})


def test_an_expired_conversation_leaves_its_number_free() -> None:
    answer, to = naming([alias(NUMBER, OTHER)], USER, NUMBER)
    assert (to, names_of(answer, to)) == (USER, {USER, NUMBER})


@pytest.mark.parametrize("links", [1, 49])
def test_more_documents_than_one_commit_may_write_are_not_joined(links: int) -> None:
    many = tuple(f"ccai:chat-{n}" for n in range(links))
    known = [living(NUMBER, NUMBER, links=many), living(USER, USER)]
    answer, to = naming(known, USER, NUMBER)
    reason = answer.refused[2] if answer.refused else None
    assert reason == ("too-many-links" if links == 49 else None)
    assert (to, bool(answer.merges)) == (USER, links != 49)
