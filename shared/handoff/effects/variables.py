"""What the effects about variables do: keep, publish and comment them, capture the words that
were waited for.
"""

from collections.abc import Iterable

import pydantic_core

from shared.handoff.turn import Turn, expect
from shared.handoff.visibility import clamped, is_same, merge, seen_by
from shared.schemas.base import JsonObject
from shared.schemas.commands import Comment, Publish
from shared.schemas.events import FromUser, VariablesCaptured
from shared.schemas.notifications import VARIABLES, CommentBody, VariablesBody
from shared.schemas.texts import shortened
from shared.schemas.variables import Audience, Provenance, Variable

CAPTURED_LIMIT = 4096  # characters of a reply


def keep(turn: Turn) -> None:
    event = expect(turn.event, VariablesCaptured)
    _keep(turn, event.variables)
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
    _keep(turn, [captured])
    _publish(turn, (captured,))
    _comment(turn, (captured,))


def _keep(turn: Turn, captured: Iterable[Variable]) -> None:
    turn.known = turn.conversation.variables
    turn.change(variables=merge(turn.known, captured, turn.now))


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
        turn.commands.append(
            Publish(id=body.id, topic=VARIABLES, body=body.model_dump(mode="json", by_alias=True))
        )


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
    """Returns what this audience may see of a capture, where it is the latest of its key now and
    was not known with this value before. Task_VA_Left repeats all that its session has captured.
    """
    latest, known = turn.conversation.variables, {one.key: one for one in turn.known}
    new = (one for one in clamped(captured, turn.now) if one in latest)
    return seen_by(reader, (one for one in new if not _knows(known.get(one.key), one, reader)))


def _knows(known: Variable | None, new: Variable, reader: Audience) -> bool:
    return known is not None and reader in known.audiences and is_same(known.value, new.value)


def _in_words(value: object) -> str:
    return value if isinstance(value, str) else pydantic_core.to_json(value).decode()
