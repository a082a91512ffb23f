"""One try of one command, and how its answer changes the command."""

import asyncio
from dataclasses import replace

import pydantic_core

from shared.conversations.id_translation import in_their_ids
from shared.conversations.stream import stream
from shared.errors import BatonError, Paced, Unavailable
from shared.handoff.visibility import body_of
from shared.logs import log
from shared.outbox.files import with_link
from shared.outbox.plain_http import comment_call, webhook_call
from shared.outbox.team_call import team_call
from shared.outbox.tries import (
    PASSING,
    Attempt,
    C,
    Result,
    again,
    is_final,
    is_past_patience,
    judge,
    refused_credentials,
    time_of,
    tried_by,
)
from shared.platforms.base import Outcome, outcome_of_status
from shared.ports import Ports
from shared.schemas.base import JsonObject
from shared.schemas.commands import (
    CallDesk,
    Command,
    Comment,
    FreeSlot,
    KeepMedia,
    MoveFloor,
    Post,
    Publish,
    Record,
    SendEvent,
    SendMessage,
    SendReaction,
    State,
    Stream,
    TellTeam,
    ToChannel,
)
from shared.schemas.content import Content
from shared.schemas.http import Answer, Call
from shared.schemas.journal import DETAILS, JournalEntry
from shared.schemas.notation import command_id, platform_of
from shared.schemas.notifications import HANDOFFS, Notification, transcript_of

# Their failures are not notified. A notification is such a command itself, and what a floor was
# moved for fails by itself.
UNTOLD = Publish | Record | Stream | TellTeam | MoveFloor | KeepMedia | FreeSlot
AS_NOTICE = {"notice": True, "attempts": 0, "forbidden": 0, "ambiguous": False}


async def attempt(ports: Ports, entry: JournalEntry, command: Command) -> Attempt:
    """Returns the result of one try of `command`: sent, waiting for its next try at `retry_at`, or
    ended with a reason.
    """
    result = await _do(ports, entry, command)
    if result.outcome is Outcome.DONE:
        return Attempt(settled(_arrived(command, result), State.SENT), failed=False)
    tried = tried_by(command, result)
    is_over = is_final(ports, entry, tried, result)
    if (
        isinstance(tried, SendEvent)
        and not tried.notice
        and (is_over or _needs_a_notice(ports, tried, result))
    ):
        said = await attempt(ports, entry, tried.model_copy(update=AS_NOTICE))
        if is_over or said.command.state is State.SENT:
            return said
    if not is_over and result.outcome is Outcome.CREDENTIALS:
        return refused_credentials(ports, tried)
    if not is_over:
        is_paced = result.outcome is Outcome.PACED
        return replace(
            again(ports, tried, result.retry_after),
            failed=None if is_paced and not result.answered else True,
            answered=result.answered,
            paced=is_paced,
        )
    failed = result.outcome in PASSING if result.answered or result.outcome in PASSING else None
    if isinstance(tried, MoveFloor):
        return Attempt(_unmoved(entry, tried), failed=failed, answered=result.answered)
    if isinstance(tried, KeepMedia):
        return Attempt(_not_kept(entry, tried), failed=failed, answered=result.answered)
    return replace(end(ports, entry, tried), failed=failed, answered=result.answered)


def _arrived(command: Command, result: Result) -> Command:
    """Returns the command with what the answer says of it. Its time is kept where the platform
    may let others answer: it tells who is active there.
    """
    update: dict[str, object] = {"native_id": result.native_id}
    if isinstance(command, ToChannel):
        update["accepted_at"] = result.accepted_at
    return command.model_copy(update=update)


def _needs_a_notice(ports: Ports, tried: Command, result: Result) -> bool:
    """Returns whether a JOINED or LEFT has been refused for so long that a text may replace it, as
    after a final refusal.
    """
    return result.answered and is_past_patience(ports, tried)


