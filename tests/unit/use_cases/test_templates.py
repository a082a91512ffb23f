"""A template in a message of the API: who may send one, what is refused, and what WhatsApp gets."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.api.keys import Keyring
from shared.api.routes import send_representative
from shared.conversations.apply import apply_and_wake
from shared.delivery.deliver import deliver
from shared.errors import BatonError
from shared.platforms.business_messages.platform import CAPABILITIES as BUSINESS_MESSAGES
from shared.platforms.csku.platform import Csku
from shared.platforms.rcs.platform import CAPABILITIES as RCS
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.conversation import Capabilities
from shared.schemas.events import UserMessage
from shared.schemas.http import Answer, Call, Request
from shared.schemas.notation import conversation_id, sha256
from shared.settings.types import ApiKey
from tests.unit.use_cases.asking import ask

ANA, RIO = conversation_id("whatsapp", "1:+12025550100"), conversation_id("rcs", "agent:+5521999")
SALE = {"name": "sale", "language": "pt_BR", "parameters": ["Ana", "10%"]}
BOT, HUMAN = {"representativeType": "BOT"}, {"representativeType": "HUMAN", "displayName": "Jane"}
KEYS = {
    name: ApiKey(name=name, may=frozenset({"BOT", "HUMAN"}), admin=True, templates=may)
    for name, may in (("may", True), ("may-not", False))
}
RING = Keyring({sha256(name): key for name, key in KEYS.items()})


class Phone:
    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def send(self, call: Call) -> Answer:
        self.bodies.append(json.loads(call.body))
        return Answer(200, json.dumps({"messages": [{"id": f"wamid.{len(self.bodies)}"}]}).encode())


@pytest.fixture
async def phone(bench: Any) -> Phone:
    """A customer on WhatsApp who wrote two days ago, and one on RCS."""
    phone, whatsapp = Phone(), WhatsApp(app_secrets=("s",), access_token="t")
    capabilities = {"whatsapp": whatsapp.capabilities, "rcs": RCS}
    bench.ports = replace(
        bench.ports,
        platforms={"whatsapp": whatsapp},
        policy=replace(bench.ports.policy, webhooks=frozenset(), capabilities=capabilities),
        sender=phone,
    )
    for source in (ANA, RIO):
        at = bench.clock.now()
        given = {"form": {}, "said": "hi", "address": "1:12025550100", "occurred_at": at}
        event = UserMessage.model_validate(
            {"id": "m1", "source": source, "actor": "customer", **given}
        )
        await apply_and_wake(bench.ports, event)
    bench.clock.forward(timedelta(days=2).total_seconds())
    return phone


async def says(bench: Any, key: str, conversation: str, body: dict[str, Any], **query: str) -> Any:
    """Returns the answer, or the refusal."""
    path = f"/v1/conversations/{conversation}/messages"
    sent = json.dumps({"messageId": "b1", "representative": BOT, **body}).encode()
    headers = {"authorization": f"Bearer {key}"}
    try:
        answer = await send_representative(
            bench.ports, RING, Request("POST", path, sent, headers, query)
        )
    except BatonError as error:
        return (error.code, error.reason, error.metadata.get("field"))
    return json.loads(answer.body)


async def test_a_key_that_may_sends_a_template_outside_of_the_window(
    bench: Any, phone: Phone
) -> None:
    answer = await says(bench, "may", ANA, {"template": SALE})
    assert answer["template"] == SALE
    assert "state" not in answer
    await deliver(bench.ports, ANA)
    (body,) = phone.bodies
    assert body["template"]["name"] == "sale"
    assert [one["text"] for one in body["template"]["components"][0]["parameters"]] == [
        "Ana",
        "10%",
    ]


@pytest.mark.parametrize(
    ("key", "conversation", "body", "refusal"),
    [
        ("may-not", ANA, {"template": SALE}, (403, "may-not-send-templates", None)),
        ("may", RIO, {"template": SALE}, (400, "no-templates", None)),
        ("may", RIO, {"template": SALE, "representative": HUMAN}, (400, "no-templates", None)),
        ("may", ANA, {"template": SALE, "text": "hi"}, (400, "schema", "")),
        (
            "may",
            ANA,
            {"template": {**SALE, "language": "Portuguese"}},
            (400, "schema", "template.language"),
        ),
        (
            "may",
            ANA,
            {"template": {**SALE, "parameters": ["a\nb"]}},
            (400, "schema", "template.parameters.0"),
        ),
        (
            "may",
            ANA,
            {"template": {**SALE, "parameters": ["a", " "]}},
            (400, "schema", "template.parameters.1"),
        ),
        (
            "may",
            ANA,
            {"template": SALE, "suggestions": [{"reply": {"text": "A", "postbackData": "a"}}]},
            (400, "schema", "suggestions"),
        ),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_its_field(
    bench: Any, phone: Phone, key: str, conversation: str, body: dict[str, Any], refusal: object
) -> None:
    assert await says(bench, key, conversation, body) == refusal
    await deliver(bench.ports, conversation)
    assert phone.bodies == []


@pytest.mark.parametrize("channel", [RCS, BUSINESS_MESSAGES, Csku().capabilities])
@pytest.mark.parametrize("representative", [BOT, HUMAN])
async def test_a_channel_without_templates_says_so(
    bench: Any, phone: Phone, channel: Capabilities, representative: dict[str, str]
) -> None:
    policy = bench.ports.policy
    able = {**policy.capabilities, "whatsapp": channel}
    bench.ports = replace(bench.ports, policy=replace(policy, capabilities=able))
    body = {"template": SALE, "representative": representative}
    assert await says(bench, "may", ANA, body) == (400, "no-templates", None)


async def test_the_fallback_of_a_template_is_a_message_like_any_other(
    bench: Any, phone: Phone
) -> None:
    body = {"template": SALE, "fallback": "10% for you"}
    answer = await says(bench, "may-not", ANA, body, forceFallback="true")
    assert answer[:2] == (409, "outside-window")


async def test_a_key_has_no_right_to_templates_unless_it_is_given(bench: Any, phone: Phone) -> None:
    with pytest.raises(BatonError, match="may not send templates"):
        await ask(
            bench.ports,
            "POST",
            f"/{ANA}/messages",
            {"messageId": "b1", "representative": BOT, "template": SALE},
        )
