"""Messages that wait for the customer, because their channel's window is closed: the template that
asks them to write, the release when they are back, and the end where they are not.
"""

from collections.abc import Sequence

from shared.handoff.draft import Draft, expect
from shared.handoff.effects.frames import introduce, show, show_gone
from shared.handoff.effects.notifications import notification
from shared.handoff.effects.speech import say_in_pieces, send_template
from shared.handoff.notices import Notice
from shared.schemas.commands import SendMessage, State
from shared.schemas.content import Content
from shared.schemas.conversation import Participant, Reopening, Waiting
from shared.schemas.events import HumanRevoked, Undelivered
from shared.schemas.own_events import ReopenTimeout, TemplateLost
from shared.schemas.representative import is_bots


def reopen(draft: Draft) -> None:
    template = draft.policy.reopens(draft.conversation)
    if template is None:
        return
    command, content = draft.derived_id("template"), Content(template=template)
    send_template(draft, command, content, draft.policy.bot, reopens=True)
    draft.change(reopening=Reopening(template=command, at=draft.now))


def release(draft: Draft) -> None:
    """Sends what waited, in the order of acceptance, under its own ids and to the customer's
    address of now. A human who has left meanwhile gets a whole frame.
    """
    waiting = draft.conversation.waiting
    draft.change(waiting=(), reopening=None)
    gone: Participant | None = None
    for one in waiting:
        words, who = draft.event.held.get(one.entry), one.representative
        if words is None:
            continue
        if gone is not None and gone.representative.name != who.name:
            show_gone(draft, gone)
            gone = None
        withheld = _withheld(draft) if is_bots(who) else None
        draft.ended[one.entry] = (State.DROPPED if withheld else State.RELEASED, withheld)
        if withheld:
            continue
        frame = None
        if not is_bots(who):
            human = draft.conversation.present(who)
            if human is None:
                gone = gone or show(draft, who, draft.derived_id(f"JOINED {one.entry}"))
            frame = introduce(draft, human).frame if human else gone.frame if gone else None
            _note_first_response(draft)
        draft.released.append(words)
        _say(draft, one, words, frame)
    if gone is not None:
        show_gone(draft, gone)


def _say(draft: Draft, waited: Waiting, held: SendMessage, frame: str | None) -> None:
    """Sends it under its own id, unless that of another conversation's message is the same."""
    known = draft.conversation
    is_used = any(command.id == held.id for command in draft.commands)
    update = {
        "id": draft.derived_id(waited.entry) if is_used else held.id,
        "to": known.address,
        "channel": known.speaks_on,
        "frame": frame,
        "state": State.PENDING,
        "waited": True,
    }
    whole = held.model_copy(update=update)
    say_in_pieces(draft, whole, draft.derived_id(f"{Notice.PREFIX} {waited.entry}"))


def _withheld(draft: Draft) -> str | None:
    """Returns why a bot may not say now what it said before, None if it may."""
    known = draft.conversation
    if any(human.told for human in known.humans) or known.left_unseen:
        return "human-present"
    if known.unsubscribed_at is not None:
        return "unsubscribed"
    return None if draft.may_answer else "not-active"


def _note_first_response(draft: Draft) -> None:
    if draft.conversation.request and draft.conversation.first_response_seconds is None:
        draft.change(first_response_seconds=draft.waited_seconds)


def take_back(draft: Draft) -> None:
    """Ends the messages that were deleted before they were sent."""
    known, event = draft.conversation, expect(draft.event, HumanRevoked)
    over = [one for one in known.waiting if one.entry in event.entries]
    draft.change(waiting=tuple(one for one in known.waiting if one not in over))
    for one in over:
        draft.ended[one.entry] = (State.DROPPED, "deleted")


def end(draft: Draft) -> None:
    """Ends the messages that the event is about, and notifies the team of each."""
    known, over = draft.conversation, _over(draft)
    reason = getattr(draft.event, "reason", None)
    draft.change(waiting=tuple(one for one in known.waiting if one not in over))
    if not isinstance(draft.event, ReopenTimeout) and _is_template(draft):
        draft.change(reopening=None)
    for one in over:
        draft.ended[one.entry] = (State.FAILED, reason)
        draft.emit(notification(draft, "delivery.failed", about=one))


def _over(draft: Draft) -> Sequence[Waiting]:
    event, waiting = draft.event, draft.conversation.waiting
    if isinstance(event, ReopenTimeout):
        return [one for one in waiting if one.entry == event.entry]
    return waiting if _is_template(draft) else ()


def _is_template(draft: Draft) -> bool:
    """Returns whether the event is about the template for which these messages wait."""
    event, reopening = draft.event, draft.conversation.reopening
    if isinstance(event, TemplateLost):
        about = event.template
    elif isinstance(event, Undelivered) and not event.may_arrive:
        about = event.message
    else:
        return False
    return reopening is not None and reopening.template == about
