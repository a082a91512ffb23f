"""`python -m infra.export --from --to --format jsonl|csv|html [--output FILE] [--redact]`: transcripts, streamed.

It reads the store that the environment names (BATON_STORE and what goes with it; the local run's, where it names none)
a page at a time. With --output it can be interrupted: FILE.progress remembers how far it came, and the same command
goes on from there. Erased conversations are not in it.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from infra.transcript_formats import FORMATS, Format, Write
from infra.transcripts import Line, Mask, lines
from shared import bootstrap, logs
from shared.errors import BadRequest, BatonError
from shared.ports import ConversationStore
from shared.reports.period import Period, period
from shared.schemas.conversation import Conversation

PAGE = 50  # conversations or entries in memory at once
SAY_EVERY = 1.0  # seconds


class Progress:
    """How far an export came: the page of conversations, those of it that are done, and the length of the file then."""

    def __init__(self, output: Path | None, asked: str) -> None:
        self._path = output and output.with_name(f"{output.name}.progress")
        self._asked = hashlib.sha256(asked.encode()).hexdigest()
        self.cursor: str | None = None
        self.done: list[str] = []
        self.length = 0
        self.messages = self.conversations = 0
        self._said = 0.0

    def resume(self) -> bool:
        """Returns whether an earlier run of the same command was interrupted."""
        if self._path is None or not self._path.is_file():
            return False
        kept = json.loads(self._path.read_text())
        if kept.pop("asked") != self._asked:
            raise SystemExit(f"{self._path} is of another export: finish that one, or delete the file.")
        vars(self).update(kept)
        return True

    def save(self, length: int) -> None:
        self.length = length
        if self._path is not None:
            kept = ("cursor", "done", "length", "messages", "conversations")
            written = self._path.with_name(f"{self._path.name}.new")
            written.write_text(json.dumps({"asked": self._asked, **{name: getattr(self, name) for name in kept}}))
            os.replace(written, self._path)

    def say(self, *, last: bool = False) -> None:
        if last or time.monotonic() - self._said > SAY_EVERY:
            self._said = time.monotonic()
            told = f"{self.conversations:,} conversations, {self.messages:,} messages"
            print(f"\r{told}{'.' if last else ' ...'}", end="\n" if last else "", file=sys.stderr, flush=True)

    def finish(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self.say(last=True)


def _is_erased(conversation: Conversation) -> bool:
    """Also while an erase is not finished: what is left of it may still be read."""
    return conversation.erased or conversation.erasing is not None


class Export:
    """One run: walks the conversations and writes those with something to show."""

    def __init__(self, store: ConversationStore, span: Period, into: Format, *, redact: bool) -> None:
        self._store = store
        self._span = span
        self._into = into
        self._redact = redact

    async def run(self, progress: Progress, file: BinaryIO) -> None:
        if progress.length == 0:
            self._into.begin()
        async for conversation in self._conversations(progress):
            progress.messages += await self._write(conversation, progress)
            progress.done.append(conversation.id)
            file.flush()
            progress.save(file.tell() if file.seekable() else 0)
            progress.say()
        self._into.end()
        file.flush()
        progress.finish()

    async def _conversations(self, progress: Progress) -> AsyncIterator[Conversation]:
        """Yields those that are not done, as they stand when it is their turn: one may have been erased meanwhile."""
        while True:
            page = await self._store.conversations(progress.cursor, PAGE)
            for known in page.items:
                now = None if _is_erased(known) or known.id in progress.done else await self._store.load(known.id)
                if now is not None and not _is_erased(now.value):
                    yield now.value
            if page.cursor is None:
                return
            progress.cursor, progress.done = page.cursor, []

    async def _write(self, conversation: Conversation, progress: Progress) -> int:
        """Returns how many messages there were."""
        mask, messages, opened = Mask.of(conversation), 0, False
        async for line in self._lines(conversation):
            if not opened:
                self._into.open(conversation)
                opened = True
            self._into.line(mask.line(line) if self._redact else line)
            messages += line.role is not None
        if opened:
            self._into.close()
            progress.conversations += 1
        return messages

    async def _lines(self, conversation: Conversation) -> AsyncIterator[Line]:
        cursor: str | None = ""
        while cursor is not None:
            page = await self._store.journal(conversation.id, cursor or None, PAGE)
            for entry in page.items:
                if entry.value.time >= self._span.until:
                    return
                if entry.value.time >= self._span.since and not entry.value.marker:
                    for line in lines(entry.value):
                        yield line
            cursor = page.cursor


async def export(arguments: argparse.Namespace) -> None:
    span = period(arguments.since, arguments.until, arguments.tz, datetime.now(UTC))
    progress = Progress(arguments.output, repr((span, arguments.format, arguments.redact, arguments.human_role)))
    resumed = progress.resume()
    file = _opened(arguments.output, progress.length if resumed else 0)
    store = bootstrap.baton().ports.store
    try:
        into = FORMATS[arguments.format](_writer(file), arguments.human_role)
        await Export(store, span, into, redact=arguments.redact).run(progress, file)
    finally:
        if arguments.output is not None:
            file.close()


def _writer(file: BinaryIO) -> Write:
    def write(text: str) -> None:
        file.write(text.encode("utf-8", "surrogatepass"))

    return write


def _opened(output: Path | None, length: int) -> BinaryIO:
    """Returns the file, cut back to what is known to be whole."""
    if output is None:
        return sys.stdout.buffer
    file = output.open("r+b" if length else "wb")
    file.truncate(length)
    file.seek(length)
    return file


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.export", description="Stream transcripts.")
    parser.add_argument("--from", dest="since", help="the first day, like 2026-11-01 (default: seven days ago)")
    parser.add_argument("--to", dest="until", help="the day after the last one (default: tomorrow)")
    parser.add_argument("--tz", help="whose days these are, like Asia/Jakarta (default: UTC)")
    parser.add_argument("--format", choices=sorted(FORMATS), default="jsonl")
    parser.add_argument("--output", type=Path, help="where to (default: standard output, which cannot be resumed)")
    parser.add_argument("--redact", action="store_true", help="mask e-mail addresses, phone numbers, hidden variables")
    role = "what a human agent is called; `assistant` for tools that know only two roles"
    parser.add_argument("--human-role", default="human_agent", choices=("human_agent", "assistant"), help=role)
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    logs.hide("DEBUG")
    try:
        asyncio.run(export(_arguments(given)))
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here if it had --output", file=sys.stderr)
        return 130
    except BadRequest as error:
        print(f"not exported: {error.message}", file=sys.stderr)
        return 2
    except BatonError as error:
        print(f"\nnot finished, run it again: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
