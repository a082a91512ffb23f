"""What is known of the customer: where they wrote last, their language and name, whether bots may
speak.
"""

from datetime import datetime

from shared.handoff import channels
from shared.handoff.draft import Draft, expect
from shared.schemas.events import FromUser


def follow(draft: Draft) -> None:
    draft.conversation = channels.followed(draft.conversation, draft.event.source, _when(draft))


def note_customer(draft: Draft) -> None:
    event, known = expect(draft.event, FromUser), draft.conversation
    draft.change(
        locale=event.locale or known.locale,
        customer_name=event.customer_name or known.customer_name,
    )


def note_contact(draft: Draft) -> None:
    event = draft.event
    draft.conversation = channels.acted(
        draft.conversation, event.source, _when(draft), event.id, event.address
    )


def unsubscribe(draft: Draft) -> None:
    draft.conversation = channels.unsubscribed(draft.conversation, draft.event.source, _when(draft))


def subscribe(draft: Draft) -> None:
    draft.conversation = channels.subscribed(draft.conversation, draft.event.source, _when(draft))


def _when(draft: Draft) -> datetime:
    return draft.event.occurred_at or draft.now
