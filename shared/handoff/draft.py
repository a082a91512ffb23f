"""A draft: one event while it is carried out, the conversation as it becomes, the commands. And the
conditions of the rules before and after a step, which are asked of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from shared.handoff.channels import active
from shared.handoff.guards import OWN_ACTS, WRITES
from shared.handoff.notices import Notice
from shared.handoff.policy import WAITING_LIMIT, Policy
from shared.handoff.routing.desk import Route
from shared.handoff.terms import Condition, Effect
from shared.handoff.transitions import BOT, HUMAN, QUEUED, Step
from shared.measures.definitions import moment
from shared.schemas.commands import Command, SendMessage, State, ToCustomer
from shared.schemas.conversation import (
    Capabilities,
    Conversation,
    Holder,
    Participant,
    Waiting,
)
from shared.schemas.events import (
    Event,
    FromUser,
    HumanMessage,
    Said,
    attachments_by_customer,
)
from shared.schemas.journal import Verdict
from shared.schemas.measures import Moment
from shared.schemas.notation import command_id
from shared.schemas.people import SlotTaken
from shared.schemas.representative import Representative, is_bots
from shared.schemas.variables import Audience, Variable

E = TypeVar("E", bound=Event)
NO_STEP = Step()
# To look up a member of an enum takes longer than most conditions.
_JOIN, _MESSAGE, _BOT_MESSAGE = Effect.JOIN, Effect.MESSAGE, Effect.BOT_MESSAGE
_ACCEPTED, _STALE = Verdict.ACCEPTED, Verdict.STALE
_OURS, _THEIRS = Holder.OURS, Holder.THEIRS
_HUMAN_ACTIVITY = {_JOIN, _MESSAGE}
_NEEDS_FLOOR = {*_HUMAN_ACTIVITY, Effect.REACT, Effect.SEND_SURVEY}
_SETS_SPEAKER = {*_HUMAN_ACTIVITY, Effect.LEAVE, Effect.LEAVE_DESK, _BOT_MESSAGE}
# Suppressed: the desk's humans may leave while its bot is silent.
_MEASURED = {_ACCEPTED, Verdict.SUPPRESSED}


@dataclass(slots=True)
class Draft:
    """One event while it is carried out: the conversation as it becomes, the commands so far.

    `step` is what the table decided, and `before` the conversation as it was then. `captured_for`
    is as in JournalEntry; `gone` are the humans who left with the event; `known` are the variables
    as they were before the event changed them. `lost_floor`: by the event it is known that another
    sender is active now; `has_taken`: the floor is taken with it. `ended`: by entry, how
    messages end that waited for the customer, and why. `released` are the messages that are
    sent because the customer is back. `spoke`: the human whose message the customer is shown.
    `slots` is what the event takes of people's room. `rated` is the answer to a survey.
    """

    conversation: Conversation
    event: Event
    now: datetime
    policy: Policy
    step: Step = NO_STEP
    before: Conversation = field(init=False)
    commands: list[Command] = field(default_factory=list)
    reason: str | None = None
    captured_for: tuple[Audience, ...] | None = None
    gone: tuple[Participant, ...] = ()
    known: tuple[Variable, ...] = ()
    lost_floor: bool = False
    has_taken: bool = False
    ended: dict[str, tuple[State, str | None]] = field(default_factory=dict)
    released: list[SendMessage] = field(default_factory=list)
    spoke: Representative | None = None
    slots: list[SlotTaken] = field(default_factory=list)
    rated: int | None = None

    def begin(self, step: Step) -> None:
        self.step, self.before = step, self.conversation

    def change(self, **update: object) -> None:
        self.conversation = self.conversation.model_copy(update=update)

    def next_id(self) -> str:
        """Returns the caller's own id where the event keeps it, else one derived from event and
        position.

        Through a link ids are derived: a desk's own could meet those of the channel's callers, and
        look sent already.
        """
        own = self.event.keeps_id and self.event.source == self.conversation.id
        if own and not any(command.id == self.event.id for command in self.commands):
            return self.event.id
        return command_id(self.conversation.id, self.event.entry_id, len(self.commands))

    def derived_id(self, part: str) -> str:
        """Returns an id for what goes along with the event's own command."""
        return command_id(self.conversation.id, self.event.entry_id, part)

    def emit(self, command: Command) -> None:
        self.commands.append(command)

    def emit_unless_tracked(self, command: Command) -> None:
        """Emits a command, unless Baton only tracks the conversation: its platform does this."""
        if not self.conversation.tracked:
            self.emit(command)

    def send(self, command: ToCustomer) -> None:
        """Emits a command for the customer, unless the channel's window is closed. A template needs
        no open window.
        """
        is_template = isinstance(command, SendMessage) and command.content.template is not None
        is_sent = is_template and not self.conversation.unreachable
        if is_sent or not self.outside_window:
            self.emit_unless_tracked(command)

    @property
    def capabilities(self) -> Capabilities:
        return self.policy.of(self.conversation.platform)

    @property
    def route(self) -> Route:
        """Returns which desk has the request, or would get one that is made now."""
        known = self.conversation
        if known.phase is QUEUED:
            return self.policy.standing(known, self.now)
        return self.policy.route(known, self.now)

    @property
    def outside_window(self) -> bool:
        return self.policy.is_outside_window(self.conversation, self.now)

    @property
    def is_template(self) -> bool:
        """Returns whether the event is a template, which may be sent at any time."""
        return isinstance(self.event, Said) and self.event.is_template

    @property
    def may_wait(self) -> bool:
        """Returns whether a message waits for the customer, and a template asks them to write."""
        known = self.conversation
        if self.is_template:
            return False
        has_room = len(known.waiting) < WAITING_LIMIT
        return self.outside_window and has_room and self.policy.reopens(known) is not None

    @property
    def active(self) -> Holder:
        """Returns who is active at the platform of the channel in use."""
        return active(self.conversation.floor, self.event.own_act, self.now)

    @property
    def may_answer(self) -> bool:
        """Returns whether a bot may answer: no other sender is active, nor is about to be."""
        floor = self.conversation.floor
        handing_back = floor is not None and floor.handing_back
        return self.has_taken or (self.active is not _THEIRS and not handing_back)

    @property
    def has_floor(self) -> bool:
        """Returns whether Baton may speak unasked: what it sends takes no control from others."""
        return self.has_taken or self.active is _OURS

    def text(self, notice: Notice, name: str = "", **values: object) -> str:
        """Returns Baton's own words in the customer's language."""
        return self.policy.notices.text(notice, self.conversation.locale, name, **values)

    def is_off(self, platforms: frozenset[str]) -> bool:
        return self.conversation.platform in platforms

    @property
    def released_humans(self) -> list[Representative]:
        """Returns the humans among those whose messages are sent that waited."""
        who = [one.representative for one in self.released]
        return [one for one in who if not is_bots(one)]

    @property
    def waited_seconds(self) -> float | None:
        """Returns the time since the request, as reports count it."""
        request = self.conversation.request
        if request is None:
            return None
        asked = Moment(
            source=request.source, accepted_at=request.accepted_at, occurred_at=request.occurred_at
        )
        return asked.seconds_until(moment(self.event, self.now))


