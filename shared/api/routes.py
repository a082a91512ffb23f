"""Which path and method means what. Paths are raw: the conversation is one percent-encoded segment."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from shared.api import handlers, reports
from shared.api.handlers import Ask
from shared.api.keys import Keyring
from shared.api.page import is_page, reports_page
from shared.errors import BadRequest, MethodNotAllowed, NotFound
from shared.ports import Ports
from shared.schemas.exchange import Request, Response

_Handler = Callable[[Ask], Awaitable[Response]]

VERBS: Mapping[str, _Handler] = {
    "requestHuman": handlers.request_human,
    "claim": handlers.claim,
    "release": handlers.release,
    "fail": handlers.fail,
    "link": handlers.link,
    "unlink": handlers.unlink,
}
# The path below /v1/conversations, {} for one encoded segment.
ROUTES: Mapping[tuple[str, ...], Mapping[str, _Handler]] = {
    (): {"GET": handlers.list_conversations},
    ("{}",): {"GET": handlers.get_conversation, "DELETE": handlers.delete_conversation},
    ("{}", "messages"): {"POST": handlers.create_message},
    ("{}", "events"): {"POST": handlers.create_event},
    ("{}", "surveys"): {"POST": handlers.create_survey},
    ("{}", "journal"): {"GET": handlers.get_journal},
    ("{}", "messages", "{}", "receipt"): {"PATCH": handlers.update_receipt},
}
REPORTS: Mapping[str, _Handler] = {"handoffs": reports.report_handoffs, "agents": reports.report_agents}


async def send_representative(ports: Ports, keyring: Keyring, request: Request, page: Path | None = None) -> Response:
    """Returns the answer to one request of the REST surface, or of the page in folder `page`. Raises any BatonError."""
    if is_page(request):
        return reports_page(page, request)
    caller = keyring.caller(request)
    handler, segments = _route(request)
    written, message = (*segments, "", "")[:2]
    ask = Ask(ports, caller, request, written, message)
    response = await handler(ask)
    conversation = ask.conversation if written else None
    return replace(response, notes={"operation": handler.__name__, "conversation": conversation, **response.notes})


def _route(request: Request) -> tuple[_Handler, list[str]]:
    segments = request.path.strip("/").split("/")
    if segments[:2] == ["v1", "reports"] and len(segments) == 3 and segments[2] in REPORTS:
        return _method({"GET": REPORTS[segments[2]]}, request.method), []
    if segments[:2] != ["v1", "conversations"]:
        raise NotFound("unknown-path", "The surface begins with /v1/conversations; reports are below /v1/reports.")
    below = segments[2:]
    conversation, _, verb = below[0].rpartition(":") if len(below) == 1 else ("", "", "")
    if verb in VERBS and request.method == "POST" and conversation:
        return VERBS[verb], [_decoded(conversation)]
    if request.method == "POST" and len(below) == 1 and below[0]:
        raise NotFound("unknown-verb", f"There is no such verb; use one of {', '.join(VERBS)}.")
    return _method(_methods(below), request.method), [_decoded(below[i]) for i in (0, 2) if i < len(below)]


def _methods(below: list[str]) -> Mapping[str, _Handler]:
    for pattern, methods in ROUTES.items():
        if len(pattern) == len(below) and all(p in ("{}", b) and b for p, b in zip(pattern, below, strict=True)):
            return methods
    raise NotFound("unknown-path", "There is nothing at this path; see the API table in README.")


def _method(methods: Mapping[str, _Handler], method: str) -> _Handler:
    if method not in methods:
        raise MethodNotAllowed(", ".join(methods))
    return methods[method]


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("malformed-path", "The path is not percent-encoded UTF-8.") from error
