"""Erase: nothing of what was said stays, in any field of any record, nor in any byte of the
store's files.
"""

import random
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.errors import Unavailable
from shared.handoff.survey_answers import button
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.base import JsonObject
from shared.schemas.commands import CallDesk, Post, Publish, SendMessage, State
from shared.schemas.content import Content
from shared.schemas.conversation import (
    Channel,
    Conversation,
    Handback,
    HandoffRequest,
    Line,
    Participant,
)
from shared.schemas.events import (
    Claim,
    HumanLeft,
    HumanMessage,
    SuggestionResponse,
    UserMessage,
)
from shared.schemas.journal import Asked, JournalEntry, Notified, Sealed, Verdict
from shared.schemas.notation import entry_id
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience, Provenance, Variable
from shared.stores.sqlite.store import SCHEMA, SqliteStore
from tests.unit.use_cases.conftest import Bench

WORD = "unforgettable"
ID = "business_messages:3333"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name=WORD)


def says(native: str, number: int, text: str) -> UserMessage:
    source = f"business_messages:{native}"
    form: JsonObject = {"message": {"text": text}}
    return UserMessage(
        id=f"{number}", source=source, address=native, actor="customer", form=form, said=text
    )


def bytes_of(folder: Path) -> bytes:
    """Returns all that is in the files of a folder: the database's, its log's, its index of the
    log.
    """
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def entry_full_of_words(seq: int, time: datetime = NOW) -> JournalEntry:
    """Returns an entry with words in every field that may hold any."""
    commands = (
        Publish(
            id="p", topic="baton-user-messages", body={"text": WORD}, state=State.SENT, error=WORD
        ),
        Post(id="w", audience="BOT", body={"text": WORD}),
        SendMessage(
            id="m",
            to=WORD,
            representative=JANE,
            content=Content(text=WORD),
            state=State.SENT,
            native_id=WORD,
        ),
        CallDesk(
            id="d",
            desk=WORD,
            platform="ccai",
            action="say",
            text=WORD,
            reason=WORD,
            metadata={WORD: WORD},
        ),
    )
    return JournalEntry(
        id=entry_id(ID, "test", f"{seq}"),
        conversation=ID,
        seq=seq,
        time=time,
        kind="user_message",
        source=ID,
        verdict=Verdict.ACCEPTED,
        nonce="nonce",
        actor=WORD,
        reason=WORD,
        event_id=WORD,
        native_id=WORD,
        digest=WORD,
        text=Sealed(WORD),
        form=Sealed({WORD: WORD}),
        words_at=(WORD, WORD),
        guards=seq,
        after=("whatsapp:h-1",),
        captured_for=(Audience.AGENT,),
        details=Sealed({WORD: WORD}),
        quoted_for=(Audience.AGENT,),
        occurred_at=time,
        representative=JANE,
        over=WORD,
        keep=WORD,
        due_at=time,
        commands=commands,
        notified=Notified(target=WORD, state="failed", error=WORD),
        asked=Asked(bot=WORD, state="answered", answer={"text": WORD}, error=WORD),
        marker=True,
        heard=True,
        form_version=1,
    )


def conversation_full_of_words() -> Conversation:
    present = Participant(representative=JANE, frame="f", source=ID, joined_at=NOW, key=WORD)
    line = Line(by=WORD, text=WORD)
    provenance = Provenance(signed=True, agent=WORD)
    return Conversation(
        id=ID,
        address=WORD,
        elsewhere=(Channel(id="rcs:1", address=WORD, last_message_id=WORD, shown=(present,)),),
        left_unseen=(present,),
        owed=WORD,
        request=HandoffRequest(
            reason=WORD, source=ID, accepted_at=NOW, metadata={WORD: WORD}, desk=WORD
        ),
        locale=WORD,
        customer_name=WORD,
        last_message_id=WORD,
        variables=(
            Variable(
                key=WORD,
                value=WORD,
                audiences=(Audience.AGENT,),
                captured_at=NOW,
                provenance=provenance,
            ),
        ),
        said=(line,),
        handback=Handback(
            reason=WORD, ended_at=NOW, representatives=(WORD,), request_reason=WORD, said=(line,)
        ),
        version=1,
    )


async def test_no_field_of_a_record_keeps_a_word(bench: Bench, tmp_path: Path) -> None:
    entry = entry_full_of_words(1)
    assert entry.model_fields_set == set(JournalEntry.model_fields), "fill the new field"
    await bench.store.commit(Commit([entry], [Snapshot(conversation_full_of_words(), None)]))
    assert WORD.encode() in bytes_of(tmp_path)

    await erase(bench.ports, ID, "admin")

    assert WORD.encode() not in bytes_of(tmp_path)


@pytest.mark.parametrize("seed", range(4))
async def test_no_file_of_the_store_keeps_a_byte_of_what_was_said(
    bench: Bench, tmp_path: Path, seed: int
) -> None:
    """Rows of many sizes, written in any order, move from page to page; each move may leave a
    copy.
    """
    chance = random.Random(seed)
    for number in range(300):
        native = chance.choice("abcdef")
        filler = "x" * chance.choice((0, 100, 900, 4000, 9000))
        await apply(bench.ports, says(native, number, f"{filler} {WORD}-{native} {filler}"))
        if chance.random() < 0.2:
            await deliver(bench.ports, f"business_messages:{native}")

    for native in "ace":
        await erase(bench.ports, f"business_messages:{native}", "admin")

    for when in ("while it runs", "after a clean stop"):
        left = bytes_of(tmp_path)
        for native in "ace":
            assert f"{WORD}-{native}".encode() not in left, when
        for native in "bdf":
            assert f"{WORD}-{native}".encode() in left, when
        await bench.store.close()


