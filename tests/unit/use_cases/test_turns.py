"""Within one instance events of a conversation take turns, and none waits long behind one that
hangs.
"""

import asyncio
from typing import Any

import pytest

from shared.conversations import apply as apply_module
from shared.conversations.apply import apply, in_turn
from shared.ports import Commit
from shared.schemas.events import UserMessage

C = "business_messages:3333"


async def test_sixteen_events_at_once_make_sixteen_commits(bench: Any, monkeypatch: Any) -> None:
    commits: list[Commit] = []
    commit = bench.store.commit

    async def counted(one: Commit) -> Any:
        commits.append(one)
        return await commit(one)

    monkeypatch.setattr(bench.store, "commit", counted)
    # a slow machine must not let the last of them go ahead without a turn
    monkeypatch.setattr("shared.conversations.apply.LONGEST_WAIT_SECONDS", 60)
    form: Any = {"message": {"text": "Hi"}}
    events = [
        UserMessage(id=str(n), source=C, actor="p", address="3333", form=form) for n in range(16)
    ]
    await asyncio.gather(*(apply(bench.ports, event) for event in events))
    assert len(commits) == 16
    assert (await bench.store.load(C)).value.version == 16


async def test_conversations_do_not_wait_for_each_other() -> None:
    async with in_turn("a"), in_turn("b"):
        pass


async def test_who_waits_too_long_goes_ahead_and_leaves_the_turn_to_its_owner() -> None:
    went: list[str] = []

    async def behind() -> None:
        async with in_turn("a"):
            went.append("ahead")

    async with in_turn("a"):
        await asyncio.wait_for(behind(), 60)
        went.append("owner")
    async with in_turn("a"):
        went.append("next")
    assert went == ["ahead", "owner", "next"]


async def test_turns_that_are_over_are_forgotten_however_they_ended() -> None:
    """An instance meets many conversations, and some requests are given up while they wait."""

    async def in_line() -> None:
        async with in_turn("a"):
            pass

    async with in_turn("a"):
        given_up, patient = asyncio.create_task(in_line()), asyncio.create_task(in_line())
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
    await patient
    with pytest.raises(ZeroDivisionError):
        async with in_turn("b"):
            raise ZeroDivisionError
    assert not apply_module._TURNS
