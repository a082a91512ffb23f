"""All hosts but those that a page may ask."""

import socket
from contextlib import suppress

from playwright.sync_api import Page, ProxySettings

HEARD_SECONDS = 5.0
# Without the first, Chromium asks no proxy for this machine's own ports. The second is for the
# requests of a test itself (`page.request`): Playwright makes these, and compares only the ends of
# host names, so that "0.0.1" matches 127.0.0.1 there. In Chromium it matches nothing.
BYPASS = ("<-loopback>", "0.0.1")


class Elsewhere:
    """What a page asks of other hosts. Its browser takes this for the proxy that leads to them.

    With a listener to all requests instead, each would take a third more processor time.
    """

    def __init__(self, *own: str, heard_seconds: float = HEARD_SECONDS) -> None:
        self._heard_seconds = heard_seconds
        self._taken = socket.create_server(("127.0.0.1", 0))
        self._taken.setblocking(False)
        port = self._taken.getsockname()[1]
        self.proxy: ProxySettings = {
            "server": f"http://127.0.0.1:{port}",
            "bypass": ",".join((*BYPASS, *(url.removeprefix("http://") for url in own))),
        }

    def asked(self) -> list[str]:
        """Returns the first line of each request since the last call. None is answered. Chromium
        also opens connections in reserve: one on which it asks nothing counts as nothing.
        """
        lines = list[str]()
        while True:
            try:
                connection, _ = self._taken.accept()
            except BlockingIOError:
                return lines
            with connection, suppress(TimeoutError):
                connection.settimeout(self._heard_seconds)
                if said := connection.recv(1000):
                    lines.append(said.decode(errors="replace").partition("\r\n")[0])

    def close(self) -> None:
        self._taken.close()


def hear_faults(page: Page, faults: list[str]) -> None:
    """Notes what the page throws, and what its own policy stops."""
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None,
    )
