"""What every ConversationStore finds: the outbox, the queue, the journal, and what is due."""

import warnings
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from shared.errors import BadRequest, Unreadable
from shared.ports import Commit, ConversationStore, Page, Snapshot
from shared.schemas.commands import SendMessage, State
from shared.schemas.content import Content
from shared.schemas.notation import sent_key
from shared.schemas.representative import Representative, RepresentativeType

T = TypeVar("T")
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")


async def _all(read: Callable[[str | None], Awaitable[Page[T]]]) -> list[list[T]]:
    """Returns every page, to the last."""
    page = await read(None)
    pages = [page.items]
    while page.cursor is not None:
        page = await read(page.cursor)
        pages.append(page.items)
        assert len(pages) < 100, "paging does not end"
    return pages


async def _fill(store: ConversationStore, make: Any, *states: State | None) -> None:
    for version, state in enumerate(states, 1):
        await store.commit(
            Commit([make.entry(make.conversation("3333", version=version), state=state)])
        )


async def test_pending_entries_come_in_sequence_from_after_a_place(
    store: ConversationStore, make: Any
) -> None:
    await _fill(store, make, *[State.PENDING] * 12)
    await make.commit(store, make.conversation("elsewhere"), state=State.PENDING)

    first = await store.pending("business_messages:3333", 0, 5)
    second = await store.pending("business_messages:3333", 5, 5)
    rest = await store.pending("business_messages:3333", 10, 5)

    assert [[entry.value.seq for entry in page] for page in (first, second, rest)] == [
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
        [11, 12],
    ]
    assert await store.pending_count("business_messages:3333") == 12


async def test_settled_entries_are_not_pending(store: ConversationStore, make: Any) -> None:
    await _fill(
        store, make, None, State.SENT, State.PENDING, State.FAILED, State.BROKEN, State.UNKNOWN
    )
    pending = await store.pending("business_messages:3333", 0, 10)
    assert [entry.value.seq for entry in pending] == [3, 5]

    sent = pending[0].value.with_commands((make.command(State.SENT),))
    await store.update(Snapshot(sent, pending[0].token))

    assert [entry.value.seq for entry in await store.pending("business_messages:3333", 0, 10)] == [
        5
    ]
    assert await store.pending_count("business_messages:3333") == 1
    assert await store.pending_count("business_messages:nobody") == 0


async def test_a_pending_entry_can_be_updated_as_it_was_found(
    store: ConversationStore, make: Any
) -> None:
    await _fill(store, make, State.PENDING)
    (found,) = await store.pending("business_messages:3333", 0, 10)
    await store.update(
        Snapshot(found.value.with_commands((make.command(State.SENT),)), found.token)
    )
    assert await store.pending("business_messages:3333", 0, 10) == []


async def test_the_queue_has_the_longest_wait_first(store: ConversationStore, make: Any) -> None:
    waits = {"d": 40, "a": 10, "c": 30, "b": 20, "e": 50}
    await make.commit(
        store, *(make.conversation(native, waits=wait) for native, wait in waits.items())
    )
    await make.commit(store, make.conversation("talking-to-the-bot"))

    pages = await _all(lambda cursor: store.queue("QUEUED", cursor, 2))

    assert [one.address for page in pages for one in page] == ["a", "b", "c", "d", "e"]
    assert [len(page) for page in pages] == [2, 2, 1]


async def test_the_queue_pages_through_equal_waits_and_none(
    store: ConversationStore, make: Any
) -> None:
    await make.commit(store, *(make.conversation(native, waits=7) for native in "bdac"))
    await make.commit(store, *(make.conversation(native) for native in "zyx"))
    queued = await _all(lambda cursor: store.queue("QUEUED", cursor, 1))
    with_bot = await _all(lambda cursor: store.queue("BOT", cursor, 2))
    assert [one.address for page in queued for one in page] == ["a", "b", "c", "d"]
    assert [one.address for page in with_bot for one in page] == ["x", "y", "z"]


async def test_who_waits_elsewhere_is_not_in_the_queue(store: ConversationStore, make: Any) -> None:
    """However many a desk that delivers by itself lets wait, the first page has who waits here."""
    await make.commit(store, *(make.conversation(f"t{n}", waits=n, tracked=True) for n in range(7)))
    await make.commit(store, make.conversation("here", waits=99))
    page = await store.queue("QUEUED", None, 3)
    assert ([one.address for one in page.items], page.cursor) == (["here"], None)
    found = await store.load("business_messages:t1")
    assert found is not None
    assert (found.value.phase.value, found.value.tracked) == ("QUEUED", True)


