"""What `:link` of one channel to another does, and what it refuses."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from infra.local.oracle import as_labelled, texts, violations
from shared.api.routes import send_representative
from shared.conversations.id_translation import in_our_ids
from shared.customers.join_channels import CARRIED
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.ephemeral import Receipt
from shared.schemas.http import Request
from shared.schemas.notifications import HANDOFFS
from tests.property.clients import KEYRING, Clients
from tests.property.ground import DESK
from tests.property.ledger import remains

HERE, THERE = "business_messages:c0", "bare:p0"
JOINED, LEFT = "REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"

Do = Callable[..., Awaitable[str]]


async def settle(clients: Clients) -> None:
    for conversation in (HERE, THERE):
        await deliver(clients.world.instances[0], conversation)


@pytest.fixture
async def do(clients: Clients) -> Do:
    """Returns what asks as somebody; the customer has written on both channels."""
    for channel in (HERE, THERE):
        await clients.post(clients.world.instances[0], clients.says(channel))
    await settle(clients)

    async def ask(conversation: str, key: str, path: str, **body: Any) -> str:
        return await clients.send(
            clients.world.instances[0], clients.ask(conversation, key, path, body)
        )

    return ask


async def state(clients: Clients, conversation: str) -> Conversation:
    found = await clients.world.peek(conversation)
    assert found is not None
    return found


async def told(clients: Clients, conversation: str) -> list[tuple[str, str]]:
    await settle(clients)
    published = clients.world.topics.published.get(HANDOFFS, [])
    return [
        (one["type"], one["reason"]) for one in published if one["conversation"] == conversation
    ]


async def claim(do: Do, conversation: str, key: str = "desk-1", name: str = "Jane") -> str:
    return await do(conversation, key, ":claim", representative={"displayName": name})


async def test_the_answer_says_what_a_link_has_done(clients: Clients, do: Do) -> None:
    ports, path = clients.world.instances[0], f"/v1/conversations/{THERE}:link"
    request = Request(
        "POST", path, json.dumps({"to": HERE}).encode(), {"authorization": "Bearer admin"}
    )
    answer = json.loads((await send_representative(ports, KEYRING, request)).body)
    assert answer["link"] == {
        "kind": "channel",
        "conversation": THERE,
        "to": HERE,
        "repliesOn": HERE,
        "phase": "BOT",
    }
    assert answer["linkedTo"] == HERE
    again = json.loads((await send_representative(ports, KEYRING, request)).body)
    assert (again["link"], again["version"]) == (answer["link"], answer["version"])
    desk = Request("POST", "/v1/conversations/csku:d0:link", request.body, request.headers)
    assert (
        json.loads((await send_representative(ports, KEYRING, desk)).body)["link"]["kind"] == "desk"
    )
    read = Request("GET", f"/v1/conversations/{HERE}", b"", request.headers)
    shown = json.loads((await send_representative(ports, KEYRING, read)).body)
    assert [(one["conversation"], one["inUse"]) for one in shown["channels"]] == [
        (HERE, True),
        (THERE, False),
    ]


async def test_an_unknown_channel_cannot_be_joined(do: Do) -> None:
    assert await do("bare:p9", "admin", ":link", to=HERE) == "missing"
    assert await do(THERE, "admin", ":link", to="business_messages:c9") == "missing"
    assert await do(THERE, "bot", ":link", to=HERE) == "PERMISSION_DENIED"


async def test_humans_on_both_sides_are_not_put_together(clients: Clients, do: Do) -> None:
    await claim(do, HERE)
    await claim(do, THERE, "desk-2", "Sam")
    await settle(clients)
    assert await do(THERE, "admin", ":link", to=HERE) == "refused"
    assert clients.asks[-1].metadata == {"reason": "both-held", "holder": "Sam, Jane"}


async def test_what_is_still_being_delivered_there_comes_first(clients: Clients, do: Do) -> None:
    await clients.send(clients.world.instances[0], clients.message(THERE, "bot", "Bot"))
    assert await do(THERE, "admin", ":link", to=HERE) == "refused"
    assert clients.asks[-1].metadata["reason"] == "outbox-pending"
    await settle(clients)
    assert await do(THERE, "admin", ":link", to=HERE) == "ok"
    await clients.send(clients.world.instances[0], clients.message(THERE, "bot", "Bot"))
    assert await do(THERE, "admin", ":unlink") == "refused"
    await settle(clients)
    assert await do(THERE, "admin", ":unlink") == "ok"


async def test_no_chains(clients: Clients, do: Do) -> None:
    third = "business_messages:c1"
    await clients.post(clients.world.instances[0], clients.says(third))
    await settle(clients)
    assert await do(THERE, "admin", ":link", to=HERE) == "ok"
    for desk, to in (("csku:d0", THERE), (HERE, THERE), (HERE, third)):
        assert await do(desk, "admin", ":link", to=to) == "refused"
    await deliver(clients.world.instances[0], third)
    assert await do(third, "admin", ":link", to=HERE) == "ok"


async def test_a_channels_desk_goes_along_and_its_agent_reaches_the_customer_where_they_are(
    clients: Clients, do: Do
) -> None:
    assert await do(DESK, "admin", ":link", to=THERE) == "ok"
    assert await do(THERE, "admin", ":link", to=HERE) == "ok"
    assert (await state(clients, HERE)).links == (DESK, THERE)
    assert ((await state(clients, THERE)).links, (await state(clients, DESK)).linked_to) == (
        (),
        HERE,
    )
    clients.world.clock.advance(5)
    await clients.post(clients.world.instances[0], clients.says(THERE))
    await clients.post(
        clients.world.instances[0], clients.desk(DESK, "agent.message_out", 0, "Jane", 0)
    )
    await settle(clients)
    assert [human.source for human in (await state(clients, HERE)).humans] == [DESK]
    shown = as_labelled(clients.world.internet.bare.transcript("p0"), ["Jane"])
    assert (violations(shown), len(texts(shown))) == ([], 1)
    assert await do(THERE, "admin", ":unlink") == "ok"
    assert (await state(clients, HERE)).links == (DESK,)


async def test_so_many_desks_conversations_that_no_commit_should_hold_them_are_refused(
    clients: Clients, do: Do
) -> None:
    for number in range(CARRIED + 1):
        assert await do(f"csku:past-{number}", "admin", ":link", to=THERE) == "ok"
    assert await do(THERE, "admin", ":link", to=HERE) == "refused"
    assert clients.asks[-1].metadata["reason"] == "too-many-links"
    assert await do("csku:past-0", "admin", ":unlink") == "ok"
    assert await do(THERE, "admin", ":link", to=HERE) == "ok"
    assert len((await state(clients, HERE)).links) == CARRIED + 1
    assert {
        (await state(clients, f"csku:past-{number}")).linked_to for number in range(1, CARRIED + 1)
    } == {HERE}


async def test_a_handoff_of_the_joined_channel_goes_on_and_the_team_is_notified_where(
    clients: Clients, do: Do
) -> None:
    await claim(do, THERE)
    await settle(clients)
    await do(THERE, "admin", ":link", to=HERE)
    now = await state(clients, HERE)
    assert (now.phase, [one.representative.name for one in now.humans]) == (Phase.HUMAN, ["Jane"])
    assert (await state(clients, THERE)).phase is Phase.BOT
    assert await told(clients, THERE) == [("handoff.joined", None), ("handoff.ended", "linked")]
    assert await told(clients, HERE) == [("handoff.joined", "linked")]
    await clients.send(clients.world.instances[0], clients.message(THERE, "desk-1", "Jane"))
    await settle(clients)
    shown = clients.world.platform.transcript("c0")
    assert (violations(shown), len(texts(shown))) == ([], 1)
    clients.world.clock.advance(2000)
    await sweep(clients.world.instances[0])
    await deliver(clients.world.instances[0], HERE, timers=True)
    assert (await state(clients, HERE)).phase is Phase.BOT


async def test_who_waits_on_the_joined_channel_waits_on(clients: Clients, do: Do) -> None:
    clients.world.clock.advance(5)
    await clients.post(clients.world.instances[0], clients.wants_human(THERE))
    await settle(clients)
    await do(THERE, "admin", ":link", to=HERE)
    now = await state(clients, HERE)
    assert (now.phase, now.timer and now.timer.kind) == (Phase.QUEUED, "unclaimed")
    assert await told(clients, HERE) == [("handoff.requested", "linked")]
    clients.world.clock.advance(121)
    await deliver(clients.world.instances[0], HERE, timers=True)
    assert (await told(clients, HERE))[1][0] == "handoff.unclaimed"
    assert "Everyone is busy" in clients.world.internet.bare.transcript("p0")[-1]["body"]["text"]


async def test_apart_again_each_is_on_its_own(clients: Clients, do: Do) -> None:
    await do(THERE, "admin", ":link", to=HERE)
    await claim(do, HERE)
    await clients.post(clients.world.instances[0], clients.says(THERE))
    await clients.send(clients.world.instances[0], clients.message(HERE, "desk-1", "Jane"))
    await settle(clients)
    assert await do(THERE, "admin", ":unlink") == "ok"
    here, there = await state(clients, HERE), await state(clients, THERE)
    assert (here.phase, here.channel, here.elsewhere, here.links) == (Phase.HUMAN, HERE, (), ())
    assert (there.phase, there.linked_to, there.address) == (Phase.BOT, None, "p0")
    assert (
        await clients.send(clients.world.instances[0], clients.message(THERE, "bot", "Bot")) == "ok"
    )
    await settle(clients)
    rows = as_labelled(clients.world.internet.bare.transcript("p0"), ["Jane"])
    assert violations(rows) == []
    assert [row["body"].get("eventType") for row in rows if row["kind"] == "event"] == [
        JOINED,
        LEFT,
    ]


@pytest.mark.parametrize("asked", [HERE, THERE])
async def test_erasing_one_channel_erases_the_customer(
    clients: Clients, do: Do, asked: str
) -> None:
    await do(THERE, "admin", ":link", to=HERE)
    await clients.post(clients.world.instances[0], clients.says(THERE))
    ask = clients.ask(asked, "admin", "", {})
    assert await clients.send(clients.world.instances[0], ask, "DELETE") == "ok"
    for conversation in (HERE, THERE):
        assert remains(clients.world.path, clients.marker(conversation)) == []
        assert (await state(clients, conversation)).erased


async def test_on_a_joined_channel_that_knows_no_ids_a_message_is_sent_at_most_once(
    clients: Clients, do: Do
) -> None:
    await do(THERE, "admin", ":link", to=HERE)
    await clients.post(clients.world.instances[0], clients.says(THERE))
    await settle(clients)
    ask = clients.message(HERE, "bot", "Bot")
    await clients.send(clients.world.instances[0], ask)
    clients.world.internet.plan.faults.extend(["none", "drop_after"])
    for _ in range(3):
        await settle(clients)
        clients.world.clock.advance(700)
    assert (
        texts(as_labelled(clients.world.internet.bare.transcript("p0"), [])).count(ask.text or "")
        == 1
    )


async def test_receipts_of_a_joined_channel_name_callers_ids(clients: Clients, do: Do) -> None:
    await do(THERE, "admin", ":link", to=HERE)
    await clients.post(clients.world.instances[0], clients.says(THERE))
    await clients.send(
        clients.world.instances[0], clients.message(HERE, "bot", "Bot", message_id="m-1")
    )
    await settle(clients)
    native = clients.world.internet.bare.transcript("p0")[-1]["id"]
    receipt = Receipt(source=THERE, form={"receipts": {"receipts": [{"message": native}]}})
    ours = await in_our_ids(clients.world.instances[0], receipt)
    assert isinstance(ours, Receipt)
    assert ours.form == {"receipts": {"receipts": [{"message": "m-1"}]}}


async def test_a_channel_that_fails_does_not_hold_up_the_one_to_which_the_customer_has_gone(
    clients: Clients, do: Do
) -> None:
    await do(THERE, "admin", ":link", to=HERE)
    one, two = clients.message(HERE, "bot", "Bot"), clients.message(HERE, "bot", "Bot")
    await clients.send(clients.world.instances[0], one)
    clients.world.clock.advance(5)
    await clients.post(clients.world.instances[0], clients.says(THERE))
    await clients.send(clients.world.instances[0], two)
    clients.world.internet.plan.faults.extend(["too_many"])
    await deliver(clients.world.instances[0], HERE)
    assert texts(clients.world.platform.transcript("c0")) == []
    assert texts(as_labelled(clients.world.internet.bare.transcript("p0"), [])) == [two.text]
    clients.world.clock.advance(700)
    await deliver(clients.world.instances[0], HERE)
    assert texts(clients.world.platform.transcript("c0")) == [one.text]
