"""I7, by every way out: what was captured for some readers is read by them only.

The judge knows the lists that the bot declares, and nothing of how Baton stores them.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.deployables import deployables
from shared.schemas.conversation import Phase
from shared.schemas.notation import platform_of
from tests.property.effort import effort
from tests.property.ways_out import (
    CALLS,
    DESK,
    HOSTS,
    HOUR,
    ID,
    JANE,
    KINDS,
    TOPICS,
    WHATSAPP,
    Reader,
    Ways,
    every_kind,
    every_route,
    ways,
)

pytestmark = pytest.mark.soak

CARD = "4111 1111 1111 1111"
HIDDEN_FROM_AGENTS = {"capture_type": ["event", "agent"], "invisible_to_agent": ["card"]}


def test_every_way_out_is_known_here() -> None:
    assert set(CALLS) == every_route()
    assert set(KINDS) == every_kind()
    assert set().union(*KINDS.values()) <= {*HOSTS, *TOPICS}


def asks(key: str, lists: dict[str, Any]) -> dict[str, Any]:
    waits = {"capture_target": "end_user_response", "capture_key": key, **lists}
    return {"payload": {"ujet": {"session_variable": waits}}}


def captures(key: str, value: str, lists: dict[str, Any]) -> dict[str, Any]:
    return {"payload": {"ujet": {"session_variable": {"payload": {key: value}, **lists}}}}


def escalates(**metadata: Any) -> dict[str, Any]:
    return {"liveAgentHandoff": {"metadata": metadata}}


SAYS: dict[str, Any] = {"text": {"text": ["Which card?"]}}


@pytest.mark.parametrize("by_tap", [False, True], ids=["typed", "tapped"])
@pytest.mark.parametrize("queued", [False, True], ids=["before the request", "in line"])
def test_a_card_number_that_is_hidden_from_agents_reaches_no_agent(
    queued: bool, by_tap: bool
) -> None:
    with ways() as (runner, world):
        escalation = [escalates(reason="payment")]
        world.answers = [[SAYS, asks("card", HIDDEN_FROM_AGENTS), *(escalation if queued else [])]]
        world.answers += [[{"text": {"text": ["Thank you"]}}, *([] if queued else escalation)]]
        runner.run(world.says("I want to pay"))
        runner.run(world.settle())
        runner.run(world.taps(CARD, CARD) if by_tap else world.says(CARD))
        runner.run(world.settle())
        runner.run(world.says("are you there?"))
        runner.run(world.settle())
        runner.run(world.look_everywhere())
        agents = world.read_by("agent")
        assert CARD not in agents
        for way in ("slack.test", "chat.test", "tenant.test", f"GET conversations/{ID}/journal"):
            assert any("[hidden]" in one.text for one in world.left if one.way == way), way
        assert any("[hidden]" in one.text for one in world.left if one.way == "desk.test") is queued
        assert any("are you there?" in one.text for one in world.left if one.way == "desk.test")
        assert CARD not in world.read_by("nobody")
        assert world.ways_of(CARD) == {
            "baton-user-messages",
            "bot.test",
            "dialogflow.test",
            "baton-variables",
        }
        by_topic = [json.loads(one.text) for one in world.left if one.way == "baton-user-messages"]
        assert {tuple(one["audience"]) for one in by_topic if CARD in str(one)} == {("BOT",)}


@pytest.mark.parametrize("how", ["quotes", "reacts", "edits", "deletes"])
@pytest.mark.parametrize("claimed", [False, True], ids=["in line", "with a human"])
def test_words_that_are_hidden_stay_hidden_where_a_later_message_names_them(
    how: str, claimed: bool
) -> None:
    with ways(WHATSAPP) as (runner, world):
        world.answers = [[SAYS, asks("card", HIDDEN_FROM_AGENTS)], [escalates(reason="payment")]]
        runner.run(world.says("I want to pay"))
        runner.run(world.settle())
        said = runner.run(world.says(CARD))
        runner.run(world.settle())
        if claimed:
            path = f"conversations/{WHATSAPP}:claim"
            runner.run(world.ask("desk", "POST", path, {"representative": JANE}))
        runner.run(_again(world, how, said))
        runner.run(world.settle())
        runner.run(world.look_everywhere())
        assert CARD not in world.read_by("agent")
        assert CARD not in world.read_by("nobody")
        reached = [json.loads(one.text) for one in world.left if one.way == "baton-user-messages"]
        (told,) = [
            one
            for one in reached
            if "about" in one.get("details", {}) and "HUMAN" in one["audience"]
        ]
        assert told["details"]["about"]["message"]


def test_what_was_ordered_or_filled_in_is_as_hidden_as_words() -> None:
    with ways(WHATSAPP) as (runner, world):
        world.answers = [[SAYS, asks("card", HIDDEN_FROM_AGENTS), escalates(reason="payment")]]
        runner.run(world.says("I want to pay"))
        runner.run(world.settle())
        reply = {"name": "flow", "response_json": json.dumps({"card": CARD, "flow_token": CARD})}
        form = {"type": "nfm_reply", "nfm_reply": reply}
        runner.run(world.item("interactive", interactive=form))
        runner.run(world.settle())
        runner.run(world.look_everywhere())
        assert CARD not in world.read_by("agent")
        assert CARD in world.read_by("bot")


def test_agents_read_what_is_captured_for_them() -> None:
    with ways() as (runner, world):
        lists = {"capture_type": ["agent"], "invisible_to_adapter_events": ["card"]}
        world.answers = [[SAYS, asks("card", lists)], [escalates(reason="payment")]]
        for text in ("I want to pay", CARD):
            runner.run(world.says(text))
            runner.run(world.settle())
        runner.run(world.look_everywhere())
        told = {
            "slack.test",
            "chat.test",
            "tenant.test",
            f"GET conversations/{ID}",
            f"GET conversations/{ID}/journal",
        }
        assert told <= world.ways_of(CARD)
        assert not world.ways_of(CARD) & {"baton-variables", "crm.test"}


def test_metadata_of_a_request_does_not_tell_agents_a_key_that_is_hidden_from_them() -> None:
    with ways() as (runner, world):
        deep = {"order": "A1", "payment": {"card": CARD, "cards": [{"card": CARD}]}}
        world.answers = [[captures("card", CARD, HIDDEN_FROM_AGENTS), escalates(**deep)]]
        runner.run(world.says("I want to pay"))
        runner.run(world.settle())
        runner.run(world.look_everywhere())
        assert CARD not in world.read_by("agent")
        assert "A1" in world.read_by("agent")
        assert world.ways_of(CARD) == {"baton-variables"}


def test_who_only_acknowledges_does_not_do_so_again_while_the_customer_waits() -> None:
    """The bot's own copy differs from the message of a customer who does not wait."""
    from shared.bots.base import Reply
    from shared.bots.run_bot import Assistant
    from shared.schemas.content import Content

    with ways() as (runner, world):
        world.answers = [[SAYS, asks("card", HIDDEN_FROM_AGENTS), escalates(reason="payment")]]
        runner.run(world.says("I want to pay"))
        runner.run(world.settle())
        world.assistant = Assistant(reply=Reply(contents=(Content(text="I heard you"),)))
        runner.run(world.says(CARD))
        runner.run(world.settle())
        assert "I heard you" not in world.read_by("customer")