async def test_who_no_longer_waits_has_left_the_queue(store: ConversationStore, make: Any) -> None:
    (written,) = await make.commit(store, make.conversation("3333", waits=1))
    await store.commit(Commit((), [Snapshot(make.conversation("3333", version=2), written.token)]))
    assert (await store.queue("QUEUED", None, 10)).items == []


async def test_the_journal_is_in_sequence_for_any_clocks(
    store: ConversationStore, make: Any
) -> None:
    """What has the same sequence comes by its time, then by its id."""
    conversation = make.conversation("3333")
    at = [
        (9, 3, "a"),
        (11, 1, "a"),
        (2, 1, "a"),
        (5, 2, "a"),
        (100, 1, "a"),
        (9, 3, "b"),
        (10, 3, "a"),
        (9, 1, "c"),
    ]
    for seq, seconds, name in at:
        entry = make.entry(
            conversation, time=make.at(seconds), seq=seq, id=f"{seq}.{seconds}.{name}"
        )
        await store.commit(Commit([entry]))
    await make.commit(store, make.conversation("elsewhere"))

    pages = await _all(lambda cursor: store.journal(conversation.id, cursor, 3))
    latest = await store.latest(conversation.id, 3)
    back = await _all(lambda cursor: store.journal_back(conversation.id, cursor, 3))

    expected = [f"{seq}.{seconds}.{name}" for seq, seconds, name in sorted(at)]
    assert [one.value.id for page in pages for one in page] == expected
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [one.value.seq for one in latest] == [100, 11, 10]
    assert [one.value.seq for page in back for one in page] == [100, 11, 10, 9, 9, 9, 5, 2]
    assert {one.value.id for page in back for one in page} == set(expected)


@pytest.mark.parametrize(
    "old", ["{time} 000000000001 {id}", "{time} 1 conversations/{conversation}/journal/{id}"]
)
async def test_a_cursor_of_an_older_version_is_refused_with_what_to_do(
    store: ConversationStore, make: Any, old: str
) -> None:
    """There the journal was ordered by time: going on from such a place could leave something
    out in silence.
    """
    conversation = make.conversation("3333")
    await make.commit(store, conversation)
    time = "2026-01-01T00:00:00.000000Z"
    with pytest.raises(BadRequest, match="start without one") as refused:
        await store.journal(
            conversation.id, old.format(time=time, id="a" * 40, conversation=conversation.id), 10
        )
    assert refused.value.reason == "invalid-cursor"


async def test_the_journal_goes_on_where_it_was_while_entries_change(
    store: ConversationStore, make: Any
) -> None:
    await _fill(store, make, *[State.PENDING] * 6)
    seen, cursor = [], None
    for _ in range(3):
        page = await store.journal("business_messages:3333", cursor, 2)
        for found in page.items:
            seen.append(found.value.seq)
            await store.update(Snapshot(found.value.with_commands(()), found.token))
        cursor = page.cursor
    assert seen == [1, 2, 3, 4, 5, 6]


async def test_due_conversations_are_those_whose_time_has_come(
    store: ConversationStore, make: Any
) -> None:
    dues = {"past": 10, "now": 20, "just-not": 20.000001, "later": 30}
    await make.commit(store, *(make.conversation(native, due=due) for native, due in dues.items()))
    await make.commit(store, make.conversation("never"))
    page = await store.due_conversations(make.at(20), None, 100)
    assert page.items == ["business_messages:past", "business_messages:now"]
    assert page.cursor is None


async def test_a_timer_that_was_taken_away_is_not_due(store: ConversationStore, make: Any) -> None:
    (written,) = await make.commit(store, make.conversation("3333", due=1))
    await store.commit(Commit((), [Snapshot(make.conversation("3333", version=2), written.token)]))
    assert (await store.due_conversations(make.at(9), None, 10)).items == []


@pytest.mark.parametrize("limit", [1, 7, 40, 1000])
async def test_due_conversations_page_in_order_across_all_shards(
    store: ConversationStore, make: Any, limit: int
) -> None:
    """60 of them, several at each moment, among them ids in which `/`-separated names sort
    differently.
    """
    natives = [f"{n % 7}{'-+.~_='[n % 6]}{n}" for n in range(60)]
    due = {native: n % 9 for n, native in enumerate(natives)}
    await make.commit(store, *(make.conversation(native, due=due[native]) for native in natives))

    pages = await _all(lambda cursor: store.due_conversations(make.at(9), cursor, limit))

    found = [one.partition(":")[2] for page in pages for one in page]
    assert sorted(found) == sorted(natives)
    assert [due[native] for native in found] == sorted(due.values())
    assert all(len(page) <= limit for page in pages)


