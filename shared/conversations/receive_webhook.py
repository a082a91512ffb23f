"""A platform's webhook: authenticate it, read the whole body, take each event, wake delivery, and
then answer.
"""

from typing import cast

from shared.conversations.apply import take
from shared.conversations.desk_people import as_ours
from shared.conversations.id_translation import NAMES_A_MESSAGE, in_our_ids
from shared.conversations.platform_keys import authenticate
from shared.conversations.signals import pass_on
from shared.errors import MethodNotAllowed, NotFound
from shared.platforms.base import HasKeys, HasPaths, Platform, is_able
from shared.ports import Ports
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import ByRepresentative, Event
from shared.schemas.http import Request, Response

ALIVE = b'{"function": "receive_webhook"}'  # for a check of the address that sends nothing


async def receive_webhook(ports: Ports, request: Request) -> Response:
    """Returns 200 once everything the body reports is durable. Raises NotFound, MethodNotAllowed,
    BadRequest, Unauthenticated, DoorClosed and Unavailable.
    """
    if request.path == "/" and request.method == "GET":
        return Response(body=ALIVE)
    name, _, below = request.path.strip("/").partition("/")
    platform = ports.platforms.get(name)
    if platform is None:
        raise _unknown(ports)
    proof = platform.handshake(request)
    if proof is not None:
        return proof
    if below or request.method != "POST":
        _check_path(ports, platform, below, request)
    if is_able(type(platform), HasKeys):
        await authenticate(ports, cast("HasKeys", platform), request)
    else:
        platform.authenticate(request)
    reported = platform.events(request)
    events: list[Event] = []
    passing: list[Ephemeral] = []
    for one in reported:
        if isinstance(one, Event):
            events.append(one)
        else:
            passing.append(one)
    strangers = 0

    async def read(one: Event | Ephemeral) -> Event | Ephemeral | None:
        nonlocal strangers
        if isinstance(one, ByRepresentative):
            return await as_ours(ports, one)
        ours = await in_our_ids(ports, one) if isinstance(one, NAMES_A_MESSAGE) else one
        strangers += ours is None
        return ours

    try:
        await take(ports, events, read)
    finally:
        if passing:
            await pass_on(ports, passing, read)
    source = reported[0].source if reported else None
    notes = {"platform": platform.name, "conversation": source, "events": len(reported)}
    if strangers:
        notes["not_ours"] = strangers
    return Response(body=b"{}", notes=notes)


def body_limit(ports: Ports, request: Request) -> int:
    """Returns how many bytes of a webhook's body are read: its platform's own limit."""
    platform = ports.platforms.get(request.path.strip("/").partition("/")[0])
    return platform.body_limit(request) if platform and request.method in ("POST", "PUT") else 0


def _check_path(ports: Ports, platform: Platform, below: str, request: Request) -> None:
    """Raises NotFound, MethodNotAllowed."""
    if isinstance(platform, HasPaths):
        if not platform.reports(request):
            raise NotFound("unknown-path", "This platform has no such address here.")
    elif below:
        raise _unknown(ports)
    else:
        raise MethodNotAllowed("POST")


def _unknown(ports: Ports) -> NotFound:
    return NotFound(
        "unknown-platform", f"Post to one of: {', '.join(f'/{name}' for name in ports.platforms)}."
    )
