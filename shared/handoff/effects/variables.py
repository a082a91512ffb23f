"""What the effects about variables do: keep, publish and comment them, and capture an awaited
reply.
"""

from collections.abc import Iterable

import pydantic_core

from shared.handoff.draft import Draft, expect
from shared.handoff.visibility import clamped, is_same, merge, seen_by
from shared.schemas.base import JsonObject
from shared.schemas.commands import Comment, Publish
from shared.schemas.events import Correction, Edited, FromUser, VariablesCaptured
from shared.schemas.notifications import VARIABLES, CommentBody, VariablesBody
from shared.schemas.texts import shortened
from shared.schemas.variables import Audience, Provenance, Variable

CAPTURED_LIMIT = 4096  # characters of a reply


def keep(draft: Draft) -> None:
    event = expect(draft.event, VariablesCaptured)
    _keep(draft, event.variables)
    if event.awaited is not None:
        draft.change(awaited=event.awaited)


def publish(draft: Draft) -> None:
    _publish(draft, expect(draft.event, VariablesCaptured).variables)


def comment(draft: Draft) -> None:
    _comment(draft, expect(draft.event, VariablesCaptured).variables)


def capture_reply(draft: Draft) -> None:
    """The customer's own words came through their platform's webhook, which is signed."""
    awaited, said = draft.conversation.awaited, expect(draft.event, FromUser).said
    draft.change(awaited=None)
    if awaited is None or said is None or awaited.until < draft.now:
        return
    draft.captured_for = awaited.audiences
    _capture(draft, awaited.key, awaited.audiences, said, draft.event.id)


def correct_reply(draft: Draft) -> None:
    """The new words of a message stand where the old ones stood: they are as hidden, and where the
    old ones are the value of a variable, the new ones are.

    Where the message itself has not come yet, it may be the reply that is awaited.
    """
    event, known = expect(draft.event, Correction), draft.conversation
    is_known = bool(event.heard) or event.captured_for is not None
    draft.captured_for = (
        event.captured_for if is_known or known.awaited is None else known.awaited.audiences
    )
    if not isinstance(event, Edited) or event.about is None or event.said is None:
        return
    for one in known.variables:
        if one.said_in == event.about:
            _capture(draft, one.key, one.audiences, event.said, event.about)


def _capture(
    draft: Draft, key: str, audiences: tuple[Audience, ...], said: str, message: str
) -> None:
    captured = Variable(
        key=key,
        value=shortened(said, CAPTURED_LIMIT, mark="") if audiences else None,
        captured_at=draft.now,
        audiences=audiences,
        provenance=Provenance(signed=True),
        said_in=message,
    )
    _keep(draft, [captured])
    _publish(draft, (captured,))
    _comment(draft, (captured,))


def _keep(draft: Draft, captured: Iterable[Variable]) -> None:
    draft.known = draft.conversation.variables
    draft.change(variables=merge(draft.known, captured, draft.now))


def _publish(draft: Draft, captured: tuple[Variable, ...]) -> None:
    visible = _news(draft, captured, Audience.EVENT)
    if visible:
        body = VariablesBody(
            id=draft.next_id(),
            conversation=draft.conversation.id,
            time=draft.now,
            variables=visible,
            provenance=captured[0].provenance,
        )
        draft.emit(
            Publish(id=body.id, topic=VARIABLES, body=body.model_dump(mode="json", by_alias=True))
        )


def _comment(draft: Draft, captured: tuple[Variable, ...]) -> None:
    visible = _news(draft, captured, Audience.COMMENT) if draft.policy.comments else {}
    if visible:
        body = CommentBody(
            id=draft.next_id(),
            conversation=draft.conversation.id,
            time=draft.now,
            comment="\n".join(f"{key}: {_in_words(value)}" for key, value in visible.items()),
            variables=visible,
            provenance=captured[0].provenance,
        )
        draft.emit(Comment(id=body.id, body=body.model_dump(mode="json", by_alias=True)))


def _news(draft: Draft, captured: Iterable[Variable], reader: Audience) -> JsonObject:
    """Returns what this audience may see of a capture, where it is the latest of its key now and
    was not known with this value before. Task_VA_Left repeats all that its session has captured.
    """
    latest, known = draft.conversation.variables, {one.key: one for one in draft.known}
    new = (one for one in clamped(captured, draft.now) if one in latest)
    return seen_by(reader, (one for one in new if not _knows(known.get(one.key), one, reader)))


def _knows(known: Variable | None, new: Variable, reader: Audience) -> bool:
    return known is not None and reader in known.audiences and is_same(known.value, new.value)


def _in_words(value: object) -> str:
    return value if isinstance(value, str) else pydantic_core.to_json(value).decode()
