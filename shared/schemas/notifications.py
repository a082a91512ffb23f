"""The bodies of Baton's topics, `schema_version` 1: at least once, in order, under ids that do not change."""

from typing import Literal

from pydantic import ConfigDict

from shared.schemas.base import JsonObject, Ours
from shared.schemas.representative import Representative
from shared.schemas.times import Time
from shared.schemas.variables import Provenance

OUTBOX = "baton-outbox"
HANDOFFS = "baton-handoffs"
USER_MESSAGES = "baton-user-messages"
VARIABLES = "baton-variables"

NotificationType = Literal[
    "handoff.requested",
    "handoff.joined",
    "handoff.ended",
    "handoff.returned",
    "handoff.unclaimed",
    "handoff.failed",
    "delivery.failed",
]


class _Body(Ours):
    """Topics are read by anybody: snake_case, and always a version."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=None)

    schema_version: Literal[1] = 1


class WakeUp(_Body):
    """`baton-outbox`: this conversation has something to deliver, or (`timers`) something that is due."""

    conversation: str
    timers: bool = False


class VariablesBody(_Body):
    """`baton-variables`: what the event audience may see of one capture, and who says so."""

    id: str
    conversation: str
    time: Time
    variables: JsonObject
    provenance: Provenance


class Notification(_Body):
    """`baton-handoffs`: what the team should know, once per edge."""

    id: str
    type: NotificationType
    conversation: str
    time: Time
    representative: Representative | None = None
    reason: str | None = None
    waited_seconds: float | None = None
    reminder: int | None = None
