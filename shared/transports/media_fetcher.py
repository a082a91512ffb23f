"""Fetches files from platforms, and from nowhere else.

What a customer or a platform writes may name an address. So each address is checked: its host, and
the network address to which the connection is made, also after each redirect.
"""

import ipaddress
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from socket import AddressFamily
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from shared.errors import NotFound, Refused, TooLate, Unavailable
from shared.ports import Opened
from shared.schemas.http import Call
from shared.transports.google_tokens import GoogleTokens
from shared.version import VERSION

CONNECT_SECONDS, IDLE_SECONDS, TOTAL_SECONDS = 5.0, 10.0, 280.0
MOST_REDIRECTS = 3
CHUNK = 64 << 10
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_GONE_LINK = (400, 403, 404, 410)  # a link that is its own permission is refused once it has ended
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def origin_of(url: str) -> str:
    """Returns scheme, host and port of an address, as `MediaFetcher` compares them."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


class MediaFetcher:
    """A Fetcher. It must be created inside the event loop that uses it.

    `own` are the origins that the operator's settings name as the addresses of platforms: only
    these may be local, and only these may be without TLS. A platform may take `connect` seconds
    until there is a connection, with its name and TLS, `idle` seconds until the first chunk and
    between two, and `total` seconds in all.
    """

    def __init__(
        self,
        own: Collection[str] = (),
        connect: float = CONNECT_SECONDS,
        idle: float = IDLE_SECONDS,
        total: float = TOTAL_SECONDS,
    ) -> None:
        self._own = frozenset(own)
        self._timeout = aiohttp.ClientTimeout(total=total, connect=connect, sock_read=idle)
        self._session: aiohttp.ClientSession | None = None
        self._google = GoogleTokens()

    @asynccontextmanager
    async def open(self, call: Call, hosts: Collection[str]) -> AsyncIterator[Opened]:
        response = await self._answer(call, hosts)
        try:
            _check_status(response, has_credentials=call.auth != "none")
            headers = {name.lower(): value for name, value in response.headers.items()}
            yield Opened(response.status, headers, _chunks(response))
        finally:
            response.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _answer(self, call: Call, hosts: Collection[str]) -> aiohttp.ClientResponse:
        """Returns the answer after all redirects. Credentials go to no origin but the first."""
        url = first = _url(call.url)
        for _ in range(MOST_REDIRECTS + 1):
            self._check(url, hosts)
            trusted = call.auth if url.origin() == first.origin() else "none"
            response = await self._request(call, url, trusted)
            if response.status not in _REDIRECTS:
                return response
            response.close()
            url = url.join(_url(response.headers.get("location", "")))
        raise Unavailable("platform-failed", f"More than {MOST_REDIRECTS} redirects.")

    async def _request(self, call: Call, url: URL, auth: str) -> aiohttp.ClientResponse:
        headers = {
            "user-agent": f"Baton/{VERSION}",
            "accept-encoding": "identity",  # sizes and parts are those of the file itself
            **call.headers,
            **await self._google.authorization(auth),
        }
        try:
            response = await self._client().request(
                call.method, url, headers=headers, allow_redirects=False, data=call.body or None
            )
        except TimeoutError as error:
            raise _too_late() from error
        except aiohttp.InvalidURL as error:
            raise _refused() from error
        except aiohttp.ClientError as error:
            raise Unavailable("unreachable", "The platform cannot be reached.") from error
        if response.status == 401:  # as the sender does
            self._google.forget(auth.partition(":")[2])
        return response

    def _check(self, url: URL, hosts: Collection[str]) -> None:
        """Raises Refused for an address from which nothing may be fetched."""
        host = (url.raw_host or "").lower()
        named = any(host.endswith(one) if one.startswith(".") else host == one for one in hosts)
        if not named or url.user is not None or url.password is not None:
            raise _refused()
        if _origin(url) in self._own:
            return
        if url.scheme != "https" or url.port != 443 or _is_address(host):
            raise _refused()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, resolver=_PublicResolver(self._own))
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=CHUNK,
            )
        return self._session


class _PublicResolver(ThreadedResolver):
    """Returns the public addresses of a host. A connection is made to one of these, so a name
    that has another address a moment later leads nowhere else.
    """

    def __init__(self, own: frozenset[str]) -> None:
        super().__init__()
        self._own = own

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        if self._own & {f"http://{host}:{port}", f"https://{host}:{port}"}:
            return found
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise _refused()
        return public


def is_public(address: str) -> bool:
    """Returns whether a network address is one of the internet, also if it is written inside of an
    IPv6 address.
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(known, ipaddress.IPv6Address):
        inner = known.ipv4_mapped or known.sixtofour
        if known in _NAT64:
            inner = ipaddress.IPv4Address(int(known) & 0xFFFFFFFF)
        if inner is not None:
            known = inner
    return known.is_global and not known.is_multicast


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _origin(url: URL) -> str:
    return f"{url.scheme}://{(url.raw_host or '').lower()}:{url.port}"


def _url(text: str) -> URL:
    try:
        return URL(text)
    except ValueError as error:
        raise _refused() from error


def _check_status(response: aiohttp.ClientResponse, *, has_credentials: bool) -> None:
    status = response.status
    if status in (_GONE if has_credentials else _GONE_LINK):
        raise NotFound("file-gone", "The platform has this file no longer.")
    if status in (401, 403):
        raise Unavailable("platform-refused", "The platform does not accept Baton's credentials.")
    if status not in (200, 206, 416):
        raise Unavailable("platform-failed", f"The platform has answered with HTTP {status}.")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unavailable("platform-failed", "The platform has sent the file in another encoding.")


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_chunked(CHUNK):
            yield chunk
    except TimeoutError as error:
        raise _too_late() from error
    except aiohttp.ClientError as error:
        raise Unavailable("platform-failed", "The platform has cut the file off.") from error


def _too_late() -> TooLate:
    return TooLate("platform-too-slow", "The platform has not answered in time.")


def _refused() -> Refused:
    return Refused("host-not-allowed", "Files are fetched from the hosts of their platform only.")
