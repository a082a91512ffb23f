"""Google's own library for the Chat API judges messages: what Baton sends, and what the simulated
Chat says that Google Chat sends. A field or a value that the API does not have is an error.
"""

import json
from collections.abc import Mapping
from typing import Any

from google.apps import chat_v1

CHANGEABLE = {"text", "attachment", "cards", "cards_v2", "accessory_widgets"}


def judge_message(message: Mapping[str, Any]) -> chat_v1.Message:
    """Returns the message as the library reads it. Raises where it cannot."""
    parsed: chat_v1.Message = chat_v1.Message.from_json(json.dumps(message))
    return parsed


def judge_create(query: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """Raises unless the call to spaces.messages.create is one that the library knows."""
    judge_message(body)
    known = {"requestId", "messageId", "messageReplyOption"}
    assert set(query) <= known
    options: Any = chat_v1.CreateMessageRequest.MessageReplyOption
    assert options[query["messageReplyOption"]]


def judge_patch(query: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """Raises unless the call to spaces.messages.patch is one that the library knows."""
    judge_message(body)
    assert set(query) <= {"updateMask", "allowMissing"}
    changed = set(query["updateMask"].split(","))
    assert changed <= CHANGEABLE & set(chat_v1.Message.meta.fields)
