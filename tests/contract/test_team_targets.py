"""On every store: the team's other targets, and its next notifications, do not wait for one
that is dead or down.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.handoff.policy import Policy
from shared.ports import ConversationStore, Ports
from shared.schemas.http import Answer, Call
from shared.schemas.notifications import OUTBOX
from shared.schemas.team import Team, Url
from shared.teams.google_chat import GoogleChat
from shared.teams.notify_handoff import take
from shared.teams.slack import Slack
from shared.teams.team_webhook import TeamWebhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEAM = Team(
    [
        Slack(Url("https://s/")),
        GoogleChat(Url("https://g/")),
        TeamWebhook(Url("https://t/"), SECRET),
    ]
)
C = "business_messages:3333"


@dataclass
class Outside:
    """What each target took; `down` answers with `status`."""

    down: str | None = None
    status: int = 503
    took: dict[str, list[str]] = field(default_factory=lambda: {"s": [], "g": [], "t": []})
    woken: list[str] = field(default_factory=list)

    async def send(self, call: Call) -> Answer | None:
        host = call.url.split("/")[2]
        if host == self.down:
            return Answer(self.status)
        self.took[host] += re.findall("why [0-9]", call.body.decode())
        return Answer(200)

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        if topic == OUTBOX:
            self.woken.append(json.loads(body)["conversation"])


@pytest.mark.parametrize(("status", "arrives"), [(404, False), (503, True)])
@pytest.mark.parametrize("down", ["s", "g", "t"])
async def test_each_target_in_turn(
    store: ConversationStore, make: Any, clock: Any, down: str, status: int, arrives: bool
) -> None:
    outside = Outside(down, status)
    ports = Ports(store, outside, outside, clock, Policy(), {}, team=TEAM)
    await make.commit(store, make.conversation("3333"))
    why = [f"why {n}" for n in range(4)]
    for n, reason in enumerate(why):
        told = {
            "id": f"n-{n}",
            "type": "handoff.requested",
            "conversation": C,
            "time": "2026-01-01T00:00:00Z",
        }
        for _ in range(2):
            assert await take(ports, {**told, "reason": reason}) is not None
        await deliver(ports, C)
    assert outside.took == {host: [] if host == down else why for host in outside.took}

    outside.down = None
    for _ in range(12):
        clock.time += timedelta(minutes=10)
        outside.woken.clear()
        await sweep(ports)
        for conversation in set(outside.woken):
            await deliver(ports, conversation)
    assert outside.took[down] == (why if arrives else [])
    assert await store.pending_count(C) == 0
    sequence = [one.value.seq for one in (await store.journal(C, None, 50)).items]
    assert sequence == [1, 2, 3, 4, 5]
    assert outside.took[next(host for host in outside.took if host != down)] == why
