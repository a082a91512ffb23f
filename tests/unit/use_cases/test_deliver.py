"""Delivery: what each answer of a platform makes of a command, and what waits for what."""

from typing import Any

import pydantic_core
import pytest

from shared.conversations.apply import apply
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.errors import Unavailable
from shared.platforms.bodies import hmac_sha512_base64
from shared.schemas.commands import Post, Publish
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
from shared.schemas.http import Answer
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import HANDOFFS, USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType

C = "business_messages:3333"
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")


def _user(text: str = "Hi", native: str = "m-1") -> Event:
    form = {"conversationId": "3333", "message": {"messageId": native, "text": text}}
    return UserMessage(id=native, source=C, actor="platform", address="3333", form=form, said=text)  # type: ignore[arg-type]  # a JSON object


def _request(kind: type[Event], native: str, **fields: Any) -> Event:
    return kind(
        id=native, source=C, actor="key:desk", key="desk", fact=False, keeps_id=True, **fields
    )


def _bot(text: str) -> Event:
    return _request(BotMessage, text, representative=BOT, content=Content(text=text))


async def _take(bench: Any, *events: Event) -> None:
    for event in events:
        assert (await apply(bench.ports, event)).refusal is None


async def _journal(bench: Any) -> list[JournalEntry]:
    return [snapshot.value for snapshot in (await bench.store.journal(C, None, 100)).items]


def _texts(bench: Any) -> list[str]:
    return [body.get("text", body.get("eventType")) for body in bench.sender.sent]


@pytest.fixture
async def framed(bench: Any) -> Any:
    """A conversation with Jane's whole frame in the outbox."""
    said = _request(HumanMessage, "h-1", representative=JANE, content=Content(text="Hello"))
    joined, left = (
        _request(kind, kind.kind, representative=JANE) for kind in (HumanJoined, HumanLeft)
    )
    await _take(bench, _user(), joined, said, left)
    bench.sender.calls.clear()
    return bench


@pytest.mark.parametrize(
    "fault", [500, 503, 408, 425, 429, 401, None, Unavailable("unreachable", "down")]
)
async def test_what_fails_for_now_is_tried_again_and_what_is_behind_it_waits(
    bench: Any, fault: Any
) -> None:
    await _take(bench, _user(), _bot("one"), _bot("two"))
    bench.sender.script = [fault]
    first = await deliver(bench.ports, C)
    assert (first.failed, _texts(bench)) == (True, ["one"])
    bench.clock.forward(0.01)
    early = await deliver(bench.ports, C)
    assert (early.failed, len(bench.sender.sent)) == (False, 1)
    bench.clock.forward(1)
    assert (await deliver(bench.ports, C)).next_try is None
    assert _texts(bench) == ["one", "one", "two"]


async def test_pauses_double_from_under_a_second_to_ten_minutes(bench: Any) -> None:
    await _take(bench, _user(), _bot("one"))
    bench.sender.script = [500] * 14
    pauses = []
    for _ in range(14):
        delivered = await deliver(bench.ports, C)
        pauses.append((delivered.next_try - bench.clock.now()).total_seconds())
        bench.clock.time = delivered.next_try
    assert 0.5 <= pauses[0] <= 1
    assert all(300 <= pause <= 600 for pause in pauses[-2:])


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("Thu, 01 Jan 2026 00:00:09 GMT", 9), ("100000", 600)]
)
async def test_retry_after_is_honoured(bench: Any, value: str, seconds: int) -> None:
    await _take(bench, _user(), _bot("one"))
    bench.sender.script = [Answer(429, headers={"retry-after": value})]
    delivered = await deliver(bench.ports, C)
    assert (delivered.next_try - bench.clock.now()).total_seconds() == seconds


