"""The simulated WhatsApp keeps what is known of the real one: no ids of ours, a window, limits,
statuses, echoes.
"""

import json
from typing import Any

import pytest

from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.whatsapp import NUMBER, WhatsAppSimulator
from shared.schemas.commands import GiveFloor, MoveFloor, SendMessage, SendReaction, TakeFloor
from shared.schemas.content import Content, Template
from shared.schemas.conversation import Holder
from shared.schemas.events import FloorMoved, HumanMessage, Overheard, Undelivered, UserMessage
from shared.schemas.http import Call
from shared.schemas.notation import hidden
from tests.infra.simulated import BOT, PHONE, WHATSAPP, ask, customer, says, sent, shown, told


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


async def test_the_business_reacts_to_a_message_and_answers_it(
    whatsapp: WhatsAppSimulator,
) -> None:
    of, to = (await says(whatsapp, "Street 12"))["messageId"], f"{NUMBER}|{PHONE.lstrip('+')}"
    for emoji in ("👍", None):
        reaction = SendReaction(id="1", to=to, representative=BOT, about=of, emoji=emoji)
        assert (await ask(whatsapp, called(reaction))).status == 200
    said = Content(text="Thank you")
    answer = SendMessage(id="2", to=to, representative=BOT, content=said, about=of)
    await ask(whatsapp, called(answer))
    rows = [row for row in whatsapp.store.transcript(PHONE) if row["side"] == "business"]
    assert [row["body"] for row in rows] == [
        {"of": of, "emoji": "👍"},
        {"of": of},
        {"text": "Thank you", "about": of},
    ]
    lost = SendReaction(id="3", to=to, representative=BOT, about="wamid.none", emoji="👍")
    assert json.loads((await ask(whatsapp, called(lost))).body)["error"]["code"] == 131009


def called(command: SendMessage | SendReaction) -> Call:
    call = WHATSAPP.call(command)
    assert call is not None
    return call


async def test_a_change_or_a_deletion_opens_no_window(whatsapp: WhatsAppSimulator) -> None:
    of = (await says(whatsapp))["messageId"]
    await customer(whatsapp, f"/customers/{PHONE}/status", {"silentHours": 25})
    await customer(whatsapp, f"/customers/{PHONE}/messages/{of}", {}, "DELETE")
    assert (await sent(whatsapp)).status == 400


async def test_a_customer_without_a_number_is_written_to_by_their_user_id(
    whatsapp: WhatsAppSimulator,
) -> None:
    newcomer = await customer(whatsapp, "/customers", {"displayName": "Ana", "username": True})
    key = newcomer["id"]
    assert key.startswith("US.")
    await customer(whatsapp, f"/customers/{key}/messages", {"text": "hi"})
    (said,) = told(whatsapp)
    assert said.source == newcomer["conversation"]
    assert isinstance(said, UserMessage)
    assert said.address == f"{NUMBER}|{key}"
    call = WHATSAPP.call(
        SendMessage(id="m", to=said.address, representative=BOT, content=Content(text="Hello"))
    )
    assert call is not None
    answer = await ask(whatsapp, call)
    assert answer.status == 200
    (contact,) = json.loads(answer.body)["contacts"]
    assert contact == {"input": key, "user_id": key}
    assert [one["body"]["text"] for one in whatsapp.store.transcript(key)] == ["hi", "Hello"]
    await customer(whatsapp, f"/customers/{key}/echo", {"text": "from the app"})
    echo = told(whatsapp)[-1]
    assert isinstance(echo, HumanMessage)
    assert echo.source == newcomer["conversation"]


async def test_a_customer_hides_the_number_after_one_message_that_tells_both(
    whatsapp: WhatsAppSimulator,
) -> None:
    for hides in (None, True, True, False):
        if hides is not None:
            await customer(whatsapp, f"/customers/{PHONE}/status", {"hidesNumber": hides})
        await customer(whatsapp, f"/customers/{PHONE}/messages", {"text": "hi"})
    given = [sorted(name.strong for name in one.names) for one in told(whatsapp)]
    assert given == [[False], [False, True], [True], [False]]
    assert [one["body"]["text"] for one in whatsapp.store.transcript(PHONE)] == ["hi"] * 4


