"""`python -m infra.export --from --to --format jsonl|csv|html [--output FILE] [--redact]`: streams
transcripts.

It reads one page at a time from the store that the environment names (BATON_STORE and its
settings), or else from the local run's store. An export with --output can be interrupted:
FILE.progress stores how far it came, and the same command continues. Erased conversations are not
exported.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from infra.command import INTERRUPTED
from infra.export.files import Progress, Reached, command_line
from infra.export.media import FAILURES, Saver
from infra.export.redaction import Mask, pseudonym
from infra.export.transcript_formats import FORMATS, Format, Write
from infra.export.transcripts import Line, lines
from infra.state import opened
from shared import logs
from shared.errors import BadRequest, BatonError, Unreadable
from shared.ports import ConversationStore
from shared.reports.period import Period, period
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry

PAGE = 50  # conversations or entries in memory at once


def _is_erased(conversation: Conversation) -> bool:
    """Returns whether the conversation is erased. An erase that is not finished counts too: its
    rest may still be read.
    """
    return conversation.erased or conversation.erasing is not None


class Export:
    """One run: reads the conversations and writes those in which something was said."""

    def __init__(
        self,
        store: ConversationStore,
        span: Period,
        into: Format,
        *,
        redact: bool,
        saver: Saver | None = None,
    ) -> None:
        self._store = store
        self._span = span
        self._into = into
        self._redact = redact
        self._saver = saver

    async def run(self, progress: Progress, file: IO[bytes]) -> None:
        reached = progress.reached
        if reached.length == 0:
            self._into.begin()
        async for conversation in self._conversations(reached):
            saved = self._saver.saved if self._saver else 0
            messages, is_whole = await self._write(conversation, reached.salt)
            reached.messages += messages
            reached.unreadable += not is_whole
            reached.conversations += messages > 0
            reached.files += self._saver.saved - saved if self._saver else 0
            reached.done.append(conversation.id)
            file.flush()
            progress.save(file.tell() if file.seekable() else 0)
            progress.say()
        self._into.end()
        file.flush()
        progress.finish()

    async def _conversations(self, reached: Reached) -> AsyncIterator[Conversation]:
        """Yields the conversations that are not done, each as it is when its turn comes: it may
        have been erased since the page was read.
        """
        while True:
            page = await self._store.conversations(reached.cursor, PAGE)
            for known in page.items:
                if _is_erased(known) or known.id in reached.done:
                    continue
                with contextlib.suppress(Unreadable):
                    now = await self._store.load(known.id)
                    if now is not None and not _is_erased(now.value):
                        yield now.value
            reached.unreadable += page.unreadable
            if page.cursor is None:
                return
            reached.cursor, reached.done = page.cursor, []

    async def _write(self, conversation: Conversation, salt: str) -> tuple[int, bool]:
        """Writes a conversation, and returns the number of its messages and whether all of its
        entries could be read. A conversation without messages is not written.
        """
        messages, before, is_whole = 0, list[Line](), True
        try:
            async for line in self._lines(conversation):
                if messages == 0 and line.role is None:
                    before.append(line)
                    continue
                if messages == 0:
                    self._open(conversation, salt, before)
                self._into.line(await self._saver.line(line) if self._saver else line)
                messages += line.role is not None
        except Unreadable:
            is_whole = False
        if messages:
            self._into.close()
        return messages, is_whole

    def _open(self, conversation: Conversation, salt: str, before: Iterable[Line]) -> None:
        self._into.open(
            pseudonym(conversation.id, salt) if self._redact else conversation.id,
            conversation.platform,
        )
        for line in before:
            self._into.line(line)

    async def _lines(self, conversation: Conversation) -> AsyncIterator[Line]:
        mask = Mask(await self._family(conversation)) if self._redact else None
        async for entry in self._entries(conversation):
            if mask is not None:
                mask.learn(entry)
            if entry.time >= self._span.since:
                for line in lines(entry):
                    yield mask.line(line) if mask is not None else line

    async def _family(self, conversation: Conversation) -> list[Conversation]:
        """Returns the conversation and those that are linked with it: a value that one of them
        knows may appear in another.
        """
        to = await self._store.load(conversation.linked_to) if conversation.linked_to else None
        known = [conversation, *([to.value] if to else [])]
        others = {link for one in known for link in one.links} - {one.id for one in known}
        found = [await self._store.load(link) for link in sorted(others)]
        return [*known, *(one.value for one in found if one is not None)]

    async def _entries(self, conversation: Conversation) -> AsyncIterator[JournalEntry]:
        """Yields the journal from its beginning, without what was accepted after the period.

        Clocks differ: an entry that was accepted later may have an earlier time.
        """
        cursor: str | None = ""
        while cursor is not None:
            page = await self._store.journal(conversation.id, cursor or None, PAGE)
            for entry in page.items:
                if not entry.value.marker and entry.value.time < self._span.until:
                    yield entry.value
            cursor = page.cursor


def _asked(arguments: argparse.Namespace, span: Period) -> list[str]:
    """Returns the arguments in a form that means the same on every day."""
    since, until = (
        span.local(moment).isoformat(timespec="minutes") for moment in (span.since, span.until)
    )
    named = {"from": since, "to": until, "tz": span.zone.key, "format": arguments.format}
    named |= {"human-role": arguments.human_role}
    asked = [part for name, value in named.items() for part in (f"--{name}", value)]
    redact = ["--redact"] if arguments.redact else []
    media = ["--media", str(arguments.media)] if arguments.media else []
    return [
        *asked,
        *redact,
        *media,
        *(["--output", str(arguments.output)] if arguments.output else []),
    ]


@dataclass(frozen=True, slots=True)
class Left:
    """How many conversations were left out, in whole or from some entry on, because a document of
    theirs cannot be read, and how many files could not be saved.
    """

    unreadable: int
    unsaved: int


async def export(arguments: argparse.Namespace, span: Period, asked: list[str]) -> Left:
    """Returns what is missing in the export."""
    with contextlib.redirect_stdout(sys.stderr):
        baton = opened()
    store = " ".join(
        filter(None, [baton.settings.baton_store, baton.settings.google_cloud_project])
    )
    progress = Progress(arguments.output, Reached(store, asked))
    saver = Saver(baton.ports, arguments.media) if arguments.media else None
    file = progress.open()
    try:
        if saver is not None:
            saver.begin(resumed=progress.reached.length > 0)
        into = FORMATS[arguments.format](_writer(file), arguments.human_role)
        # the stream of log lines, which are no transcripts
        with contextlib.redirect_stdout(sys.stderr):
            redact = arguments.redact
            work = Export(baton.ports.store, span, into, redact=redact, saver=saver)
            await work.run(progress, file)
    finally:
        if arguments.output is not None:
            file.close()
        await baton.close()
    return Left(progress.reached.unreadable, saver.failed if saver else 0)


def _writer(file: IO[bytes]) -> Write:
    def write(text: str) -> None:
        file.write(text.encode("utf-8", "surrogatepass"))

    return write


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.export", description="Stream transcripts."
    )
    parser.add_argument(
        "--from", dest="since", help="the first day, like 2026-11-01 (default: seven days ago)"
    )
    parser.add_argument("--to", dest="until", help="the day after the last one (default: tomorrow)")
    parser.add_argument("--tz", help="whose days these are, like Asia/Jakarta (default: UTC)")
    parser.add_argument("--format", choices=sorted(FORMATS), default="jsonl")
    parser.add_argument(
        "--output", type=Path, help="where to (default: standard output, which cannot be resumed)"
    )
    masked = (
        "mask e-mail addresses, numbers like telephone numbers, "
        "hidden variables, links, conversation ids; leave out files"
    )
    parser.add_argument("--redact", action="store_true", help=masked)
    media = "save the files of the messages below this folder; what is there is not fetched again"
    parser.add_argument("--media", type=Path, metavar="DIR", help=media)
    role = "what a human agent is called; `assistant` for tools that know only two roles"
    parser.add_argument(
        "--human-role", default="human_agent", choices=("human_agent", "assistant"), help=role
    )
    arguments = parser.parse_args(given)
    if arguments.redact and arguments.media:
        parser.error("--redact leaves out all files, so there are none for --media")
    return arguments


def main(given: list[str] | None = None) -> int:
    logs.hide("DEBUG")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _arguments(given)
    try:
        span = period(arguments.since, arguments.until, arguments.tz, datetime.now(UTC))
    except BadRequest as error:
        return _ended(f"not exported: {error.message}", 2)
    asked = _asked(arguments, span)
    again = (
        f"To go on: {command_line(asked)}" if arguments.output else "Nothing is left to go on from."
    )
    try:
        left = asyncio.run(export(arguments, span, asked))
    except KeyboardInterrupt:
        return _ended(f"\ninterrupted. {again}", INTERRUPTED)
    except BrokenPipeError:
        raise  # a reader that closed the pipe has what it wanted
    except BadRequest as error:
        return _ended(f"not exported: {error.message}", 2)
    except (BatonError, OSError) as error:
        return _ended(f"\nnot finished: {str(error).rstrip('.')}. {again}", 1)
    missing = [*_missing(left, arguments.media)]
    return _ended("\n".join(missing), 1) if missing else 0


def _missing(left: Left, media: Path | None) -> Iterator[str]:
    if left.unreadable:
        yield (
            f"{left.unreadable} conversations are missing or end early: their documents were "
            "written by a newer version of Baton, or are damaged. Export them with the newest "
            "version."
        )
    if left.unsaved and media:
        yield (
            f"{left.unsaved} files could not be saved: {media / FAILURES} says which, and why. "
            "The same command tries them again, and fetches no other file twice."
        )


def _ended(why: str, status: int) -> int:
    print(why, file=sys.stderr)
    return status
