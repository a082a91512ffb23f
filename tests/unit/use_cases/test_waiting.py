"""A message outside of WhatsApp's window, from the request to the customer's phone and journal."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.conversations.apply import apply_and_wake
from shared.conversations.id_translation import in_our_ids
from shared.customers.erase import erase
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.commands import Record, SendMessage
from shared.schemas.content import Content, Template
from shared.schemas.conversation import Conversation
from shared.schemas.events import (
    BotMessage,
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    Undelivered,
    UserMessage,
)
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import conversation_id
from shared.schemas.notifications import HANDOFFS
from tests.unit.talk import BOT, human
from tests.unit.use_cases.asking import ask, refusal

ANA = conversation_id("whatsapp", "1:+12025550100")
DAY = 86400


class Phone:
    """The platform: it takes templates at any time, and other messages while `is_open`."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.to: list[str] = []
        self.is_open = False
        self.refuses_templates = False
        self.count = 0

    async def send(self, call: Call) -> Answer:
        body = json.loads(call.body)
        is_template = body["type"] == "template"
        if is_template and self.refuses_templates:
            return _refusal(132001)
        if not is_template and not self.is_open:
            return _refusal(131047)
        self.log.append(body["template"]["name"] if is_template else body["text"]["body"])
        self.to.append(body.get("to", ""))
        self.count += 1
        return Answer(200, json.dumps({"messages": [{"id": f"wamid.{self.count}"}]}).encode())


def _refusal(code: int) -> Answer:
    return Answer(400, json.dumps({"error": {"code": code, "message": "refused"}}).encode())


class Play:
    def __init__(self, bench: Any) -> None:
        whatsapp = WhatsApp(app_secrets=("s",), access_token="t")
        self.bench, self.phone, self.count = bench, Phone(), 0
        policy = replace(
            bench.ports.policy,
            webhooks=frozenset(),
            capabilities={"whatsapp": whatsapp.capabilities},
            reopen_templates={"whatsapp": Template(name="answer_ready", language="en")},
        )
        self.ports = replace(
            bench.ports, platforms={"whatsapp": whatsapp}, policy=policy, sender=self.phone
        )

    async def take(self, kind: type[Event], *, delivered: bool = True, **more: Any) -> Any:
        self.count += 1
        common = {"id": f"e{self.count}", "source": ANA, "actor": "test", **more}
        applied = await apply_and_wake(self.ports, kind.model_validate(common))
        if delivered:
            await deliver(self.ports, ANA)
        return applied

    async def user(self, **more: Any) -> None:
        self.phone.is_open = True
        now = self.bench.clock.now()
        given = {"form": {}, "said": "hi", "address": "1:12025550100", "occurred_at": now}
        await self.take(UserMessage, **{**given, **more})

    async def bot(self, text: str, **more: Any) -> Any:
        said = {"representative": BOT, "content": Content(text=text), "fact": False}
        return await self.take(BotMessage, **{**said, "keeps_id": True, **more})

    async def jane(self, text: str, **more: Any) -> Any:
        said = {"representative": human(), "content": Content(text=text), "fact": False}
        return await self.take(HumanMessage, **{**said, "keeps_id": True, **more})

    def closes(self) -> None:
        self.bench.clock.forward(DAY + 3600)
        self.phone.is_open = False

    async def now(self) -> Conversation:
        found = await self.ports.store.load(ANA)
        assert found is not None
        known: Conversation = found.value
        return known

    async def outcomes(self) -> Mapping[str | None, str]:
        return {entry.event_id: entry.outcome for entry in await self.journal()}

    async def journal(self) -> list[JournalEntry]:
        page = await self.ports.store.journal(ANA, None, 100)
        return [one.value for one in page.items]

    @property
    def failures(self) -> list[tuple[str, str]]:
        told = self.bench.publisher.on(HANDOFFS)
        return [
            (one["message_id"], one["reason"]) for one in told if one["type"] == "delivery.failed"
        ]


@pytest.fixture
async def play(bench: Any) -> Play:
    play = Play(bench)
    await play.user()
    play.closes()
    return play


async def test_it_waits_and_is_delivered_when_the_customer_writes(play: Play) -> None:
    await play.bot("Your parcel is here.", id="b1")
    await play.take(HumanJoined, representative=human())
    await play.jane("Shall I bring it?", id="j1")
    assert play.phone.log == ["answer_ready"]
    waits = await play.outcomes()
    assert (waits["b1"], waits["j1"]) == ("waiting-for-customer", "waiting-for-customer")
    assert await play.ports.store.pending_count(ANA) == 0, "nothing blocks the outbox"
    await play.user()
    assert play.phone.log[1:] == [
        "Your parcel is here.",
        "Jane joined the conversation.",
        "Jane: Shall I bring it?",
    ]
    done = await play.outcomes()
    assert (done["b1"], done["j1"]) == ("done", "done")
    await play.user()
    assert len(play.phone.log) == 4
    assert play.failures == []


