"""What each effect of the table does to a turn: the commands it adds, the change it makes."""

from collections.abc import Callable, Mapping

from shared.handoff.notices import Notice
from shared.handoff.transitions import Effect
from shared.handoff.turn import Turn, expect
from shared.handoff.visibility import clamped, merge, seen_by
from shared.schemas.base import JsonObject
from shared.schemas.commands import Audience, Post, Publish, SendEvent, SendMessage
from shared.schemas.content import TEXT_LIMIT, Content, split_text
from shared.schemas.conversation import HandoffRequest, Present, Timer
from shared.schemas.events import (
    ByRepresentative,
    FromUser,
    HumanMessage,
    HumanRequested,
    Said,
    UnclaimedTimeout,
    VariablesCaptured,
)
from shared.schemas.ids import command_id
from shared.schemas.notifications import (
    HANDOFFS,
    USER_MESSAGES,
    VARIABLES,
    Notification,
    NotificationType,
    VariablesBody,
)
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience as Reader

_Effect = Callable[[Turn], None]


def tell(*audience: Audience) -> _Effect:
    def effect(turn: Turn) -> None:
        form = expect(turn.event, FromUser).form
        body: JsonObject = {**form, "schema_version": 1, "audience": list(audience)}
        turn.add(Publish(id=turn.next_id(), topic=USER_MESSAGES, body=body))
        for one in audience:
            if one in turn.policy.webhooks:
                turn.add(Post(id=turn.next_id(), audience=one, body=form))

    return effect


def queue(turn: Turn) -> None:
    event = expect(turn.event, HumanRequested)
    request = HandoffRequest(
        reason=event.reason,
        source=event.source,
        accepted_at=turn.now,
        occurred_at=event.occurred_at,
        metadata=event.metadata,
    )
    due = turn.now + turn.policy.unclaimed_after
    timer = Timer(kind="unclaimed", armed=turn.conversation.version, n=1, due_at=due)
    turn.change(request=request, first_response_seconds=None, timer=timer)


def remind(turn: Turn) -> None:
    timer = turn.conversation.timer
    if timer is not None:
        turn.change(
            timer=timer.model_copy(update={"n": timer.n + 1, "due_at": timer.due_at + turn.policy.unclaimed_after})
        )


def join(turn: Turn) -> None:
    event, conversation = expect(turn.event, ByRepresentative), turn.conversation
    representative = event.representative
    command = SendEvent(
        id=turn.next_id(), to=conversation.address, representative=representative, event_type="REPRESENTATIVE_JOINED"
    )
    command = command.model_copy(update={"frame": command.id})
    human = Present(
        representative=representative, frame=command.id, source=event.source, key=event.key, joined_at=turn.now
    )
    turn.add(command)
    turn.change(humans=(*conversation.humans, human))


def message(turn: Turn) -> None:
    event = expect(turn.event, HumanMessage)
    human = turn.conversation.present(event.representative)
    _say(turn, event, human.frame if human else None)
    if turn.conversation.request and turn.conversation.first_response_seconds is None:
        turn.change(first_response_seconds=turn.waited_seconds)


def bot_message(turn: Turn) -> None:
    _say(turn, expect(turn.event, Said), None)


def _say(turn: Turn, event: Said, frame: str | None) -> None:
    limit = min(turn.policy.of(turn.conversation.platform).text_limit, TEXT_LIMIT)
    to, representative = turn.conversation.address, event.representative
    for content in _within(event.content, limit):
        turn.add(SendMessage(id=turn.next_id(), to=to, representative=representative, content=content, frame=frame))


def _within(content: Content, limit: int) -> list[Content]:
    if content.text is None or len(content.text) <= limit:
        return [content]
    *first, last = split_text(content.text, limit)
    return [*(Content(text=piece) for piece in first), content.model_copy(update={"text": last})]


def leave(turn: Turn) -> None:
    name = expect(turn.event, ByRepresentative).representative.name
    _dismiss(turn, lambda human: human.representative.name == name)


def leave_desk(turn: Turn) -> None:
    _dismiss(turn, lambda human: human.source == turn.event.source)


