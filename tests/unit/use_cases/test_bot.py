"""The built-in bot: asked once per message, its replies are requests like any other."""

from dataclasses import replace
from typing import Any

import pytest

from shared.bots.run_bot import answer
from shared.delivery.deliver import deliver
from shared.handoff.visibility import words_to_mask
from shared.schemas.conversation import Phase
from shared.schemas.events import HumanJoined, HumanRequested
from shared.schemas.http import Answer
from shared.schemas.variables import Audience
from tests.unit.use_cases.bot_play import ID, JANE, Play, captures, play, says
from tests.unit.use_cases.conftest import Bench

__all__ = ["play"]


async def test_what_it_replies_is_said_in_order_as_the_bot(play: Play) -> None:
    await play.bot(await play.customer("hi"), says("Hello", "What can I do?"))
    assert play.shown == ["Hello", "What can I do?"]
    assert [call["queryInput"]["text"]["text"] for call in play.questions] == ["hi"]
    assert await play.asked() == ["done"]


async def test_a_message_that_is_published_twice_is_asked_and_answered_once(play: Play) -> None:
    body = await play.customer("hi")
    await play.bot(body, says("Hello"))
    await play.bot(body, says("Hello again"))
    assert play.shown == ["Hello"]
    assert len(play.questions) == 1


async def test_it_is_not_called_while_a_human_is_there(play: Play) -> None:
    body = await play.customer("hi")
    await play.happens(HumanJoined, representative=JANE)
    await play.bot(body, says("Hello"))
    assert play.questions == []


async def test_a_human_who_comes_while_it_thinks_is_not_talked_over(
    play: Play, bench: Bench
) -> None:
    body = await play.customer("hi")

    class JoinsMeanwhile:
        async def send(self, call: Any) -> Answer:
            await play.happens(HumanJoined, representative=JANE)
            return says("Hello", captures("order", "A1", "agent"))

    await answer(replace(bench.ports, sender=JoinsMeanwhile()), play.assistant, body)
    await deliver(bench.ports, ID)
    assert play.shown == ["JOINED"]
    found = await bench.store.load(ID)
    assert found is not None
    assert [variable.key for variable in found.value.variables] == ["order"]


async def test_one_who_waits_is_still_answered(play: Play) -> None:
    await play.customer("hi")
    await play.happens(HumanRequested, reason="refund")
    await play.bot(await play.customer("anybody?"), says("Soon"))
    assert play.shown == ["Soon"]
    assert play.questions[-1]["queryParams"]["parameters"]["baton"]["phase"] == "QUEUED"


async def test_an_escalation_asks_for_a_human_who_then_knows_what_was_captured(
    play: Play, bench: Bench
) -> None:
    handoff = {"liveAgentHandoff": {"metadata": {"reason": "billing", "tier": "gold"}}}
    await play.bot(
        await play.customer("a person"),
        says("I will connect you", handoff, captures("order", "A1", "agent")),
    )
    found = await bench.store.load(ID)
    assert found is not None
    request, [variable] = found.value.request, found.value.variables
    assert request is not None
    assert (request.reason, request.metadata) == ("billing", {"reason": "billing", "tier": "gold"})
    assert (variable.key, variable.value, variable.provenance.signed) == ("order", "A1", True)
    assert (await play.phase(), play.shown) == (Phase.QUEUED, ["I will connect you"])


async def test_what_it_said_is_kept_no_longer_than_needed(play: Play, bench: Bench) -> None:
    await play.bot(await play.customer("hi"), says(captures("order", "s3cret", "agent")))
    page = await bench.store.journal(ID, None, 100)
    assert "s3cret" not in "".join(entry.value.model_dump_json() for entry in page.items)


async def test_taps_are_asked_by_their_label_with_what_lies_behind(play: Play) -> None:
    tapped = {"message": "m", "postbackData": "menu:1", "text": "Opening hours"}
    body = {
        **await play.customer("hi"),
        "message": None,
        "requestId": "r",
        "suggestionResponse": tapped,
    }
    await play.bot(body, says("From 9 to 5"))
    [question] = play.questions
    assert question["queryInput"]["text"]["text"] == "Opening hours"
    assert question["queryParams"]["parameters"]["baton"]["postback"] == "menu:1"


@pytest.mark.parametrize(
    "change",
    [
        {"audience": ["HUMAN"]},
        {"audience": None},
        {"message": None},
        {"message": {"messageId": "m"}},
        {"message": {"messageId": "m", "text": " "}},
        {"message": None, "receipts": {}},
        {"conversation": "business_messages:4444"},
    ],
    ids=str,
)
async def test_what_is_not_for_it_is_left_alone(play: Play, change: dict[str, Any]) -> None:
    await play.bot({**await play.customer("hi"), **change}, says("Hello"))
    assert (play.questions, play.shown) == ([], [])


async def test_the_words_that_were_waited_for_are_captured(play: Play, bench: Bench) -> None:
    waits = {
        "capture_target": "end_user_response",
        "capture_key": "order",
        "capture_type": ["agent", "event"],
    }
    hidden = {"invisible_to_adapter_events": ["order"]}
    await play.bot(
        await play.customer("hi"),
        says("Which order?", {"payload": {"ujet": {"session_variable": waits | hidden}}}),
    )
    await play.customer("A1")
    await play.customer("something else")
    found = await bench.store.load(ID)
    assert found is not None
    [variable] = found.value.variables
    assert (variable.key, variable.value, variable.audiences) == ("order", "A1", ("agent",))
    assert (found.value.awaited, bench.publisher.on("baton-variables")) == (None, [])
    entries = (await bench.store.journal(ID, None, 100)).items
    said = [entry.value for entry in entries if entry.value.kind == "user_message"]
    captured = {words_to_mask(entry): entry.captured_for for entry in said}
    assert captured == {"hi": None, "A1": (Audience.AGENT,), "something else": None}


@pytest.mark.parametrize("human", [True, False])
async def test_words_are_waited_for_an_hour_and_not_when_a_human_has_come(
    play: Play, bench: Bench, human: bool
) -> None:
    waits = {
        "capture_target": "end_user_response",
        "capture_key": "card",
        "capture_type": ["agent"],
    }
    await play.bot(
        await play.customer("hi"),
        says("Which card?", {"payload": {"ujet": {"session_variable": waits}}}),
    )
    if human:
        await play.happens(HumanJoined, representative=JANE)
    else:
        bench.clock.forward(3601)
    await play.customer("never mind the card")
    await play.customer("1234")
    found = await bench.store.load(ID)
    assert found is not None
    assert (found.value.variables, found.value.awaited) == ((), None)
