"""Where JOINED and LEFT are only words, a text that is refused mutes nobody."""

from dataclasses import replace
from typing import Any

from shared.handoff.policy import Policy
from shared.schemas.content import Content
from shared.schemas.conversation import Capabilities
from shared.schemas.events import Event, HumanJoined, HumanMessage, UserMessage
from shared.schemas.notifications import HANDOFFS
from shared.services.apply import apply
from shared.services.deliver import deliver
from tests.unit.services.bot_play import ID, JANE
from tests.unit.services.conftest import Bench

ONLY_WORDS = Policy(capabilities={"business_messages": Capabilities(frames=False, labels=False)})


async def test_a_joined_that_is_refused_is_said_again_with_the_next_words(bench: Bench) -> None:
    bench.ports = replace(bench.ports, policy=ONLY_WORDS)
    await happens(bench, UserMessage, "m1", form={}, said="hi")
    await happens(bench, HumanJoined, "e1", representative=JANE)
    bench.sender.refuses = lambda call: 400 if b"joined" in call.body else None
    await happens(bench, HumanMessage, "h1", representative=JANE, content=Content(text="lost in the turmoil"))
    await deliver(bench.ports, ID)
    bench.sender.refuses = lambda _: None
    bench.sender.calls.clear()
    await happens(bench, HumanMessage, "h2", representative=JANE, content=Content(text="Hello"))
    await deliver(bench.ports, ID)
    assert [body["text"] for body in bench.sender.sent] == ["Jane joined the conversation.", "Jane: Hello"]
    assert [told["type"] for told in bench.publisher.on(HANDOFFS)] == ["handoff.joined", "delivery.failed"]
    assert await bench.store.pending_count(ID) == 0


async def happens(bench: Bench, kind: type[Event], event_id: str, **more: Any) -> None:
    event = kind.model_validate({"id": event_id, "source": ID, "address": "3333", "actor": "test", **more})
    await apply(bench.ports, event)
