"""What each effect of the table does to a draft: the commands it adds, the change it makes."""

from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from shared.handoff import channels
from shared.handoff.draft import Draft
from shared.handoff.effects import assistant, chats, closed, desks, handback, loops, variables
from shared.handoff.effects import place as line
from shared.handoff.effects.frames import (
    forget_joined,
    join,
    leave,
    leave_all,
    leave_desk,
    replace_app,
    stay,
)
from shared.handoff.effects.notifications import notify
from shared.handoff.effects.speech import bot_message, message, say, survey
from shared.handoff.notices import Notice
from shared.handoff.transitions import Effect
from shared.handoff.visibility import copies
from shared.schemas.base import JsonObject
from shared.schemas.commands import Audience, Post, Publish
from shared.schemas.events import HumanRequested
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.times import format_time

_Effect = Callable[[Draft], None]


def tell(*audience: Audience) -> _Effect:
    """Tells what the customer sent; where a part is hidden from some of the audience, each gets
    a copy of its own.
    """

    def effect(draft: Draft) -> None:
        if isinstance(draft.event, HumanRequested) and draft.event.form is None:
            return  # a bot or desk asks, not the customer by a suggestion
        for_bot = handback.told(draft) if "BOT" in audience else {}
        for readers in copies(audience, draft.captured_for):
            body = {**(for_bot if "BOT" in readers else {}), **_ours(draft, audience, readers)}
            draft.add(Publish(id=draft.next_id(), topic=USER_MESSAGES, body=body, readers=readers))
        for one in audience:
            if one in draft.policy.webhooks:
                body = for_bot if one == "BOT" else {}
                draft.add(Post(id=draft.next_id(), audience=one, body=body, readers=(one,)))

    return effect


def _ours(draft: Draft, audience: Sequence[Audience], readers: Sequence[Audience]) -> JsonObject:
    """Returns what the topic says beside the platform's own form; `also` are those who get a
    copy of their own.
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


def remind(draft: Draft) -> None:
    """A desk has its time from when it is called, also where its opening was noticed late."""
    timer = draft.conversation.timer
    if timer is not None:
        since = draft.now if timer.is_opening else timer.due_at
        draft.change(
            timer=timer.model_copy(
                update={"n": timer.n + 1, "due_at": since + draft.policy.unclaimed_after}
            )
        )


def unsubscribe(draft: Draft) -> None:
    draft.conversation = channels.unsubscribed(
        draft.conversation, draft.event.source, draft.event.occurred_at or draft.now
    )


def subscribe(draft: Draft) -> None:
    draft.conversation = channels.subscribed(
        draft.conversation, draft.event.source, draft.event.occurred_at or draft.now
    )


EFFECTS: Mapping[Effect, _Effect] = {
    Effect.TELL_BOT: tell("BOT"),
    Effect.TELL_BOTH: tell("BOT", "HUMAN"),
    Effect.TELL_DESK: tell("HUMAN"),
    Effect.QUEUE: desks.queue,
    Effect.CALL_DESK: desks.call,
    Effect.RELAY: desks.relay,
    Effect.CLOSE_DESK: desks.close,
    Effect.TAKE_CHAT: chats.take_chat,
    Effect.KEEP_CHAT: chats.keep_chat,
    Effect.NOTE_CHAT: chats.note_chat,
    Effect.END_CHAT: chats.end_chat,
    Effect.REMIND: remind,
    Effect.NOTE_ASSISTANT: assistant.note,
    Effect.MOVE_REQUEST: desks.pass_on,
    Effect.WAIT_FOR_OPENING: closed.wait_for_opening,
    Effect.JOIN: join,
    Effect.MESSAGE: message,
    Effect.LEAVE: leave,
    Effect.LEAVE_DESK: leave_desk,
    Effect.LEAVE_ALL: leave_all,
    Effect.STAY: stay,
    Effect.BOT_MESSAGE: bot_message,
    Effect.SEND_SURVEY: survey,
    Effect.COUNT_TURN: loops.count_turn,
    Effect.NOTE_LOOP: loops.note,
    Effect.NOTIFY_REQUESTED: notify("handoff.requested"),
    Effect.NOTIFY_JOINED: notify("handoff.joined"),
    Effect.NOTIFY_ENDED: notify("handoff.ended"),
    Effect.NOTIFY_RETURNED: notify("handoff.returned"),
    Effect.NOTIFY_UNCLAIMED: notify("handoff.unclaimed"),
    Effect.NOTIFY_FAILED: notify("handoff.failed"),
    Effect.NOTIFY_CLOSED: closed.notify_closed,
    Effect.NOTIFY_SHUT: closed.notify_shut,
    Effect.NOTIFY_ASSISTED: assistant.notify_ended,
    Effect.KEEP_VARIABLES: variables.keep,
    Effect.PUBLISH_VARIABLES: variables.publish,
    Effect.COMMENT_VARIABLES: variables.comment,
    Effect.CAPTURE_REPLY: variables.capture_reply,
    Effect.NOTIFY_UNDELIVERED: notify("delivery.failed"),
    Effect.FORGET_JOINED: forget_joined,
    Effect.REPLACE_APP: replace_app,
    Effect.UNSUBSCRIBE: unsubscribe,
    Effect.SUBSCRIBE: subscribe,
    Effect.SAY_CLOSED: closed.say_closed,
    Effect.SAY_SHUT: closed.say_shut,
    Effect.SAY_WAITING: say(Notice.WAITING),
    Effect.SAY_NOBODY: say(Notice.NOBODY),
    Effect.SAY_PLACE: line.say_place,
    Effect.SAY_OPENING: closed.say_opening,
    Effect.SAY_RETURNED: say(Notice.RETURNED),
    Effect.SAY_RESUMED: say(Notice.RESUMED),
}