def expect(event: Event, kind: type[E]) -> E:
    """Returns the event as what the table says it is."""
    if not isinstance(event, kind):
        raise TypeError(f"the table asks of a {event.kind} what only a {kind.__name__} has")
    return event


def _undated(draft: Draft) -> bool:
    occurred = draft.event.occurred_at
    return occurred is None or occurred > draft.now


def _customer_writes(draft: Draft) -> bool:
    return isinstance(draft.event, WRITES) and _is_customers(draft)


def _customer_acts(draft: Draft) -> bool:
    return isinstance(draft.event, OWN_ACTS) and _is_customers(draft)


def _is_customers(draft: Draft) -> bool:
    """Returns whether a channel reports the event. Else a desk or a caller of the API does."""
    return draft.event.fact and draft.conversation.owns(draft.event.source)


def _left_unseen(draft: Draft) -> bool:
    unseen = bool(draft.conversation.left_unseen)
    return unseen and draft.has_floor and not draft.outside_window


def _floor_lost(draft: Draft) -> bool:
    if not draft.lost_floor:
        return False
    known = draft.conversation
    is_here = known.phase is HUMAN and draft.event.source == known.channel
    return is_here and draft.active is _THEIRS


def _floor_wanted(draft: Draft) -> bool:
    """What a channel's own app has shown needs no floor of Baton's."""
    is_shown = isinstance(draft.event, HumanMessage) and draft.event.delivered
    if draft.has_floor or is_shown:
        return False
    if _customer_back(draft) and any(map(_is_human, draft.conversation.waiting)):
        return True
    if draft.may_wait:
        return _JOIN in draft.step.effects
    is_answer = _BOT_MESSAGE in draft.step.effects and draft.may_answer
    return _has(draft, _NEEDS_FLOOR) or is_answer


def _customer_back(draft: Draft) -> bool:
    known = draft.conversation
    is_asked = bool(known.waiting) or known.reopening is not None
    return is_asked and _customer_acts(draft) and not draft.outside_window


