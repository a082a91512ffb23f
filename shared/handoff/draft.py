"""A draft: one event while it is carried out, the conversation as it becomes, the commands."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from shared.handoff.channels import active
from shared.handoff.notices import Notice
from shared.handoff.policy import WAITING_LIMIT, Policy
from shared.handoff.routing.desk import Route
from shared.handoff.transitions import Step
from shared.measures.definitions import moment
from shared.schemas.commands import Command, SendMessage, State, ToCustomer
from shared.schemas.conversation import Capabilities, Conversation, Holder, Participant, Phase
from shared.schemas.events import Event, Said
from shared.schemas.ids import command_id
from shared.schemas.measures import Moment
from shared.schemas.people import SlotTaken
from shared.schemas.representative import Representative
from shared.schemas.variables import Audience, Variable

E = TypeVar("E", bound=Event)
NO_STEP = Step()


@dataclass(slots=True)
class Draft:
    """One event while it is carried out: the conversation as it becomes, the commands so far.

    `step` is what the table decided, and `before` the conversation as it was then. `captured_for`
    is as in JournalEntry; `gone` are the humans who left with the event; `known` are the variables
    as they were before the event changed them. `lost_floor`: by the event it is known that another
    sender is active now; `has_taken`: the floor is taken with it. `ended`: by entry, how
    messages end that waited for the customer, and why. `released` are the humans whose words are
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
    released: list[Representative] = field(default_factory=list)
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
        if known.phase is Phase.QUEUED:
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
        return self.has_taken or (self.active is not Holder.THEIRS and not handing_back)

    @property
    def has_floor(self) -> bool:
        """Returns whether Baton may speak unasked: what it sends takes no control from others."""
        return self.has_taken or self.active is Holder.OURS

    def text(self, notice: Notice, name: str = "", **values: object) -> str:
        """Returns Baton's own words in the customer's language."""
        return self.policy.notices.text(notice, self.conversation.locale, name, **values)

    def is_off(self, platforms: frozenset[str]) -> bool:
        return self.conversation.platform in platforms

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
