"""The bodies of Baton's topics, `schema_version` 1: at least once, in order, under ids that do
not change.
"""

from typing import Literal

from pydantic import ConfigDict

from shared.schemas.base import JsonObject, Ours
from shared.schemas.measures import Measure
from shared.schemas.representative import Representative
from shared.schemas.times import Time
from shared.schemas.variables import Provenance

OUTBOX = "baton-outbox"
HANDOFFS = "baton-handoffs"
USER_MESSAGES = "baton-user-messages"
VARIABLES = "baton-variables"

MEASURED: Literal["handoff.measured"] = "handoff.measured"

NotificationType = Literal[
    "handoff.requested",
    "handoff.joined",
    "handoff.ended",
    "handoff.returned",
    "handoff.unclaimed",
    "handoff.failed",
    "delivery.failed",
    "bot.silenced",
]


class _Body(Ours):
    """Topics are read by anybody: snake_case, and always a version."""

    # A function of an older version reads what a newer one published.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=None)

    schema_version: Literal[1] = 1


class WakeUp(_Body):
    """`baton-outbox`: this conversation has something to deliver, or (`timers`) something that
    is due.
    """

    conversation: str
    timers: bool = False


class VariablesBody(_Body):
    """`baton-variables`: what the event audience may see of one capture, and who says so."""

    id: str
    conversation: str
    time: Time
    variables: JsonObject
    provenance: Provenance


class CommentBody(_Body):
    """A comment for the CRM record: what the comment audience may see of one capture, in words
    and as data.
    """

    id: str
    conversation: str
    time: Time
    comment: str
    variables: JsonObject
    provenance: Provenance


def transcript_of(conversation: str) -> str:
    """Returns where the API tells what was said."""
    return f"/v1/conversations/{conversation}/journal"


class Notification(_Body):
    """`baton-handoffs`: what the team should know, once per edge. `desk` is where the request went,
    `transcript` where the API tells what was said, `message_id` that of a message not delivered.
    """

    id: str
    type: NotificationType
    conversation: str
    time: Time
    representative: Representative | None = None
    reason: str | None = None
    waited_seconds: float | None = None
    reminder: int | None = None
    transcript: str | None = None
    message_id: str | None = None
    desk: str | None = None


class Measured(_Body):
    """`baton-handoffs`, where REPORTS_STREAM is on: what the reports count, for whoever counts
    elsewhere as well.
    """

    id: str
    type: Literal["handoff.measured"] = MEASURED
    time: Time
    measures: tuple[Measure, ...]
