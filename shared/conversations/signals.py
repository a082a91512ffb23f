"""Typing and receipts, from the customer to bots and desks, and from a desk's people to the
customer. They are best effort, and no event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pydantic_core

from shared.conversations.apply import Read, side_by_side
from shared.conversations.desk_message_ids import desk_message_id
from shared.conversations.desk_people import as_known_here, named
from shared.conversations.devices import begin_to_show
from shared.conversations.requests import signal_receipt, signal_typing
from shared.conversations.resolve import where_it_acts
from shared.errors import BatonError
from shared.handoff.machine import listeners
from shared.logs import log
from shared.ports import Ports
from shared.schemas.commands import Listener, Signal
from shared.schemas.conversation import Conversation
from shared.schemas.ephemeral import AgentSignal, Ephemeral, Receipt, Typing
from shared.schemas.notifications import USER_MESSAGES

if TYPE_CHECKING:
    from shared.platforms.desk import CustomerSignal

# customers whose receipts are passed on at once: what Baton did not send takes a part of one query
PASSED_AT_ONCE = 100
SECONDS = 2.0  # a platform waits for the answer to its webhook meanwhile


async def pass_on(ports: Ports, passing: Sequence[Ephemeral], read: Read) -> None:
    """Passes typing and receipts on. Those of different customers go side by side."""

    async def in_order(group: Sequence[Ephemeral]) -> None:
        present = _Present(ports)
        news = [one for each in group if isinstance(one := await read(each), Ephemeral)]
        for one in news:
            try:
                await _pass_on(ports, one, present, news)
            except BatonError as error:
                log(
                    "WARNING",
                    "typing or a receipt was not passed on",
                    reason=error.reason,
                    conversation=one.source,
                )

    await side_by_side(ports, in_order, passing, PASSED_AT_ONCE)


@dataclass(slots=True)
class _Present:
    """The conversations of one webhook, each read once, afresh: a human may have joined through
    another instance, and then nothing may reach the bot.
    """

    ports: Ports
    known: dict[str, Conversation] = field(default_factory=dict)

    async def conversation(self, source: str) -> Conversation:
        if source not in self.known:
            acting = await where_it_acts(self.ports, source)
            newcomer = self.ports.policy.newcomer
            self.known[source] = acting.value if acting else newcomer(source, source)
        return self.known[source]

    def audience(self, source: str) -> list[Listener]:
        ports, conversation = self.ports, self.known[source]
        return list(listeners(conversation, source, ports.clock.now(), ports.policy))


async def _pass_on(
    ports: Ports, one: Ephemeral, present: _Present, news: Sequence[Ephemeral]
) -> None:
    """Passes on one of the `news` of a customer."""
    if isinstance(one, AgentSignal):
        await _to_customer(ports, await named(ports, one), present)
        return
    is_first = one.source not in present.known
    conversation = await present.conversation(one.source)
    if is_first:
        begin_to_show(ports, conversation, [each for each in news if each.source == one.source])
    audience = present.audience(one.source)
    if not audience:
        return
    body = {**one.form, "schema_version": 1, "audience": audience}
    await ports.publisher.publish(USER_MESSAGES, pydantic_core.to_json(body), one.source)
    if "HUMAN" in audience:
        await _to_desk(ports, one, conversation)


async def _to_customer(ports: Ports, one: AgentSignal, present: _Present) -> None:
    """Only somebody who is present shows the customer anything."""
    conversation = await present.conversation(one.source)
    one = as_known_here(conversation, one)
    if conversation.present(one.representative) is None:
        return
    signal = Signal(
        id=f"{one.source} {one.kind}",
        to=conversation.address,
        kind=one.kind,
        representative=one.representative,
        message_id=conversation.last_message_id,
    )
    if one.kind == "READ":
        await signal_receipt(ports, conversation, signal)
    else:
        await signal_typing(ports, conversation.id, signal)


async def _to_desk(ports: Ports, one: Typing | Receipt, conversation: Conversation) -> None:
    """Shows in a chat that Baton opened that the customer types, or what they have read."""
    called = conversation.called
    desk = ports.desks.chats.get(called.kind) if called else None
    if called is None or called.chat is None or desk is None:
        return
    from shared.platforms.desk import chat_at  # here: a start takes 6 ms less without it

    stored = await ports.store.load(called.chat)
    chat = chat_at(stored.value.address) if stored else None
    signal = await _signal(ports, one, conversation.id, called.chat, called.handoff)
    call = desk.signal(chat, signal) if chat and signal else None
    if call is not None:
        await ports.sender.send(replace(call, timeout=SECONDS))


async def _signal(
    ports: Ports, one: Typing | Receipt, conversation: str, chat: str, handoff: str
) -> "CustomerSignal | None":
    """Returns what a desk is shown; None for what no desk shows."""
    from shared.platforms.desk import CustomerSignal

    if isinstance(one, Typing):
        return CustomerSignal("TYPING_STARTED" if one.is_typing else "TYPING_STOPPED")
    receipts = one.form.get("receipts")
    listed = receipts.get("receipts") if isinstance(receipts, dict) else None
    read = [
        str(receipt.get("message"))
        for receipt in (listed if isinstance(listed, list) else ())
        if isinstance(receipt, dict) and receipt.get("receiptType") == "READ"
    ]
    if not read:
        return None
    message = await desk_message_id(ports, conversation, chat, handoff, read[-1].rpartition("/")[2])
    return CustomerSignal("READ", message) if message else None
