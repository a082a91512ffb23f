"""A WhatsApp message that is refused: what is tried again, what the team is told, and what happens
while the access token is not valid.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from shared.conversations.apply import apply
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.errors import Paced
from shared.ports import Ports
from shared.schemas.http import Answer, Call
from shared.schemas.notation import conversation_id
from shared.schemas.notifications import HANDOFFS
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import Meta, bot, ports_of, signed
from tests.unit.use_cases.phones_play import says as said

TAKEN = Answer(200, json.dumps({"messages": [{"id": "wamid.OURS"}]}).encode())
DOWN = "a target refuses the credentials; what waits is sent once they are renewed"


@dataclass
class Graph(Meta):
    """Refuses with the errors of `script`, one a call, or with `always`; else takes the message."""

    script: list[Answer] = field(default_factory=list)
    always: Answer | None = None
    calls: list[Call] = field(default_factory=list)

    async def send(self, call: Call) -> Answer:
        if "graph.facebook.com" not in call.url:
            return Answer(200)
        answer = self.script.pop(0) if self.script else self.always
        if answer is None:
            return await super().send(call)
        self.calls.append(call)
        return answer


def error(status: int, code: int, message: str = "It failed") -> Answer:
    told = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    return Answer(status, json.dumps({"error": told}).encode())


def customer(number: int) -> str:
    return conversation_id("whatsapp", f"1:+1202555010{number}")


async def played(bench: Bench, graph: Graph, customers: int = 1) -> Ports:
    """Returns ports on which each customer has just written, and the bot has answered."""
    ports = replace(ports_of(bench), sender=graph)
    for number in range(customers):
        await receive_webhook(ports, signed(messages=[said(number, f"IN{number}")]))
        await apply(ports, bot(customer(number), f"b-{number}"))
    return ports


async def outcome_of(ports: Ports, number: int = 0) -> str:
    entries = (await ports.store.journal(customer(number), None, 100)).items
    return next(one.value.outcome for one in entries if one.value.kind == "bot_message")


@pytest.mark.parametrize(("status", "code"), [(400, 131016), (503, 2), (500, 1), (500, 999999)])
async def test_what_was_certainly_not_sent_is_tried_again_and_arrives_once(
    bench: Bench, status: int, code: int
) -> None:
    """Repetitions of WhatsApp messages cannot be recognised, so a doubtful one is not repeated."""
    graph = Graph(script=[error(status, code)])
    ports = await played(bench, graph)
    await deliver(ports, customer(0))
    bench.clock.forward(2)
    await deliver(ports, customer(0))
    assert await outcome_of(ports) == "done"


async def test_a_5xx_without_an_error_of_the_graph_api_leaves_it_unknown(bench: Bench) -> None:
    graph = Graph(script=[Answer(502, b"<html>Bad gateway</html>")])
    ports = await played(bench, graph)
    await deliver(ports, customer(0))
    assert (await outcome_of(ports), graph.script) == ("unknown", [])


@pytest.mark.parametrize("code", [131047, 131030, 131026, 100])
async def test_the_team_gets_code_and_words_of_the_platform_without_the_customers_number(
    bench: Bench, code: int
) -> None:
    graph = Graph(script=[error(400, code, "Not possible for 12025550100")])
    ports = await played(bench, graph)
    await deliver(ports, customer(0))
    told = [one for one in bench.publisher.on(HANDOFFS) if one["type"] == "delivery.failed"]
    assert [one["reason"] for one in told] == [
        f"message failed: HTTP 400 {code} Not possible for …"
    ]


@pytest.mark.parametrize("refusal", [error(400, 190), Answer(401, b"")], ids=["190", "401"])
async def test_an_expired_token_is_one_error_and_all_goes_out_in_order_once_it_is_renewed(
    bench: Bench, capsys: pytest.CaptureFixture[str], refusal: Answer
) -> None:
    graph = Graph(always=refusal)
    ports = await played(bench, graph, customers=8)
    for hour in range(6):
        for number in range(8):
            await apply(ports, bot(customer(number), f"b-{number}-{hour}"))
            await deliver(ports, customer(number))
        bench.clock.forward(3600)
    # One probe at a time: the platform is not called for every message that waits.
    assert len(graph.calls) < 20
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    errors = [one["message"] for one in lines if one["severity"] == "ERROR"]
    assert errors == [DOWN]

    graph.always = None
    graph.calls.clear()
    for _ in range(3):
        bench.clock.forward(700)
        for number in range(8):
            await deliver(ports, customer(number))
    for number in range(8):
        entries = (await ports.store.journal(customer(number), None, 100)).items
        outcomes = [one.value.outcome for one in entries if one.value.kind == "bot_message"]
        assert outcomes == ["done"] * 7
    assert len(graph.calls) == 8 * 7


@pytest.mark.parametrize("refusal", [error(400, 190), Answer(401, b"")], ids=["190", "401"])
@pytest.mark.parametrize("then", [[], [error(500, 2), error(500, 2)]], ids=["well", "5xx first"])
async def test_credentials_that_are_refused_for_days_lose_and_reorder_nothing(
    bench: Bench, refusal: Answer, then: list[Answer]
) -> None:
    """The token is renewed while a line is worked on: a later message must not be taken for the
    proof that the earlier one is at fault.
    """
    graph = Graph(always=refusal)
    ports = await played(bench, graph)
    for hour in range(73):
        if hour in (1, 10, 20):
            await apply(ports, bot(customer(0), f"b-{hour}"))
        await deliver(ports, customer(0))
        bench.clock.forward(3600)
    told = [one for one in bench.publisher.on(HANDOFFS) if one["type"] == "delivery.failed"]
    assert [one["reason"] for one in told] == []
    graph.always, graph.script = None, [refusal, *then]
    graph.calls.clear()
    for _ in range(6):
        bench.clock.forward(61)
        await deliver(ports, customer(0))
    bench.clock.forward(700)
    await deliver(ports, customer(0))
    entries = (await ports.store.journal(customer(0), None, 100)).items
    outcomes = [one.value.outcome for one in entries if one.value.kind == "bot_message"]
    assert outcomes == ["done"] * 4
    sent = [json.loads(one.body) for one in graph.calls[1 + len(then) :]]
    assert len(sent) == 4
    assert [one for one in bench.publisher.on(HANDOFFS) if one["type"] == "delivery.failed"] == []


async def test_a_rate_limit_holds_messages_back_for_long_and_loses_none(bench: Bench) -> None:
    """One message gets through now and then. Those before it are not at fault."""
    graph = Graph(always=error(400, 131056, "Pair rate limit hit"))
    ports = await played(bench, graph)
    for number in range(5):
        await apply(ports, bot(customer(0), f"more-{number}"))
    for minute in range(40):
        graph.script = [] if minute % 4 else [TAKEN]
        await deliver(ports, customer(0))
        bench.clock.forward(65)
    entries = (await ports.store.journal(customer(0), None, 100)).items
    said_by_bot = [one.value for one in entries if one.value.kind == "bot_message"]
    assert [one.outcome for one in said_by_bot] == ["done"] * 6
    assert [one["type"] for one in bench.publisher.on(HANDOFFS)].count("delivery.failed") <= 6


async def test_calls_that_wait_for_our_own_pace_say_nothing_about_the_platform(
    bench: Bench,
) -> None:
    @dataclass
    class Slow(Graph):
        async def send(self, call: Call) -> Answer:
            if "graph.facebook.com" in call.url and bench.clock.now() < until:
                raise Paced(20.0)
            return await super().send(call)

    until = bench.clock.now() + timedelta(seconds=30)
    ports = await played(bench, Slow(), customers=12)
    for number in range(12):
        delivered = await deliver(ports, customer(number))
        assert delivered.next_try is not None
        assert (delivered.next_try - bench.clock.now()).total_seconds() == 20
    assert not ports.circuits.of("channel whatsapp").is_open
    bench.clock.forward(40)
    for number in range(12):
        await deliver(ports, customer(number))
        assert await outcome_of(ports, number) == "done"
