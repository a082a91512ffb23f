"""A batch of several customers: what one of them spoils, what it costs, and what becomes of
what is odd in it.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.conversations import requests as control
from shared.conversations.apply import apply, take
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.errors import Unavailable
from shared.handoff.visibility import words_for
from shared.platforms.whatsapp.platform import WhatsApp
from shared.ports import Ports
from shared.schemas.commands import Signal
from shared.schemas.events import Unknown
from shared.schemas.http import Answer, Call
from shared.schemas.notation import conversation_id, hidden
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
        if name != "copy_called":  # which reads nothing
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


async def test_a_status_costs_one_read_and_its_customer_one_more(ports: Ports, bench: Any) -> None:
    await receive_webhook(ports, signed(messages=[says(0, "A1")]))
    for n in range(3):
        await apply(ports, bot(ANA, f"b-{n}"))
    await deliver(ports, ANA)
    sent = [n for n, one in enumerate(ports.sender.calls, 1) if "facebook" in one.url]  # type: ignore[attr-defined]
    bench.publisher.published.clear()
    counted: Any = Watched(ports.store)
    await receive_webhook(
        replace(ports, store=counted),
        signed(statuses=[status(wamid(f"OURS{n}"), "read") for n in sent]),
    )
    assert sorted(counted.asked) == ["load", "sent_as", "sent_as", "sent_as"]
    told = [one["receipts"]["receipts"][0] for one in bench.publisher.on("baton-user-messages")]
    named = [one["message"].rpartition("/")[2] for one in told]
    assert named == ["b-0", "b-1", "b-2"]


async def test_a_status_of_a_message_sixty_entries_ago_is_translated(
    ports: Ports, bench: Any
) -> None:
    await receive_webhook(ports, signed(messages=[says(0, "A1")]))
    await apply(ports, bot(ANA, "b-1"))
    await deliver(ports, ANA)
    sent = next(n for n, one in enumerate(ports.sender.calls, 1) if "facebook" in one.url)  # type: ignore[attr-defined]
    await receive_webhook(ports, signed(messages=[says(0, f"M{n}") for n in range(60)]))
    await receive_webhook(ports, signed(statuses=[status(wamid(f"OURS{sent}"), "failed")]))
    await deliver(ports, ANA)
    (told,) = bench.publisher.on("baton-handoffs")
    assert (told["type"], told["message_id"]) == ("delivery.failed", "b-1")


@pytest.mark.parametrize("name", ["sent", "delivered", "read", "failed"])
async def test_a_status_of_a_message_that_baton_did_not_send_changes_nothing(
    ports: Ports, bench: Any, name: str
) -> None:
    campaign = [
        {**status(wamid(f"C{n}"), name), "recipient_id": f"1202555{n:04}"} for n in range(9)
    ]
    answer = await receive_webhook(ports, signed(statuses=campaign))
    assert answer.status == 200
    assert answer.notes.get("not_ours") == (None if name == "sent" else 9)
    assert (await ports.store.conversations(None, 100)).items == []
    assert bench.publisher.published == []


async def test_a_failure_that_comes_before_the_answer_is_on_record_is_looked_for_again(
    ports: Ports, bench: Any
) -> None:
    """The platform reports it while the answer to the call is still on its way to the journal."""
    await receive_webhook(ports, signed(messages=[says(0, "A1")]))
    await apply(ports, bot(ANA, "b-1"))
    now = {"timestamp": str(int(bench.clock.now().timestamp()))}
    sender, failed = ports.sender, list[asyncio.Task[Any]]()

    class Early:
        async def send(self, call: Call) -> Answer | None:
            answer = await sender.send(call)
            if "facebook" in call.url:
                wam = json.loads(answer.body)["messages"][0]["id"]  # type: ignore[union-attr]
                one = {**status(wam, "failed"), **now}
                failed.append(asyncio.create_task(receive_webhook(ports, signed(statuses=[one]))))
                await asyncio.sleep(0.05)
            return answer

    await deliver(replace(ports, sender=Early()), ANA)
    await asyncio.gather(*failed)
    await deliver(ports, ANA)
    (told,) = bench.publisher.on("baton-handoffs")
    assert (told["type"], told["message_id"]) == ("delivery.failed", "b-1")


async def test_a_failure_that_cannot_be_looked_up_comes_again(ports: Ports) -> None:
    class Sick(Watched):
        async def sent_as(self, native: str) -> None:
            raise Unavailable("planned", "x")

    batch = signed(messages=[says(1, "B1", "hi")], statuses=[status(wamid("X"), "failed")])
    with pytest.raises(Unavailable):
        await receive_webhook(replace(ports, store=Sick(ports.store)), batch)  # type: ignore[arg-type]  # of a store, all that is asked
    assert await _said(ports, BEN) == ["hi"]


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
    known = await ports.store.load(conversation_id("whatsapp", "1:+551187654321"))
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


class Slow(Watched):
    """A store whose every commit and query takes a moment; it counts how many run at once."""

    running = most = 0

    async def _in_a_while(self, work: Any) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.01)
        try:
            return await work
        finally:
            self.running -= 1

    async def commit(self, commit: Any) -> Any:
        return await self._in_a_while(self.store.commit(commit))

    async def sent_as(self, native: str) -> Any:
        return await self._in_a_while(self.store.sent_as(native))


async def test_a_batch_is_taken_side_by_side_across_customers(ports: Ports) -> None:
    """In order within each of them, however slow the store is."""
    slow: Any = Slow(ports.store)
    said = [says(n % 10, f"M{n:02}", f"{n:02}") for n in range(40)]
    statuses = [
        {**status(wamid(f"C{n}"), "read"), "recipient_id": f"1202555{n:04}"} for n in range(100)
    ]
    await receive_webhook(replace(ports, store=slow), signed(messages=said, statuses=statuses))
    assert slow.most > 5
    for number in range(10):
        customer = conversation_id("whatsapp", f"1:+1202555010{number}")
        assert await _said(ports, customer) == [f"{n:02}" for n in range(40) if n % 10 == number]
