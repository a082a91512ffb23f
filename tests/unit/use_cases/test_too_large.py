"""A customer who says a lot is heard by everybody who should hear them; what no record holds is
cut, and shows it.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.api.views import entry_view
from shared.conversations.apply import apply
from shared.conversations.receive_webhook import receive_webhook
from shared.conversations.too_large import CUT, cut
from shared.delivery.deliver import deliver
from shared.platforms.bodies import hmac_sha512_base64
from shared.platforms.business_messages.platform import BusinessMessages
from shared.ports import Ports, Webhooks
from shared.schemas.content import Content
from shared.schemas.events import Event, HumanMessage, Unsubscribed, UserMessage
from shared.schemas.http import Request
from shared.schemas.journal import Verdict
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType
from shared.stores.documents import BODY_LIMIT, from_entry
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import ANA, ports_of, says, signed
from tests.unit.use_cases.tenant import ID, World

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
BOT_HOOK, DESK_HOOK = "https://bot.test/hook", "https://desk.test/hook"
NAMES = {"displayName": "Ana " * 50, "userDeviceLocale": "en-US"}


def waiting(bench: Bench) -> World:
    """A customer with a desk that is called, a webhook for each audience, and real signatures."""
    world = World.on(bench)
    world.ports = replace(
        world.ports,
        policy=replace(world.ports.policy, webhooks=frozenset({"BOT", "HUMAN"})),
        webhooks=Webhooks({"BOT": BOT_HOOK, "HUMAN": DESK_HOOK}, "key"),
        platforms={
            **world.ports.platforms,
            "business_messages": BusinessMessages(("signing",), api_url="https://platform.test"),
        },
    )
    world.tenant.ports = world.ports
    return world


async def business_messages(ports: Ports, text: str, **more: Any) -> int:
    message = {"messageId": "m-large", "text": text, "createTime": "2026-01-01T00:00:00Z", **more}
    body = {
        "agent": "brands/b/agents/a",
        "conversationId": "3333",
        "requestId": "r-large",
        "message": message,
    }
    raw = json.dumps({**body, "context": {"userInfo": NAMES}}, ensure_ascii=False).encode()
    headers = {"x-goog-signature": hmac_sha512_base64("signing", raw)}
    return (
        await receive_webhook(ports, Request("POST", "/business_messages", raw, headers))
    ).status


def posted(world: World, url: str) -> list[str]:
    return [
        json.loads(call.body)["message"]["text"] for call in world.tenant.calls if call.url == url
    ]


async def heard(world: World) -> dict[str, str]:
    """Returns the customer's last words as each of those has them who should hear them."""
    topic = [
        body
        for body in world.bench.publisher.on(USER_MESSAGES)
        if body["audience"] == ["BOT", "HUMAN"]
    ]
    entry = next(entry for entry in await world.entries() if entry.event_id == "m-large")
    return {
        "topic": topic[-1]["message"]["text"],
        "bot": posted(world, BOT_HOOK)[-1],
        "desk": posted(world, DESK_HOOK)[-1],
        "chat": world.tenant.said[-1][1],
        "journal": entry_view(entry)["text"],
    }


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f642" * 65_536,
        "\U0001f468\u200d\U0001f469" * 20_000,
        '"\\\n' * 60_000,
        "\u0001" * 100_000,
    ],
    ids=["emoji", "families", "escaped", "control characters"],
)
async def test_a_customer_who_waits_and_says_a_lot_is_heard_by_everybody_as_they_said_it(
    bench: Bench, text: str
) -> None:
    world = waiting(bench)
    await world.asks_for_human()
    await world.until_settled()
    assert await business_messages(world.ports, text) == 200
    await world.until_settled()
    assert {who for who, said in (await heard(world)).items() if said != text} == set()
    topic = world.bench.publisher.on(USER_MESSAGES)[-1]
    assert topic["context"] == {"userInfo": NAMES}
    assert topic["message"]["messageId"] == "m-large"


async def test_while_anything_has_to_be_told_the_words_are_stored_once(bench: Bench) -> None:
    world = waiting(bench)
    await world.asks_for_human()
    await world.until_settled()
    text = "\U0001f642" * 65_536
    await business_messages(world.ports, text)
    [entry] = [one for one in await world.entries() if one.event_id == "m-large"]
    body = from_entry(entry).body
    assert body.count(text) == 1
    assert len(body.encode()) < len(text.encode()) + 10_000
    await world.until_settled()
    [entry] = [one for one in await world.entries() if one.event_id == "m-large"]
    assert (entry.form, entry.words_at) == (None, None)


