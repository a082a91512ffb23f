"""The team is notified once when a person has answered in a handoff."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.conversations.apply import apply_and_wake
from shared.delivery.deliver import deliver
from shared.schemas.content import Content
from shared.schemas.events import (
    Claim,
    Event,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    UserMessage,
)
from shared.schemas.notifications import HANDOFFS
from shared.schemas.representative import Representative, RepresentativeType

CHANNEL = "business_messages:3333"


class Team:
    """What the team is notified of, while things happen in one conversation."""

    def __init__(self, bench: Any, *, notifies: bool = True) -> None:
        policy = replace(bench.ports.policy, notifies_answered=notifies)
        self.bench, self.ports, self.count = bench, replace(bench.ports, policy=policy), 0

    async def hears(self, kind: type[Event], source: str = CHANNEL, **more: Any) -> None:
        self.count += 1
        self.bench.clock.forward(1)
        native = source.partition(":")[2]
        own = {"id": f"e-{self.count}", "source": source, "address": native, "actor": "test"}
        await apply_and_wake(self.ports, kind.model_validate({**own, **more}))
        await deliver(self.ports, source)

    async def says(self, name: str = "Jane", source: str = CHANNEL) -> None:
        await self.hears(
            HumanMessage, source, representative=human(name), content=Content(text="I am here.")
        )

    @property
    def answered(self) -> list[tuple[str | None, float | None]]:
        return [
            ((one.get("representative") or {}).get("displayName"), one.get("waited_seconds"))
            for one in self.bench.publisher.on(HANDOFFS)
            if one["type"] == "handoff.answered"
        ]


def human(name: str) -> Representative:
    return Representative(representative_type=RepresentativeType.HUMAN, display_name=name)


async def test_it_names_who_answered_and_how_long_the_customer_waited(bench: Any) -> None:
    team = Team(bench)
    await team.hears(UserMessage, form={}, said="Hi")
    await team.hears(HumanRequested, reason="help")
    bench.clock.forward(timedelta(seconds=40).total_seconds())
    await team.hears(Claim, representative=human("Jane"), fact=False)
    assert team.answered == []
    await team.says()
    await team.says()
    await team.says("Omar")
    assert team.answered == [("Jane", 42.0)]


async def test_each_handoff_has_one_of_its_own(bench: Any) -> None:
    team = Team(bench)
    await team.hears(UserMessage, form={}, said="Hi")
    for _ in range(2):
        await team.hears(HumanRequested, reason="help")
        await team.says()
        await team.hears(HumanLeft, representative=human("Jane"))
    assert [who for who, _ in team.answered] == ["Jane", "Jane"]


async def test_a_human_whom_nobody_asked_for_has_waited_for_nothing(bench: Any) -> None:
    team = Team(bench)
    await team.hears(UserMessage, form={}, said="Hi")
    await team.says()
    assert team.answered == [("Jane", None)]


async def test_an_agent_of_a_platform_that_delivers_by_itself_counts_too(bench: Any) -> None:
    team = Team(bench)
    await team.says("Rina", "csku:conv_1")
    assert [who for who, _ in team.answered] == ["Rina"]


@pytest.mark.parametrize("joined", [False, True])
async def test_switched_off_nothing_is_said(bench: Any, joined: bool) -> None:
    team = Team(bench, notifies=False)
    await team.hears(UserMessage, form={}, said="Hi")
    if joined:
        await team.hears(Claim, representative=human("Jane"), fact=False)
    await team.says()
    assert team.answered == []
