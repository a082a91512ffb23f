"""What comes beside the words of a WhatsApp message reaches bot, desk and journal: what a message
quotes, what was ordered, reactions, edits, deletions.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.api.views import entry_view
from shared.conversations import requests as control
from shared.conversations.apply import apply
from shared.conversations.receive_webhook import receive_webhook
from shared.conversations.resolve import where_it_acts
from shared.delivery.deliver import deliver
from shared.platforms.bodies import hmac_sha256_hex
from shared.ports import Ports
from shared.schemas.conversation import AwaitedReply, Phase
from shared.schemas.events import Claim, VariablesCaptured
from shared.schemas.http import Request
from shared.schemas.notation import conversation_id, hidden
from shared.schemas.notifications import VARIABLES
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience, Provenance, Variable
from tests.unit.use_cases.phones_play import ANA, RCS_ANA, bot, ports_of, rcs, says, signed, wamid

BY_USER_ID = conversation_id("whatsapp", "1:US.1")
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")


@pytest.fixture
def ports(bench: Any) -> Ports:
    return ports_of(bench)


def item(native: str, **what: Any) -> dict[str, Any]:
    return {"from": "12025550100", "id": wamid(native), **what}


def text(native: str, body: str, **more: Any) -> dict[str, Any]:
    return item(native, type="text", text={"body": body}, **more)


def edit(native: str, of: str, body: str) -> dict[str, Any]:
    message = {"type": "text", "text": {"body": body}}
    inner = {"original_message_id": wamid(of), "message": message}
    return item(native, type="edit", edit=inner)


def revoke(native: str, of: str) -> dict[str, Any]:
    return item(native, type="revoke", revoke={"original_message_id": wamid(of)})


def reaction(native: str, of: str) -> dict[str, Any]:
    return item(native, type="reaction", reaction={"message_id": of, "emoji": "👍"})


async def take(ports: Ports, *messages: dict[str, Any]) -> None:
    await receive_webhook(ports, signed(messages=list(messages)))
    await deliver(ports, ANA)


async def claim(ports: Ports) -> None:
    what = Claim(id="c", source=ANA, actor="key:desk", key="desk", fact=False, representative=JANE)
    await control.accept(ports, what)


def heard(bench: Any, audience: str) -> list[Any]:
    every = bench.publisher.on("baton-user-messages")
    return [one for one in every if audience in one["audience"] and "receipts" not in one]


async def journal(ports: Ports) -> list[dict[str, Any]]:
    page = await ports.store.journal(ANA, None, 100)
    return [entry_view(one.value) for one in page.items]


async def test_a_quoted_message_is_named_as_its_reader_knows_it(ports: Ports, bench: Any) -> None:
    await take(ports, says(0, "A1", "Which boots?"))
    await control.accept(ports, bot(ANA, "my-1"))
    await deliver(ports, ANA)
    ours = wamid("OURS2")  # the first call was the bot's webhook
    await take(ports, text("A2", "These!", context={"id": ours}))
    await take(ports, text("A3", "I meant this", context={"id": wamid("A1")}))
    await take(ports, text("A4", "And that", context={"id": wamid("GONE")}))
    told = [one["details"]["about"] for one in heard(bench, "BOT")[1:]]
    assert told == [
        {"message": "my-1", "by": "BOT", "text": "News!"},
        {"message": hidden(wamid("A1")), "by": "CUSTOMER", "text": "Which boots?"},
        {"message": hidden(wamid("GONE"))},
    ]
    shown = [one["details"]["about"] for one in await journal(ports) if "details" in one]
    assert shown == told


async def test_an_order_is_told_in_words_and_as_data(ports: Ports, bench: Any) -> None:
    items = [
        {"product_retailer_id": "CHA", "quantity": 2, "item_price": 30.5, "currency": "BRL"},
        {"product_retailer_id": "PAO", "quantity": 1, "item_price": 45, "currency": "BRL"},
    ]
    order = {"catalog_id": "7", "text": "Now, please", "product_items": items}
    await take(ports, item("A1", type="order", order=order))
    (told,) = heard(bench, "BOT")
    assert told["message"]["text"] == (
        "[order]\nNow, please\n2 × CHA, 30.5 BRL\n1 × PAO, 45 BRL\n= 106 BRL"
    )
    assert told["details"]["order"]["totals"] == {"BRL": "106"}
    (entry,) = [one for one in await journal(ports) if one["kind"] == "user_message"]
    assert entry["details"] == told["details"]


async def test_a_reaction_is_for_humans_and_for_a_bot_that_asks(ports: Ports, bench: Any) -> None:
    await take(ports, says(0, "A1"))
    await control.accept(ports, bot(ANA, "my-1"))
    await deliver(ports, ANA)
    await take(ports, reaction("R1", wamid("OURS2")))
    assert len(heard(bench, "BOT")) == 1
    asking = replace(ports, policy=replace(ports.policy, bot_hears=frozenset({"reaction"})))
    await take(asking, reaction("R2", wamid("OURS2")))
    told = heard(bench, "BOT")[-1]
    assert "message" not in told
    assert told["details"] == {
        "about": {"message": "my-1", "by": "BOT", "text": "News!"},
        "reaction": {"emoji": "👍"},
    }
    await claim(ports)
    await take(ports, reaction("R3", wamid("OURS2")))
    assert heard(bench, "HUMAN")[-1]["details"] == told["details"]
    kinds = [one["kind"] for one in await journal(ports)]
    assert kinds.count("reaction") == 3


@pytest.mark.parametrize("human", [False, True], ids=["the bot", "bot and human"])
async def test_an_edit_and_a_deletion_reach_those_who_heard_the_message(
    ports: Ports, bench: Any, human: bool
) -> None:
    await take(ports, says(0, "A1", "Street 12"))
    if human:
        await claim(ports)
    await take(ports, edit("E1", "A1", "Street 21"), revoke("D1", "A1"))
    hearers = ["BOT", *(["HUMAN"] if human else [])]
    edited, deleted = heard(bench, "BOT")[-2:]
    for one in (edited, deleted):
        assert one["audience"] == hearers
        assert "message" not in one
    about = {"message": hidden(wamid("A1")), "by": "CUSTOMER"}
    assert edited["details"] == {"about": about, "edited": {"text": "Street 21"}}
    assert deleted["details"] == {"about": about, "revoked": {}}
    said = [(one["kind"], one.get("text")) for one in await journal(ports)]
    assert {("user_message", "Street 12"), ("edited", "Street 21"), ("revoked", None)} <= set(said)


async def test_an_edit_in_the_same_batch_knows_its_message(ports: Ports, bench: Any) -> None:
    await claim_after_hello(ports)
    await take(ports, says(0, "A1", "Street 12"), edit("E1", "A1", "Street 21"))
    told = heard(bench, "HUMAN")[-1]
    assert told["audience"] == ["HUMAN"]
    assert told["details"]["about"]["by"] == "CUSTOMER"


async def claim_after_hello(ports: Ports) -> None:
    await take(ports, says(0, "A0"))
    await claim(ports)


async def test_an_edit_opens_no_window(ports: Ports, bench: Any) -> None:
    await take(ports, says(0, "A1"))
    bench.clock.forward(25 * 3600)
    await take(ports, revoke("D1", "A1"))
    found = await ports.store.load(ANA)
    assert found is not None
    assert ports.policy.is_outside_window(found.value, bench.clock.now())


@pytest.mark.parametrize("kind", ["TTL_EXPIRATION_REVOKED", "TTL_EXPIRATION_REVOKE_FAILED"])
async def test_who_sent_a_message_hears_that_it_expired(
    ports: Ports, bench: Any, kind: str
) -> None:
    await receive_webhook(ports, rcs(text="hi", messageId="m1"))
    await control.accept(ports, bot(RCS_ANA, "my-1"))
    await deliver(ports, RCS_ANA)
    sent = next(call.url for call in ports.sender.calls if "messageId=" in call.url)  # type: ignore[attr-defined]
    theirs = sent.partition("messageId=")[2].partition("&")[0]
    bench.publisher.published.clear()
    ports.sender.calls.clear()  # type: ignore[attr-defined]
    await receive_webhook(ports, rcs(eventType=kind, eventId="e1", messageId=theirs))
    await deliver(ports, RCS_ANA)
    (told,) = heard(bench, "BOT")
    lost: Any = told["details"]["undelivered"]
    assert lost["message"] == "my-1"
    assert "expired" in lost["reason"]
    (posted,) = [json.loads(call.body) for call in ports.sender.calls]  # type: ignore[attr-defined]
    assert posted["details"] == told["details"]


async def test_no_wamid_leaves_with_what_comes_beside_the_words(ports: Ports, bench: Any) -> None:
    await take(
        ports,
        text("A1", "hi", context={"id": wamid("X"), "from": "12025550100"}),
        reaction("R1", wamid("X")),
        edit("E1", "A1", "ho"),
        revoke("D1", "A1"),
    )
    outside = json.dumps([bench.publisher.published, await journal(ports)])
    assert "wamid" not in outside
    assert "12025550100" not in outside


async def test_an_order_that_is_too_large_to_store_is_cut(ports: Ports, bench: Any) -> None:
    one = {"product_retailer_id": "P" * 40, "quantity": 1, "item_price": 1, "currency": "EUR"}
    order = {"catalog_id": "7", "text": "All of it", "product_items": [one] * 12_000}
    await take(ports, item("A1", type="order", order=order))
    (told,) = heard(bench, "BOT")
    assert "All of it" in told["message"]["text"]
    items = told["details"]["order"]["items"]
    assert 0 < len(items) < 12_000


async def test_a_person_who_sends_buttons_from_the_app_counts_as_a_human(ports: Ports) -> None:
    await take(ports, says(0, "A1"))
    sent = {"id": wamid("E1"), "to": "12025550100", "type": "interactive", "interactive": {}}
    value = {"metadata": {"phone_number_id": "1"}, "message_echoes": [sent]}
    changes = [{"field": "smb_message_echoes", "value": value}]
    body = json.dumps({"entry": [{"changes": changes}]}).encode()
    proof = {"x-hub-signature-256": f"sha256={hmac_sha256_hex('s', body)}"}
    await receive_webhook(ports, Request("POST", "/whatsapp", body, proof))
    found = await ports.store.load(ANA)
    assert found is not None
    assert found.value.phase is Phase.HUMAN


async def test_a_customer_who_hides_the_number_may_still_change_a_message(
    ports: Ports, bench: Any
) -> None:
    both = {"wa_id": "12025550100", "user_id": "US.1"}
    await receive_webhook(ports, signed(messages=[says(0, "A1", "Street 12")], contacts=[both]))
    changed = {**edit("E1", "A1", "Street 21"), "from_user_id": "US.1"}
    del changed["from"]
    await receive_webhook(ports, signed(messages=[changed]))
    await deliver(ports, BY_USER_ID)
    first, told = heard(bench, "BOT")
    assert first["conversation"] == told["conversation"]
    assert told["details"]["about"] == {"message": hidden(wamid("A1")), "by": "CUSTOMER"}
    assert told["details"]["edited"] == {"text": "Street 21"}


async def test_a_message_from_before_the_user_id_was_known_may_be_changed(
    ports: Ports, bench: Any
) -> None:
    await take(ports, says(0, "A1", "Street 12"))
    both = {"wa_id": "12025550100", "user_id": "US.1"}
    changed = {**edit("E1", "A1", "Street 21"), "from_user_id": "US.1"}
    await receive_webhook(ports, signed(messages=[changed], contacts=[both]))
    await deliver(ports, ANA)
    first, told = heard(bench, "BOT")
    assert first["conversation"] == told["conversation"] == ANA
    assert told["details"]["about"] == {"message": hidden(wamid("A1")), "by": "CUSTOMER"}


async def awaits(ports: Ports, *audiences: Audience) -> None:
    """The bot asks for an address, and captures the customer's next words."""
    until = ports.clock.now() + timedelta(hours=1)
    awaited = AwaitedReply(key="address", audiences=audiences, until=until)
    await apply(
        ports, VariablesCaptured(id="v-1", source=ANA, actor="bot", variables=(), awaited=awaited)
    )


