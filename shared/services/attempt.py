"""One try at one command, and what its answer makes of it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pydantic_core

from shared.errors import BatonError
from shared.handoff.notices import frame_notice
from shared.platforms.base import Outcome, outcome_of_status
from shared.ports import Ports
from shared.schemas.commands import Command, Post, Publish, SendEvent, SendMessage, State, ToCustomer
from shared.schemas.content import Content
from shared.schemas.exchange import Answer
from shared.schemas.ids import command_id, platform_of
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import HANDOFFS, Notification
from shared.services.webhooks import webhook_call

FORBIDDEN_TRIES = 3
AS_NOTICE = {"notice": True, "attempts": 0, "forbidden": 0, "ambiguous": False}
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 600.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """The command as it stands now, and what follows from it (a team notification of a failure)."""

    command: Command
    added: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class _Result:
    """`arrived` None: nobody knows whether the call took effect."""

    outcome: Outcome
    fault: str | None = None
    arrived: bool | None = True
    retry_after: float | None = None


async def attempt(ports: Ports, entry: JournalEntry, command: Command) -> Attempt:
    """Returns what one try made of `command`: sent, to be tried again at `retry_at`, or ended with a reason."""
    result = await _do(ports, entry, command)
    if result.outcome is Outcome.DONE:
        return Attempt(_settled(command, State.SENT))
    tried = _tried(command, result)
    if not _is_final(ports, entry, tried, result.outcome):
        pause = result.retry_after if result.retry_after is not None else backoff(tried.attempts)
        return Attempt(tried.model_copy(update={"retry_at": ports.clock.now() + timedelta(seconds=pause)}))
    if isinstance(tried, SendEvent) and not tried.notice:
        return await attempt(ports, entry, tried.model_copy(update=AS_NOTICE))
    return _end(ports, entry, tried)


def _tried(command: Command, result: _Result) -> Command:
    ambiguous = command.ambiguous or result.arrived is None
    forbidden = command.forbidden + (result.outcome is Outcome.FORBIDDEN)
    update = {"attempts": command.attempts + 1, "forbidden": forbidden, "ambiguous": ambiguous, "error": result.fault}
    return command.model_copy(update=update)


def _is_final(ports: Ports, entry: JournalEntry, tried: Command, outcome: Outcome) -> bool:
    too_old = ports.clock.now() - (tried.since or entry.time) > ports.policy.give_up_after
    return outcome is Outcome.PERMANENT or tried.forbidden >= FORBIDDEN_TRIES or too_old


def backoff(attempts: int) -> float:
    """Returns seconds until the next try: within 1 s at first, doubling, at most 600, with jitter."""
    longest: float = min(FIRST_PAUSE * 2 ** min(attempts, 20), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1)


async def _do(ports: Ports, entry: JournalEntry, command: Command) -> _Result:
    try:
        if isinstance(command, Publish):
            await ports.publisher.publish(command.topic, pydantic_core.to_json(command.body), entry.conversation)
            return _Result(Outcome.DONE)
        if isinstance(command, Post):
            return _judge(await ports.sender.send(webhook_call(ports.webhooks, command)), ports.clock.now())
        return await _send(ports, entry, command)
    except BatonError as error:
        return _Result(Outcome.TRANSIENT if error.retryable else Outcome.PERMANENT, error.reason, arrived=False)


async def _send(ports: Ports, entry: JournalEntry, command: ToCustomer) -> _Result:
    platform = ports.platforms.get(platform_of(entry.conversation))
    form = _notice(command) if isinstance(command, SendEvent) and command.notice else command
    call = platform.call(form) if platform else None
    if platform is None or call is None:
        return _Result(Outcome.PERMANENT, "the platform has no such thing")
    answer = await ports.sender.send(call)
    return _judge(answer, ports.clock.now(), platform.outcome(answer) if answer else None)


def _judge(answer: Answer | None, now: datetime, outcome: Outcome | None = None) -> _Result:
    if answer is None:
        return _Result(Outcome.TRANSIENT, "no answer", arrived=None)
    outcome = outcome or outcome_of_status(answer.status)
    unsure = None if answer.status in (408, 500, 502, 503, 504) else False
    return _Result(outcome, f"HTTP {answer.status}", unsure, _retry_after(answer, now))


def _retry_after(answer: Answer, now: datetime) -> float | None:
    """Returns the seconds that the platform asks to wait (a number or an HTTP date), at most 600."""
    value = answer.headers.get("retry-after", "")
    if value.strip().isdecimal():
        return min(float(value), LONGEST_PAUSE)
    try:
        return min(max((parsedate_to_datetime(value) - now).total_seconds(), 0.0), LONGEST_PAUSE)
    except (TypeError, ValueError):
        return None


def _notice(command: SendEvent) -> SendMessage:
    """Returns the text that stands in for a JOINED or LEFT, labelled with its human."""
    text = frame_notice(command.event_type, command.representative.name)
    return SendMessage(
        id=command_id(command.to, command.id, "notice"),
        to=command.to,
        representative=command.representative,
        content=Content(text=text),
    )


def _end(ports: Ports, entry: JournalEntry, command: Command) -> Attempt:
    """Returns the end of a command that will not arrive, and what the team is told of it."""
    joined = isinstance(command, SendEvent) and command.event_type == "REPRESENTATIVE_JOINED"
    state = State.BROKEN if joined else State.UNKNOWN if command.ambiguous else State.FAILED
    ended = _settled(command, state)
    return Attempt(ended, () if isinstance(command, Publish) else (_tell_the_team(ports, entry, ended),))


def _settled(command: Command, state: State) -> Command:
    """Returns the command as it stays in the journal: what went to a topic or webhook is not kept a second time."""
    update: dict[str, object] = {"state": state, "retry_at": None}
    if isinstance(command, Publish | Post):
        update["body"] = {}
    return command.model_copy(update=update)


def _tell_the_team(ports: Ports, entry: JournalEntry, command: Command) -> Publish:
    body = Notification(
        id=command_id(entry.conversation, entry.id, f"{command.id} delivery.failed"),
        type="delivery.failed",
        conversation=entry.conversation,
        time=ports.clock.now(),
        representative=getattr(command, "representative", None),
        reason=f"{command.kind} {command.state.value}: {command.error}",
    )
    return Publish(id=body.id, topic=HANDOFFS, body=body.model_dump(mode="json", by_alias=True), since=body.time)
