"""Transcripts: what is in them and what is not, in every format."""

import csv
import json
import re
import sqlite3
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.talk import Talk
from shared.schemas.commands import SendMessage, State
from shared.schemas.content import Content
from shared.schemas.conversation import Erasing
from shared.schemas.journal import Verdict
from shared.schemas.variables import Audience, Provenance, Variable
from tests.forked import ForkedServer
from tests.infra.exporting import (
    BEGIN,
    JANE,
    PERIOD,
    ROOT,
    Run,
    command,
    conversation,
    run,
    said,
    stored,
)

__all__ = ["run"]
DOE = {"representativeType": "HUMAN", "displayName": "Jane Doe"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the state of a local run: a handoff, and a conversation that was erased."""
    folder = tmp_path_factory.mktemp("played")
    with ForkedServer(folder) as server:
        talk = Talk(server, "3333")
        talk.customer_says("Hi, I have a problem", "m-1")
        talk.post("/messages", {"messageId": "b-1", "text": "Beep"}, "dev-bot")
        talk.post(":requestHuman", {"reason": "refund, call +49 30 1234567"}, "dev-bot")
        talk.post(":claim", {"representative": {"displayName": "Jane Doe"}}, "dev-agent")
        mail = {
            "messageId": "h-1",
            "text": "=Write to jane.doe@example.co.id or 0812-3456-7890",
            "representative": DOE,
        }
        talk.post("/messages", mail, "dev-agent")
        talk.post("/messages", {"messageId": "b-2", "text": "Refused"}, "dev-bot")
        talk.post(
            ":release",
            {"representative": {"displayName": "Jane Doe"}, "reason": "solved"},
            "dev-agent",
        )
        server.wait_until_quiet("3333")
        gone = Talk(server, "gone")
        gone.customer_says("Forget me", "m-1")
        server.send(
            "DELETE",
            f"/send_representative/v1/conversations/{gone.id}",
            headers={"authorization": "Bearer dev-admin"},
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
    happened = [
        (one["kind"], one.get("name"), one.get("reason"), one["outcome"]) for one in human["events"]
    ]
    assert happened == [
        ("human_requested", None, "refund, call +49 30 1234567", "done"),
        ("joined", "Jane Doe", None, "sent"),
    ]
    assert human["outcome"] == "done"
    (left,) = chat["metadata"]["events"]
    assert (left["kind"], left["name"], left["reason"], left["outcome"]) == (
        "left",
        "Jane Doe",
        "solved",
        "sent",
    )
    assert "Refused" not in line
    assert "Forget" not in line


def test_a_tool_that_knows_two_roles_gets_two(played: Path, run: Run) -> None:
    chat = json.loads(run(played, "--human-role", "assistant").stdout)
    assert {one["role"] for one in chat["messages"]} == {"user", "assistant"}
    assert [one["metadata"].get("speaker") for one in chat["messages"]] == [
        None,
        None,
        "human_agent",
    ]


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
    assert "<b><bdi>HUMAN Jane Doe</bdi></b>" in page


# ids and fractions of seconds: any digits may stand in them
OF_CHANCE = re.compile(r"[0-9a-f-]{32,}|\.[0-9]{6}Z")


@pytest.mark.parametrize("format_", ["jsonl", "csv", "html"])
def test_what_is_redacted_is_in_no_format(played: Path, run: Run, format_: str) -> None:
    text = run(played, "--redact", "--format", format_).stdout
    assert "[e-mail]" in text
    assert "[phone]" in text
    words = OF_CHANCE.sub("", text)
    assert not any(secret in words for secret in ("example.co.id", "0812", "1234567"))


def test_only_what_was_said_in_the_period(played: Path, run: Run) -> None:
    assert run(played, "--from", "2020-01-01", "--to", "2020-02-01").stdout == ""
    assert "from" in run(played, "--from", "2021-01-01", "--to", "2020-02-01", status=2).stderr


@pytest.mark.parametrize("format_", ["jsonl", "csv", "html"])
async def test_a_desks_conversation_that_was_never_a_chat_is_none(
    tmp_path: Path, run: Run, format_: str
) -> None:
    """What is kept there of what a desk did in the customer's conversation is no message of its
    own.
    """
    path = tmp_path / "baton.sqlite"
    asked: dict[str, Any] = {"kind": "human_requested", "reason": "needed", "source": "csku:d"}
    entries = [
        said("csku:1", 0, "Hi"),
        said("csku:1", 2, None, **asked),
        said("csku:d", 2, None, **asked),
    ]
    desk = conversation("csku:d", linked_to="csku:1")
    await stored(path, [conversation("csku:1", links=("csku:d",)), desk], entries)
    done = run(path, *PERIOD, "--format", format_)
    assert "csku:d" not in done.stdout
    assert "human_requested" in done.stdout
    assert "1 conversations, 1 messages." in done.stderr


async def test_what_happened_before_the_first_message_stands_before_it(
    tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "baton.sqlite"
    entries = [said("csku:1", n, None, kind="human_requested") for n in (0, 1)]
    await stored(
        path,
        [conversation("csku:1")],
        [*entries, said("csku:1", 2, "Hi"), said("csku:1", 3, "Hello")],
    )
    rows = list(csv.DictReader(run(path, *PERIOD, "--format", "csv").stdout.splitlines()))
    assert [row["kind"] for row in rows] == [
        "human_requested",
        "human_requested",
        "user_message",
        "human_message",
    ]


async def test_where_clocks_differ_what_was_said_stands_as_it_was_accepted_and_is_all_there(
    tmp_path: Path, run: Run
) -> None:
    """An instance whose clock was ahead wrote the second of these, as if it were of the next
    day.
    """
    path, tomorrow = tmp_path / "baton.sqlite", BEGIN + timedelta(days=1)
    times = {
        0: BEGIN,
        1: BEGIN + timedelta(seconds=90),
        2: BEGIN + timedelta(seconds=2),
        3: tomorrow,
        4: BEGIN,
    }
    entries = [said("csku:1", n, f"word {n}", time=time) for n, time in times.items()]
    await stored(path, [conversation("csku:1")], entries)
    chat = json.loads(run(path, *PERIOD).stdout)
    assert [one["content"] for one in chat["messages"]] == ["word 0", "word 1", "word 2", "word 4"]


async def test_of_who_is_being_erased_nothing_is_exported(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "baton.sqlite"
    await stored(
        path,
        [conversation("csku:1", erasing=Erasing(upto=5, since=BEGIN))],
        [said("csku:1", 0, "Hi")],
    )
    assert run(path, *PERIOD).stdout == ""


FORMATS = pytest.mark.parametrize("format_", ["jsonl", "csv", "html"])


@FORMATS
async def test_why_something_was_not_said_is_in_every_format(
    tmp_path: Path, run: Run, format_: str
) -> None:
    failed = SendMessage(
        id="m",
        to="1",
        representative=JANE,
        content=Content(text="?"),
        state=State.FAILED,
        error="HTTP 400",
    )
    entries = [
        said("csku:1", 1, "Too late", reason="outside-window"),
        said("csku:1", 3, "Beep", verdict=Verdict.SUPPRESSED, reason="human-present"),
        said("csku:1", 5, "Lost", commands=(failed,)),
    ]
    await stored(tmp_path / "baton.sqlite", [conversation("csku:1")], entries)
    text = run(tmp_path / "baton.sqlite", *PERIOD, "--format", format_).stdout
    assert all(why in text for why in ("outside-window", "human-present", "HTTP 400"))


@FORMATS
async def test_a_redacted_export_names_no_conversation(
    tmp_path: Path, run: Run, format_: str
) -> None:
    path, ids = tmp_path / "baton.sqlite", ("csku:6281234567890", "csku:6281234567891")
    entries = [said(one, n, "Hi") for one in ids for n in (0, 1)]
    await stored(path, [conversation(one) for one in ids], entries)
    first, second = (run(path, *PERIOD, "--redact", "--format", format_).stdout for _ in range(2))
    assert "62812" not in first
    assert len(set(re.findall(r"csku:p-[0-9a-f]{32}", first))) == 2
    assert not set(re.findall(r"p-[0-9a-f]{32}", first)) & set(
        re.findall(r"p-[0-9a-f]{32}", second)
    )
    assert ids[0] in run(path, *PERIOD, "--format", format_).stdout


@FORMATS
async def test_words_that_were_captured_under_a_hidden_key_are_in_no_redacted_export(
    tmp_path: Path, run: Run, format_: str
) -> None:
    path = tmp_path / "baton.sqlite"
    entries = [
        said("csku:1", 0, "it is BLUEBIRD", captured_for=(Audience.EVENT,)),
        said("csku:1", 1, "So: it is bluebird?"),
        said("csku:1", 2, "my order is A-77", captured_for=(Audience.AGENT,)),
    ]
    await stored(path, [conversation("csku:1")], entries)
    text = run(path, *PERIOD, "--redact", "--format", format_).stdout
    assert "bluebird" not in text.lower()
    assert "So: [hidden]?" in text
    assert "my order is A-77" in text


async def test_what_a_linked_conversation_hides_is_masked_too(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "baton.sqlite"
    pin: dict[str, Any] = {
        "key": "pin",
        "value": "BLUEBIRD",
        "audiences": (Audience.EVENT,),
        "captured_at": BEGIN,
    }
    desk = conversation(
        "ccai:chat-1",
        linked_to="csku:1",
        variables=(Variable(**pin, provenance=Provenance(signed=True)),),
    )
    entries = [said(one, 0, "it is bluebird") for one in ("csku:1", "csku:2", "ccai:chat-1")]
    await stored(
        path,
        [
            conversation("csku:1", links=("ccai:chat-1", "csku:2")),
            conversation("csku:2", linked_to="csku:1"),
            desk,
        ],
        entries,
    )
    assert run(path, *PERIOD, "--redact").stdout.count("it is [hidden]") == 3


def test_a_store_that_is_not_there_is_refused_and_not_made(tmp_path: Path, run: Run) -> None:
    missing = tmp_path / "no" / "baton.sqlite"
    assert f"There is no state at sqlite:///{missing}" in run(missing, *PERIOD, status=2).stderr
    assert not missing.parent.exists()


async def test_the_local_runs_home_names_the_store(tmp_path: Path) -> None:
    await stored(tmp_path / "baton.sqlite", [conversation("csku:1")], [said("csku:1", 0, "Hi")])
    started, environment = command(tmp_path, *PERIOD)
    del environment["BATON_STORE"]
    done = subprocess.run(
        started,
        env={**environment, "BATON_HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (len(done.stdout.splitlines()), f"reading sqlite:///{tmp_path}" in done.stderr) == (
        1,
        True,
    )


async def test_an_entry_that_cannot_be_read_ends_no_export(tmp_path: Path, run: Run) -> None:
    path, names = tmp_path / "damaged.sqlite", ("csku:1", "csku:2", "csku:3")
    entries = [said(name, n, f"{name} says {n}") for name in names for n in (0, 2)]
    await stored(path, [conversation(name) for name in (*names, "csku:4")], entries)
    with sqlite3.connect(path) as database:
        database.execute(
            "UPDATE journal SET body = json_set(body, '$.formVersion', 99) "
            "WHERE conversation = 'csku:2' AND body LIKE '%says 2%'"
        )
        database.execute("UPDATE conversations SET body = '{}' WHERE id = 'csku:4'")
    done = run(path, *PERIOD, "--format", "csv", status=1)
    texts = [row["text"] for row in csv.DictReader(done.stdout.splitlines())]
    assert [one for one in texts if "csku:2" not in one] == [
        f"{name} says {n}" for name in ("csku:1", "csku:3") for n in (0, 2)
    ]
    assert "2 conversations are missing or end early" in done.stderr
