"""Files of the customer's messages, which are copied to where Baton keeps them."""

from shared.handoff.draft import Draft
from shared.schemas.commands import KeepMedia
from shared.schemas.events import attachments_by_customer


def keep_files(draft: Draft) -> None:
    """Copies each file by a command of its own: one that cannot be copied ends alone."""
    for index, _ in enumerate(attachments_by_customer(draft.event)):
        draft.emit_unless_tracked(KeepMedia(id=draft.derived_id(f"keep {index}"), index=index))
