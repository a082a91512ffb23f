"""`make demo-data`: fills a folder of its own with two weeks of sample conversations, so that the
reports and the desk page have something to show, and a week before to compare with.

The real use cases take every event, with a clock that stands where the event happens. No platform
is called. The sample is seeded: the same weeks come out each time, up to today.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra.command import run_tool
from infra.local import settings
from shared import logs
from shared.bootstrap.root import Baton
from shared.conversations.apply import apply
from shared.delivery.deliver import deliver
from shared.errors import BadRequest, Refused, TooMany
from shared.ports import Ports
from shared.schemas.content import Content
from shared.schemas.details import Attachment, Details
from shared.schemas.events import (
    BotMessage,
    Claim,
    Event,
    HandoffFailed,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    SuggestionResponse,
    UserMessage,
)
from shared.schemas.http import Answer, Call
from shared.schemas.representative import Representative, RepresentativeType
from shared.settings.model import read_settings

FOLDER, CONVERSATIONS, SEED, DAYS = Path(".baton/sample"), 2000, 7, 14
MARK = "SAMPLE"  # a file that says that the folder may be removed
DAY = "09:00-18:00"
WEEK = {day: [DAY] for day in ("mon", "tue", "wed", "thu", "fri")}
DESKS = [
    {"name": "jakarta", "languages": ["id"], "hours": {"time_zone": "Asia/Jakarta", **WEEK},
        "outside": "wait"},
    {"name": "berlin", "languages": ["de"], "hours": {"time_zone": "Europe/Berlin", **WEEK}},
    {"name": "worldwide", "languages": ["en"]},
]  # fmt: skip
ZONES = {"jakarta": "Asia/Jakarta", "berlin": "Europe/Berlin", "worldwide": "Europe/Berlin"}
LANGUAGES = {"jakarta": "id", "berlin": "de", "worldwide": "en"}
AGENTS = {
    "jakarta": ("Budi Santoso", "Dewi Lestari"),
    "berlin": ("Jana Vogt", "Emre Yilmaz"),
    "worldwide": ("Jane Doe", "Omar Haddad"),
}
CUSTOMERS = ("Ana", "Rina", "Lukas", "Mia", "Chen", "Fatima", "Noah", "Sofia", "Yusuf", "Elena")
ASKS = ("Where is my order?", "The invoice is wrong.", "How do I change my address?",
    "My parcel came open.", "Can I move my appointment?", "Hi",
    "I ordered a lamp on Monday, the page said it would come on Wednesday, and now it is Friday. "
    "Nobody was at the door. Where is it, and can you send it to the shop instead?")  # fmt: skip
RATINGS = (1, 2, 3, 4, 4, 5, 5, 5)
REASONS = ("order", "invoice", "address", "complaint", "appointment")
HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 9, 14, 16, 15, 11, 12, 15, 14, 12, 9, 6, 5, 4, 3, 2, 1)


def main(given: list[str] | None = None) -> int:
    """Fills the folder, or removes it."""
    asked = _parser().parse_args(given)
    folder: Path = asked.folder
    if folder.exists() and not (folder / MARK).exists():
        raise BadRequest("not-a-sample", f"{folder} was not made by this command; name another.")
    shutil.rmtree(folder, ignore_errors=True)
    if asked.remove:
        print(f"{folder} is removed.")
        return 0
    folder.mkdir(parents=True, mode=0o700)
    (folder / MARK).write_text("Sample data of `make demo-data`. This folder may be removed.\n")
    begun = datetime.now(UTC)
    counted = asyncio.run(_fill(folder, asked.conversations, asked.seed))
    seconds = (datetime.now(UTC) - begun).total_seconds()
    print(f"{counted} sample conversations in {seconds:.0f} s. To look at them:\n")
    print(f"  BATON_HOME={folder} make run\n")
    print(f"Then open /send_representative/reports/#key={settings.ADMIN_KEY}. To remove them:")
    print(f"\n  make demo-data ARGS='--folder {folder} --remove'")
    return 0


def _parser() -> argparse.ArgumentParser:
    what = "Fill a folder of its own with two weeks of sample conversations."
    parser = argparse.ArgumentParser(prog="python -m infra.local.demo_data", description=what)
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"by default {FOLDER}")
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--remove", action="store_true", help="remove the folder")
    return parser


@dataclass
class Moved:
    """A clock that stands where the sample is."""

    time: datetime

    def now(self) -> datetime:
        return self.time


@dataclass
class Accepting:
    """The platforms and topics of the sample: they accept everything."""

    sent: int = 0

    async def send(self, call: Call) -> Answer:
        self.sent += 1
        return Answer(200, json.dumps({"name": f"sample/{self.sent}"}).encode())

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        return


@dataclass
class Story:
    """One conversation: what happens in it, and when."""

    id: str
    chance: random.Random
    desk: str
    at: datetime
    events: list[tuple[datetime, Event]] = field(default_factory=list)

    def after(self, least: float, most: float) -> None:
        self.at += timedelta(seconds=self.chance.uniform(least, most))

    def take(self, kind: type[Event], **more: Any) -> None:
        own = {"id": f"{len(self.events)}", "source": self.id, "actor": "sample"}
        address = self.id.partition(":")[2]
        event = kind.model_validate({**own, "address": address, **more})
        self.events.append((self.at, event))

    def customer(self, words: str) -> None:
        who = {"locale": LANGUAGES[self.desk], "customer_name": self.chance.choice(CUSTOMERS)}
        self.take(UserMessage, form={}, said=words, occurred_at=self.at, **who)

    def shows_or_says(self, words: str) -> None:
        """The customer says it, sends a picture, or taps a suggestion."""
        kind = self.chance.choices(("text", "image", "suggestion"), (8, 1, 2))[0]
        if kind == "image":
            picture = Details(attachments=(Attachment(kind="image"),))
            self.take(UserMessage, form={}, said="[image]", details=picture)
        elif kind == "suggestion":
            self.take(SuggestionResponse, form={}, said="Yes")
        else:
            self.customer(words)

    def bot(self, words: str) -> None:
        self.take(BotMessage, fact=False, representative=_bot(), content=Content(text=words))

    def human(self, kind: type[Event], name: str, **more: Any) -> None:
        who = Representative(representative_type=RepresentativeType.HUMAN, display_name=name)
        self.take(kind, fact=False, key=name, representative=who, **more)

    def opening(self) -> None:
        """The customer and the bot talk."""
        self.customer(self.chance.choice(ASKS))
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            self.after(1, 4)
            self.bot("I can help with that. May I have your order number?")
            self.after(10, 90)
            self.shows_or_says("It is 4711.")
        self.after(1, 4)
        self.bot("Thank you.")

    def request(self) -> None:
        self.after(20, 120)
        self.customer("I want to talk to a person.")
        self.take(HumanRequested, fact=False, reason=self.chance.choice(REASONS))

    def answered(self, waits: float, *, goes_quiet: bool = False) -> None:
        name = self.chance.choice(AGENTS[self.desk])
        self.after(waits * 0.5, waits * 1.8)
        self.human(Claim, name)
        for _ in range(self.chance.choice((1, 2, 2, 3, 4))):
            self.after(15, waits)
            self.human(HumanMessage, name, content=Content(text="Let me look at that for you."))
            self.after(20, 240)
            self.customer("Thank you, that helps.")
        if not goes_quiet:
            self.after(20, 200)
            self.human(HumanLeft, name)
            if self.chance.random() < 0.4:
                self.after(10, 300)
                self.customer(str(self.chance.choice(RATINGS)))


def _bot() -> Representative:
    return Representative(representative_type=RepresentativeType.BOT, display_name="Sample Bot")


def _stays_with_the_bot(story: Story, bad: bool) -> None:
    story.opening()


def _is_answered(story: Story, bad: bool) -> None:
    story.opening()
    story.request()
    story.answered(900 if bad else 90)


def _goes_quiet(story: Story, bad: bool) -> None:
    story.opening()
    story.request()
    story.answered(900 if bad else 120, goes_quiet=True)


def _waits_in_vain(story: Story, bad: bool) -> None:
    story.opening()
    story.request()


def _has_nobody(story: Story, bad: bool) -> None:
    story.opening()
    story.request()
    story.after(60, 200)
    story.take(HandoffFailed, fact=False, reason="nobody is available")


def _comes_unasked(story: Story, bad: bool) -> None:
    story.opening()
    story.answered(60)


Ending = Callable[[Story, bool], None]
ENDINGS: tuple[tuple[Ending, int, int], ...] = (  # with its weight, and that of the bad day
    (_stays_with_the_bot, 50, 30),
    (_is_answered, 36, 28),
    (_goes_quiet, 4, 8),
    (_waits_in_vain, 4, 24),
    (_has_nobody, 3, 9),
    (_comes_unasked, 3, 1),
)


def _stories(count: int, seed: int, until: datetime) -> Iterator[Story]:
    """Yields the weeks: more in the hours of work, little at the weekend, and one bad day."""
    chance = random.Random(seed)
    days = [until - timedelta(days=back) for back in range(DAYS)]
    weights = [25 if day.weekday() > 4 else 100 for day in days]
    bad_day = next(day.date() for day in days[2:] if day.weekday() < 5)
    made = 0
    for number in itertools.count():
        if made == count:
            return
        desk = chance.choices(list(ZONES), (4, 3, 3))[0]
        day = chance.choices(days, weights)[0].astimezone(ZoneInfo(ZONES[desk]))
        hour = chance.choices(range(24), HOURS)[0]
        at = day.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60))
        channel = chance.choice(("business_messages", "business_messages", "rcs"))
        native = f"+1555{number:07}" if channel == "rcs" else f"sample-{number:05}"
        is_bad = day.date() == bad_day
        ending = chance.choices(
            [one for one, *_ in ENDINGS],
            [worse if is_bad else usual for _, usual, worse in ENDINGS],
        )[0]
        story = Story(f"{channel}:{native}", chance, desk, at.astimezone(UTC))
        ending(story, is_bad)
        story.events = [one for one in story.events if one[0] <= until]
        if story.events:  # none of what is still to come today
            made += 1
            yield story


async def _fill(folder: Path, count: int, seed: int) -> int:
    """Returns how many conversations the sample has."""
    environment = dict(settings.defaults(8080, folder))
    environment |= {"BATON_DESKS": json.dumps(DESKS), "BATON_BOT": "none"}
    environment |= {"BATON_SURVEY": "on"}
    baton = Baton(read_settings(environment))
    until = datetime.now(UTC)
    clock, target = Moved(until), Accepting()
    ports = replace(baton.ports, clock=clock, sender=target, publisher=target)
    filled = 0
    try:
        for story in _stories(count, seed, until):
            await _play(ports, clock, story, until)
            filled += 1
            if filled % 200 == 0:
                print(f"  {filled} of {count}", file=sys.stderr, flush=True)
    finally:
        await baton.close()
    return filled


async def _play(ports: Ports, clock: Moved, story: Story, until: datetime) -> None:
    for at, event in story.events:
        await _let_timers_fire(ports, clock, story.id, at)
        clock.time = at
        try:
            await apply(ports, event)
        except (Refused, TooMany):  # the desk was closed, or a timer was quicker
            continue
        await deliver(ports, story.id)
    await _let_timers_fire(ports, clock, story.id, until)


async def _let_timers_fire(ports: Ports, clock: Moved, conversation: str, until: datetime) -> None:
    """Delivers at each time at which the conversation is due until then."""
    while (known := await ports.store.load(conversation, fresh=False)) is not None:
        due = known.value.due_at
        if due is None or due > until:
            return
        clock.time = max(clock.time, due)
        version = known.value.version
        await deliver(ports, conversation, timers=True)
        after = await ports.store.load(conversation, fresh=True)
        if after is None or after.value.version == version:
            return


if __name__ == "__main__":
    os.umask(0o077)  # only the owner may read it
    logs.hide("INFO")
    run_tool(main)
