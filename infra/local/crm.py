"""The CRM of a local run: tokens for the bridge, its records, and which audience sees which
variables.

It is no simulated vendor: it reads and writes Baton's own state. Nothing here is deployed. Tokens
are signed with the development key and given to every caller.
"""

import json
import uuid
from collections import defaultdict
from datetime import timedelta
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.applications import application
from infra.local.simulators.comments import Comments
from shared.bootstrap import root as bootstrap
from shared.bootstrap.root import Baton
from shared.browser.tokens import AUDIENCE
from shared.conversations.apply import apply_and_wake
from shared.conversations.resolve import where_it_acts
from shared.edge.error_response import error_response
from shared.errors import BadRequest
from shared.handoff.visibility import captured, project, seen_by
from shared.platforms.bodies import parse_object, validate
from shared.schemas.events import VariablesCaptured
from shared.schemas.notation import parse_conversation_id
from shared.schemas.notifications import VARIABLES
from shared.schemas.variables import Audience, Provenance, SessionVariable, Ujet, Variable

PREFIX = "/local"
VALID_FOR = timedelta(minutes=5)


class Crm:
    """An ASGI application below PREFIX. After `listen` it receives the messages of the topic of
    variables.
    """

    def __init__(self, comments: Comments) -> None:
        self._heard: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.application = application(
            [
                Route(f"{PREFIX}/bridge_token", self._token),
                Route(f"{PREFIX}/variables/{{conversation}}", self._variables, methods=["GET"]),
                Route(f"{PREFIX}/variables/{{conversation}}", self._capture, methods=["POST"]),
                *comments.routes(PREFIX),
            ]
        )

    def listen(self, baton: Baton) -> None:
        """Subscribes to the topic of variables. Only the embedded queue allows that, Pub/Sub does
        not.
        """
        if baton.settings.baton_queue == "inline":
            baton.inline_queue.subscribe(VARIABLES, self._hear)

    async def _hear(self, body: bytes) -> None:
        published = json.loads(body)
        known = self._heard[published["conversation"]]
        if all(one["id"] != published["id"] for one in known):
            known.append(published)

    async def _token(self, request: Request) -> Response:
        baton = bootstrap.baton()
        expires = baton.ports.clock.now() + VALID_FOR
        claims = {
            "sub": request.query_params.get("agent") or "agent",
            "aud": AUDIENCE,
            "exp": expires,
        }
        token = jwt.encode(claims, baton.settings.bridge_token_keys[0], algorithm="HS256")
        return JSONResponse({"token": token}, headers={"cache-control": "no-store"})

    async def _variables(self, request: Request) -> Response:
        source = parse_conversation_id(request.path_params["conversation"])
        found = await where_it_acts(bootstrap.baton().ports, source)
        if found is None:
            return JSONResponse({"error": "Baton has never seen this conversation."}, 404)
        conversation = found.value
        audiences = {
            audience.value: _view(audience, conversation.variables) for audience in Audience
        }
        topic = self._heard[conversation.id]
        return JSONResponse(
            {"conversation": conversation.id, "topic": topic, "audiences": audiences}
        )

    async def _capture(self, request: Request) -> Response:
        """Takes a bot's payload as if a platform had signed it. Returns the keys of `invisible_to`
        that the payload does not have.
        """
        source = parse_conversation_id(request.path_params["conversation"])
        try:
            declared = _declared(await request.body())
        except BadRequest as error:
            refused = error_response(error)
            return Response(refused.body, refused.status, media_type=refused.content_type)
        ports, projection = bootstrap.baton().ports, project(declared)
        variables = captured(
            declared.payload or {}, projection, ports.clock.now(), Provenance(signed=True)
        )
        event = VariablesCaptured(
            id=uuid.uuid4().hex,
            source=source,
            address=source.partition(":")[2],
            actor="local:bot",
            variables=variables,
        )
        await apply_and_wake(ports, event)
        return JSONResponse({"unknown": projection.unknown_keys})


def _declared(body: bytes) -> SessionVariable:
    declared = validate(Ujet, parse_object(body)).session_variable
    if declared is None or declared.payload is None:
        raise BadRequest(
            "schema", "session_variable: give one with a payload.", field="session_variable"
        )
    return declared


def _view(audience: Audience, variables: tuple[Variable, ...]) -> dict[str, Any]:
    """Returns the variables that an audience sees, and only the number of those that it does not
    see.
    """
    visible = seen_by(audience, variables)
    return {"variables": visible, "hidden": len(variables) - len(visible)}