def _held(draft: Draft) -> bool:
    known, entry = draft.conversation, draft.event.entry_id
    is_held = any(one.entry == entry for one in known.waiting)
    return is_held and known.reopening is None and draft.may_answer


def _humans_wait(known: Conversation, here: tuple[Participant, ...]) -> bool:
    names = {human.representative.name for human in here}
    return any(_is_human(one) and one.representative.name in names for one in known.waiting)


def _is_human(one: Waiting) -> bool:
    return not is_bots(one.representative)


def _human_waits(draft: Draft) -> bool:
    known = draft.conversation
    return known.phase is HUMAN and _humans_wait(known, known.humans)


def _human_waited(draft: Draft) -> bool:
    known, before = draft.conversation, draft.before
    if not before.waiting:
        return False
    waited = before.phase is known.phase is HUMAN and _humans_wait(before, before.humans)
    return waited and not _humans_wait(known, known.humans)


def _floor_unused(draft: Draft) -> bool:
    given_back = draft.policy.floor_given_back
    if not given_back or _BOT_MESSAGE in draft.step.effects:
        return False
    is_over = draft.before.phase is HUMAN and _bot_again(draft)
    return is_over and draft.conversation.platform in given_back and draft.capabilities.floor


def _has(draft: Draft, effects: set[Effect]) -> bool:
    return not effects.isdisjoint(draft.step.effects)


def _is_timely(draft: Draft) -> bool:
    return draft.step.verdict is not _STALE


def _bot_speaks(draft: Draft) -> bool:
    return draft.conversation.phase is BOT and draft.step.verdict is not _STALE


def _bot_again(draft: Draft) -> bool:
    return draft.before.phase is not BOT and _bot_speaks(draft)


def _human_active(draft: Draft) -> bool:
    is_human = draft.conversation.phase is HUMAN
    return is_human and _is_timely(draft) and _has(draft, _HUMAN_ACTIVITY)


def _answered(draft: Draft) -> bool:
    if not draft.policy.notifies_answered:
        return False
    known = draft.conversation
    is_first = known.phase is HUMAN and not known.answered and _is_timely(draft)
    has_words = draft.spoke is not None or bool(draft.released and draft.released_humans)
    return is_first and has_words


def _fact_sets_speaker(draft: Draft) -> bool:
    return _has(draft, _SETS_SPEAKER) and _is_timely(draft) and draft.event.fact


def _owed(draft: Draft) -> bool:
    is_owed = draft.conversation.owed is not None
    return is_owed and draft.has_floor and not draft.outside_window


def _owed_closed(draft: Draft) -> bool:
    known = draft.conversation
    is_about_closed = _owed(draft) and known.owed != Notice.NOBODY
    return is_about_closed and known.phase is not HUMAN and draft.route.closed


def _owed_passed_on(draft: Draft) -> bool:
    known = draft.conversation
    return _owed(draft) and known.owed == Notice.PASSED_ON and known.passed_on


def _owed_nobody(draft: Draft) -> bool:
    return _owed(draft) and draft.conversation.phase is BOT


def _recalls(draft: Draft) -> bool:
    """Returns whether what is said is kept for a bot. A tracked conversation has none of ours."""
    return draft.step.verdict is _ACCEPTED and not draft.conversation.tracked


def _has_been_human(conversation: Conversation) -> bool:
    """Returns whether a human is here, or was, and no bot has spoken since."""
    phase = conversation.phase
    return phase is HUMAN or (phase is QUEUED and conversation.passed_on)


def _human_time_begins(draft: Draft) -> bool:
    is_now = _has_been_human(draft.conversation)
    return is_now and not _has_been_human(draft.before) and _recalls(draft)


def _human_time(draft: Draft) -> bool:
    is_any = _has_been_human(draft.conversation) or _has_been_human(draft.before)
    return is_any and _recalls(draft)


def _human_time_ends(draft: Draft) -> bool:
    was = _has_been_human(draft.before)
    return was and not _has_been_human(draft.conversation) and _recalls(draft)


def _offer_pointless(draft: Draft) -> bool:
    known = draft.conversation
    offer = known.offer
    if offer is None:
        return False
    has_become_human = known.phase is HUMAN and draft.before.phase is not HUMAN
    is_here = any(
        human.person == offer.to or human.representative.name == offer.name
        for human in known.humans
    )
    return known.phase is BOT or has_become_human or is_here


def _survey_over(draft: Draft) -> bool:
    survey = draft.conversation.survey
    if survey is None or not survey.words or draft.before.survey is not survey:
        return False
    said = _BOT_MESSAGE in draft.step.effects or isinstance(draft.event, FromUser)
    return said or draft.conversation.phase is not BOT


