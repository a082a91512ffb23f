"""What the local run refuses before it looks further: calls that a foreign web page could make a
browser send.

A browser sends what any page asks for to 127.0.0.1 as well. Two things give such calls away: a
`Host` that is no loopback name (a name of the page's own that was bound to this address), and an
`Origin` or `Sec-Fetch-Site` that is not this address. The doors of functions that ask for a key, a
signature or a token decide for themselves.
"""

from collections.abc import Mapping

from starlette.types import Scope

from infra.local.page_files import ADAPTER_HOST
from shared.errors import BatonError, Forbidden, MethodNotAllowed, NotFound
from shared.logs import log, sanitised

NAMES = ("127.0.0.1", "localhost", "[::1]")
KEYED = ("receive_webhook", "send_representative", "forward_variables")
OPEN_TO_LINKS = ("", "page", *KEYED)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HEADERS_LIMIT = 64 << 10  # Cloud Run's


class HeadersTooLarge(BatonError):
    code, status = 431, "INVALID_ARGUMENT"


class Gate:
    """Knows under which names this run is called."""

    def __init__(self, port: int) -> None:
        ends = {f":{port}", ""} if port == 80 else {f":{port}"}
        self._hosts = {f"{name}{end}" for name in NAMES for end in ends}
        self._adapter = {f"{ADAPTER_HOST}{end}" for end in ends}
        self._port = port

    def is_adapter(self, scope: Scope) -> bool:
        """Whether the call is for the simulated agent adapter, which has static files only."""
        return _host(scope) in self._adapter

    def check(self, scope: Scope) -> None:
        """Raises a BatonError for what is answered no further."""
        headers = scope["headers"]
        if sum(len(name) + len(value) for name, value in headers) > HEADERS_LIMIT:
            raise HeadersTooLarge(
                "headers-too-large", f"Send at most {HEADERS_LIMIT} bytes of headers."
            )
        if scope["method"] not in METHODS:
            raise MethodNotAllowed(", ".join(METHODS))
        if not scope["path"].startswith("/"):
            raise NotFound("unknown-path", "A path begins with /.")
        if _host(scope) not in self._hosts | self._adapter:
            raise self._foreign_host(_host(scope))
        if self._is_foreign(scope):
            raise _foreign_page(scope)

    def _foreign_host(self, host: str) -> BatonError:
        log("WARNING", "refused: the Host header is no name of this run", host=sanitised(host))
        here = f"127.0.0.1:{self._port}"
        words = f"A local run answers at {here} only; a tunnel must send `Host: {here}`."
        return Forbidden("host-not-allowed", words)

    def _is_foreign(self, scope: Scope) -> bool:
        if scope["path"].split("/")[1] in OPEN_TO_LINKS:
            return False
        origins, named = _all(scope, b"origin"), _named(scope)
        if origins:
            return set(origins) != {f"http://{_host(scope)}"}
        if scope["method"] == "GET" and named.get("sec-fetch-mode") == "navigate":
            return False  # somebody follows a link, and sees what there is
        return named.get("sec-fetch-site", "none") not in ("none", "same-origin")


def _foreign_page(scope: Scope) -> BatonError:
    named = _named(scope)
    origin = sanitised(named.get("origin") or named.get("sec-fetch-site", ""))
    log("WARNING", "refused: another page's call to the local run", origin=origin)
    return Forbidden("origin-not-allowed", "Only this run's own pages and programs may call this.")


def _host(scope: Scope) -> str:
    """Returns the one Host header, nothing where there is none or more."""
    hosts = _all(scope, b"host")
    return hosts[0] if len(hosts) == 1 else ""


def _all(scope: Scope, header: bytes) -> list[str]:
    found = (value for name, value in scope["headers"] if name == header)
    return [value.decode("latin-1").lower() for value in found]


def _named(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
