"""Matrix as a desk: what the steps do on a homeserver, and the calls that they are made of."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from shared.errors import DoorClosed, Unavailable
from shared.media.names import kept_name
from shared.media_links import MediaName
from shared.outbox.desk_steps import Carried, carry_out
from shared.platforms.base import Outcome
from shared.platforms.desk import (
    Chat,
    CustomerSignal,
    OpenFile,
    Opening,
    Passing,
    Spoken,
    Standing,
    Steps,
    Words,
)
from shared.platforms.matrix.desk import MatrixDesk
from shared.platforms.matrix.names import Homeserver as Home
from shared.platforms.matrix.names import chat, room
from shared.schemas.commands import CallDesk
from shared.schemas.details import About, Attachment, Deletion, Details, Edit, Emoji
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry, Sealed, Verdict
from shared.stores.media.directory import DirectoryStore
from shared.transports.http_sender import HttpSender
from tests.desks.matrix import ADDRESSES, ADMIN, AS_TOKEN, SERVER, Homeserver, Room
from tests.desks.simulator import JANE, TOM
from tests.served import Served
from tests.unit.use_cases.conftest import Bench

CALLED = "baton-1234567890abcdef"
GHOST = f"@baton_1234567890abcdef:{SERVER}"
HANDOFF = "0d2a7c1e-1111-5222-8333-444455556666"
PLACE = f"!team:{SERVER}"


@dataclass
class At:
    """The desk, and the homeserver that it calls."""

    desk: MatrixDesk
    homeserver: Homeserver
    bench: Bench
    sender: HttpSender

    async def does(self, steps: Steps[Any]) -> Carried[Any]:
        ports = replace(self.bench.ports, sender=self.sender)
        return await carry_out(ports, self.desk, steps)

    async def opened(self, **more: Any) -> Chat:
        customer = await self.does(self.desk.customer(CALLED, "Ana"))
        carried = await self.does(self.desk.open(opening(**more)))
        assert carried.is_done, carried.result.fault
        return Chat(carried.made or "", customer.made or "", HANDOFF)

    async def says(self, where: Chat, text: str, id: str = "c1", **more: Any) -> str:
        carried = await self.does(self.desk.say(where, Words(id, text, said=text, **more)))
        assert carried.is_done, carried.result.fault
        return str(carried.made)

    def room(self, where: Chat) -> Room:
        return self.homeserver.rooms[where.native]

    def said(self, where: Chat, kind: str = "m.room.message") -> list[dict[str, Any]]:
        return [e["content"] for e in self.room(where).events if e["type"] == kind]


def opening(**more: Any) -> Opening:
    command = {
        "id": "open-1",
        "desk": "people",
        "platform": "matrix",
        "action": "open",
        "handoff": HANDOFF,
        "reason": "billing",
        "invite": tuple(ADDRESSES.values()),
        "variables": {"order": 4711},
    }
    given = {name: more.pop(name) for name in list(more) if name in CallDesk.model_fields}
    made = CallDesk.model_validate({**command, **given})
    return Opening(made, GHOST, **{"name": "Ana", **more})


@pytest.fixture
async def at(bench: Bench) -> AsyncIterator[At]:
    homeserver, sender = Homeserver("http://nowhere.test"), HttpSender()
    async with Served(homeserver) as served:
        desk = MatrixDesk(api_url=served.url, as_token=AS_TOKEN, home=Home(SERVER))
        yield At(desk, homeserver, bench, sender)
        await sender.close()


async def test_a_room_has_the_customers_name_the_reason_the_people_and_what_was_said(
    at: At,
) -> None:
    at_noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    before = Spoken("customer", "My parcel is late", at_noon)
    where = await at.opened(said=[before], page="https://baton.test/desk?c=1")
    assert at.homeserver.users[GHOST]["displayname"] == "Ana"
    (name,), (topic,) = at.said(where, "m.room.name"), at.said(where, "m.room.topic")
    assert (name["name"], topic["topic"]) == ("Ana", "Waiting · billing")
    assert at.room(where).members == {GHOST: "join", **dict.fromkeys(ADDRESSES.values(), "invite")}
    first, second = at.said(where)
    assert first["body"] == "Said before (UTC):\n12:00 Ana: My parcel is late"
    assert second["body"].startswith("Reason: billing\norder: 4711\n")
    assert second["body"].endswith("\nMore: https://baton.test/desk?c=1")
    assert {first["msgtype"], second["msgtype"]} == {"m.notice"}


async def test_asked_again_it_finds_its_room_and_invites_whom_it_has_not(at: At) -> None:
    where = await at.opened(invite=(ADDRESSES[JANE],))
    jane = ADDRESSES[JANE]
    at.homeserver.moves(at.room(where), jane, jane, "leave")
    again = await at.opened(again=True)
    assert again == where
    assert len(at.homeserver.rooms) == 1
    assert at.room(where).members == {GHOST: "join", jane: "leave", ADDRESSES[TOM]: "invite"}
    assert len(at.said(where)) == 1


async def test_an_alias_without_a_room_is_made_good(at: At) -> None:
    """A homeserver that is killed while it makes a room keeps the alias."""
    await at.does(at.desk.customer(CALLED, "Ana"))
    at.homeserver.rooms["!lost:x"] = Room("!lost:x", GHOST)
    at.homeserver.aliases[f"#baton_{HANDOFF}:{SERVER}"] = "!lost:x"
    where = await at.opened(again=True)
    assert where.native != "!lost:x"
    assert at.room(where).members[GHOST] == "join"


async def test_members_of_the_desks_room_are_invited_and_one_who_cannot_be_keeps_nobody_away(
    at: At,
) -> None:
    place = Room(PLACE, ADMIN)
    at.homeserver.rooms[PLACE] = place
    for user in (ADMIN, *ADDRESSES.values()):
        at.homeserver.moves(place, user, user, "join")
    at.homeserver.moves(place, ADMIN, f"@baton_bot:{SERVER}", "invite")
    where = await at.opened(place=PLACE, invite=("nobody", ADDRESSES[TOM]))
    invited = {ADMIN, *ADDRESSES.values()}
    assert at.room(where).members == {GHOST: "join", **dict.fromkeys(invited, "invite")}


async def test_the_same_words_are_one_message_also_after_a_restart(at: At) -> None:
    where = await at.opened()
    first = await at.says(where, "Hello")
    assert await at.says(where, "Hello") == first
    assert [one["body"] for one in at.said(where) if one["msgtype"] == "m.text"] == ["Hello"]


async def test_an_answer_an_edit_a_reaction_and_a_deletion_are_what_they_are(at: At) -> None:
    where = await at.opened()
    first = await at.says(where, "Helo")
    about = About(message="m1", text="Helo")
    edited = Details(about=about, edited=Edit(text="Hello"))
    await at.says(where, "Hello", "c2", details=edited, about=first)
    await at.says(where, "> Helo\nYes", "c3", details=Details(about=about), about=first)
    liked = Details(about=about, reaction=Emoji(emoji="👍"))
    await at.says(where, "[reaction] 👍", "c4", details=liked, about=first)
    edit, answer = at.said(where)[-2:]
    assert edit["m.new_content"] == {"msgtype": "m.text", "body": "Hello"}
    assert edit["m.relates_to"] == {"rel_type": "m.replace", "event_id": first}
    assert answer["body"] == "Yes"
    assert answer["m.relates_to"] == {"m.in_reply_to": {"event_id": first}}
    (reaction,) = at.said(where, "m.reaction")
    assert reaction["m.relates_to"] == {"rel_type": "m.annotation", "event_id": first, "key": "👍"}
    revoked = Details(about=about, revoked=Deletion())
    await at.says(where, "[deleted a message]", "c5", details=revoked, about=first)
    (deletion,) = at.said(where, "m.room.redaction")
    assert deletion["redacts"] == first


@pytest.mark.parametrize(
    "details",
    [
        Details(revoked=Deletion()),
        Details(edited=Edit(text="x")),
        Details(reaction=Emoji(emoji="👍")),
        Details(reaction=Emoji()),
    ],
)
async def test_what_is_about_an_unknown_message_is_said_in_words(at: At, details: Details) -> None:
    where = await at.opened()
    await at.says(where, "in words", details=details)
    assert at.said(where)[-1]["body"] == "in words"


async def test_files_are_uploaded_and_shown_with_their_captions(at: At) -> None:
    where = await at.opened()
    file = Attachment(
        kind="image", mime_type="image/png", file_name="a.png", size=3, caption="Here"
    )
    steps = at.desk.say(where, Words("c1", "[image] Here", details=Details(attachments=(file,))))
    step = next(steps)
    assert isinstance(step, Passing)
    done = steps.send(Answer(200, b'{"content_uri": "mxc://example.test/abc"}'))
    content = json.loads(getattr(done, "body", b"{}"))
    assert content == {
        "msgtype": "m.image",
        "body": "Here",
        "filename": "a.png",
        "url": "mxc://example.test/abc",
        "info": {"mimetype": "image/png", "size": 3},
    }


async def test_the_bytes_of_a_file_pass_through_to_the_homeserver(at: At) -> None:
    where = await at.opened()
    file = Attachment(kind="document", mime_type="text/plain", file_name="a b.txt")
    words = Words("c1", "[document] a b.txt", details=Details(attachments=(file,)))
    step = next(at.desk.say(where, words))
    assert isinstance(step, Passing)

    async def chunks() -> AsyncIterator[bytes]:
        for part in (b"one ", b"two"):
            yield part

    call = step.call(OpenFile("a b.txt", "text/plain", 7, chunks()))
    assert call is not None
    answer = await at.sender.send(call)
    assert answer is not None
    uri = json.loads(answer.body)["content_uri"]
    assert at.homeserver.media[uri] == (b"one two", "text/plain")
    assert step.call(OpenFile("a b.txt", "text/plain", None, chunks())) is None


async def test_the_topic_tells_who_has_the_customer(at: At) -> None:
    where = await at.opened()
    await at.does(at.desk.show(where, Standing("s1", ("Jane", "Tom"))))
    await at.does(at.desk.show(where, Standing("s2", ("Jane", "Tom"))))
    await at.does(at.desk.show(where, Standing("s3")))
    assert [one["topic"] for one in at.said(where, "m.room.topic")] == [
        "Waiting · billing",
        "With Jane, Tom · billing",
        "Waiting · billing",
    ]


@pytest.mark.parametrize("ends", ["leave", "tombstone"])
async def test_the_end_may_be_repeated(at: At, ends: Any) -> None:
    at.desk = replace(at.desk, ends=ends)
    where = await at.opened()
    for _ in range(2):
        carried = await at.does(at.desk.close(where, "c9", "done"))
        assert carried.is_done or (carried.answer and at.desk.is_over(carried.answer))
    (said,) = [one for one in at.said(where) if "has ended" in one["body"]]
    assert said["msgtype"] == "m.notice"
    assert at.room(where).members[GHOST] == ("leave" if ends == "leave" else "join")
    assert len(at.said(where, "m.room.tombstone")) == (ends == "tombstone")


async def test_an_erase_leaves_no_word_and_no_name(at: At) -> None:
    where = await at.opened()
    jane = ADDRESSES[JANE]
    await at.says(where, "my secret")
    at.homeserver.moves(at.room(where), jane, jane, "join")
    content = {"msgtype": "m.text", "body": "your secret"}
    at.homeserver.adds(at.room(where), jane, "m.room.message", content)
    await at.does(at.desk.close(where, "c9", "done"))
    for _ in range(2):
        assert (await at.does(at.desk.erase(where, ()))).is_done
    contents = [one["content"] for one in at.room(where).events]
    whole = json.dumps([contents, at.homeserver.users[GHOST]["displayname"]])
    for word in ("secret", "Ana", "billing", "4711"):
        assert word not in whole
    assert at.room(where).members[GHOST] == "leave"


async def test_typing_and_receipts_are_the_customers(at: At) -> None:
    where = await at.opened()
    signals = [
        CustomerSignal("TYPING_STARTED"),
        CustomerSignal("TYPING_STOPPED"),
        CustomerSignal("READ", "$event"),
    ]
    for one in signals:
        call = at.desk.signal(where, one)
        assert call is not None
        answer = await at.sender.send(call)
        assert answer is not None
        assert answer.status == 200
    started, stopped = at.homeserver.typing
    assert (started["user"], started["typing"], stopped["typing"]) == (GHOST, True, False)
    assert at.homeserver.receipts == [(where.native, GHOST, "$event")]
    assert at.desk.signal(where, CustomerSignal("READ")) is None


async def test_a_user_outside_of_the_registration_fails_with_its_code(at: At) -> None:
    at.desk = replace(at.desk, home=Home(SERVER, "other_"))
    carried = await at.does(at.desk.customer(CALLED, None))
    assert carried.result.outcome is Outcome.PERMANENT
    assert carried.result.fault == "HTTP 400 M_EXCLUSIVE"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"{}", Outcome.DONE),
        (200, b"<html>", Outcome.TRANSIENT),
        (400, b'{"errcode": "M_USER_IN_USE"}', Outcome.DONE),
        (400, b'{"errcode": "M_BAD_JSON"}', Outcome.PERMANENT),
        (401, b'{"errcode": "M_UNKNOWN_TOKEN"}', Outcome.CREDENTIALS),
        (403, b'{"errcode": "M_FORBIDDEN"}', Outcome.PERMANENT),
        (429, b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500}', Outcome.PACED),
        (502, b"Bad Gateway", Outcome.TRANSIENT),
    ],
)
def test_outcomes(status: int, body: bytes, outcome: Outcome) -> None:
    assert MatrixDesk().outcome(Answer(status, body)) is outcome


def test_every_call_of_a_customer_names_them_and_their_device() -> None:
    desk = MatrixDesk("https://hs.test/", "dev-token", Home(SERVER))
    where = Chat("!a:example.test", GHOST, HANDOFF)
    call = desk.hint(where, "id/1", "text").send(None)
    parts = urlsplit(getattr(call, "url", ""))
    assert parse_qs(parts.query) == {"user_id": [GHOST], "device_id": ["BATON"]}
    assert unquote(parts.path.split("/")[-1]) == "id/1"
    assert getattr(call, "auth", "") == "bearer:dev-token"


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"as_token": "t", "home": Home(SERVER)}, "MATRIX_API_URL"),
        ({"api_url": "https://hs.test", "as_token": "t"}, "MATRIX_SERVER_NAME"),
        ({"api_url": "https://hs.test", "home": Home(SERVER)}, "MATRIX_AS_TOKEN"),
    ],
)
def test_a_missing_setting_is_named(given: dict[str, Any], setting: str) -> None:
    with pytest.raises(DoorClosed, match=setting):
        next(MatrixDesk(**given).customer(CALLED, None))


@pytest.mark.parametrize(
    ("native", "conversation"),
    [
        ("!abc:example.org", "matrix:abc~example.org"),
        ("!a.b-c_d:example.org:8448", "matrix:a.b-c_d~example.org~8448"),
        ("!K2vHLPXGrLRYJkpZdv8vjRSpEqWLWF6CvvC0uPg7uBQ", None),
        ("!a~b=c+12345678:[::1]", None),
        ("!Ünder:x", None),
    ],
)
def test_a_room_is_a_conversation_and_the_conversation_the_room(
    native: str, conversation: str | None
) -> None:
    named = chat(native)
    assert conversation in (None, named)
    assert "h-" not in named
    assert room(named) == native


async def test_a_file_for_a_homeserver_that_was_not_reached_is_passed_on_later(
    at: At, tmp_path: Path
) -> None:
    where, store = await at.opened(), DirectoryStore(tmp_path, timedelta(days=1))
    file = Attachment(kind="image", mime_type="image/png", file_name="a.png", id="f-1")
    entry = JournalEntry(
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

    async def content() -> AsyncIterator[bytes]:
        yield b"png"

    await store.put(kept_name(MediaName("plain:p0", "e-1", 0)), "image/png", content())
    ports = replace(at.bench.ports, sender=at.sender, media_store=store)
    steps = at.desk.say(where, Words("c1", "[image]", details=Details(attachments=(file,))))

    async def away(call: Call) -> Answer | None:
        if "/upload" in call.url:
            raise Unavailable("unreachable", "The platform cannot be reached.")
        return await at.sender.send(call)

    with pytest.raises(Unavailable):
        await carry_out(ports, at.desk, steps, away, entry)
    steps = at.desk.say(where, Words("c1", "[image]", details=Details(attachments=(file,))))
    assert (await carry_out(ports, at.desk, steps, None, entry)).is_done
    *_, shown = at.said(where)
    assert (shown["msgtype"], at.homeserver.media[shown["url"]][0]) == ("m.image", b"png")
