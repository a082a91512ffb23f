"""What an event costs on the wire, counted by an interceptor while delivery runs beside, and
said alike in the log.
"""

import asyncio
import hmac
import json
import time
from collections.abc import Callable

from infra.cost.cost import ANSWERS, CUSTOMERS, OPERATIONS
from infra.local.server import PATIENCE_SECONDS
from infra.local.settings import WHATSAPP_SECRET
from tests.emulators.deployment import Deployment
from tests.emulators.senders import Caller

NATIVE = "counted"
QUEUED = {"BATON_DELIVER_IN_PLACE": "off"}


def _rpcs(deployment: Deployment, function: str) -> list[dict[str, int]]:
    lines = (json.loads(line) for line in deployment.log_lines())
    return [
        line["rpcs"]
        for line in lines
        if line.get("function") == function and line.get("status") == 200
    ]


async def _answered(deployment: Deployment, function: str, count: int) -> list[dict[str, int]]:
    """Returns what its requests cost once so many are answered: an outbox is quiet a moment
    before its line is out.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(_rpcs(deployment, function)) < count:
            await asyncio.sleep(0.05)
    return _rpcs(deployment, function)


def _made(deployment: Deployment, function: str) -> dict[str, int]:
    """Returns what an instance has made since it was last asked."""
    made = deployment.instances[function].gate.counter.made
    counted = dict(made)
    made.clear()
    return counted


async def test_a_warm_webhook_is_one_commit_and_one_publish_and_a_cold_one_a_read_more(
    deploy: Callable[..., Deployment],
) -> None:
    async with deploy("receive_webhook", "deliver_outbox", **QUEUED) as deployment:
        caller = Caller(deployment, NATIVE)
        counted = []
        for n in range(5):
            assert (await caller.says(f"word {n}", f"m-{n}")).reply.status == 200
            counted.append(_made(deployment, "receive_webhook"))
        await deployment.until_quiet(caller.id)
        cold, warm = {"GetDocument": 1, "Commit": 1, "Publish": 1}, {"Commit": 1, "Publish": 1}
        assert counted == [cold, warm, warm, warm, warm]
        said = [{"get": 1, "commit": 1, "publish": 1}, *[{"commit": 1, "publish": 1}] * 4]
        assert await _answered(deployment, "receive_webhook", len(said)) == said


def _two_names(message: str) -> tuple[bytes, dict[str, str]]:
    """A WhatsApp message of a customer whom the webhook calls by a number and by a user id."""
    said = {"from": "12025550100", "from_user_id": "US.1", "id": f"wamid.{message}"}
    text = {**said, "type": "text", "text": {"body": message}, "timestamp": str(int(time.time()))}
    value = {"metadata": {"phone_number_id": "1"}, "messages": [text]}
    body = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
    digest = hmac.digest(WHATSAPP_SECRET.encode(), body, "sha256").hex()
    return body, {"x-hub-signature-256": f"sha256={digest}"}


async def test_a_second_name_costs_a_read_with_the_first_message_and_nothing_on_a_warm_instance(
    deploy: Callable[..., Deployment],
) -> None:
    given = {"WHATSAPP_APP_SECRETS": WHATSAPP_SECRET, **QUEUED}
    async with deploy("receive_webhook", **given) as deployment:
        counted = []
        for n in range(4):
            body, signed = _two_names(f"m-{n}")
            reply = await deployment.call("receive_webhook", "POST", "/whatsapp", body, signed)
            assert reply.status == 200
            counted.append(_made(deployment, "receive_webhook"))
        first, warm = {"GetDocument": 2, "Commit": 1, "Publish": 1}, {"Commit": 1, "Publish": 1}
        assert counted == [first, warm, warm, warm]


async def test_in_a_dialogue_of_two_functions_each_word_is_one_read_and_one_commit(
    deploy: Callable[..., Deployment],
) -> None:
    """The other function outdates the copy with every answer: the first refused commit says so."""
    async with deploy("receive_webhook", "send_representative", **QUEUED) as deployment:
        read_first = {"GetDocument": 1, "Commit": 1, "Publish": 1}
        assert (await _counted_dialogue(deployment))[2:] == [[read_first] * 2] * 3


async def test_a_dialogue_in_place_needs_no_third_function(
    deploy: Callable[..., Deployment],
) -> None:
    """A read, the commit, the topic or the platform, and the commit that settles it."""
    async with deploy("receive_webhook", "send_representative") as deployment:
        counted = await _counted_dialogue(deployment)
        heard, said = {"GetDocument": 1, "Commit": 2, "Publish": 1}, {"GetDocument": 1, "Commit": 2}
        assert counted[2:] == [[heard, said]] * 3
        customers, answers = (
            OPERATIONS[CUSTOMERS]["receive_webhook"],
            OPERATIONS[ANSWERS]["send_representative"],
        )
        for made, cost in ((heard, customers), (said, answers)):
            assert (cost["reads"], cost["publishes"]) == (
                made["GetDocument"],
                made.get("Publish", 0),
            )
            assert cost["writes"] == made["Commit"] + 1  # entry and conversation in the first one
        assert len(deployment.platform.store.transcript(NATIVE)) == 10


async def test_a_warm_webhook_in_place_is_two_commits_and_the_topic(
    deploy: Callable[..., Deployment],
) -> None:
    async with deploy("receive_webhook") as deployment:
        caller = Caller(deployment, NATIVE)
        await caller.says("hello", "m-0")
        await caller.says("hello", "m-1")
        _made(deployment, "receive_webhook")
        await caller.says("hello", "m-2")
        assert _made(deployment, "receive_webhook") == {"Commit": 2, "Publish": 1}


async def _counted_dialogue(deployment: Deployment) -> list[list[dict[str, int]]]:
    """Returns what five words of the customer and the answers of a bot cost each function."""
    caller, counted = Caller(deployment, NATIVE), []
    for n in range(5):
        assert (await caller.says(f"word {n}", f"m-{n}")).reply.status == 200
        assert (await caller.bot_says(f"answer {n}", f"a-{n}")).reply.status == 200
        counted.append(
            [_made(deployment, one) for one in ("receive_webhook", "send_representative")]
        )
    return counted


async def test_typing_is_one_fresh_read_and_one_publish(deploy: Callable[..., Deployment]) -> None:
    """A copy would cost nothing, and would send a bot what happens while a human speaks."""
    async with deploy("receive_webhook") as deployment:
        caller = Caller(deployment, NATIVE)
        await caller.says("hello", "m-0")
        _made(deployment, "receive_webhook")
        typing = {"userStatus": {"isTyping": True, "createTime": "2026-01-01T00:00:00Z"}}
        assert (await caller.webhook(typing, "request-t")).reply.status == 200
        assert _made(deployment, "receive_webhook") == {"GetDocument": 1, "Publish": 1}


async def test_a_drain_is_one_query_and_one_commit_for_each_entry(
    deploy: Callable[..., Deployment],
) -> None:
    async with deploy("receive_webhook", "deliver_outbox", **QUEUED) as deployment:
        caller, delivery = Caller(deployment, NATIVE), deployment.instances["deliver_outbox"]
        await caller.says("hello", "m-0")
        await deployment.until_quiet(caller.id)
        await _answered(deployment, "deliver_outbox", 1)
        drain = {"RunQuery": 1, "Publish": 1, "Commit": 1}
        assert _made(deployment, "deliver_outbox") == drain

        delivery.kill()
        for n in range(1, 8):
            await caller.says("hello", f"m-{n}")
        delivery.start()
        await deployment.ready()
        await deployment.until_quiet(caller.id)
        drained = (await _answered(deployment, "deliver_outbox", 2))[1]
        assert drained == {"query": 1, "publish": 7, "commit": 7}
        made = _made(deployment, "deliver_outbox")
        assert (made["Commit"], made["Publish"]) == (7, 7)
