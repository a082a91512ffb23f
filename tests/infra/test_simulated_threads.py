"""A simulated vendor whose chats are threads keeps what it has answered, and sends again what was
not taken, as the vendor documents it.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.settings import SLACK_TOKEN
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.threads import ThreadSimulator
from tests.served import Served
from tests.threads.places import PLACES
from tests.threads.program import vendor

KINDS = tuple(PLACES)
PATIENCE = 30.0
BUTTON = {"text": "Go", "onClick": {"action": {"function": "go"}}}
BLOCK = {"type": "button", "action_id": "Go", "text": {"type": "plain_text", "text": "Go"}}


@dataclass
class Door:
    """Where events are posted: it takes none until `status` is 200."""

    status: int = 503
    got: list[bytes] = field(default_factory=list)
    url: str = ""

    async def take(self, request: Request) -> Response:
        self.got.append(await request.body())
        return Response(status_code=self.status)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.got) < count:
                await asyncio.sleep(0.01)


@dataclass
class Running:
    """A vendor that serves, and a thread that the app has begun there."""

    kind: str
    url: str
    simulator: ThreadSimulator
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        url = f"{self.url}/sim/{self.kind}{path}"
        async with self.session.request(method, url, json=body, **more) as answer:
            return await answer.json()

    async def begins(self) -> str:
        """Posts as the app, and returns the thread."""
        place = PLACES[self.kind]["rcs"]
        if self.kind == "slack":
            said = {"channel": place, "text": "a", "blocks": [{"elements": [BLOCK]}]}
            headers = {"authorization": f"Bearer {SLACK_TOKEN}"}
            await self.call("POST", "/api/chat.postMessage", said, headers=headers)
        else:
            said = {"text": "a", "accessoryWidgets": [{"buttonList": {"buttons": [BUTTON]}}]}
            await self.call("POST", f"/v1/{place}/messages", said)
        return str((await self.call("GET", "/threads"))["threads"][0])

    async def acts(self, thread: str, **what: str) -> None:
        answer = await self.call("POST", f"/threads/{thread}/people", {"name": "Jane", **what})
        assert answer == {"thread": thread}

    async def passes_time(self, holds: Callable[[], bool]) -> None:
        """Lets pauses pass until `holds` returns true."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await self.call("POST", "/later")

    async def until_done(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.simulator.store.webhooks(1):
                await asyncio.sleep(0.01)


Starts = Callable[[str], AbstractAsyncContextManager[Running]]


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    one = Door()
    route = Route("/{path:path}", one.take, methods=["POST"])
    async with Served(Starlette(routes=[route])) as served:
        one.url = served.url
        yield one


@pytest.fixture
def starts(door: Door, tmp_path: Path) -> Starts:
    @asynccontextmanager
    async def started(kind: str) -> AsyncIterator[Running]:
        store = PlatformStore(str(tmp_path / f"{kind}.sqlite"))
        simulator = vendor(kind, store, door.url, "")
        simulator.gives_up = True
        posting = asyncio.create_task(simulator.post_webhooks())
        async with Served(simulator) as served, aiohttp.ClientSession() as session:
            yield Running(kind, served.url, simulator, session)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)

    return started


@pytest.mark.parametrize("kind", KINDS)
async def test_what_it_has_answered_is_there_after_its_end(
    starts: Starts, door: Door, kind: str
) -> None:
    door.status = 200
    async with starts(kind) as first:
        thread = await first.begins()
        file = {"name": "a.txt", "mimetype": "text/plain", "content": "QQ=="}
        body = {"name": "Jane", "text": "Hello", "file": file}
        await first.call("POST", f"/threads/{thread}/people", body)
        before = await first.call("GET", f"/threads/{thread}")
    async with starts(kind) as second:
        assert await second.call("GET", "/threads") == {"threads": [thread]}
        assert await second.call("GET", f"/threads/{thread}") == before
        await second.acts(thread, text="And on")
        after = (await second.call("GET", f"/threads/{thread}"))["messages"]
    assert after[:-1] == before["messages"]
    assert len({str(one.get("name") or one["ts"]) for one in after}) == len(after) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_an_event_that_was_not_taken_is_sent_again_after_its_end(
    starts: Starts, door: Door, kind: str
) -> None:
    door.status = 200
    async with starts(kind) as first:
        thread = await first.begins()
        await first.until_done()
        door.status = 503
        await first.acts(thread, text="Hello")
    before = len(door.got)
    door.status = 200
    async with starts(kind) as second:
        await second.until_done()
    assert any(_says(one, "Hello") for one in door.got[before:])


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_asked_again_under_its_id_happens_once(starts: Starts, kind: str) -> None:
    async with starts(kind) as running:
        thread = await running.begins()
        for _ in range(2):
            await running.acts(thread, text="Hello", id="1")
        assert len((await running.call("GET", f"/threads/{thread}"))["messages"]) == 2


async def test_slack_gives_an_event_up_after_three_repetitions(starts: Starts, door: Door) -> None:
    """The first comes at once, the others after a minute and five."""
    async with starts("slack") as slack:
        await slack.begins()
        await door.until(2)
        await asyncio.sleep(0.05)
        assert len(door.got) == 2
        await slack.passes_time(lambda: not slack.simulator.store.webhooks(1))
    assert len(door.got) == 4
    assert len(set(door.got)) == 1


async def test_slack_sends_a_button_press_once(starts: Starts, door: Door) -> None:
    door.status = 200
    async with starts("slack") as slack:
        thread = await slack.begins()
        await slack.until_done()
        door.status, before = 503, len(door.got)
        await slack.acts(thread, press="Go")
        await slack.until_done()
    assert len(door.got) == before + 1


async def test_pub_sub_sends_an_event_again_until_it_is_taken(starts: Starts, door: Door) -> None:
    async with starts("google_chat") as chat:
        await chat.begins()
        await chat.passes_time(lambda: len(door.got) > 5)
        assert chat.simulator.store.webhooks(1)
        door.status = 200
        await chat.passes_time(lambda: not chat.simulator.store.webhooks(1))
    assert len(set(door.got)) == 1


def _says(event: bytes, text: str) -> bool:
    found = json.loads(event)
    data = found.get("message", {}).get("data")
    return text in (base64.b64decode(data).decode() if data else json.dumps(found))
