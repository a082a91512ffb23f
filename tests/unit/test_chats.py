"""A desk's own chats: of the current handoff, of an earlier one, of none; and the content of a
desk's call.
"""

from datetime import timedelta

import pytest

from shared.handoff.notices import notices
from shared.platforms.base import Deflected, Ended
from shared.schemas import events, own_events
from shared.schemas.commands import CallDesk, Publish
from shared.schemas.conversation import Phase
from shared.schemas.journal import Verdict
from tests.unit.talk import Talk
from tests.unit.test_desks import CALLED, CHAT, called, closed, ended, in_line

NEXT, ANOTHER = "ccai:chat-2", "ccai:chat-3"


# What happens in a chat whose handoff is over.


def in_line_again() -> Talk:
    """Its agent left the first chat open; the customer has asked again."""
    talk = in_line()
    talk.joins(source=CHAT)
    talk.leaves(source=CHAT)
    talk.wants_human()
    talk.opened(NEXT)
    talk.done.clear()
    return talk


def test_an_earlier_chats_agent_does_not_take_the_handoff_and_is_told_to_end() -> None:
    talk = in_line_again()
    before = talk.conversation
    joined = talk.joins(source=CHAT)
    left = talk.leaves(source=CHAT)
    assert [joined.verdict, left.verdict] == [Verdict.STALE, Verdict.IGNORED]
    assert ended(talk) == [CHAT]
    assert talk.conversation == before.model_copy(update={"version": before.version + 2})


def test_an_earlier_chats_agent_is_heard_in_a_frame_of_their_own_and_starts_no_clock() -> None:
    talk = in_line_again()
    before = talk.conversation
    talk.now += timedelta(seconds=30)
    assert talk.says("are you still there?", source=CHAT).verdict is Verdict.STALE
    assert [text.split(".")[0] for text in talk.shown] == [
        "Jane joined the conversation",
        "Jane: are you still there?",
        "Jane left the conversation",
        "Everyone is busy right now",
    ]
    assert ended(talk) == [CHAT]
    after = talk.conversation
    assert (after.phase, after.humans, after.timer) == (before.phase, (), before.timer)
    assert (after.spoke_at, after.first_response_seconds) == (before.spoke_at, None)


def test_who_is_present_speaks_in_the_frame_that_is_open_wherever_they_type() -> None:
    talk = in_line_again()
    talk.joins(source=NEXT)
    talk.done.clear()
    timer = talk.conversation.timer
    talk.now += timedelta(seconds=30)
    talk.says("in the wrong window", source=CHAT)
    assert (talk.shown, ended(talk)) == (["Jane: in the wrong window"], [CHAT])
    talk.leaves(source=CHAT)
    assert (talk.phase, talk.conversation.timer) == (Phase.HUMAN, timer)


def test_an_earlier_chats_end_fails_nothing() -> None:
    talk = in_line_again()
    for kind in (Deflected, Ended):
        assert talk.take(kind(**talk.common(source=CHAT), reason="over")).verdict is Verdict.IGNORED
    assert (talk.phase, called(talk)) == (Phase.QUEUED, [])


def test_an_earlier_chats_virtual_agent_is_kept_from_the_customer() -> None:
    for present in (False, True):
        talk = in_line_again()
        if present:
            talk.joins(source=NEXT)
        shown = len(talk.shown)
        talk.bot(source=CHAT, human_needed=False)
        assert (len(talk.shown), ended(talk)) == (shown, [CHAT])


def test_a_chat_that_is_known_only_when_its_handoff_is_over_is_ended() -> None:
    talk = in_line(None)
    talk.joins()
    talk.opened(CHAT, "e2-handoff")
    assert (ended(talk), talk.conversation.past_chats) == ([CHAT], (CHAT,))
    assert talk.conversation.called is None


def test_another_chat_of_the_same_platform_that_was_linked_by_hand_is_not_the_handoffs() -> None:
    talk = in_line()
    assert talk.take(Ended(**talk.common(source=ANOTHER), reason="over")).verdict is Verdict.IGNORED
    talk.joins(source=ANOTHER)
    assert (talk.phase, called(talk)[1:]) == (Phase.HUMAN, [("close", "human_joined")])


# Chats that the desk says it made.


def test_a_chat_that_comes_to_be_known_too_late_is_ended() -> None:
    talk = in_line(None)
    talk.fails()
    talk.created(CHAT)
    assert ended(talk) == [CHAT]


def test_of_two_chats_for_one_customer_the_one_that_is_not_the_handoffs_is_ended() -> None:
    talk = in_line(None)
    talk.created(ANOTHER)
    talk.created(CHAT)
    assert ended(talk) == []
    talk.opened(CHAT)
    assert ended(talk) == [ANOTHER]
    talk.created(NEXT)
    talk.created(CHAT)
    assert ended(talk) == [ANOTHER, NEXT]


def test_the_chat_of_the_handoff_is_not_ended_where_its_link_is_gone() -> None:
    talk = in_line()
    links = tuple(one for one in talk.conversation.links if one != CHAT)
    talk.conversation = talk.conversation.model_copy(update={"links": links})
    before = talk.conversation.called
    talk.created(CHAT)
    assert ended(talk) == []
    assert (talk.conversation.called, talk.conversation.past_chats) == (before, ())


