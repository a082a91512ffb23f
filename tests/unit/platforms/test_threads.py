"""What a thread says of a handoff, on every desk whose chats are threads."""

from datetime import UTC, datetime

import pytest

from shared.platforms.base import Deflected
from shared.platforms.desk import Opening, Spoken
from shared.platforms.threads import (
    LABELS,
    LEFT_OUT,
    Act,
    acts_for,
    pressed,
    request_of,
    standing_of,
    transcript,
)
from shared.schemas.commands import CallDesk
from shared.schemas.events import HumanJoined, HumanLeft, Transfer
from shared.schemas.representative import Representative, RepresentativeType

AT = datetime(2026, 4, 10, 9, 30, tzinfo=UTC)
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
COMMAND = CallDesk(
    id="c-1",
    desk="support",
    platform="slack",
    action="open",
    reason="billing",
    metadata={"order": [1, 2], "empty": ""},
    variables={"size": "L\nXL"},
)


def test_a_request_says_who_why_from_where_and_what_is_known() -> None:
    said = (Spoken("customer", "my parcel", AT), Spoken("bot", "Which?", AT))
    request = request_of(Opening(COMMAND, "c", " Anna \n B ", said, channel="business_messages"))
    assert request.headline == "Anna B needs a person"
    assert request.facts == {
        "Reason": "billing",
        "Channel": "business messages",
        "order": "[1,2]",
        "size": "L XL",
    }
    assert request.last_words == "my parcel"
    assert request_of(Opening(COMMAND, "c")).customer == "Customer"


def test_a_transcript_names_who_spoke_and_keeps_its_end() -> None:
    said = [Spoken("human", f"line {number}", AT, "Jane") for number in range(100)]
    whole = transcript(said, 10_000, 1)
    assert whole == ["\n".join(f"Jane: line {number}" for number in range(100))]
    short = transcript(said, 300, 2)
    assert short[0].startswith(LEFT_OUT)
    assert short[-1].endswith("Jane: line 99")
    assert all(len(one) <= 300 for one in short)


def test_buttons_go_with_who_has_the_customer() -> None:
    assert acts_for(()) == (Act.CLAIM, Act.UNAVAILABLE)
    assert acts_for(("Jane",)) == (Act.CLAIM, Act.RELEASE, Act.QUEUE)
    assert standing_of(("Jane", "Omar")).endswith("Jane, Omar")
    assert set(LABELS) == set(Act)


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (Act.CLAIM, HumanJoined),
        (Act.RELEASE, HumanLeft),
        (Act.QUEUE, Transfer),
        (Act.UNAVAILABLE, Deflected),
    ],
)
def test_each_button_is_something_that_happened_but_passing_on_may_be_refused(
    act: Act, kind: type
) -> None:
    common = {"id": "1", "source": "slack:C-1", "actor": "platform:slack"}
    event = pressed(act, common, {"representative": JANE, "native_person": "U1"})
    assert type(event) is kind
    assert event.fact == (act is not Act.QUEUE)
