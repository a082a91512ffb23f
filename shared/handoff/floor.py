"""Who is active at a platform that lets several senders answer one customer: what the platform
reports, and what it accepted of ours.

The latest word of the platform's own clock counts. Some platforms count whole seconds, so within
one second a word of a higher rank counts: what was only heard, what came to us, and a report that
the floor moved.
"""

from datetime import datetime, timedelta

from shared.schemas.conversation import Floor, Holder, OwnAct

HEARD, TO_US, MOVED = 0, 1, 2
LAPSES_AFTER = timedelta(days=1)  # a sender of whom nothing was heard since is not active any more


def active(floor: Floor | None, own_act: OwnAct | None, now: datetime) -> Holder:
    """Returns who is active. OURS where the platform never said that it knows several senders.

    `own_act` counts where it is later than the platform's latest word.
    """
    if floor is None:
        return Holder.OURS
    holder = floor.holder
    if own_act is not None and (floor.since is None or own_act.at > floor.since):
        holder = Holder.OPEN if own_act.gave else Holder.OURS
    elif holder is Holder.THEIRS and floor.since and now - floor.since >= LAPSES_AFTER:
        holder = Holder.OPEN
    return Holder.OPEN if floor.handing_back and holder is Holder.OURS else holder


def noted(known: Floor | None, holder: Holder, at: datetime | None, rank: int) -> Floor:
    """Returns the floor after a word of the platform; unchanged where that word is older than the
    latest one. A word without a time counts as now.
    """
    if known is None:
        return Floor(holder=holder, since=at, rank=rank, shared=holder is Holder.THEIRS)
    if _is_late(known, at, rank):
        return known
    theirs = holder is Holder.THEIRS
    update = {
        "holder": holder,
        "since": at or known.since,
        "rank": rank,
        "handing_back": known.handing_back and theirs,
        "shared": known.shared or theirs,
    }
    return known.model_copy(update=update)


def _is_late(known: Floor, at: datetime | None, rank: int) -> bool:
    """Returns whether a word of the platform is older than the latest one."""
    if known.since is None or at is None:
        return False
    return (at, rank) < (known.since, known.rank)


def later(one: Floor | None, other: Floor | None) -> Floor | None:
    """Returns the floor of two conversations that turn out to be one: the later word counts."""
    if one is None or other is None:
        return one or other
    if other.since is None:
        return one
    is_older = one.since is None or (one.since, one.rank) < (other.since, other.rank)
    return other if is_older else one
