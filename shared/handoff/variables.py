"""What the effects about variables do: keep, publish and comment them, capture the words that were waited for."""

from collections.abc import Iterable

import pydantic_core

from shared.handoff.turn import Turn, expect
from shared.handoff.visibility import clamped, merge, seen_by
from shared.schemas.base import JsonObject
from shared.schemas.commands import Comment, Publish
from shared.schemas.events import FromUser, VariablesCaptured
from shared.schemas.notifications import VARIABLES, CommentBody, VariablesBody
from shared.schemas.texts import shortened
from shared.schemas.variables import Audience, Provenance, Variable

CAPTURED_LIMIT = 4096  # characters of a reply


def keep(turn: Turn) -> None:
    event = expect(turn.event, VariablesCaptured)
    turn.change(variables=merge(turn.conversation.variables, event.variables, turn.now))
    if event.awaited is not None:
        turn.change(awaited=event.awaited)


def publish(turn: Turn) -> None:
    _publish(turn, expect(turn.event, VariablesCaptured).variables)


def comment(turn: Turn) -> None:
    _comment(turn, expect(turn.event, VariablesCaptured).variables)


def capture_reply(turn: Turn) -> None:
    """The customer's own words came through their platform's webhook, which is signed."""
    awaited, said = turn.conversation.awaited, expect(turn.event, FromUser).said
    turn.change(awaited=None)
    if awaited is None or said is None or awaited.until < turn.now:
        return
    captured = Variable(
        key=awaited.key,
        value=shortened(said, CAPTURED_LIMIT, mark="") if awaited.audiences else None,
        captured_at=turn.now,
        audiences=awaited.audiences,
        provenance=Provenance(signed=True),
    )
    turn.captured_for = awaited.audiences
    turn.change(variables=merge(turn.conversation.variables, [captured], turn.now))
    _publish(turn, (captured,))
    _comment(turn, (captured,))


def _publish(turn: Turn, captured: tuple[Variable, ...]) -> None:
    visible = _news(turn, captured, Audience.EVENT)
    if visible:
        body = VariablesBody(
            id=turn.next_id(),
            conversation=turn.conversation.id,
            time=turn.now,
            variables=visible,
            provenance=captured[0].provenance,
        )
        turn.commands.append(Publish(id=body.id, topic=VARIABLES, body=body.model_dump(mode="json", by_alias=True)))


def _comment(turn: Turn, captured: tuple[Variable, ...]) -> None:
    visible = _news(turn, captured, Audience.COMMENT) if turn.policy.comments else {}
    if visible:
        body = CommentBody(
            id=turn.next_id(),
            conversation=turn.conversation.id,
            time=turn.now,
            comment="\n".join(f"{key}: {_in_words(value)}" for key, value in visible.items()),
            variables=visible,
            provenance=captured[0].provenance,
        )
        turn.commands.append(Comment(id=body.id, body=body.model_dump(mode="json", by_alias=True)))


def _news(turn: Turn, captured: Iterable[Variable], reader: Audience) -> JsonObject:
    """Returns what this audience may see of a capture and is the latest of its key now; a late one is no news."""
    latest = turn.conversation.variables
    return seen_by(reader, (variable for variable in clamped(captured, turn.now) if variable in latest))


def _in_words(value: object) -> str:
    return value if isinstance(value, str) else pydantic_core.to_json(value).decode()
