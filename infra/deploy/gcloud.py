"""Steps of gcloud commands: each makes one thing or, where it is there, brings it up to date. They
can be run, or printed as a shell script that does the same.
"""

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_VALUE = re.compile("\x00([A-Z_]+)\x00")
# A service account that was made a moment ago is not known everywhere yet.
_NEWBORN = re.compile(r"[Ss]ervice account .* does not exist")
PATIENCE = 6
FOUND = "\x00FOUND\x00"  # what a step's `probe` printed


def value(name: str) -> str:
    """Returns a stand-in for what an earlier step remembered under this name."""
    return f"\x00{name}\x00"


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its words; `stdin` is what it reads, `secret` the variable of the
    environment that it reads.
    """

    words: tuple[str, ...]
    stdin: str | None = None
    secret: str | None = None

    def shell(self) -> str:
        """Returns it as a line for a shell."""
        line = " ".join(map(_quoted, self.words))
        if self.secret is not None:
            return f'printf %s "${{{self.secret}:?}}" | {line}'
        return line if self.stdin is None else f"printf %s {_quoted(self.stdin)} | {line}"


@dataclass(frozen=True, slots=True)
class Step:
    """`probe` succeeds where the thing exists or, if `lists`, prints its name. `function` is
    whose step it is.
    """

    title: str
    create: Command
    probe: Command | None = None
    lists: bool = False
    update: tuple[Command, ...] = ()
    remembers: str | None = None
    function: str | None = None

    def shell(self) -> str:
        """Returns it as lines for a shell, which may be run again and again."""
        return "\n".join([f"# {self.title}", *self._lines()])

    def _lines(self) -> list[str]:
        create = self.create.shell()
        if self.remembers is not None:
            return [f"{self.remembers}=$({create})"]
        if self.probe is None:
            return [create]
        if self.lists:
            return [f"FOUND=$({self.probe.shell()})", *self._branches('[ -n "$FOUND" ]', create)]
        return self._branches(f"{self.probe.shell()} >/dev/null 2>&1", create)

    def _branches(self, condition: str, create: str) -> list[str]:
        if not self.update:
            return [f"{condition} || {create}"]
        return [
            f"if {condition}; then",
            *(f"  {one.shell()}" for one in self.update),
            "else",
            f"  {create}",
            "fi",
        ]


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    output: str
    errors: str = ""


Run = Callable[[tuple[str, ...], str | None], Result]


class StepFailed(Exception):
    """A command ended with an error; nothing after it was done."""

    def __init__(self, step: Step, command: Command, result: Result) -> None:
        super().__init__(step.title)
        self.step, self.command, self.result = step, command, result


def run_command(words: tuple[str, ...], stdin: str | None) -> Result:
    """Runs a command of this machine; one that is not there fails as in a shell."""
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        return Result(127, "", f"{words[0]}: not found on this machine")
    except (OSError, ValueError) as error:  # it may not be run, or a word holds a NUL
        return Result(126, "", f"{words[0]}: {error}")
    return Result(done.returncode, done.stdout, done.stderr)


@dataclass(slots=True)
class Runner:
    """Runs steps, one after another, and remembers what later ones need."""

    run: Run
    secrets: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    pause: Callable[[float], None] = time.sleep

    def do(self, steps: Iterable[Step], say: Callable[[str], None]) -> None:
        """Raises StepFailed at the first command that fails."""
        every = list(steps)
        for number, step in enumerate(every, 1):
            say(f"[{number}/{len(every)}] {step.title} ... ")
            say(f"{self._do(step)}\n")

    def _do(self, step: Step) -> str:
        if step.probe is None or not self._exists(step):
            output = self._must(step, step.create)
            if step.remembers is not None:
                self.values[step.remembers] = output
                return output
            return "done" if step.probe is None else "made"
        for command in step.update:
            self._must(step, command)
        return "up to date" if step.update else "there already"

    def _exists(self, step: Step) -> bool:
        assert step.probe is not None  # noqa: S101  # the caller looked
        result = self._call(step.probe)
        self.values["FOUND"] = result.output.strip()
        if step.lists and result.code != 0:
            raise StepFailed(step, step.probe, result)
        return result.code == 0 and (not step.lists or bool(self.values["FOUND"]))

    def _must(self, step: Step, command: Command) -> str:
        result = self._call(command)
        for _ in range(PATIENCE):
            if result.code == 0 or not _NEWBORN.search(result.errors):
                break
            self.pause(10)
            result = self._call(command)
        if result.code != 0:
            raise StepFailed(step, command, result)
        return result.output.strip()

    def _call(self, command: Command) -> Result:
        words = tuple(self.filled(word) for word in command.words)
        stdin = self.secrets[command.secret] if command.secret is not None else command.stdin
        return self.run(words, None if stdin is None else self.filled(stdin))

    def filled(self, text: str) -> str:
        return _VALUE.sub(lambda match: self.values[match[1]], text)


def _quoted(word: str) -> str:
    """Returns a word as a shell takes it, its stand-ins as variables."""
    parts = _VALUE.split(word)
    if len(parts) == 1:
        return shlex.quote(word)
    literal = (
        re.sub(r'(["$`\\])', r"\\\1", part) if n % 2 == 0 else f"${{{part}}}"
        for n, part in enumerate(parts)
    )
    return f'"{"".join(literal)}"'
