"""The real process, started and killed, and a client that asks until it gets a definite answer."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from infra.local.server import free_port
from tests.forked import Forked

ROOT = Path(__file__).parents[2]
SIM = "/sim/business_messages"
# 30 % of the calls to the platform, and webhooks doubled and out of order
FAULTS: Mapping[str, float] = {
    "slow": 0.05, "slow_seconds": 0.3, "too_many": 0.05, "retry_after": 1, "server_error": 0.07,
    "drop_before": 0.07, "drop_after": 0.07, "duplicate": 0.2, "reorder": 0.2,
}  # fmt: skip
NO_FAULTS: Mapping[str, float] = {}


@dataclass
class Process:
    """A local run on a free port of this machine, its state in `home`. It is forked, so that a
    kill while it starts strikes Baton more often than the imports.
    """

    home: Path
    in_place: str = "off"
    port: int = field(default_factory=free_port)
    running: Forked | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        settings = {"PORT": str(self.port), "BATON_HOME": str(self.home)}
        timers = {"UNCLAIMED_AFTER": "2", "UNCLAIMED_REMINDERS": "2", "HUMAN_IDLE_AFTER": "4"}
        delivers = {"BATON_DELIVER_IN_PLACE": self.in_place}
        environment = {"PATH": os.environ["PATH"], **settings, **timers, **delivers}
        log = self.home / "log.txt"
        self.running = Forked("infra.local", environment=environment, folder=ROOT, out=log, err=log)

    def kill(self) -> None:
        if self.running is not None:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait()


@dataclass
class Client:
    session: aiohttp.ClientSession
    url: str

    async def call(
        self, method: str, path: str, body: Any = None, key: str = "dev-admin"
    ) -> tuple[int, Any]:
        """Asks until the answer is definite: a caller whose connection breaks asks again, under
        the same id.
        """
        while True:
            headers = {"authorization": f"Bearer {key}"}
            try:
                async with self.session.request(
                    method, self.url + path, json=body, headers=headers
                ) as response:
                    if response.status < 500 and response.status != 429:
                        return response.status, await response.json()
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)

    async def accepted(self, path: str, body: Any) -> bool:
        """Returns whether a request took effect, be it on an earlier try whose answer was lost."""
        status, answer = await self.call(
            "POST", f"/send_representative/v1/conversations/{path}", body
        )
        return status == 200 or answer["error"]["status"] == "ALREADY_EXISTS"

    async def set_faults(self, faults: Mapping[str, float]) -> None:
        await self.call("PUT", f"{SIM}/faults", dict(faults))

    async def transcript(self, conversation: str) -> list[dict[str, Any]]:
        _, answer = await self.call("GET", f"{SIM}/customers/{conversation}")
        return list(answer["transcript"])

    async def conversation(self, conversation: str) -> dict[str, Any]:
        _, answer = await self.call("GET", f"/send_representative/v1/conversations/{conversation}")
        return dict(answer)

    async def journal(self, conversation: str) -> list[dict[str, Any]]:
        entries, cursor = [], ""
        while cursor is not None:
            query = f"?cursor={cursor}" if cursor else ""
            _, page = await self.call(
                "GET", f"/send_representative/v1/conversations/{conversation}/journal{query}"
            )
            entries += page["entries"]
            cursor = page.get("nextCursor")
        return entries