def test_no_deployable_is_without_a_look() -> None:
    """`forward_variables` answers ids; `sweep` and `deliver_outbox` answer nothing of a
    conversation's content. `relay_media` answers files only.
    """
    known = {
        "receive_webhook",
        "send_representative",
        "forward_variables",
        "deliver_outbox",
        "notify_handoff",
    }
    assert set(deployables()) == known | {"run_bot", "sweep", "relay_media"}


AGAIN = ("quotes", "reacts", "edits", "deletes")  # what only a customer of WhatsApp can do


# A random conversation. Each secret is a word that occurs nowhere else.


@dataclass
class Judge:
    """What the bot has declared, and who may read which secret by that."""

    may: dict[str, set[Reader]] = field(default_factory=dict)
    awaited: tuple[str, dict[str, Any], Any] | None = None
    count: int = 0

    def secret(self) -> str:
        self.count += 1
        return f"secret-{self.count:03}-x"

    def declared(self, key: str, lists: dict[str, Any]) -> set[Reader]:
        types, agents, events = (
            lists.get(name, ())
            for name in ("capture_type", "invisible_to_agent", "invisible_to_adapter_events")
        )
        opened: dict[Reader, bool] = {
            "event": "event" in types and key not in events,
            "agent": "agent" in types and key not in agents,
            "comment": "comment" in types and key not in agents,
        }
        return {reader for reader, may in opened.items() if may}

    def said(self, world: Ways, phase: Phase, text: str) -> None:
        """The words that were asked for are for those to whom the question opened them, and for
        the bot that asked.
        """
        if self.awaited is None or phase is Phase.HUMAN:
            return
        key, lists, until = self.awaited
        self.awaited = None
        if world.clock.now() <= until and text.startswith("secret"):
            self.may[text] = self.declared(key, lists) | {"bot", "customer"}


