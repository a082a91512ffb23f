"""How Baton takes the floor at a platform that lets several senders answer, and gives it back."""

from shared.handoff.draft import Draft
from shared.schemas.commands import GiveFloor, TakeFloor
from shared.schemas.conversation import Floor, Holder


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
