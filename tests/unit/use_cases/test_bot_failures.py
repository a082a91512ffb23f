"""What the built-in bot does not answer: it apologizes for failures, and does not speak over a
human.
"""

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from shared.bots.run_bot import Assistant, answer
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.errors import BadRequest, NotYet, Unavailable
from shared.handoff.policy import Policy
from shared.ports import Commit, CrmRecord
from shared.schemas.conversation import Phase
from shared.schemas.events import HumanJoined, HumanLeft, HumanRequested
from shared.schemas.http import Answer
from tests.unit.use_cases.bot_play import DIALOGFLOW, ID, JANE, SORRY, Play, captures, play, says
from tests.unit.use_cases.conftest import Bench

__all__ = ["play"]


async def test_metadata_that_no_record_should_hold_is_left_out(play: Play, bench: Bench) -> None:
    handoff = {"liveAgentHandoff": {"metadata": {"reason": "x" * 9000}}}
    await play.bot(await play.customer("a person"), says(handoff))
    found = await bench.store.load(ID)
    assert found is not None
    assert found.value.request is not None
    assert (len(found.value.request.reason), found.value.request.metadata) == (500, None)


@pytest.mark.parametrize(
    ("script", "ended", "calls"),
    [
        ([Answer(500)], "failed: HTTP 500", 1),
        ([Answer(404)], "failed: HTTP 404", 1),
        ([None], "unknown: no answer", 1),
        ([Answer(200, b"rubbish")], "failed: malformed-json", 1),
        ([says({"payload": {"ujet": 1}})], "failed: nothing readable", 1),
        ([Unavailable("unreachable", "x")] * 3, "failed: unreachable", 3),
        ([Answer(429)] * 3, "failed: HTTP 429", 3),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_failure_is_apologized_for_once(
    play: Play, script: list[Any], ended: str, calls: int
) -> None:
    body = await play.customer("hi")
    await play.bot(body, *script)
    await play.bot(body, says("late"))
    assert play.shown == [SORRY]
    assert (await play.asked(), len(play.questions), await play.phase()) == (
        [ended],
        calls,
        Phase.BOT,
    )


@pytest.mark.parametrize(
    "message",
    [
        {"outputAudioText": {"ssml": "<speak>Hi</speak>"}},
        {"conversationSuccess": {}},
        {"text": {"text": [""]}},
    ],
)
async def test_an_agent_that_says_nothing_to_a_reader_has_not_failed(
    play: Play, capsys: pytest.CaptureFixture[str], message: Any
) -> None:
    await play.bot(await play.customer("hi"), says(message))
    assert (play.shown, await play.asked(), await play.phase()) == ([], ["done"], Phase.BOT)
    assert "ERROR" not in capsys.readouterr().out


async def test_where_so_configured_a_failure_asks_for_a_human(play: Play) -> None:
    play.assistant = Assistant(DIALOGFLOW, escalates=True)
    await play.bot(await play.customer("hi"), Answer(500))
    assert (play.shown, await play.phase()) == ([SORRY], Phase.QUEUED)


async def test_what_certainly_never_arrived_is_asked_again(play: Play) -> None:
    await play.bot(
        await play.customer("hi"), Unavailable("unreachable", "x"), Answer(401), says("Hello")
    )
    assert (play.shown, len(play.questions)) == (["Hello"], 3)


async def test_part_of_an_answer_may_be_refused(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    await play.bot(
        await play.customer("hi"), says("Hello", {"payload": {"ujet": {"type": "hologram"}}})
    )
    assert play.shown == ["Hello"]
    assert "ujet.type: unknown" in capsys.readouterr().out


async def test_who_finds_it_being_asked_waits_and_after_its_time_apologizes(
    play: Play, bench: Bench
) -> None:
    body = await play.customer("hi")
    bench.sender.crash = True
    with pytest.raises(RuntimeError):
        await play.bot(body)
    bench.sender.crash = False
    with pytest.raises(NotYet):
        await play.bot(body, says("Hello"))
    bench.clock.forward(16)
    await play.bot(body, says("Hello"))
    assert (play.shown, await play.asked()) == ([SORRY], ["unknown: interrupted"])
    assert len(play.questions) == 1


async def test_a_customer_who_was_erased_gets_nothing(play: Play, bench: Bench) -> None:
    body = await play.customer("hi")
    await erase(bench.ports, ID, "admin")
    await play.bot(body, says("Hello"))
    assert (play.questions, play.shown) == ([], [])


async def test_after_a_human_it_is_told_why_they_left_and_what_was_said_and_only_once(
    play: Play,
) -> None:
    await play.customer("hi")
    await play.happens(HumanRequested, reason="refund")
    await play.happens(HumanJoined, representative=JANE)
    await play.customer("my money, please")
    await play.happens(HumanLeft, representative=JANE, reason="solved")
    await play.bot(await play.customer("thanks"), says("Welcome back"))
    await play.bot(await play.customer("bye"), says("Bye"))
    first, second = (question["queryParams"]["parameters"]["baton"] for question in play.questions)
    assert {
        name: first["handoff"][name]
        for name in ("reason", "requestReason", "representatives", "said")
    } == {
        "reason": "solved",
        "requestReason": "refund",
        "representatives": ["Jane"],
        "said": [{"text": "my money, please"}],
    }
    assert "handoff" not in second


async def test_a_body_that_is_none_of_ours_is_refused(play: Play) -> None:
    body = await play.customer("hi")
    del body["version"]
    with pytest.raises(BadRequest):
        await play.bot(body)


async def test_one_who_was_with_a_human_meanwhile_gets_no_answer_to_what_was_asked_before(
    play: Play,
) -> None:
    body = await play.customer("hi")
    await play.happens(HumanJoined, representative=JANE)
    await play.happens(HumanLeft, representative=JANE)
    await play.bot(body, says("Hello"))
    assert (play.shown, play.questions) == (["JOINED", "LEFT"], [])
    assert await play.asked() == ["skipped: a human has come"]


async def test_a_human_who_came_and_went_while_it_thought_is_not_followed_by_its_answer(
    play: Play, bench: Bench
) -> None:
    body = await play.customer("hi")
    handoff: dict[str, Any] = {"liveAgentHandoff": {}}

    class ComesAndGoes:
        async def send(self, call: Any) -> Answer:
            await play.happens(HumanJoined, representative=JANE)
            await play.happens(HumanLeft, representative=JANE)
            return says("I do not know, I will get a person", handoff)

    await answer(replace(bench.ports, sender=ComesAndGoes()), play.assistant, body)
    await deliver(bench.ports, ID)
    assert (play.shown, await play.phase()) == (["JOINED", "LEFT"], Phase.BOT)


async def test_words_that_are_old_are_not_answered(play: Play, bench: Bench) -> None:
    body = await play.customer("hi")
    bench.clock.forward(2 * 3600)
    await play.bot(body, says("Hello"))
    assert (play.questions, await play.asked()) == ([], ["skipped: too late"])


async def test_an_erase_that_comes_with_the_intent_leaves_nothing_and_the_bot_is_not_asked(
    play: Play, bench: Bench
) -> None:
    body = await play.customer("hi")

    class ErasedMeanwhile:
        def __getattr__(self, name: str) -> Any:
            return getattr(bench.store, name)

        async def commit(self, commit: Commit) -> Any:
            done = await bench.store.commit(commit)
            await erase(bench.ports, ID, "admin")
            return done

    with contextlib.suppress(NotYet):
        await answer(replace(bench.ports, store=ErasedMeanwhile()), play.assistant, body)
    await play.bot(body, says("Hello"))
    assert (play.questions, play.shown) == ([], [])


async def test_silence_is_apologized_for_unless_a_human_is_on_the_way(play: Play) -> None:
    await play.bot(await play.customer("hi"), says())
    assert play.shown == [SORRY]
    await play.happens(HumanRequested, reason="refund")
    await play.bot(await play.customer("anybody?"), says())
    assert play.shown == [SORRY]


async def test_an_answer_too_large_to_keep_is_apologized_for(play: Play) -> None:
    await play.bot(await play.customer("hi"), says("x" * 300_000))
    assert (play.shown, await play.asked()) == ([SORRY], ["failed: answer-too-large"])


async def test_it_apologizes_in_the_customers_language(play: Play) -> None:
    body = await play.customer("oi", locale="pt-BR")
    await play.bot(body, Answer(500))
    assert play.shown == [
        "Desculpe, algo deu errado e não consigo responder agora. Tente novamente em instantes."
    ]


async def test_a_crm_that_is_down_holds_up_neither_bot_nor_team(play: Play, bench: Bench) -> None:
    policy = Policy(comments=True)
    play.bench.ports = replace(bench.ports, policy=policy, crm=CrmRecord("https://crm.test"))
    await play.bot(await play.customer("hi"), says(captures("order", "A1", "comment")))
    await play.happens(HumanRequested, reason="refund")
    body = await play.customer("anybody?")
    assert body["message"] == {"messageId": body["message"]["messageId"], "text": "anybody?"}
    assert [told["type"] for told in bench.publisher.on("baton-handoffs")] == ["handoff.requested"]
