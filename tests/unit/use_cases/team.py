"""A team on one deployment: people who call the API with their keys, customers, and the functions
that deliver and sweep.
"""

import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pydantic_core

from shared.api.keys import Keyring
from shared.api.routes import send_representative
from shared.conversations.apply import take
from shared.delivery.sweep import sweep
from shared.delivery.wake_ups import deliver_outbox
from shared.errors import BatonError
from shared.ports import Ports
from shared.schemas.conversation import Conversation
from shared.schemas.events import UserMessage
from shared.schemas.http import Request
from shared.schemas.notifications import OUTBOX
from shared.schemas.people import Presence
from shared.settings.model import read_settings

PEOPLE: dict[str, dict[str, Any]] = {
    "jane@x.test": {"name": "Jane", "capacity": 1},
    "omar@x.test": {"name": "Omar", "capacity": 2},
    "mia@x.test": {"name": "Mia", "languages": ["de"], "desks": ["berlin"]},
    "sue@x.test": {"name": "Sue", "role": "supervisor", "capacity": 1},
}
KEYS = {f"dev-{one.split('@')[0]}": {"person": one} for one in PEOPLE} | {
    "dev-desk": {"name": "desk", "may": ["HUMAN"]},
    "dev-bot": {"name": "bot", "may": ["BOT"]},
}
SETTINGS = read_settings(
    {
        "BATON_AGENTS": json.dumps(PEOPLE),
        "BATON_API_KEYS": json.dumps(KEYS),
        "BATON_DESKS": json.dumps([{"name": "berlin", "languages": ["de"]}]),
    }
)
RING = Keyring(SETTINGS.api_keys)


@dataclass
class Team:
    """`bench` has the parts that tests may look at."""

    bench: Any
    policy: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = replace(self.bench.ports.policy, desks=SETTINGS.baton_desks, **self.policy)
        self.ports: Ports = replace(self.bench.ports, policy=known, people=SETTINGS.people)
        self._said = 0

    async def asks(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """Returns the answer, or the reason of the refusal."""
        try:
            return await self.answer(who, method, path, body)
        except BatonError as error:
            return error.reason

    async def answer(self, who: str, method: str, path: str, body: Any = None) -> Any:
        path, _, query = path.partition("?")
        given = dict(one.split("=", 1) for one in query.split("&") if one)
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer dev-{who}"}
        request = Request(method, f"/v1{path}", sent, headers, given)
        return json.loads((await send_representative(self.ports, RING, request)).body)

    async def verb(self, who: str, verb: str, native: str = "1", **body: Any) -> Any:
        """Returns the conversation, or the reason of the refusal."""
        path = f"/conversations/business_messages:{native}:{verb}"
        return await self.asks(who, "POST", path, body)

    async def offer(self, who: str, to: str, native: str = "1", **body: Any) -> str:
        """Returns the id of the offer that `who` makes."""
        given = {"to": {"agent": f"{to}@x.test"}, "reason": "billing", **body}
        path = f"/conversations/business_messages:{native}:transfer"
        return str((await self.answer(who, "POST", path, given))["offer"]["id"])

    async def customer(self, native: str = "1", said: str = "hi", locale: str = "en") -> None:
        """A customer says something."""
        self._said += 1
        form: Any = {
            "conversationId": native,
            "message": {"messageId": f"m{self._said}", "text": said},
        }
        event = UserMessage(
            id=f"m{self._said}", source=f"business_messages:{native}", actor="customer", form=form,
            said=said, address=native, locale=locale,
        )  # fmt: skip
        await take(self.ports, [event])

    async def waits(self, *natives: str, locale: str = "en") -> None:
        """Customers ask for a human, one after the other."""
        for native in natives:
            await self.customer(native, locale=locale)
            await self.verb("bot", "requestHuman", native, reason="help")
            self.bench.clock.forward(1)

    async def comes(self, *who: str, state: str = "available") -> None:
        """People open a page and are available, or away."""
        for one in who:
            await self.answer(one, "PUT", "/me/presence", {"state": state, "page": "p"})

    async def settle(self) -> None:
        """Delivers every wake-up, and those that follow."""
        while waiting := self.bench.publisher.on(OUTBOX):
            self.bench.publisher.published.clear()
            for one in waiting:
                data = base64.b64encode(pydantic_core.to_json(one)).decode()
                pushed = pydantic_core.to_json({"message": {"data": data, "messageId": "1"}})
                await deliver_outbox(self.ports, Request("POST", "/", pushed))

    async def sweeps_without_delivery(self) -> None:
        await sweep(self.ports)

    async def sweeps(self, seconds: float = 0.0) -> None:
        self.bench.clock.forward(seconds)
        await sweep(self.ports)
        await self.settle()

    async def conversation(self, native: str = "1") -> Conversation:
        found = await self.ports.store.load(f"business_messages:{native}")
        assert found is not None
        return found.value

    async def speaks(self, native: str = "1") -> tuple[str, list[str]]:
        """Returns the phase and who is present."""
        found = await self.conversation(native)
        return found.phase.value, [one.representative.name for one in found.humans]

    async def person(self, who: str) -> Presence:
        name = f"{who}@x.test"
        found = (await self.ports.store.people([name])).get(name)
        return found.value if found else Presence(id=name)

    async def slots(self, who: str) -> list[tuple[str, str]]:
        """Returns what the person holds, or is offered."""
        found = (await self.person(who)).slots.values()
        return sorted((one.conversation.rpartition(":")[2], one.kind) for one in found)
