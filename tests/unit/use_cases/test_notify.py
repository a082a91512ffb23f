"""The team gets each notification once per target, after redeliveries, failures and crashes."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.errors import Unavailable
from shared.ports import Ports
from shared.schemas.events import HumanRequested, UserMessage
from shared.schemas.http import Answer, Call, Request
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import HANDOFFS, OUTBOX
from shared.schemas.team import Team, Url
from shared.teams.google_chat import GoogleChat
from shared.teams.notify_handoff import notify_handoff
from shared.teams.slack import Slack
from shared.teams.team_webhook import TeamWebhook

C = "business_messages:3333"
SLACK, CHAT = Slack(Url("https://slack.test/s3cret")), GoogleChat(Url("https://chat.test/s3cret"))
HOOK = TeamWebhook(Url("https://hook.test/"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
TEAM = Team([SLACK, CHAT, HOOK], "https://console.test/{conversation}")
ALL = ["chat.test", "hook.test", "slack.test"]


@dataclass
class Play:
    bench: Any
    ports: Ports

    async def asks(self, name: str = "r-1") -> dict[str, Any]:
        """Returns the notification of a customer who asks for a person."""
        await apply(self.ports, HumanRequested(id=name, source=C, actor="p", reason="asked"))
        await deliver(self.ports, C)
        body: dict[str, Any] = self.bench.publisher.on(HANDOFFS)[-1]
        return body

    async def pushed(self, told: dict[str, Any]) -> int:
        """Returns how the subscription is answered."""
        data = base64.b64encode(json.dumps(told).encode()).decode()
        return (
            await notify_handoff(
                self.ports, Request("POST", "/", json.dumps({"message": {"data": data}}).encode())
            )
        ).status

    async def told(self, told: dict[str, Any]) -> None:
        assert await self.pushed(told) == 200
        await deliver(self.ports, C)

    async def entry(self, told: dict[str, Any]) -> JournalEntry:
        found = await self.bench.store.entry(C, f"notify:{told['id']}")
        assert found is not None
        entry: JournalEntry = found.value
        return entry

    async def states(self, told: dict[str, Any]) -> dict[str, str]:
        commands = (await self.entry(told)).commands
        return {str(getattr(one, "to", "")): one.state.value for one in commands}

    def hosts(self) -> list[str]:
        return sorted(
            host for call in self.bench.sender.calls if (host := call.url.split("/")[2]) in ALL
        )


@pytest.fixture
async def play(bench: Any) -> Play:
    here: Ports = bench.ports
    play = Play(bench, replace(here, team=TEAM))
    form: Any = {"conversationId": "3333", "message": {"messageId": "m-1", "text": "Help"}}
    said = UserMessage(
        id="m-1",
        source=C,
        actor="p",
        address="3333",
        form=form,
        said="Help",
        customer_name="Michael",
    )
    await apply(play.ports, said)
    return play


def _only(host: str, answer: Any) -> Callable[[Call], Any]:
    return lambda call: answer if host in call.url else None


async def test_every_target_is_told_once_however_often_the_topic_delivers(play: Play) -> None:
    told = await play.asks()
    for _ in range(3):
        await play.told(told)
    assert play.hosts() == ALL
    assert set((await play.states(told)).values()) == {"sent"}
    slack = next(call for call in play.bench.sender.calls if "slack" in call.url)
    assert b"Customer: Help" in slack.body
    assert b"https://console.test/business_messages:3333" in slack.body


async def test_deliveries_at_once_tell_once(play: Play) -> None:
    told = await play.asks()
    assert await asyncio.gather(*(play.pushed(told) for _ in range(4))) == [200] * 4
    await asyncio.gather(*(deliver(play.ports, C) for _ in range(4)))
    assert [play.hosts().count(host) for host in ("slack.test", "chat.test")] == [1, 1]


async def test_it_is_durable_before_it_is_acknowledged_and_no_wake_up_is_needed(play: Play) -> None:
    told = await play.asks()
    play.bench.publisher.fails = 1
    assert await play.pushed(told) == 200
    assert set((await play.states(told)).values()) == {"pending"}
    play.bench.publisher.published.clear()
    play.bench.clock.forward(31)
    await sweep(play.ports)
    assert {body["conversation"] for body in play.bench.publisher.on(OUTBOX)} == {C}


@pytest.mark.parametrize(
    "fault", [404, 410, 400, 403, 429, 500, 503, None, Unavailable("unreachable", "down")]
)
@pytest.mark.parametrize("dead", ALL)
async def test_a_target_that_is_down_holds_up_neither_the_others_nor_the_next_notification(
    play: Play, dead: str, fault: Any
) -> None:
    send = play.bench.sender.send

    async def sends(call: Call) -> Answer | None:
        if dead not in call.url:
            answer: Answer | None = await send(call)
            return answer
        if isinstance(fault, Unavailable):
            raise fault
        return None if fault is None else Answer(fault)

    play.bench.sender.send = sends
    for n in range(3):
        told = {**(await play.asks()), "id": f"n-{n}"}
        await play.told(told)
        name = {"slack.test": "slack", "chat.test": "google-chat", "hook.test": "team-webhook"}[
            dead
        ]
        others = {key: state for key, state in (await play.states(told)).items() if key != name}
        assert set(others.values()) == {"sent"}
    assert [play.hosts().count(host) for host in ALL if host != dead] == [3, 3]


@pytest.mark.parametrize(
    ("fault", "word"), [(404, "no_service"), (410, "channel_is_archived"), (400, "invalid_payload")]
)
async def test_what_slack_never_takes_ends_at_once_and_an_error_names_the_target_not_its_address(
    play: Play, capsys: pytest.CaptureFixture[str], fault: int, word: str
) -> None:
    play.bench.sender.refuses = _only("slack", Answer(fault, word.encode()))
    told = await play.asks()
    published = len(play.bench.publisher.on(HANDOFFS))
    await play.told(told)
    await play.told(told)
    assert await play.states(told) == {
        "slack": "failed",
        "google-chat": "sent",
        "team-webhook": "sent",
    }
    assert play.hosts().count("slack.test") == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (error,) = [line for line in lines if line["severity"] == "ERROR"]
    assert (error["target"], error["reason"]) == ("slack", f"HTTP {fault} {word}")
    assert "s3cret" not in json.dumps(lines)
    assert len(play.bench.publisher.on(HANDOFFS)) == published, (
        "no notification follows from a notification"
    )


@pytest.mark.parametrize("fault", [429, 500, 503])
async def test_slack_that_answers_with_an_error_for_an_hour_gets_it_afterwards(
    play: Play, fault: int
) -> None:
    """The error says that nothing is shown."""
    play.bench.sender.refuses = _only("slack", fault)
    told = await play.asks()
    await play.told(told)
    play.bench.clock.forward(3600)
    await deliver(play.ports, C)
    assert (await play.states(told))["slack"] == "pending"
    play.bench.sender.refuses = lambda _: None
    play.bench.sender.calls.clear()
    play.bench.clock.forward(700)
    await deliver(play.ports, C)
    assert play.hosts() == ["slack.test"]
    assert set((await play.states(told)).values()) == {"sent"}


async def test_without_an_answer_it_is_unknown_and_told_again_only_where_told_twice_is_seen_once(
    play: Play,
) -> None:
    told = await play.asks()
    play.bench.sender.no_answer = True
    await play.told(told)
    assert await play.states(told) == {
        "slack": "unknown",
        "google-chat": "unknown",
        "team-webhook": "pending",
    }
    play.bench.sender.no_answer = False
    play.bench.sender.calls.clear()
    play.bench.clock.forward(2)
    await play.told(told)
    assert play.hosts() == ["hook.test"]
    assert (await play.entry(told)).outcome == "unknown"


async def test_a_crash_between_mark_and_answer_is_unknown_after_the_deadline(play: Play) -> None:
    told = await play.asks()
    play.ports = replace(play.ports, team=Team([SLACK]))
    play.bench.sender.refuses = lambda _: None
    assert await play.pushed(told) == 200
    play.bench.sender.crash = True
    with pytest.raises(RuntimeError):
        await deliver(play.ports, C)
    play.bench.sender.crash = False
    await deliver(play.ports, C)
    assert (await play.states(told))["slack"] == "pending"
    play.bench.clock.forward(21)
    await deliver(play.ports, C)
    assert (await play.states(told))["slack"] == "unknown"
    assert play.hosts() == ["slack.test"]


async def test_it_is_given_up_when_it_is_too_old(play: Play) -> None:
    play.bench.sender.refuses = _only("hook.test", 503)
    told = await play.asks()
    await play.told(told)
    play.bench.clock.forward(timedelta(days=2).total_seconds())
    await deliver(play.ports, C)
    assert (await play.states(told))["team-webhook"] == "failed"


async def test_a_target_without_settings_waits_and_delays_no_other(play: Play) -> None:
    told = await play.asks()
    assert await play.pushed(told) == 200
    play.ports = replace(play.ports, team=Team([CHAT]))
    await deliver(play.ports, C)
    assert await play.states(told) == {
        "slack": "pending",
        "google-chat": "sent",
        "team-webhook": "pending",
    }


async def test_nothing_of_a_notification_stays_where_it_was_delivered(play: Play) -> None:
    told = await play.asks()
    await play.told(told)
    assert all(getattr(one, "body", None) == {} for one in (await play.entry(told)).commands)


async def test_of_an_erased_customer_nothing_is_kept_or_sent(play: Play) -> None:
    told = await play.asks()
    await erase(play.ports, C, "admin")
    await play.told(told)
    assert await play.bench.store.entry(C, f"notify:{told['id']}") is None
    assert play.hosts() == []


async def test_without_team_targets_nothing_is_sent(play: Play) -> None:
    told = await play.asks()
    play.ports = replace(play.ports, team=Team())
    await play.told(told)
    assert await play.bench.store.entry(C, f"notify:{told['id']}") is None


async def test_an_entry_of_an_older_version_can_still_be_read(play: Play) -> None:
    old = {
        "id": "notify:n-1:slack",
        "conversation": C,
        "seq": 0,
        "time": "2026-01-01T00:00:00.000000Z",
        "kind": "notify",
        "source": C,
        "verdict": "accepted",
        "nonce": "n-1",
        "notified": {"target": "slack", "state": "unknown", "attempts": 1, "error": "no answer"},
    }
    assert JournalEntry.model_validate_json(json.dumps(old)).outcome == "unknown"
