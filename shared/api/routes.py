"""Routing of the REST API on the raw path, in which a conversation is one percent-encoded
segment.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import pydantic_core

from shared.api.handlers import Ask
from shared.api.keys import Keyring
from shared.api.operations import OPERATIONS, SIGN_IN, Handler, Operation
from shared.api.page import is_page, page_file
from shared.api.sign_in import BODY_LIMIT as SIGN_IN_LIMIT
from shared.api.sign_in import renewal
from shared.errors import BadRequest, BatonError, MethodNotAllowed, NotFound
from shared.ports import Ports
from shared.schemas.http import BODY_LIMIT, Request, Response
from shared.version import VERSION

T = TypeVar("T")

ROOT = "/v1"
DOCUMENT, SESSION, ME = f"{ROOT}/openapi.json", f"{ROOT}/session", f"{ROOT}/me"
# The segments of a path below /v1, {} for a percent-encoded one, and the operation of each method.
ROUTES: dict[tuple[str, ...], dict[str, Operation[Handler]]] = {}
VERBS: dict[str, Operation[Handler]] = {}
UPLOADS = re.compile(rf"{ROOT}/conversations/[^/]+/media")
for _one in OPERATIONS:
    _path, _, _verb = _one.path.partition(":")
    if _verb:
        VERBS[_verb] = _one
    else:
        _segments = tuple(
            "{}" if part.startswith("{") else part for part in _path.strip("/").split("/")
        )
        ROUTES.setdefault(_segments, {})[_one.method] = _one
ROOTS = tuple(dict.fromkeys(segments[0] for segments in ROUTES))


async def send_representative(
    ports: Ports, keyring: Keyring, request: Request, pages: Path | None = None
) -> Response:
    """Returns the answer to one request of the REST API, or a file of a page below the folder
    `pages`. Raises any BatonError.
    """
    if is_page(request):
        return page_file(pages, ports.media_links.base if ports.media_links else None, request)
    if request.path == DOCUMENT:
        return openapi_document(request)
    if _is_sign_in(request):
        asked = _method({one.method: one for one in SIGN_IN}, request.method)
        response = await asked.handler(keyring, request)
        return replace(response, notes={"operation": asked.handler.__name__})
    caller = keyring.caller(request)
    operation, segments = _route(request)
    operation.who.check(caller)
    written, message = (*segments, "", "")[:2]
    ask = Ask(ports, caller, request, written, message)
    response = await operation.handler(ask)
    conversation = ask.conversation if written else None
    renewed = renewal(keyring, request) if request.path == ME else {}
    return replace(
        response,
        headers={**response.headers, **renewed},
        notes={
            "operation": operation.handler.__name__,
            "conversation": conversation,
            **response.notes,
        },
    )


def _is_sign_in(request: Request) -> bool:
    return request.path.rstrip("/") == SESSION


def body_limit(keyring: Keyring, request: Request) -> int:
    """Returns how many bytes of a body may be read: none for a page, and none without a valid
    key or session, but to sign in.
    """
    if is_page(request):
        return 0
    if _is_sign_in(request):
        return SIGN_IN_LIMIT
    try:
        keyring.caller(request)
    except BatonError:
        return 0
    return BODY_LIMIT


def is_upload(keyring: Keyring, request: Request) -> bool:
    """Returns whether the body is a file that a valid key uploads: it is read as it comes."""
    if request.method != "POST" or not UPLOADS.fullmatch(request.path.rstrip("/")):
        return False
    try:
        keyring.caller(request)
    except BatonError:
        return False
    return True


def openapi_document(request: Request) -> Response:
    """Returns the OpenAPI document, which is public. Raises MethodNotAllowed."""
    # Imported here because the import is slow and few instances need it.
    from shared.api.openapi import document

    _method({"GET": None}, request.method)
    return Response(
        body=pydantic_core.to_json(document(VERSION)), headers={"cache-control": "no-cache"}
    )


def _route(request: Request) -> tuple[Operation[Handler], list[str]]:
    segments = request.path.strip("/").split("/")
    if segments[:1] != ["v1"] or segments[1:2] not in [[root] for root in ROOTS]:
        raise NotFound(
            "unknown-path", f"The API is below {', '.join(f'/v1/{root}' for root in ROOTS)}."
        )
    below = segments[1:]
    conversation, _, verb = below[1].rpartition(":") if len(below) == 2 else ("", "", "")
    if below[0] == "conversations" and request.method == "POST" and len(below) == 2 and below[1]:
        if verb in VERBS and conversation:
            return VERBS[verb], [_decoded(conversation)]
        raise NotFound("unknown-verb", f"There is no such verb; use one of {', '.join(VERBS)}.")
    pattern, methods = _methods(below)
    encoded = [part for part, name in zip(below, pattern, strict=True) if name == "{}"]
    return _method(methods, request.method), [_decoded(part) for part in encoded]


def _methods(below: list[str]) -> tuple[tuple[str, ...], Mapping[str, Operation[Handler]]]:
    for pattern, methods in ROUTES.items():
        if len(pattern) == len(below) and all(
            p in ("{}", b) and b for p, b in zip(pattern, below, strict=True)
        ):
            return pattern, methods
    raise NotFound("unknown-path", f"There is nothing at this path; {DOCUMENT} lists every call.")


def _method(methods: Mapping[str, T], method: str) -> T:
    if method not in methods:
        raise MethodNotAllowed(", ".join(methods))
    return methods[method]


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("malformed-path", "The path is not percent-encoded UTF-8.") from error
