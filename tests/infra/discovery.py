"""Google's own description of its APIs (the discovery documents in google-api-python-client): what
it says against a call and its answer.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

Json = dict[str, Any]
UPLOAD = {"uploadType", "upload_protocol"}
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class Call(NamedTuple):
    """One call, and what the stand-in answered."""

    method: str
    api: str
    path: str
    query: Json
    body: Json
    answer: Json


def faults(call: Call) -> list[str]:
    """Returns what of a call, or of its answer, Google does not describe."""
    at = f"{call.method} {call.api}/{call.path}"
    found = _method(call)
    if found is None:
        return [f"{at}: no such method"]
    document, method = found
    known = {*document["parameters"], *method.get("parameters", {}), *UPLOAD}
    said = [f"{at}: no parameter {name}" for name in call.query if name not in known]
    schemas = document["schemas"]
    if call.body and "request" in method:
        said += [f"{at}: body{one}" for one in _against(call.body, method["request"], schemas)]
    elif call.body:
        said.append(f"{at}: takes no body")
    if "response" in method:
        said += [f"{at}: answer{one}" for one in _against(call.answer, method["response"], schemas)]
    return said


def faults_of(api: str, version: str, schema: str, value: Json) -> list[str]:
    """Returns what of a value Google's schema of that name does not describe."""
    return list(_against(value, {"$ref": schema}, _document(api, version)["schemas"]))


@cache
def _document(api: str, version: str) -> Json:
    folder = resources.files("googleapiclient.discovery_cache") / "documents"
    document: Json = json.loads((folder / f"{api}.{version}.json").read_text())
    return document


@cache
def _methods(api: str, version: str) -> list[tuple[str, re.Pattern[str], Json]]:
    document = _document(api, version)
    every = []
    for one in _within(document):
        path = document["servicePath"] + one.get("flatPath", one["path"])
        parts = re.split(r"\{[^}]*\}", path)
        pattern = "[^/:]+".join(map(re.escape, parts))
        every.append((one["httpMethod"], re.compile(pattern), one))
    return every


def _within(resource: Json) -> Iterator[Json]:
    yield from resource.get("methods", {}).values()
    for one in resource.get("resources", {}).values():
        yield from _within(one)


def _method(call: Call) -> tuple[Json, Json] | None:
    version = re.search(r"(?:^|/)(v\d+\w*)/", call.path)
    if version is None:
        return None
    for method, pattern, found in _methods(call.api, version[1]):
        if method == call.method and pattern.fullmatch(call.path):
            return _document(call.api, version[1]), found
    return None


def _against(value: Any, schema: Json, schemas: Json) -> Iterator[str]:
    """Yields what of a value its schema does not know."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "any" or "@type" in (value if isinstance(value, dict) else {}):
        return
    of_kind: Any = value
    if not isinstance(value, KINDS[kind]) or (kind == "integer" and isinstance(value, bool)):
        yield f" is {json.dumps(value)[:60]}, not of type {kind}"
    elif kind == "string" and "enum" in schema and value not in schema["enum"]:
        yield f" is {value!r}, not one of {schema['enum']}"
    elif kind == "array":
        for one in of_kind:
            yield from (f"[]{fault}" for fault in _against(one, schema["items"], schemas))
    elif kind == "object":
        more = schema.get("additionalProperties")
        for name, one in of_kind.items():
            of = schema.get("properties", {}).get(name, more)
            if of is None:
                yield f".{name} is unknown"
            else:
                yield from (f".{name}{fault}" for fault in _against(one, of, schemas))