@pytest.mark.parametrize("size", [1_000_000, 3_500_000])
async def test_what_no_record_holds_is_cut_with_a_mark_and_heard_all_the_same(
    bench: Bench, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world = waiting(bench)
    await world.asks_for_human()
    await world.until_settled()
    assert await business_messages(world.ports, "a" * size) == 200
    assert await business_messages(world.ports, "a" * size) == 200
    await world.until_settled()
    told = await heard(world)
    assert len(set(told.values())) == 1
    assert told["desk"].endswith(CUT)
    assert len(told["desk"]) > 800_000
    assert len(posted(world, DESK_HOOK)) == 1, "a repetition is still one"
    logged = map(json.loads, capsys.readouterr().out.splitlines())
    warned = [one["message"] for one in logged if one["severity"] == "WARNING"]
    assert "a fact was too large to store and was cut" in warned


async def test_what_stands_beside_the_words_is_cut_before_they_are(bench: Bench) -> None:
    world = waiting(bench)
    await world.asks_for_human()
    await world.until_settled()
    assert await business_messages(world.ports, "short", more=["x" * 1000] * 3000) == 200
    await world.until_settled()
    assert set((await heard(world)).values()) == {"short"}


async def test_an_id_as_long_as_a_letter_is_heard_once(bench: Bench) -> None:
    world = waiting(bench)
    await world.customer("hi")
    for _ in range(2):
        assert await business_messages(world.ports, "hello", messageId="m" * 1_200_000) == 200
    await world.deliver()
    assert [body["message"]["text"] for body in bench.publisher.on(USER_MESSAGES)] == [
        "hi",
        "hello",
    ]


async def test_a_body_of_three_megabytes_of_whatsapp_is_taken_message_by_message(
    bench: Bench,
) -> None:
    ports = ports_of(bench)
    texts = ["\U0001f642" * 65_536, "b" * 1_500_000, "c"]
    messages = [says(0, f"M{number}", text) for number, text in enumerate(texts)]
    assert (await receive_webhook(ports, signed(messages=messages))).status == 200
    await deliver(ports, ANA)
    said = [body["message"]["text"] for body in bench.publisher.on(USER_MESSAGES)]
    assert (said[0], said[2]) == (texts[0], texts[2])
    assert said[1].endswith(CUT)


async def test_a_human_of_a_desk_who_says_too_much_is_shown_as_far_as_it_goes(bench: Bench) -> None:
    world = World.on(bench)
    await world.customer("hi")
    for number, length in enumerate((300_000, 4_000_000)):
        content = Content.model_construct(text=f"{number}" * length)
        event = HumanMessage(
            id=f"h{number}", source=ID, actor="p", representative=JANE, content=content
        )
        assert (await apply(world.ports, event)).verdict is Verdict.ACCEPTED
    await world.deliver()
    said = "".join(one["text"] for one in world.tenant.shown if "text" in one)
    assert said.startswith("0" * 300_000 + "1" * 100_000)
    assert said.endswith(CUT)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Unsubscribed, lambda: {"said": "x" * 2_000_000}),
        (UserMessage, lambda: {"form": {"a": "x" * 2_000_000}}),
        (UserMessage, lambda: {"form": {"a": [{"b": "x"}] * 200_000}}),
        (UserMessage, lambda: {"form": {}, "customer_name": "x" * 2_000_000}),
    ],
    ids=["unsubscribed", "a long value", "many values", "a long name"],
)
async def test_no_other_fact_is_dropped_for_its_size(
    bench: Bench, kind: type[Event], fields: Callable[[], dict[str, Any]]
) -> None:
    event = kind(id="e", source=ID, address="3333", actor="p", **fields())
    assert (await apply(bench.ports, event)).verdict is Verdict.ACCEPTED
    await deliver(bench.ports, ID)


@pytest.mark.parametrize("text", ["a" * 99, "\U0001f642" * 40, "\u0001" * 30, ""])
@pytest.mark.parametrize("most", [2, 10, 50, 200])
def test_a_cut_text_takes_no_more_than_it_may_and_says_that_it_is_cut(text: str, most: int) -> None:
    found = cut(text, most)
    assert text.startswith(found.removesuffix(CUT))
    assert len(json.dumps(found.removesuffix(CUT), ensure_ascii=False).encode()) <= most
    assert found.endswith(CUT) is (found != text)


def test_the_first_cut_fits_a_record() -> None:
    """A document has 1 MiB for names, fields that are queried, and the body."""
    assert BODY_LIMIT <= (1 << 20) - 20_000
