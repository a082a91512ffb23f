"""One conversation with the built-in bot, step by step, and short words for what Dialogflow
answers.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.bots import intent as bot_intent
from shared.bots.dialogflow import Dialogflow
from shared.bots.run_bot import Assistant, answer
from shared.conversations.apply import apply
from shared.delivery.deliver import deliver
from shared.schemas.conversation import Phase
from shared.schemas.events import Event, UserMessage
from shared.schemas.http import Answer
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType
from tests.unit.use_cases.conftest import Bench

ID = "business_messages:3333"
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
SORRY = "Sorry, something went wrong and I cannot answer right now. Please try again in a moment."
DIALOGFLOW = Dialogflow(
    "projects/p/locations/global/agents/a", "https://platform.test/dialogflow", timeout=5
)


def says(*messages: Any, status: int = 200) -> Answer:
    body = {
        "queryResult": {
            "responseMessages": [
                {"text": {"text": [m]}} if isinstance(m, str) else m for m in messages
            ]
        }
    }
    return Answer(status, json.dumps(body).encode())


def captures(key: str, value: Any, *audiences: str) -> dict[str, Any]:
    return {
        "payload": {
            "ujet": {"session_variable": {"payload": {key: value}, "capture_type": list(audiences)}}
        }
    }


@dataclass
class Play:
    """One conversation with the bot, step by step."""

    bench: Bench
    assistant: Assistant = field(default_factory=lambda: Assistant(DIALOGFLOW))
    count: int = 0

    async def happens(self, kind: type[Event], **more: Any) -> None:
        self.count += 1
        event = kind.model_validate(
            {"id": f"e{self.count}", "source": ID, "address": "3333", "actor": "test", **more}
        )
        await apply(self.bench.ports, event)

    async def customer(self, text: str, **more: Any) -> dict[str, Any]:
        """Returns the body that the topic then has."""
        said = {"messageId": f"m{self.count}", "text": text}
        form = {"conversationId": "3333", "message": said}
        await self.happens(UserMessage, id=said["messageId"], form=form, said=text, **more)
        await deliver(self.bench.ports, ID)
        return self.bench.publisher.on(USER_MESSAGES)[-1]

    async def bot(self, body: dict[str, Any], *script: Any) -> None:
        self.bench.sender.script[:] = script
        await answer(self.bench.ports, self.assistant, body)
        self.bench.sender.script.clear()
        await deliver(self.bench.ports, ID)

    @property
    def questions(self) -> list[dict[str, Any]]:
        return [
            json.loads(call.body) for call in self.bench.sender.calls if "detectIntent" in call.url
        ]

    @property
    def shown(self) -> list[str]:
        sent = (
            json.loads(c.body) for c in self.bench.sender.calls if "/v1/conversations/" in c.url
        )
        return [one.get("text") or one["eventType"].removeprefix("REPRESENTATIVE_") for one in sent]

    async def asked(self) -> list[str | None]:
        """Returns how asking the bot ended, and why, message by message."""
        page = await self.bench.store.journal(ID, None, 100)
        entries = (entry.value for entry in page.items if entry.value.kind == "bot")
        return [f"{one.outcome}{': ' + one.reason if one.reason else ''}" for one in entries]

    async def phase(self) -> Phase:
        found = await self.bench.store.load(ID)
        assert found is not None
        return found.value.phase


@pytest.fixture
def play(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Play:
    monkeypatch.setattr(bot_intent, "PAUSES", (0.0, 0.0))
    return Play(bench)
