"""What is owed, lost, old or in the channel's own app, where a customer has two channels; how
reports count it.
"""

from datetime import timedelta

import pytest

from shared.handoff.channels import KEYWORD_FOLLOWS, all_of, without_app
from shared.handoff.notices import BUILT_IN
from shared.schemas import events, own_events
from shared.schemas.commands import Record, SendEvent
from shared.schemas.conversation import Phase
from shared.schemas.measures import Name
from tests.unit.talk import NOW, human
from tests.unit.test_identity import HERE, THERE, Moving


def test_that_no_human_was_there_is_said_where_they_write_next() -> None:
    talk = Moving()
    talk.wants_human()
    talk.now += timedelta(hours=25)
    talk.fails()
    assert (talk.conversation.owed, talk.shown_in(HERE)) == ("nobody", [])
    talk.user("hello?", source=THERE)
    assert talk.shown_in(THERE) == [BUILT_IN["en"]["nobody"]]
    talk.user("and here?")
    assert talk.shown_in(HERE) == []


def test_who_asks_again_on_the_other_channel_is_owed_nothing() -> None:
    talk = Moving()
    talk.wants_human()
    talk.now += timedelta(hours=25)
    talk.fails()
    talk.wants_human(source=THERE)
    assert (talk.phase, talk.conversation.owed) == (Phase.QUEUED, None)


def _unsubscribed(talk: Moving) -> dict[str, bool]:
    return {one.id: one.unsubscribed_at is not None for one in all_of(talk.conversation)}


def test_an_unsubscribing_older_than_their_words_there_changes_nothing() -> None:
    talk = Moving()
    talk.now += timedelta(minutes=5)
    talk.user("new", source=THERE)
    old = NOW + timedelta(minutes=1)
    talk.take(events.Unsubscribed(**talk.common(source=THERE), occurred_at=old))
    assert _unsubscribed(talk) == {HERE: False, THERE: False}
    # here their last words are older still
    talk.take(events.Unsubscribed(**talk.common(), occurred_at=old))
    assert _unsubscribed(talk) == {HERE: True, THERE: False}


@pytest.mark.parametrize(
    ("after", "silent"), [(KEYWORD_FOLLOWS, True), (KEYWORD_FOLLOWS * 2, False)]
)
def test_the_keyword_itself_does_not_subscribe_on_any_channel(
    after: timedelta, *, silent: bool
) -> None:
    talk = Moving()
    talk.take(events.Unsubscribed(**talk.common(source=THERE)))
    talk.now += after
    talk.user("STOP", source=THERE)
    assert _unsubscribed(talk) == {HERE: False, THERE: silent}


def test_a_joined_that_was_lost_on_a_channel_is_said_again_there() -> None:
    talk = Moving()
    talk.joins()
    (joined,) = [one for one in talk.done if isinstance(one, SendEvent)]
    talk.user("here now", source=THERE)
    talk.says("there")
    talk.take(own_events.JoinedLost(id="lost", source=HERE, actor="delivery", frame=joined.id))
    assert [one.shown for one in talk.conversation.elsewhere] == [()]
    talk.says("you know me")
    talk.user("back")
    talk.says("here")
    assert talk.shown_in(THERE) == [
        "Jane joined the conversation.",
        "Jane: there",
        "Jane: you know me",
    ]
    assert talk.shown_in(HERE) == ["Jane joined the conversation."] * 2 + ["Jane: here"]


def test_the_channels_own_app_gives_way_on_every_channel_in_silence() -> None:
    talk = Moving()
    talk.says("typed on the phone", "App", delivered=True)
    talk.user("there", source=THERE)
    talk.take(events.Claim(**talk.common(fact=False, key="desk"), representative=human()))
    talk.says("hello")
    talk.user("back")
    talk.leaves()
    assert talk.shown_in(THERE)[:2] == ["Jane joined the conversation.", "Jane: hello"]
    assert talk.shown_in(HERE) == []
    assert without_app(talk.conversation) == talk.conversation


def _counted(talk: Moving) -> list[tuple[Name, str]]:
    records = [one for one in talk.done if isinstance(one, Record)]
    return [(measure.name, measure.channel) for record in records for measure in record.measures]


def test_a_handoff_counts_on_the_channel_where_it_began_wherever_they_move() -> None:
    talk = Moving()
    talk.wants_human()
    talk.joins()
    talk.user("there", source=THERE)
    talk.says("hello")
    talk.leaves()
    talk.wants_human(source=THERE)
    assert _counted(talk) == [
        (Name.CONVERSATION, "plain"),
        (Name.REQUESTED, "plain"),
        (Name.HANDED_OFF, "plain"),
        (Name.FRAME, "plain"),
        (Name.JOINED, "plain"),
        (Name.TAKEN, "plain"),
        (Name.WAITING, "plain"),
        (Name.TURN, "second"),
        (Name.RESPONDED, "plain"),
        (Name.FIRST_RESPONSE, "plain"),
        (Name.ANSWERED, "second"),
        (Name.RESPONSE, "second"),
        (Name.HANDLING, "plain"),
        (Name.LEFT, "plain"),
        (Name.REQUESTED, "second"),
    ]


def test_a_handoff_counts_for_the_desk_to_which_it_went_wherever_the_customer_asked() -> None:
    talk = Moving()
    talk.wants_human(source=THERE)
    assert talk.conversation.progress is not None
    assert talk.conversation.progress.handoff is not None
    assert talk.conversation.progress.handoff.desk == "api"
