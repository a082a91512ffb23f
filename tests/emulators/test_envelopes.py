"""Each form of a pushed message is taken and acted upon, by the functions on Firestore and
Pub/Sub.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from standardwebhooks.webhooks import Webhook

from infra.local.oracle import texts
from infra.local.settings import BOT_KEY
from shared import tracing
from tests.emulators.boundaries import Boundaries
from tests.emulators.deployment import Emulators
from tests.emulators.envelopes import FORMS, Envelope
from tests.emulators.in_process import Functions
from tests.emulators.platform_server import PlatformServer
from tests.emulators.team_server import TeamServer
from tests.emulators.webhooks import customer_says

Form = Callable[[Mapping[str, Any]], Envelope]
TEAM_SECRET = "whsec_" + base64.b64encode(b"a secret of the team's webhook").decode()
CONVERSATION = "business_messages:3333"
ASKED = {
    "schema_version": 1,
    "id": "5b6a0f3e-8f4e-5c43-9d2e-1f1f8e0f7a11",
    "type": "handoff.requested",
    "conversation": CONVERSATION,
    "time": "2026-03-01T12:00:00.123Z",
    "reason": "the customer asked for a person",
}


@pytest.fixture(params=FORMS, ids=str)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[PlatformServer]:
    async with PlatformServer(tmp_path / "platform.sqlite", Boundaries()) as server:
        yield server


@pytest.fixture
async def team() -> AsyncIterator[TeamServer]:
    async with TeamServer() as server:
        yield server


@pytest.fixture
async def functions(
    emulators: Emulators, platform: PlatformServer, team: TeamServer
) -> AsyncIterator[Functions]:
    """The functions on the emulators; nothing pushes, the test does."""
    async with aiohttp.ClientSession() as http:
        for topic in ("baton-outbox", "baton-handoffs", "baton-user-messages"):
            url = f"http://{emulators.pubsub}/v1/projects/{emulators.project}/topics/{topic}"
            assert (await http.put(url, json={})).status == 200
    made = Functions.of(
        BATON_STORE="firestore",
        BATON_QUEUE="pubsub",
        BATON_DELIVER_IN_PLACE="off",
        GOOGLE_CLOUD_PROJECT=emulators.project,
        FIRESTORE_EMULATOR_HOST=emulators.firestore,
        PUBSUB_EMULATOR_HOST=emulators.pubsub,
        BUSINESS_MESSAGES_API_URL=platform.url,
        TEAM_WEBHOOK_URL=team.url,
        TEAM_WEBHOOK_SECRET=TEAM_SECRET,
    )
    yield made
    await made.close()


async def test_a_wake_up_delivers_what_waits(
    functions: Functions, platform: PlatformServer, form: Form
) -> None:
    platform.store.learn("3333")
    said = customer_says("3333", "m-1", "Hi")
    assert (
        await functions.ask("receive_webhook", "POST", "/business_messages", *said)
    ).status == 200
    message = json.dumps({"messageId": "b-1", "text": "Hello from the bot"}).encode()
    key = {"authorization": f"Bearer {BOT_KEY}"}
    path = "/v1/conversations/3333/messages"
    assert (await functions.ask("send_representative", "POST", path, message, key)).status == 200
    assert texts(platform.store.transcript("3333")) == []

    envelope = form({"schema_version": 1, "conversation": CONVERSATION, "timers": False})
    assert (
        await functions.ask("deliver_outbox", "POST", "/", envelope.body, envelope.headers)
    ).status == 200

    assert texts(platform.store.transcript("3333")) == ["Hello from the bot"]
    assert await functions.baton.ports.store.pending_count(CONVERSATION) == 0


async def test_a_notification_reaches_the_team_once(
    functions: Functions, team: TeamServer, form: Form
) -> None:
    envelope = form(ASKED)
    for _ in range(2):
        assert (
            await functions.ask("notify_handoff", "POST", "/", envelope.body, envelope.headers)
        ).status == 200
        assert team.got == [], "it is kept for delivery, and nobody waits for the team's webhook"
    wake_up = form({"schema_version": 1, "conversation": ASKED["conversation"], "timers": False})
    for _ in range(2):
        assert (
            await functions.ask("deliver_outbox", "POST", "/", wake_up.body, wake_up.headers)
        ).status == 200
    ((headers, body),) = team.got
    told = Webhook(TEAM_SECRET).verify(body, dict(headers))
    assert (headers["webhook-id"], told["type"], told["data"]["reason"]) == (
        ASKED["id"],
        ASKED["type"],
        ASKED["reason"],
    )


async def test_the_trace_of_a_message_goes_on_in_its_log_line(
    functions: Functions, form: Form, capsys: pytest.CaptureFixture[str]
) -> None:
    tracing.name_project("baton-prod")
    envelope = form({"schema_version": 1, "conversation": CONVERSATION})
    await functions.ask("deliver_outbox", "POST", "/", envelope.body, envelope.headers)
    tracing.name_project(None)
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (
        line["logging.googleapis.com/trace"]
        == "projects/baton-prod/traces/0af7651916cd43dd8448eb211c80319c"
    )
