"""A simulated Dialogflow CX: detectIntent of its REST API, with the documented limits and errors.

Like the real API it has no idempotency: every accepted call moves its session on.
https://docs.cloud.google.com/dialogflow/cx/docs/reference/rest/v3/projects.locations.agents.sessions/detectIntent
"""

import asyncio
import contextlib
import re
import uuid
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infra.local.applications import application
from infra.local.simulators.dialogflow_agent import Intent, Session, converse
from infra.local.simulators.dialogflow_store import DialogflowStore
from infra.local.simulators.faults import CallFaults, Share
from infra.local.simulators.simulator import google_error, json_of

PREFIX = "/sim/dialogflow"
LONGEST_TEXT, LONGEST_SESSION = 256, 36
AGENT = r"projects/[^/]+/locations/[^/]+/agents/[^/]+(/environments/[^/]+)?"
SESSION = re.compile(rf"{AGENT}/sessions/(?P<id>[^/:]+)")
REFUSALS = ("drop_before", "too_many", "server_error")
GARBLES = ("drop_after", "garbled", "twice")


class DialogflowFaults(CallFaults):
    """`garbled` answers 200 with a body that is cut off. `twice` returns the same response messages
    twice in one answer. `slow` ends early when the faults are set again.
    """

    garbled: Share = 0
    twice: Share = 0


class DialogflowSimulator:
    """An ASGI application below PREFIX."""

    def __init__(self, store: DialogflowStore) -> None:
        self.store = store
        self.faults = DialogflowFaults()
        self._set_again = asyncio.Event()
        self._waiting = 0
        self._rest = application(
            [
                Route("/v3/{session:path}:detectIntent", self._detect_intent, methods=["POST"]),
                Route("/faults", self._get_faults, methods=["GET"]),
                Route("/faults", self._set_faults, methods=["PUT"]),
                Route("/waiting", self._calls_that_wait, methods=["GET"]),
                Route("/sessions", self._sessions, methods=["GET"]),
                Route("/sessions/{session}", self._turns, methods=["GET"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._rest({**scope, "root_path": PREFIX}, receive, send)

    async def _detect_intent(self, request: Request) -> Response:
        body, name = await json_of(request), SESSION.fullmatch(request.path_params["session"])
        if name is None:
            return google_error(
                404, "NOT_FOUND", "Ask projects/*/locations/*/agents/*/sessions/*:detectIntent."
            )
        invalid = _invalid(name["id"], body)
        if invalid is not None:
            return invalid
        slow = self.faults.strikes("slow")
        if slow:
            await self._dawdle()
        fault = next(
            (one for one in (*REFUSALS, *GARBLES) if self.faults.strikes(one)),
            "slow" if slow else None,
        )
        return (
            self._refused(name["id"], body, fault)
            if fault in REFUSALS
            else self._taken(name["id"], body, fault)
        )

    async def _dawdle(self) -> None:
        self._waiting += 1
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._set_again.wait(), self.faults.slow_seconds)
        finally:
            self._waiting -= 1

    def _refused(self, name: str, body: dict[str, Any], fault: str | None) -> Response:
        """Refuses a call. Its session stays as it was."""
        self.store.record(name, _turn(body, [], fault), None)
        if fault == "drop_before":
            return Dropped()
        if fault == "too_many":
            return google_error(
                429,
                "RESOURCE_EXHAUSTED",
                "Slow down.",
                {"retry-after": str(self.faults.retry_after)},
            )
        return google_error(500, "INTERNAL", "The simulated Dialogflow was told to fail.")

    def _taken(self, name: str, body: dict[str, Any], fault: str | None) -> Response:
        session, asked = self.store.session(name), body["queryInput"]
        intent, messages = converse(session, asked["text"]["text"], _parameters(body))
        messages = messages * 2 if fault == "twice" else messages
        self.store.record(name, _turn(body, messages, fault), session)
        answer = JSONResponse(
            {
                "responseId": str(uuid.uuid4()),
                "queryResult": _result(asked, session, intent, messages),
            }
        )
        if fault == "garbled":
            return Response(answer.body[: len(answer.body) // 2], media_type="application/json")
        return Dropped() if fault == "drop_after" else answer

    # What the page and the tests ask for and set.

    async def _calls_that_wait(self, request: Request) -> Response:
        return JSONResponse({"waiting": self._waiting})

    async def _sessions(self, request: Request) -> Response:
        return JSONResponse({"sessions": self.store.sessions()})

    async def _turns(self, request: Request) -> Response:
        return JSONResponse({"turns": self.store.turns(request.path_params["session"])})

    async def _get_faults(self, request: Request) -> Response:
        return JSONResponse(self.faults.model_dump())

    async def _set_faults(self, request: Request) -> Response:
        try:
            self.faults = DialogflowFaults.model_validate(await json_of(request))
        except ValidationError as error:
            return google_error(400, "INVALID_ARGUMENT", error.errors()[0]["msg"])
        self._set_again.set()
        self._set_again = asyncio.Event()
        return JSONResponse(self.faults.model_dump())


class Dropped(Response):
    """Begins an answer and does not end it; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"1000")],
            }
        )


def _invalid(session: str, body: Mapping[str, Any]) -> Response | None:
    """Returns the error of a call that Dialogflow refuses, None for any other call."""
    if len(session) > LONGEST_SESSION:
        return google_error(
            400, "INVALID_ARGUMENT", f"A session id has at most {LONGEST_SESSION} characters."
        )
    asked = _object(body.get("queryInput"))
    said = _object(asked.get("text")).get("text")
    if not isinstance(said, str) or not said:
        return google_error(400, "INVALID_ARGUMENT", "queryInput.text.text is required.")
    if len(said) > LONGEST_TEXT:
        return google_error(
            400, "INVALID_ARGUMENT", f"queryInput.text.text has at most {LONGEST_TEXT} characters."
        )
    if not isinstance(asked.get("languageCode"), str) or not asked["languageCode"]:
        return google_error(
            400, "INVALID_ARGUMENT", "queryInput.languageCode is required, beside text."
        )
    return None


def _turn(
    body: Mapping[str, Any], messages: list[dict[str, Any]], fault: str | None
) -> dict[str, Any]:
    asked = body["queryInput"]
    query = {"text": asked["text"]["text"], "languageCode": asked["languageCode"]}
    return {
        "query": query,
        "parameters": _parameters(body),
        "responseMessages": messages,
        "fault": fault,
    }


def _result(
    asked: Mapping[str, Any], session: Session, intent: Intent, messages: list[dict[str, Any]]
) -> dict[str, Any]:
    """Returns the queryResult, in the form of the real API."""
    said = asked["text"]["text"]
    recognised = {"intent": {"displayName": intent.name}} if intent.match_type == "INTENT" else {}
    return {
        "text": said,
        "languageCode": asked["languageCode"],
        "parameters": session.parameters,
        "responseMessages": messages,
        "intentDetectionConfidence": intent.confidence,
        "match": {
            "matchType": intent.match_type,
            "confidence": intent.confidence,
            "resolvedInput": said,
            **recognised,
        },
        "currentPage": {"name": f"pages/{session.page}", "displayName": session.page},
    }


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    return _object(_object(body.get("queryParams")).get("parameters"))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
