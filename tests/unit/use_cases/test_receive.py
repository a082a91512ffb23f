"""A batch of several customers: what one of them spoils, what it costs, and what becomes of
what is odd in it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.conversations import requests as control
from shared.conversations.apply import take
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.errors import Unavailable
from shared.handoff.visibility import words_for
from shared.platforms.whatsapp.platform import WhatsApp
from shared.ports import Ports
from shared.schemas.commands import Signal
from shared.schemas.events import Unknown
from shared.schemas.ids import conversation_id, hidden
from shared.schemas.variables import Audience
from tests.unit.use_cases.phones_play import ANA, BEN, bot, ports_of, says, signed, status, wamid


@pytest.fixture
def ports(bench: Any) -> Ports:
    return ports_of(bench)


class Watched:
    """A store that counts what is asked of it, and may refuse to write one conversation."""

    def __init__(
        self, store: Any, fails: Callable[[str], Exception | None] = lambda _: None
    ) -> None:
        self.store, self.fails, self.asked = store, fails, list[str]()

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self.store, name)

    async def commit(self, commit: Any) -> None:
        error = self.fails(commit.entries[0].conversation)
        if error is not None:
            raise error
        await self.store.commit(commit)


async def _said(ports: Ports, conversation: str) -> list[str | None]:
    return [
        words_for(Audience.AGENT, one.value)
        for one in (await ports.store.journal(conversation, None, 50)).items
    ]


@pytest.mark.parametrize(
    "error", [Unavailable("outbox-full", "x"), ZeroDivisionError()], ids=["full", "a fault of ours"]
)
async def test_a_conversation_that_takes_nothing_spoils_no_other(
    ports: Ports, bench: Any, error: Exception
) -> None:
    sick: Any = Watched(ports.store, lambda conversation: error if conversation == ANA else None)
    batch = signed(messages=[says(0, "A1", "one"), says(1, "B1", "other"), says(0, "A2", "two")])
    with pytest.raises(type(error)):
        await receive_webhook(replace(ports, store=sick), batch)
    assert (await _said(ports, ANA), await _said(ports, BEN)) == ([], ["other"])
    assert [body["conversation"] for body in bench.publisher.on("baton-outbox")] == [BEN]
    await receive_webhook(ports, batch)
    assert (await _said(ports, ANA), await _said(ports, BEN)) == (["one", "two"], ["other"])


async def test_what_follows_in_a_conversation_that_failed_waits_for_its_turn(ports: Ports) -> None:
    errors = [Unavailable("planned", "x")]
    sick: Any = Watched(ports.store, lambda _: errors.pop() if errors else None)
    with pytest.raises(Unavailable):
        await receive_webhook(
            replace(ports, store=sick),
            signed(messages=[says(0, "A1", "one"), says(0, "A2", "two")]),
        )
    assert await _said(ports, ANA) == []


async def test_forty_statuses_of_a_customer_cost_three_reads(ports: Ports, bench: Any) -> None:
    counted: Any = Watched(ports.store)
    await receive_webhook(
        replace(ports, store=counted),
        signed(statuses=[status(wamid(f"{n}"), "read") for n in range(40)]),
    )
    # whose journal it is, and for whom receipts are
    assert sorted(counted.asked) == ["latest", "load", "load"]
    assert len(bench.publisher.on("baton-user-messages")) == 40


async def test_what_could_not_be_read_is_quarantined_in_the_journal(ports: Ports) -> None:
    await receive_webhook(ports, signed(messages=[says(0, "A1")]))
    await take(
        ports,
        [
            Unknown(
                id="h-x", source=ANA, actor="platform:whatsapp", name="unreadable", fault="KeyError"
            )
        ],
    )
    entry = (await ports.store.latest(ANA, 1))[0].value
    assert (entry.outcome, entry.reason) == ("quarantined", "cannot-be-read")


async def test_a_tap_that_is_the_first_of_a_customer_tells_the_language(ports: Ports) -> None:
    number = {"from": "5511987654321", "id": wamid("A1"), "type": "button"}
    tap = {**number, "button": {"payload": "baton:request-human", "text": "Falar"}}
    await receive_webhook(ports, signed(messages=[tap]))
    known = await ports.store.load(conversation_id("whatsapp", "1:+5511987654321"))
    assert known is not None
    assert (known.value.phase, known.value.locale) == ("QUEUED", "pt")


async def test_a_message_of_a_kind_of_tomorrow_opens_the_window(ports: Ports, bench: Any) -> None:
    await receive_webhook(
        ports, signed(messages=[{"from": "12025550100", "id": wamid("A1"), "type": "hologram"}])
    )
    await deliver(ports, ANA)
    (told,) = bench.publisher.on("baton-user-messages")
    assert told["message"]["text"] == "[unsupported message]"
    assert (await control.seen(ports, ANA)).last_user_at is not None


async def test_a_store_that_fails_twice_at_the_mark_loses_no_message(ports: Ports) -> None:
    """The mark is written, its answer lost, and the look at what stands fails too."""
    await receive_webhook(ports, signed(messages=[says(0, "A1")]))
    await deliver(ports, ANA)
    await control.accept(ports, bot(ANA, "my-1"))

    class Blip:
        blips = 2

        def __getattr__(self, name: str) -> Any:
            return getattr(ports.store, name)

        async def update(self, *what: Any) -> Any:
            return self._or_blip(2, await ports.store.update(*what))

        async def entry(self, *where: str) -> Any:
            return self._or_blip(1, await ports.store.entry(*where))

        def _or_blip(self, left: int, value: Any) -> Any:
            if self.blips == left:
                self.blips -= 1
                raise Unavailable("planned", "x")
            return value

    blip: Any = Blip()
    await deliver(replace(ports, store=blip), ANA)
    said = [call for call in ports.sender.calls if b"News!" in call.body]  # type: ignore[attr-defined]
    (command,) = (await ports.store.latest(ANA, 1))[0].value.commands
    assert (len(said), command.state, blip.blips) == (1, "sent", 0)


async def test_without_an_access_token_messages_wait_until_there_is_one(
    ports: Ports, bench: Any
) -> None:
    await receive_webhook(ports, signed(messages=[says(0, "A1")]))
    await control.accept(ports, bot(ANA, "my-1"))
    closed = replace(ports, platforms={**ports.platforms, "whatsapp": WhatsApp(app_secrets=("s",))})
    channel = await control.channel_of(ports, ANA)
    await control.signal_receipt(
        closed, channel, Signal(id="r", to="", kind="READ", message_id=hidden(wamid("A1")))
    )
    assert (await deliver(closed, ANA)).failed
    (command,) = (await ports.store.latest(ANA, 1))[0].value.commands
    assert (command.state, command.error) == ("pending", "door-closed")
    bench.clock.forward(5)
    await deliver(ports, ANA)
    assert [call for call in ports.sender.calls if b"News!" in call.body]  # type: ignore[attr-defined]
