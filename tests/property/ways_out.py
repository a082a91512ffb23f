"""Everything around one customer, and everything that leaves Baton: by which way, and who reads it
there.

A way that is not listed here is an error: an unknown topic, host, route or kind of command.
"""

import asyncio
import contextlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, get_args
from urllib.parse import quote, urlsplit

from infra.export.redaction import Mask
from infra.export.transcript_formats import FORMATS
from infra.export.transcripts import lines
from shared.api.keys import Keyring
from shared.api.operations import OPERATIONS
from shared.api.routes import send_representative
from shared.bots import run_bot as bot
from shared.bots.dialogflow import Dialogflow
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.errors import BatonError
from shared.handoff.policy import Policy
from shared.handoff.routing.desk import Desk
from shared.platforms.bodies import hmac_sha256_hex, hmac_sha512_base64
from shared.platforms.business_messages.platform import BusinessMessages
from shared.platforms.ccai.desk import CcaiDesk
from shared.platforms.ccai.platform import Ccai
from shared.platforms.csku.platform import Csku
from shared.platforms.whatsapp.platform import WhatsApp
from shared.ports import CrmRecord, Desks, Ports, Webhooks
from shared.schemas.commands import Command
from shared.schemas.http import Answer, Call, Request
from shared.schemas.notation import conversation_id, sha256
from shared.schemas.representative import RepresentativeType
from shared.schemas.team import Target, Team, Url
from shared.settings.types import ApiKey
from shared.teams import notify_handoff as notify
from shared.teams.google_chat import GoogleChat
from shared.teams.slack import Slack
from shared.teams.team_webhook import TeamWebhook
from tests.inline import InlineStore
from tests.unit.use_cases.conftest import HandClock

ID, DESK = "business_messages:3333", "csku:conv_1"
WHATSAPP = conversation_id("whatsapp", "1:+12025550100")
Reader = Literal["customer", "bot", "agent", "event", "comment", "nobody"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

# Who reads what is called, by host; what is published, by topic: there a body names its own
# audience.
HOSTS: dict[str, Reader] = {
    "platform.test": "customer",
    "dialogflow.test": "bot",
    "bot.test": "bot",
    "desk.test": "agent",
    "crm.test": "comment",
    "slack.test": "agent",
    "chat.test": "agent",
    "hook.test": "agent",
    "tenant.test": "agent",
}
TOPICS: dict[str, Reader | None] = {
    "baton-user-messages": None,
    "baton-variables": "event",
    "baton-handoffs": "agent",
    "baton-outbox": "nobody",
}
AUDIENCES: dict[str, Reader] = {"BOT": "bot", "HUMAN": "agent"}
# Which hosts or topics a command of each kind ends at.
KINDS = {
    "message": {"platform.test"},
    "event": {"platform.test"},
    "publish": {"baton-user-messages", "baton-variables", "baton-handoffs"},
    "post": {"bot.test", "desk.test"},
    "comment": {"crm.test"},
    "desk": {"tenant.test"},
    "team": {"slack.test", "chat.test", "hook.test"},
    "survey": {"platform.test"},
    "reaction": set[str](),  # no platform here shows reactions
    # They carry no words, and the platforms here have no floors.
    "take_floor": set[str](),
    "give_floor": set[str](),
    "keep_media": set[str](),  # no platform here has files
    "record": set[str](),
    "free_slot": set[str](),  # it is executed in Baton's own store
    "stream": {"baton-handoffs"},
}
KEYS = {
    "bot": ApiKey(name="bot", may=frozenset({RepresentativeType.BOT})),
    "desk": ApiKey(name="desk", may=frozenset({RepresentativeType.HUMAN})),
    "admin": ApiKey(name="admin", may=frozenset(), admin=True),
}
KEY_READS: dict[str, Reader] = {"bot": "bot", "desk": "agent", "admin": "agent"}
JANE = {"representativeType": "HUMAN", "displayName": "Jane"}
# Every call of the API, by what its route is called in `routes`; those that end things come last.
CALLS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("GET", "conversations"): ("?phase={phase}", {}),
    ("GET", "conversations/{}"): ("", {}),
    ("GET", "conversations/{}/journal"): ("", {}),
    ("GET", "canned"): ("", {}),
    ("GET", "people"): ("", {}),
    ("GET", "me"): ("", {}),
    ("GET", "reports/handoffs"): ("", {}),
    ("GET", "reports/agents"): ("", {}),
    ("POST", "conversations/{}/messages"): ("", {"messageId": "probe", "text": "probe"}),
    ("POST", "conversations/{}/media"): ("", {}),
    ("POST", "conversations/{}/events"): ("?eventId=probe", {"eventType": "TYPING_STARTED"}),
    ("POST", "conversations/{}/surveys"): ("?surveyId=probe", {}),
    ("PATCH", "conversations/{}/messages/{}/receipt"): ("", {"receiptType": "READ"}),
    ("POST", "conversations/{}:requestHuman"): ("", {"reason": "probe"}),
    ("POST", "conversations/{}:link"): ("", {"to": "{}"}),
    ("POST", "conversations/{}:unlink"): ("", {}),
    ("POST", "conversations/{}:rename"): ("", {"name": "{}", "to": "{}"}),
    ("POST", "conversations/{}:claim"): ("", {"representative": JANE}),
    ("POST", "conversations/{}:release"): ("", {"representative": JANE}),
    ("POST", "conversations/{}:transfer"): ("", {"to": {"queue": True}, "reason": "probe"}),
    ("POST", "conversations/{}:takeOver"): ("", {"reason": "probe"}),
    ("POST", "conversations/{}:decline"): ("", {"offer": "probe"}),
    ("POST", "conversations/{}:withdraw"): ("", {"offer": "probe"}),
    ("PUT", "me/presence"): ("", {"state": "away"}),
    ("POST", "conversations/{}:fail"): ("", {"reason": "probe"}),
    ("POST", "conversations/{}:note"): ("", {"representative": JANE, "text": "probe"}),
    ("DELETE", "conversations/{}"): ("", {}),
}


