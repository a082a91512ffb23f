"""What only threads of Google Chat have: claims, buttons, files, and words that are changed."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from shared.conversations.desk_message_ids import about_customers_message
from shared.handoff.visibility import words_to_mask
from shared.media.relay import relay_media
from shared.schemas.conversation import Phase
from shared.schemas.details import About, Details, Edit
from shared.schemas.events import Edited, HumanMessage
from shared.schemas.http import Request
from shared.transports.media_fetcher import MediaFetcher, origin_of
from tests.desks.google_chat import PEOPLE, GoogleChat, thread_of
from tests.desks.simulator import JANE, TOM
from tests.desks.world import World, world_of
from tests.unit.file_server import PNG

MEDIA = "https://media.test"


class WithFiles(GoogleChat):
    def settings(self) -> Mapping[str, str]:
        return {**super().settings(), "MEDIA_URL": MEDIA, "MEDIA_LINK_KEYS": "dev-media-key"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_of(WithFiles(), str(tmp_path / "1.sqlite"), {"claim": "first"}) as world:
        yield world


def lines(world: World, chat: str) -> list[str]:
    assert isinstance(world.desk, GoogleChat)
    return [one["text"] for one in world.desk.chat.shown(thread_of(chat))]


def buttons(world: World, chat: str) -> dict[str, str]:
    assert isinstance(world.desk, GoogleChat)
    return world.desk.chat.buttons(thread_of(chat))


async def press(world: World, chat: str, who: str, label: str) -> None:
    assert isinstance(world.desk, GoogleChat)
    world.desk.chat.presses(PEOPLE[who], thread_of(chat), label)
    await world.settle()


async def test_who_has_claimed_answers_and_the_others_talk_among_themselves(world: World) -> None:
    chat = await world.hands_over()
    await world.desk.say(chat, JANE, "Who takes this?")
    await world.settle()
    assert world.framed("Who takes this?") == []
    assert "Claim" in lines(world, chat)[-1]
    await press(world, chat, JANE, "Claim")
    assert lines(world, chat)[0] == "With the customer: Jane"
    await world.desk.say(chat, JANE, "Hello, I am Jane")
    await world.desk.say(chat, TOM, "Ask for the number")
    await world.settle()
    assert world.framed("Hello, I am Jane", "Ask for the number") == ["JOINED", "Hello, I am Jane"]
    await press(world, chat, JANE, "Release")
    assert await world.phase() is Phase.BOT
    assert "claim" in buttons(world, chat).values()  # a colleague may come


async def test_back_to_the_queue_the_customer_waits_in_a_thread_of_its_own(world: World) -> None:
    first = await world.hands_over()
    await press(world, first, JANE, "Claim")
    await press(world, first, JANE, "Back to the queue")
    assert await world.phase() is Phase.QUEUED
    (second,) = await world.open_chats()
    assert second != first
    await press(world, second, TOM, "Claim")
    assert lines(world, second)[0] == "With the customer: Tom"


async def test_a_button_of_somebody_who_is_not_there_changes_nothing(world: World) -> None:
    chat = await world.hands_over()
    await press(world, chat, JANE, "Claim")
    before = world.shown
    for label in ("Release", "Back to the queue"):
        await press(world, chat, TOM, label)
    assert await world.phase() is Phase.HUMAN
    assert world.shown == before
    assert set(world.webhooks.statuses) == {200}


async def test_words_that_the_customer_changes_are_changed_in_the_thread(world: World) -> None:
    chat = await world.hands_over()
    await world.customer("It is 41")
    await world.settle()
    said = (await world.entries())[-1].event_id
    details = Details(about=About(message=said), edited=Edit(text="It is 42"))
    await world.happens(Edited, form={}, said="It is 42", details=details)
    await world.settle()
    assert lines(world, chat)[1:] == ["*Customer:* It is 42 _(edited)_"]


async def test_who_quotes_a_message_of_the_customer_answers_that_one(world: World) -> None:
    assert isinstance(world.desk, GoogleChat)
    chat = await world.hands_over()
    await world.customer("Is it late?", "And where is it?")
    await world.settle()
    late, _ = world.desk.chat.shown(thread_of(chat))[1:]
    said = HumanMessage.model_validate(
        {
            "id": "m1",
            "source": f"google_chat:{chat}",
            "actor": "test",
            "representative": {"representativeType": "HUMAN", "displayName": JANE},
            "content": {"text": "Yes"},
            "about": late["name"],
        }
    )
    found = await about_customers_message(world.ports, said)
    assert found is not None
    asked = next(one for one in await world.entries() if one.event_id == found.about)
    assert words_to_mask(asked) == "Is it late?"


async def test_a_file_waits_while_its_desk_cannot_give_it(world: World) -> None:
    """A channel that gets the file through the link refuses a message whose file is not there."""
    assert isinstance(world.desk, GoogleChat)
    chat = await world.hands_over()
    await press(world, chat, JANE, "Claim")
    picture = world.desk.chat.attachment(PNG, "image/png", "dog.png")
    world.desk.fails(True)
    world.desk.chat.writes(PEOPLE[JANE], thread_of(chat), "", attachment=[picture])
    await world.desk.reported()
    await world.passes(120)
    assert not any("image" in one for one in world.wire.shown)
    world.desk.fails(False)
    await world.passes(120)
    assert ["image" in one for one in world.wire.shown].count(True) == 1


async def test_a_link_needs_no_desk_where_files_are_kept(tmp_path: Path) -> None:
    class Keeping(WithFiles):
        def settings(self) -> Mapping[str, str]:
            return {**super().settings(), "MEDIA_BUCKET": (tmp_path / "files").as_uri()}

    async with world_of(Keeping(), str(tmp_path / "2.sqlite")) as world:
        assert isinstance(world.desk, GoogleChat)
        chat = await world.hands_over()
        picture = world.desk.chat.attachment(PNG, "image/png", "dog.png")
        world.desk.chat.writes(PEOPLE[JANE], thread_of(chat), "", attachment=[picture])
        await world.settle()
        link = world.wire.shown[-1]["image"]["contentInfo"]["fileUrl"]
        world.desk.fails(True)
        assert world.ports.media_links is not None
        asked = Request("GET", link.removeprefix(MEDIA))
        answer = await relay_media(world.ports, world.ports.media_links, asked)
        assert answer.stream is not None
        assert b"".join([chunk async for chunk in answer.stream.chunks]) == PNG
        await answer.stream.close()
        world.desk.fails(False)


async def test_a_file_of_a_person_reaches_the_customer(world: World) -> None:
    assert isinstance(world.desk, GoogleChat)
    chat = await world.hands_over()
    await press(world, chat, JANE, "Claim")
    picture = world.desk.chat.attachment(PNG, "image/png", "dog.png")
    world.desk.chat.writes(PEOPLE[JANE], thread_of(chat), "see", attachment=[picture])
    await world.settle()
    words, shown = world.wire.shown[-2:]
    assert words["text"] == "see"
    link = shown["image"]["contentInfo"]["fileUrl"]
    links = world.ports.media_links
    assert links is not None
    fetcher = MediaFetcher({origin_of(world.desk.settings()["GOOGLE_CHAT_API_URL"])})
    ports = replace(world.ports, media=fetcher)
    answer = await relay_media(ports, links, Request("GET", link.removeprefix(MEDIA)))
    assert answer.stream is not None
    assert b"".join([chunk async for chunk in answer.stream.chunks]) == PNG
    await answer.stream.close()
    await fetcher.close()
