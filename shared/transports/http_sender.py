"""Outbound HTTP: one client per process, no redirects, short timeouts.

The result distinguishes calls that arrived, that did not arrive, and that may have arrived.
"""

import asyncio
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from shared.errors import Unavailable
from shared.schemas.http import Answer, Call

CONNECT_SECONDS, TOTAL_SECONDS = 3.0, 10.0
LONGEST_QUEUE_SECONDS = 3.0


class HttpSender:
    """A Sender. It must be created inside the event loop that uses it."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._credentials: dict[str, Any] = {}
        self._free_at: dict[str, float] = {}

    async def send(self, call: Call) -> Answer | None:
        """Returns the answer, or None if it is unknown whether the call arrived.

        Raises Unavailable if it did not arrive.
        """
        headers = {**call.headers, **await self._authorization(call.auth)}
        await self._in_pace(call)
        try:
            async with self._client().request(
                call.method,
                call.url,
                data=call.body,
                headers=headers,
                allow_redirects=False,
                timeout=_timeout(call.timeout or TOTAL_SECONDS),
            ) as response:
                body = await response.read()
                if response.status == 401:
                    # The token may have been revoked: the next try gets a new one.
                    self._credentials.pop(call.auth.partition(":")[2], None)
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

    async def _in_pace(self, call: Call) -> None:
        """Waits until the host's rate limit allows this call.

        Raises Unavailable if that takes longer than LONGEST_QUEUE_SECONDS.
        """
        if call.per_second is None:
            return
        host, now = urlsplit(call.url).netloc, asyncio.get_running_loop().time()
        turn = max(self._free_at.get(host, now), now)
        if turn - now > LONGEST_QUEUE_SECONDS:
            raise Unavailable(
                "too-many-calls", "Too many calls wait for this platform's rate limit."
            )
        self._free_at[host] = turn + 1 / call.per_second
        await asyncio.sleep(turn - now)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    async def _authorization(self, auth: str) -> dict[str, str]:
        kind, _, value = auth.partition(":")
        if kind == "bearer":
            return {"authorization": f"Bearer {value}"}
        if kind == "google":
            return {"authorization": f"Bearer {await asyncio.to_thread(self._google_token, value)}"}
        return {}

    def _google_token(self, scope: str) -> str:
        """Returns an access token. Blocks, so it must run in a thread.

        The credentials refresh themselves shortly before they expire.
        """
        import google.auth
        import google.auth.exceptions
        import google.auth.transport.requests

        try:
            if scope not in self._credentials:
                self._credentials[scope], _ = google.auth.default(scopes=[scope])
            credentials = self._credentials[scope]
            if not credentials.valid:
                credentials.refresh(google.auth.transport.requests.Request())
            return str(credentials.token)
        except google.auth.exceptions.GoogleAuthError as error:
            raise Unavailable(
                "no-google-credentials", "Google credentials are missing or were refused."
            ) from error


@cache
def _timeout(total: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS)
