"""A bot's reply as events of the conversation: captured variables, messages, and a request for a
human.

Captured variables come first, so that a notification of the request has them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pydantic_core

from shared.bots.base import Escalation, Reply
from shared.bots.words import Words
from shared.handoff.visibility import captured, project, readers
from shared.logs import log
from shared.schemas.base import JsonObject
from shared.schemas.conversation import AwaitedReply
from shared.schemas.events import (
    METADATA_LIMIT,
    REASON_LIMIT,
    BotMessage,
    Event,
    HumanRequested,
    VariablesCaptured,
)
from shared.schemas.notation import command_id
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.texts import shortened
from shared.schemas.variables import Provenance, SessionVariable

ACTOR = "bot"
AWAITED_FOR = timedelta(hours=1)


def events_of(
    reply: Reply, words: Words, answer_id: str, bot_name: str, now: datetime
) -> list[Event]:
    """Returns the events in order. Their ids are derived from `answer_id`, so they are the same
    after a crash.
    """
    bot = Representative(representative_type=RepresentativeType.BOT, display_name=bot_name)
    common: dict[str, Any] = {"source": words.conversation, "actor": ACTOR, "fact": False}
    events: list[Event] = [
        VariablesCaptured(
            **common, id=f"{answer_id}:capture:{n}", **_captured(words, declared, now)
        )
        for n, declared in enumerate(reply.captures)
    ]
    common["answers"] = words.version
    for n, content in enumerate(reply.contents):
        said = command_id(words.conversation, answer_id, n)
        events.append(
            BotMessage(**common, id=said, keeps_id=True, representative=bot, content=content)
        )
    return [*events, *_escalated(reply.escalation, common, answer_id)]


def _captured(words: Words, declared: SessionVariable, now: datetime) -> dict[str, Any]:
    key = declared.capture_key
    if declared.capture_target == "end_user_response" and key is not None:
        until = words.accepted_at + AWAITED_FOR
        return {"awaited": AwaitedReply(key=key, audiences=readers(declared, key), until=until)}
    projection = project(declared)
    if projection.unknown_keys:
        unknown = len(projection.unknown_keys)
        log(
            "WARNING",
            "invisible keys that the payload lacks; a slip?",
            conversation=words.conversation,
            unknown=unknown,
        )
    payload = _in_display_order(declared)
    return {"variables": captured(payload, projection, now, Provenance(signed=True))}


def _in_display_order(declared: SessionVariable) -> JsonObject:
    payload = declared.payload or {}
    first = [key for key in declared.display_order_in_adapter if key in payload]
    return {key: payload[key] for key in (*first, *payload)}


def _escalated(
    escalation: Escalation | None, common: dict[str, Any], answer_id: str
) -> Iterator[Event]:
    if escalation is not None:
        fits = len(pydantic_core.to_json(escalation.metadata)) <= METADATA_LIMIT
        if not fits:
            log(
                "WARNING",
                "the escalation's metadata is too large and was left out",
                conversation=common["source"],
            )
        yield HumanRequested(
            **common,
            id=f"{answer_id}:escalation",
            reason=shortened(escalation.reason, REASON_LIMIT),
            metadata=escalation.metadata if fits else None,
        )
