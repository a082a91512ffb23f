"""A platform's webhook: authenticate it, read the whole body, take each event, wake delivery, and
then answer.
"""

from collections import Counter
from collections.abc import Sequence

import pydantic_core

from shared.conversations.apply import Read, side_by_side, take
from shared.conversations.devices import begin_to_show
from shared.conversations.id_translation import NAMES_A_MESSAGE, in_our_ids
from shared.conversations.resolve import where_it_acts
from shared.errors import BatonError, MethodNotAllowed, NotFound
from shared.handoff.machine import listeners
from shared.logs import log
from shared.platforms.base import Platform
from shared.ports import Ports
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
    """Publishes typing and receipts for the present audience of the customer's messages, and shows
    them to the people who answer; best effort. Those of different customers go side by side.
    """

    async def in_order(group: Sequence[Ephemeral]) -> None:
        news = [one for each in group if isinstance(one := await read(each), Ephemeral)]
        for source in dict.fromkeys(one.source for one in news):
            await _tell(ports, source, [one for one in news if one.source == source])

    await side_by_side(ports, in_order, passing, PASSED_AT_ONCE)


async def _tell(ports: Ports, source: str, news: Sequence[Ephemeral]) -> None:
    """Tells who answers a customer what the customer's device has told.

    Who that is takes a fresh read: a human may have joined through another instance, and then
    nothing may reach the bot.
    """
    try:
        acting = await where_it_acts(ports, source)
        conversation = acting.value if acting else ports.policy.newcomer(source, source)
        begin_to_show(ports, conversation, news)
        audience = listeners(conversation, source, ports.clock.now(), ports.policy)
        for one in news if audience else ():
            body = {**one.form, "schema_version": 1, "audience": list(audience)}
            await ports.publisher.publish(USER_MESSAGES, pydantic_core.to_json(body), source)
    except BatonError as error:
        log(
            "WARNING",
            "typing or a receipt was not passed on",
            reason=error.reason,
            conversation=source,
        )
