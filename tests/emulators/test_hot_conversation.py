"""Many senders in one conversation, through two instances of each door, on one document."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable

import pytest

from infra.local.oracle import texts, violations
from shared.handoff.visibility import words_for
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.variables import Audience
from tests.emulators.deployment import Deployment
from tests.emulators.senders import Answered, Caller
from tests.soak import SOAKS

pytestmark = pytest.mark.soak

SENDERS = 16
EVENTS = 1000 if SOAKS else 96
DOORS = (
    "receive_webhook",
    "receive_webhook#2",
    "send_representative",
    "send_representative#2",
    "deliver_outbox",
)


async def _send_all(deployment: Deployment, number: int) -> list[Answered]:
    """One sender, who waits for each answer: a platform if its number is even, else a bot."""
    second = "#2" if number % 4 > 1 else ""
    caller = Caller(deployment, "hot", f"receive_webhook{second}", f"send_representative{second}")
    how = caller.says if number % 2 == 0 else caller.bot_says
    share = range(number, EVENTS, SENDERS)
    return [await how(f"{number}: {n}", f"m-{n}") for n in share]


async def test_sixteen_senders_lose_and_double_nothing_and_keep_their_order(
    deploy: Callable[..., Deployment],
) -> None:
    # these bots are not stopped by anybody
    async with deploy(*DOORS, BOT_TURNS_LIMIT="0") as deployment:
        await Caller(deployment, "hot").says("hello", "m-first")
        answered = await asyncio.gather(
            *(_send_all(deployment, number) for number in range(SENDERS))
        )
        await deployment.until_quiet("business_messages:hot", seconds=180)

        statuses = Counter(status for one in answered for each in one for status, _ in each.tries)
        # 429, for requests, and 503, for facts, are also the outbox's own brake where senders
        # outrun delivery.
        assert set(statuses) <= {200, 409, 429, 503}, statuses
        assert statuses[200] + statuses[409] == EVENTS
        assert statuses[409] <= statuses[503]

        journal = (await deployment.journal("business_messages:hot"))[1:]
        assert [entry.seq for entry in journal] == list(range(2, EVENTS + 2))
        assert {entry.outcome for entry in journal} == {"done"}
        accepted = [
            (entry.kind, entry.event_id, words_for(Audience.AGENT, entry) or "")
            for entry in journal
        ]
        for number in range(SENDERS):
            mine = [event for _, event, text in accepted if text.startswith(f"{number}: ")]
            assert mine == [f"m-{n}" for n in range(number, EVENTS, SENDERS)]

        said = [text for kind, _, text in accepted if kind == "bot_message"]
        transcript = deployment.platform.store.transcript("hot")
        assert not violations(transcript, said)
        assert texts(transcript) == said

        bodies = [
            json.loads(base64.b64decode(one["data"]))
            for one in await deployment.published(USER_MESSAGES)
        ]
        passed_on = list(dict.fromkeys(body["message"]["messageId"] for body in bodies))
        assert passed_on == [
            "m-first",
            *(event for kind, event, _ in accepted if kind == "user_message"),
        ]
