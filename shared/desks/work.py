"""Carries out one command for a desk: open a chat, say something in it, close it, or flag a
conversation.

Where a desk refuses a chat for good the handoff fails, which notifies the customer and, once, the
team.
"""

from dataclasses import replace
from functools import partial

from shared.conversations.apply import apply_and_wake
from shared.customers.desk_customers import whose
from shared.customers.erase import forget_chat
from shared.desks.call import DeskCall
from shared.desks.missed import take_missed_at_times
from shared.desks.open import known_customer, open_chat
from shared.errors import BatonError
from shared.outbox.attempt import asked, end, settled
from shared.outbox.desk_steps import Carried, carry_out
from shared.outbox.in_flight import lost, mark
from shared.outbox.record import Work
from shared.outbox.tries import Attempt, Result, again, is_final, judge, tried_by
from shared.platforms.base import Ended, Outcome
from shared.platforms.desk import Chat, ChatDesk, FlagDesk, KeepsWaiting, Standing
from shared.ports import Ports
from shared.schemas.commands import CallDesk, State
from shared.schemas.desk_kinds import DESK_KINDS
from shared.schemas.notation import platform_of

NO_CHAT = "there is no chat"
# What Baton says to the people in a chat, by the reason of a hint.
HINTS = {
    "claim-first": (
        "The customer has not got this. Claim the conversation first, then write it again."
    ),
    "deleted": (
        "A message was deleted here. The customer still has it: what was sent to them cannot be "
        "taken back."
    ),
    "over": "The customer has not got this: the conversation with them is over here.",
}


async def call_desk(ports: Ports, work: Work, command: CallDesk) -> Attempt | None:
    """Returns the result of one try of the command; None where another delivery has it in hand or
    ended it.
    """
    snapshot = await ports.store.load(work.entry.value.conversation)
    if snapshot is None or snapshot.value.erased:
        return Attempt(settled(command, State.DROPPED))
    call = DeskCall(ports, work, command, snapshot.value)
    try:
        return await _carried_out(call)
    except BatonError as error:
        outcome = Outcome.TRANSIENT if error.retryable else Outcome.PERMANENT
        return await _given_up(call, Result(outcome, error.reason, arrived=False))


async def _carried_out(call: DeskCall) -> Attempt | None:
    chats, flags = (
        call.ports.desks.chats.get(call.command.platform),
        call.ports.desks.flags.get(call.command.platform),
    )
    if chats is not None and call.command.action == "open":
        return await open_chat(call, chats)
    if chats is not None:
        return await _in_chat(call, chats)
    if flags is not None and call.command.action == "open":
        return await _flag(call, flags)
    return call.dropped("this desk is told no such thing")


async def _given_up(call: DeskCall, result: Result) -> Attempt:
    """Returns the result of a try in which nothing was sent. Where the store fails as well, the
    command stays as it is for the next delivery.
    """
    try:
        return await call.tried(call.command, result)
    except BatonError:
        return again(call.ports, tried_by(call.command, result))


async def _in_chat(call: DeskCall, desk: ChatDesk) -> Attempt | None:
    if call.command.action == "say":
        return await _say(call, desk, await call.chat(desk))
    if call.command.action == "wait":
        return await _keep_waiting(call, desk)
    if call.command.action in ("show", "hint"):
        return await _tell_people(call, desk)
    chat = await call.named() or await call.chat(desk)
    if chat is not None:
        return await _close(call, desk, chat)
    return (
        await _close_unknown(call, desk, call.command.chat)
        if call.command.chat
        else call.dropped(NO_CHAT)
    )


async def _close_unknown(call: DeskCall, desk: ChatDesk, chat: str) -> Attempt | None:
    """Ends a chat of which only the name is known: it was never linked, or its customer was
    erased.
    """
    if call.channel.ours:
        await forget_chat(call.ports, chat)
    known = whose(desk, call.command.customer, call.channel.id)
    customer, refused = await known_customer(call, desk, known)
    return (
        refused
        if customer is None
        else await _close(call, desk, Chat(desk.native(chat), customer, ""))
    )


async def _keep_waiting(call: DeskCall, desk: ChatDesk) -> Attempt:
    """Asks the desk to let the customer keep waiting. Where it does not, the handoff fails, which
    ends the chat.
    """
    chat = await call.named()
    if chat is None or not call.is_wanted or not isinstance(desk, KeepsWaiting):
        return call.dropped("nobody waits in this chat")
    carried = await carry_out(call.ports, desk, desk.wait(chat, call.command.reason or ""))
    if carried.is_done:
        return call.sent(call.command)
    return await call.tried(call.command, replace(carried.result, arrived=False))