async def test_what_fails_for_good_is_journalled_the_team_is_notified_and_the_rest_goes_on(
    bench: Any,
) -> None:
    await _take(bench, _user(), _bot("one"), _bot("two"))
    bench.sender.script = [400]
    assert not (await deliver(bench.ports, C)).failed
    outcomes = {entry.event_id: entry.outcome for entry in await _journal(bench)}
    assert outcomes == {"m-1": "done", "one": "failed", "two": "done"}
    (told,) = bench.publisher.on(HANDOFFS)
    assert (told["type"], told["reason"]) == ("delivery.failed", "message failed: HTTP 400")


async def test_a_refusal_after_an_unanswered_try_is_unknown_and_not_sent_again(bench: Any) -> None:
    await _take(bench, _user(), _bot("one"))
    bench.sender.script = [None, 400]
    await deliver(bench.ports, C)
    bench.clock.forward(1)
    await deliver(bench.ports, C)
    bench.clock.forward(1000)
    await deliver(bench.ports, C)
    assert (await _journal(bench))[-1].outcome == "unknown"
    assert len(bench.sender.sent) == 2


async def test_missing_rights_are_tried_three_times(bench: Any) -> None:
    await _take(bench, _user(), _bot("one"))
    bench.sender.script = [403, 403, 403]
    for _ in range(5):
        await deliver(bench.ports, C)
        bench.clock.forward(60)
    assert len(bench.sender.sent) == 3
    assert (await _journal(bench))[-1].outcome == "failed"


async def test_what_is_too_old_is_tried_once_more_and_then_given_up(bench: Any) -> None:
    await _take(bench, _user(), _bot("one"))
    bench.clock.forward(86401)
    bench.sender.script = [429]
    assert not (await deliver(bench.ports, C)).failed
    assert (await _journal(bench))[-1].outcome == "failed"


async def test_a_lane_that_stands_does_not_hold_up_the_other(bench: Any) -> None:
    await _take(bench, _user(), _bot("one"), _user("Hello?", "m-2"))
    bench.sender.refuses = lambda call: 500 if "platform.test" in call.url else None
    await deliver(bench.ports, C)
    assert [body["message"]["text"] for body in bench.publisher.on(USER_MESSAGES)] == [
        "Hi",
        "Hello?",
    ]


async def test_a_full_page_of_standing_messages_does_not_hide_topics_behind_it(bench: Any) -> None:
    await _take(bench, _user(), *(_bot(str(n)) for n in range(120)), _user("Hello?", "m-2"))
    bench.sender.refuses = lambda call: 500 if "platform.test" in call.url else None
    await deliver(bench.ports, C)
    assert [body["message"]["text"] for body in bench.publisher.on(USER_MESSAGES)] == [
        "Hi",
        "Hello?",
    ]


async def test_a_frame_the_platform_refuses_is_said_as_text_under_that_human(framed: Any) -> None:
    framed.sender.refuses = lambda call: 400 if "/events" in call.url else None
    await deliver(framed.ports, C)
    said = [body for body in framed.sender.sent if "text" in body]
    assert [body["text"] for body in said] == [
        "Jane Doe joined the conversation.",
        "Hello",
        "Jane Doe left the conversation.",
    ]
    assert all(body["representative"]["representativeType"] == "HUMAN" for body in said)


async def test_a_frame_that_cannot_be_opened_at_all_holds_its_messages_back(framed: Any) -> None:
    framed.sender.refuses = lambda call: (
        400 if b"JOINED" in call.body or b"joined" in call.body else None
    )
    await deliver(framed.ports, C)
    await deliver(framed.ports, C)
    assert "Hello" not in _texts(framed)
    assert not any(b"LEFT" in call.body for call in framed.sender.calls)
    outcomes = {entry.kind: entry.outcome for entry in await _journal(framed)}
    assert (outcomes["human_joined"], outcomes["human_message"], outcomes["human_left"]) == (
        "failed",
        "unframed",
        "unframed",
    )
    assert await framed.store.pending_count(C) == 0
    assert [told["type"] for told in framed.publisher.on(HANDOFFS)].count("delivery.failed") == 2


