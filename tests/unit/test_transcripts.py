"""What a journal entry adds to a transcript."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.export.transcripts import lines
from shared.schemas.commands import Record, SendEvent, SendMessage, State
from shared.schemas.content import Content
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.measures import Measure, Name
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience

NOW = datetime(2026, 3, 1, tzinfo=UTC)
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
JOINED = SendEvent(
    id="j", to="1", representative=JANE, event_type="REPRESENTATIVE_JOINED", state=State.SENT
)
LEFT = SendEvent(
    id="l", to="1", representative=JANE, event_type="REPRESENTATIVE_LEFT", state=State.FAILED
)
NOTICE = SendMessage(
    id="n", to="1", representative=BOT, content=Content(text="Sorry"), state=State.SENT
)
LOST = SendMessage(
    id="n",
    to="1",
    representative=JANE,
    content=Content(text="?"),
    state=State.UNKNOWN,
    error="no answer",
)
COUNTED = Record(
    id="r",
    measures=(Measure(name=Name.FRAME, at=NOW, channel="csku", agent="Jane"),),
    state=State.SENT,
)


def entry(kind: str, **more: Any) -> JournalEntry:
    values = {
        "verdict": Verdict.ACCEPTED,
        "text": "hi" if kind.endswith("message") else None,
        **more,
    }
    return JournalEntry(
        id="e",
        conversation="csku:1",
        seq=1,
        time=NOW,
        kind=kind,
        source="csku:1",
        nonce="n",
        **values,
    )


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (entry("user_message"), ["user None: hi (accepted)"]),
        (
            entry("bot_message", representative=BOT, verdict=Verdict.SUPPRESSED),
            ["assistant Bot: hi (suppressed)"],
        ),
        (entry("bot_message", representative=BOT, verdict=Verdict.REFUSED), []),
        (entry("user_message", verdict=Verdict.ECHO), []),
        (
            entry(
                "human_message", representative=JANE, commands=(JOINED, LEFT), verdict=Verdict.STALE
            ),
            ["joined Jane (sent)", "human_agent Jane: hi (failed)", "left Jane (failed)"],
        ),
        (
            # another platform delivered it
            entry("human_message", representative=JANE, commands=(COUNTED,)),
            ["joined Jane (done)", "human_agent Jane: hi (done)"],
        ),
        (
            entry("human_message", representative=JANE, reason="outside-window"),
            ["human_agent Jane: hi (accepted) outside-window"],
        ),
        (
            entry("human_message", representative=JANE, commands=(LOST,)),
            ["human_agent Jane: hi (unknown) no answer"],
        ),
        (
            entry("handoff_failed", commands=(LOST,)),
            ["handoff_failed None (unknown)", "assistant Jane: ? (unknown) no answer"],
        ),
        (
            entry("handoff_failed", reason="closed", commands=(NOTICE,)),
            ["handoff_failed None (done) closed", "assistant Bot: Sorry (sent)"],
        ),
        (entry("variables_captured"), []),
        (entry("user_message", text=None), []),  # erased
    ],
)
def test_what_an_entry_adds(one: JournalEntry, shown: list[str]) -> None:
    told = [
        f"{line.role or line.kind} {line.name}{f': {line.text}' if line.role else ''} "
        f"({line.outcome})"
        + (f" {line.reason}" if line.reason and line.kind not in ("joined", "left") else "")
        for line in lines(one)
    ]
    assert told == shown


def test_a_line_tells_whom_its_words_were_captured_for() -> None:
    (captured,) = lines(entry("user_message", captured_for=(Audience.EVENT,)))
    (plain,) = lines(entry("user_message"))
    assert (captured.captured_for, plain.captured_for) == ((Audience.EVENT,), None)
