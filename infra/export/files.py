"""The files of an export: the output and its progress. They hold personal data, so only their owner
may read them.
"""

import os
import secrets
import shlex
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import pydantic_core
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from shared.errors import BadRequest

OWNER_ONLY = 0o600
SAY_EVERY = 1.0  # seconds


@with_config(ConfigDict(extra="forbid"))
@dataclass(slots=True)
class Reached:
    """How far an export came: the page of conversations, those of the page that are done, and the
    length of the output then.

    `store` is the store it reads, `asked` the arguments of the run. `salt` keeps the pseudonyms the
    same after a resume.
    """

    store: str
    asked: list[str]
    salt: str = field(default_factory=lambda: secrets.token_hex(32))
    cursor: str | None = None
    done: list[str] = field(default_factory=list)
    length: int = 0
    messages: int = 0
    conversations: int = 0
    unreadable: int = 0
    files: int = 0


_REACHED = TypeAdapter(Reached)


class Progress:
    """Stores how far an export came in FILE.progress until it is done, and prints it."""

    def __init__(self, output: Path | None, reached: Reached) -> None:
        self._output = output
        self._path = output and Path(f"{output}.progress")
        self._said = 0.0
        self.reached = reached

    def open(self) -> IO[bytes]:
        """Returns the file to write to, cut back to the part that is known to be complete. Raises
        BadRequest.

        `reached` is how far an interrupted run of the same command came.
        """
        if self._output is None or self._path is None:
            if sys.stdout is None:
                raise BadRequest("no-file", "Standard output is closed; give --output.")
            return sys.stdout.buffer
        resumed = self._path.is_file()
        if resumed:
            self.reached = self._earlier(self._path)
            self._check(self._output, self._path)
        elif self._output.exists() and not self._output.is_file():
            raise BadRequest(
                "no-file", f"{self._output} is no file; leave --output out to write to a pipe."
            )
        try:
            file = own(self._output, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise BadRequest(
                "no-file", f"{self._output} cannot be written: {error.strerror}."
            ) from error
        file.truncate(self.reached.length)
        file.seek(self.reached.length)
        return file

    def save(self, length: int) -> None:
        self.reached.length = length
        if self._path is not None:
            written = Path(f"{self._path}.new")
            with own(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
                file.write(pydantic_core.to_json(asdict(self.reached)))
            os.replace(written, self._path)

    def say(self, *, last: bool = False) -> None:
        if last or time.monotonic() - self._said > SAY_EVERY:
            self._said = time.monotonic()
            reached = self.reached
            told = f"{reached.conversations:,} conversations, {reached.messages:,} messages"
            told += f", {reached.files:,} files" if reached.files else ""
            print(
                f"\r{told}{'.' if last else ' ...'}",
                end="\n" if last else "",
                file=sys.stderr,
                flush=True,
            )

    def finish(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self.say(last=True)

    def _earlier(self, path: Path) -> Reached:
        try:
            earlier = _REACHED.validate_json(path.read_bytes())
        except ValidationError as error:
            raise BadRequest(
                "not-resumable", f"{path} cannot be read; delete it to begin anew."
            ) from error
        if earlier.asked != self.reached.asked:
            command = command_line(earlier.asked)
            raise BadRequest(
                "not-resumable",
                f"{path} is of another export. Finish it: {command}\nor delete the file.",
            )
        if earlier.store != self.reached.store:
            raise BadRequest(
                "not-resumable",
                f"{path} is of another store ({earlier.store}); delete it to begin anew.",
            )
        return earlier

    def _check(self, output: Path, path: Path) -> None:
        """Raises BadRequest where a part of the output is missing: the export cannot continue from
        there.
        """
        there = output.stat().st_size if output.is_file() else None
        if there is None or there < self.reached.length:
            found = "is missing" if there is None else f"has only {there:,} bytes"
            told = f"{output} {found}, and {path} says that {self.reached.length:,} were written."
            raise BadRequest(
                "not-resumable", f"{told} Put the file back, or delete {path} to begin anew."
            )


def command_line(asked: list[str]) -> str:
    """Returns the command that runs this export."""
    python = os.path.relpath(sys.executable) if sys.prefix != sys.base_prefix else "python"
    return shlex.join([python, "-m", "infra.export", *asked])


def own(path: Path, flags: int) -> IO[bytes]:
    """Returns the file, readable by its owner only, also where it existed before."""
    file = os.fdopen(os.open(path, flags, OWNER_ONLY), "r+b" if flags & os.O_RDWR else "wb")
    path.chmod(OWNER_ONLY)
    return file