def leave_all(turn: Turn) -> None:
    _dismiss(turn, lambda _: True)


def _dismiss(turn: Turn, goes: Callable[[Present], bool]) -> None:
    for human in filter(goes, turn.conversation.humans):
        turn.add(
            SendEvent(
                id=turn.next_id(),
                to=turn.conversation.address,
                representative=human.representative,
                event_type="REPRESENTATIVE_LEFT",
                frame=human.frame,
            )
        )
    turn.change(humans=tuple(human for human in turn.conversation.humans if not goes(human)))


def keep_variables(turn: Turn) -> None:
    new = expect(turn.event, VariablesCaptured).variables
    turn.change(variables=merge(turn.conversation.variables, new, turn.now))


def publish_variables(turn: Turn) -> None:
    """Tells of what is the latest of its key now; a late capture would look like news."""
    event = expect(turn.event, VariablesCaptured)
    news = clamped(event.variables, turn.now)
    visible = seen_by(Reader.EVENT, (variable for variable in turn.conversation.variables if variable in news))
    if visible:
        body = VariablesBody(
            id=turn.next_id(),
            conversation=turn.conversation.id,
            time=turn.now,
            variables=visible,
            provenance=event.variables[0].provenance,
        )
        turn.commands.append(Publish(id=body.id, topic=VARIABLES, body=body.model_dump(mode="json", by_alias=True)))


def say(notice: Notice) -> _Effect:
    def effect(turn: Turn) -> None:
        bot = Representative(representative_type=RepresentativeType.BOT, display_name=turn.policy.bot_name)
        turn.add(
            SendMessage(
                id=turn.next_id(), to=turn.conversation.address, representative=bot, content=Content(text=notice.value)
            )
        )

    return effect


def notify(kind: NotificationType) -> _Effect:
    def effect(turn: Turn) -> None:
        turn.commands.append(notification(turn, kind))

    return effect


def notification(turn: Turn, kind: NotificationType) -> Publish:
    event, waited = turn.event, turn.waited_seconds
    body = Notification(
        id=command_id(turn.conversation.id, event.entry_id, kind),
        type=kind,
        conversation=turn.conversation.id,
        time=turn.now,
        representative=getattr(event, "representative", None),
        reason=_reason(turn),
        waited_seconds=waited if kind != "handoff.ended" else None,
        reminder=event.n if isinstance(event, UnclaimedTimeout) and kind == "handoff.unclaimed" else None,
    )
    return Publish(id=body.id, topic=HANDOFFS, body=body.model_dump(mode="json", by_alias=True))


def _reason(turn: Turn) -> str | None:
    request = turn.conversation.request
    return getattr(turn.event, "reason", None) or (request.reason if request else None)


EFFECTS: Mapping[Effect, _Effect] = {
    Effect.TELL_BOT: tell("BOT"),
    Effect.TELL_BOTH: tell("BOT", "HUMAN"),
    Effect.TELL_DESK: tell("HUMAN"),
    Effect.QUEUE: queue,
    Effect.REMIND: remind,
    Effect.JOIN: join,
    Effect.MESSAGE: message,
    Effect.LEAVE: leave,
    Effect.LEAVE_DESK: leave_desk,
    Effect.LEAVE_ALL: leave_all,
    Effect.BOT_MESSAGE: bot_message,
    Effect.NOTIFY_REQUESTED: notify("handoff.requested"),
    Effect.NOTIFY_JOINED: notify("handoff.joined"),
    Effect.NOTIFY_ENDED: notify("handoff.ended"),
    Effect.NOTIFY_RETURNED: notify("handoff.returned"),
    Effect.NOTIFY_UNCLAIMED: notify("handoff.unclaimed"),
    Effect.NOTIFY_FAILED: notify("handoff.failed"),
    Effect.KEEP_VARIABLES: keep_variables,
    Effect.PUBLISH_VARIABLES: publish_variables,
    Effect.SAY_WAITING: say(Notice.WAITING),
    Effect.SAY_NOBODY: say(Notice.NOBODY),
    Effect.SAY_RETURNED: say(Notice.RETURNED),
}
