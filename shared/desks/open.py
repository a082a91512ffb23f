"""Opens a chat: at most one for each handoff, under failures of every kind. A desk that finds its
chats is simply asked again. Others do not know Baton's ids:

pending ── the customer is registered  ── mark ──> in flight ──> the answer names the chat: adopted
   ^                                                  │         └─ not now: noted, adopted later
   └── a clear refusal, for now                       └─ no answer, or an unclear one: looked for
                                  the desk's webhook named it: adopted, sent
                                  it did not, for 30 s: the handoff fails, the customer is notified

A chat that becomes known even later is not needed any more: the table ends it.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from shared.customers.desk_chats import end_chat
from shared.customers.desk_customers import identifier, link_customer
from shared.customers.erase import forget_chat
from shared.desks.adopt import adopt
from shared.desks.call import DeskCall
from shared.errors import BatonError, NotFound, Refused
from shared.outbox.attempt import asked
from shared.outbox.desk_steps import carry_out
from shared.outbox.in_flight import mark
from shared.outbox.tries import Attempt, Result, again
from shared.platforms.base import Outcome
from shared.platforms.desk import Chat, ChatDesk, Opening, Steps, chat_at
from shared.schemas.commands import CallDesk
from shared.schemas.desk_kinds import DESK_KINDS

LOOKED_FOR = timedelta(seconds=30)  # the time in flight, and 10 s
CLOCKS_DIFFER = timedelta(seconds=5)
LONGEST_PAUSE = 5.0
NO_ID = "the answer gives no id"


async def open_chat(call: DeskCall, desk: ChatDesk) -> Attempt | None:
    """Returns the result of one try; None where another delivery has the command in hand. Raises
    BatonError.
    """
    known, command = await call.chat(desk), call.command
    if known is not None:
        return call.sent(command, known.native)
    if command.chat is not None:
        return await _adopted(call, desk, command, command.chat)
    is_unsure = command.asked_at is not None and (command.until is not None or command.ambiguous)
    if is_unsure and not DESK_KINDS[desk.name].finds_chats:
        return await _look_for(call, desk, command)
    if not call.is_wanted:
        return call.dropped("no longer needed")
    name = call.channel.customer_name
    customer, refused = await known_customer(
        call, desk, desk.customer(identifier(call.channel.id), name)
    )
    return refused if customer is None else await _create(call, desk, customer)


async def known_customer(
    call: DeskCall, desk: ChatDesk, steps: Steps[str | None]
) -> tuple[str | None, Attempt | None]:
    """Returns the desk's id of the customer, or the result of the failed try. The steps may be
    repeated.
    """
    carried = await carry_out(call.ports, desk, steps)
    if carried.made is not None:
        return carried.made, None
    result = Result(Outcome.PERMANENT, NO_ID) if carried.is_done else carried.result
    return None, await call.tried(call.command, replace(result, arrived=False))


async def _create(call: DeskCall, desk: ChatDesk, customer: str) -> Attempt | None:
    """Links the desk's conversations of the customer to their channel, then asks for the chat: so
    its first event acts there.
    """
    await link_customer(
        call.ports, desk.customers(identifier(call.channel.id), customer), call.channel.id
    )
    opening = Opening(
        call.command,
        customer,
        call.channel.customer_name,
        await call.said(),
        again=call.command.asked_at is not None,
        channel=call.channel.platform,
        page=call.ports.team.link(call.channel.id),
    )
    first = call.command.asked_at if DESK_KINDS[desk.name].finds_chats else None
    at = first or call.ports.clock.now()
    mine = await mark(call.ports, call.work, call.command, asked_at=at, native_id=customer)
    return None if mine is None else await _ask(call, desk, mine, desk.open(opening))


async def _ask(call: DeskCall, desk: ChatDesk, mine: CallDesk, steps: Steps[str | None]) -> Attempt:
    try:
        carried = await carry_out(call.ports, desk, steps, partial(asked, call.ports, mine))
    except BatonError as error:  # it was not sent
        return await call.tried(mine, Result(Outcome.TRANSIENT, error.reason, arrived=False))
    if carried.made is not None:
        return await _adopted(call, desk, mine, desk.conversation(carried.made))
    if DESK_KINDS[desk.name].finds_chats:
        result = Result(Outcome.PERMANENT, NO_ID) if carried.is_done else carried.result
        return await call.tried(mine, replace(result, arrived=False))
    if carried.is_done or carried.result.arrived is None:
        return await _look_for(call, desk, mine)
    return await call.tried(mine, carried.result)


async def _adopted(call: DeskCall, desk: ChatDesk, command: CallDesk, conversation: str) -> Attempt:
    """Links the chat. A chat that cannot be linked now is noted in the command; one that never can
    be is ended.
    """
    chat = Chat(desk.native(conversation), command.native_id or "", command.handoff or "")
    try:
        await adopt(call.ports, conversation, chat, call.channel.id)
    except (Refused, NotFound) as error:
        await end_chat(call.ports, desk, chat)
        return await _never(call, command, conversation, error)
    except BatonError as error:
        return _later(call, command.model_copy(update={"chat": conversation}), error.reason)
    return call.sent(command, chat.native)


async def _never(call: DeskCall, command: CallDesk, chat: str, error: BatonError) -> Attempt:
    """Ends the command of a chat that cannot be linked. Of an erased customer the chat is erased
    too, without a notification.
    """
    if isinstance(error, NotFound):
        await forget_chat(call.ports, chat)
        return call.dropped("the conversation is gone")
    return await call.fail(command, f"the desk's chat cannot be linked: {error.reason}")


async def _look_for(call: DeskCall, desk: ChatDesk, command: CallDesk) -> Attempt:
    """Uses the desk's webhook to find out whether the desk made a chat without answering."""
    made = await _made(call, command)
    if made is not None:
        return await _adopted(call, desk, command, made)
    if (
        call.is_wanted
        and command.asked_at is not None
        and call.ports.clock.now() < command.asked_at + LOOKED_FOR
    ):
        return _later(call, command, "no answer")
    unsure = command.model_copy(
        update={"ambiguous": True, "error": "nobody knows whether the desk made a chat"}
    )
    return await call.fail(unsure, "the desk did not answer")


def _later(call: DeskCall, command: CallDesk, why: str) -> Attempt:
    update = {"ambiguous": True, "attempts": command.attempts + 1, "error": why}
    return again(call.ports, command.model_copy(update=update), longest=LONGEST_PAUSE)


async def _made(call: DeskCall, command: CallDesk) -> str | None:
    """Returns the latest chat that the desk reported for this customer since the request, and that
    is not linked.
    """
    called, since = call.channel.called, (command.asked_at or call.entry.time) - CLOCKS_DIFFER
    made = called.created if called is not None and call.is_wanted else ()
    for one in reversed(made):
        if one.at >= since and await _is_free(call, one.chat):
            return one.chat
    return None


async def _is_free(call: DeskCall, chat: str) -> bool:
    snapshot = await call.ports.store.load(chat)
    return snapshot is None or (
        snapshot.value.linked_to is None and chat_at(snapshot.value.address) is None
    )
