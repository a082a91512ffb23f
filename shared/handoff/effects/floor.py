"""Who is active at the platform: what its reports change, and how Baton takes the floor and gives
it back.
"""

from shared.handoff import channels
from shared.handoff.draft import Draft
from shared.handoff.floor import HEARD, MOVED, TO_US, noted
from shared.schemas.commands import GiveFloor, TakeFloor
from shared.schemas.conversation import Floor, Holder
from shared.schemas.events import FloorMoved


def note(draft: Draft) -> None:
    """Notes the platform's word. What the customer says to us ends a handing back, also where it
    comes late: no other sender gets these words.
    """
    event, source = draft.event, draft.event.source
    if event.floor is None:
        return
    holder, moved = event.floor, isinstance(event, FloorMoved)
    to_us = holder is Holder.OURS and not moved
    rank = MOVED if moved else TO_US if to_us else HEARD
    known = next(one.floor for one in channels.all_of(draft.conversation) if one.id == source)
    after = noted(known, holder, event.occurred_at, rank)
    if to_us and after.handing_back:
        after = after.model_copy(update={"handing_back": False})
    was_theirs = known is not None and known.holder is Holder.THEIRS
    draft.lost_floor = rank == HEARD and after.holder is Holder.THEIRS and not was_theirs
    draft.conversation = channels.with_floor(draft.conversation, source, after)


def take(draft: Draft) -> None:
    """Takes control before anything else is sent. What follows in this draft may be said."""
    draft.has_taken = True
    known = draft.conversation
    if known.floor is not None and known.floor.handing_back:
        draft.change(floor=known.floor.model_copy(update={"handing_back": False}))
    if known.unreachable:
        return
    if draft.is_template or not draft.outside_window:
        command = draft.derived_id("take the floor")
        draft.emit_unless_tracked(TakeFloor(id=command, to=known.address, channel=known.speaks_on))


def give(draft: Draft) -> None:
    """Gives the floor back, behind all that is said. Who is active then is known when the customer
    writes again.
    """
    known = draft.conversation
    floor = known.floor or Floor(holder=Holder.OURS)
    draft.change(floor=floor.model_copy(update={"handing_back": True}))
    if known.unreachable:
        return
    draft.emit_unless_tracked(
        GiveFloor(
            id=draft.derived_id("give the floor back"),
            to=known.address,
            channel=known.speaks_on,
            shared=floor.shared,
        )
    )
