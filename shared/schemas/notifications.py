"""The bodies of Baton's topics, `schema_version` 1.

They are delivered at least once, in order, under ids that do not change.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.schemas.base import JsonObject, Ours
from shared.schemas.measures import Measure
from shared.schemas.notation import Time
from shared.schemas.representative import Representative
from shared.schemas.variables import Provenance

OUTBOX = "baton-outbox"
HANDOFFS = "baton-handoffs"
USER_MESSAGES = "baton-user-messages"
VARIABLES = "baton-variables"

MEASURED: Literal["handoff.measured"] = "handoff.measured"

NotificationType = Literal[
    "handoff.requested",
    "handoff.joined",
    "handoff.answered",
    "handoff.ended",
    "handoff.transferred",
    "handoff.returned",
    "handoff.unclaimed",
    "handoff.failed",
    "handoff.floor_lost",
    "delivery.failed",
    "bot.silenced",
    "virtual_agent.failed",
    "identity.conflict",
]
TransferCause = Literal["transfer", "silence", "gone", "takeover", "returned"]


class _Body(Ours):
    """A public format: snake_case, with a version."""

    # A function of an older version reads what a newer one published.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=None)

    schema_version: Literal[1] = 1


class WakeUp(_Body):
    """`baton-outbox`: this conversation has pending commands or, with `timers`, a timer that is
    due. `person`: this person takes part in it, or is offered it, and seems to be gone.

    `version`: the commit that makes this version of the conversation may still be on its way, for
    the wake-up is published beside it.
    """

    conversation: str
    timers: bool = False
    person: str | None = None
    version: int | None = None


class VariablesBody(_Body):
    """`baton-variables`: the variables of one capture that the event audience may see, and their
    provenance.

    Where `type` is `joined` or `left`, a desk's virtual agent did so, and `variables` is empty.
    `session` is then what the platform says of the session, under the platform's own names.
    """

    id: str
    type: Literal["variables", "joined", "left"] = "variables"
    conversation: str
    time: Time
    variables: JsonObject = Field(default_factory=dict)
    session: JsonObject | None = None
    provenance: Provenance


class CommentBody(_Body):
    """A comment for the CRM record: the variables of one capture that the comment audience may
    see, as text and as data.
    """

    id: str
    conversation: str
    time: Time
    comment: str
    variables: JsonObject
    provenance: Provenance


def transcript_of(conversation: str) -> str:
    """Returns the API path of the conversation's journal."""
    return f"/v1/conversations/{conversation}/journal"


class Notification(_Body):
    """`baton-handoffs`: a notification for the team, once for each change.

    `desk` is where the request was routed, `transcript` the API path of the journal, `message_id`
    the id of a message that was not delivered.

    Of `handoff.transferred`, `from` names who was present before and `to` who is now; both are None
    for nobody. `cause` is why, and `waiting` whether the customer waits for somebody now.
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
    from_: Annotated[str | None, Field(alias="from")] = None
    to: str | None = None
    cause: TransferCause | None = None
    waiting: bool | None = None


class Measured(_Body):
    """`baton-handoffs` with REPORTS_STREAM: the measures of the reports, for consumers that
    count themselves.
    """

    id: str
    type: Literal["handoff.measured"] = MEASURED
    time: Time
    measures: tuple[Measure, ...]
