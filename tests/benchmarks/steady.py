"""`make load`: many conversations at a steady rate, in place, on the emulators.

Messages of customers leave at fixed times, however long the ones before take, and each is answered
once it is acknowledged.
It prints, for each part of the run, how long acks took and how long messages were on their way, and
what the functions' memory was. It fails where anything was refused or did not arrive.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.benchmarks import quiet
from tests.benchmarks.arithmetic import percentile
from tests.benchmarks.emulators import emulators
from tests.benchmarks.paths import PLATFORM, TOPIC, Deployment, deployed
from tests.benchmarks.webhooks import BOT_KEY, business_messages

PARTS, MOST_FAULTS = 5, 10
LATE_SECONDS = 30.0  # within which everything has arrived at the end


@dataclass(slots=True)
class Part:
    """What was sent in one part of the run: milliseconds until the answer, and faults."""

    acks: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    sent: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    deployment: Deployment
    http: aiohttp.ClientSession
    conversations: int
    rate: float

    async def run(self, seconds: float, first: int) -> Part:
        """Sends at the rate for so long, and returns once all is answered."""
        part, began, tasks = Part(), time.perf_counter(), []
        for n in range(0, int(seconds * self.rate), 2):
            await asyncio.sleep(max(began + n / self.rate - time.perf_counter(), 0))
            tasks.append(asyncio.create_task(self._send_both(first + n, part)))
        await asyncio.gather(*tasks)
        return part

    async def _send_both(self, number: int, part: Part) -> None:
        await self._send(number, part)
        await self._send(number + 1, part)

    async def _send(self, number: int, part: Part) -> None:
        """Sends a customer's message if the number is even, else an answer."""
        conversation, message = f"conv-{number // 2 % self.conversations}", f"n-{number}"
        if number % 2 == 0:
            body, headers = business_messages(conversation, message)
            port, path = self._port("receive_webhook"), "/business_messages"
        else:
            body = json.dumps({"messageId": message, "text": "Good morning"}).encode()
            headers = {"authorization": f"Bearer {BOT_KEY}"}
            port = self._port("send_representative")
            path = f"/v1/conversations/{conversation}/messages"
        began = time.perf_counter()
        part.sent[PLATFORM if number % 2 else TOPIC, message] = began
        json_too = {**headers, "content-type": "application/json"}
        try:
            url = f"http://127.0.0.1:{port}{path}"
            async with self.http.post(url, data=body, headers=json_too) as answer:
                await answer.read()
                if answer.status != 200:
                    part.faults.append(f"{path} answered {answer.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            part.faults.append(f"{path}: {type(error).__name__}")
        part.acks.append((time.perf_counter() - began) * 1000)

    def _port(self, function: str) -> int:
        return self.deployment.servers[function].port


async def _measured(deployment: Deployment, given: Any) -> int:
    timeout = aiohttp.ClientTimeout(total=60)
    # shorter than any server's: a request on a connection that is just being closed is lost
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=1.0)
    faults = 0
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        load = Load(deployment, http, given.conversations, given.rate)
        sent = 0
        _print("part", "sent", "faults", "ack p50", "p99 ms", "on the way p50", "p99 ms", "MB")
        for number in range(PARTS):
            part = await load.run(given.seconds / PARTS, sent)
            sent += len(part.sent)
            ways = await _ways(deployment, part)
            missing = len(part.sent) - len(ways)
            faults += len(part.faults) + missing
            _print(
                f"{number + 1}",
                f"{len(part.sent)}",
                f"{len(part.faults) + missing}",
                *(f"{percentile(part.acks, share):.1f}" for share in (0.5, 0.99)),
                *(f"{percentile(ways, share):.1f}" for share in (0.5, 0.99)),
                " + ".join(f"{one.megabytes('Pss'):.0f}" for one in deployment.servers.values()),
            )
            for fault in sorted(set(part.faults))[:MOST_FAULTS]:
                sys.stdout.write(f"  {fault}\n")
    return faults


async def _ways(deployment: Deployment, part: Part) -> list[float]:
    """Returns the milliseconds until each message arrived, once all have or none comes any more."""
    arrived = deployment.outside.arrived
    deadline = time.monotonic() + LATE_SECONDS
    while time.monotonic() < deadline and not part.sent.keys() <= arrived.keys():
        await asyncio.sleep(0.1)
    return [(arrived[one] - began) * 1000 for one, began in part.sent.items() if one in arrived]


def _print(*cells: str) -> None:
    sys.stdout.write("".join(cell.rjust(16) for cell in cells) + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second")
    parser.add_argument("--seconds", type=float, default=600.0)
    given = parser.parse_args()
    before = quiet.noise(quiet.busy())
    with emulators() as pair, deployed(pair, "on", webhook=False, ordered=False) as deployment:
        faults = asyncio.run(_measured(deployment, given))
    sys.stdout.write(f"before: {before}\n{faults} faults\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
