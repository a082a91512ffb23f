"""Slack for the contract suite: the simulated workspace of the local run, over HTTP."""

import asyncio
import html
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.signature import SignatureVerifier

from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.slack import CHANNEL, PREFIX, SlackSimulator
from shared.schemas.http import Answer, Request
from tests.desks.simulator import JANE, TOM, Act, Refusal
from tests.served import Served

SECRET, TOKEN = "dev-slack-secret", "dev-slack-token"
ERRORS = {Refusal.ERROR: "internal_error", Refusal.CREDENTIALS: "invalid_auth"}


class Slack:
    kind = "slack"
    acts = frozenset({Act.JOIN, Act.LEAVE, Act.DECLINE, Act.DELETE, Act.RENAME})

    async def start(self, webhooks: str) -> None:
        self._simulator = SlackSimulator(
            PlatformStore(":memory:"), f"{webhooks}/slack", SECRET, TOKEN
        )
        # The ids of people, who may take other names.
        self._members = {who: self._simulator.add(who) for who in (JANE, TOM)}
        self._simulator.unlimited = True  # the suite has more calls a second than Slack takes
        self._server = Served(self._simulator)
        await self._server.__aenter__()
        self._simulator.here = self._server.url
        self._posting = asyncio.create_task(self._simulator.post_webhooks())

    async def stop(self) -> None:
        self._posting.cancel()
        await self._server.__aexit__(None, None, None)
        check_blocks(self._simulator)

    def settings(self) -> Mapping[str, str]:
        return {
            "SLACK_API_URL": f"{self._server.url}{PREFIX}/api",
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRETS": SECRET,
        }

    def row(self) -> Mapping[str, Any]:
        return {"place": CHANNEL}

    def own_conversation(self) -> str | None:
        return None

    async def chats(self) -> Sequence[str]:
        return self._simulator.threads()

    async def is_open(self, chat: str) -> bool:
        shown = self._simulator.messages(chat)
        blocks = shown[0].get("blocks", ()) if shown else ()  # an erase deletes the request
        return any(one.get("action_id") == "baton_claim" for one in buttons(blocks))

    async def words(self, chat: str) -> Sequence[str]:
        return [
            html.unescape(one["text"])
            for one in self._simulator.messages(chat)
            if one.get("username") is not None
        ]

    async def everything(self) -> str:
        said = [one for chat in self._simulator.threads() for one in self._simulator.messages(chat)]
        return html.unescape(json.dumps(said, ensure_ascii=False))

    async def join(self, chat: str, who: str) -> None:
        self._press(chat, who, "baton_claim")

    async def say(self, chat: str, who: str, text: str) -> None:
        self._simulator.write(chat, self._members[who], text)

    async def leave(self, chat: str, who: str) -> None:
        self._press(chat, who, "baton_release")

    async def decline(self, chat: str) -> None:
        self._press(chat, "Jane", "baton_unavailable")

    async def delete(self, chat: str, text: str) -> None:
        shown = self._simulator.messages(chat)
        (said,) = (one for one in shown if html.unescape(one["text"]) == text)
        self._simulator.remove(CHANNEL, said["ts"])

    async def rename(self, who: str, name: str) -> None:
        self._simulator.people[self._members[who]].name = name

    async def end(self, chat: str) -> None:
        raise NotImplementedError("a thread has no end of its own")

    async def reported(self) -> None:
        while self._simulator.store.webhooks(1):
            await asyncio.sleep(0.005)

    def refusal(self, kind: Refusal, seconds: int = 1) -> Answer:
        if kind is Refusal.TOO_MANY:
            body = b'{"ok": false, "error": "ratelimited"}'
            return Answer(429, body, {"retry-after": str(seconds)})
        return Answer(200, json.dumps({"ok": False, "error": ERRORS[kind]}).encode())

    def strange(self, *, genuine: bool = True) -> Request:
        event = {"type": "team_sang", "song": uuid.uuid4().hex}
        whole = {"type": "event_callback", "event_id": f"Ev{uuid.uuid4().hex}", "event": event}
        body = json.dumps(whole).encode()
        signed = dict(self._simulator.signed(body if genuine else body + b" "))
        assert SignatureVerifier(SECRET).is_valid_request(body, signed) is genuine
        return Request("POST", "/slack", body, {**signed, "content-type": "application/json"})

    def _press(self, chat: str, who: str, button: str) -> None:
        """Presses a button once the message from which the thread starts has it."""
        blocks = self._simulator.messages(chat)[0]["blocks"]
        if not any(one.get("action_id") == button for one in buttons(blocks)):
            shown = json.loads(json.dumps(blocks))
            shown.append({"type": "actions", "elements": [_button(button)]})
            self._simulator.messages(chat)[0]["blocks"] = shown
        assert self._simulator.press(chat, self._members[who], button)


def buttons(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [one for block in blocks for one in block.get("elements", ())]


def check_blocks(simulator: SlackSimulator) -> None:
    """Holds Slack's own models against every block that the app has posted."""
    for thread in simulator.threads():
        for message in simulator.messages(thread):
            if message.get("bot_id") and "blocks" in message:
                parsed = Block.parse_all(message["blocks"])
                assert len(parsed) == len(message["blocks"])
                for block in parsed:
                    block.validate_json()


def _button(action: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": action, "emoji": False}
    return {"type": "button", "action_id": action, "text": text}
