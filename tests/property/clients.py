"""The clients of Baton: platforms post until they are answered, callers repeat a request under the
same id.

They store the answers, so that a test can compare them with the outcome.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from shared.api.keys import Keyring
from shared.api.routes import send_representative
from shared.conversations.receive_webhook import receive_webhook
from shared.errors import BatonError, Unavailable
from shared.platforms.bodies import hmac_sha512_base64
from shared.ports import Ports
from shared.schemas.http import Request
from shared.schemas.notation import format_time, platform_of, sha256
from shared.schemas.representative import RepresentativeType
from shared.settings.types import ApiKey
from tests.property.world import CSKU_SECRET, SIGNING_KEY, Crash, World

HUMANS = frozenset([RepresentativeType.HUMAN])
KEYS = {
    "bot": ApiKey(name="bot", may=frozenset([RepresentativeType.BOT])),
    **{name: ApiKey(name=name, may=HUMANS) for name in ("desk-1", "desk-2", "desk-3")},
    "admin": ApiKey(name="admin", may=frozenset(RepresentativeType), admin=True),
}
KEYRING = Keyring({sha256(key): rights for key, rights in KEYS.items()})


@dataclass(slots=True)
class Report:
    """A webhook that a platform posts; `taken` once it was answered with 200."""

    conversation: str
    life: int
    body: bytes
    message_id: str | None = None
    taken: bool = False


@dataclass(slots=True)
class Ask:
    """A request of the REST surface. `answer`: ok, exists, refused and so on, `unknown` while no
    answer is known.
    """

    conversation: str
    life: int
    key: str
    path: str
    body: Mapping[str, Any]
    query: Mapping[str, str] = field(default_factory=dict)
    id: str | None = None
    text: str | None = None
    answer: str = "unknown"
    tries: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Clients:
    world: World
    lives: Counter[str] = field(default_factory=Counter)
    reports: list[Report] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    count: int = 0

    def number(self) -> int:
        self.count += 1
        return self.count

    def marker(self, conversation: str) -> str:
        """Returns what stands in every text and name of this life of the conversation, and
        nowhere else.
        """
        return f"mark-{conversation.partition(':')[2]}-{self.lives[conversation]}-"

    def name(self, conversation: str, who: int | str) -> str:
        return who if isinstance(who, str) else f"Jane {who} {self.marker(conversation)}"

    # What platforms report.

    def customer(
        self, conversation: str, payload: Mapping[str, Any], message_id: str | None = None
    ) -> Report:
        now = format_time(self.world.clock.now())
        context = {"userInfo": {"displayName": f"Michael {self.marker(conversation)}"}}
        body = {
            "conversationId": conversation.partition(":")[2],
            "requestId": f"request-{self.number()}",
        }
        return self._report(
            conversation, {**body, "sendTime": now, "context": context, **payload}, message_id
        )

    def says(self, conversation: str, text: str = "says") -> Report:
        number = self.number()
        message = {
            "messageId": f"user-{number}",
            "text": f"{self.marker(conversation)} {text} {number}",
        }
        return self.customer(conversation, {"message": message}, f"user-{number}")

    def wants_human(self, conversation: str) -> Report:
        return self.customer(conversation, {"userStatus": {"requestedLiveAgent": True}})

    def desk(
        self, conversation: str, event: str, need_human: int, who: int | str, late: int
    ) -> Report:
        number, time = self.number(), self.world.clock.now() - timedelta(seconds=late)
        text = f"{self.marker(conversation)} {event} {number}"
        role = "agent" if event == "agent.message_out" else "ai"
        message = {"id": f"m{number}", "content": {"type": "text", "text": text}}
        body = {
            "event": event,
            "conversation_id": conversation.partition(":")[2],
            "need_human": need_human,
        }
        message[role] = {"name": self.name(conversation, who)}
        return self._report(
            conversation, {**body, "timestamp": int(time.timestamp()), "message": message}
        )

    def _report(
        self, conversation: str, body: Mapping[str, Any], message_id: str | None = None
    ) -> Report:
        report = Report(
            conversation, self.lives[conversation], json.dumps(body).encode(), message_id
        )
        self.reports.append(report)
        return report

    async def post(self, ports: Ports, report: Report) -> None:
        """Posts once. Whatever is not 200 leaves the report to be posted again."""
        platform = platform_of(report.conversation)
        signature = {"x-goog-signature": hmac_sha512_base64(SIGNING_KEY, report.body)}
        headers = {"authorization": CSKU_SECRET} if platform == "csku" else signature
        try:
            await receive_webhook(ports, Request("POST", f"/{platform}", report.body, headers))
            report.taken = True
        except (Unavailable, Crash):
            pass

    # What bots, desks and operators ask.

    def message(
        self,
        conversation: str,
        key: str,
        who: int | str,
        message_id: str | None = None,
        extra: str = "",
    ) -> Ask:
        message_id = message_id or f"api-{self.number()}"
        text = f"{self.marker(conversation)} {message_id}{extra}"
        body = {
            "messageId": message_id,
            "text": text,
            "representative": self.speaker(conversation, key, who),
        }
        return self.ask(conversation, key, "/messages", body, id=message_id, text=text)

    def event(self, conversation: str, key: str, who: int | str, event_type: str) -> Ask:
        event_id = f"event-{self.number()}"
        body = {"eventType": event_type, "representative": self.speaker(conversation, key, who)}
        return self.ask(
            conversation, key, "/events", body, query={"eventId": event_id}, id=event_id
        )

    def verb(self, conversation: str, key: str, verb: str, body: Mapping[str, Any]) -> Ask:
        return self.ask(
            conversation, key, f":{verb}", {"requestId": f"verb-{self.number()}", **body}
        )

    def claim(self, conversation: str, key: str, who: int | str) -> Ask:
        return self.verb(
            conversation,
            key,
            "claim",
            {"representative": {"displayName": self.name(conversation, who)}},
        )

    def speaker(self, conversation: str, key: str, who: int | str) -> Mapping[str, str]:
        if key == "bot":
            return {"representativeType": "BOT", "displayName": "Bot"}
        return {"representativeType": "HUMAN", "displayName": self.name(conversation, who)}

    def ask(
        self, conversation: str, key: str, path: str, body: Mapping[str, Any], **more: Any
    ) -> Ask:
        ask = Ask(conversation, self.lives[conversation], key, path, body, **more)
        self.asks.append(ask)
        return ask

    async def send(self, ports: Ports, ask: Ask, method: str = "POST") -> str:
        """Sends the request once. An id that exists already was accepted before, with a lost
        answer.
        """
        ask.answer = await self._answer(
            lambda: send_representative(ports, KEYRING, _request(ask, method)), ask
        )
        if ask.answer == "exists" and ask.tries and ask.metadata["reason"] == "already-accepted":
            ask.answer = "ok"
        ask.tries += 1
        return ask.answer

    async def _answer(self, call: Callable[[], Awaitable[object]], ask: Ask) -> str:
        try:
            await call()
        except (Unavailable, Crash):
            return "unknown"
        except BatonError as error:
            ask.metadata = {**error.metadata, "reason": error.reason}
            names = {
                "ALREADY_EXISTS": "exists",
                "FAILED_PRECONDITION": "refused",
                "NOT_FOUND": "missing",
            }
            return names.get(error.status, error.status)
        return "ok"

    def forget(self, conversation: str) -> None:
        """The conversation is erased: what was not taken is not sent again."""
        self.lives[conversation] += 1
        self.reports = [
            one for one in self.reports if one.taken or one.conversation != conversation
        ]
        self.asks = [
            one for one in self.asks if one.answer != "unknown" or one.conversation != conversation
        ]


def _request(ask: Ask, method: str) -> Request:
    path = f"/v1/conversations/{quote(ask.conversation, safe='')}{ask.path}"
    headers = {"authorization": f"Bearer {ask.key}"}
    return Request(method, path, json.dumps(dict(ask.body)).encode(), headers, ask.query)
