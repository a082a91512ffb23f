"""Refuses requests that a foreign web page could make a browser send to the local run.

A browser sends requests of any page to 127.0.0.1 as well. Two signs identify such a request: a
`Host` that is no loopback name (DNS rebinding), and an `Origin` or `Sec-Fetch-Site` of another
address. Functions that ask for a key, a signature or a token check the request themselves.
"""

from collections.abc import Mapping

from starlette.types import Scope

from infra.local.page_files import ADAPTER_HOST
from shared.errors import BatonError, Forbidden, MethodNotAllowed, NotFound
from shared.logs import log, sanitised

NAMES = ("127.0.0.1", "localhost", "[::1]")
KEYED = ("receive_webhook", "send_representative", "forward_variables", "relay_media")
OPEN_TO_LINKS = ("", "page", *KEYED)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HEADERS_LIMIT = 64 << 10  # Cloud Run's limit


class HeadersTooLarge(BatonError):
    code, status = 431, "INVALID_ARGUMENT"


class Gate:
    """Knows the host names under which this run is reached."""

    def __init__(self, port: int) -> None:
        ends = {f":{port}", ""} if port == 80 else {f":{port}"}
        self._hosts = {f"{name}{end}" for name in NAMES for end in ends}
        self._adapter = {f"{ADAPTER_HOST}{end}" for end in ends}
        self._port = port

    def is_adapter(self, scope: Scope) -> bool:
        """Returns whether the request is for the simulated agent adapter, which has static files
        only.
        """
        return _host(scope) in self._adapter

    def check(self, scope: Scope) -> None:
        """Raises a BatonError for a request that is refused."""
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
            return False  # a person followed a link
        return named.get("sec-fetch-site", "none") not in ("none", "same-origin")


def _foreign_page(scope: Scope) -> BatonError:
    named = _named(scope)
    origin = sanitised(named.get("origin") or named.get("sec-fetch-site", ""))
    log("WARNING", "refused: another page's call to the local run", origin=origin)
    return Forbidden("origin-not-allowed", "Only this run's own pages and programs may call this.")


def _host(scope: Scope) -> str:
    """Returns the value of the Host header, nothing where there is none or more than one."""
    hosts = _all(scope, b"host")
    return hosts[0] if len(hosts) == 1 else ""


def _all(scope: Scope, header: bytes) -> list[str]:
    found = (value for name, value in scope["headers"] if name == header)
    return [value.decode("latin-1").lower() for value in found]


def _named(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
