"""A local run as a process: it ends quietly when it is stopped, and says in words why it does
not start.
"""

import contextlib
import http.client
import json
import signal
import threading
import time
from pathlib import Path

import pytest

from infra.local.server import LocalServer
from tests import forked


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_a_run_that_has_sent_something_ends_without_complaint(
    tmp_path: Path, how: signal.Signals
) -> None:
    server = LocalServer(tmp_path, {"BATON_BOT": "acknowledge"})
    server.start()
    said = json.dumps({"text": "Hi"}).encode()
    assert server.send("POST", "/sim/business_messages/customers/3333/messages", said).status == 200
    server.wait_until(lambda: len(server.transcript("3333")) == 2)
    me = "/send_representative/v1/me?page=p&since="
    since = server.get(me, "dev-jane")["since"]
    page = threading.Thread(target=lambda: _waits(server, me + since), daemon=True)
    page.start()  # a desk page that is open
    time.sleep(0.2)
    began = time.monotonic()
    server.stop(how)
    assert time.monotonic() - began < 15  # less than the page would wait
    log = server.log.read_text()
    assert "Unclosed" not in log
    assert "Traceback" not in log


def _waits(server: LocalServer, path: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        server.get(path, "dev-jane")


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none_is_refused_in_words(tmp_path: Path, port: str) -> None:
    ended = forked.run("infra.local", PORT=port, BATON_HOME=str(tmp_path))
    assert (ended.returncode, ended.stderr.strip()) == (
        1,
        f"PORT is a number from 1 to 65535, not {port!r}.",
    )
