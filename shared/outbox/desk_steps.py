"""Makes the calls of a desk, one step after the other."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Generic

from shared.errors import BatonError
from shared.handoff.visibility import attachments_of
from shared.logs import log
from shared.media.sources import Source
from shared.media_links import MediaName
from shared.outbox.tries import Result, judge
from shared.platforms.base import Outcome
from shared.platforms.desk import ChatDesk, Declined, HasPauses, Made, OpenFile, Passing, Steps
from shared.ports import Ports
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry
from shared.values import frozen

DONE = Result(Outcome.DONE)
UNKNOWN_TYPE = "application/octet-stream"
Send = Callable[[Call], Awaitable[Answer | None]]


@frozen
class Carried(Generic[Made]):
    """How steps ended: what they made, None unless all were done; the result and the answer of the
    last call.
    """

    made: Made | None
    result: Result
    answer: Answer | None = None

    @property
    def is_done(self) -> bool:
        return self.result.outcome is Outcome.DONE


async def carry_out(
    ports: Ports,
    desk: ChatDesk,
    steps: Steps[Made],
    send: Send | None = None,
    entry: JournalEntry | None = None,
) -> Carried[Made]:
    """Makes the calls until one fails. `send` makes a call, the sender of `ports` by default.
    `entry` is the customer's message, for steps that pass its files on. After a final refusal the
    steps may go on with another call.

    Raises BatonError.
    """
    send = send or ports.sender.send
    sent: Answer | Declined | None = None
    failed: Carried[Made] = Carried(None, DONE)
    try:
        while True:
            step = steps.throw(sent) if isinstance(sent, Declined) else steps.send(sent)
            if isinstance(step, Passing):
                sent = await _passed(ports, desk, step, send, entry)
                continue
            answer = await send(step)
            result = judge(ports, answer, desk.outcome)
            if answer is not None and result.outcome is Outcome.DONE:
                sent = answer
                continue
            failed = Carried(None, _failed(desk, answer, result), answer)
            if answer is None or result.outcome is not Outcome.PERMANENT:
                return failed
            sent = Declined(answer)
    except StopIteration as end:
        return Carried(end.value, DONE, sent if isinstance(sent, Answer) else failed.answer)
    except Declined:
        return failed
    finally:
        steps.close()


def _failed(desk: ChatDesk, answer: Answer | None, result: Result) -> Result:
    """Returns the result with what the desk says of it."""
    if answer is None:
        return result
    pause = desk.pause(answer) if isinstance(desk, HasPauses) else None
    said = f"{result.fault} {desk.refusal(answer) or ''}".strip()
    return replace(result, fault=said, retry_after=result.retry_after or pause)


async def _passed(
    ports: Ports, desk: ChatDesk, step: Passing, send: Send, entry: JournalEntry | None
) -> Answer | None:
    """Returns the desk's answer to a file, None if the desk cannot have it: its link is shown.
    Raises BatonError if the desk was not reached: then the file is passed on later.
    """
    files = attachments_of(entry) if entry else ()
    if entry is None or step.file >= len(files):
        return None
    file, name = files[step.file], MediaName(entry.conversation, entry.id, step.file)
    async with AsyncExitStack() as stack:
        try:
            source = Source(ports, entry.source, name, file)
            opened = await stack.enter_async_context(source.open())
        except BatonError as error:
            log("WARNING", "a file is shown as a link", desk=desk.name, reason=error.reason)
            return None
        length = opened.headers.get("content-length", "")
        size = int(length) if length.isascii() and length.isdigit() else None
        mime_type = file.mime_type or opened.headers.get("content-type") or UNKNOWN_TYPE
        call = step.call(OpenFile(file.file_name, mime_type, size, opened.chunks))
        answer = await send(call) if call else None
    done = answer is not None and desk.outcome(answer) is Outcome.DONE
    return answer if done else None