lists = st.fixed_dictionaries(
    {
        "capture_type": st.lists(
            st.sampled_from(("event", "agent", "comment", "data_parameters")), min_size=1
        ),
        "invisible_to_agent": st.sampled_from(([], ["card"], ["other", "card"])),
        "invisible_to_adapter_events": st.sampled_from(([], ["card"], ["other"])),
    }
)
questions = st.tuples(st.just("asks"), lists, st.booleans())
values = st.tuples(st.just("captures"), lists, st.booleans())
secrets = st.tuples(
    st.just("secret"),
    st.sampled_from(("types", "taps")),
    st.sampled_from(("", "before", "after")),
    st.booleans(),
)
moves = st.tuples(
    st.sampled_from(
        (
            "claims",
            "releases",
            "human says",
            "fails",
            "duplicate",
            "again",
            "waits",
            "an hour",
            "locale",
            *AGAIN,
        )
    )
)
stories = st.lists(
    questions | questions | values | secrets | secrets | moves, min_size=3, max_size=9
)


async def play(world: Ways, judge: Judge, story: list[Any]) -> None:
    bodies: list[dict[str, Any]] = []
    await world.says("hello")
    await world.settle()
    await world.ask("admin", "POST", f"conversations/{DESK}:link", {"to": world.id})
    for step, *how in story:
        phase = await _phase(world)
        if step in ("asks", "captures"):
            await _bot(world, judge, step, *how)
        elif step == "secret":
            bodies.append(await _secret(world, judge, phase, *how))
        elif step == "claims":
            await world.ask(
                "desk", "POST", f"conversations/{world.id}:claim", {"representative": JANE}
            )
        elif step == "human says":
            message = {
                "messageId": f"h{world.count}-{len(bodies)}",
                "text": "hm",
                "representative": JANE,
            }
            await world.ask("desk", "POST", f"conversations/{world.id}/messages", message)
        elif step == "releases":
            await world.ask(
                "desk", "POST", f"conversations/{world.id}:release", {"representative": JANE}
            )
        elif step == "fails":
            await world.ask("desk", "POST", f"conversations/{world.id}:fail", {"reason": "nobody"})
        elif step == "duplicate" and bodies:
            await world.webhook(platform_of(world.id), bodies[-1])
        elif step in AGAIN and bodies and world.id == WHATSAPP:
            await _again(world, step, bodies[-1])
        elif step == "again":
            for topic, body in world.received[-6:]:
                await world.consume(topic, body)
        elif step == "locale":
            judge.said(world, phase, "hola")
            await world.says("hola", "es-MX")
        elif step in ("waits", "an hour"):
            world.clock.forward(150 if step == "waits" else 3700)
        await world.settle()
        if await _phase(world) is Phase.HUMAN:
            judge.awaited = None
    await world.look_everywhere()


async def _phase(world: Ways) -> Phase:
    found = await world.store.load(world.id)
    assert found is not None
    return found.value.phase


async def _bot(world: Ways, judge: Judge, step: str, lists: dict[str, Any], escalate: bool) -> None:
    """The customer says something, and the bot answers it with a question, or with a value that
    it captures.
    """
    before, asked, value = world.clock.now(), world.asked, judge.secret()
    judge.said(world, await _phase(world), "go on")
    declared = asks("card", lists) if step == "asks" else captures("card", value, lists)
    metadata = {"reason": "more", **({"card": value} if step == "captures" else {})}
    world.answers = [[SAYS, declared, *([escalates(**metadata)] if escalate else [])]]
    await world.says("go on")
    await world.settle()
    world.answers = []
    if world.asked == asked:
        return
    if step == "asks":
        judge.awaited = "card", lists, before + HOUR
    else:
        judge.may[value] = judge.declared("card", lists) | {"bot", "customer"}


async def _again(world: Ways, how: str, body: dict[str, Any]) -> None:
    """The customer quotes, edits, deletes, or reacts to an earlier message."""
    earlier = body["entry"][0]["changes"][0]["value"]["messages"][0]
    named = {"original_message_id": earlier["id"]}
    if how == "quotes":
        await world.item("text", earlier["id"], text={"body": "I said this"})
    elif how == "reacts":
        await world.item("reaction", reaction={"message_id": earlier["id"], "emoji": "!"})
    elif how == "edits":
        inner = {name: earlier[name] for name in ("type", "text", "interactive") if name in earlier}
        await world.item("edit", edit={**named, "message": inner})
    else:
        await world.item("revoke", revoke=named)


async def _secret(
    world: Ways, judge: Judge, phase: Phase, how: str, echo: str, locale: bool
) -> dict[str, Any]:
    text = judge.secret()
    if echo == "before":
        await world.echo(text)
    judge.said(world, phase, text)
    body = await (
        world.taps(text, text) if how == "taps" else world.says(text, "fr" if locale else "en-US")
    )
    if echo == "after":
        await world.echo(text)
    return body


@effort(25)
@given(st.sampled_from((ID, WHATSAPP)), stories)
def test_what_was_captured_is_read_by_those_alone_who_may(customer: str, story: list[Any]) -> None:
    with ways(customer) as (runner, world):
        judge = Judge()
        runner.run(play(world, judge, story))
    for secret, may in judge.may.items():
        for one in world.all_that_left():
            if secret in one.text:
                assert one.readers <= may, (secret, one.way, story)
