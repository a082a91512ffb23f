"""The door for reports of an agent's browser about a virtual agent: kept with their provenance,
never a platform's fact.

A Task_VA event can be recorded and its variables published. Only a platform's signed webhook or an
authorised request changes who speaks. Events count once by their id (scoped by agent) and once by
their content, even if several tabs and agents report the same postMessage.
"""

from typing import Any

import pydantic_core

from shared.browser.browser_reports import BrowserReport, events_of, report_of
from shared.browser.tokens import agent_of
from shared.conversations.apply import Batch
from shared.edge.error_response import error_response
from shared.errors import BadRequest, BatonError, Forbidden, MethodNotAllowed, NotFound, TooLarge
from shared.logs import sanitised
from shared.platforms.bodies import parse_object
from shared.ports import Ports
from shared.schemas.http import Request, Response
from shared.schemas.notation import sha256
from shared.schemas.variables import Audience
from shared.values import frozen
from shared.version import VERSION

_Fault = dict[str, str | None]
BODY_LIMIT, READ_LIMIT, EVENTS_LIMIT = 64 * 1024, 1 << 20, 50
PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",
}


@frozen
class Bridge:
    """The trust of forward_variables: token keys, exact origins, and the audiences that a browser's
    reports may reach. `tells_failures`: the team is notified of a virtual agent that failed.
    """

    token_keys: tuple[str, ...]
    origins: frozenset[str]
    audiences: tuple[Audience, ...] = (Audience.EVENT,)
    script: bytes = b""
    tells_failures: bool = False


async def forward_variables(ports: Ports, bridge: Bridge, request: Request) -> Response:
    """Returns the result of each event, the script, or an error that a browser may read.

    The body is `{"accepted": [ids], "refused": [{"id", "reason", "field", "message"}]}`. It also
    has `incomplete`, a list like `refused`, where parts of an accepted event could not be read.
    """
    origin = request.headers.get("origin")
    allowed = origin if origin in bridge.origins else None
    try:
        response = await _answer(ports, bridge, request, allowed)
    except BatonError as error:
        response = error_response(error)
    cors = (
        {"access-control-allow-origin": allowed, "vary": "Origin"}
        if allowed
        else {"vary": "Origin"}
    )
    headers, notes = {**cors, **response.headers}, dict(response.notes)
    if notes.get("reason") == "origin-not-allowed":
        # the operator may add it to the setting
        notes["origin"] = sanitised(origin or "none")
    return Response(response.status, response.body, response.content_type, headers, notes)


def body_limit(ports: Ports, bridge: Bridge, request: Request) -> int:
    """Returns how many bytes of a body are read: none before its token is verified. The limit is
    above BODY_LIMIT, so that a browser can read the refusal.
    """
    if request.method != "POST" or request.headers.get("origin") not in bridge.origins:
        return 0
    try:
        agent_of(request, bridge.token_keys, ports.clock.now())
    except BatonError:
        return 0
    return READ_LIMIT


async def _answer(ports: Ports, bridge: Bridge, request: Request, allowed: str | None) -> Response:
    if request.path == "/bridge.js":
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed("GET, HEAD")
        return _script(bridge, request)
    if request.path == "/openapi.json":
        return _document(request)
    if request.path != "/":
        raise NotFound("unknown-path", "Post to the function itself, or get its bridge.js.")
    if allowed is None:
        raise Forbidden(
            "origin-not-allowed", "This page's origin is not in BRIDGE_ALLOWED_ORIGINS."
        )
    if request.method == "OPTIONS":
        return Response(204, headers=PREFLIGHT)
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    agent = agent_of(request, bridge.token_keys, ports.clock.now())
    if len(request.body) > BODY_LIMIT:
        raise TooLarge("body-too-large", f"The body may have at most {BODY_LIMIT} bytes.")
    return await _take_all(ports, bridge, agent, _events(request.body))


def _script(bridge: Bridge, request: Request) -> Response:
    """Returns bridge.js. Under its own version (`?v=`) it never changes, so caches may keep it for
    ever.
    """
    current = request.query.get("v") == sha256(bridge.script.decode())[:12]
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if current else "no-cache",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": "*",
    }
    return Response(
        body=bridge.script, content_type="text/javascript; charset=utf-8", headers=headers
    )


def _document(request: Request) -> Response:
    """Returns the OpenAPI document; it is public. Raises MethodNotAllowed."""
    # few instances are asked for it; it takes time to import
    from shared.browser.openapi import document

    if request.method != "GET":
        raise MethodNotAllowed("GET")
    return Response(
        body=pydantic_core.to_json(document(VERSION)), headers={"cache-control": "no-cache"}
    )


def _events(body: bytes) -> list[Any]:
    events = parse_object(body).get("events")
    if not isinstance(events, list) or len(events) > EVENTS_LIMIT:
        raise BadRequest(
            "schema", f"events: give a list of at most {EVENTS_LIMIT}.", field="events"
        )
    return events


async def _take_all(ports: Ports, bridge: Bridge, agent: str, events: list[Any]) -> Response:
    """Takes the events one by one: a fault in one concerns that one alone."""
    accepted, refused, incomplete = list[str](), list[_Fault](), list[_Fault]()
    async with Batch(ports) as batch:
        for given in events:
            try:
                report = await _take(batch, bridge, agent, given)
            except BatonError as error:
                if error.retryable:
                    raise
                refused.append(
                    _fault(_id(given), error.reason, error.metadata.get("field"), error.message)
                )
                continue
            accepted.append(report.reported.id)
            incomplete += (
                _fault(report.reported.id, "schema", one.field, f"{one.field}: {one.expected}.")
                for one in report.task.unread
            )
    body = {
        "accepted": accepted,
        "refused": refused,
        **({"incomplete": incomplete} if incomplete else {}),
    }
    notes = {"accepted": len(accepted), "refused": len(refused), "incomplete": len(incomplete)}
    return Response(body=pydantic_core.to_json(body), notes=notes)


def _fault(event: str | None, reason: str, field: str | None, message: str) -> _Fault:
    where = {"field": field} if field else {}
    return {"id": event, "reason": reason, **where, "message": message}


async def _take(batch: Batch, bridge: Bridge, agent: str, given: Any) -> BrowserReport:
    """Returns the report once all readable parts of it are in the journal.

    Raises BadRequest, and Unavailable where the browser may send it again.
    """
    report = await report_of(batch.ports, agent, given)
    now, tells = batch.ports.clock.now(), bridge.tells_failures
    for event in events_of(report, bridge.audiences, now, tells_failures=tells):
        await batch.apply(event)
    return report


def _id(given: Any) -> str | None:
    shown = given.get("id") if isinstance(given, dict) else None
    return shown if isinstance(shown, str) else None
