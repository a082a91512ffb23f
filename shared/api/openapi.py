"""The OpenAPI 3.1 document of the REST API, generated from its operations and models.

https://spec.openapis.org/oas/v3.1.0
"""

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.api import answers
from shared.api.answers import ErrorAnswer
from shared.api.operations import OPERATIONS, Operation

REF = "#/components/schemas/{model}"
ALWAYS = (400, 401, 403, 503)
MEANING = {
    400: "The body, path or query is invalid; the message names the field.",
    401: "The API key is missing or invalid.",
    403: "The API key does not allow this.",
    404: "There is no such conversation.",
    409: "The id was accepted before (ALREADY_EXISTS), or the state of the conversation forbids it"
    " (FAILED_PRECONDITION); `reason` says which.",
    429: "Too many commands are pending in this conversation; retry later.",
    503: "Temporarily unavailable. Nothing was lost; retry.",
}
PARAMETERS = {
    "conversation": "The conversation's id, percent-encoded: `<platform>:<id>`; an id without a"
    " platform belongs to Business Messages.",
    "message": "The id of the message, percent-encoded.",
}


def document(version: str) -> dict[str, Any]:
    """Returns the document of this version of Baton as JSON data."""
    taken = {one.body for one in OPERATIONS if one.body}
    given = {_model(one) for one in OPERATIONS} | {ErrorAnswer}
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(f"/v1{one.path}", {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Baton",
            "version": version,
            "description": ("Business Messages' API for bots and desks, with control of handoffs."),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "http://127.0.0.1:8080/send_representative", "description": "make run"}
        ],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(taken, "validation") | _schemas(given, "serialization"),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of BATON_API_KEYS.",
                }
            },
        },
    }


def _schemas(
    models: set[type[BaseModel]], mode: Literal["validation", "serialization"]
) -> dict[str, Any]:
    """Returns the schemas of these models and of the models that they contain, by name."""
    ordered = sorted(models, key=lambda model: model.__name__)
    named = models_json_schema([(model, mode) for model in ordered], ref_template=REF)[1]
    schemas: dict[str, Any] = named["$defs"]
    return schemas


def _model(one: Operation) -> type[BaseModel]:
    model: type[BaseModel] = getattr(answers, one.answer)
    return model


def _operation(one: Operation) -> dict[str, Any]:
    succeeded = _content("The call succeeded.", _model(one))
    if one.csv:
        succeeded["content"]["text/csv"] = {"schema": {"type": "string"}}
    answers = {"200": succeeded}
    answers |= {
        str(code): _content(MEANING[code], ErrorAnswer) for code in sorted({*ALWAYS, *one.refused})
    }
    described: dict[str, Any] = {
        "operationId": one.handler.__name__,
        "summary": one.summary,
        "description": f"Allowed for: {one.who}.",
        "parameters": _parameters(one),
        "responses": answers,
    }
    if one.body is not None:
        described["requestBody"] = {"required": True, **_json(one.body)}
    return described


def _parameters(one: Operation) -> list[dict[str, Any]]:
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
    return [*in_path, *in_query]


def _content(description: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"description": description, **_json(model)}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}}
