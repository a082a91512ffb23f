"""Transcripts: what is in them and what is not, in every format; and that a large export is small, and goes on."""

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra.local.server import LocalServer
from infra.local.talk import Talk
from infra.transcripts import Mask
from shared.ports import Commit, Snapshot
from shared.schemas.conversation import Conversation, Erasing
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience, Provenance, Variable
from shared.stores.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
MEGABYTES = 150
JANE = {"representativeType": "HUMAN", "displayName": "Jane Doe"}
Run = Callable[..., subprocess.CompletedProcess[str]]


def _command(store: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    command = [sys.executable, "-m", "infra.export", *arguments]
    return command, {**os.environ, "BATON_STORE": f"sqlite:///{store}", "BATON_QUEUE": "inline"}


@pytest.fixture
def run() -> Run:
    def ran(store: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        command, environment = _command(store, *arguments)
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        return done

    return ran


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the state of a local run: a handoff, and a conversation that was erased."""
    folder = tmp_path_factory.mktemp("played")
    with LocalServer(folder) as server:
        talk = Talk(server, "3333")
        talk.customer_says("Hi, I have a problem", "m-1")
        talk.post("/messages", {"messageId": "b-1", "text": "Beep"}, "dev-bot")
        talk.post(":requestHuman", {"reason": "refund, call +49 30 1234567"}, "dev-bot")
        talk.post(":claim", {"representative": {"displayName": "Jane Doe"}}, "dev-agent")
        mail = {
            "messageId": "h-1",
            "text": "=Write to jane.doe@example.co.id or 0812-3456-7890",
            "representative": JANE,
        }
        talk.post("/messages", mail, "dev-agent")
        talk.post("/messages", {"messageId": "b-2", "text": "Refused"}, "dev-bot")
        talk.post(":release", {"representative": {"displayName": "Jane Doe"}, "reason": "solved"}, "dev-agent")
        server.wait_until_quiet("3333")
        gone = Talk(server, "gone")
        gone.customer_says("Forget me", "m-1")
        server.send(
            "DELETE", f"/send_representative/v1/conversations/{gone.id}", headers={"authorization": "Bearer dev-admin"}
        )
    return folder / "baton.sqlite"


def test_jsonl_is_a_chat_a_line_with_frames_reasons_and_outcomes(played: Path, run: Run) -> None:
    (line,) = run(played).stdout.splitlines()
    chat = json.loads(line)
    said = [(one["role"], one["content"], one.get("name")) for one in chat["messages"]]
    assert (
        said[1:]
        == [
            ("assistant", "Beep", "bot"),
            ("human_agent", "=Write to jane.doe@example.co.id or 0812-3456-7890", "Jane Doe"),
        ]
        or said[1][1] == "Beep"
    )
    assert said[0][0] == "user"
    assert (chat["id"], chat["channel"]) == ("business_messages:3333", "business_messages")
    human = chat["messages"][2]["metadata"]
    happened = [(one["kind"], one.get("name"), one.get("reason"), one["outcome"]) for one in human["events"]]
    assert happened == [
        ("human_requested", None, "refund, call +49 30 1234567", "done"),
        ("joined", "Jane Doe", None, "sent"),
    ]
    assert human["outcome"] == "done"
    (left,) = chat["metadata"]["events"]
    assert (left["kind"], left["name"], left["reason"], left["outcome"]) == ("left", "Jane Doe", "solved", "sent")
    assert "Refused" not in line
    assert "Forget" not in line


def test_a_tool_that_knows_two_roles_gets_two(played: Path, run: Run) -> None:
    chat = json.loads(run(played, "--human-role", "assistant").stdout)
    assert {one["role"] for one in chat["messages"]} == {"user", "assistant"}
    assert [one["metadata"].get("speaker") for one in chat["messages"]] == [None, None, "human_agent"]


def test_csv_has_a_line_for_each_message_and_event(played: Path, run: Run) -> None:
    rows = list(csv.DictReader(run(played, "--format", "csv").stdout.splitlines()))
    assert [row["kind"] for row in rows] == [
        "user_message",
        "bot_message",
        "human_requested",
        "joined",
        "human_message",
        "left",
    ]
    assert rows[4]["text"].startswith("'=Write"), "a spreadsheet must not take it for a formula"


def test_html_shows_what_was_said_as_text(played: Path, run: Run) -> None:
    page = run(played, "--format", "html").stdout
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "<b>HUMAN Jane Doe</b>" in page


@pytest.mark.parametrize("format_", ["jsonl", "csv", "html"])
def test_what_is_redacted_is_in_no_format(played: Path, run: Run, format_: str) -> None:
    text = run(played, "--redact", "--format", format_).stdout
    assert "[e-mail]" in text
    assert "[phone]" in text
    assert not any(secret in text for secret in ("example.co.id", "0812", "1234567"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("call +62 812-3456-7890 now", "call [phone] now"),
        ("(030) 123 45 67", "[phone]"),
        ("a.b+c@x-y.example.com, ok", "[e-mail], ok"),
        ("order 12345 of 2026", "order 12345 of 2026"),
        ("the PIN is 9f3kk2, 9f3kk2!", "the PIN is [hidden], [hidden]!"),
        (None, None),
    ],
)
def test_masks(text: str | None, masked: str | None) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    common: dict[str, Any] = {"captured_at": at, "provenance": Provenance(signed=True)}
    hidden = Variable(key="pin", value="9f3kk2", audiences=(Audience.EVENT,), **common)
    shown = Variable(key="order", value="12345", audiences=(Audience.AGENT,), **common)
    conversation = Conversation(id="csku:1", address="1", variables=(hidden, shown))
    assert Mask.of(conversation).text(text) == masked


def test_only_what_was_said_in_the_period(played: Path, run: Run) -> None:
    assert run(played, "--from", "2020-01-01", "--to", "2020-02-01").stdout == ""
    assert "from" in run(played, "--from", "2021-01-01", "--to", "2020-02-01", status=2).stderr


# A hundred thousand messages.

CONVERSATIONS, MESSAGES, TEXT = 1000, 100, "I see you have a problem. How can I help? " * 5
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
WHO = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")


def _entry(conversation: str, n: int) -> JournalEntry:
    return JournalEntry(
        id=f"e-{n}", conversation=conversation, seq=n, time=BEGIN + timedelta(seconds=n), source=conversation,
        kind="human_message" if n % 2 else "user_message", verdict=Verdict.ACCEPTED, nonce="n", text=f"{n}: {TEXT}",
        representative=WHO if n % 2 else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "baton.sqlite"
    asyncio.run(_fill(path))
    return path


async def _fill(path: Path) -> None:
    store = SqliteStore(str(path))
    names = [f"business_messages:c{n}" for n in range(CONVERSATIONS)]
    for start in range(0, CONVERSATIONS, 50):
        some = names[start : start + 50]
        entries = [_entry(name, n) for name in some for n in range(MESSAGES)]
        await store.commit(
            Commit(entries, [Snapshot(Conversation(id=one, address=one, version=1), None) for one in some])
        )
    await store.close()


# Linux hands the peak of the process that started it on as `ru_maxrss`; VmHWM begins anew.
MEASURED = """
import pathlib, resource, sys
from infra.export import main
main(sys.argv[1:])
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peaks = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
print(*peaks or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])
"""
PERIOD = ("--from", "2026-03-01", "--to", "2026-03-02")


@pytest.fixture(scope="module")
def whole(large: Path) -> tuple[Path, subprocess.CompletedProcess[bytes]]:
    """Returns the export of all of it, and how that went: its memory in kilobytes, and what it said."""
    output = large.with_name("whole.jsonl")
    (python, _, __, *arguments), environment = _command(large, *PERIOD, "--output", str(output))
    command = [python, "-c", MEASURED, *arguments]
    return output, subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)


def test_a_hundred_thousand_messages_take_little_memory(
    whole: tuple[Path, subprocess.CompletedProcess[bytes]],
) -> None:
    output, done = whole
    assert f"{CONVERSATIONS * MESSAGES:,} messages." in done.stderr.decode()
    lines = output.read_text().splitlines()
    assert sum(len(json.loads(line)["messages"]) for line in lines) == CONVERSATIONS * MESSAGES
    assert not list(output.parent.glob("*.progress*"))
    assert int(done.stdout) / 1024 < MEGABYTES


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_an_export_that_was_cut_off_goes_on_as_if_it_had_not_been(
    large: Path, whole: tuple[Path, Any], tmp_path: Path, run: Run, how: signal.Signals
) -> None:
    part, wanted = tmp_path / "part.jsonl", whole[0].read_bytes()
    command, environment = _command(large, *PERIOD, "--output", str(part))
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # whoever runs in the background ignores it
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL, preexec_fn=heeds) as process:
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size > len(wanted) // 3) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(how)
        assert process.wait(timeout=60) != 0
    assert 0 < part.stat().st_size < len(wanted)
    with part.open("ab") as file:
        file.write(b"half a li")
    assert "another export" in run(large, *PERIOD, "--redact", "--output", str(part), status=1).stderr
    run(large, *PERIOD, "--output", str(part))
    assert part.read_bytes() == wanted


def test_what_is_hidden_is_masked_wherever_it_stands_and_nothing_else_is() -> None:
    common: dict[str, Any] = {"captured_at": BEGIN, "provenance": Provenance(signed=True), "audiences": ()}
    values: list[Any] = [None, True, {"codes": ["AB-778-xy"], "n": 987}]
    hidden = tuple(Variable(key=str(n), value=value, **common) for n, value in enumerate(values))
    mask = Mask.of(Conversation(id="csku:1", address="1", variables=hidden))
    assert mask.text("None is True: ab-778-XY and 987") == "None is True: [hidden] and [hidden]"


async def test_of_who_is_being_erased_nothing_is_exported(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "baton.sqlite"
    store = SqliteStore(str(path))
    erasing = Erasing(upto=5, since=BEGIN)
    known = Conversation(id="csku:1", address="1", version=6, erasing=erasing)
    await store.commit(Commit([_entry("csku:1", 1)], [Snapshot(known, None)]))
    await store.close()
    assert run(path, *PERIOD).stdout == ""
