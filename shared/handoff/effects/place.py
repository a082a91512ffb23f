"""A customer's place in line: whether they ask for it, and how it is said. It is counted
elsewhere.
"""

from shared.handoff.draft import Draft, expect
from shared.handoff.effects.speech import say_notice
from shared.handoff.notices import Notice
from shared.handoff.policy import Policy
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import Event, FromUser


def asks_for_place(conversation: Conversation, event: Event, policy: Policy) -> bool:
    """Returns whether Baton is to answer this with the place in line; where it may say nothing,
    a bot may.
    """
    if (
        not isinstance(event, FromUser)
        or event.said is None
        or conversation.phase is not Phase.QUEUED
    ):
        return False
    silent = conversation.tracked or conversation.platform in policy.notices_off
    return (
        conversation.owns(event.source)
        and not silent
        and policy.notices.asks_place(event.said, conversation.locale)
    )


def say_place(draft: Draft) -> None:
    ahead = expect(draft.event, FromUser).ahead
    if ahead is None:
        return
    if ahead.more:
        notice = Notice.PLACE_FAR if ahead.people else Notice.PLACE_UNKNOWN
    else:
        notice = Notice.PLACE if ahead.people else Notice.PLACE_NEXT
    say_notice(draft, notice, ahead=ahead.people)
