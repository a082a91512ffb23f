"""Readers of plain text get a customer's file as words with a link: a contact center's chat, the
transcript that goes with a handoff, and the notice to a team.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.errors import Gone
from shared.media_links import FOR_PEOPLE, MediaLinks, MediaName
from shared.ports import Ports
from shared.schemas.details import Attachment, Details
from shared.schemas.events import UserMessage
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World
from tests.unit.use_cases.test_notify import C, Play, play

__all__ = ["play"]
BASE = "https://relay.test"
PHOTO = Attachment(kind="image", mime_type="image/png", id="171")


def linking(ports: Ports) -> MediaLinks:
    return MediaLinks(BASE, ("a key for the tests",), timedelta(hours=1), ports.clock.now)


@pytest.fixture
def world(bench: Bench) -> World:
    world = World.on(bench)
    world.ports = replace(world.ports, media_links=linking(world.ports))
    world.tenant.ports = world.ports
    return world


async def sends(ports: Ports, words: str, file: Attachment = PHOTO, name: str = "f-1") -> None:
    form: Any = {"conversationId": "3333", "message": {"messageId": name, "text": words}}
    details = Details(attachments=(file,))
    known: Any = {"address": "3333", "actor": "p", "form": form, "said": words}
    await apply(ports, UserMessage(id=name, source=ID, details=details, **known))


async def file_of(world: World, text: str) -> MediaName:
    """Returns the file that the link in a text names."""
    assert world.ports.media_links is not None
    return world.ports.media_links.named_by(text.rpartition("\n")[2].removeprefix(f"{BASE}/"))


async def test_a_desks_chat_gets_words_with_a_link_that_people_can_follow_for_days(
    world: World,
) -> None:
    await world.asks_for_human()
    await world.deliver()
    await sends(world.ports, "The broken part\n[image]")
    await world.until_settled()
    ((_, text),) = world.tenant.said
    assert text.startswith(f"The broken part\n[image]\n{BASE}/")
    name = await file_of(world, text)
    assert (name.conversation, name.index) == (ID, 0)
    assert (await world.bench.store.entry(ID, name.entry)) is not None
    world.bench.clock.forward(FOR_PEOPLE.total_seconds() - 60)
    assert await file_of(world, text) == name
    world.bench.clock.forward(61)
    with pytest.raises(Gone):
        await file_of(world, text)


async def test_the_transcript_of_a_handoff_has_links_to_its_files(world: World) -> None:
    await sends(world.ports, "[image]")
    await world.asks_for_human()
    await world.deliver()
    texts = [one["content"][0]["text"] for one in world.tenant.chats[0]["transcript"]]
    assert texts[0].startswith(f"[image]\n{BASE}/")


async def test_words_that_hold_the_platforms_own_link_get_no_second_one(world: World) -> None:
    await world.asks_for_human()
    await world.deliver()
    link = "https://rcs.test/file.png"
    await sends(world.ports, link, Attachment(kind="image", link=link))
    await world.until_settled()
    assert [text for _, text in world.tenant.said] == [link]


async def test_without_a_relay_the_words_are_as_they_were(world: World) -> None:
    world.ports = replace(world.ports, media_links=None)
    await world.asks_for_human()
    await world.deliver()
    await sends(world.ports, "[image]")
    await world.until_settled()
    assert [text for _, text in world.tenant.said] == ["[image]"]


async def test_a_notice_to_the_team_cuts_words_and_no_links(play: Play) -> None:
    play.ports = replace(play.ports, media_links=linking(play.ports))
    await sends(play.ports, "x" * 400)
    await play.told(await play.asks())
    slack = next(call for call in play.bench.sender.calls if "slack.test" in call.url)
    assert ("x" * 301).encode() not in slack.body
    token = slack.body.partition(f"{BASE}/".encode())[2].partition(b'"')[0].decode()
    assert linking(play.ports).named_by(token).conversation == C