async def _do(ports: Ports, entry: JournalEntry, command: Command) -> Result:
    try:
        if isinstance(command, Record):
            return Result(Outcome.DONE)  # the write that records this also counts it
        if isinstance(command, Stream):
            await stream(ports, entry, command)
            return Result(Outcome.DONE)
        if isinstance(command, Publish):
            body = pydantic_core.to_json(_body_with_links(ports, entry, command))
            await ports.publisher.publish(command.topic, body, entry.conversation)
            return Result(Outcome.DONE)
        if isinstance(command, Post):
            call = webhook_call(ports.webhooks, command, _body_with_links(ports, entry, command))
            return _webhook_result(ports, await ports.sender.send(call))
        if isinstance(command, Comment):
            call = comment_call(ports.crm, entry.conversation, command, ports.clock.now())
            return _webhook_result(ports, await ports.sender.send(call))
        if isinstance(command, TellTeam):
            return await _tell(ports, command)
        if isinstance(command, FreeSlot):
            # imported here: functions that deliver in place free no room
            from shared.people.free_slots import free

            await free(ports, command.person, [command.slot])
            return Result(Outcome.DONE)
        if isinstance(command, KeepMedia):
            # imported here: functions that deliver in place work no line with files
            from shared.outbox.keep_media import keep_media

            return await keep_media(ports, entry, command)
        return await _send(ports, entry, command)
    except Paced as error:
        return Result(
            Outcome.PACED, error.reason, arrived=False, retry_after=error.seconds, answered=False
        )
    except BatonError as error:
        outcome = Outcome.TRANSIENT if error.retryable else Outcome.PERMANENT
        return Result(outcome, error.reason, arrived=False, answered=False)


def _body_with_links(ports: Ports, entry: JournalEntry, command: Publish | Post) -> JsonObject:
    """Returns what leaves. Links to files are made here, because they expire."""
    body = body_of(entry, command)
    details = body.get(DETAILS)
    if ports.media_links is None or not isinstance(details, dict):
        return body
    linked = ports.media_links.with_links(entry.conversation, entry.id, details)
    return {**body, DETAILS: linked}


def _unmoved(entry: JournalEntry, command: MoveFloor) -> Command:
    """Returns a refused change of who is active as it ends. What follows is tried all the same:
    a floor that nobody has needs no taking, and what is refused without it says so itself.
    """
    log(
        "WARNING",
        "the platform refused to change who is active",
        conversation=entry.conversation,
        kind=command.kind,
        reason=command.error,
    )
    return settled(command, State.DROPPED)


def _not_kept(entry: JournalEntry, command: KeepMedia) -> Command:
    """Returns a copy that is given up as it ends. Its platform has the file as long as it will."""
    log(
        "WARNING",
        "a customer's file was not kept",
        conversation=entry.conversation,
        reason=command.error,
    )
    return settled(command, State.DROPPED)


def _webhook_result(ports: Ports, answer: Answer | None) -> Result:
    """Judges the answer of a plain webhook: an error status means that it did not take the
    message.
    """
    result = judge(ports, answer)
    return result if answer is None else replace(result, arrived=result.outcome is Outcome.DONE)


async def _tell(ports: Ports, command: TellTeam) -> Result:
    """Notifies one target of the team. A target that answers with an error shows nothing; only
    without an answer the outcome is unknown.
    """
    target, call = await team_call(ports, command)
    answer = await asked(ports, command, call)
    if answer is None:
        return judge(ports, answer)
    result = judge(ports, answer, _outcome_of_a_webhook)
    named = f"HTTP {answer.status} {target.fault(answer) or ''}".strip()
    return replace(result, fault=named, arrived=result.outcome is Outcome.DONE)


def _outcome_of_a_webhook(answer: Answer) -> Outcome:
    """Returns the outcome of a target's answer. The address is the only credential of an incoming
    webhook, so after a 401 there is none to refresh.
    """
    return Outcome.FORBIDDEN if answer.status == 401 else outcome_of_status(answer.status)


async def _send(ports: Ports, entry: JournalEntry, command: Command) -> Result:
    if not isinstance(command, ToChannel):
        raise TypeError(f"a {command.kind} is no platform's")  # `desks` calls desks
    platform = ports.platforms.get(platform_of(command.shown_in(entry.conversation)))
    form = _notice(command) if isinstance(command, SendEvent) and command.notice else command
    waits = await _file_is_away(ports, entry, form)
    if waits is not None:
        return waits
    file = form.content.file if isinstance(form, SendMessage) else None
    if isinstance(form, SendMessage) and file is not None:
        form = with_link(ports, entry, form, file)
    if isinstance(form, SendMessage | SendReaction) and form.about is not None:
        form = await _with_their_id(ports, entry, form)
    call = platform.call(form) if platform else None
    if platform is None or call is None:
        return Result(Outcome.PERMANENT, "the platform has no such thing", answered=False)
    answer = await asked(ports, command, call)
    result = judge(ports, answer, platform.outcome)
    if answer is None:
        return result
    if result.outcome is not Outcome.DONE:
        said = f"HTTP {answer.status} {platform.refusal(answer) or ''}".strip()
        refused = result.outcome is Outcome.PERMANENT
        waits = await _file_is_away(ports, entry, command) if refused else None
        return waits or replace(result, fault=said)
    accepted = time_of(answer) if platform.capabilities.floor else None
    return replace(result, native_id=platform.sent_id(form, answer), accepted_at=accepted)


