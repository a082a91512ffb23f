"""Switches that make a simulated platform fail. Each has the share of calls that it affects."""

import random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


def struck(share: float) -> bool:
    """Returns whether a fault with this share affects this call."""
    return random.random() < share


class CallFaults(BaseModel):
    """What may happen to a call of any platform's API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slow: Share = 0
    slow_seconds: Annotated[float, Field(ge=0, le=30)] = 2.0
    too_many: Share = 0
    retry_after: Annotated[int, Field(ge=0, le=600)] = 2
    server_error: Share = 0
    drop_before: Share = 0
    drop_after: Share = 0

    def strikes(self, name: str) -> bool:
        """Returns whether this fault happens now."""
        return struck(float(getattr(self, name)))


class Faults(CallFaults):
    """The faults of a channel: two more affect its webhooks, and two its files. `media_gone`: it
    has a file no longer. `media_cut`: the bytes of a file end early.
    """

    duplicate: Share = 0
    reorder: Share = 0
    media_gone: Share = 0
    media_cut: Share = 0