async def _tell_people(call: DeskCall, desk: ChatDesk) -> Attempt:
    """Shows the people in the chat who has the customer, or says something of Baton's own to them.
    It is for people who look now, so it is not tried for long.
    """
    chat = await call.named()
    if chat is None:
        return call.dropped(NO_CHAT)
    if call.command.action == "show":
        steps = desk.show(chat, Standing(call.command.id, call.command.people))
    else:
        steps = desk.hint(chat, call.command.id, HINTS[call.command.reason or ""])
    carried = await carry_out(call.ports, desk, steps)
    if carried.is_done:
        return call.sent(call.command)
    after = tried_by(call.command, replace(carried.result, arrived=False))
    is_late = call.ports.clock.now() - call.entry.time > call.ports.policy.line_patience
    if is_late or is_final(call.ports, call.entry, after, carried.result):
        return Attempt(settled(after, State.DROPPED))
    return again(call.ports, after, carried.result.retry_after)


async def _say(call: DeskCall, desk: ChatDesk, chat: Chat | None) -> Attempt | None:
    """Shows a customer's message in the chat. A desk that does not recognise its id gets it at most
    once: a message that may have arrived is not sent again.
    """
    if chat is None and call.was_read:
        return call.dropped("a human came instead")
    if chat is None:
        return end(call.ports, call.entry, call.command.model_copy(update={"error": NO_CHAT}))
    kind = DESK_KINDS[desk.name]
    if call.command.until is not None and not kind.idempotent:
        return end(call.ports, call.entry, lost(call.command))
    words = await call.words(desk.conversation(chat.native))
    mine = call.command if kind.idempotent else await mark(call.ports, call.work, call.command)
    if mine is None:
        return None
    send = partial(asked, call.ports, mine)
    try:
        carried = await carry_out(call.ports, desk, desk.say(chat, words), send, call.entry)
    except BatonError as error:  # it was not sent
        return again(
            call.ports, tried_by(mine, Result(Outcome.TRANSIENT, error.reason, arrived=False))
        )
    return await _said(call, desk, mine, carried)


async def _said(
    call: DeskCall, desk: ChatDesk, mine: CallDesk, carried: Carried[str | None]
) -> Attempt:
    if carried.is_done:
        await take_missed_at_times(call.ports, call.channel)
        return call.sent(mine, carried.made)
    is_repeatable = DESK_KINDS[desk.name].idempotent
    result = replace(carried.result, arrived=False) if is_repeatable else carried.result
    after = tried_by(mine, result)
    if carried.answer is not None and desk.is_over(carried.answer):
        await _is_over(call, desk)
        return end(call.ports, call.entry, after)
    if is_final(call.ports, call.entry, after, result):
        return end(call.ports, call.entry, after)
    return again(call.ports, after, result.retry_after)


async def _is_over(call: DeskCall, desk: ChatDesk) -> None:
    """Takes the end of a chat that does not exist any more: waiting customers are notified, and
    present agents leave.
    """
    chat = await call.chat(desk)
    if chat is not None:
        source, actor = desk.conversation(chat.native), f"desk:{call.command.platform}"
        gone = Ended(
            id=f"ended:{call.command.id}",
            source=source,
            actor=actor,
            reason="the desk's chat is over",
        )
        await apply_and_wake(call.ports, gone, limit=None)


async def _close(call: DeskCall, desk: ChatDesk, chat: Chat) -> Attempt:
    """Closes a chat, which may be repeated: a chat that is over already counts as closed."""
    command = call.command
    carried = await carry_out(call.ports, desk, desk.close(chat, command.id, command.reason))
    if carried.is_done or (carried.answer is not None and desk.is_over(carried.answer)):
        return call.sent(command)
    after = tried_by(command, replace(carried.result, arrived=False))
    if is_final(call.ports, call.entry, after, carried.result):
        return end(call.ports, call.entry, after)
    return again(call.ports, after, carried.result.retry_after)


async def _flag(call: DeskCall, desk: FlagDesk) -> Attempt:
    """Flags all conversations that the desk has with this customer."""
    if not call.is_wanted:
        return call.dropped("no longer needed")
    for native in await _natives(call, desk):
        request = desk.flag(native)
        if request is None:
            return call.dropped("flagging is off")
        answer = await call.ports.sender.send(request)
        result = judge(call.ports, answer, desk.outcome)
        if result.outcome is not Outcome.DONE:
            return await call.tried(call.command, replace(result, arrived=False))
    return call.sent(call.command)


async def _natives(call: DeskCall, desk: FlagDesk) -> list[str]:
    theirs = [
        one for one in (call.channel.id, *call.channel.links) if platform_of(one) == desk.name
    ]
    found = [await call.ports.store.load(one) for one in theirs]
    return [one.value.address for one in found if one is not None]
