"""The parts that the OpenAPI 3.1 documents of all functions have in common.

https://spec.openapis.org/oas/v3.1.0
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.edge.answers import ErrorAnswer

Json = dict[str, Any]
REF = "#/components/schemas/{model}"


def described(
    version: str, description: str, function: str, paths: Mapping[str, Any], components: Json
) -> Json:
    """Returns the OpenAPI document of one function as JSON data."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Baton",
            "version": version,
            "description": description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"http://127.0.0.1:8080/{function}", "description": "make run"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": components,
    }


def bearer(description: str) -> Json:
    """Returns the security scheme `key`, a bearer token."""
    return {"key": {"type": "http", "scheme": "bearer", "description": description}}


def schemas_of(
    models: Iterable[type[BaseModel]], mode: Literal["validation", "serialization"]
) -> Json:
    """Returns the schemas of these models and of the models that they contain, by name."""
    ordered = sorted(models, key=lambda model: model.__name__)
    named = models_json_schema([(model, mode) for model in ordered], ref_template=REF)[1]
    return {name: on_one_line(schema) for name, schema in named["$defs"].items()}


def on_one_line(schema: Json) -> Json:
    """Returns a schema whose description does not depend on how a docstring is wrapped."""
    if "description" not in schema:
        return schema
    return {**schema, "description": " ".join(schema["description"].split())}


def errors_of(codes: Iterable[int], meaning: Mapping[int, str]) -> Json:
    """Returns the answers with these codes, all of the one shape of errors."""
    return {str(code): content(meaning[code], ErrorAnswer) for code in sorted(codes)}


def content(description: str, model: type[BaseModel]) -> Json:
    """Returns an answer with a JSON body."""
    return {"description": description, **json_body(model)}


def json_body(model: type[BaseModel]) -> Json:
    """Returns a JSON body, of a request or of an answer."""
    return {"content": {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}}
