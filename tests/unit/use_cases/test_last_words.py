"""The last words that a team reads are what was said, by whom it was said, and nothing that is
hidden from agents.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.handoff.visibility import words_to_mask
from shared.platforms.base import Deflected
from shared.ports import Ports
from shared.schemas.content import Content
from shared.schemas.events import (
    BotMessage,
    Event,
    HumanJoined,
    HumanMessage,
    HumanRequested,
    UserMessage,
)
from shared.schemas.http import Call
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.team import Team, Url
from shared.teams.google_chat import GoogleChat
from shared.teams.notify_handoff import take
from shared.teams.slack import Slack

C, DESK = "business_messages:3333", "csku:conv_1"
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Beep")
TEAM = Team([Slack(Url("https://slack.test/")), GoogleChat(Url("https://chat.test/"))])


@pytest.fixture
def ports(bench: Any) -> Ports:
    here: Ports = bench.ports
    return replace(here, team=TEAM)


def _content(text: str) -> Content:
    return Content.model_validate({"text": text})


def _said(name: str, source: str = C, **more: Any) -> Event:
    form: Any = {"message": {"messageId": name, "text": name}}
    return UserMessage(id=name, source=source, actor="p", address="a", form=form, said=name, **more)


def _bot(name: str, source: str = C, **more: Any) -> Event:
    return BotMessage(
        id=name, source=source, actor="p", representative=BOT, content=_content(name), **more
    )


def _human(name: str, source: str = C, **more: Any) -> Event:
    return HumanMessage(
        id=name, source=source, actor="p", representative=JANE, content=_content(name), **more
    )


async def _happens(bench: Any, ports: Ports, *events: Event) -> None:
    for event in events:
        await apply(ports, event)
        await deliver(ports, C)
        bench.clock.forward(1)


async def _last_words(bench: Any, ports: Ports) -> list[str]:
    """Returns what Slack shows of the conversation when somebody asks for a person now."""
    told = {
        "id": "n-1",
        "type": "handoff.requested",
        "conversation": C,
        "time": "2026-01-01T00:00:00Z",
    }
    await take(ports, told)  # type: ignore[arg-type]  # a JSON object
    bench.sender.calls.clear()
    await deliver(ports, C)
    shown: dict[str, list[str]] = {}
    for call in bench.sender.calls:
        if "bot.test" not in call.url:
            shown[call.url.split("/")[2]] = _lines(call)
    assert shown["slack.test"] == shown["chat.test"]
    return shown["slack.test"]


def _lines(call: Call) -> list[str]:
    body = json.loads(call.body)
    if "slack" in call.url:
        texts = [block["text"]["text"] for block in body["blocks"] if block["type"] == "section"]
        return str(texts[1]).splitlines() if len(texts) > 1 else []
    sections = body["cardsV2"][0]["card"]["sections"]
    texts = [
        one["textParagraph"]["text"]
        for section in sections
        for one in section["widgets"]
        if "textParagraph" in one
    ]
    return str(texts[0]).split("<br>") if texts else []


async def test_each_is_named_who_spoke(bench: Any, ports: Ports) -> None:
    await _happens(bench, ports, _said("Help"), _bot("I am a bot"), _human("I am Jane"))
    assert await _last_words(bench, ports) == [
        "Customer: Help",
        "Beep: I am a bot",
        "Jane: I am Jane",
    ]


async def test_a_desks_reason_is_not_the_customers_words(bench: Any, ports: Ports) -> None:
    asked = HumanRequested(id="r-1", source=C, actor="p", reason="asked")
    deflected = Deflected(id="f-1", source=C, actor="desk:ccai", reason="over_capacity_deflection")
    await _happens(bench, ports, _said("Help"), asked, deflected)
    latest = await bench.store.latest(C, 1)
    assert words_to_mask(latest[0].value) == "over_capacity_deflection"
    assert not any("deflection" in line for line in await _last_words(bench, ports))


async def test_a_linked_desks_echo_is_said_once(bench: Any, ports: Ports) -> None:
    await _happens(bench, ports, _said("Help"))
    await link(ports, DESK, C, "admin")
    await _happens(bench, ports, _said("Help", DESK))
    assert await _last_words(bench, ports) == ["Customer: Help"]


async def test_what_was_suppressed_or_refused_was_not_said(bench: Any, ports: Ports) -> None:
    joined = HumanJoined(id="j-1", source=C, actor="p", representative=JANE)
    await _happens(
        bench,
        ports,
        _said("Help"),
        joined,
        _bot("suppressed"),
        _bot("refused", fact=False),
        _human("Hi"),
    )
    assert await _last_words(bench, ports) == ["Customer: Help", "Jane: Hi"]


async def test_late_words_of_a_bot_were_not_said_and_those_of_a_human_were(
    bench: Any, ports: Ports
) -> None:
    before = bench.clock.now() - timedelta(minutes=5)
    now = bench.clock.now()
    await _happens(
        bench,
        ports,
        _said("Help"),
        HumanJoined(id="j-1", source=C, actor="p", representative=JANE, occurred_at=now),
        _bot("too late", occurred_at=before),
        HumanMessage(
            id="late",
            source=C,
            actor="p",
            representative=JANE.model_copy(update={"display_name": "Sam"}),
            content=_content("late, and shown"),
            occurred_at=before,
        ),
    )
    assert await _last_words(bench, ports) == ["Customer: Help", "Sam: late, and shown"]


async def test_what_did_not_arrive_was_not_said(bench: Any, ports: Ports) -> None:
    await _happens(bench, ports, _said("Help"))
    bench.sender.script = [400]
    await _happens(bench, ports, _bot("nobody saw this"), _bot("this was seen"))
    assert await _last_words(bench, ports) == ["Customer: Help", "Beep: this was seen"]


async def test_words_that_are_hidden_from_agents_are_not_shown(bench: Any, ports: Ports) -> None:
    await _happens(bench, ports, _said("Help"), _said("4111 1111 1111 1111"))
    (entry, *_) = await bench.store.latest(C, 1)
    await bench.store.update(
        replace(entry, value=entry.value.model_copy(update={"captured_for": ()}))
    )
    assert await _last_words(bench, ports) == ["Customer: Help", "Customer: [hidden]"]


async def test_they_are_read_when_it_is_told_in_the_order_in_which_they_were_accepted(
    bench: Any, ports: Ports
) -> None:
    names = [f"m-{n}" for n in range(9)]
    for n, name in enumerate(names):
        bench.clock.forward(-60 if n % 2 else 60)
        await apply(ports, _said(name))
    assert await _last_words(bench, ports) == [f"Customer: {name}" for name in names[-6:]]
