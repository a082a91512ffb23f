"""CSKU AI as a desk.

Its agents see its conversations already; the API flags one as needing a human.

https://docs.csku.ai/api-reference/conversation/mark-need-human, /api-reference/introduction
"""

from dataclasses import field

import pydantic_core

from shared.errors import DoorClosed
from shared.platforms.base import Outcome, outcome_of_status
from shared.schemas.http import Answer, Call
from shared.values import frozen

NAME = "csku"


@frozen
class CskuDesk:
    """`need_human` enables the flag.

    It is off by default, because only a person at the dashboard can remove the flag.
    """

    api_url: str = "https://api.csku.ai"
    business: str | None = None
    secret: str | None = field(default=None, repr=False)
    need_human: bool = False
    name: str = NAME

    def flag(self, native: str) -> Call | None:
        if not self.need_human:
            return None
        if not self.business or not self.secret:
            raise DoorClosed("CSKU_API_SECRET" if self.business else "CSKU_API_BUSINESS")
        headers = {
            "content-type": "application/json",
            "business": self.business,
            "secret": self.secret,
        }
        url = f"{self.api_url.rstrip('/')}/v1/conversation/need-human"
        return Call("POST", url, pydantic_core.to_json({"conversation_id": native}), headers)

    def outcome(self, answer: Answer) -> Outcome:
        """Returns the meaning of an answer with status 2xx by its body: `status` 1 is success,
        else `rc` is the error code.
        """
        by_status = outcome_of_status(answer.status)
        try:
            body = pydantic_core.from_json(answer.body)
        except ValueError:
            body = None
        if by_status is not Outcome.DONE or not isinstance(body, dict):
            # A 2xx without a JSON object proves nothing, and repeating the flag is harmless.
            return Outcome.TRANSIENT if by_status is Outcome.DONE else by_status
        if body.get("status") in (1, "1", True):
            return Outcome.DONE
        code = body.get("rc")
        return (
            outcome_of_status(code) if isinstance(code, int) and code >= 300 else Outcome.PERMANENT
        )
