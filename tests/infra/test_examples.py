"""The examples run as their reader runs them: a bot in Python, one in Node.js, and a desk."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.server import PATIENCE_SECONDS, LocalServer, free_port
from infra.local.talk import Talk
from tests.forked import ForkedServer

EXAMPLES = Path(__file__).parents[2] / "infra" / "examples"
BOTS = {"Python": [sys.executable, "bot.py"], "Node.js": ["node", "bot.mjs"]}


@pytest.fixture(params=sorted(BOTS))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalServer]:
    """Returns a local run whose bot is an example; only BOT_WEBHOOK_URL is set."""
    command = BOTS[request.param]
    if shutil.which(command[0]) is None:
        if os.environ.get("BATON_REQUIRE_ALL") == "1":
            pytest.fail(f"{command[0]} is not on the PATH")
        pytest.skip(f"{command[0]} is not on the PATH")
    port = free_port()
    local = ForkedServer(tmp_path, {"BOT_WEBHOOK_URL": f"http://127.0.0.1:{port}/"})
    api = f"{local.url}/send_representative"
    with local, example(command, PORT=str(port), BATON_API=api):
        yield local


@contextmanager
def example(command: list[str], **environment: str) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=EXAMPLES, env={**os.environ, **environment})
    try:
        yield
    finally:
        process.kill()
        process.wait()


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def test_the_bot_answers_asks_for_a_human_and_is_silent_while_one_is_there(
    server: LocalServer,
) -> None:
    talk = Talk.open(server)
    said = ["BOT Hello World Agent: You said: Hi, I have a problem"]
    assert eventually(lambda: talk.seen() == said)
    talk.customer_says("a human, please", "m-2")
    assert eventually(lambda: talk.state()["phase"] == "QUEUED")
    assert talk.state()["requestReason"] == "a human, please"
    answer_as_a_desk(server.url)
    assert eventually(lambda: "HUMAN Jane Doe: I can help." in talk.seen())
    assert talk.state()["phase"] == "BOT"
    frame = ["JOINED Jane Doe", "HUMAN Jane Doe: I can help.", "LEFT Jane Doe"]
    assert [line for line in talk.seen() if "Jane" in line] == frame


def answer_as_a_desk(url: str) -> None:
    ended = subprocess.run(
        [sys.executable, "desk.py", "Jane Doe"],
        cwd=EXAMPLES,
        env={**os.environ, "BATON_API": f"{url}/send_representative"},
        input="I can help.\n\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == 0, ended.stderr
    assert "a human, please" in ended.stdout


def test_a_desk_without_a_customer_says_so(tmp_path: Path) -> None:
    with ForkedServer(tmp_path) as server:
        ended = subprocess.run(
            [sys.executable, "desk.py"],
            cwd=EXAMPLES,
            env={**os.environ, "BATON_API": f"{server.url}/send_representative"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    assert (ended.returncode, ended.stderr.strip()) == (1, "No customer waits.")


def test_a_bot_answers_401_to_a_call_with_a_wrong_signature() -> None:
    port = free_port()
    with example(BOTS["Python"], PORT=str(port)):
        forged = [
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-d",
            "{}",
            f"http://127.0.0.1:{port}/",
        ]
        assert eventually(
            lambda: subprocess.run(forged, capture_output=True, text=True).stdout == "401"
        )