def _desk_looks_on(draft: Draft) -> bool:
    called, before = draft.conversation.called, draft.before
    if called is None or called.chat is None or called.kind not in draft.policy.threads:
        return False
    is_moved = (before.phase is HUMAN) != (draft.conversation.phase is HUMAN)
    return is_moved or _names(before) != _names(draft.conversation)


def _names(conversation: Conversation) -> list[str]:
    return [human.representative.name for human in conversation.humans]


def _slots_over(draft: Draft) -> bool:
    before = draft.before.humans
    return before is not draft.conversation.humans and any(human.slot for human in before)


def _wait_over(draft: Draft) -> bool:
    return draft.before.phase is QUEUED and draft.conversation.phase is not QUEUED


def _measured(draft: Draft) -> bool:
    """Returns whether the reports count it. What was heard before is counted already."""
    is_counted = draft.step.verdict in _MEASURED or _MESSAGE in draft.step.effects
    return bool(draft.released) or (is_counted and draft.event.heard_by is None)


def _has_files_to_keep(draft: Draft) -> bool:
    return (
        draft.policy.keeps_files
        and draft.step.verdict is not Verdict.ECHO
        and bool(attachments_by_customer(draft.event))
    )


# These conditions are about one field of the conversation. Where it is empty they do not hold, and
# are not asked.
ASKS_ABOUT: Mapping[Condition, str] = {
    Condition.LEFT_UNSEEN: "left_unseen",
    Condition.HELD: "waiting",
    Condition.HUMAN_WAITS: "waiting",
    Condition.BOT_AGAIN_DESK_STAYS: "called",
    Condition.OFFER_POINTLESS: "offer",
    Condition.DESK_LOOKS_ON: "called",
    Condition.SURVEY_OVER: "survey",
    Condition.OWED_CLOSED: "owed",
    Condition.OWED_NOBODY: "owed",
    Condition.OWED_PASSED_ON: "owed",
    Condition.OWED: "owed",
}

CONDITIONS: Mapping[Condition, Callable[[Draft], bool]] = {
    Condition.ALWAYS: lambda _: True,
    Condition.UNDATED: _undated,
    Condition.FLOOR_HEARD: lambda draft: draft.event.floor is not None and _is_customers(draft),
    Condition.FLOOR_LOST: _floor_lost,
    Condition.FLOOR_WANTED: _floor_wanted,
    Condition.FLOOR_UNUSED: _floor_unused,
    Condition.CUSTOMER_WRITES: _customer_writes,
    Condition.FROM_CUSTOMER: lambda draft: isinstance(draft.event, FromUser),
    Condition.CONTEXT_HEARD: lambda draft: draft.event.context is not None,
    Condition.CUSTOMER_ACTS: _customer_acts,
    Condition.LEFT_UNSEEN: _left_unseen,
    Condition.CUSTOMER_BACK: _customer_back,
    Condition.HELD: _held,
    Condition.HUMAN_WAITS: _human_waits,
    Condition.HUMAN_WAITED: _human_waited,
    Condition.JOINING: lambda draft: _JOIN in draft.step.effects,
    Condition.STALE: lambda draft: not _is_timely(draft),
    Condition.BOT_SPEAKS: _bot_speaks,
    Condition.BOT_WITHOUT_DESK: lambda draft: (
        _bot_speaks(draft) and draft.conversation.called is None
    ),
    Condition.BOT_AGAIN_DESK_STAYS: lambda draft: (
        _bot_again(draft) and draft.conversation.called is not None
    ),
    Condition.BOT_AGAIN: _bot_again,
    Condition.HUMAN_ACTIVE: _human_active,
    Condition.ANSWERED: _answered,
    Condition.FACT_SETS_SPEAKER: _fact_sets_speaker,
    Condition.OFFER_POINTLESS: _offer_pointless,
    Condition.DESK_LOOKS_ON: _desk_looks_on,
    Condition.SLOTS_OVER: _slots_over,
    Condition.WAIT_OVER: _wait_over,
    Condition.SURVEY_OVER: _survey_over,
    Condition.OWED_CLOSED: _owed_closed,
    Condition.OWED_NOBODY: _owed_nobody,
    Condition.OWED_PASSED_ON: _owed_passed_on,
    Condition.OWED: _owed,
    Condition.HUMAN_TIME_BEGINS: _human_time_begins,
    Condition.HUMAN_TIME: _human_time,
    Condition.HUMAN_TIME_ENDS: _human_time_ends,
    Condition.FILES_TO_KEEP: _has_files_to_keep,
    Condition.MEASURED: _measured,
}
