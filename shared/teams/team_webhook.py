"""A webhook signed as Standard Webhooks specifies.

https://www.standardwebhooks.com/
"""

from dataclasses import field
from typing import Any

import pydantic_core
from standardwebhooks.webhooks import Webhook

from shared.schemas.http import Answer, Call
from shared.schemas.team import Briefing, Url
from shared.values import frozen


@frozen
class TeamWebhook:
    """A Target.

    `secret` is base64, with or without `whsec_`. Receivers recognise repetitions by `webhook-id`.
    """

    url: Url
    secret: str = field(repr=False)
    name: str = "team-webhook"
    dedupes: bool = True

    def call(self, briefing: Briefing) -> Call:
        """Returns the signed call."""
        told = briefing.notification
        body = pydantic_core.to_json(
            {"type": told.type, "timestamp": briefing.at, "data": _data(briefing)}
        )
        headers = {
            "content-type": "application/json",
            "webhook-id": told.id,
            "webhook-timestamp": str(int(briefing.at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(told.id, briefing.at, body.decode()),
        }
        return Call("POST", self.url.value, body, headers)

    def fault(self, answer: Answer) -> str | None:
        """Returns None: the specification defines no error body."""
        return None


def _data(briefing: Briefing) -> dict[str, Any]:
    told = briefing.notification.model_dump(mode="json", by_alias=True)
    return {
        **told,
        "headline": briefing.headline,
        "customer": briefing.customer,
        "link": briefing.link,
    }