@pytest.mark.parametrize("limit", [1, 5, 1000])
async def test_due_entries_name_their_conversation_each_time(
    store: ConversationStore, make: Any, limit: int
) -> None:
    expected = []
    for n in range(10):
        conversations = [make.conversation(f"{n}", version=version) for version in (1, 2)]
        await store.commit(
            Commit([make.entry(one, due=n, state=State.PENDING) for one in conversations])
        )
        expected += [conversations[0].id] * 2
    await store.commit(Commit([make.entry(make.conversation("late"), due=11, state=State.PENDING)]))

    pages = await _all(lambda cursor: store.due_entries(make.at(10), cursor, limit))

    assert [one for page in pages for one in page] == expected


async def test_what_stays_due_does_not_hold_up_the_rest(
    store: ConversationStore, make: Any
) -> None:
    """Nothing is ever done about any of them, and yet each comes once in a pass."""
    await make.commit(
        store, *(make.conversation(f"{n}", due=0) for n in range(20)), state=State.PENDING, due=0
    )
    conversations = await _all(lambda cursor: store.due_conversations(make.at(1), cursor, 3))
    entries = await _all(lambda cursor: store.due_entries(make.at(1), cursor, 3))
    for pages in (conversations, entries):
        found = [one for page in pages for one in page]
        assert len(found) == len(set(found)) == 20


async def test_an_entry_that_was_settled_is_not_due(store: ConversationStore, make: Any) -> None:
    await make.commit(store, make.conversation("3333"), state=State.PENDING, due=0)
    (found,) = await store.pending("business_messages:3333", 0, 1)
    await store.update(
        Snapshot(found.value.with_commands((make.command(State.SENT),)), found.token)
    )
    assert (await store.due_entries(make.at(9), None, 10)).items == []


@pytest.mark.parametrize(
    "cursor",
    ["", " ", "x", "- -", "a b c", "- conversations/", "- conversations/a/journal/b/c",
        "99999 conversations/__a__",
     "2026-01-01T00:00:00.000000Z conversations/" + "a" * 2000, "- conversations/\x00",
     "9" * 30 + " conversations/a"],
)  # fmt: skip
async def test_a_cursor_that_was_never_given_out_is_a_bad_request_at_worst(
    store: ConversationStore, make: Any, cursor: str
) -> None:
    for read in (
        lambda: store.queue("QUEUED", cursor, 5),
        lambda: store.journal("csku:1", cursor, 5),
    ):
        try:
            await read()
        except BadRequest as error:
            assert error.reason == "invalid-cursor"


async def test_a_conversation_of_a_newer_version_is_counted_and_spoils_no_list(
    store: ConversationStore, make: Any
) -> None:
    for number in range(3):
        await make.commit(store, make.conversation(f"{number}", waits=number))
    newer = make.conversation("newer", waits=1.5).model_copy(update={"form_version": 2})
    with warnings.catch_warnings(action="ignore"):  # as pydantic says that this is no such number
        await make.commit(store, newer)
    for page in (await store.queue("QUEUED", None, 10), await store.conversations(None, 10)):
        names = sorted(one.id.rpartition(":")[2] for one in page.items)
        assert (names, page.unreadable) == (["0", "1", "2"], 1)
    with pytest.raises(Unreadable):
        await store.load(newer.id)


async def test_a_message_is_found_by_the_id_that_its_platform_gave_it(
    store: ConversationStore, make: Any
) -> None:
    """In any conversation; the latest of two, and none once the entry has forgotten it."""
    one, two = make.conversation("3333"), make.conversation("4444", version=2)
    message = SendMessage(
        id="m-1", to="3333", representative=BOT, content=Content(text="hi"), state=State.PENDING
    )
    known = message.model_copy(update={"native_id": "theirs"})
    await make.commit(store, make.conversation("5555"))
    for conversation, command in ((one, message), (two, known)):
        entry = make.entry(conversation, commands=(command,))
        await store.commit(Commit([entry], [Snapshot(conversation, None)]))
    key = sent_key("business_messages", "theirs")

    (found,) = [await store.sent_as(key)]
    assert found is not None
    assert (found.value.conversation, found.value.commands[0].id) == (two.id, "m-1")
    bare = found.value.model_copy(update={"commands": ()})
    written = await store.update(Snapshot(bare, found.token))
    assert await store.sent_as(key) is None

    (late,) = await store.pending(one.id, 0, 1)
    await store.update(Snapshot(late.value.with_commands((known,)), late.token))
    await store.update(Snapshot(found.value, written.token))
    again = await store.sent_as(key)
    assert again is not None
    assert again.value.conversation == two.id
    assert await store.sent_as(sent_key("whatsapp", "theirs")) is None
