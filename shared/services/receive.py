"""A platform's webhook: prove it genuine, read it whole, take each event, wake delivery, and only then answer."""

import pydantic_core

from shared.errors import BatonError, MethodNotAllowed, NotFound
from shared.logs import log
from shared.platforms.base import Platform
from shared.ports import Ports
from shared.schemas.conversation import Phase
from shared.schemas.events import Event, Passing
from shared.schemas.exchange import Request, Response
from shared.schemas.notifications import USER_MESSAGES
from shared.services.apply import apply, wake

AUDIENCES = {Phase.BOT: ["BOT"], Phase.QUEUED: ["BOT", "HUMAN"], Phase.HUMAN: ["HUMAN"]}


async def receive_webhook(ports: Ports, request: Request) -> Response:
    """Returns 200 once everything the body reports is durable. Raises NotFound, MethodNotAllowed, BadRequest,
    Unauthenticated, DoorClosed and Unavailable."""
    platform = _platform(ports, request.path)
    proof = platform.handshake(request)
    if proof is not None:
        return proof
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    platform.authenticate(request)
    reported = platform.events(request)
    await take(ports, [one for one in reported if isinstance(one, Event)])
    await _pass_on(ports, [one for one in reported if not isinstance(one, Event)])
    source = reported[0].source if reported else None
    return Response(body=b"{}", notes={"platform": platform.name, "conversation": source, "events": len(reported)})


async def take(ports: Ports, events: list[Event]) -> None:
    """Takes events in order, then wakes each conversation once; a duplicate too, whose first wake-up may be lost."""
    woken: dict[str, None] = {}
    try:
        for event in events:
            woken[(await apply(ports, event)).conversation.id] = None
    finally:
        for conversation in woken:
            await wake(ports, conversation)


def _platform(ports: Ports, path: str) -> Platform:
    platform = ports.platforms.get(path.strip("/"))
    if platform is None:
        raise NotFound("unknown-platform", f"Post to one of: {', '.join(f'/{name}' for name in ports.platforms)}.")
    return platform


async def _pass_on(ports: Ports, passing: list[Passing]) -> None:
    """Typing and receipts go to whoever the customer's words would go to; best effort, never kept."""
    for one in passing:
        try:
            snapshot = await ports.store.load(one.source)
            audience = AUDIENCES[snapshot.value.phase if snapshot else Phase.BOT]
            body = {**one.form, "schema_version": 1, "audience": audience}
            await ports.publisher.publish(USER_MESSAGES, pydantic_core.to_json(body), one.source)
        except BatonError as error:
            log("WARNING", "typing or a receipt was not passed on", reason=error.reason, conversation=one.source)
