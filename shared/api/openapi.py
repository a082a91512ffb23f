"""The OpenAPI 3.1 document of the REST API, generated from its operations and models.

https://spec.openapis.org/oas/v3.1.0
"""

from typing import Any

from pydantic import BaseModel

from shared.api import answers
from shared.api.operations import OPERATIONS, SIGN_IN, Operation
from shared.api.sessions import PAGE_HEADER
from shared.edge.answers import ErrorAnswer
from shared.edge.openapi import bearer, content, described, errors_of, json_body, schemas_of

ALWAYS = (400, 401, 403, 503)
MEANING = {
    400: "The body, path or query is invalid; the message names the field.",
    401: "The API key or the session is missing or invalid.",
    403: "The caller may not do this.",
    404: "There is no such conversation.",
    409: "The id was accepted before (ALREADY_EXISTS), or the state of the conversation forbids it"
    " (FAILED_PRECONDITION); `reason` says which.",
    413: "The file is larger than the channel takes; the message says how large it may be.",
    415: "The channel does not take this type for this kind; the message says what it takes.",
    429: "Too many commands are pending in this conversation; retry later.",
    503: "Temporarily unavailable. Nothing was lost; retry.",
}
SESSION = {
    "type": "apiKey",
    "in": "cookie",
    "name": "__Secure-baton",
    "description": "The session of a person, for Baton's own pages only: it counts with the header"
    f" `{PAGE_HEADER}: 1`, from a page of the same origin.",
}
FROM_PAGE = {
    "name": PAGE_HEADER,
    "in": "header",
    "required": True,
    "description": "`1`. No form or link of another site can send it.",
    "schema": {"type": "string", "enum": ["1"]},
}
PARAMETERS = {
    "conversation": "The conversation's id, percent-encoded: `<platform>:<id>`; an id without a"
    " platform belongs to Business Messages.",
    "message": "The id of the message, percent-encoded.",
}


def document(version: str) -> dict[str, Any]:
    """Returns the document of this version of Baton as JSON data."""
    operations: tuple[Operation[Any], ...] = (*OPERATIONS, *SIGN_IN)
    taken = {one.body for one in operations if one.body}
    given = {_model(one) for one in operations} | {ErrorAnswer}
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(f"/v1{one.path}", {})[one.method.lower()] = _operation(one)
    components = {
        "schemas": schemas_of(taken, "validation") | schemas_of(given, "serialization"),
        "securitySchemes": {**bearer("A key of BATON_API_KEYS."), "session": SESSION},
    }
    what = "Business Messages' API for bots and desks, with control of handoffs."
    return described(version, what, "send_representative", paths, components)


def _model(one: Operation[Any]) -> type[BaseModel]:
    model: type[BaseModel] = getattr(answers, one.answer)
    return model


def _operation(one: Operation[Any]) -> dict[str, Any]:
    succeeded = content("The call succeeded.", _model(one))
    if one.csv:
        succeeded["content"]["text/csv"] = {"schema": {"type": "string"}}
    answers = {"200": succeeded} | errors_of({*ALWAYS, *one.refused}, MEANING)
    operation: dict[str, Any] = {
        "operationId": one.handler.__name__,
        "summary": one.summary,
        "description": f"Allowed for: {one.who.words}.",
        "parameters": _parameters(one),
        "responses": answers,
        "security": [] if one in SIGN_IN else [{"key": []}, {"session": []}],
    }
    if one.body is not None:
        operation["requestBody"] = {"required": True, **json_body(one.body)}
    if one.takes_file:
        file = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": {"*/*": file}}
    return operation


def _parameters(one: Operation[Any]) -> list[dict[str, Any]]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": text,
            "schema": {"type": "string"},
        }
        for name, text in PARAMETERS.items()
        if f"{{{name}}}" in one.path
    ]
    in_query = [
        {
            "name": query.name,
            "in": "query",
            "required": query.required,
            "description": query.meaning,
            "schema": {"type": "string", **({"enum": list(query.values)} if query.values else {})},
        }
        for query in one.query
    ]
    return [*in_path, *in_query, *([FROM_PAGE] if one.from_page else [])]
