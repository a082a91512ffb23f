"""Who joins and who leaves, and how the customer is shown it: with the platform's own events,
else in words.
"""

from collections.abc import Callable
from typing import Literal

from shared.handoff import channels
from shared.handoff.draft import Draft, expect
from shared.handoff.effects.offers import slot_for_joining
from shared.handoff.notices import Notice
from shared.schemas.commands import SendEvent
from shared.schemas.conversation import Conversation, Participant, Phase
from shared.schemas.events import ByRepresentative, HumanMessage, Undelivered
from shared.schemas.own_events import JoinedLost, PersonGone
from shared.schemas.representative import Representative

JOINED: Literal["REPRESENTATIVE_JOINED"] = "REPRESENTATIVE_JOINED"
LEFT: Literal["REPRESENTATIVE_LEFT"] = "REPRESENTATIVE_LEFT"
UNHEARD_KEPT = 20


def join(draft: Draft) -> None:
    """Opens a frame, unless this human has one: they may have been introduced with this event, when
    another's LEFT was sent.
    """
    event = expect(draft.event, ByRepresentative)
    known = draft.conversation.present(event.representative)
    if known is not None:
        now = {"source": event.source, "key": event.key, "native": event.native_person}
        _replace(draft, known, known.model_copy(update=now))
        return
    human = Participant(
        representative=event.representative,
        frame=draft.next_id(),
        source=event.source,
        key=event.key,
        joined_at=draft.now,
        occurred_at=event.occurred_at,
        told=_spoke_there(draft) or not draft.outside_window,
        app=_spoke_there(draft),
        person=event.person_id,
        slot=slot_for_joining(draft),
        native=event.native_person,
        desk=draft.conversation.request.desk if draft.conversation.request else None,
    )
    if not _spoke_there(draft):
        _open(draft, human)
    draft.change(humans=(*draft.conversation.humans, human))


def introduce(draft: Draft, human: Participant) -> Participant:
    """Returns the human with the frame that the customer has seen. JOINED is sent now where the
    window was closed when they joined.
    """
    if human.told or draft.outside_window:
        return human
    frame = draft.derived_id(f"{JOINED} {human.representative.name}")
    told = human.model_copy(update={"told": True, "frame": frame, "app": False})
    _open(draft, told)
    _replace(draft, human, told)
    return told


def _replace(draft: Draft, human: Participant, by: Participant) -> None:
    draft.change(humans=tuple(by if one is human else one for one in draft.conversation.humans))


def forget_joined(draft: Draft) -> None:
    """A human whose JOINED did not arrive is introduced before their next message.

    The frame is kept as `unheard`: where the customer has seen messages of that human, which the
    delivery knows, LEFT is still sent.
    """
    known, event = draft.conversation, draft.event
    if isinstance(event, Undelivered) and (event.may_arrive or event.message not in _frames(known)):
        return
    frame = event.message if isinstance(event, Undelivered) else expect(event, JoinedLost).frame
    draft.conversation = channels.not_shown(known, frame)
    draft.change(unheard=(*known.unheard, frame)[-UNHEARD_KEPT:])


def _frames(conversation: Conversation) -> set[str]:
    """Returns the frames that stand open on any of the customer's channels."""
    shown = (human for channel in channels.all_of(conversation) for human in channel.shown)
    return {human.frame for human in shown}


def replace_app(draft: Draft) -> None:
    """A human in the channel's own app has no name there and was not announced, so there is no
    LEFT when a colleague takes over.
    """
    draft.conversation = channels.without_app(draft.conversation)


def stay(draft: Draft) -> None:
    """A LEFT from before this does not apply to a human who is reported to have joined again."""
    event = expect(draft.event, ByRepresentative)
    known = draft.conversation.present(event.representative)
    if known is not None and known.source == event.source:
        _replace(draft, known, known.model_copy(update={"rejoined_at": event.occurred_at}))


def leave(draft: Draft) -> None:
    name = expect(draft.event, ByRepresentative).representative.name
    _dismiss(draft, lambda human: human.representative.name == name)


def leave_desk(draft: Draft) -> None:
    gone = draft.event.over or draft.event.source
    _dismiss(draft, lambda human: human.source == gone)


def leave_all(draft: Draft) -> None:
    """The humans leave without a word, so the last text says that the bot is back, also where no
    law asks for it.
    """
    _dismiss(draft, lambda _: True, back=not draft.is_off(draft.policy.notices_off))


