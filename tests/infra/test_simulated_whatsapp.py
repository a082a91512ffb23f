"""The simulated WhatsApp keeps what is known of the real one: no ids of ours, a window, limits,
statuses, echoes.
"""

import json
from typing import Any

import pytest

from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.whatsapp import NUMBER, WhatsAppSimulator
from shared.schemas.content import Content, Template
from shared.schemas.events import HumanMessage, Undelivered
from shared.schemas.http import Call
from shared.schemas.ids import hidden
from tests.infra.simulated import PHONE, WHATSAPP, ask, customer, says, sent, shown, told


@pytest.fixture
def whatsapp() -> WhatsAppSimulator:
    return WhatsAppSimulator(PlatformStore(":memory:"), "", "secret", "access")


async def test_whatsapp_shows_the_same_call_twice(whatsapp: WhatsAppSimulator) -> None:
    await says(whatsapp)
    answers = [await sent(whatsapp) for _ in range(2)]
    assert len({json.loads(answer.body)["messages"][0]["id"] for answer in answers}) == 2
    assert shown(whatsapp) == ["Hello", "Hello"]


async def test_whatsapp_tells_how_far_a_message_came(whatsapp: WhatsAppSimulator) -> None:
    await says(whatsapp)
    native = json.loads((await sent(whatsapp)).body)["messages"][0]["id"]
    await customer(whatsapp, f"/customers/{PHONE}/status", {"read": native})
    kinds = [one.form["receipts"]["receipts"][0]["receiptType"] for one in told(whatsapp)[1:]]
    assert kinds == ["DELIVERED", "READ"]
    await customer(whatsapp, f"/customers/{PHONE}/status", {"failed": native})
    (failed,) = told(whatsapp)
    assert isinstance(failed, Undelivered)
    assert failed.message == hidden(native)


async def test_whatsapp_closes_its_window_after_a_day_and_opens_it_with_the_next_word(
    whatsapp: WhatsAppSimulator,
) -> None:
    await says(whatsapp)
    await customer(whatsapp, f"/customers/{PHONE}/status", {"silentHours": 25})
    answer = await sent(whatsapp)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, 131047)
    template = Template(name="answer_ready", language="en", parameters=("A1",))
    assert (await sent(whatsapp, template=template)).status == 200
    await says(whatsapp, "Still there?")
    assert (await sent(whatsapp)).status == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"auth": "bearer:guess"}, 401),
        ({"auth": "none"}, 401),
        ({"body": b"{}"}, 400),
        ({"body": b"["}, 400),
    ],
)
async def test_whatsapp_refuses_who_has_no_token_and_what_is_no_message(
    whatsapp: WhatsAppSimulator, change: dict[str, Any], status: int
) -> None:
    await says(whatsapp)
    call = {
        "method": "POST",
        "url": f"{WHATSAPP.api_url}/{NUMBER}/messages",
        "body": b"{}",
        "auth": "bearer:access",
    }
    assert (await ask(whatsapp, Call(**{**call, **change}))).status == status


async def test_whatsapp_keeps_its_limits_and_knows_whom_it_can_reach(
    whatsapp: WhatsAppSimulator,
) -> None:
    assert (await sent(whatsapp)).status == 400
    await says(whatsapp)
    assert (await sent(whatsapp, "x" * 4096)).status == 200
    tall = {
        "messaging_product": "whatsapp",
        "to": PHONE,
        "type": "text",
        "text": {"body": "x" * 4097},
    }
    url = f"{WHATSAPP.api_url}/{NUMBER}/messages"
    assert (
        await ask(whatsapp, Call("POST", url, json.dumps(tall).encode(), auth="bearer:access"))
    ).status == 400


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("+12025550100", 200),
        ("+1 (202) 555-0100", 200),
        ("2025550100", 200),  # the business is in the same country
        ("12025550100", 400),  # +1 1202..., another number
        ("nobody", 400),
    ],
)
async def test_the_calling_code_of_the_business_stands_before_a_number_without_plus(
    whatsapp: WhatsAppSimulator, to: str, status: int
) -> None:
    await says(whatsapp)
    body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "Hi"}}
    url = f"{WHATSAPP.api_url}/{NUMBER}/messages"
    call = Call("POST", url, json.dumps(body).encode(), auth="bearer:access")
    assert (await ask(whatsapp, call)).status == status


async def test_every_way_to_send_chips_is_accepted(whatsapp: WhatsAppSimulator) -> None:
    await says(whatsapp)
    for number in (1, 3, 4, 10, 11):
        suggestions = [
            {"reply": {"text": f"Chip {one}", "postbackData": f"p{one}"}} for one in range(number)
        ]
        content = Content.model_validate({"text": f"{number}", "suggestions": suggestions})
        assert (
            await sent(whatsapp, content.text or "", suggestions=content.suggestions)
        ).status == 200
    shown = [row["body"] for row in whatsapp.store.transcript(PHONE) if row["side"] == "business"]
    assert [len(body.get("suggestions", [])) for body in shown] == [1, 3, 4, 10, 0]


async def test_what_a_person_types_in_the_business_app_is_an_echo(
    whatsapp: WhatsAppSimulator,
) -> None:
    await customer(whatsapp, f"/customers/{PHONE}/echo", {"text": "I am here"})
    (event,) = told(whatsapp)
    assert isinstance(event, HumanMessage)
    assert (event.delivered, event.text) == (True, "I am here")
    assert shown(whatsapp) == ["I am here"]


async def test_a_customer_changes_deletes_and_reacts(whatsapp: WhatsAppSimulator) -> None:
    of = (await says(whatsapp, "Street 12"))["messageId"]
    native = json.loads((await sent(whatsapp)).body)["messages"][0]["id"]
    told(whatsapp)
    path = f"/customers/{PHONE}/messages/{of}"
    await customer(whatsapp, path, {"text": "Street 21"}, "PATCH")
    await customer(whatsapp, f"/customers/{PHONE}/reactions", {"message": native, "emoji": "!"})
    await customer(whatsapp, path, {}, "DELETE")
    edited, reacted, revoked = told(whatsapp)
    assert (edited.kind, edited.said, edited.about) == ("edited", "Street 21", hidden(of))
    assert (reacted.kind, reacted.said, reacted.about) == ("reaction", "!", hidden(native))
    assert (revoked.kind, revoked.about) == ("revoked", hidden(of))
    refused = await customer(whatsapp, f"/customers/{PHONE}/messages/none", {"text": "x"}, "PATCH")
    assert refused["error"]["code"] == 404
    (known,) = whatsapp.store.conversations()
    assert known["said"] == "Street 21"


async def test_a_change_or_a_deletion_opens_no_window(whatsapp: WhatsAppSimulator) -> None:
    of = (await says(whatsapp))["messageId"]
    await customer(whatsapp, f"/customers/{PHONE}/status", {"silentHours": 25})
    await customer(whatsapp, f"/customers/{PHONE}/messages/{of}", {}, "DELETE")
    assert (await sent(whatsapp)).status == 400