async def test_a_template_of_unknown_outcome_is_not_sent_again(play: Play) -> None:
    await play.bot("hello", delivered=False)

    class Silent:
        calls = 0

        async def send(self, call: Call) -> None:
            Silent.calls += 1

    silent = replace(play.ports, sender=Silent())
    await deliver(silent, ANA)
    await deliver(silent, ANA)
    assert Silent.calls == 1
    assert len((await play.now()).waiting) == 1


async def test_a_refused_template_ends_what_waits_with_the_platforms_code(play: Play) -> None:
    play.phone.refuses_templates = True
    await play.bot("one", id="b1", delivered=False)
    await play.bot("two", id="b2")
    known = await play.now()
    assert (known.waiting, known.reopening) == ((), None)
    (first, why), (second, _) = [one for one in play.failures if one[0] in ("b1", "b2")]
    assert (first, second) == ("b1", "b2")
    assert "132001" in why
    failed = await play.outcomes()
    assert (failed["b1"], failed["b2"]) == ("failed", "failed")
    play.phone.refuses_templates = False
    await play.bot("three")
    assert play.phone.log == ["answer_ready"]


async def test_it_is_given_up_when_the_customer_does_not_come(play: Play) -> None:
    await play.bot("hello", id="b1")
    play.bench.clock.forward(3 * DAY - 1)
    await deliver(play.ports, ANA, timers=True)
    assert play.failures == []
    play.bench.clock.forward(2)
    page = await play.ports.store.due_conversations(play.bench.clock.now(), None, 10)
    assert page.items == [ANA]
    for _ in range(2):
        await deliver(play.ports, ANA, timers=True)
    assert play.failures == [("b1", "customer-not-back")]
    assert (await play.outcomes())["b1"] == "failed"
    await play.user()
    assert play.phone.log == ["answer_ready"]


async def test_the_end_and_the_release_are_not_both_taken(play: Play) -> None:
    """The customer comes at the moment of the end: a stale decision writes nothing."""
    await play.bot("hello", id="b1")
    play.bench.clock.forward(3 * DAY + 1)
    stale = play.ports.store.commit
    raced = False

    async def after_the_customer(commit: Any) -> Any:
        nonlocal raced
        if not raced:
            raced = True
            await play.user(delivered=False)
        return await stale(commit)

    store = play.ports.store
    store.commit = after_the_customer
    await deliver(play.ports, ANA, timers=True)
    assert play.phone.log == ["answer_ready", "hello"]
    assert play.failures == []
    assert (await play.outcomes())["b1"] == "done"


async def test_the_entry_that_a_delivery_holds_may_be_settled_meanwhile(play: Play) -> None:
    """The template's entry is the one that holds the words."""
    await play.bot("hello", id="b1", delivered=False)
    await play.user(delivered=False)
    await deliver(play.ports, ANA)
    assert play.phone.log == ["answer_ready", "hello"]
    assert (await play.outcomes())["b1"] == "done"


BEN = conversation_id("whatsapp", "1:+12025550101")


async def two_that_wait(play: Play) -> None:
    """Two customers' numbers, for each of which two messages wait under the same ids."""
    play.bench.clock.forward(-DAY - 3600)
    await play.user(source=BEN, address="1:12025550101")
    play.closes()
    for number, conversation in ((1, ANA), (2, BEN), (3, ANA), (4, BEN)):
        play.bench.clock.forward(1)
        which = "b1" if number < 3 else "b2"
        await play.bot(f"word {number}", id=which, source=conversation)
        await deliver(play.ports, conversation)


async def all_ends(play: Play) -> list[tuple[str, str | None, str]]:
    pages = [await play.ports.store.journal(one, None, 100) for one in (ANA, BEN)]
    return [
        (entry.value.conversation, entry.value.event_id, entry.value.outcome)
        for page in pages
        for entry in page.items
        if entry.value.kind == "bot_message" and not entry.value.marker
    ]


@pytest.mark.parametrize("writes_on", [ANA, BEN])
@pytest.mark.parametrize(("joined", "to"), [(ANA, BEN), (BEN, ANA)])
async def test_what_waits_for_two_channels_that_are_linked_is_said_once_in_order(
    play: Play, joined: str, to: str, writes_on: str
) -> None:
    """Both conversations know messages of the same ids."""
    await two_that_wait(play)
    assert play.phone.log == ["answer_ready"] * 2
    await link(play.ports, joined, to, "admin")
    play.phone.log.clear()
    address = "1:12025550100" if writes_on == ANA else "1:12025550101"
    await play.user(source=writes_on, address=address)
    await deliver(play.ports, to)
    assert play.phone.log == [f"word {number}" for number in (1, 2, 3, 4)]
    assert play.phone.to[-4:] == [address] * 4
    assert {end for _, _, end in await all_ends(play)} == {"done"}
    await play.user(source=ANA, id="again")
    await deliver(play.ports, to)
    assert len(play.phone.log) == 4