def every_route() -> set[tuple[str, str]]:
    names = re.compile(r"\{\w+\}")
    return {(one.method, names.sub("{}", one.path).strip("/")) for one in OPERATIONS}


def every_kind() -> set[str]:
    return {
        get_args(one.model_fields["kind"].annotation)[0] for one in get_args(get_args(Command)[0])
    }


@dataclass(frozen=True)
class Leaving:
    """Something that left, and all who read it there."""

    way: str
    readers: frozenset[Reader]
    text: str


@dataclass
class Ways:
    """One customer on Business Messages, or on WhatsApp where `id` says so, a bot that answers by
    script, a desk of the CCAI Platform, and CSKU AI linked.

    It is a Sender and a Publisher, and keeps all that it is given.
    """

    id: str = ID
    store: InlineStore = field(default_factory=lambda: InlineStore(":memory:"))
    clock: HandClock = field(default_factory=HandClock)
    left: list[Leaving] = field(default_factory=list)
    answers: list[list[dict[str, Any]]] = field(default_factory=list)  # of the bot, the next first
    topics: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)
    count: int = 0
    chats: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        platforms: Any = {
            "business_messages": BusinessMessages(("signing",), api_url="https://platform.test"),
            "whatsapp": WhatsApp(("s",), api_url="https://platform.test", access_token="t"),
            "csku": Csku(("secret",)),
            "ccai": Ccai(),
        }
        policy = Policy(
            webhooks=frozenset({"BOT", "HUMAN"}),
            comments=True,
            desks=(Desk(name="support", kind="ccai"),),
            capabilities={name: one.capabilities for name, one in platforms.items()},
        )
        webhooks = Webhooks({"BOT": "https://bot.test/", "HUMAN": "https://desk.test/"}, "key")
        crm = CrmRecord("https://crm.test/", secrets=(SECRET,))
        desks = Desks(chats={"ccai": CcaiDesk("https://tenant.test", "acme", "token", 7)})
        hook = TeamWebhook(Url("https://hook.test/"), SECRET)
        targets: list[Target] = [
            Slack(Url("https://slack.test/")),
            GoogleChat(Url("https://chat.test/")),
            hook,
        ]
        team = Team(targets, "https://console.test/{conversation}")
        self.ports = Ports(
            self.store,
            self,
            self,
            self.clock,
            policy,
            platforms,
            webhooks,
            crm,
            desks,
            team,
            streams=True,
        )
        agent = "projects/p/locations/l/agents/a"
        self.assistant = bot.Assistant(Dialogflow(agent, "https://dialogflow.test"))
        self.keyring = Keyring({sha256(name): key for name, key in KEYS.items()})

    async def send(self, call: Call) -> Answer | None:
        host = urlsplit(call.url).netloc
        told = call.body.decode() + call.url + str(call.headers)
        self.left.append(Leaving(host, frozenset({HOSTS[host]}), told))
        if host == "dialogflow.test":
            self.asked += 1
            messages = self.answers.pop(0) if self.answers else [{"text": {"text": ["beep"]}}]
            return Answer(200, json.dumps({"queryResult": {"responseMessages": messages}}).encode())
        if host == "tenant.test":
            self.chats += call.url.endswith("/chats")
            return Answer(200, json.dumps({"id": 1000 + self.chats}).encode())
        return Answer(200, b"{}")

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        told = json.loads(body)
        reader = TOPICS[topic]
        readers = {reader} if reader is not None else {AUDIENCES[one] for one in told["audience"]}
        self.left.append(Leaving(topic, frozenset(readers), body.decode()))
        if topic != "baton-outbox":
            self.topics.append((topic, told))

    async def settle(self) -> None:
        """Delivers all that waits, and lets the bot and the team have what was published."""
        for _ in range(4):
            for one in (self.id, DESK, *(f"ccai:chat-{1001 + n}" for n in range(self.chats))):
                await deliver(self.ports, one, timers=True)
            topics, self.topics = self.topics, []
            self.received += topics
            for topic, body in topics:
                await self.consume(topic, body)
            self.clock.forward(1)

    async def consume(self, topic: str, body: dict[str, Any]) -> None:
        with contextlib.suppress(BatonError):
            if topic == "baton-user-messages":
                await bot.answer(self.ports, self.assistant, body)
            if topic == "baton-handoffs":
                await notify.take(self.ports, body)

    async def webhook(self, platform: str, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        proof = {
            "business_messages": {"x-goog-signature": hmac_sha512_base64("signing", raw)},
            "whatsapp": {"x-hub-signature-256": f"sha256={hmac_sha256_hex('s', raw)}"},
            "csku": {"authorization": "secret"},
        }
        response = await receive_webhook(
            self.ports, Request("POST", f"/{platform}", raw, proof[platform])
        )
        self.left.append(
            Leaving(
                "receive_webhook",
                frozenset({"nobody"}),
                response.body.decode() + str(response.notes),
            )
        )

    async def customer(self, payload: dict[str, Any], locale: str = "en-US") -> dict[str, Any]:
        """Returns the body in which the customer's platform reports it."""
        self.count += 1
        context = {"resolvedLocale": locale, "userInfo": {"displayName": "Ana"}}
        at = {"sendTime": self.clock.now().isoformat(), "requestId": f"r{self.count}"}
        body = {
            "agent": "brands/b/agents/a",
            "conversationId": "3333",
            "context": context,
            **at,
            **payload,
        }
        await self.webhook("business_messages", body)
        return body

    async def item(self, kind: str, of: str | None = None, **what: Any) -> dict[str, Any]:
        """Returns the body in which WhatsApp reports what the customer did; `of` is the message
        that it quotes.
        """
        self.count += 1
        quoted = {"context": {"id": of}} if of else {}
        message = {"from": "12025550100", "id": f"wamid.{self.count}", "type": kind}
        value = {
            "metadata": {"phone_number_id": "1"},
            "messages": [{**message, **quoted, **what}],
        }
        body = {"entry": [{"changes": [{"field": "messages", "value": value}]}]}
        await self.webhook("whatsapp", body)
        return body

    async def says(self, text: str, locale: str = "en-US") -> dict[str, Any]:
        if self.id == WHATSAPP:
            return await self.item("text", text={"body": text})
        return await self.customer(
            {"message": {"messageId": f"m{self.count}", "text": text}}, locale
        )

    async def taps(self, text: str, postback: str) -> dict[str, Any]:
        if self.id == WHATSAPP:
            reply = {"type": "button_reply", "button_reply": {"id": postback, "title": text}}
            return await self.item("interactive", interactive=reply)
        return await self.customer(
            {"suggestionResponse": {"text": text, "postbackData": postback, "type": "REPLY"}}
        )

    async def echo(self, text: str) -> None:
        """CSKU AI shows its people the same channel, and reports what the customer wrote there."""
        self.count += 1
        content = {"type": "text", "text": text}
        message = {"id": f"c{self.count}", "content": content}
        await self.webhook(
            "csku", {"event": "channel.message_in", "conversation_id": "conv_1", "message": message}
        )

    async def ask(
        self, key: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Returns what the API answers; whatever that is, it is what the key's owner reads."""
        path, _, query = path.partition("?")
        headers = {"authorization": f"Bearer {key}"}
        given = dict([query.split("=", 1)]) if query else {}
        raw = json.dumps(body or {}).encode()
        try:
            response = await send_representative(
                self.ports, self.keyring, Request(method, f"/v1/{path}", raw, headers, given)
            )
            told, notes = response.body.decode(), response.notes
        except BatonError as error:
            told, notes = json.dumps([error.message, dict(error.metadata)]), {}
        self.left.append(Leaving(f"{method} {path}", frozenset({KEY_READS[key]}), told))
        self.left.append(Leaving(f"log of {path}", frozenset({"nobody"}), str(notes)))
        return json.loads(told) if told.startswith("{") else {}

    async def look_everywhere(self) -> None:
        """Reads what may be read, as each key's owner, and does all that the API can do."""
        for (method, route), (query, template) in CALLS.items():
            body = {**template, "to": self.id} if "to" in template else template
            for key in KEYS:
                for one in (self.id, DESK):
                    path = route.replace("{}", quote(one, safe=":"), 1).replace("{}", "m0")
                    for phase in ("BOT", "QUEUED", "HUMAN") if "{phase}" in query else ("",):
                        given = (
                            {"representative": {**JANE, "displayName": key}}
                            if key == "desk"
                            else {}
                        )
                        await self.ask(
                            key, method, path + query.replace("{phase}", phase), {**given, **body}
                        )
            if method == "GET":
                await self._export()
            await self.settle()

    async def _export(self) -> None:
        for conversation in (self.id, DESK):
            page = await self.store.journal(conversation, None, 200)
            for name, kind in FORMATS.items():
                written: list[str] = []
                into, mask = kind(written.append, "human_agent"), Mask()
                into.begin()
                into.open(conversation, "business_messages")
                for entry in page.items:
                    for line in lines(entry.value):
                        into.line(line)
                        into.line(mask.line(line))
                into.close()
                into.end()
                self.left.append(Leaving(f"export {name}", frozenset({"agent"}), "".join(written)))

    def all_that_left(self) -> Sequence[Leaving]:
        return [*self.left, Leaving("log", frozenset({"nobody"}), self.log.getvalue())]

    def read_by(self, reader: Reader) -> str:
        return "\n".join(one.text for one in self.all_that_left() if reader in one.readers)

    def ways_of(self, text: str) -> set[str]:
        return {one.way for one in self.all_that_left() if text in one.text}


@contextlib.contextmanager
def ways(customer: str = ID) -> Iterator[tuple[asyncio.Runner, Ways]]:
    """Gives the world and a loop for it; what Baton logs meanwhile is kept."""
    with asyncio.Runner() as runner:
        world = Ways(customer)
        with contextlib.redirect_stdout(world.log):
            yield runner, world
        runner.run(world.store.close())


HOUR = timedelta(hours=1)
