"""The operator reads once in the log that robots answer each other."""

import json
from dataclasses import replace

import pytest

from shared.conversations.apply import apply
from shared.schemas.content import Content
from shared.schemas.events import BotMessage, UserMessage
from shared.schemas.representative import Representative, RepresentativeType
from tests.unit.use_cases.bot_play import ID
from tests.unit.use_cases.conftest import Bench

BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")


async def test_one_line_says_so_for_each_time(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = replace(bench.ports, policy=replace(bench.ports.policy, bot_turns_limit=2))
    for n in range(6):
        common = {"source": ID, "address": "3333", "actor": "test"}
        await apply(
            ports, UserMessage.model_validate({**common, "id": f"u{n}", "form": {}, "said": "beep"})
        )
        said = {"representative": BOT, "content": Content(text="beep"), "fact": False}
        await apply(ports, BotMessage.model_validate({**common, "id": f"b{n}", **said}))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [
        (one["severity"], one["conversation"]) for one in lines if "robot" in one["message"]
    ] == [("WARNING", ID)]
