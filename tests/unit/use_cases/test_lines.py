"""Lines of an outbox: no target waits for another, and a message that is at fault does not hold
its line for long.
"""

import asyncio
import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pydantic_core
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.conversations.apply import apply, wake
from shared.delivery import drain
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.errors import Unavailable
from shared.outbox.tries import LONGEST_PAUSE, judge
from shared.ports import Webhooks
from shared.schemas.commands import SendMessage, State
from shared.schemas.content import Content
from shared.schemas.events import (
    BotMessage,
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    UserMessage,
)
from shared.schemas.http import Answer, Call
from shared.schemas.notifications import HANDOFFS, OUTBOX, USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType

C = "business_messages:3333"
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
PATIENCE = 180


def says(text: str, conversation: str = C) -> Event:
    native = conversation.partition(":")[2]
    form: Any = {"conversationId": native, "message": {"messageId": text, "text": text}}
    return UserMessage(
        id=text, source=conversation, actor="platform", address=native, form=form, said=text
    )


def asks(kind: type[Event], native: str, **fields: Any) -> Event:
    return kind(
        id=native, source=C, actor="key:desk", key="desk", fact=False, keeps_id=True, **fields
    )


def bot(text: str) -> Event:
    return asks(BotMessage, text, representative=BOT, content=Content(text=text))


def jane(text: str) -> Event:
    return asks(HumanMessage, text, representative=JANE, content=Content(text=text))


async def take(bench: Any, *events: Event) -> None:
    for event in events:
        applied = await apply(bench.ports, event)
        assert applied.refusal is None
        await wake(bench.ports, applied.conversation.id)


async def run(bench: Any, seconds: int = 0, step: int = 60) -> None:
    """Lets time pass as it does deployed: what is woken is delivered, and each minute the sweep
    wakes what is due.
    """
    for _ in range(0, seconds + 1, step):
        await sweep(bench.ports)
        woken = {body["conversation"]: body["timers"] for body in bench.publisher.on(OUTBOX)}
        bench.publisher.published = [one for one in bench.publisher.published if one[0] != OUTBOX]
        for conversation, timers in woken.items():
            await deliver(bench.ports, conversation, timers=timers)
        bench.clock.forward(step if seconds else 0)


def refuses(host: str, status: int, *texts: str) -> Callable[[Call], int | None]:
    """Returns what answers so at a host, always or for bodies with one of these texts."""
    return lambda call: (
        status
        if host in call.url and (not texts or any(t.encode() in call.body for t in texts))
        else None
    )


def heard(bench: Any, host: str, refused: Callable[[Call], int | None]) -> list[str]:
    """Returns the texts of what a host took, in the order in which it took them."""
    bodies = [
        pydantic_core.from_json(one.body)
        for one in bench.sender.calls
        if host in one.url and not refused(one)
    ]
    return [body.get("message", body).get("text") or body["eventType"] for body in bodies]


def types(bench: Any) -> list[str]:
    return [body["type"] for body in bench.publisher.on(HANDOFFS)]


@pytest.fixture
def with_desk(bench: Any) -> Any:
    """The bench with a plain webhook for each audience."""
    urls = {"BOT": "https://bot.test/hook", "HUMAN": "https://desk.test/hook"}
    policy = dataclasses.replace(bench.ports.policy, webhooks=frozenset(urls))
    bench.ports = dataclasses.replace(
        bench.ports, policy=policy, webhooks=Webhooks(urls, "outbound-key")
    )
    return bench


async def test_while_the_bot_is_down_the_team_and_the_desk_hear_of_the_handoff(
    with_desk: Any,
) -> None:
    bench = with_desk
    bench.sender.refuses = down = refuses("bot.test", 503)
    await take(
        bench, says("Hi"), says("A person please"), asks(HumanRequested, "r-1", reason="asked")
    )
    await run(bench, 600)
    assert [one for one in types(bench) if one != "delivery.failed"] == [
        "handoff.requested",
        *["handoff.unclaimed"] * 3,
        "handoff.failed",
    ]
    await take(
        bench,
        asks(HumanRequested, "r-2", reason="again"),
        asks(HumanJoined, "j-1", representative=JANE),
    )
    await take(bench, says("Hello Jane"))
    await run(bench)
    assert heard(bench, "desk.test", down) == ["Hello Jane"]
    assert [body["message"]["text"] for body in bench.publisher.on(USER_MESSAGES)][
        -1
    ] == "Hello Jane"


