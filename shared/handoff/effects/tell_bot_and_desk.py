"""What the customer did, for the bot and for desks that read topics or webhooks."""

from collections.abc import Callable, Sequence

from pydantic import JsonValue

from shared.handoff.draft import Draft, expect
from shared.handoff.effects.state import handback_for_bot
from shared.handoff.visibility import copies
from shared.schemas.base import JsonObject
from shared.schemas.commands import Listener, Post, Publish
from shared.schemas.details import Details, UndeliveredMessage
from shared.schemas.events import ByCustomer, HumanRequested, Undelivered
from shared.schemas.journal import DETAILS
from shared.schemas.notation import format_time
from shared.schemas.notifications import USER_MESSAGES


def publish(audience: tuple[Listener, ...]) -> Callable[[Draft], None]:
    """Returns the effect. Where a part is hidden from some of the audience, each gets a separate
    copy.
    """

    def effect(draft: Draft) -> None:
        if isinstance(draft.event, HumanRequested) and draft.event.form is None:
            return  # a bot or desk asks, not the customer by a suggestion
        for_bot = handback_for_bot(draft) if "BOT" in audience else {}
        limits = (
            draft.captured_for,
            draft.event.quoted_for if isinstance(draft.event, ByCustomer) else None,
        )
        is_hidden = limits != (None, None)
        for readers in copies(audience, *limits) if is_hidden else (audience,):
            body = {**(for_bot if "BOT" in readers else {}), **_ours(draft, audience, readers)}
            draft.emit_unless_tracked(
                Publish(id=draft.next_id(), topic=USER_MESSAGES, body=body, readers=readers)
            )
        for one in audience:
            if one in draft.policy.webhooks:
                body = for_bot if one == "BOT" else {}
                draft.emit_unless_tracked(
                    Post(id=draft.next_id(), audience=one, body=body, readers=(one,))
                )

    return effect


def tell_sender(draft: Draft) -> None:
    """Publishes for the bot or desk that sent a message that it was not delivered. Baton's own
    messages have no sender to hear it, nor has one that is not stored any more.
    """
    event = expect(draft.event, Undelivered)
    if event.by is None:
        return
    lost = UndeliveredMessage(message=event.message, reason=event.reason)
    form: JsonObject = {
        "conversationId": event.source,
        "requestId": event.id,
        "sendTime": format_time(event.occurred_at or draft.now),
        DETAILS: Details(undelivered=lost).shown(),
    }
    to = (event.by,)
    body = {**form, **_ours(draft, to, to)}
    draft.emit_unless_tracked(
        Publish(id=draft.derived_id("undelivered"), topic=USER_MESSAGES, body=body)
    )
    if event.by in draft.policy.webhooks:
        post = draft.derived_id("undelivered webhook")
        draft.emit_unless_tracked(Post(id=post, audience=event.by, body=form))


def _ours(draft: Draft, audience: Sequence[Listener], readers: Sequence[Listener]) -> JsonObject:
    """Returns what the topic says beside the platform's own form; `also` are those who get a
    separate copy.
    """
    also: list[JsonValue] = [one for one in audience if one not in readers]
    return {
        "schema_version": 1,
        "audience": list(readers),
        **({"also": also} if also else {}),
        "conversation": draft.conversation.id,
        "version": draft.conversation.version,
        "accepted_at": format_time(draft.now),
    }
