"""Opening a chat at a desk that knows no ids of ours: at most one for each handoff, whatever happens on the way.

pending ── the customer is made known ── mark ──> in flight ──> the answer names the chat ──> adopted, sent
   ^                                                  │
   │                                                  └─ no answer, or none that tells: looked for
   └── a clear refusal, for now                             │
                                  the desk's webhook named it: adopted, sent
                                  it did not, for 30 s: the handoff fails, the customer is told
"""

from dataclasses import replace
from datetime import timedelta

from shared.desks.base import Chat, ChatDesk, chat_at
from shared.errors import BatonError, Refused
from shared.platforms.base import Outcome
from shared.schemas.commands import CallDesk
from shared.schemas.exchange import Call
from shared.schemas.ids import sha256
from shared.services.adopt import adopt
from shared.services.attempt import Attempt, Result, again, asked, backoff, judge
from shared.services.desk_call import DeskCall
from shared.services.in_flight import mark

LOOKED_FOR = timedelta(seconds=30)  # the time in flight, and 10 s
CLOCKS_DIFFER = timedelta(seconds=5)
CREATED_LATELY, LONGEST_PAUSE = 20, 5.0
NO_ID = "the answer gives no id"


def identifier(channel: str) -> str:
    """Returns the name under which a desk knows a customer: it tells nothing of who they are."""
    return f"baton-{sha256(channel)[:40]}"


async def open_chat(call: DeskCall, desk: ChatDesk) -> Attempt | None:
    """Returns what one try made of it, None where another delivery has it in hand. Raises BatonError."""
    known = await call.chat(desk)
    if known is not None:
        return call.sent(call.command, known.native)
    if call.command.asked_at is not None and (call.command.until is not None or call.command.ambiguous):
        return await _look_for(call, desk, call.command)
    if not call.is_wanted:
        return call.dropped("no longer needed")
    customer, refused = await _customer(call, desk)
    return refused if customer is None else await _create(call, desk, customer)


async def _customer(call: DeskCall, desk: ChatDesk) -> tuple[str | None, Attempt | None]:
    """Returns the desk's id of the customer, or what became of the try: it may be repeated at will."""
    answer = await call.ports.sender.send(desk.customer(identifier(call.channel.id)))
    result = judge(answer, call.ports.clock.now(), desk.outcome(answer) if answer else None)
    customer = desk.native_id(answer) if answer is not None and result.outcome is Outcome.DONE else None
    if customer is not None:
        return customer, None
    if result.outcome is Outcome.DONE:
        result = Result(Outcome.PERMANENT, NO_ID)
    return None, await call.tried(call.command, replace(result, arrived=False))


async def _create(call: DeskCall, desk: ChatDesk, customer: str) -> Attempt | None:
    request = desk.open(call.command, customer, await call.said())
    now = call.ports.clock.now()
    mine = await mark(call.ports, call.work, call.command, asked_at=now, native_id=customer)
    return None if mine is None else await _post(call, desk, mine, request)


async def _post(call: DeskCall, desk: ChatDesk, mine: CallDesk, request: Call) -> Attempt:
    try:
        answer = await asked(call.ports, mine, request)
    except BatonError as error:  # it was not sent
        return await call.tried(mine, Result(Outcome.TRANSIENT, error.reason, arrived=False))
    result = judge(answer, call.ports.clock.now(), desk.outcome(answer) if answer else None)
    native = desk.native_id(answer) if answer is not None and result.outcome is Outcome.DONE else None
    if native is not None:
        return await _adopted(call, desk, mine, native)
    if result.outcome is Outcome.DONE or result.arrived is None:
        return await _look_for(call, desk, mine)
    return await call.tried(mine, result)


async def _adopted(call: DeskCall, desk: ChatDesk, command: CallDesk, native: str) -> Attempt:
    """A chat that cannot be joined to its customer now is looked for later."""
    chat = Chat(native, command.native_id or "", command.handoff)
    try:
        await adopt(call.ports, desk.conversation(native), chat.address, command.handoff, call.channel.id)
    except Refused as error:
        return await call.fail(command, f"the desk's chat cannot be linked: {error.reason}")
    except BatonError as error:
        return _later(call, command, error.reason)
    return call.sent(command, native)


async def _look_for(call: DeskCall, desk: ChatDesk, command: CallDesk) -> Attempt:
    """Finds out by the desk's webhook whether it took a request that it did not answer."""
    native = await _created(call, desk, command)
    if native is not None:
        return await _adopted(call, desk, command, native)
    if command.asked_at is not None and call.ports.clock.now() < command.asked_at + LOOKED_FOR:
        return _later(call, command, "no answer")
    unsure = command.model_copy(update={"ambiguous": True, "error": "nobody knows whether the desk made a chat"})
    return await call.fail(unsure, "the desk did not answer")


def _later(call: DeskCall, command: CallDesk, why: str) -> Attempt:
    update = {"ambiguous": True, "attempts": command.attempts + 1, "error": why}
    return again(call.ports, command.model_copy(update=update), min(backoff(command.attempts), LONGEST_PAUSE))


async def _created(call: DeskCall, desk: ChatDesk, command: CallDesk) -> str | None:
    """Returns the chat that the desk says it made for this customer since it was asked, and that nobody has."""
    since = (command.asked_at or call.entry.time) - CLOCKS_DIFFER
    for customer in (command.native_id, identifier(call.channel.id)):
        journal = desk.customer_journal(customer) if customer else ""
        for entry in await call.ports.store.latest(journal, CREATED_LATELY) if journal else []:
            native = desk.created(entry.value.event_id)
            if native is not None and entry.value.time >= since and await _is_free(call, desk.conversation(native)):
                return native
    return None


async def _is_free(call: DeskCall, chat: str) -> bool:
    """Returns whether no handoff has this chat; the one of a moment ago has its own still."""
    snapshot = await call.ports.store.load(chat)
    return snapshot is None or (
        snapshot.value.linked_to in (None, call.channel.id) and chat_at(snapshot.value.address) is None
    )
