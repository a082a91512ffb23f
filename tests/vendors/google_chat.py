"""Google's own library for the Chat API, and Google's own description of it, judge messages and
calls: what Baton sends, and what the simulated Chat says that Google Chat sends. A field or a value
that the API does not have is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.infra.discovery import Call, faults, faults_of

if TYPE_CHECKING:
    from google.apps import chat_v1

Json = dict[str, Any]
CHANGEABLE = {"text", "attachment", "cards", "cards_v2", "accessory_widgets"}


def judge_message(message: Mapping[str, Any]) -> chat_v1.Message:
    """Returns the message as the library reads it. Raises where it cannot."""
    from google.apps import chat_v1  # a fifth of a second, which few workers need to spend

    parsed: chat_v1.Message = chat_v1.Message.from_json(json.dumps(message))
    return parsed


def judge_call(method: str, path: str, query: Mapping[str, str], body: bytes, answer: Json) -> None:
    """Raises unless the call is one of the API's, and the answer one of that call."""
    given: Json = json.loads(body) if body else {}
    call = Call(method, "chat", path.lstrip("/"), dict(query), given, answer)
    assert "error" in answer or faults(call) == []
    if "error" not in answer and "thread" in answer:
        judge_message(answer)
    if method in ("POST", "PATCH"):
        read = judge_message(given)
    if method == "PATCH":
        changed = set(query["updateMask"].split(","))
        assert changed <= CHANGEABLE & set(type(read).meta.fields)


def judge_event(event: Json) -> None:
    """Raises unless this is an interaction event of an app that is no add-on."""
    assert faults_of("chat", "v1", "DeprecatedEvent", event) == []
    if "message" in event:
        judge_message(event["message"])
