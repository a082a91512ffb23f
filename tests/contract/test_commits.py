"""Commits of every ConversationStore: whole or not at all, under compare-and-set."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from shared.customers.join_channels import CARRIED
from shared.ports import Commit, ConversationStore, PreconditionFailed, Snapshot
from shared.schemas.commands import State
from shared.schemas.conversation import Conversation
from shared.schemas.journal import Sealed

Instance = Callable[[], ConversationStore]


async def test_what_was_committed_is_read_back(store: ConversationStore, make: Any) -> None:
    conversation = make.conversation("3333", waits=5, due=9)
    entry = make.entry(conversation, nonce="ours", text="hello", due=3)

    done = await store.commit(Commit([entry], [Snapshot(conversation, None)]))

    (written,), (created,) = done.conversations, done.entries
    read, known = await store.load(conversation.id), await store.entry(conversation.id, entry.id)
    assert read is not None
    assert known is not None
    assert read.value == written.value == conversation
    assert (known.value, known.value.nonce) == (entry, "ours")
    assert created == known  # its token is good for an update


async def test_what_was_never_written_is_absent(store: ConversationStore, make: Any) -> None:
    assert await store.load("business_messages:unseen") is None
    assert await store.load("business_messages:unseen", fresh=False) is None
    assert await store.entry("business_messages:unseen", "entry") is None


async def test_the_token_of_a_commit_is_good_for_the_next(
    store: ConversationStore, make: Any
) -> None:
    (written,) = await make.commit(store, make.conversation("3333"))
    for version in (2, 3):
        conversation = make.conversation("3333", version=version)
        commit = Commit([make.entry(conversation)], [Snapshot(conversation, written.token)])
        (written,) = (await store.commit(commit)).conversations
    read = await store.load("business_messages:3333")
    assert read is not None
    assert read.value.version == 3


async def test_a_commit_may_write_entries_alone_or_conversations_alone(
    store: ConversationStore, make: Any
) -> None:
    conversation = make.conversation("3333")
    assert not (await store.commit(Commit([make.entry(conversation)]))).conversations
    await store.commit(Commit((), [Snapshot(conversation, None)]))
    assert await store.load(conversation.id) is not None


@pytest.mark.parametrize(
    "fault", ["entry exists", "conversation exists", "conversation is absent", "token is old"]
)
async def test_a_failed_precondition_writes_nothing_at_all(
    store: ConversationStore, make: Any, fault: str
) -> None:
    """Two entries and two conversations, of which only the last named in `fault` stands in the
    way.
    """
    good, bad = make.conversation("good"), make.conversation("bad")
    token = None
    if fault == "entry exists":
        await store.commit(Commit([make.entry(bad)]))
    elif fault == "conversation exists":
        await store.commit(Commit((), [Snapshot(bad, None)]))
    else:
        token = await _used_token(store, make, "bad" if fault == "token is old" else "other")
    entries = [make.entry(good, "first"), make.entry(good, "second"), make.entry(bad)]
    before = await store.load(bad.id)

    with pytest.raises(PreconditionFailed):
        await store.commit(Commit(entries, [Snapshot(good, None), Snapshot(bad, token)]))

    assert await store.load(good.id) is None
    assert await store.entry(good.id, entries[0].id) is None
    assert await store.entry(good.id, entries[1].id) is None
    after = await store.load(bad.id)
    assert (after and after.value) == (before and before.value)
    assert (await store.entry(bad.id, entries[2].id) is None) == (fault != "entry exists")


async def test_a_channel_with_all_the_desks_that_go_along_with_it_is_one_commit(
    store: ConversationStore, make: Any
) -> None:
    names = [f"desk-{number}" for number in range(CARRIED + 2)]
    written = await make.commit(store, *(make.conversation(name) for name in names))
    moved = [
        one.value.model_copy(update={"version": 2, "linked_to": "business_messages:to"})
        for one in written
    ]
    tokens = [one.token for one in written]
    commit = Commit([make.entry(one) for one in moved], list(map(Snapshot, moved, tokens)))
    assert [one.value for one in (await store.commit(commit)).conversations] == moved
    with pytest.raises(PreconditionFailed):
        await store.commit(commit)


async def _used_token(store: ConversationStore, make: Any, native: str) -> object:
    """Returns a token of a conversation that has been written again since."""
    first, second = make.conversation(native, version=5), make.conversation(native, version=6)
    (old,) = (await store.commit(Commit((), [Snapshot(first, None)]))).conversations
    await store.commit(Commit((), [Snapshot(second, old.token)]))
    return old.token


async def test_the_nonce_tells_our_own_lost_commit_from_a_duplicate(
    instance: Instance, make: Any
) -> None:
    ours, theirs = instance(), instance()
    conversation = make.conversation("3333")
    await ours.commit(
        Commit([make.entry(conversation, nonce="first")], [Snapshot(conversation, None)])
    )

    with pytest.raises(PreconditionFailed):
        await theirs.commit(
            Commit([make.entry(conversation, nonce="second")], [Snapshot(conversation, None)])
        )

    known = await theirs.entry(conversation.id, make.entry(conversation).id)
    assert known is not None
    assert known.value.nonce == "first"


async def test_of_two_racing_commits_one_wins(instance: Instance, make: Any) -> None:
    one, other = instance(), instance()
    (written,) = await make.commit(one, make.conversation("3333"))
    rivals = [make.conversation("3333", version=2, locale=locale) for locale in ("de", "en")]

    ends = await asyncio.gather(
        *(
            store.commit(
                Commit([make.entry(rival, rival.locale)], [Snapshot(rival, written.token)])
            )
            for store, rival in zip((one, other), rivals, strict=True)
        ),
        return_exceptions=True,
    )

    lost = [isinstance(end, PreconditionFailed) for end in ends]
    assert sorted(lost) == [False, True]
    read = await one.load("business_messages:3333")
    assert read is not None
    assert read.value == rivals[lost.index(False)]
    assert (
        await one.entry(read.value.id, make.entry(rivals[0], rivals[lost.index(True)].locale).id)
        is None
    )


async def test_concurrent_writers_lose_nothing(instance: Instance, make: Any) -> None:
    """16 tasks on four instances, 64 increments of one conversation."""
    stores = [instance() for _ in range(4)]
    await make.commit(stores[0], make.conversation("3333", version=0))

    async def increment(store: ConversationStore, name: str) -> None:
        for attempt in range(1000):
            read = await store.load("business_messages:3333", fresh=attempt > 0)
            assert read is not None
            after = make.conversation("3333", version=read.value.version + 1)
            try:
                await store.commit(Commit([make.entry(after, name)], [Snapshot(after, read.token)]))
                return
            except PreconditionFailed:
                await asyncio.sleep(random.uniform(0, 0.05))
        pytest.fail("never got through")

    async def writer(n: int) -> None:
        for i in range(4):
            await increment(stores[n % 4], f"{n}.{i}")

    await asyncio.gather(*map(writer, range(16)))
    read = await stores[0].load("business_messages:3333")
    assert read is not None
    assert read.value.version == 64
    page = await stores[0].journal(read.value.id, None, 100)
    assert [entry.value.seq for entry in page.items] == list(range(65))


async def test_an_entry_is_replaced_if_its_token_stands(
    store: ConversationStore, make: Any
) -> None:
    conversation = make.conversation("3333")
    await store.commit(Commit([make.entry(conversation)]))
    first = await store.entry(conversation.id, make.entry(conversation).id)
    assert first is not None

    second = await store.update(
        Snapshot(first.value.model_copy(update={"text": Sealed("second")}), first.token)
    )
    with pytest.raises(PreconditionFailed):
        await store.update(
            Snapshot(first.value.model_copy(update={"text": Sealed("late")}), first.token)
        )
    third = await store.update(
        Snapshot(second.value.model_copy(update={"text": Sealed("third")}), second.token)
    )

    read = await store.entry(conversation.id, first.value.id)
    assert read is not None
    assert read.value == third.value
    assert read.value.text == Sealed("third")


async def test_an_entry_that_is_gone_cannot_be_replaced(
    store: ConversationStore, make: Any
) -> None:
    conversation = make.conversation("3333")
    await store.commit(Commit([make.entry(conversation, "there")]))
    there = await store.entry(conversation.id, make.entry(conversation, "there").id)
    assert there is not None
    with pytest.raises(PreconditionFailed):
        await store.update(Snapshot(make.entry(conversation, "gone"), there.token))
    assert await store.entry(conversation.id, make.entry(conversation, "gone").id) is None


async def test_a_commit_replaces_entries_only_under_their_tokens(
    store: ConversationStore, make: Any
) -> None:
    """One entry that has changed since undoes the whole commit."""
    one, two = make.conversation("3333"), make.conversation("4444")
    await make.commit(store, one, two, state=State.PENDING)
    pending = [(await store.pending(each.id, 0, 1))[0] for each in (one, two)]
    sent = [
        Snapshot(entry.value.with_commands((make.command(State.SENT),)), entry.token)
        for entry in pending
    ]
    await store.update(sent[1])
    third = make.conversation("5555")
    with pytest.raises(PreconditionFailed):
        await store.commit(Commit([make.entry(third)], [Snapshot(third, None)], sent))
    assert await store.pending_count(one.id) == 1
    assert await store.load(third.id) is None

    commit = Commit([make.entry(third)], [Snapshot(third, None)], sent[:1])
    (written,) = (await store.commit(commit)).conversations
    assert written.value == third
    assert await store.pending_count(one.id) == 0


async def test_a_document_that_is_only_a_name_is_in_no_list(
    store: ConversationStore, make: Any
) -> None:
    name = Conversation(id="whatsapp:n", address="", version=1, whose="whatsapp:u")
    part = make.conversation("3333", same_as="business_messages:4444")
    await store.commit(
        Commit((), [Snapshot(one, None) for one in (name, part, make.conversation("4444"))])
    )
    assert [one.address for one in (await store.queue("BOT", None, 10)).items] == ["4444"]
    listed = (await store.conversations(None, 10)).items
    assert sorted(one.address for one in listed) == ["3333", "4444"]
    found = await store.load(name.id)
    assert found is not None
    assert found.value == name
