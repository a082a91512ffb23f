"""Steps of gcloud commands: each makes one thing or, where it is there, brings it up to date. They
can be run, or printed as a shell script that does the same.
"""

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from infra.deploy.found import Json, found

_VALUE = re.compile("\x00([A-Z_]+)\x00")
FOUND, ETAG = "\x00FOUND\x00", "\x00ETAG\x00"  # the name and the etag of what a `probe` listed
# What Google says of something that was made a moment ago -> for how many seconds it may say so.
# https://github.com/hashicorp/terraform-provider-google/issues/20571 (the bucket) and 11102 (the
# metric) and https://github.com/GoogleCloudPlatform/cloud-ops-sandbox/issues/896 (an objective's)
SETTLING = {
    r"[Ss]ervice account .* does not exist": 60,
    r"Access to bucket gcf-v2-sources-\S+ denied": 600,
    r"Cannot find metric that matches type": 720,
    r"metric referenced by the provided filter is unknown": 720,
    r"(?i)cloud ?kms": 120,  # a right on a key that was given a moment ago
}
PAUSE = 10
NOT_THERE = r"(?i)not[ _]found|does not exist|matched no|status=\[404\]"
WARNING = r"(?m)^WARNING: .+"  # what gcloud says beside what it did


def value(name: str) -> str:
    """Returns a stand-in for what an earlier step remembered under this name."""
    return f"\x00{name}\x00"


