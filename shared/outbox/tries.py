"""The result of a try, and the time of the next one, if there is one."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

from shared.platforms.base import Outcome, outcome_of_status
from shared.ports import Ports
from shared.schemas.commands import (
    BaseCommand,
    CallDesk,
    Command,
    SendMessage,
    SendSurvey,
    TellTeam,
)
from shared.schemas.http import Answer
from shared.schemas.journal import JournalEntry
from shared.values import frozen

C = TypeVar("C", bound=BaseCommand)
FORBIDDEN_TRIES = 3
PASSING = (Outcome.TRANSIENT, Outcome.NOT_TAKEN, Outcome.PACED, Outcome.CREDENTIALS)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 600.0
PUT_OFF_SECONDS = 10.0
# within a line's patience, so that a command at fault is found soon after it
LONGEST_AT_FIRST = 60.0


@frozen
class Attempt:
    """A command after a try, and the commands that follow from it (such as a notification of its
    failure).

    `failed` is whether the target was at fault, None where the try says nothing about it.
    `answered`: the target answered at all. `put_off`: there was no try, because the target is left
    alone. `unknown_to_it`: the target refuses Baton's credentials, so no other call would succeed.
    `paced`: a rate limit is the reason, and not the command.
    """

    command: Command
    added: tuple[Command, ...] = ()
    failed: bool | None = None
    answered: bool = True
    put_off: bool = False
    unknown_to_it: bool = False
    paced: bool = False


@frozen
class Result:
    """`arrived` None: it is unknown whether the call took effect. `answered`: there was an answer
    of any kind. `status` is that of the answer, `accepted_at` its time by the target's own clock.
    """

    outcome: Outcome
    fault: str | None = None
    arrived: bool | None = True
    retry_after: float | None = None
    native_id: str | None = None
    accepted_at: datetime | None = None
    answered: bool = True
    status: int | None = None


def _by_status(answer: Answer) -> Outcome:
    return outcome_of_status(answer.status)


def is_past_patience(ports: Ports, command: Command) -> bool:
    """Returns whether it has failed for longer than it may hold up its line."""
    return (
        command.failing_since is not None
        and ports.clock.now() - command.failing_since >= ports.policy.line_patience
    )


def again(
    ports: Ports, tried: Command, retry_after: float | None = None, longest: float = LONGEST_PAUSE
) -> Attempt:
    """Returns the command with the time of its next try. The target's own wish never shortens our
    backoff.
    """
    now = ports.clock.now()
    since = tried.failing_since or now
    if now - since < ports.policy.line_patience:
        longest = min(longest, LONGEST_AT_FIRST)
    pause = max(min(backoff(tried.attempts), longest), retry_after or 0.0)
    update = {
        "retry_at": now + timedelta(seconds=pause),
        "until": None,
        "in_hand_until": None,
        "failing_since": since,
    }
    return Attempt(tried.model_copy(update=update), failed=True)


def refused_credentials(ports: Ports, tried: Command) -> Attempt:
    """Returns the command with the time of its next try. The command itself is not at fault: its
    time to fail begins once the credentials are renewed. Until then it keeps its place in its line.
    """
    tried_again = again(ports, tried.model_copy(update={"failing_since": None}))
    begins = {"failing_since": None, "since": ports.clock.now()}
    waits = tried_again.command.model_copy(update=begins)
    return replace(tried_again, command=waits, unknown_to_it=True)


def put_off(ports: Ports, entry: JournalEntry, command: Command) -> Attempt:
    """Returns the command with the time of its next try, where its target is left alone; the pause
    grows with the time that the command has waited.
    """
    now = ports.clock.now()
    waited = (now - (command.since or entry.time)).total_seconds()
    pause = min(max(waited / 4, PUT_OFF_SECONDS), LONGEST_PAUSE) * random.uniform(0.75, 1.25)
    retry_at = now + timedelta(seconds=min(pause, LONGEST_PAUSE))
    update = {"retry_at": retry_at, "until": None, "in_hand_until": None}
    return Attempt(command.model_copy(update=update), put_off=True)


def tried_by(command: C, result: Result) -> C:
    """Returns the command with the result of one more try."""
    ambiguous = command.ambiguous or result.arrived is None
    forbidden = command.forbidden + (result.outcome is Outcome.FORBIDDEN)
    update = {
        "attempts": command.attempts + 1,
        "forbidden": forbidden,
        "ambiguous": ambiguous,
        "error": result.fault,
    }
    return command.model_copy(update=update)


def is_final(ports: Ports, entry: JournalEntry, tried: Command, result: Result) -> bool:
    """Returns whether this was the last try.

    A second survey within a day is answered with 429: waiting for the next day would hold up every
    message behind it. Where the platform does not recognise an id, a message of unknown outcome is
    not sent again; a notice is.

    Nothing is too old while its target refuses Baton's credentials. The time counts from the last
    such refusal.
    """
    began, target = tried.since or entry.time, tried.target(entry.conversation)
    refused_at = ports.circuits.of(target).refused_at if target else None
    began = max(filter(None, (began, refused_at)))
    too_old = ports.clock.now() - began > ports.policy.give_up_after
    surveyed = isinstance(tried, SendSurvey) and result.status == 429
    unsure = (
        isinstance(tried, SendMessage | CallDesk | TellTeam)
        and tried.until is not None
        and result.arrived is None
    )
    return (
        result.outcome is Outcome.PERMANENT
        or tried.forbidden >= FORBIDDEN_TRIES
        or (too_old and result.outcome is not Outcome.CREDENTIALS)
        or unsure
        or surveyed
    )


def backoff(attempts: int) -> float:
    """Returns the seconds until the next try: within 1 s at first, then doubling, at most 600, with
    jitter.
    """
    longest: float = min(FIRST_PAUSE * 2 ** min(attempts, 20), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1)


def judge(
    ports: Ports,
    answer: Answer | None,
    outcome_of: Callable[[Answer], Outcome] = _by_status,
) -> Result:
    """Returns the result that an answer, or its absence, means for the try. `outcome_of` is the
    target's own reading of its answers.

    A success that `outcome_of` does not believe, such as a page of a proxy, leaves it unknown
    whether the call took effect, as an error of the server does.
    """
    if answer is None:
        return Result(Outcome.TRANSIENT, "no answer", arrived=None, answered=False)
    outcome, status = outcome_of(answer), answer.status
    says_nothing = status < 300 or status == 408 or status >= 500
    is_unsure = says_nothing and outcome is Outcome.TRANSIENT
    return Result(
        outcome,
        f"HTTP {status}",
        arrived=None if is_unsure else False,
        retry_after=_retry_after(answer, ports.clock.now()),
        status=status,
    )


def time_of(answer: Answer) -> datetime | None:
    """Returns when the target answered, by its own clock, or None if it does not say."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _retry_after(answer: Answer, now: datetime) -> float | None:
    """Returns the seconds that the platform asks to wait, as a number or an HTTP date; always 0 to
    600.
    """
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return min(float(value), LONGEST_PAUSE)
    try:
        return min(max((parsedate_to_datetime(value) - now).total_seconds(), 0.0), LONGEST_PAUSE)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
