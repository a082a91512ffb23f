"""What the simulated Google Chat of a local run proves and says, by the judgement of Google's own
libraries.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from google.auth import jwt

from infra.local.settings import GOOGLE_CHAT_PROJECT
from infra.local.simulators.google_chat_app import CERTIFICATES, CHAT, PREFIX, GoogleChatSimulator
from infra.local.simulators.platform_store import PlatformStore
from tests.served import Served
from tests.vendors.google_chat import judge_event, judge_message

URL = "https://baton.example.com/receive_webhook/google_chat"


@pytest.fixture(params=[GOOGLE_CHAT_PROJECT, URL])
async def chat(request: pytest.FixtureRequest) -> AsyncIterator[tuple[GoogleChatSimulator, str]]:
    simulator = GoogleChatSimulator(PlatformStore(":memory:"), "", request.param)
    async with Served(simulator) as server:
        yield simulator, f"{server.url}{PREFIX}"


async def asked(method: str, url: str, body: object = None) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as answer,
    ):
        return answer.status, await answer.json()


async def test_what_people_do_is_reported_and_proved_as_google_chat_does(
    chat: tuple[GoogleChatSimulator, str],
) -> None:
    simulator, here = chat
    button = {"text": "Claim", "onClick": {"action": {"function": "claim"}}}
    message = {
        "text": "Ana needs a person.",
        "thread": {"threadKey": "baton-1"},
        "accessoryWidgets": [{"buttonList": {"buttons": [button]}}],
    }
    reply = "messageReplyOption=REPLY_MESSAGE_OR_FAIL"
    status, made = await asked("POST", f"{here}/v1/spaces/AAAA/messages?{reply}", message)
    assert status == 200
    judge_message(made)
    (thread,) = simulator.threads()
    people = f"{here}/threads/{thread}/people"
    for act in ({"text": "Hi"}, {"text": "A note", "mention": False}, {"press": "Claim"}):
        assert (await asked("POST", people, {"name": "Jane", **act}))[0] == 200
    waiting = [json.loads(body) for _, body in simulator.store.webhooks(10)]
    assert [one["type"] for one in waiting] == ["MESSAGE", "CARD_CLICKED"]
    for event in waiting:
        judge_event(event)
    by_number = simulator._audience.isdecimal()
    _, keys = await asked("GET", f"{here}{CERTIFICATES[0 if by_number else 1]}")
    token = simulator.signed(b"")["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, certs=keys, audience=simulator._audience)  # type: ignore[no-untyped-call]  # it has no types
    assert claims["iss" if by_number else "email"] == CHAT
