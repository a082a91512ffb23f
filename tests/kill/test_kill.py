"""The whole process is killed again and again under traffic and faults, and the customer notices
nothing.

BATON_KILL_RUNS sets how often (default 2), BATON_KILL_SEED where the seeds begin.
"""

import asyncio
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from infra.local.oracle import open_frames, violations
from tests.kill.process import FAULTS, NO_FAULTS, SIM, Client, Process

pytestmark = pytest.mark.soak

RUNS, FIRST_SEED = (
    int(os.environ.get("BATON_KILL_RUNS", "2")),
    int(os.environ.get("BATON_KILL_SEED", "1")),
)
CONVERSATIONS, KILLS, QUIET_SECONDS = 6, 4, 240


@dataclass
class Story:
    """One conversation: everybody in it speaks in turn, so the order of acceptance is known."""

    client: Client
    name: str
    chance: random.Random
    said: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    count: int = 0

    async def tell(self, enough: asyncio.Event) -> None:
        await self.customer()
        acts = (
            self.customer,
            self.bot,
            self.bot,
            self.wish,
            self.human,
            self.human,
            self.second_human,
        )
        while not enough.is_set():
            await self.chance.choice(acts)()
            await asyncio.sleep(self.chance.uniform(0, 0.1))

    def next(self, who: str) -> str:
        self.count += 1
        return f"{who}-{self.name}-{self.count}"

    async def customer(self) -> None:
        text = self.next("customer")
        await self.client.call(
            "POST", f"{SIM}/customers/{self.name}/messages", {"messageId": text, "text": text}
        )
        self.said.append(text)

    async def wish(self) -> None:
        if self.chance.random() < 0.5:
            await self.client.call(
                "POST", f"{SIM}/customers/{self.name}/status", {"requestedLiveAgent": True}
            )
        else:
            await self.client.accepted(
                f"{self.name}:requestHuman", {"reason": "wish", "requestId": self.next("wish")}
            )

    async def bot(self) -> None:
        await self.say("bot", {"representativeType": "BOT", "displayName": "Bot"})

    async def human(self) -> None:
        jane = {"representativeType": "HUMAN", "displayName": "Jane"}
        await self.client.accepted(
            f"{self.name}:claim", {"representative": jane, "requestId": self.next("claim")}
        )
        for _ in range(self.chance.randrange(4)):
            await self.say("jane", jane)
        await self.client.accepted(
            f"{self.name}:release", {"representative": jane, "requestId": self.next("release")}
        )

    async def second_human(self) -> None:
        sam = {"representativeType": "HUMAN", "displayName": "Sam"}
        for event in ("REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"):
            path = f"{self.name}/events?eventId={self.next('event')}"
            await self.client.accepted(path, {"eventType": event, "representative": sam})
            await self.say("sam", sam)

    async def say(self, who: str, speaker: dict[str, str]) -> None:
        text = self.next(who)
        body = {"messageId": text, "text": text, "representative": speaker}
        if await self.client.accepted(f"{self.name}/messages", body):
            self.accepted.append(text)

    async def faults(self) -> list[str]:
        transcript, now = (
            await self.client.transcript(self.name),
            await self.client.conversation(self.name),
        )
        found = violations(transcript, self.accepted)
        here = sorted(one["displayName"] for one in now["representatives"])
        if open_frames(transcript) != here:
            found.append(f"I1: the customer sees {open_frames(transcript)} there, but it is {here}")
        journal = await self.client.journal(self.name)
        found += [
            f"I5: {one['kind']} ended as {one['outcome']}"
            for one in journal
            if one["outcome"] in BAD
        ]
        heard = Counter(one.get("eventId") for one in journal if one["kind"] == "user_message")
        found += [
            f"I5: {text} was taken {heard[text]} times" for text in self.said if heard[text] != 1
        ]
        return [f"{self.name}: {fault}" for fault in found]


BAD = ("pending", "failed", "unknown", "unframed")


async def _kill_and_restart(process: Process, stories: list[Story], chance: random.Random) -> None:
    """Kills in the midst of traffic, now and then while it still starts. It waits for acts, so a
    slow machine sees as much traffic as a fast one.
    """
    client = stories[0].client
    for _ in range(KILLS):
        process.start()
        if chance.random() < 0.2:
            await asyncio.sleep(chance.uniform(0, 1))
        else:
            await client.set_faults(FAULTS)
            await _acts(stories, chance.randrange(5, 80))
        process.kill()
    process.start()
    await client.set_faults(FAULTS)
    await _acts(stories, 30)


async def _acts(stories: list[Story], number: int) -> None:
    """Returns once so many more things were said or asked."""
    begin = sum(story.count for story in stories)
    while sum(story.count for story in stories) < begin + number:
        await asyncio.sleep(0.01)


async def _until_quiet(client: Client, stories: list[Story]) -> None:
    """Waits until nothing is pending and everybody who waited or spoke has gone: the timers of
    this run are short.
    """
    deadline, quiet_for = time.monotonic() + QUIET_SECONDS, 0
    while quiet_for < 3 and time.monotonic() < deadline:
        states = [await client.conversation(story.name) for story in stories]
        heard = [
            sum(one["kind"] == "user_message" for one in await client.journal(story.name))
            for story in stories
        ]
        quiet = all(state.get("phase") == "BOT" and state["pending"] == 0 for state in states)
        quiet_for = (
            quiet_for + 1 if quiet and heard == [len(story.said) for story in stories] else 0
        )
        await asyncio.sleep(0.3)


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + RUNS))
async def test_the_customer_notices_nothing_of_four_kills(seed: int, tmp_path: Path) -> None:
    """Every other run delivers in place."""
    process = Process(tmp_path, "on" if seed % 2 else "off")
    chance, enough = random.Random(seed), asyncio.Event()
    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            client = Client(session, process.url)
            stories = [
                Story(client, f"c{n}", random.Random(f"{seed}-{n}")) for n in range(CONVERSATIONS)
            ]
            telling = [asyncio.create_task(story.tell(enough)) for story in stories]
            await _kill_and_restart(process, stories, chance)
            enough.set()
            await asyncio.gather(*telling)
            await client.set_faults(NO_FAULTS)
            await _until_quiet(client, stories)
            found = [fault for story in stories for fault in await story.faults()]
    finally:
        process.kill()
    assert not found, "\n".join(found)