async def test_while_a_target_hangs_the_others_get_what_comes_meanwhile(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "LOOK_AGAIN_SECONDS", 0.02)
    may_end = asyncio.Event()

    class BotHangs:
        async def send(self, call: Call) -> Answer | None:
            if "bot.test" in call.url:
                await may_end.wait()
                return None
            answer: Answer | None = await bench.sender.send(call)
            return answer

    ports = dataclasses.replace(bench.ports, sender=BotHangs())
    await take(bench, says("Hi"), bot("one"))
    delivery = asyncio.create_task(deliver(ports, C))
    await take(bench, bot("two"), asks(HumanRequested, "r-1", reason="asked"))
    async with asyncio.timeout(20):
        while not types(bench) or len(bench.sender.sent) < 2:
            await asyncio.sleep(0.01)
    assert not delivery.done()
    assert types(bench) == ["handoff.requested"]
    known = [
        entry.value.outcome
        for entry in (await bench.store.journal(C, None, 9)).items
        if entry.value.commands
    ]
    # the one that hangs, and what may be on its way to the journal
    assert known.count("pending") <= 2
    may_end.set()
    assert (await delivery).failed


async def test_a_bot_that_fails_at_one_message_hears_the_next_and_the_team_is_notified_once(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.sender.refuses = poison = refuses("bot.test", 500, "poison")
    await take(bench, says("one"), says("poison"), says("two"))
    await run(bench)
    assert heard(bench, "bot.test", poison) == ["one"]
    await run(bench, PATIENCE + 120)
    assert heard(bench, "bot.test", poison) == ["one", "two"]
    await take(bench, says("three"))
    await run(bench, 86400 + 600, step=600)
    assert heard(bench, "bot.test", poison) == ["one", "two", "three"]
    (told,) = bench.publisher.on(HANDOFFS)
    assert (told["type"], told["reason"]) == ("delivery.failed", "post failed: HTTP 500")
    logged = map(json.loads, capsys.readouterr().out.splitlines())
    assert [one["severity"] for one in logged].count("ERROR") == 1
    assert await bench.store.pending_count(C) == 0


async def test_several_messages_in_a_row_may_be_at_fault(bench: Any) -> None:
    bench.sender.refuses = poison = refuses("bot.test", 500, "poison")
    await take(bench, *(says(f"poison {n}") for n in range(3)), says("well"))
    await run(bench, 3600)
    assert heard(bench, "bot.test", poison) == ["well"]
    assert types(bench) == ["delivery.failed"] * 3


async def test_a_lone_message_at_fault_is_reported_once_and_gives_way_to_the_next_at_once(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.sender.refuses = poison = refuses("bot.test", 500, "poison")
    await take(bench, says("poison"))
    await run(bench, PATIENCE - 60)
    assert types(bench) == []
    await run(bench, 1200)
    (told,) = bench.publisher.on(HANDOFFS)
    assert (told["type"], told["reason"]) == ("delivery.failed", "post pending: HTTP 500")
    logged = map(json.loads, capsys.readouterr().out.splitlines())
    assert [one["severity"] for one in logged].count("ERROR") == 1
    await take(bench, says("next"))
    await run(bench)
    assert heard(bench, "bot.test", poison) == ["next"]
    await run(bench, 86400 + 600, step=600)
    assert types(bench) == ["delivery.failed"]


@pytest.mark.parametrize("fault", [503, 429, "unreachable"])
async def test_a_target_that_is_down_for_an_hour_loses_nothing_and_hears_all_in_order(
    bench: Any, fault: Any
) -> None:
    is_down = True
    taken = []

    def answers(call: Call) -> int | None:
        if "bot.test" not in call.url:
            return None
        if is_down and fault == "unreachable":
            raise Unavailable("unreachable", "told to fail")
        if is_down:
            return int(fault)
        taken.append(json.loads(call.body)["message"]["text"])
        return None

    bench.sender.refuses = answers
    for n in range(12):
        await take(bench, says(str(n)))
        await run(bench, 300)
    is_down = False
    await run(bench, 1200)
    assert taken == [str(n) for n in range(12)]
    assert {entry.value.outcome for entry in (await bench.store.journal(C, None, 99)).items} == {
        "done"
    }


async def test_a_webhook_that_is_well_again_while_a_message_hangs_loses_nothing(bench: Any) -> None:
    """What hung may have met the end of an outage: it is not at fault until it fails where
    another arrived.
    """
    taken: list[str] = []
    hangs = True

    class Recovers:
        async def send(self, call: Call) -> Answer | None:
            nonlocal hangs
            text = json.loads(call.body)["message"]["text"]
            if hangs:
                hangs = text != "one" or bench.clock.time < since + timedelta(seconds=PATIENCE)
                return None
            taken.append(text)
            return Answer(200)

    since = bench.clock.time
    bench.ports = dataclasses.replace(bench.ports, sender=Recovers())
    await take(bench, says("one"), says("two"))
    await run(bench, 900)
    assert sorted(taken) == ["one", "two"]


async def test_a_channel_that_is_well_again_while_a_message_hangs_shows_all_in_order(
    bench: Any,
) -> None:
    taken: list[str] = []
    hangs = True

    class Recovers:
        async def send(self, call: Call) -> Answer | None:
            nonlocal hangs
            if "platform.test" not in call.url:
                return Answer(200)
            text = json.loads(call.body)["text"]
            if hangs:
                hangs = bench.clock.time < since + timedelta(seconds=PATIENCE)
                return None
            taken.append(text)
            return Answer(200)

    since = bench.clock.time
    bench.ports = dataclasses.replace(bench.ports, sender=Recovers())
    await take(bench, says("Hi"), bot("one"), bot("two"))
    await run(bench, 900)
    assert taken == ["one", "two"]


async def test_a_channel_that_fails_at_one_message_shows_the_next(bench: Any) -> None:
    bench.sender.refuses = poison = refuses("platform.test", 500, "poison")
    await take(
        bench,
        says("Hi"),
        asks(HumanJoined, "j-1", representative=JANE),
        jane("poison"),
        jane("two"),
    )
    await take(bench, asks(HumanLeft, "l-1", representative=JANE), bot("back"))
    await run(bench, PATIENCE + 120)
    frame = ["REPRESENTATIVE_JOINED", "two", "REPRESENTATIVE_LEFT", "back"]
    assert [
        text for text in heard(bench, "platform.test", poison) if "assistant" not in text
    ] == frame
    (told,) = [body for body in bench.publisher.on(HANDOFFS) if body["type"] == "delivery.failed"]
    assert told["message_id"] == "poison"


@pytest.mark.parametrize("kind", ["JOINED", "LEFT"])
async def test_where_an_event_fails_for_minutes_words_stand_for_it(bench: Any, kind: str) -> None:
    bench.sender.refuses = poison = refuses("platform.test", 500, f"REPRESENTATIVE_{kind}")
    await take(bench, says("Hi"), asks(HumanJoined, "j-1", representative=JANE), jane("Hello"))
    await take(bench, asks(HumanLeft, "l-1", representative=JANE), bot("back"))
    await run(bench, PATIENCE + 120)
    said = heard(bench, "platform.test", poison)
    first = "Jane Doe joined the conversation." if kind == "JOINED" else "REPRESENTATIVE_JOINED"
    last = "Jane Doe left the conversation." if kind == "LEFT" else "REPRESENTATIVE_LEFT"
    assert said == [first, "Hello", last, "back"]
    assert "delivery.failed" not in types(bench)


async def test_where_a_joined_and_its_words_fail_for_minutes_nothing_of_the_frame_is_shown(
    bench: Any,
) -> None:
    bench.sender.refuses = poison = refuses("platform.test", 500, "JOINED", "joined the")
    await take(bench, says("Hi"), asks(HumanJoined, "j-1", representative=JANE), jane("Hello"))
    await take(bench, asks(HumanLeft, "l-1", representative=JANE), bot("back"))
    await run(bench, PATIENCE + 120)
    assert heard(bench, "platform.test", poison) == ["back"]
    entries = [entry.value for entry in (await bench.store.journal(C, None, 99)).items]
    states = {
        one.content.text: one.state
        for e in entries
        for one in e.commands
        if isinstance(one, SendMessage)
    }
    assert (states["Hello"], states["back"]) == (State.UNFRAMED, State.SENT)
    assert await bench.store.pending_count(C) == 0


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    value=st.one_of(
        st.text(max_size=40),
        st.sampled_from(
            ("0", "-1", "nan", "inf", "1e9", "9" * 5000, "\u0663", "Thu, 01 Jan 1970 00:00:00 GMT")
        ),
        st.sampled_from(
            (
                "Fri, 31 Dec 9999 23:59:59 GMT",
                "Thu, 01 Jan 2026 00:00:09 +9999",
                "01 Jan",
                "0 0 0 0 0",
            )
        ),
    )
)
async def test_a_vendors_pause_is_bounded(bench: Any, value: str) -> None:
    result = judge(bench.ports, Answer(429, headers={"retry-after": value}))
    assert result.retry_after is None or 0 <= result.retry_after <= LONGEST_PAUSE


@pytest.mark.parametrize("value", ["0", "Thu, 01 Jan 1970 00:00:00 GMT", "-5", "nan"])
async def test_a_pause_is_never_shorter_than_our_own_backoff(bench: Any, value: str) -> None:
    await take(bench, says("Hi"), bot("one"))
    bench.sender.script = [Answer(429, headers={"retry-after": value})] * 10
    began = bench.clock.time
    for _ in range(10):
        delivered = await deliver(bench.ports, C)
        assert delivered.next_try > bench.clock.time
        bench.clock.time = delivered.next_try
    assert bench.clock.time - began > timedelta(seconds=120)


async def test_the_delay_of_a_delivery_is_logged_once(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """An objective and a metric read it: from the acceptance of the event to its delivery."""
    bench.sender.refuses = refuses("bot.test", 503, "late")
    await take(bench, says("late"))
    await run(bench, 120)
    assert set(delays(capsys)) <= {0.0}  # other targets
    bench.sender.refuses = lambda _: None
    await run(bench, 120)
    (delay,) = delays(capsys)
    assert 120 <= delay <= 240


def delays(capsys: pytest.CaptureFixture[str]) -> list[float]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["delay_seconds"] for line in lines if "delay_seconds" in line]