def captured(bench: Any) -> list[Any]:
    return [one["variables"]["address"] for one in bench.publisher.on(VARIABLES)]


async def test_an_edit_of_a_captured_reply_changes_the_variable(ports: Ports, bench: Any) -> None:
    await take(ports, says(0, "A0"))
    await awaits(ports, Audience.EVENT, Audience.AGENT)
    await take(ports, says(0, "A1", "Street 12"), says(0, "A2", "Anything else?"))
    for _ in range(2):
        await take(ports, edit("E1", "A1", "Street 21"), edit("E2", "A2", "No, thanks"))
    assert captured(bench) == ["Street 12", "Street 21"]
    found = await ports.store.load(ANA)
    assert found is not None
    assert [(one.key, one.value) for one in found.value.variables] == [("address", "Street 21")]


async def test_an_edit_of_an_earlier_reply_changes_no_later_value(ports: Ports, bench: Any) -> None:
    await take(ports, says(0, "A0"))
    await awaits(ports, Audience.EVENT)
    await take(ports, says(0, "A1", "Street 12"))
    later = Variable(
        key="address",
        value="Street 33",
        captured_at=ports.clock.now(),
        audiences=(Audience.EVENT,),
        provenance=Provenance(signed=True),
    )
    event = VariablesCaptured(id="v-2", source=ANA, actor="bot", variables=(later,))
    await apply(ports, event)
    await take(ports, edit("E1", "A1", "Street 21"))
    assert captured(bench)[-1] == "Street 33"