def test_chats_that_were_made_for_a_handoff_that_ended_meanwhile_are_ended() -> None:
    talk = in_line(None)
    talk.created(CHAT)
    talk.joins()
    assert (called(talk)[-1], ended(talk)) == (("close", "human_joined"), [CHAT])


def test_no_chat_of_another_customer_is_touched() -> None:
    """A customer of the desk's own, whom no link names."""
    talk = in_line()
    assert (
        talk.take(events.ChatCreated(**talk.common(source="ccai:user-id-77"), chat=NEXT)).verdict
        is Verdict.IGNORED
    )
    alone = Talk(platform="ccai")
    alone.take(events.ChatCreated(**alone.common(), chat=NEXT))
    assert ended(talk) + ended(alone) == []


# A chat that its agent has left.


def left_alone() -> Talk:
    talk = in_line()
    talk.joins(source=CHAT)
    talk.leaves(source=CHAT)
    return talk


def test_until_a_colleague_comes_the_desk_hears_the_customer_as_the_bot_does() -> None:
    talk = left_alone()
    talk.user("is anybody there?")
    assert called(talk) == [("open", "asked"), ("say", "is anybody there?")]
    assert [
        one.body["audience"]
        for one in talk.done
        if isinstance(one, Publish) and "audience" in one.body
    ][-1] == ["BOT"]
    talk.joins("Bob", source=CHAT)
    assert (talk.phase, talk.conversation.timer and talk.conversation.timer.kind) == (
        Phase.HUMAN,
        "idle",
    )


def test_where_no_colleague_comes_the_chat_is_ended() -> None:
    talk = left_alone()
    assert talk.conversation.due_at == talk.now + talk.policy.human_idle_after
    talk.user("hello?")
    assert talk.conversation.due_at == talk.now + talk.policy.human_idle_after
    talk.nobody_comes()
    talk.user("hello?")
    assert called(talk)[2:] == [("close", "chat_idle_timeout")]
    assert (talk.conversation.called, talk.conversation.timer) == (None, None)


def test_a_timer_of_a_chat_that_was_taken_up_again_ends_nothing() -> None:
    talk = left_alone()
    timer = talk.conversation.timer
    assert timer is not None
    for then in (talk.wants_human, talk.joins):
        then()
        late = own_events.ChatIdleTimeout(**talk.common(), armed=timer.armed, n=timer.n)
        assert talk.take(late).verdict is Verdict.IGNORED


@pytest.mark.parametrize(("kind", "told"), [(Ended, []), (Deflected, [("close", "over")])])
def test_a_chat_that_ends_when_its_agent_has_left_has_no_handoff_any_more(
    kind: type[Deflected], told: list[tuple[str, str]]
) -> None:
    for others in (False, True):
        talk = left_alone()
        if others:
            talk = in_line()
            talk.joins(source=CHAT)
            talk.joins("Sam")
            talk.leaves(source=CHAT)
        talk.take(kind(**talk.common(source=CHAT), reason="over"))
        talk.user("thanks")
        assert (called(talk)[1:], talk.conversation.called) == (told, None)


def test_what_was_said_while_a_desk_turned_away_is_no_humans_word() -> None:
    talk = in_line()
    talk.joins(source=CHAT)
    talk.joins("Sam")
    talk.fails(source=CHAT)
    assert talk.conversation.called is not None
    assert talk.conversation.said == ()


# What a desk is called with.


def test_whose_language_is_not_known_is_announced_in_the_operators() -> None:
    talk = closed(CALLED, notices=notices({}, "id"))
    talk.wants_human()
    (call,) = [one for one in talk.done if isinstance(one, CallDesk)]
    assert call.language == "id"


def test_a_desk_may_have_a_queue_of_its_own() -> None:
    talk = closed(CALLED.model_copy(update={"menu": 12}))
    talk.wants_human()
    (call,) = [one for one in talk.done if isinstance(one, CallDesk)]
    assert (call.menu, call.platform) == (12, "ccai")


# What is said of another handoff.


def test_a_failure_that_is_about_one_handoff_ends_no_other() -> None:
    talk = in_line()
    called = talk.conversation.called
    assert called is not None
    talk.fails(handoff="another")
    assert (talk.phase, talk.conversation.called) == (Phase.QUEUED, called)
    talk.fails(handoff=called.handoff)
    assert talk.phase is Phase.BOT


def test_a_failure_of_a_desks_handoff_ends_no_handoff_without_a_desk() -> None:
    talk = Talk()
    talk.wants_human()
    assert talk.fails(handoff="over").verdict is Verdict.IGNORED
    assert talk.phase is Phase.QUEUED


def test_chats_that_were_ended_before_they_were_linked_are_kept_in_mind() -> None:
    """So an erase reaches what was typed there."""
    talk = in_line(None)
    talk.created(CHAT)
    talk.created(ANOTHER)
    talk.opened(CHAT)
    assert list(talk.conversation.past_chats) == [ANOTHER]
    talk.fails()
    talk.created(NEXT)
    talk.created(NEXT)
    assert list(talk.conversation.past_chats) == [ANOTHER, CHAT, NEXT]
    assert ended(talk) == [ANOTHER, NEXT]
