"""A platform's webhook: authenticate it, read the whole body, take each event, wake delivery, and
then answer.
"""

from collections import Counter
from collections.abc import Sequence

import pydantic_core

from shared.conversations.apply import Read, side_by_side, take
from shared.conversations.id_translation import NAMES_A_MESSAGE, in_our_ids
from shared.conversations.resolve import where_it_acts
from shared.errors import BatonError, MethodNotAllowed, NotFound
from shared.handoff.machine import listeners
from shared.logs import log
from shared.platforms.base import Platform
from shared.ports import Ports
from shared.schemas.commands import Listener
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Request, Response
from shared.schemas.notifications import USER_MESSAGES

# customers whose receipts are passed on at once: what Baton did not send takes a part of one query
PASSED_AT_ONCE = 100
ALIVE = b'{"function": "receive_webhook"}'  # for a check of the address that sends nothing


async def receive_webhook(ports: Ports, request: Request) -> Response:
    """Returns 200 once everything the body reports is durable. Raises NotFound, MethodNotAllowed,
    BadRequest, Unauthenticated, DoorClosed and Unavailable.
    """
    if request.path == "/" and request.method == "GET":
        return Response(body=ALIVE)
    platform = _platform(ports, request.path)
    proof = platform.handshake(request)
    if proof is not None:
        return proof
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    platform.authenticate(request)
    reported = platform.events(request)
    strangers = Counter[str]()

    async def read(one: Event | Ephemeral) -> Event | Ephemeral | None:
        ours = await in_our_ids(ports, one) if isinstance(one, NAMES_A_MESSAGE) else one
        strangers["messages"] += ours is None
        return ours

    try:
        await take(ports, [one for one in reported if isinstance(one, Event)], read)
    finally:
        passing = [one for one in reported if not isinstance(one, Event)]
        if passing:
            await _pass_on(ports, passing, read)
    source = reported[0].source if reported else None
    notes = {"platform": platform.name, "conversation": source, "events": len(reported)}
    if strangers["messages"]:
        notes["not_ours"] = strangers["messages"]
    return Response(body=b"{}", notes=notes)


def body_limit(ports: Ports, request: Request) -> int:
    """Returns how many bytes of a webhook's body are read: its platform's own limit."""
    platform = ports.platforms.get(request.path.strip("/"))
    return platform.body_limit(request) if platform and request.method == "POST" else 0


def _platform(ports: Ports, path: str) -> Platform:
    platform = ports.platforms.get(path.strip("/"))
    if platform is None:
        raise NotFound(
            "unknown-platform",
            f"Post to one of: {', '.join(f'/{name}' for name in ports.platforms)}.",
        )
    return platform


async def _pass_on(ports: Ports, passing: Sequence[Ephemeral], read: Read) -> None:
    """Publishes typing and receipts for the present audience of the customer's messages; best
    effort, never stored. Those of different customers go side by side.
    """

    async def in_order(group: Sequence[Ephemeral]) -> None:
        audiences: dict[str, list[Listener]] = {}
        for one in group:
            found = await read(one)
            if found is not None and not isinstance(found, Event):
                await _publish(ports, found, audiences)

    await side_by_side(ports, in_order, passing, PASSED_AT_ONCE)


async def _publish(ports: Ports, one: Ephemeral, audiences: dict[str, list[Listener]]) -> None:
    try:
        if one.source not in audiences:
            audiences[one.source] = await _audience(ports, one.source)
        if not audiences[one.source]:
            return
        body = {**one.form, "schema_version": 1, "audience": audiences[one.source]}
        await ports.publisher.publish(USER_MESSAGES, pydantic_core.to_json(body), one.source)
    except BatonError as error:
        log(
            "WARNING",
            "typing or a receipt was not passed on",
            reason=error.reason,
            conversation=one.source,
        )


async def _audience(ports: Ports, source: str) -> list[Listener]:
    """Returns the audience by a fresh read: a human may have joined through another instance, and
    then nothing may reach the bot.
    """
    acting = await where_it_acts(ports, source)
    conversation = acting.value if acting else ports.policy.newcomer(source, source)
    return list(listeners(conversation, source, ports.clock.now(), ports.policy))
