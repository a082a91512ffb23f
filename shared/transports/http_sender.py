"""Outbound HTTP: one client per process, no redirects, short timeouts.

The result distinguishes calls that arrived, that did not arrive, and that may have arrived.
"""

import asyncio
from collections.abc import Sequence
from functools import cache

import aiohttp

from shared.errors import Paced, Unavailable
from shared.schemas.http import Answer, Call, Pace
from shared.transports.google_tokens import GoogleTokens

CONNECT_SECONDS, TOTAL_SECONDS = 3.0, 10.0
LONGEST_QUEUE_SECONDS = 3.0
MOST_PACED = 10_000  # limits in memory, before those that no call waits for are forgotten


class HttpSender:
    """A Sender. It must be created inside the event loop that uses it."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._google = GoogleTokens()
        self._paced_until: dict[str, float] = {}

    async def send(self, call: Call) -> Answer | None:
        """Returns the answer, or None if it is unknown whether the call arrived.

        Raises Unavailable if it did not arrive.
        """
        headers = {**call.headers, **await self._google.authorization(call.auth)}
        await self._in_pace(call.paces)
        try:
            async with self._client().request(
                call.method,
                call.url,
                data=call.body if call.stream is None else call.stream,
                headers=headers,
                allow_redirects=False,
                timeout=_timeout(call.timeout or TOTAL_SECONDS),
            ) as response:
                body = await response.read()
                if response.status == 401:
                    # The token may have been revoked: the next try gets a new one.
                    self._google.forget(call.auth.partition(":")[2])
                return Answer(
                    response.status, body, {k.lower(): v for k, v in response.headers.items()}
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # No connection was made, so the call did not arrive.
            raise Unavailable("unreachable", "The platform cannot be reached.") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise Unavailable(
                "invalid-url", "The address to call is not a URL; check the settings."
            ) from error
        except (aiohttp.ClientError, TimeoutError):
            # The request may have been sent before the connection failed.
            return None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _in_pace(self, paces: Sequence[Pace]) -> None:
        """Waits until every rate limit allows this call, and counts it.

        Each limit is known by the time at which its calls so far would have been made at its pace
        (the generic cell rate algorithm). Raises Paced, and counts nothing, if the wait is longer
        than LONGEST_QUEUE_SECONDS.
        """
        now = asyncio.get_running_loop().time()
        paced = {pace.of: max(self._paced_until.get(pace.of, now), now) for pace in paces}
        waits = (paced[one.of] - (one.burst - 1) / one.per_second - now for one in paces)
        wait = max(waits, default=0.0)
        if wait > LONGEST_QUEUE_SECONDS:
            raise Paced(wait)
        for pace in paces:
            self._paced_until[pace.of] = paced[pace.of] + 1 / pace.per_second
        if len(self._paced_until) > MOST_PACED:
            self._paced_until = {of: at for of, at in self._paced_until.items() if at > now}
        if wait > 0:
            await asyncio.sleep(wait)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # a session that another party begins is about one customer: no other call may carry it
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session


@cache
def _timeout(total: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS)
