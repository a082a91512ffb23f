"""The simulated Business Messages keeps the limits of its reference, and takes what Baton sends."""

import json
from typing import Any

import pytest

from infra.local.simulators.business_messages import BusinessMessagesSimulator
from infra.local.simulators.platform_store import PlatformStore
from shared.platforms.business_messages.platform import BusinessMessages
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content
from shared.schemas.http import Call
from tests.infra.simulated import BOT, HERE, ask, customer

CHIP = {"reply": {"text": "Yes", "postbackData": "y"}}
CARD = {"title": "Boots", "suggestions": [CHIP] * 4}
BOOTS = {"contentInfo": {"fileUrl": "https://x.test/a.png"}}
URL = {"text": "Shop", "postbackData": "s", "openUrlAction": {"url": "https://x.test"}}
BIGGEST: dict[str, dict[str, Any]] = {
    "text": {"text": "x" * 3072, "suggestions": [CHIP] * 12 + [{"liveAgentRequest": {}}]},
    "action": {"text": "Hi", "suggestions": [{"action": URL}]},
    "image": {"image": BOOTS, "fallback": "x" * 3072},
    "card": {
        "richCard": {
            "standaloneCard": {"cardContent": {**CARD, "media": {"height": "TALL", **BOOTS}}}
        }
    },
    "carousel": {"richCard": {"carouselCard": {"cardWidth": "SMALL", "cardContents": [CARD] * 10}}},
}


@pytest.fixture
async def business() -> BusinessMessagesSimulator:
    simulator = BusinessMessagesSimulator(PlatformStore(":memory:"), "", "key")
    await customer(simulator, "/customers/c-1/messages", {"text": "Hi"})
    return simulator


@pytest.mark.parametrize("content", BIGGEST.values(), ids=BIGGEST)
async def test_what_baton_sends_at_the_limits_is_taken(
    business: BusinessMessagesSimulator, content: dict[str, Any]
) -> None:
    platform = BusinessMessages(api_url=f"{HERE}/sim/business_messages")
    said = Content.model_validate(content)
    call = platform.call(SendMessage(id="1", to="c-1", representative=BOT, content=said))
    assert call is not None
    answer = await ask(business, call)
    assert (answer.status, json.loads(answer.body)["messageId"]) == (200, "1")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"text": ""},
        {"text": "x" * 3073},
        {"text": "Hi", "image": BOOTS},
        {"text": "Hi", "fallback": "x" * 3073},
        {"text": "Hi", "suggestions": [CHIP] * 14},
        {"text": "Hi", "suggestions": [{"reply": {"text": "x" * 26, "postbackData": "y"}}]},
        {"text": "Hi", "suggestions": [{"reply": {"text": "Yes"}}]},
        {"text": "Hi", "suggestions": [{"action": CHIP["reply"]}]},
        {"text": "Hi", "suggestions": [{}]},
        {"image": {"contentInfo": {}}},
        {"richCard": {}},
        {"richCard": {"standaloneCard": {"cardContent": {"title": "x" * 201}}}},
        {"richCard": {"standaloneCard": {"cardContent": {"suggestions": [CHIP] * 5}}}},
        {"richCard": {"carouselCard": {"cardWidth": "SMALL", "cardContents": [CARD]}}},
    ],
)
async def test_what_the_reference_does_not_allow_is_refused(
    business: BusinessMessagesSimulator, content: dict[str, Any]
) -> None:
    body = {"messageId": "1", "representative": {"representativeType": "BOT"}, **content}
    url = f"{HERE}/sim/business_messages/v1/conversations/c-1/messages"
    assert (await ask(business, Call("POST", url, json.dumps(body).encode()))).status == 400
