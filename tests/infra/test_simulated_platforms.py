"""What both simulated platforms do whose customers are telephone numbers."""

import json

import pytest

from infra.local.customers import PATH, customers_application
from infra.local.simulators.business_messages import BusinessMessagesSimulator
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.rcs import RcsSimulator
from infra.local.simulators.simulator import Simulator
from infra.local.simulators.whatsapp import WhatsAppSimulator
from shared.schemas.events import UserMessage
from shared.schemas.http import Call
from tests.infra.simulated import HERE, PHONE, ask, customer, says, sent, shown, told


@pytest.fixture
def rcs() -> RcsSimulator:
    return RcsSimulator(PlatformStore(":memory:"), "", "token")


@pytest.fixture
def whatsapp() -> WhatsAppSimulator:
    return WhatsAppSimulator(PlatformStore(":memory:"), "", "secret", "access")


@pytest.mark.parametrize("name", ["rcs", "whatsapp"])
async def test_what_a_customer_writes_reaches_baton_signed(
    name: str, request: pytest.FixtureRequest
) -> None:
    simulator: Simulator = request.getfixturevalue(name)
    said = await says(simulator)
    (event,) = told(simulator)
    assert isinstance(event, UserMessage)
    assert (event.said, event.source) == ("Hi", said["conversation"])
    assert (event.native_id or event.id) == said["messageId"]


@pytest.mark.parametrize("name", ["rcs", "whatsapp"])
async def test_a_newcomer_gets_a_number_and_the_id_that_baton_will_use(
    name: str, request: pytest.FixtureRequest
) -> None:
    simulator: Simulator = request.getfixturevalue(name)
    first = await customer(simulator, "/customers", {"displayName": "Ana"})
    second = await customer(simulator, "/customers", {"displayName": "Bea"})
    assert first["id"] != second["id"]
    await customer(simulator, f"/customers/{first['id']}/messages", {"text": "Hi"})
    assert told(simulator)[0].source == first["conversation"]
    listed = (await customer(simulator, "/customers", {}, "GET"))["customers"]
    assert [one["conversation"] for one in listed] == [
        first["conversation"],
        second["conversation"],
    ]
    assert [one["said"] for one in listed] == ["Hi", None]


async def test_the_customers_of_every_channel_come_in_one_answer(
    rcs: RcsSimulator, whatsapp: WhatsAppSimulator
) -> None:
    business = BusinessMessagesSimulator(PlatformStore(":memory:"), "", "key")
    platforms = {"business_messages": business, "rcs": rcs, "whatsapp": whatsapp}
    known = {}
    for name, simulator in platforms.items():
        await says(simulator)
        known[name] = (await customer(simulator, "/customers", {}, "GET"))["customers"]
    assert [len(listed) for listed in known.values()] == [1, 1, 1]
    answer = await ask(customers_application(platforms), Call("GET", f"{HERE}{PATH}", b""))
    assert json.loads(answer.body) == known


@pytest.mark.parametrize("name", ["rcs", "whatsapp"])
async def test_a_customer_who_asks_for_a_person_taps_a_suggestion(
    name: str, request: pytest.FixtureRequest
) -> None:
    simulator: Simulator = request.getfixturevalue(name)
    await customer(simulator, f"/customers/{PHONE}/status", {"requestedLiveAgent": True})
    assert [event.kind for event in told(simulator)] == ["human_requested"]


@pytest.mark.parametrize("name", ["rcs", "whatsapp"])
async def test_a_webhook_posted_by_hand_is_on_the_phone_as_well(
    name: str, request: pytest.FixtureRequest
) -> None:
    simulator: Simulator = request.getfixturevalue(name)
    await says(simulator)
    ((_, body),) = simulator.store.webhooks(1)
    other = type(simulator)(
        PlatformStore(":memory:"), "", *(["token"] if name == "rcs" else ["secret", "access"])
    )
    other.overhear(body.encode(), {})
    assert other.store.transcript(PHONE) == []
    other.overhear(body.encode(), simulator.signed(body.encode()))
    assert [row["body"]["text"] for row in other.store.transcript(PHONE)] == ["Hi"]


@pytest.mark.parametrize("name", ["rcs", "whatsapp"])
@pytest.mark.parametrize(("fault", "status"), [("too_many", 429), ("server_error", 500)])
async def test_faults_strike_the_api_and_not_the_phone(
    name: str, fault: str, status: int, request: pytest.FixtureRequest
) -> None:
    simulator: Simulator = request.getfixturevalue(name)
    await customer(simulator, "/faults", {fault: 1}, "PUT")
    await says(simulator)
    assert (await sent(simulator)).status == status
    assert shown(simulator) == []