def as_json(body: Json) -> str:
    """Returns JSON in which stand-ins are still filled in: JSON would escape their marks."""
    return json.dumps(body).replace("\\u0000", "\x00")


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
    """`probe` succeeds where the thing exists; with `same` it prints a list, in which the thing
    is what holds the same. `undo` takes the thing away. `fallback` runs where Google refuses
    `create`. Where the thing exists and `probe` prints something else than `usual`, the operator
    reads `unusual`. `function` is the function that the step belongs to.
    """

    title: str
    create: Command
    probe: Command | None = None
    same: Json | None = None
    update: tuple[Command, ...] = ()
    undo: Command | None = None
    fallback: Command | None = None
    usual: str | None = None
    unusual: str = ""
    remembers: str | None = None
    function: str | None = None

    def shell(self) -> str:
        """Returns it as lines for a shell, which may be run again and again."""
        return "\n".join([f"# {self.title}", *self._lines()])

    def _lines(self) -> list[str]:
        create = self.create.shell()
        if self.fallback is not None:
            create = f"{create} || {self.fallback.shell()}"
        if self.remembers is not None:
            return [f"{self.remembers}=$({self._finding(self.create)})"]
        if self.probe is None:
            return [create]
        if self.usual is not None:
            asks = f"{self.probe.shell()} 2>/dev/null || echo {self.usual}"
            return [f'[ "$({asks})" = {self.usual} ] || echo {shlex.quote(self.unusual)}', create]
        if self.same is not None:
            asked = [f"FOUND=$({self._finding(self.probe)})"]
            if any(ETAG in (one.stdin or "") for one in self.update):
                asked.append(f"ETAG=$({self._finding(self.probe, 'etag')})")
            return [*asked, *self._branches('[ -n "$FOUND" ]', create)]
        return self._branches(f"{self.probe.shell()} >/dev/null 2>&1", create)

    def _finding(self, command: Command, of: str = "name") -> str:
        """Returns a command as a shell line; of what it lists, only the thing that is the same."""
        if self.same is None:
            return command.shell()
        finder = f"python -m infra.deploy.found {shlex.quote(json.dumps(self.same))} --field={of}"
        return f"{command.shell()} | {finder}"

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
    """Runs a command of this machine; one that is not there fails as in a shell. `python` is the
    Python that runs this.
    """
    if words[0] == "python":
        words = (sys.executable, *words[1:])
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
    warnings: list[str] = field(default_factory=list)
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def do(self, steps: Iterable[Step], say: Callable[[str], None]) -> None:
        """Raises StepFailed at the first command that fails."""
        every = list(steps)
        for number, step in enumerate(every, 1):
            say(f"[{number}/{len(every)}] {step.title} ... ")
            say(f"{self._do(step, say)}\n")
            for warning in self.warnings:
                say(f"  {warning}\n")
            self.warnings.clear()

    def undo(self, steps: Iterable[Step], say: Callable[[str], None]) -> None:
        """Takes away what the steps made, last first. Raises StepFailed at the first command that
        fails.
        """
        every = [step for step in steps if step.undo is not None]
        for number, step in enumerate(reversed(every), 1):
            say(f"[{number}/{len(every)}] {step.title} ... {self._undo(step)}\n")

    def _undo(self, step: Step) -> str:
        assert step.undo is not None  # noqa: S101  # the caller looked
        if step.same is not None and not self._exists(step):
            return "not there"
        result = self._call(step.undo)
        if result.code == 0:
            return "gone"
        is_gone = re.search(NOT_THERE, result.errors) is not None
        if not is_gone or (step.probe is not None and self._exists(step)):
            raise StepFailed(step, step.undo, result)
        return "not there"

    def _do(self, step: Step, say: Callable[[str], None]) -> str:
        if step.probe is None or not self._exists(step):
            result = self._create(step, say)
            if step.remembers is not None:
                self._find(step, step.create, result)
                known = result.output.strip() if step.same is None else self.values["FOUND"]
                self.values[step.remembers] = known
                return known
            return "done" if step.probe is None else "made"
        for command in step.update:
            self._must(step, command, say)
        return "up to date" if step.update else "there already"

    def _create(self, step: Step, say: Callable[[str], None]) -> Result:
        """Runs the command that makes the thing or, where Google refuses it, the other one."""
        if step.fallback is None:
            return self._must(step, step.create, say)
        try:
            return self._must(step, step.create, say)
        except StepFailed as first:
            say("refused, so the other way ... ")
            try:
                return self._must(step, step.fallback, say)
            except StepFailed as second:
                said = f"{first.result.errors}\n{second.result.errors}"
                raise StepFailed(
                    step, second.command, Result(second.result.code, "", said)
                ) from None

    def _exists(self, step: Step) -> bool:
        assert step.probe is not None  # noqa: S101  # the caller looked
        result = self._call(step.probe)
        exists = self._find(step, step.probe, result)
        if exists and step.usual is not None and result.output.strip() != step.usual:
            self.warnings.append(step.unusual)
        return exists

    def _find(self, step: Step, command: Command, result: Result) -> bool:
        """Says whether the thing is there; of a list, notes its name and its etag."""
        if step.same is None:
            return result.code == 0
        try:
            there = found(result.output, step.same) or {}
        except ValueError:  # a list that failed is not an empty list
            raise StepFailed(step, command, result) from None
        self.values |= {"FOUND": there.get("name", ""), "ETAG": there.get("etag", "")}
        return bool(there)

    def _must(self, step: Step, command: Command, say: Callable[[str], None]) -> Result:
        """Runs a command that must succeed, again while what it needs is too new."""
        began, result = self.clock(), self._call(command)
        said = "waiting for Google to know it ... "
        while result.code != 0:
            if self.clock() - began >= _patience(result.errors):
                raise StepFailed(step, command, result)
            say(said)
            said = ". "
            self.pause(PAUSE)
            result = self._call(command)
        self.warnings += [one.strip() for one in re.findall(WARNING, result.errors)]
        return result

    def _call(self, command: Command) -> Result:
        words = tuple(self.filled(word) for word in command.words)
        stdin = self.secrets[command.secret] if command.secret is not None else command.stdin
        return self.run(words, None if stdin is None else self.filled(stdin))

    def filled(self, text: str) -> str:
        return _VALUE.sub(lambda match: self.values[match[1]], text)


def _patience(errors: str) -> int:
    """Returns for how many seconds a command that failed so is tried again."""
    return max((most for said, most in SETTLING.items() if re.search(said, errors)), default=0)


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
