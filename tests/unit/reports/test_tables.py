"""A report as a spreadsheet: its columns are the same whatever there is to say."""

from typing import Any

import pytest

from shared.measures.counts import counts
from shared.reports.figures import break_down, figures
from shared.reports.period import period
from shared.reports.tables import Report, as_csv
from shared.schemas.events import Claim, HandoffFailed, HumanMessage
from tests.unit.reports.answers import PASSED_ON
from tests.unit.reports.test_definitions import BEGIN, DAY, Story

SPAN = period("2026-03-01", "2026-03-08", "UTC", BEGIN)
TIMES = ("count", "median", "p90")
OF_HANDOFFS = [
    "conversations", "handedOff", "requested", "unasked", "joined", "failed", "closed", "expired",
    "linked", "erased", "left",
    "returned", "withHuman", *PASSED_ON, "ratingSum",
    "customerMessages", "botMessages", "humanMessages",
    "handoffRate",
    *(f"{name}.{part}" for name in ("waiting", "firstResponse", "response") for part in (*TIMES,
        "without", "open")),
    *(f"handling.{part}" for part in (*TIMES, "open")),
    *(f"exchanged.{part}" for part in TIMES),
]  # fmt: skip
OF_AGENTS = [
    "joined", "frames", "returned", *PASSED_ON, "ratingSum", "messages",
    *(f"{name}.{part}" for name in ("waiting", "firstResponse", "response",
        "handling") for part in TIMES),
    "handling.open",
]  # fmt: skip


def _nothing(_: Story) -> None:
    return


def _waits(story: Story) -> None:
    story.asks()


def _fails_and_is_answered_another_day(story: Story) -> None:
    """The first line knows less than the second."""
    story.asks()
    story.take(HandoffFailed, 5, reason="nobody")
    story.customer(DAY)
    story.asks(5)
    story.human(Claim, 5)
    story.human(HumanMessage, 5)


@pytest.mark.parametrize("tell", [_nothing, _waits, _fails_and_is_answered_another_day])
@pytest.mark.parametrize(
    ("by", "names"),
    [
        ((), OF_HANDOFFS),
        (("day",), ["day", *OF_HANDOFFS]),
        (("channel", "hour"), ["channel", "hour", *OF_HANDOFFS]),
        (("agent",), ["agent", *OF_AGENTS]),
        (("agent", "day"), ["agent", "day", *OF_AGENTS]),
        (("kind",), ["kind", "customerMessages", "botMessages", "humanMessages"]),
        (("agent", "length"), ["agent", "length", "messages"]),
        (("reason",), ["reason", "requested"]),
    ],
)
def test_a_table_always_has_the_same_columns(
    tell: Any, by: tuple[str, ...], names: list[str]
) -> None:
    story = Story()
    tell(story)
    counted = counts(story.measures)
    written = as_csv(Report(SPAN, by, break_down(counted, by, SPAN), figures(counted)))
    assert written.splitlines()[0].split(",") == names