async def _file_is_away(ports: Ports, entry: JournalEntry, command: Command) -> Result | None:
    """Returns the result of a try of a message whose file cannot be had now, None for any other."""
    file = command.content.file if isinstance(command, SendMessage) else None
    if file is None or file.source_id is None or file.native_id is not None:
        return None
    # imported here: functions that deliver in place work no line with files
    from shared.outbox.desk_files import away

    return await away(ports, entry, file)


async def _with_their_id(
    ports: Ports, entry: JournalEntry, command: SendMessage | SendReaction
) -> SendMessage | SendReaction:
    """Returns the command with the platform's own id of the customer's message that it is about."""
    stored = await ports.store.load(entry.conversation)
    known = stored.value if stored else ports.policy.newcomer(entry.conversation, command.to)
    return command.model_copy(update={"about": await in_their_ids(ports, known, command.about)})


async def asked(ports: Ports, command: Command, call: Call) -> Answer | None:
    """Sends a call, and a call that is in flight only until its deadline: after that other
    deliveries may take it for lost. Raises Unavailable.
    """
    if command.until is None:
        return await ports.sender.send(call)
    left = (command.until - ports.clock.now()).total_seconds()
    if left <= 0:
        raise Unavailable("too-slow", "The time in which this might be sent is over.")
    try:
        async with asyncio.timeout(left):
            return await ports.sender.send(call)
    except TimeoutError:
        return None


def _notice(command: SendEvent) -> SendMessage:
    """Returns the text that replaces a JOINED or LEFT, labelled with its human."""
    return SendMessage(
        id=command_id(command.to, command.id, "notice"),
        to=command.to,
        representative=command.representative,
        content=Content(text=command.text or command.representative.name or command.event_type),
    )


def end(ports: Ports, entry: JournalEntry, command: Command) -> Attempt:
    """Returns the command as it ends without arriving, and the notification for the team.

    Where JOINED is only a text, the human's messages carry their own label, and go on. A failed
    notification is not notified again: the log and an alarm report it.
    """
    broken = is_joined(command) and _has_frames(ports, entry, command)
    state = State.BROKEN if broken else State.UNKNOWN if command.ambiguous else State.FAILED
    ended = settled(command, state)
    return Attempt(ended, () if command.reported else _notifications_of(ports, entry, ended))


def report(ports: Ports, entry: JournalEntry, command: Command) -> Attempt:
    """Returns a command that keeps failing, and the notification for the team: only one, also if
    the command ends so.
    """
    log(
        "ERROR",
        "a delivery has failed for minutes; it will be tried on",
        conversation=entry.conversation,
        command=command.id,
        line=command.line,
        reason=command.error,
    )
    return Attempt(
        command.model_copy(update={"reported": True}), _notifications_of(ports, entry, command)
    )


def _notifications_of(ports: Ports, entry: JournalEntry, command: Command) -> tuple[Command, ...]:
    """Returns the notification for the team; none for a failure that the log and an alarm
    report.
    """
    return () if isinstance(command, UNTOLD) else (tell_the_team(ports, entry, command),)


def is_joined(command: Command) -> bool:
    return isinstance(command, SendEvent) and command.event_type == "REPRESENTATIVE_JOINED"


def _has_frames(ports: Ports, entry: JournalEntry, command: Command) -> bool:
    shown_in = (
        command.shown_in(entry.conversation)
        if isinstance(command, ToChannel)
        else entry.conversation
    )
    return ports.policy.of(platform_of(shown_in)).frames


def settled(command: C, state: State) -> C:
    """Returns the command as it stays in the journal, without the body that went to a topic,
    webhook or desk.
    """
    update: dict[str, object] = {
        "state": state,
        "retry_at": None,
        "until": None,
        "in_hand_until": None,
    }
    if isinstance(command, Publish | Post | Comment | TellTeam):
        update["body"] = {}
    if isinstance(command, CallDesk):
        update |= {"text": None, "metadata": None, "variables": None}
    return command.model_copy(update=update)


def tell_the_team(ports: Ports, entry: JournalEntry, command: Command) -> Publish:
    body = Notification(
        id=command_id(entry.conversation, entry.id, f"{command.id} delivery.failed"),
        type="delivery.failed",
        conversation=entry.conversation,
        transcript=transcript_of(entry.conversation),
        time=ports.clock.now(),
        representative=getattr(command, "representative", None),
        reason=f"{command.kind} {command.state.value}: {command.error}",
        message_id=command.id if isinstance(command, SendMessage) else None,
    )
    return Publish(
        id=body.id,
        topic=HANDOFFS,
        body=body.model_dump(mode="json", by_alias=True),
        since=body.time,
    )
