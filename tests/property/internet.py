"""What Baton calls: the simulated platform, reached in-process, and a bot's webhook; both do
wrong as planned.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from infra.local.simulators.business_messages import BusinessMessagesSimulator
from infra.local.simulators.faults import Faults
from shared.errors import Unavailable
from shared.schemas.http import Answer, Call
from tests.property.bare import URL as BARE_URL
from tests.property.bare import BareChannel

FAULTS = ("none", "drop_before", "drop_after", "too_many", "server_error", "unreachable")
BOT_WEBHOOK = "http://bot.example/webhook"


@dataclass(slots=True)
class Plan:
    """What goes wrong next; when it is used up, nothing does."""

    faults: deque[str] = field(default_factory=deque)

    def next(self) -> str:
        return self.faults.popleft() if self.faults else "none"


@dataclass
class Internet:
    """The simulated platform and the bot's webhook, reached in-process. `refuses` says what is
    refused for good.
    """

    simulator: BusinessMessagesSimulator
    refuses: Callable[[str, Mapping[str, Any]], bool] = lambda _conversation, _body: False
    plan: Plan = field(default_factory=Plan)
    bare: BareChannel = field(default_factory=BareChannel)
    bot_is_down: bool = False
    posted: list[dict[str, Any]] = field(default_factory=list)

    async def carry(self, call: Call) -> Answer | None:
        fault = self.plan.next()
        if fault == "unreachable":
            raise Unavailable("unreachable", "The platform was told to be unreachable.")
        if call.url == BOT_WEBHOOK:
            return Answer(503) if self.bot_is_down else self._post(call, fault)
        if call.url == BARE_URL:
            return self._bare(json.loads(call.body), fault)
        address, body = unquote(urlsplit(call.url).path.split("/")[5]), json.loads(call.body)
        if self.refuses(address, body):
            return Answer(400, b'{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}')
        self.simulator.faults = Faults() if fault == "none" else Faults.model_validate({fault: 1})
        return await _ask(self.simulator, call)

    def _bare(self, body: Mapping[str, Any], fault: str) -> Answer | None:
        return Answer(400) if self.refuses(str(body["to"]), body) else self.bare.carry(body, fault)

    def _post(self, call: Call, fault: str) -> Answer | None:
        if fault in ("too_many", "server_error"):
            return Answer(429 if fault == "too_many" else 500)
        if fault != "drop_before":
            self.posted.append(json.loads(call.body))
        return None if fault.startswith("drop") else Answer(200)


async def _ask(simulator: BusinessMessagesSimulator, call: Call) -> Answer | None:
    """Returns the simulator's answer, None where it broke off."""
    parts, sent = urlsplit(call.url), iter([{"type": "http.request", "body": call.body}])
    said: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        await asyncio.sleep(0)
        return next(sent)

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http", "method": call.method, "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(), "headers": [], "http_version": "1.1",
        "scheme": "http",
        "server": ("platform", 80), "client": ("baton", 1), "root_path": "",
    }  # fmt: skip
    await simulator(scope, receive, send)  # type: ignore[arg-type]  # the scope is whole, its keys are not typed
    if len(said) < 2:
        return None
    headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return Answer(said[0]["status"], b"".join(message["body"] for message in said[1:]), headers)