async def test_what_an_older_version_left_in_the_file_goes_when_it_is_opened(
    tmp_path: Path,
) -> None:
    file = tmp_path / "old.sqlite"
    old = sqlite3.connect(file, isolation_level=None)
    old.execute("pragma journal_mode = wal")
    old.execute("pragma secure_delete = off")  # some systems build SQLite with it on
    old.executescript(SCHEMA)
    rows = [(ID, f"{n}", 1, n, "", f"{WORD} " * 300) for n in range(50)]
    old.executemany(
        "insert into journal (conversation, id, revision, seq, time, body) values (?, ?, ?, ?, ?, "
        "?)",
        rows,
    )
    old.execute("delete from journal")
    old.close()
    assert WORD.encode() in bytes_of(tmp_path)

    store = SqliteStore(str(file))
    await store.load(ID)
    await store.close()

    assert WORD.encode() not in bytes_of(tmp_path)


async def test_while_another_program_reads_the_file_an_erase_is_not_done_and_goes_on_later(
    bench: Bench, tmp_path: Path
) -> None:
    await apply(bench.ports, says("3333", 1, WORD))
    reader = sqlite3.connect(tmp_path / "baton.sqlite", isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from journal").fetchone()

    with pytest.raises(Unavailable) as refused:
        await erase(bench.ports, ID, "admin")
    assert refused.value.reason == "store-in-use"
    grave = await bench.store.load(ID)
    assert grave is not None and grave.value.erasing is not None and grave.value.due_at is not None

    await apply(bench.ports, says("3333", 2, "a new beginning"))
    await deliver(bench.ports, ID, timers=True)
    assert any(topic == "baton-user-messages" for topic, _ in bench.publisher.published), (
        "delivery waits for nothing"
    )

    reader.execute("commit")
    reader.close()
    await deliver(bench.ports, ID, timers=True)
    assert WORD.encode() not in bytes_of(tmp_path)
    alive = await bench.store.load(ID)
    assert alive is not None and alive.value.erasing is None


async def test_an_export_that_runs_holds_an_erase_up_no_longer_than_it_runs(
    bench: Bench, tmp_path: Path
) -> None:
    await apply(bench.ports, says("3333", 1, WORD))
    async with bench.store.frozen() as view:
        await view.conversations(None, 10)
        await apply(bench.ports, says("4444", 1, "meanwhile"))
        with pytest.raises(Unavailable):
            await erase(bench.ports, ID, "admin")
    await erase(bench.ports, ID, "admin")
    assert WORD.encode() not in bytes_of(tmp_path)


async def test_the_journal_of_a_conversation_that_expired_without_it_can_be_erased(
    bench: Bench, tmp_path: Path
) -> None:
    """Firestore deletes document by document; the conversation may go days before the last of
    its journal.
    """
    await bench.store.commit(Commit([entry_full_of_words(seq=50, time=NOW - timedelta(days=31))]))
    await erase(bench.ports, ID, "admin")
    assert WORD.encode() not in bytes_of(tmp_path)


async def test_what_is_left_of_a_conversations_life_before_is_erased_with_it(
    bench: Bench, tmp_path: Path
) -> None:
    """Its sequence went on to 50, and began again with 1."""
    await bench.store.commit(Commit([entry_full_of_words(seq=50, time=NOW - timedelta(days=31))]))
    await apply(bench.ports, says("3333", 1, WORD))
    await erase(bench.ports, ID, "admin")
    assert WORD.encode() not in bytes_of(tmp_path)


async def test_no_survey_is_asked_after_an_erase_and_no_answer_to_an_earlier_one_counts(
    bench: Bench,
) -> None:
    ports = replace(bench.ports, policy=replace(bench.ports.policy, survey=True))
    about = {"address": "3333", "source": ID, "actor": "test"}
    human = {**about, "representative": JANE, "fact": False}

    async def is_answered(n: int) -> None:
        await apply(ports, says("3333", n, "hello"))
        await apply(ports, Claim.model_validate({**human, "id": f"c{n}", "key": "jane"}))
        said = {"content": Content(text="Hi"), "id": f"h{n}", "key": "jane"}
        await apply(ports, HumanMessage.model_validate({**human, **said}))

    await is_answered(1)
    await erase(ports, ID, "admin")
    assert "How satisfied" not in await _journal(ports)
    await is_answered(2)
    leaves = {**human, "id": "l", "key": "jane"}
    await apply(ports, HumanLeft.model_validate(leaves))
    assert "How satisfied" in await _journal(ports)
    found = await ports.store.load(ID)
    assert found is not None
    assert found.value.survey is not None
    tap = {"postbackData": button(found.value.survey.id, "5"), "text": "5"}
    await erase(ports, ID, "admin")
    form = {"suggestionResponse": tap}
    await apply(
        ports, SuggestionResponse.model_validate({**about, "id": "t", "form": form, "said": "5"})
    )
    assert "rated" not in await _journal(ports)


async def _journal(ports: Ports) -> str:
    page = await ports.store.journal(ID, None, 100)
    return " ".join(one.value.model_dump_json() for one in page.items)
