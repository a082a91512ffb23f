"""Who joins and who leaves, and how the customer is told: by the platform's own frame events,
else in words.
"""

from collections.abc import Callable
from typing import Literal

from shared.handoff import channels
from shared.handoff.notices import Notice
from shared.handoff.turn import Turn, expect
from shared.schemas.commands import SendEvent
from shared.schemas.conversation import Conversation, Present
from shared.schemas.events import ByRepresentative, HumanMessage, Undelivered
from shared.schemas.own_events import JoinedLost

JOINED: Literal["REPRESENTATIVE_JOINED"] = "REPRESENTATIVE_JOINED"
LEFT: Literal["REPRESENTATIVE_LEFT"] = "REPRESENTATIVE_LEFT"
UNHEARD_KEPT = 20


def join(turn: Turn) -> None:
    """Who was introduced a moment ago, when others were told of as having left, is in their
    frame already.
    """
    event = expect(turn.event, ByRepresentative)
    known = turn.conversation.present(event.representative)
    if known is not None:
        _replace(turn, known, known.model_copy(update={"source": event.source, "key": event.key}))
        return
    human = Present(
        representative=event.representative,
        frame=turn.next_id(),
        source=event.source,
        key=event.key,
        joined_at=turn.now,
        occurred_at=event.occurred_at,
        told=_spoke_there(turn) or not turn.outside_window,
        app=_spoke_there(turn),
    )
    if not _spoke_there(turn):
        _open(turn, human)
    turn.change(humans=(*turn.conversation.humans, human))


def introduce(turn: Turn, human: Present) -> Present:
    """Returns the human as the customer knows them: who joined when nobody could write to the
    customer is told now.
    """
    if human.told or turn.outside_window:
        return human
    frame = turn.derived_id(f"{JOINED} {human.representative.name}")
    told = human.model_copy(update={"told": True, "frame": frame, "app": False})
    _open(turn, told)
    _replace(turn, human, told)
    return told


def _replace(turn: Turn, human: Present, by: Present) -> None:
    turn.change(humans=tuple(by if one is human else one for one in turn.conversation.humans))


def forget_joined(turn: Turn) -> None:
    """Who was to be told of and was not is introduced with their next words.

    That they left is still said to whom has seen words of theirs; the delivery knows whether there
    are any.
    """
    known, event = turn.conversation, turn.event
    if isinstance(event, Undelivered) and event.message not in _frames(known):
        return
    frame = event.message if isinstance(event, Undelivered) else expect(event, JoinedLost).frame
    turn.conversation = channels.not_shown(known, frame)
    turn.change(unheard=(*known.unheard, frame)[-UNHEARD_KEPT:])


def _frames(conversation: Conversation) -> set[str]:
    """Returns the frames that stand open on any of the customer's channels."""
    shown = (human for channel in channels.all_of(conversation) for human in channel.shown)
    return {human.frame for human in shown}


def replace_app(turn: Turn) -> None:
    """Who types in the channel's own app has no name there and is not announced; a colleague
    takes over from them.
    """
    turn.conversation = channels.without_app(turn.conversation)


def stay(turn: Turn) -> None:
    """Who is said to have joined again does not go with a leaving from before that."""
    event = expect(turn.event, ByRepresentative)
    known = turn.conversation.present(event.representative)
    if known is not None and known.source == event.source:
        _replace(turn, known, known.model_copy(update={"rejoined_at": event.occurred_at}))


def leave(turn: Turn) -> None:
    name = expect(turn.event, ByRepresentative).representative.name
    _dismiss(turn, lambda human: human.representative.name == name)


def leave_desk(turn: Turn) -> None:
    gone = turn.event.over or turn.event.source
    _dismiss(turn, lambda human: human.source == gone)


def leave_all(turn: Turn) -> None:
    """The bot is back because nobody spoke, of which the customer is told even where no law
    asks for it.
    """
    _dismiss(turn, lambda _: True, back=not turn.is_off(turn.policy.notices_off))


def catch_up(turn: Turn) -> None:
    """Tells of those who left when the customer could not be told, before anything else is said
    to them.
    """
    gone = turn.conversation.left_unseen
    if not turn.outside_window:
        turn.change(left_unseen=())
        _tell_of(turn, gone, back=False, late=True)


def _dismiss(turn: Turn, goes: Callable[[Present], bool], *, back: bool = False) -> None:
    known = turn.conversation
    leaving = tuple(human for human in known.humans if goes(human))
    known_there = (human for human in leaving if human.told or human.frame in known.unheard)
    gone = tuple(human for human in known_there if not _spoke_there(turn))
    turn.gone = leaving
    turn.change(humans=tuple(human for human in known.humans if not goes(human)))
    if turn.outside_window:
        turn.change(left_unseen=(*known.left_unseen, *gone))
    else:
        _tell_of(turn, gone, back=back)


def _tell_of(turn: Turn, gone: tuple[Present, ...], *, back: bool, late: bool = False) -> None:
    """Where nobody stays, the last words are that an automated assistant speaks again: one
    text, not two.
    """
    _vouch(turn, gone)
    discloses = not turn.conversation.humans and (
        back or not turn.is_off(turn.policy.disclosure_off)
    )
    for human in gone:
        command = turn.derived_id(f"{LEFT} {human.frame}") if late else turn.next_id()
        _close(
            turn, human, command, Notice.BACK if discloses and human is gone[-1] else Notice.LEFT
        )


def _vouch(turn: Turn, gone: tuple[Present, ...]) -> None:
    """Introduces one of those who stay where the customer knows none: else it would look as if
    nobody stayed.
    """
    here, names = turn.conversation.humans, {human.representative.name for human in gone}
    strangers = [human for human in here if human.representative.name not in names]
    if gone and strangers and not any(human.told for human in here):
        introduce(turn, strangers[0])


def _spoke_there(turn: Turn) -> bool:
    """Returns whether the channel showed it all by itself: this human came, or came and went,
    with their own words.
    """
    shown = isinstance(turn.event, HumanMessage) and turn.event.delivered
    return shown and turn.event.source == turn.conversation.channel


def _open(turn: Turn, human: Present) -> None:
    if turn.capabilities.frames or not turn.is_off(turn.policy.notices_off):
        turn.send(_event(turn, human, human.frame, JOINED, Notice.JOINED))


def _close(turn: Turn, human: Present, command: str, notice: Notice) -> None:
    frames = turn.capabilities.frames
    if frames or notice is Notice.BACK or not turn.is_off(turn.policy.notices_off):
        turn.send(_event(turn, human, command, LEFT, Notice.LEFT if frames else notice))


def _event(
    turn: Turn,
    human: Present,
    command: str,
    kind: Literal["REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"],
    notice: Notice,
) -> SendEvent:
    return SendEvent(
        id=command,
        to=turn.conversation.address,
        channel=turn.conversation.speaks_on,
        representative=human.representative,
        event_type=kind,
        frame=human.frame,
        notice=not turn.capabilities.frames,
        text=turn.text(notice, human.representative.name),
    )
