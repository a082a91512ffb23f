"""Conversations with known answers: each script states the events and the expected figures.

The author of a script writes the answers beside the events, from the words of the definitions.
Nothing here asks the code under test.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.schemas.content import Content
from shared.schemas.events import (
    BotMessage,
    Claim,
    Event,
    HandoffFailed,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    UserMessage,
)
from shared.schemas.representative import Representative, RepresentativeType

# seconds; four times six hours until a human came
UNCLAIMED_AFTER, REMINDERS, IDLE_AFTER = 21600, 3, 1800
# and the API keys that they have
AGENTS = {"Ana": "north", "Budi": "north", "Chen": "south", "Dewi": "south"}
DESKS = {"id": "jakarta", "de": "berlin", "fr": "worldwide"}  # by the customer's language
CLOSED_DESK = ("ja", "tokyo")  # and one that is there each day from 09:00 to 17:00, UTC
FROM, UNTIL = (
    datetime(2026, 3, 22, 23, tzinfo=UTC),
    datetime(2026, 3, 29, 22, tzinfo=UTC),
)  # a week in Berlin, 167 hours


@dataclass(frozen=True, slots=True)
class Fact:
    """One answer: `name` happened, counted at `at`, in a handoff of `desk`, to `agent` if one
    in particular. `of` is the reason of a request, or the kind of a message. `size` is the
    length of a text, or the number of messages of a handoff.
    """

    name: str
    at: datetime
    channel: str
    desk: str = ""
    agent: str = ""
    seconds: float | None = None
    of: str = ""
    size: int | None = None


# what is counted of a reason
COUNTED_REASONS = {
    "refund": "refund",
    "order 12345": "order #",
    "somebody@example.org wants a person": "(other)",
}
WORDS = ("hi", "w" * 20, "w" * 21, "words " * 40, "w" * 500)


@dataclass
class Script:
    """One conversation: what is taken when, and what reports must make of it. `desk` has the
    handoff that goes on. `messages` are those of the customer and of humans in it, None where the
    bot has the customer.
    """

    id: str
    begin: datetime
    random: random.Random
    events: list[tuple[datetime, Event]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    at: datetime = FROM
    desk: str = ""
    messages: int | None = None
    ended_at: int = -1  # the place of the fact that tells how many messages the last handoff took

    def __post_init__(self) -> None:
        self.at = self.begin
        self.language = self.random.choice(list(DESKS))

    @property
    def channel(self) -> str:
        return self.id.partition(":")[0]

    def after(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at

    def some(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def tell(
        self, name: str, at: datetime, agent: str = "", seconds: float | None = None, of: str = ""
    ) -> None:
        desk = "" if name in ("conversation", "handed_off") else self.desk
        self.facts.append(Fact(name, at, self.channel, desk, agent, seconds, of))

    def says(self, name: str, text: str, agent: str = "") -> None:
        """Tells of a text message that the customer sees or has written. A human's that is heard of
        after the end of the handoff belongs to it.
        """
        is_late = self.messages is None and name == "human_message"
        desk = self.desk if self.messages is not None or is_late else ""
        fact = Fact(name, self.at, self.channel, desk, agent, None, "text", len(text))
        if is_late:
            ended = self.facts[self.ended_at]
            self.facts[self.ended_at] = replace(ended, size=(ended.size or 0) + 1)
        self.facts.append(fact)
        if self.messages is not None and name != "bot_message":
            self.messages += 1

    def ends(self, name: str, asked: datetime) -> None:
        """Tells how the handoff ended. One with a human took so many messages."""
        self.tell(name, asked)
        if name in ("left", "returned"):
            taken = self.messages or 0
            self.ended_at = len(self.facts)
            self.facts.append(Fact("exchanged", asked, self.channel, self.desk, size=taken))
        self.messages = None

    def take(self, kind: type[Event], **more: Any) -> datetime:
        n = len(self.events)
        common = {"id": f"{kind.kind}-{n}", "source": self.id, "actor": "script"}
        self.events.append((self.at, kind(**{**common, **more})))
        return self.at

    def customer(self) -> datetime:
        text = self.random.choice(WORDS)
        self.says("customer_message", text)
        return self.take(UserMessage, form={"text": text}, said=text, locale=self.language)

    def bot(self, *, silent: bool = False) -> None:
        """What the bot says while a human is present is refused: it is `silent`."""
        if not silent:
            self.says("bot_message", "beep")
        who = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
        self.take(
            BotMessage,
            representative=who,
            content=Content(text="beep"),
            fact=self.channel == "csku",
        )

    def human(self, kind: type[Event], agent: str, **more: Any) -> datetime:
        who = Representative(representative_type=RepresentativeType.HUMAN, display_name=agent)
        api = {} if self.channel == "csku" else {"fact": False, "key": AGENTS[agent]}
        words = {"content": Content(text="hello")} if kind is HumanMessage else {}
        if kind is HumanMessage:
            self.says("human_message", "hello", agent)
        return self.take(kind, representative=who, **api, **words, **more)

    # What scenes are made of.

    def opening(self, *, handed_off: bool) -> None:
        """The customer and the bot talk. No text of the bot is a first response."""
        self.tell("conversation", self.begin)
        if handed_off:
            self.tell("handed_off", self.begin)
        for _ in range(self.some(1, 4)):
            self.customer()
            self.after(self.some(1, 5))
            self.bot()
            self.after(self.some(5, 90))

    def request(self) -> datetime:
        reason = self.random.choice(
            ["refund", "order 12345", "somebody@example.org wants a person"]
        )
        asked = self.take(HumanRequested, reason=reason)
        self.desk, self.messages = DESKS[self.language], 0
        self.tell("requested", asked, of=COUNTED_REASONS[reason])
        self.after(self.some(1, 3))
        self.bot()  # "transferring you"
        return asked

    def join(self, asked: datetime, waits: int, agent: str) -> datetime:
        self.at = asked + timedelta(seconds=waits)
        joined = self.human(Claim, agent)
        self.tell("joined", asked)
        self.tell("taken", asked, agent)
        self.tell("waiting", asked, agent, waits)
        self.tell("frame", joined, agent)
        return joined

    def answer_first(self, asked: datetime, agent: str) -> None:
        said = self.human(HumanMessage, agent)
        self.tell("first_response", asked, agent, (said - asked).total_seconds())

    def exchange(self, agent: str) -> None:
        """A turn of one to three messages, a bot that may not speak, and one human message;
        then one more of theirs.
        """
        turn = self.after(self.some(5, 60))
        self.customer()
        for _ in range(self.some(0, 2)):
            self.after(self.some(1, 20))
            self.customer()
        self.bot(silent=True)
        self.after(self.some(1, 900))
        said = self.human(HumanMessage, agent)
        self.tell("turn", turn)
        self.tell("response", turn, agent, (said - turn).total_seconds())
        self.after(self.some(1, 20))
        self.human(HumanMessage, agent)

    def leave(self, joined: datetime, agent: str) -> None:
        self.after(self.some(1, 120))
        left = self.human(HumanLeft, agent)
        self.tell("handling", joined, agent, (left - joined).total_seconds())


Scene = Callable[[Script], None]


def only_bot(one: Script) -> None:
    one.opening(handed_off=False)


def plain(
    one: Script, waits: int | None = None, *, handed_off: bool = True, again: bool = False
) -> None:
    """Asked, waited for, answered, helped, left."""
    if not again:
        one.opening(handed_off=handed_off)
    agent, asked = one.random.choice(list(AGENTS)), one.request()
    joined = one.join(asked, one.some(5, 1500) if waits is None else waits, agent)
    one.after(one.some(1, 300))
    one.answer_first(asked, agent)
    for _ in range(one.some(0, 3)):
        one.exchange(agent)
    one.leave(joined, agent)
    one.ends("left", asked)


def overnight(one: Script) -> None:
    plain(one, one.some(8 * 3600, 14 * 3600))


def twice(one: Script) -> None:
    """Two handoffs in one conversation are two requests, and one conversation that was handed
    off.
    """
    plain(one)
    one.after(one.some(60, 3600))
    one.customer()
    plain(one, again=True)


def a_day_later(one: Script) -> None:
    """After a day of silence it is another conversation; the five days between count as no response
    time.
    """
    only_bot(one)
    last = one.events[-1][0]
    one.at = one.begin = last + timedelta(hours=30)
    plain(one)


def transfer(one: Script) -> None:
    """Two humans, one handoff: each has their own handling time, and the second answers what
    was asked of the first.
    """
    one.opening(handed_off=True)
    first, second = one.random.sample(list(AGENTS), 2)
    asked = one.request()
    joined = one.join(asked, one.some(5, 600), first)
    one.after(one.some(1, 60))
    one.answer_first(asked, first)
    turn = one.after(one.some(5, 60))
    one.customer()
    one.after(one.some(5, 60))
    came = one.human(HumanJoined, second)
    one.tell("frame", came, second)
    one.leave(joined, first)
    one.after(one.some(5, 600))
    said = one.human(HumanMessage, second)
    one.tell("turn", turn)
    one.tell("response", turn, second, (said - turn).total_seconds())
    one.leave(came, second)
    one.ends("left", asked)


def goes_quiet(one: Script) -> None:
    """The human said nothing for too long, and a customer who wrote meanwhile was not answered."""
    one.opening(handed_off=True)
    agent, asked = one.random.choice(list(AGENTS)), one.request()
    joined = one.join(asked, one.some(5, 600), agent)
    answered = one.random.random() < 0.5
    spoke = joined
    if answered:
        one.after(one.some(1, 60))
        one.answer_first(asked, agent)
        spoke = one.at
    else:
        one.tell("silent", asked)
    turn = one.after(one.some(5, 60))
    one.customer()
    one.tell("turn", turn)
    one.tell("unanswered", turn)
    back = spoke + timedelta(seconds=IDLE_AFTER)
    one.tell("handling", joined, agent, (back - joined).total_seconds())
    one.tell("quiet", joined, agent)
    one.ends("returned", asked)
    one.at = back + timedelta(seconds=one.some(5, 500))
    one.customer()


def nobody_came(one: Script) -> None:
    one.opening(handed_off=True)
    asked = one.request()
    turn = one.after(one.some(5, 60))
    one.customer()
    one.tell("turn", turn)
    one.tell("unanswered", turn)
    one.tell("silent", asked)
    if one.random.random() < 0.5:
        one.after(one.some(60, 3600))
        one.take(HandoffFailed, reason="nobody is available")
        one.ends("failed", asked)
    else:
        one.at = asked + timedelta(seconds=UNCLAIMED_AFTER * (REMINDERS + 1) + 5)
        one.ends("expired", asked)
        one.bot()


def outside_hours(one: Script) -> None:
    """The desk is closed, and its customers do not wait: who asks again has asked once, until
    it has been open.
    """
    one.language, one.desk = CLOSED_DESK
    evening = FROM.replace(hour=18) + timedelta(days=one.some(1, 5))
    one.begin = one.at = evening + timedelta(seconds=one.some(0, 9 * 3600))
    one.opening(handed_off=True)
    for night in range(one.some(1, 2)):
        asked = one.after(night * 23 * 3600)
        for _ in range(one.some(1, 3)):
            one.take(HumanRequested, reason="asked")
            one.after(one.some(1, 3))
            one.bot()
            one.after(one.some(1, 600))
            one.customer()
        one.tell("requested", asked, of="asked")
        one.tell("silent", asked)
        one.tell("closed", asked)
    if one.random.random() < 0.5:
        takes_over(one)


def unasked(one: Script) -> None:
    """Somebody takes over from the bot: nothing was waited for, and what the bot had answered
    is no turn of theirs.
    """
    one.opening(handed_off=True)
    takes_over(one)


def still_waiting(one: Script) -> None:
    one.begin = one.at = UNTIL - timedelta(seconds=one.some(600, 18000))
    one.opening(handed_off=True)
    one.request()
    turn = one.after(one.some(5, 60))
    one.customer()
    one.tell("turn", turn)


def still_there(one: Script) -> None:
    one.begin = one.at = UNTIL - timedelta(seconds=one.some(700, 1500))
    one.opening(handed_off=True)
    agent, asked = one.random.choice(list(AGENTS)), one.request()
    one.join(asked, 5, agent)
    turn = one.after(5)
    one.customer()
    one.tell("turn", turn)


def handover(one: Script) -> None:
    """Somebody leaves, and a colleague goes on unasked soon after, before the bot has said a word:
    one handoff.

    What the customer has asked, before or meanwhile, is a turn that the colleague answers.
    """
    one.opening(handed_off=True)
    first, second = one.random.sample(list(AGENTS), 2)
    asked = one.request()
    joined = one.join(asked, one.some(5, 600), first)
    silent, when = (
        one.random.random() < 0.3,
        one.random.choice(["before", "meanwhile", "both", "never"]),
    )
    one.after(one.some(1, 60))
    if not silent:
        one.answer_first(asked, first)
    turns = []
    if when in ("before", "both"):
        one.after(one.some(1, 60))
        turns.append(one.customer())
    one.leave(joined, first)
    left, taken = one.at, one.messages
    one.messages = None
    if when in ("meanwhile", "both"):
        one.after(one.some(1, 100))
        turns.append(one.customer())
    one.at = left + timedelta(seconds=one.some(101, 300))
    came = one.human(Claim, second)
    one.messages = taken
    one.tell("frame", came, second)
    one.after(one.some(1, 60))
    said = one.human(HumanMessage, second)
    if silent:
        one.tell("first_response", asked, second, (said - asked).total_seconds())
    if turns:
        one.tell("turn", turns[0])
        one.tell("response", turns[0], second, (said - turns[0]).total_seconds())
    one.leave(came, second)
    one.ends("left", asked)


def taken_up_again(one: Script) -> None:
    """The bot has spoken since the human left, or too much time has passed: the next human begins
    another handoff.
    """
    plain(one)
    if one.random.random() < 0.5:
        one.after(one.some(1, 100))
        one.customer()
        one.after(one.some(1, 5))
        one.bot()
        one.after(one.some(1, 100))
    else:
        one.after(one.some(301, 2000))
    takes_over(one)


def takes_over(one: Script) -> None:
    one.desk, one.messages = "", 0
    agent = one.random.choice(list(AGENTS))
    joined = one.human(Claim, agent)
    one.tell("unasked", joined)
    one.tell("joined", joined)
    one.tell("taken", joined, agent)
    one.tell("frame", joined, agent)
    one.after(one.some(1, 60))
    one.human(HumanMessage, agent)
    one.exchange(agent)
    one.leave(joined, agent)
    one.ends("left", joined)


def late(
    one: Script, kind: type[Event], happened: datetime, agent: str = "", **more: Any
) -> datetime:
    """A webhook of a desk that delivers by itself: it comes when it comes."""
    accepted = one.at = max(one.at, happened + timedelta(seconds=one.some(1, 90)))
    if agent:
        return one.human(kind, agent, occurred_at=happened, **more)
    if kind is UserMessage:
        one.says("customer_message", more["said"])
    if kind is BotMessage:
        one.says("bot_message", more["content"].text)
    one.take(kind, occurred_at=happened, **more)
    return accepted


def answered_there(one: Script) -> tuple[str, datetime, datetime, datetime]:
    """Returns who answered at that desk, when they did, and when asking and answering were
    heard of.
    """
    one.id = one.id.replace("business_messages", "csku")
    agent, happened = one.random.choice(list(AGENTS)), one.begin
    wrote = late(one, UserMessage, happened, form={}, said="hi")
    one.tell("conversation", wrote)
    one.tell("handed_off", wrote)
    asked = late(one, HumanRequested, happened, reason="needed")
    one.desk, one.messages = "own", 0
    answered = happened + timedelta(seconds=one.some(100, 4000))
    joined = late(one, HumanMessage, answered, agent)
    one.tell("requested", asked, of="needed")
    one.tell("joined", asked)
    one.tell("taken", asked, agent)
    one.tell("frame", joined, agent)
    for name in ("waiting", "first_response"):
        one.tell(name, asked, agent, (answered - happened).total_seconds())
    return agent, answered, asked, joined


def over_there(
    one: Script, agent: str, since: datetime, over: datetime, asked: datetime, joined: datetime
) -> None:
    bot = Representative(representative_type=RepresentativeType.BOT, display_name="AI")
    late(one, BotMessage, over, representative=bot, content=Content(text="bye"), human_needed=False)
    one.tell("handling", joined, agent, (over - since).total_seconds())
    one.ends("left", asked)


def tracked(one: Script) -> None:
    """A desk that delivers by itself, and whose webhooks come late: its clock says how long,
    ours when.
    """
    agent, answered, asked, joined = answered_there(one)
    over_there(
        one, agent, answered, answered + timedelta(seconds=one.some(100, 1500)), asked, joined
    )


def heard_late(one: Script) -> None:
    """The human's words are heard of after the bot's that came after them: they were said, so
    the turn was answered.
    """
    agent, answered, asked, joined = answered_there(one)
    wrote = answered + timedelta(seconds=one.some(100, 200))
    turn = late(one, UserMessage, wrote, form={}, said="and?")
    replied = wrote + timedelta(seconds=one.some(5, 200))
    over_there(one, agent, answered, replied + timedelta(seconds=one.some(5, 60)), asked, joined)
    one.tell("turn", turn)
    if one.random.random() < 0.5:
        late(one, HumanMessage, replied, agent)
        one.tell("response", turn, agent, (replied - wrote).total_seconds())
    else:  # what was said before the customer asked is no answer
        late(one, HumanMessage, wrote - timedelta(seconds=one.some(1, 50)), agent)
        one.tell("unanswered", turn)


SCENES: tuple[tuple[Scene, int], ...] = (
    (only_bot, 25), (plain, 30), (overnight, 8), (twice, 4), (a_day_later, 3), (transfer, 6),
    (goes_quiet, 5),
    (nobody_came, 8), (unasked, 4), (still_waiting, 1), (still_there, 1), (tracked, 8),
    (handover, 6),
    (taken_up_again, 3), (heard_late, 5), (outside_hours, 5),
)  # fmt: skip


def week(conversations: int, seed: int = 9) -> Iterator[Script]:
    """Yields a week's conversations, more by day than by night."""
    chance = random.Random(seed)  # repeatable, nothing to guess
    scenes, weights = zip(*SCENES, strict=True)
    for n in range(conversations):
        latest = (UNTIL - FROM - timedelta(hours=44)).total_seconds()
        begin = FROM + timedelta(seconds=chance.randrange(int(latest)))
        script = Script(f"business_messages:c{n}", begin, chance)
        chance.choices(scenes, weights)[0](script)
        yield script
