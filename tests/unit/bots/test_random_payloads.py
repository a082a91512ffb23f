"""10,000 random `ujet` payloads, of which the gate tries a quarter: each is taken or refused with a
reason, and nothing hidden goes anywhere.
"""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.bots.base import Question
from shared.bots.dialogflow import Dialogflow
from shared.bots.events import events_of
from shared.bots.words import Words
from shared.handoff.machine import Decision, decide
from shared.handoff.policy import Policy
from shared.handoff.visibility import seen_by
from shared.schemas.commands import Comment, Publish
from shared.schemas.conversation import Conversation
from shared.schemas.events import VariablesCaptured
from shared.schemas.http import Answer
from shared.schemas.variables import Audience
from tests.soak import SOAKS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PAYLOADS = 10_000
KEYS = [f"key_{n}" for n in range(5)]
FIELDS = (
    "type",
    "action",
    "title",
    "messages",
    "buttons",
    "images",
    "documents",
    "components",
    "session_variable",
)
WORDS = ["Hello", "How can I help you?", "", " ", "x" * 4000]
WORDS_SAID = Words(Question("business_messages:3333", "hi"), "m", 1, NOW)
BOT = Dialogflow("projects/p/locations/global/agents/a", "https://dialogflow.test")


class Chance:
    """Draws payloads that are mostly as documented, and here and there rubbish."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # repeatable, nothing to guess
        self._values = 0

    def ujet(self, depth: int = 2) -> Any:
        if self._random.random() < 0.02:
            return self.rubbish()
        wanted = self._random.sample(FIELDS, self._random.randint(1, len(FIELDS)))
        return {field: self._field(field, depth) for field in wanted}

    def _field(self, field: str, depth: int) -> Any:
        if self._random.random() < 0.07:
            return self.rubbish()
        linked = [{"url": self._random.choice(["https://a.test/1", "nowhere", ""]), "text": "alt"}]
        draw: dict[str, Callable[[], Any]] = {
            "type": lambda: self._random.choice(
                ["text", "inline_button", "complex", "action", "image", "hologram"]
            ),
            "action": lambda: self._random.choice(["escalation", "end", "direct", "dance"]),
            "title": lambda: self._random.choice(WORDS),
            "messages": lambda: self._random.sample(WORDS, self._random.randint(0, 3)),
            "buttons": lambda: [
                {"title": self._random.choice(WORDS)} for _ in range(self._random.randint(0, 20))
            ],
            "images": lambda: linked,
            "documents": lambda: linked,
            "components": lambda: [self.ujet(depth - 1) for _ in range(2)] if depth else [],
            "session_variable": self._session_variable,
        }
        return draw[field]()

    def _session_variable(self) -> dict[str, Any]:
        declared: dict[str, Any] = {
            "payload": {key: self._value() for key in self._some(KEYS)},
            "capture_type": self._some(["event", "agent", "comment", "data_parameters"]),
            "capture_target": self._random.choice(["payload", "payload", "end_user_response"]),
            "capture_key": self._random.choice(KEYS),
            "invisible_to_agent": self._some(KEYS),
            "invisible_to_adapter_events": self._some(KEYS),
            "display_order_in_adapter": self._some(KEYS),
        }
        for field in list(declared):
            if self._random.random() < 0.05:
                declared[field] = self.rubbish()
        return declared

    def _some(self, of: list[str]) -> list[str]:
        return self._random.sample(of, self._random.randint(0, len(of)))

    def _value(self) -> Any:
        self._values += 1
        value = f"value-{self._values}-"
        return self._random.choice([value, [value], {"inner": value}])

    def rubbish(self) -> Any:
        return self._random.choice(
            [None, 0, 1e308, -1, "x", "", [], {}, [None], {"a": [{}]}, True, "\u0000", "💥" * 99]
        )


def allowed(declared: dict[str, Any], audience: str) -> set[str]:
    """Returns whose values this audience may see, worked out a second time from the vendor's
    page.
    """
    hiding = "invisible_to_adapter_events" if audience == "event" else "invisible_to_agent"
    if audience not in declared["capture_type"]:
        return set()
    return {
        json.dumps(value)
        for key, value in declared["payload"].items()
        if key not in declared.get(hiding, ())
    }


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4 if SOAKS else 1))
def test_each_is_taken_or_refused_and_nothing_hidden_leaks(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance, policy = Chance(seed), Policy(comments=True)
    taken = refused = 0
    for number in range(PAYLOADS // 4):
        payload = {"ujet": chance.ujet()}
        answer = {"queryResult": {"responseMessages": [{"payload": payload}]}}
        reply = BOT.reply(BOT.heard(Answer(200, json.dumps(answer).encode())))
        assert all(reason and "value-" not in reason for reason in reply.refused)
        events = events_of(reply, WORDS_SAID, str(number), "Bot", NOW)
        taken, refused = taken + bool(events), refused + bool(reply.refused)
        for event in events:
            decision = decide(
                Conversation(id="business_messages:3333", address="3333"), event, NOW, policy
            )
            if isinstance(event, VariablesCaptured):
                _nothing_leaks(payload["ujet"]["session_variable"], event, decision)
    assert taken > PAYLOADS / 8
    assert refused > PAYLOADS / 40
    assert "value-" not in capsys.readouterr().out


def _nothing_leaks(declared: dict[str, Any], event: VariablesCaptured, decision: Decision) -> None:
    if event.awaited is not None:
        reply = {"payload": {declared["capture_key"]: "x"}}
        audiences = {audience for audience in Audience if allowed({**declared, **reply}, audience)}
        assert (set(event.awaited.audiences), decision.commands) == (audiences, ())
        return
    told: dict[str, set[str]] = {"event": set(), "comment": set()}
    for command in decision.commands:
        assert isinstance(command, Publish | Comment)
        audience = "comment" if isinstance(command, Comment) else "event"
        told[audience] = {json.dumps(value) for value in command.body["variables"].values()}  # type: ignore[union-attr]  # an object by its model
        hidden = {json.dumps(value) for value in declared["payload"].values()} - allowed(
            declared, audience
        )
        assert not any(value.strip('[]{}"') in json.dumps(command.body) for value in hidden)
    seen = {
        json.dumps(value)
        for value in seen_by(Audience.AGENT, decision.conversation.variables).values()
    }
    assert told["event"] == allowed(declared, "event")
    assert told["comment"] == allowed(declared, "comment")
    assert seen == allowed(declared, "agent")
