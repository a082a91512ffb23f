"""What the reports count of an event."""

from shared.handoff.draft import Draft
from shared.measures.definitions import measure as measured_by
from shared.schemas.commands import Record
from shared.schemas.journal import Verdict


def measure(draft: Draft) -> None:
    """Words that could not be said to the customer, for which there is a reason, answer nothing."""
    verdict = draft.step.verdict
    measured = measured_by(
        draft.before,
        draft.conversation,
        draft.event,
        draft.now,
        said=draft.reason is None and verdict is not Verdict.SUPPRESSED,
        late=verdict is Verdict.STALE,
    )
    draft.change(progress=measured.progress)
    if measured.measures:
        draft.emit(Record(id=draft.derived_id("record"), measures=measured.measures))