def leave_givers(draft: Draft) -> None:
    """The offer may have been accepted after some of them have left by themselves."""
    offer = draft.before.offer
    givers = offer.givers if offer else ()
    _dismiss(draft, lambda human: human.representative.name in givers)


def leave_others(draft: Draft) -> None:
    name = expect(draft.event, ByRepresentative).representative.name
    _dismiss(draft, lambda human: human.representative.name != name)


def leave_gone(draft: Draft) -> None:
    slot = expect(draft.event, PersonGone).slot
    _dismiss(draft, lambda human: human.slot == slot)


def leave_late(draft: Draft) -> None:
    gone = draft.conversation.left_unseen
    draft.change(left_unseen=())
    _say_left(draft, gone, back=False, late=True)


def show(draft: Draft, representative: Representative, frame: str) -> Participant:
    """Opens a frame for a human who has left already, and whose words the customer is yet to
    see.
    """
    human = Participant(
        representative=representative, frame=frame, source=draft.event.source, joined_at=draft.now
    )
    _open(draft, human)
    return human


def show_gone(draft: Draft, human: Participant) -> None:
    """Closes such a frame."""
    _say_left(draft, (human,), back=False, late=True)


def _dismiss(draft: Draft, goes: Callable[[Participant], bool], *, back: bool = False) -> None:
    known = draft.conversation
    leaving = tuple(human for human in known.humans if goes(human))
    known_there = (human for human in leaving if human.told or human.frame in known.unheard)
    gone = tuple(human for human in known_there if not _spoke_there(draft))
    draft.gone = leaving
    draft.change(humans=tuple(human for human in known.humans if not goes(human)))
    if draft.outside_window:
        draft.change(left_unseen=(*known.left_unseen, *gone))
    else:
        _say_left(draft, gone, back=back)


def _say_left(
    draft: Draft, gone: tuple[Participant, ...], *, back: bool, late: bool = False
) -> None:
    """Where no human stays, the last LEFT says in the same text that an automated assistant speaks
    again.
    """
    _vouch(draft, gone)
    discloses = _bot_speaks_next(draft, late=late) and (
        back or not draft.is_off(draft.policy.disclosure_off)
    )
    for human in gone:
        command = draft.derived_id(f"{LEFT} {human.frame}") if late else draft.next_id()
        _close(
            draft, human, command, Notice.BACK if discloses and human is gone[-1] else Notice.LEFT
        )


def _bot_speaks_next(draft: Draft, *, late: bool) -> bool:
    """A customer who waits is not told that the bot is back. The LEFT of an earlier handoff that is
    shown `late` says so, because a bot speaks while they wait, unless they were passed on.
    """
    known = draft.conversation
    phase = draft.step.to or known.phase
    is_bots = phase is Phase.BOT or (late and phase is Phase.QUEUED and not known.passed_on)
    return is_bots and not known.humans


def _vouch(draft: Draft, gone: tuple[Participant, ...]) -> None:
    """Introduces one of those who stay where the customer has been shown none. Else it would look
    as if no human stayed.
    """
    here, names = draft.conversation.humans, {human.representative.name for human in gone}
    strangers = [human for human in here if human.representative.name not in names]
    if gone and strangers and not any(human.told for human in here):
        introduce(draft, strangers[0])


def _spoke_there(draft: Draft) -> bool:
    """Returns whether the channel in use has shown the human's message itself, so that it needs no
    JOINED or LEFT.
    """
    shown = isinstance(draft.event, HumanMessage) and draft.event.delivered
    return shown and draft.event.source == draft.conversation.channel


def _open(draft: Draft, human: Participant) -> None:
    if draft.capabilities.frames or not draft.is_off(draft.policy.notices_off):
        draft.send(_event(draft, human, human.frame, JOINED, Notice.JOINED))


def _close(draft: Draft, human: Participant, command: str, notice: Notice) -> None:
    frames = draft.capabilities.frames
    if frames or notice is Notice.BACK or not draft.is_off(draft.policy.notices_off):
        draft.send(_event(draft, human, command, LEFT, Notice.LEFT if frames else notice))


def _event(
    draft: Draft,
    human: Participant,
    command: str,
    kind: Literal["REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"],
    notice: Notice,
) -> SendEvent:
    return SendEvent(
        id=command,
        to=draft.conversation.address,
        channel=draft.conversation.speaks_on,
        representative=human.representative,
        event_type=kind,
        frame=human.frame,
        notice=not draft.capabilities.frames,
        text=draft.text(notice, human.representative.name),
    )
