"""How a customer's place in line is said. It is counted elsewhere."""

from shared.handoff.draft import Draft, expect
from shared.handoff.effects.speech import say_notice
from shared.handoff.notices import Notice
from shared.schemas.events import FromUser


def say_place(draft: Draft) -> None:
    ahead = expect(draft.event, FromUser).ahead
    if ahead is None:
        return
    if ahead.more:
        notice = Notice.PLACE_FAR if ahead.people else Notice.PLACE_UNKNOWN
    else:
        notice = Notice.PLACE if ahead.people else Notice.PLACE_NEXT
    say_notice(draft, notice, ahead=ahead.people)