async def test_a_broken_frame_is_remembered_until_its_left(bench: Any) -> None:
    await _take(bench, _user(), _request(HumanJoined, "e-1", representative=JANE))
    bench.sender.refuses = lambda call: (
        400 if b"JOINED" in call.body or b"joined" in call.body else None
    )
    await deliver(bench.ports, C)
    await _take(
        bench, _request(HumanMessage, "h-1", representative=JANE, content=Content(text="Hello"))
    )
    await deliver(bench.ports, C)
    assert "Hello" not in _texts(bench)
    await _take(bench, _request(HumanLeft, "e-2", representative=JANE), _bot("back"))
    await deliver(bench.ports, C)
    assert _texts(bench)[-1] == "back"
    assert await bench.store.pending_count(C) == 0


async def test_a_plain_webhook_gets_the_message_in_the_vendors_form_signed(bench: Any) -> None:
    await _take(bench, _user())
    await deliver(bench.ports, C)
    (call,) = bench.sender.calls
    assert call.url == "https://bot.test/hook"
    assert call.headers["x-goog-signature"] == hmac_sha512_base64("outbound-key", call.body)
    assert pydantic_core.from_json(call.body) == {
        "conversationId": "3333",
        "message": {"messageId": "m-1", "text": "Hi"},
    }


async def test_what_went_to_a_topic_is_not_kept_a_second_time(bench: Any) -> None:
    await _take(bench, _user())
    await deliver(bench.ports, C)
    (entry,) = await _journal(bench)
    assert [command.body for command in entry.commands if isinstance(command, Publish | Post)] == [
        {},
        {},
    ]


async def test_a_topic_that_is_down_is_tried_again_in_order(bench: Any) -> None:
    await _take(bench, _user(), _user("Hello?", "m-2"))
    bench.publisher.fails = 1
    assert (await deliver(bench.ports, C)).failed
    bench.clock.forward(1)
    await deliver(bench.ports, C)
    assert [body["message"]["text"] for body in bench.publisher.on(USER_MESSAGES)] == [
        "Hi",
        "Hello?",
    ]


async def test_a_fact_that_no_cut_makes_small_enough_is_quarantined_and_not_refused(
    bench: Any,
) -> None:
    """Who makes a request has checked the size of its metadata."""
    await _take(bench, _user())
    huge = HumanRequested(id="r", source=C, actor="p", reason="r", metadata={"a": "x" * 1_200_000})
    applied = await apply(bench.ports, huge)
    assert (applied.refusal, applied.verdict) == (None, "quarantined")
    await _take(bench, _bot("still here"))
    await deliver(bench.ports, C)
    assert [entry.outcome for entry in await _journal(bench)] == ["done", "quarantined", "done"]


@pytest.mark.parametrize(
    ("asks", "told"),
    [(True, "handoff.failed"), (False, "handoff.ended")],
    ids=["queued", "with a human"],
)
async def test_a_desks_own_handoff_ends_when_it_is_linked_and_the_team_is_notified(
    bench: Any, asks: bool, told: str
) -> None:
    desk: dict[str, Any] = {
        "id": "1",
        "source": "csku:conv",
        "actor": "platform:csku",
        "address": "conv",
    }
    content = Content(text="Saya bisa membantu")
    event = (
        HumanRequested(**desk, reason="r")
        if asks
        else HumanMessage(**desk, representative=JANE, content=content)
    )
    await _take(bench, _user(), event)
    await link(bench.ports, "csku:conv", C, "admin")
    await deliver(bench.ports, "csku:conv")
    assert [body["type"] for body in bench.publisher.on(HANDOFFS)][-1] == told
    assert (await bench.store.load("csku:conv")).value.phase == "BOT"


async def test_three_refusals_for_want_of_rights_end_it_and_other_faults_do_not_count(
    bench: Any,
) -> None:
    await _take(bench, _user(), _bot("one"))
    bench.sender.script = [500, 500, 403, 403, 200]
    for _ in range(6):
        await deliver(bench.ports, C)
        bench.clock.forward(600)
    assert (await _journal(bench))[-1].outcome == "done"
