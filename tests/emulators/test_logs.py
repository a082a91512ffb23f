"""What the functions print under traffic and under failures: lines that help, and nothing that
anybody said.
"""

import asyncio
import base64
import json
from collections.abc import Callable

from infra.local.server import PATIENCE_SECONDS
from infra.local.settings import (
    ADMIN_KEY,
    AGENT_KEY,
    BOT_KEY,
    CLIENT_TOKEN,
    CSKU_SECRET,
    SIGNING_KEY,
)
from infra.local.simulators.faults import Faults
from tests.emulators import log_lines
from tests.emulators.deployment import USUAL, Deployment, Emulators
from tests.emulators.senders import Caller
from tests.emulators.team_server import TeamServer
from tests.emulators.webhooks import signed

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
TEAM_SECRET = "whsec_" + base64.b64encode(b"a secret of the team's webhook").decode()
WORDS, CUSTOMER, PHONE = "MYPRIVATEWORDS", "MYPRIVATENAME", "+6281234567890"
PRIVATE = (WORDS, CUSTOMER, PHONE, PHONE[1:])
SECRETS = (
    SIGNING_KEY,
    CLIENT_TOKEN,
    CSKU_SECRET,
    BOT_KEY,
    AGENT_KEY,
    ADMIN_KEY,
    TEAM_SECRET,
    "wrong-secret",
)


async def _talk(caller: Caller) -> None:
    """A whole handoff, with what goes wrong in one: refusals, a platform and a queue that fail
    for a while.
    """
    deployment = caller.deployment
    await caller.says(f"{WORDS} hello", "m-1")
    await caller.wants_human("r-1")
    refused = await deployment.call("send_representative", "POST", *_too_early(caller))
    assert refused.status == 409
    deployment.platform.simulator.faults = Faults(server_error=1)
    await caller.joins("e-1")
    await caller.human_says(f"{WORDS} from the desk", "m-2")
    for gate in (instance.gate for instance in deployment.instances.values()):
        gate.refuse = 1
    await caller.says(f"{WORDS} again", "m-3")
    await caller.leaves("e-2")
    deployment.platform.simulator.faults = Faults()
    await deployment.until_quiet(caller.id)
    await caller.erases()


def _too_early(caller: Caller) -> tuple[str, bytes, dict[str, str]]:
    body = {
        "messageId": "m-0",
        "text": WORDS,
        "representative": {"representativeType": "HUMAN", "displayName": "X"},
    }
    path = f"/v1/conversations/{caller.native}/messages"
    return path, json.dumps(body).encode(), {"authorization": f"Bearer {AGENT_KEY}"}


async def _knock(deployment: Deployment) -> list[int]:
    """What strangers and broken platforms send."""
    csku = {
        "event": "agent.message_out",
        "timestamp": 1738056000,
        "conversation_id": PHONE,
        "message": {"id": "1"},
    }
    csku["message"] = {
        "id": "1",
        "agent": {"name": CUSTOMER},
        "content": {"type": "text", "text": WORDS},
    }
    raw = json.dumps(csku).encode()
    knocks = [
        (
            "receive_webhook",
            "POST",
            "/business_messages",
            raw,
            {"x-goog-signature": "wrong-secret"},
        ),
        ("receive_webhook", "POST", "/business_messages", *signed(f'{{"{WORDS}'.encode())),
        ("receive_webhook", "POST", "/business_messages", *signed({"conversationId": [WORDS]})),
        ("receive_webhook", "POST", "/csku", raw, {"authorization": "wrong-secret"}),
        ("receive_webhook", "POST", "/csku", raw, {"authorization": CSKU_SECRET}),
        (
            "receive_webhook",
            "POST",
            "/csku",
            WORDS.encode() * 400_000,
            {"authorization": CSKU_SECRET},
        ),
        (
            "send_representative",
            "GET",
            f"/v1/conversations?phase={WORDS}",
            b"",
            {"authorization": f"Bearer {AGENT_KEY}"},
        ),
        (
            "send_representative",
            "GET",
            f"/v1/conversations/{PHONE}",
            b"",
            {"authorization": "Bearer wrong-secret"},
        ),
        (
            "send_representative",
            "GET",
            f"/v1/conversations/csku:{PHONE}",
            b"",
            {"authorization": f"Bearer {AGENT_KEY}"},
        ),
        ("deliver_outbox", "POST", "/", json.dumps({"message": {"data": WORDS}}).encode(), {}),
        ("deliver_outbox", "PUT", f"/{WORDS}", b"", {}),
    ]
    return [(await deployment.call(*knock)).status for knock in knocks]


def _has_answered(deployment: Deployment, function: str) -> bool:
    return 200 in {
        line["status"] for line in log_lines.final_lines(deployment.log_lines(), function)
    }


async def test_the_log_of_a_full_run_helps_and_gives_nothing_away(
    deploy: Callable[..., Deployment],
) -> None:
    async with TeamServer() as team:
        settings = {"TEAM_WEBHOOK_URL": team.url, "TEAM_WEBHOOK_SECRET": TEAM_SECRET}
        async with deploy(*USUAL, "notify_handoff", **settings) as deployment:
            await _talk(Caller(deployment, "talk"))
            assert await _knock(deployment) == [
                401,
                200,
                200,
                401,
                200,
                413,
                400,
                401,
                200,
                400,
                405,
            ]
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not _has_answered(deployment, "notify_handoff"):
                    await asyncio.sleep(0.1)
            deployment.kill()
            lines = deployment.log_lines()
    assert not log_lines.faults(lines, [*PRIVATE, *SECRETS])
    severities = {json.loads(line)["severity"] for line in lines} - {"DEBUG"}
    assert severities == {"INFO", "WARNING", "ERROR"}
    for function in (*USUAL, "notify_handoff"):
        assert 200 in {line["status"] for line in log_lines.final_lines(lines, function)}


async def test_a_trace_goes_from_the_webhook_through_the_topic_to_delivery(
    deploy: Callable[..., Deployment], emulators: Emulators
) -> None:
    async with deploy("receive_webhook", "deliver_outbox") as deployment:
        caller = Caller(deployment, "traced", headers=TRACEPARENT)
        await caller.says("hello", "m-1")
        await deployment.until_quiet(caller.id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not _has_answered(deployment, "deliver_outbox"):
                await asyncio.sleep(0.1)
        deployment.kill()
        lines = deployment.log_lines()
    trace = f"projects/{emulators.project}/traces/{TRACE}"
    for function in ("receive_webhook", "deliver_outbox"):
        (line,) = (one for one in log_lines.final_lines(lines, function) if one["status"] == 200)
        assert line["logging.googleapis.com/trace"] == trace
        assert line["rpcs"]
        assert line["latency_ms"] > 0
