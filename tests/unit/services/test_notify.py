"""The team is told once per notification and target, whatever is redelivered, fails, or crashes half-way."""

import asyncio
from typing import Any

import pytest

from shared.errors import NotYet
from shared.schemas.events import HumanRequested, UserMessage
from shared.schemas.notifications import HANDOFFS, Notification
from shared.services.apply import apply
from shared.services.deliver import deliver
from shared.services.notify import Team, notify
from shared.teams.base import Url
from shared.teams.google_chat import GoogleChat
from shared.teams.slack import Slack
from shared.teams.team_webhook import TeamWebhook

C = "business_messages:3333"
SLACK, CHAT = Slack(Url("https://slack.test/")), GoogleChat(Url("https://chat.test/"))
HOOK = TeamWebhook(Url("https://hook.test/"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
TEAM = Team([SLACK, CHAT, HOOK], "https://console.test/{conversation}")


@pytest.fixture
async def told(bench: Any) -> Notification:
    """The notification of a customer who asked for a person."""
    form = {"conversationId": "3333", "message": {"messageId": "m-1", "text": "Help"}}
    said = UserMessage(id="m-1", source=C, actor="p", address="3333", form=form, said="Help", customer_name="Michael")  # type: ignore[arg-type]  # a JSON object
    await apply(bench.ports, said)
    await apply(bench.ports, HumanRequested(id="r-1", source=C, actor="p", reason="asked"))
    await deliver(bench.ports, C)
    bench.sender.calls.clear()
    (body,) = bench.publisher.on(HANDOFFS)
    return Notification.model_validate(body)


def _hosts(bench: Any) -> list[str]:
    return sorted(call.url.split("/")[2] for call in bench.sender.calls)


def _only(host: str, answer: Any) -> Any:
    return lambda call: answer if host in call.url else None


async def _states(bench: Any, told: Notification) -> dict[str, str]:
    names = (target.name for target in TEAM.targets)
    entries = {name: await bench.store.entry(C, f"notify:{told.id}:{name}") for name in names}
    return {name: entry.value.outcome for name, entry in entries.items() if entry}


async def test_every_target_is_told_once_however_often_the_topic_delivers(bench: Any, told: Notification) -> None:
    for _ in range(3):
        await notify(bench.ports, TEAM, told)
    assert _hosts(bench) == ["chat.test", "hook.test", "slack.test"]
    assert set((await _states(bench, told)).values()) == {"sent"}
    slack = next(call for call in bench.sender.calls if "slack" in call.url)
    assert b"Customer: Help" in slack.body
    assert b"https://console.test/business_messages:3333" in slack.body


async def test_two_deliveries_at_once_tell_once(bench: Any, told: Notification) -> None:
    await asyncio.gather(*(notify(bench.ports, TEAM, told) for _ in range(4)), return_exceptions=True)
    assert _hosts(bench) == ["chat.test", "hook.test", "slack.test"]


@pytest.mark.parametrize("fault", [400, 404, 429, 500, 503])
async def test_a_definite_failure_is_tried_again_and_holds_up_nobody(
    bench: Any, told: Notification, fault: int
) -> None:
    bench.sender.refuses = _only("slack", fault)
    with pytest.raises(NotYet):
        await notify(bench.ports, TEAM, told)
    assert await _states(bench, told) == {"slack": "failed", "google-chat": "sent", "team-webhook": "sent"}
    bench.sender.refuses = lambda _: None
    await notify(bench.ports, TEAM, told)
    assert _hosts(bench) == ["chat.test", "hook.test", "slack.test", "slack.test"]
    assert set((await _states(bench, told)).values()) == {"sent"}


async def test_without_an_answer_it_is_unknown_and_told_again_only_where_told_twice_is_seen_once(
    bench: Any, told: Notification
) -> None:
    bench.sender.no_answer = True
    with pytest.raises(NotYet):
        await notify(bench.ports, TEAM, told)
    assert await _states(bench, told) == {"slack": "unknown", "google-chat": "unknown", "team-webhook": "failed"}
    bench.sender.no_answer = False
    bench.sender.calls.clear()
    await notify(bench.ports, TEAM, told)
    assert _hosts(bench) == ["hook.test"]


async def test_what_cannot_be_reached_was_not_told(bench: Any, told: Notification) -> None:
    bench.sender.unreachable = True
    with pytest.raises(NotYet):
        await notify(bench.ports, TEAM, told)
    assert set((await _states(bench, told)).values()) == {"failed"}


async def test_a_crash_between_intent_and_answer_is_unknown_after_the_deadline(bench: Any, told: Notification) -> None:
    bench.sender.crash = True
    with pytest.raises(RuntimeError):
        await notify(bench.ports, Team([SLACK]), told)
    bench.sender.crash = False
    with pytest.raises(NotYet):
        await notify(bench.ports, Team([SLACK]), told)
    bench.clock.forward(21)
    with pytest.raises(NotYet):
        await notify(bench.ports, Team([SLACK]), told)
    await notify(bench.ports, Team([SLACK]), told)
    assert (await _states(bench, told))["slack"] == "unknown"
    assert len(bench.sender.calls) == 1


async def test_nobody_to_tell_is_nothing_to_do(bench: Any, told: Notification) -> None:
    await notify(bench.ports, Team(), told)
    assert await _states(bench, told) == {}
