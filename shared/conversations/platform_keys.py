"""Requests that are proved by keys which their platform publishes."""

from dataclasses import replace
from datetime import timedelta

from shared.errors import Unauthenticated, Unavailable, UnknownKey
from shared.platforms.base import HasKeys
from shared.ports import Ports, PublishedKeys
from shared.schemas.http import Answer, Call, Request, fresh_for

AGAIN = timedelta(minutes=1)  # requests with invented key ids must not become calls
SECONDS = 2.0  # platforms wait a few seconds for the answer to a webhook


async def authenticate(ports: Ports, platform: HasKeys, request: Request) -> None:
    """Raises Unauthenticated, DoorClosed, and Unavailable if the keys cannot be had now."""
    lookup = platform.keys_lookup(request)
    if lookup is None:
        raise Unauthenticated
    try:
        platform.authenticate_with(request, await _published(ports, lookup))
    except UnknownKey:
        known = ports.keys.get(lookup.url)
        if known is not None and ports.clock.now() < known.asked_at + AGAIN:
            raise
        ports.keys.pop(lookup.url, None)
        platform.authenticate_with(request, await _published(ports, lookup))


async def _published(ports: Ports, lookup: Call) -> Answer:
    now, known = ports.clock.now(), ports.keys.get(lookup.url)
    if known is not None and now < known.good_until:
        return known.answer
    answer = await ports.sender.send(replace(lookup, timeout=SECONDS))
    if answer is None or answer.status != 200:
        raise Unavailable("no-keys", "The platform does not give its keys. Send it again.")
    ports.keys[lookup.url] = PublishedKeys(answer, now, now + fresh_for(answer))
    return answer