async def test_a_customer_shares_the_number_that_is_asked_for(whatsapp: WhatsAppSimulator) -> None:
    await says(whatsapp)
    ask_for = {"reply": {"text": "My number", "postbackData": "baton:request-contact-info"}}
    content = Content.model_validate({"text": "May we call?", "suggestions": [ask_for]})
    call = WHATSAPP.call(
        SendMessage(id="m", to=f"{NUMBER}|{PHONE}", representative=BOT, content=content)
    )
    assert call is not None
    assert (await ask(whatsapp, call)).status == 200
    (chip,) = whatsapp.store.transcript(PHONE)[-1]["body"]["suggestions"]
    told(whatsapp)
    tap = {"text": chip["reply"]["text"], "postbackData": chip["reply"]["postbackData"]}
    await customer(whatsapp, f"/customers/{PHONE}/messages", tap)
    (said,) = told(whatsapp)
    assert isinstance(said, UserMessage)
    assert PHONE in str(said.said)


async def control(whatsapp: WhatsAppSimulator, command: MoveFloor) -> int:
    call = WHATSAPP.call(command)
    assert call is not None
    return (await ask(whatsapp, call)).status


TO = f"{NUMBER}|{PHONE.removeprefix('+')}"
TAKE, RELEASE = TakeFloor(id="t", to=TO), GiveFloor(id="g", to=TO)
PASS = GiveFloor(id="p", to=TO, shared=True)


async def agent(whatsapp: WhatsAppSimulator, **body: bool) -> dict[str, Any]:
    return await customer(whatsapp, f"/customers/{PHONE}/agent", body, "PUT")


async def test_a_thread_has_one_owner_and_the_others_hear_it_on_standby(
    whatsapp: WhatsAppSimulator,
) -> None:
    await agent(whatsapp, answers=True)
    await says(whatsapp, "Do you deliver?")
    heard, answer = told(whatsapp)
    assert (heard.said, heard.floor) == ("Do you deliver?", Holder.THEIRS)
    assert isinstance(answer, Overheard)
    assert await control(whatsapp, RELEASE) == 400, "Baton is not the owner"
    assert await control(whatsapp, TAKE) == 200
    assert told(whatsapp) == [], "a take is reported to the previous owner"
    await says(whatsapp, "Hello?")
    assert [one.floor for one in told(whatsapp)] == [Holder.OURS]
    assert await control(whatsapp, PASS) == 200
    await says(whatsapp, "And now?")
    assert [one.floor for one in told(whatsapp)] == [Holder.THEIRS, None]


async def test_a_release_is_reported_to_nobody_and_the_entry_point_decides(
    whatsapp: WhatsAppSimulator,
) -> None:
    await says(whatsapp)
    await agent(whatsapp, answers=True)
    assert await control(whatsapp, TAKE) == await control(whatsapp, RELEASE) == 200
    told(whatsapp)
    await says(whatsapp, "And now?")
    assert told(whatsapp)[0].floor is Holder.THEIRS


async def test_metas_agent_passes_who_wants_a_person(whatsapp: WhatsAppSimulator) -> None:
    await agent(whatsapp, answers=True)
    await says(whatsapp, "A person, please")
    moved = told(whatsapp)[-1]
    assert isinstance(moved, FloorMoved)
    assert (moved.floor, moved.human_wanted) == (Holder.OURS, True)
    assert (await sent(whatsapp)).status == 200


async def test_only_the_escalation_partner_takes_a_thread_also_by_sending(
    whatsapp: WhatsAppSimulator,
) -> None:
    await agent(whatsapp, answers=True)
    await says(whatsapp)
    assert (await agent(whatsapp, partner=False))["owner"] == "ai_agent"
    assert await control(whatsapp, TAKE) == 400
    assert (await sent(whatsapp)).status == 400
    await agent(whatsapp, partner=True)
    assert (await sent(whatsapp)).status == 200
    assert (await customer(whatsapp, f"/customers/{PHONE}/agent", {}, "GET"))[
        "owner"
    ] == "escalation"
