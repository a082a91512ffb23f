"""A simulated CSKU AI: the call that marks a conversation as needing a human. The API cannot undo
it.

https://docs.csku.ai/api-reference/conversation/mark-need-human
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.applications import application
from infra.local.simulators.simulator import json_of

PREFIX = "/sim/csku"
UNKNOWN = "conv_unknown"  # a conversation that it does not have


class CskuSimulator:
    def __init__(self, business: str, secret: str) -> None:
        self._login = (business, secret)
        self.flagged: list[str] = []
        call = Route(f"{PREFIX}/v1/conversation/need-human", self._flag, methods=["POST"])
        look = Route(f"{PREFIX}/flagged", self._look, methods=["GET"])
        self.application = application([call, look])

    async def _flag(self, request: Request) -> Response:
        if (request.headers.get("business"), request.headers.get("secret")) != self._login:
            return _refusal(401, "Wrong credentials.")
        native = (await json_of(request)).get("conversation_id")
        if not isinstance(native, str) or native == UNKNOWN:
            return _refusal(404, "There is no such conversation.")
        if native not in self.flagged:
            self.flagged.append(native)
        return JSONResponse(
            {"status": 1, "message": "The conversation is marked as needing a human."}
        )

    async def _look(self, request: Request) -> Response:
        return JSONResponse({"flagged": self.flagged})


def _refusal(code: int, words: str) -> Response:
    """Returns an error. CSKU describes errors in the body; the HTTP status may be 200, and is 200
    here.
    """
    return JSONResponse({"status": 0, "rc": code, "error_msg": words})
