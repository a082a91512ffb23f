"""The OpenAPI 3.1 document of forward_variables, made from the models that it reads."""

from typing import Annotated, Any

from pydantic import Field

from shared.browser.browser_reports import Reported
from shared.browser.forward_variables import BODY_LIMIT, EVENTS_LIMIT
from shared.edge.answers import Answer, ErrorAnswer
from shared.edge.openapi import bearer, content, described, errors_of, json_body, schemas_of
from shared.schemas.base import Theirs
from shared.schemas.variables import TaskType, TaskVirtualAgent

MEANING = {
    400: "The body is no JSON object with a list of at most as many events as may be.",
    401: "There is no token, or a wrong one.",
    403: "This page's origin is not in BRIDGE_ALLOWED_ORIGINS.",
    413: f"The body has more than {BODY_LIMIT} bytes.",
    503: "Nothing was lost; send it again.",
}
DATA = (
    "The data of a Task_VA event. `chat_id` or `call_id` must be readable; every other field may be"
    " missing, null, a number or a text."
)
ORIGIN = {
    "name": "Origin",
    "in": "header",
    "required": True,
    "description": "The page's origin, one of BRIDGE_ALLOWED_ORIGINS. Browsers send it.",
    "schema": {"type": "string"},
}


class ReportedEvent(Reported):
    """One event of the agent adapter. `id` is the page's own: an event counts once by it."""

    type: TaskType
    data: TaskVirtualAgent  # type: ignore[assignment]  # as it is read


class EventsBody(Theirs):
    """What the bridge posts."""

    events: Annotated[tuple[ReportedEvent, ...], Field(max_length=EVENTS_LIMIT)]


class NotRead(Answer):
    """An event, or a part of one, that Baton did not take. It names no value."""

    id: str | None = None
    reason: str
    field: str | None = None
    message: str


class EventsAnswer(Answer):
    """What became of each event. `incomplete`: parts of accepted events that were not read."""

    accepted: tuple[str, ...]
    refused: tuple[NotRead, ...]
    incomplete: tuple[NotRead, ...] = ()


def document(version: str) -> dict[str, Any]:
    """Returns the document for this version of Baton, ready to be written as JSON."""
    taken = schemas_of({EventsBody}, "validation")
    # `unread` is the reader's own
    del taken["TaskVirtualAgent"]["properties"]["unread"], taken["Unread"]
    taken["TaskVirtualAgent"]["description"] = DATA
    given = schemas_of({EventsAnswer, ErrorAnswer}, "serialization")
    components = {
        "schemas": taken | given,
        "securitySchemes": bearer("A JWT for the agent, signed with a key of BRIDGE_TOKEN_KEYS."),
    }
    what = "What agents' browsers report of a virtual agent."
    return described(version, what, "forward_variables", _paths(), components)


def _paths() -> dict[str, Any]:
    answered = content("What became of each event.", EventsAnswer)
    script = {"text/javascript": {"schema": {"type": "string"}}}
    version = {
        "name": "v",
        "in": "query",
        "description": "The script's version, with which it may be kept for ever.",
        "schema": {"type": "string"},
    }
    return {
        "/": {
            "post": {
                "operationId": "post_events",
                "summary": "Report what the agent adapter posted.",
                "parameters": [ORIGIN],
                "requestBody": {"required": True, **json_body(EventsBody)},
                "responses": {"200": answered} | errors_of(MEANING, MEANING),
            }
        },
        "/bridge.js": {
            "get": {
                "operationId": "get_bridge",
                "summary": "Read the script of the CRM page.",
                "security": [],
                "parameters": [version],
                "responses": {"200": {"description": "The script.", "content": script}},
            }
        },
    }
