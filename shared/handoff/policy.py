"""What an operator may choose about the machine, and what it must know of each platform."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Literal

from shared.handoff.notices import BUILT_IN, Notices
from shared.handoff.routing.desk import Desk, Route, next_wait, passes_on, route, standing
from shared.schemas.content import Template
from shared.schemas.conversation import Capabilities, Conversation
from shared.schemas.desk_kinds import DESK_KINDS
from shared.schemas.representative import Representative, RepresentativeType
from shared.values import frozen

HumanIdle = Literal["bot", "queue", "queue-then-bot"]
Assign = Literal["pull", "push"]

DELIVERS = Capabilities()
BATONS_OWN = Notices(BUILT_IN)
WINDOW_MARGIN = timedelta(minutes=1)
LINE_PATIENCE = timedelta(minutes=3)
WAITING_LIMIT = 20  # messages of one conversation
THREADS = frozenset(kind for kind, able in DESK_KINDS.items() if able.is_thread)


@frozen
class Policy:
    """`webhooks` holds the audiences (BOT, HUMAN) that have a plain webhook of their own beside the
    topic.

    `line_patience` is how long a failing command holds up what stands behind it in its line.

    `desks` in the order in which they are asked; none is one that reads the API, always open.

    `bot_turns_limit` turns a bot may have `bot_turns_within` that time with no human in between; 0:
    any number.

    `bot_hears` are the kinds of events that a bot hears only where it asks for them.

    `threads` are the platforms on which a desk's chat is a room or a thread among colleagues.

    `kept_for` is how long the store keeps a conversation after its last event.

    `reopen_templates`: by platform, what is sent to a customer who must write before a message may
    reach them. The message waits for `reopen_give_up_after`.

    `human_idle`: where a customer goes whose human is silent or gone. With `queue-then-bot` the
    wait that follows ends after `unclaimed_after`. `offer_after` ends an offer.

    `assign`: Baton offers customers who wait to people (`push`), or people take them (`pull`).
    `back_asked`: the customer's own words end the handoff. `survey`: Baton asks how satisfied the
    customer is.

    `notifies_answered`: the team is notified of the first human message of a handoff.

    `comments`: there is a CRM record that takes what the comment audience may see. `keeps_files`:
    the files of customers are copied to Baton's own store.

    The last four name platforms: those where Baton sends no notices of its own, those where no
    name stands before a human's words, those where no text says that an automated assistant
    speaks again, and those where another sender answers after the last human has left.
    """

    unclaimed_after: timedelta = timedelta(seconds=120)
    unclaimed_reminders: int = 3
    human_idle_after: timedelta = timedelta(seconds=1800)
    human_idle: HumanIdle = "bot"
    offer_after: timedelta = timedelta(seconds=45)
    assign: Assign = "pull"
    back_asked: bool = False
    survey: bool = False
    bot_turns_limit: int = 100
    bot_turns_within: timedelta = timedelta(hours=1)
    give_up_after: timedelta = timedelta(hours=24)
    reopen_give_up_after: timedelta = timedelta(days=3)
    line_patience: timedelta = LINE_PATIENCE
    bot_name: str = "Hello World Agent"
    webhooks: frozenset[str] = frozenset()
    bot_hears: frozenset[str] = frozenset()
    threads: frozenset[str] = THREADS
    kept_for: timedelta = timedelta(days=30)
    notifies_answered: bool = False
    comments: bool = False
    keeps_files: bool = False
    capabilities: Mapping[str, Capabilities] = field(default_factory=dict)
    reopen_templates: Mapping[str, Template] = field(default_factory=dict)
    desks: tuple[Desk, ...] = ()
    notices: Notices = BATONS_OWN
    notices_off: frozenset[str] = frozenset()
    name_prefix_off: frozenset[str] = frozenset()
    disclosure_off: frozenset[str] = frozenset()
    floor_given_back: frozenset[str] = frozenset()

    def of(self, platform: str) -> Capabilities:
        return self.capabilities.get(platform, DELIVERS)

    @property
    def bot(self) -> Representative:
        """Who says Baton's own words."""
        return Representative(
            representative_type=RepresentativeType.BOT, display_name=self.bot_name
        )

    def is_channel(self, platform: str) -> bool:
        """Returns whether customers are there, to whom Baton delivers."""
        return platform in self.capabilities and self.capabilities[platform].delivers

    def is_outside_window(self, conversation: Conversation, now: datetime) -> bool:
        """Returns whether the channel's window is closed: it takes no message until the customer
        writes again.

        WINDOW_MARGIN early, because what is accepted now must still arrive.
        """
        if conversation.unreachable:
            return True
        hours, last = self.of(conversation.platform).window_hours, conversation.last_user_at
        return hours is not None and (
            last is None or now - last > timedelta(hours=hours) - WINDOW_MARGIN
        )

    def reopens(self, conversation: Conversation) -> Template | None:
        """Returns what is sent to a customer who must write first, None where nothing can be."""
        if conversation.unreachable:
            return None
        return self.reopen_templates.get(conversation.platform)

    def desk(self, name: str) -> Desk | None:
        return next((desk for desk in self.desks if desk.name == name), None)

    def route(self, conversation: Conversation, now: datetime) -> Route:
        """Returns which desk gets a handoff that is asked for now."""
        return route(self.desks, conversation, now, self.notices.language)

    def standing(self, conversation: Conversation, now: datetime) -> Route:
        """Returns where the handoff that is under way stands now."""
        return standing(self.desks, conversation, now, self.notices.language)

    def next_wait(self, conversation: Conversation, desk: str | None, now: datetime) -> Route:
        """Returns where a customer waits next who is passed on, to the desk of that name or, for
        None, to their own.
        """
        return next_wait(self.desks, conversation, now, self.notices.language, desk)

    def passes_on(self, conversation: Conversation, now: datetime) -> bool:
        """Returns whether the desk of the handoff under way is closed while another is open
        that takes it.
        """
        return passes_on(self.desks, conversation, now, self.notices.language)

    def newcomer(self, conversation: str, address: str) -> Conversation:
        """Returns a conversation that Baton sees for the first time."""
        fresh = Conversation(id=conversation, address=address)
        return fresh.model_copy(update={"tracked": not self.of(fresh.platform).delivers})