@pytest.mark.parametrize("joined", [False, True])
async def test_the_new_words_of_a_hidden_reply_are_hidden_also_after_a_join(
    ports: Ports, bench: Any, joined: bool
) -> None:
    """The reply may be in the journal of a conversation that became part of another one."""
    await take(ports, says(0, "A0"))
    await awaits(ports, Audience.EVENT)
    await take(ports, says(0, "A1", "Street 12"))
    both = {"wa_id": "12025550100", "user_id": "US.1"}
    if joined:
        first = {**text("U1", "by name only"), "from_user_id": "US.1"}
        del first["from"]
        await receive_webhook(ports, signed(messages=[first]))
        await apply(
            ports,
            Claim(
                id="c", source=BY_USER_ID, actor="key:d", key="d", fact=False, representative=JANE
            ),
        )
        await receive_webhook(ports, signed(messages=[text("U2", "both")], contacts=[both]))
        acting = await where_it_acts(ports, ANA)
        assert acting is not None
        assert [one.id for one in acting.value.formerly] == [ANA]
    await take(ports, edit("E1", "A1", "Street 21"))
    await deliver(ports, BY_USER_ID)
    told = [one for one in heard(bench, "HUMAN") if "edited" in one.get("details", {})]
    assert "Street 21" not in json.dumps(told)
    assert captured(bench)[-1] == "Street 21"