async def test_what_waits_for_two_linked_channels_is_given_up_each_at_its_time(
    play: Play,
) -> None:
    await two_that_wait(play)
    await link(play.ports, BEN, ANA, "admin")
    play.bench.clock.forward(3 * DAY - 2)
    await deliver(play.ports, ANA, timers=True)
    assert [end for _, _, end in sorted(await all_ends(play))].count("failed") == 2
    play.bench.clock.forward(10)
    await deliver(play.ports, ANA, timers=True)
    assert sorted(await all_ends(play)) == sorted(
        (one, event, "failed") for one in (ANA, BEN) for event in ("b1", "b2")
    )
    assert (
        sorted(play.failures)
        == [("b1", "customer-not-back")] * 2 + [("b2", "customer-not-back")] * 2
    )


async def test_what_was_asked_of_a_linked_channel_waits_with_the_customer(play: Play) -> None:
    play.bench.clock.forward(-DAY - 3600)
    await play.user(source=BEN, address="1:12025550101")
    play.closes()
    await link(play.ports, BEN, ANA, "admin")
    await play.bot("to the linked one", id="b1", source=BEN)
    await deliver(play.ports, ANA)
    await play.bot("to the other", id="b1", source=ANA)
    await deliver(play.ports, ANA)
    play.phone.log.clear()
    await play.user()
    assert play.phone.log == ["to the linked one", "to the other"]
    ends = sorted(await all_ends(play))
    assert ends == sorted([(ANA, "b1", "done"), (ANA, "b1", "done"), (BEN, "b1", "accepted")])


async def test_a_failure_of_what_has_waited_reaches_its_sender(play: Play) -> None:
    await play.bot("hello", id="b1")
    await play.user()
    (native,) = [
        one.native_id
        for entry in await play.journal()
        for one in entry.commands
        if isinstance(one, SendMessage) and one.id == "b1" and one.native_id
    ]
    lost = Undelivered(id="s1", source=ANA, actor="whatsapp", message=native, reason="131026")
    named = await in_our_ids(play.ports, lost)
    assert isinstance(named, Undelivered)
    assert (named.message, named.by) == ("b1", "BOT")


async def test_reports_count_the_first_response_when_it_is_sent(play: Play) -> None:
    play.bench.clock.forward(-DAY - 3600)
    await play.take(HumanRequested, reason="a person, please", occurred_at=play.bench.clock.now())
    play.closes()
    await play.take(HumanJoined, representative=human())
    await play.jane("Shall I bring it?", id="j1")
    known = await play.now()
    assert known.first_response_seconds is None
    play.bench.clock.forward(3600)
    await play.user()
    known = await play.now()
    assert known.first_response_seconds == DAY + 2 * 3600
    measured = [
        measure
        for entry in await play.journal()
        for command in entry.commands
        if isinstance(command, Record)
        for measure in command.measures
    ]
    found = {one.name.value: one.seconds for one in measured}
    assert found["first_response"] == DAY + 2 * 3600
    assert found["responded"] is None
    await play.take(HumanLeft, representative=human())
    assert "silent" not in found
    assert [one.name.value for one in measured].count("responded") == 1


async def test_reports_count_the_response_of_a_human_who_has_left_meanwhile(play: Play) -> None:
    play.bench.clock.forward(-DAY - 3600)
    await play.take(HumanRequested, reason="a person, please", occurred_at=play.bench.clock.now())
    play.closes()
    await play.take(HumanJoined, representative=human())
    await play.jane("Shall I bring it?", id="j1")
    await play.take(HumanLeft, representative=human())
    play.bench.clock.forward(3600)
    await play.user()
    counted: Counter[str] = Counter()
    for entry in await play.journal():
        for command in entry.commands:
            for measure in command.measures if isinstance(command, Record) else ():
                counted[measure.name.value] += measure.number
    assert (counted["responded"], counted["first_response"], counted["silent"]) == (1, 1, 0)


async def test_an_erase_leaves_nothing_that_waits(play: Play) -> None:
    await play.bot("a secret", id="b1")
    await erase(play.ports, ANA, "admin")
    known = await play.now()
    assert (known.waiting, known.due_at) == ((), None)
    assert all("secret" not in entry.model_dump_json() for entry in await play.journal())
    await play.user()
    assert play.phone.log == ["answer_ready"]


async def test_the_answer_of_the_api_says_that_it_waits_and_whether_a_template_was_sent(
    play: Play,
) -> None:
    path = f"/{ANA}/messages"
    common = {"text": "hello", "representative": {"representativeType": "BOT"}}
    answers = [
        await ask(play.ports, "POST", path, {**common, "messageId": one}) for one in ("b1", "b2")
    ]
    said = [(one["state"], one["template"]) for one in answers]
    assert said == [("WAITING_FOR_CUSTOMER", "SENT"), ("WAITING_FOR_CUSTOMER", "ALREADY_SENT")]
    again = {**common, "messageId": "b1"}
    assert await refusal(play.ports, "POST", path, again) == "already-accepted"
    await play.user()
    inside = await ask(play.ports, "POST", path, {**common, "messageId": "b3"})
    assert "state" not in inside
    assert "template" not in inside
