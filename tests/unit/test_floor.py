"""Who is active at a platform, by its own latest word and by what it accepted of ours."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.handoff.channels import HEARD, LAPSES_AFTER, MOVED, TO_US, active, later, moved, noted
from shared.handoff.same_customer import joined
from shared.schemas.conversation import Channel, Conversation, Floor, Holder, OwnAct

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OURS, THEIRS, OPEN = Holder.OURS, Holder.THEIRS, Holder.OPEN


@pytest.mark.parametrize(
    ("floor", "act", "expected"),
    [
        (None, None, OURS),
        (Floor(holder=OURS, since=AT), None, OURS),
        (Floor(holder=THEIRS, since=AT), None, THEIRS),
        (Floor(holder=THEIRS, since=AT), OwnAct(at=AT), THEIRS),
        (Floor(holder=THEIRS, since=AT), OwnAct(at=AT + SECOND), OURS),
        (Floor(holder=THEIRS, since=AT), OwnAct(at=AT + SECOND, gave=True), OPEN),
        (Floor(holder=THEIRS, since=AT - LAPSES_AFTER), None, OPEN),
        (Floor(holder=OURS, since=AT - LAPSES_AFTER), None, OURS),
        (Floor(holder=OURS, since=AT, handing_back=True), None, OPEN),
        (Floor(holder=THEIRS, since=AT, handing_back=True), None, THEIRS),
    ],
)
def test_who_is_active(floor: Floor | None, act: OwnAct | None, expected: Holder) -> None:
    assert active(floor, act, AT + SECOND) is expected


@pytest.mark.parametrize(
    ("rank", "at", "moves"),
    [
        (HEARD, AT, False),
        (TO_US, AT, True),
        (MOVED, AT, True),
        (MOVED, AT - SECOND, False),
        (HEARD, AT + SECOND, True),
        (HEARD, None, True),
    ],
)
def test_the_later_word_counts_and_of_one_second_the_stronger(
    rank: int, at: datetime | None, moves: bool
) -> None:
    known = Floor(holder=OURS, since=AT, rank=TO_US)
    assert (noted(known, THEIRS, at, rank).holder is THEIRS) is moves


def test_of_two_conversations_that_are_one_the_later_word_counts() -> None:
    early, late = Floor(holder=OURS, since=AT), Floor(holder=THEIRS, since=AT + SECOND)
    assert later(early, late) == later(late, early) == late
    assert later(None, early) == later(early, None) == early
    keep, lose = (
        Conversation(id=f"plain:{n}", address="1", floor=floor)
        for n, floor in enumerate((early, late))
    )
    assert joined(keep, lose, AT).floor == joined(lose, keep, AT).floor == late


def test_each_channel_has_its_own_floor() -> None:
    other = Channel(id="plain:2", address="2")
    here = Conversation(
        id="plain:1", address="1", floor=Floor(holder=THEIRS, since=AT), elsewhere=(other,)
    )
    there = moved(here, "plain:2")
    assert there.floor is None
    assert moved(there, "plain:1").floor == here.floor
