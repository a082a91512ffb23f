"""Offers of a conversation to one person, the search for whom to offer it to, and the slots that
offers and frames take of people's room.
"""

from shared.handoff.draft import Draft, expect
from shared.schemas.commands import FreeSlot
from shared.schemas.conversation import Offer, Phase, Timer
from shared.schemas.events import OfferEnded, TakesRoom, Transfer
from shared.schemas.own_events import OfferTimeout, PersonGone
from shared.schemas.people import SlotTaken


def offer(draft: Draft) -> None:
    """Replaced are the one who makes the offer or, where a supervisor makes it, all who are
    present. Nobody need be looked for while it stands.
    """
    event = expect(draft.event, TakesRoom)
    if event.person is None:
        raise TypeError("the table offers only to a person of whom the decision knows")
    person, id = event.person.person, draft.derived_id("offer")
    draft.slots.append(SlotTaken(person=person.id, slot=id, kind="offered"))
    made = Offer(
        id=id,
        to=person.id,
        name=person.name,
        givers=_givers(draft, event),
        push=not isinstance(event, Transfer),
        by=(event.person_id or event.key) if isinstance(event, Transfer) else None,
        note=event.note if isinstance(event, Transfer) else None,
        reason=event.reason if isinstance(event, Transfer) else None,
        made_at=draft.now,
        until=draft.now + draft.policy.offer_after,
    )
    draft.change(offer=made, assign=None)


def _givers(draft: Draft, event: TakesRoom) -> tuple[str, ...]:
    known = draft.conversation
    if isinstance(event, Transfer) and known.present(event.representative):
        return (event.representative.name,)
    return tuple(human.representative.name for human in known.humans)


def end_offer(draft: Draft) -> None:
    """A person who declined, did not answer or is gone is not asked again before the next reminder;
    one from whom the offer was withdrawn may be.
    """
    known, event = draft.conversation, draft.event
    if known.offer is None:
        return
    to, slot = known.offer.to, known.offer.id
    draft.change(offer=None)
    _free(draft, to, slot)
    is_declined = isinstance(event, OfferEnded) and event.why == "declined"
    has_failed = is_declined or isinstance(event, OfferTimeout | PersonGone)
    if has_failed and known.phase is Phase.QUEUED:
        draft.change(tried=tuple(dict.fromkeys((*known.tried, to))))


def slot_for_joining(draft: Draft) -> str | None:
    """Returns the slot that the frame of the person who joins takes of their room: the one of the
    offer to them, which ends with that, or one of its own. None for a human of whose room nothing
    is counted.
    """
    event, offer = draft.event, draft.conversation.offer
    if not isinstance(event, TakesRoom) or event.taker is None:
        return None
    if offer is not None and offer.to == event.taker:
        slot = offer.id
        draft.change(offer=None)
    elif event.person is None:
        return None
    else:
        slot = draft.derived_id("slot")
    draft.slots.append(SlotTaken(person=event.taker, slot=slot, kind="held"))
    return slot


def free_slots(draft: Draft) -> None:
    kept = {human.slot for human in draft.conversation.humans}
    for human in draft.before.humans:
        if human.slot and human.person and human.slot not in kept:
            _free(draft, human.person, human.slot)


def _free(draft: Draft, person: str, slot: str) -> None:
    """The commit of a person who is gone removes their slot itself."""
    if isinstance(draft.event, PersonGone) and draft.event.slot == slot:
        return
    draft.emit(FreeSlot(id=draft.derived_id(f"free {slot}"), person=person, slot=slot))


def look(draft: Draft) -> None:
    """People are looked for only at desks whose people answer here, and not before the desk opens.
    A look is set also where one is set already: one that found nobody may be under way, and must
    not be the last.
    """
    known = draft.conversation
    desk = draft.policy.desk(known.request.desk) if known.request and known.request.desk else None
    is_called = desk is not None and desk.must_be_called
    is_early = known.timer is not None and known.timer.is_opening
    if draft.policy.assign == "push" and not (known.offer or is_called or is_early):
        look = Timer(kind="assign", armed=known.version, n=1, due_at=draft.now)
        draft.change(assign=look)


def stop_looking(draft: Draft) -> None:
    draft.change(assign=None)


def forget_tried(draft: Draft) -> None:
    draft.change(tried=())


def begin_round(draft: Draft) -> None:
    forget_tried(draft)
    look(draft)
