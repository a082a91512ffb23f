"""A WhatsApp number that Baton shares with another sender: who owns the thread, whole seconds, and
webhooks that are heard when a test says so, in any order.

It is written from Meta's pages and not from Baton's code: `messages` goes to the owner, `standby`
to who only listens, a change of the owner is reported to one side, and sending takes control.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from shared.conversations.apply import Applied, apply_and_wake
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.platforms.bodies import hmac_sha256_hex
from shared.platforms.whatsapp.platform import WhatsApp
from shared.ports import Ports
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation
from shared.schemas.events import BotMessage, Claim, Event, HumanLeft, HumanMessage
from shared.schemas.http import Answer, Call, Request
from shared.schemas.notation import conversation_id
from shared.schemas.notifications import HANDOFFS, USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType

ANA = conversation_id("whatsapp", "1:+12025550100")
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
US, THEM = "us", "them"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class SharedNumber:
    """The platform. `seconds` is its clock. `log` is what Baton did there, in order."""

    owner: str | None = THEM
    seconds: float = 0
    whole: int = 1  # seconds that its clock counts at once
    partner: bool = True
    log: list[str] = field(default_factory=list)
    count: int = 0

    def tick(self, seconds: float = 1) -> None:
        self.seconds += seconds

    @property
    def stamp(self) -> datetime:
        return BEGIN + timedelta(seconds=int(self.seconds) // self.whole * self.whole)

    async def send(self, call: Call) -> Answer:
        self.tick()
        body = json.loads(call.body)
        if call.url.endswith("/thread_control"):
            refused = self._control(body)
        else:
            refused = self.owner == THEM and not self.partner
            self.owner = self.owner if refused else US
            self.log.append(f"{'refused ' if refused else ''}{body['text']['body']}")
        headers = {"date": format_datetime(self.stamp, usegmt=True)}
        if refused:
            fault = {"error": {"code": 2494191, "message": "(#2494191) Not permitted"}}
            return Answer(400, json.dumps(fault).encode(), headers)
        self.count += 1
        sent = {"messages": [{"id": f"wamid.OURS{self.count}"}]}
        return Answer(200, json.dumps(sent).encode(), headers)

    def _control(self, body: Mapping[str, Any]) -> bool:
        action = body["action"]
        refused = self.owner != US if action != "take" else self.owner == THEM and not self.partner
        self.log.append(f"{'refused ' if refused else ''}{action}")
        if not refused:
            self.owner = {"take": US, "release": None, "pass": THEM}[action]
        return refused

    # What happens at the platform, and the webhook that reports it.

    def says(self, text: str, *, to: str | None = None) -> Request:
        self.tick()
        self.owner = self.owner or to or US
        return self.heard("messages" if self.owner == US else "standby", text)

    def heard(self, where: str, text: str) -> Request:
        said = {"from": "12025550100", **self._item(text), **_text(text)}
        lists = {"messages": [said]}
        return _signed(where, {"metadata": METADATA, **_in(where, lists)})

    def answers(self, text: str) -> Request:
        self.tick()
        said = {"to": "12025550100", **_text(text)}
        echo = {**self._item(text), "message": said}
        return _signed("standby", {"metadata": METADATA, "standby": {"message_echoes": [echo]}})

    def passes(self, why: str = "refund") -> Request:
        self.tick()
        self.owner = US
        roles = {"previous_owner_role": "ai_agent", "new_owner_role": "escalation"}
        return self._handover("control_passed", {**roles, "metadata": why})

    def takes(self) -> Request:
        self.tick()
        self.owner = THEM
        return self._handover("control_taken", {"new_owner_role": "escalation"})

    def _handover(self, kind: str, what: dict[str, str]) -> Request:
        value = {
            "sender": {"phone_number": "12025550100"},
            "recipient": METADATA,
            "timestamp": str(int(self.stamp.timestamp())),
            "type": kind,
            kind: what,
        }
        return _signed("messaging_handovers", value)

    def _item(self, native: str) -> dict[str, str]:
        return {"id": f"wamid.{native}", "timestamp": str(int(self.stamp.timestamp()))}


METADATA = {"phone_number_id": "1", "display_phone_number": "15550000001"}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": text}}


def _in(where: str, lists: dict[str, Any]) -> dict[str, Any]:
    return {"standby": lists} if where == "standby" else lists


def _signed(where: str, value: dict[str, Any]) -> Request:
    body = json.dumps({"entry": [{"changes": [{"field": where, "value": value}]}]}).encode()
    return Request(
        "POST", "/whatsapp", body, {"x-hub-signature-256": f"sha256={hmac_sha256_hex('s', body)}"}
    )


@dataclass
class Play:
    """Baton at that number, with one customer."""

    bench: Any
    number: SharedNumber
    ports: Ports = field(init=False)
    asked: int = 0
    given_back: bool = False
    notices: bool = True

    def __post_init__(self) -> None:
        whatsapp = WhatsApp(app_secrets=("s",), access_token="t")
        off = frozenset[str]() if self.notices else frozenset({"whatsapp"})
        policy = replace(
            self.bench.ports.policy,
            webhooks=frozenset(),
            capabilities={"whatsapp": whatsapp.capabilities},
            floor_given_back=frozenset({"whatsapp"}) if self.given_back else frozenset(),
            notices_off=off,
            disclosure_off=off,
        )
        self.ports = replace(
            self.bench.ports,
            platforms={"whatsapp": whatsapp},
            policy=policy,
            sender=self.number,
        )

    async def hears(self, *webhooks: Request) -> None:
        for webhook in webhooks:
            assert (await receive_webhook(self.ports, webhook)).status == 200
            await self.delivers()

    async def delivers(self) -> None:
        await deliver(self.ports, ANA)

    async def asks(self, kind: type[Event], **more: Any) -> Applied:
        self.asked += 1
        common: dict[str, Any] = {
            "id": f"a{self.asked}",
            "source": ANA,
            "actor": "key:k",
            "key": "k",
        }
        return await apply_and_wake(self.ports, kind(**common, fact=False, **more))

    async def bot(self, text: str = "beep") -> str | None:
        """Returns the reason of the refusal, None where it was said."""
        applied = await self.asks(BotMessage, representative=BOT, content=Content(text=text))
        await self.delivers()
        return applied.refusal.reason if applied.refusal else None

    async def claims(self, *, delivered: bool = True) -> None:
        assert (await self.asks(Claim, representative=JANE)).refusal is None
        if delivered:
            await self.delivers()

    async def jane(self, text: str) -> None:
        said = await self.asks(HumanMessage, representative=JANE, content=Content(text=text))
        assert said.refusal is None
        await self.delivers()

    async def leaves(self, *, delivered: bool = True) -> None:
        assert (await self.asks(HumanLeft, representative=JANE)).refusal is None
        if delivered:
            await self.delivers()

    async def now(self) -> Conversation:
        found = await self.ports.store.load(ANA)
        assert found is not None
        return found.value

    def told(self, audience: str) -> list[str]:
        """Returns the customer's words that this audience got, in order."""
        published = self.bench.publisher.on(USER_MESSAGES)
        return [
            body["message"]["text"]
            for body in published
            if audience in body["audience"] and "message" in body
        ]

    @property
    def notified(self) -> list[str]:
        return [body["type"] for body in self.bench.publisher.on(HANDOFFS)]
