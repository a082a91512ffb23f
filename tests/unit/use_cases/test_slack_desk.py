"""Slack as a desk: what the steps do in a simulated workspace, over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.slack import CHANNEL, PREFIX, SlackSimulator, Upload
from shared.media.names import kept_name
from shared.media_links import MediaName
from shared.outbox.desk_steps import Carried, carry_out
from shared.platforms.desk import Chat, Opening, Spoken, Standing, Steps, Words
from shared.platforms.slack.desk import SlackDesk
from shared.platforms.slack.platform import Slack
from shared.schemas.commands import CallDesk
from shared.schemas.details import About, Attachment, Deletion, Details, Edit
from shared.schemas.events import Event
from shared.schemas.http import Answer, Call, Request
from shared.schemas.journal import JournalEntry, Sealed, Verdict
from shared.stores.media.directory import DirectoryStore
from shared.transports.clock import WallClock
from shared.transports.http_sender import HttpSender
from tests.desks.slack import check_blocks
from tests.served import Served
from tests.unit.use_cases.conftest import Bench

SECRET, TOKEN, HANDOFF = "dev-slack-secret", "dev-slack-token", "h-1"
LINK = "https://relay.test/1"


@dataclass
class At:
    """The desk, and the workspace that it calls."""

    desk: SlackDesk
    slack: SlackSimulator
    bench: Bench
    sender: HttpSender

    async def does(self, steps: Steps[Any], entry: JournalEntry | None = None) -> Carried[Any]:
        ports = replace(self.bench.ports, sender=self.sender)
        return await carry_out(ports, self.desk, steps, self._send, entry)

    async def _send(self, call: Call) -> Answer | None:
        return await self.sender.send(replace(call, paces=()))

    async def opened(self, **more: Any) -> Chat:
        carried = await self.does(self.desk.open(opening(**more)))
        assert carried.is_done, carried.result.fault
        return Chat(carried.made or "", "baton-1", HANDOFF)

    async def says(self, where: Chat, text: str, **more: Any) -> str | None:
        carried = await self.does(self.desk.say(where, Words("w", text, name="Ana", **more)))
        assert carried.is_done, carried.result.fault
        made: str | None = carried.made
        return made

    def said(self, where: Chat) -> list[str]:
        return [one["text"] for one in self.slack.messages(where.native)[1:]]


def opening(**more: Any) -> Opening:
    command = CallDesk(
        id="open-1",
        desk="people",
        platform="slack",
        action="open",
        handoff=HANDOFF,
        reason="billing",
        place=CHANNEL,
        asked_at=WallClock().now(),
    )
    return Opening(command, "baton-1", "Ana", **more)


@pytest.fixture
async def at(bench: Bench) -> AsyncIterator[At]:
    slack, sender = SlackSimulator(PlatformStore(":memory:"), "", SECRET, TOKEN), HttpSender()
    slack.unlimited = True
    async with Served(slack) as served:
        slack.here = served.url
        yield At(SlackDesk(f"{served.url}{PREFIX}/api", TOKEN), slack, bench, sender)
        await sender.close()
    check_blocks(slack)


async def test_asked_again_it_finds_its_thread_and_posts_what_is_missing(at: At) -> None:
    said = [Spoken("customer", "x" * 3000, WallClock().now())] * 2
    where = await at.opened(said=said)
    assert len(at.slack.messages(where.native)) == 3
    at.slack.remove(CHANNEL, at.slack.messages(where.native)[-1]["ts"])
    assert (await at.opened(said=said, again=True)) == where
    assert len(at.slack.messages(where.native)) == 3
    assert at.slack.threads() == [where.native]


async def test_what_a_customer_changes_is_changed_and_what_is_gone_is_said(at: At) -> None:
    where = await at.opened()
    first = await at.says(where, "It costs 10 & more")
    assert first is not None
    about = About(message="m-1", by="CUSTOMER")
    edited = Details(about=about, edited=Edit(text="It costs <20>"))
    assert await at.says(where, "[edited]", details=edited, about=first) == first
    assert at.said(where) == ["It costs &lt;20&gt;"]
    revoked = Details(about=about, revoked=Deletion())
    await at.says(where, "[deleted]", details=revoked, about=first)
    assert at.said(where) == []
    await at.says(where, "[deleted]", details=revoked, about=first)
    assert at.said(where) == ["[deleted]"]


async def test_the_request_shows_who_has_the_customer_until_it_is_over(at: At) -> None:
    where = await at.opened()
    jane = at.slack.add("Jane")
    assert not at.slack.press(where.native, jane, "baton_release")
    for _ in range(2):
        assert (await at.does(at.desk.show(where, Standing("s", ("Jane",))))).is_done
    assert at.slack.press(where.native, jane, "baton_release")
    for _ in range(2):
        assert (await at.does(at.desk.close(where, "c", "the customer left"))).is_done
    assert at.said(where) == ["This conversation is over: the customer left."]
    await at.does(at.desk.show(where, Standing("s", ("Jane",))))
    assert not at.slack.press(where.native, jane, "baton_release")
    # Asked for it again, the thread is found by what it was opened with.
    assert (await at.opened(again=True)) == where


async def test_an_erase_leaves_only_what_people_wrote(at: At) -> None:
    where = await at.opened(said=[Spoken("bot", "Hello Ana", WallClock().now())])
    await at.says(where, "secret")
    at.slack.write(where.native, at.slack.add("Jane"), "I am on it")
    for _ in range(2):
        carried = await at.does(at.desk.erase(where, ()))
        assert carried.is_done or at.desk.is_over(carried.answer or Answer(0))
    assert [one["text"] for one in at.slack.messages(where.native)] == ["I am on it"]


def with_file(kind: str = "image") -> JournalEntry:
    file = Attachment(kind=kind, mime_type="image/png", file_name="a.png", id="f-1")
    return JournalEntry(
        id="e-1",
        conversation="plain:p0",
        seq=1,
        time=datetime(2026, 3, 1, tzinfo=UTC),
        kind="user_message",
        source="plain:p0",
        verdict=Verdict.ACCEPTED,
        nonce="n",
        details=Sealed({"attachments": [file.model_dump()]}),
    )


WORDS = Words(
    "w",
    f"Look\n{LINK}",
    "Look",
    Details(attachments=(Attachment(kind="image", file_name="a.png"),)),
    "Ana",
    links=(LINK,),
)


async def content() -> AsyncIterator[bytes]:
    yield b"png"


async def test_a_file_is_uploaded_and_shown_with_its_words(at: At, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, timedelta(days=1))
    await store.put(kept_name(MediaName("plain:p0", "e-1", 0)), "image/png", content())
    where = await at.opened()
    ports = replace(at.bench.ports, sender=at.sender, media_store=store)
    steps = at.desk.say(where, WORDS)
    assert (await carry_out(ports, at.desk, steps, None, with_file())).is_done
    (_, shown) = at.slack.messages(where.native)
    assert (shown["text"], shown["username"]) == ("Look", "Ana")
    (file,) = shown["files"]
    assert (file["name"], at.slack.files[file["id"]].content) == ("a.png", b"png")
    # Without the scope for files, it is a link.
    at.slack.scopes = tuple(one for one in at.slack.scopes if one != "files:write")
    steps = at.desk.say(where, WORDS)
    assert (await carry_out(ports, at.desk, steps, None, with_file())).is_done
    assert at.said(where) == ["Look", f"Look\n{LINK}"]


async def test_a_file_that_cannot_be_had_is_a_link(at: At) -> None:
    where = await at.opened()
    assert (await at.does(at.desk.say(where, WORDS), with_file())).is_done
    assert at.said(where) == [f"Look\n{LINK}"]


async def test_what_the_webhook_lost_is_read_in_the_thread(at: At) -> None:
    where = await at.opened(said=[Spoken("bot", "Hello", WallClock().now())])
    await at.says(where, "hi")
    jane = at.slack.add("Jane")
    at.slack.write(where.native, jane, "I am <on> it")
    at.slack.write(where.native, jane, "", files=[Upload("F1", "a.png", 3, b"png", "image/png")])
    platform = Slack(WallClock().now, (SECRET,))
    bodies = [Request("POST", "/slack", body.encode()) for _, body in at.slack.store.webhooks(99)]
    told = [one for body in bodies for one in platform.events(body)]
    answer = await at._send(at.desk.history(where))
    assert answer is not None
    read = platform.events(at.desk.webhook_of(answer))
    assert len(read) == 2
    assert [one.entry_id for one in read if isinstance(one, Event)] == [
        one.entry_id for one in told if isinstance(one, Event)
    ]
    assert read == told
    assert platform.events(at.desk.webhook_of(Answer(200, b"{}"))) == []


async def test_a_thread_that_is_gone_is_over(at: At) -> None:
    where = await at.opened()
    at.slack.remove(CHANNEL, where.native.partition("-")[2])
    carried = await at.does(at.desk.say(where, Words("w", "hi")))
    assert carried.answer is not None
    assert at.desk.is_over(carried.answer)
    assert carried.result.fault == "HTTP 200 thread_not_found"
