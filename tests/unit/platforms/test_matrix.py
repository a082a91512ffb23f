"""The transactions of a homeserver, with events as the specification shows them.

https://spec.matrix.org/v1.17/application-service-api/
https://github.com/matrix-org/matrix-spec, data/event-schemas/examples
"""

import json
from typing import Any

import pytest

from shared.errors import DoorClosed, NotFound, Unauthenticated, Unavailable
from shared.platforms.base import Ended
from shared.platforms.matrix.names import Homeserver
from shared.platforms.matrix.platform import Matrix
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import AgentSignal
from shared.schemas.events import HumanJoined, HumanLeft, HumanMessage, Unknown
from shared.schemas.http import Answer, Request

TOKENS = ("312df522183efd404ec1cd22d2ffa4bbc76a8c1ccf541dd692eef281356bb74e", "dev-older-token")
ROOM, GHOST = "!jEsUZKDJdhlrceRyVU:example.org", "@baton_1234:example.org"
SOURCE = "matrix:jEsUZKDJdhlrceRyVU~example.org"
ALICE = "@alice:example.org"
APP = "/matrix/_matrix/app/v1"
MATRIX = Matrix(
    hs_tokens=TOKENS,
    as_token="dev-as-token",
    api_url="https://matrix.example.org/",
    home=Homeserver("example.org"),
    places=frozenset({"!team:example.org"}),
)


def event(kind: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "event_id": "$143273582443PhrSn:example.org",
        "origin_server_ts": 1432735824653,
        "room_id": ROOM,
        "sender": ALICE,
        "type": kind,
        "content": content,
        "unsigned": {"age": 1234},
        **more,
    }


def transaction(*events: Any, **more: Any) -> Request:
    body = json.dumps({"events": list(events), **more}).encode()
    headers = {"authorization": f"Bearer {TOKENS[0]}"}
    return Request("PUT", f"{APP}/transactions/35", body, headers)


def events(*given: Any, **more: Any) -> list[Any]:
    return list(MATRIX.events(transaction(*given, **more)))


def said(content: dict[str, Any]) -> HumanMessage:
    (found,) = events(event("m.room.message", content))
    assert isinstance(found, HumanMessage)
    return found


def member(
    membership: str, user: str = ALICE, before: str | None = None, **more: Any
) -> dict[str, Any]:
    content = {
        "membership": membership,
        "avatar_url": "mxc://example.org/SEsfnsuifSDFSSEF",
        "displayname": "Alice Margatroid",
    }
    unsigned = {"prev_content": {"membership": before}} if before else {}
    return event("m.room.member", content, **{"state_key": user, "unsigned": unsigned, **more})


def test_who_accepts_the_invitation_joins() -> None:
    (joined,) = events(member("join", before="invite"))
    assert isinstance(joined, HumanJoined)
    assert joined.source == SOURCE
    assert joined.address == ROOM
    assert joined.id == "$143273582443PhrSn:example.org"
    assert joined.native_person == ALICE
    assert joined.occurred_at is not None
    assert joined.occurred_at.isoformat() == "2015-05-27T14:10:24.653000+00:00"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (member("leave", before="join"), None),
        (member("leave", before="join", sender="@admin:example.org"), "removed"),
        (member("ban", before="join", sender="@admin:example.org"), "removed"),
        (member("leave"), None),
    ],
)
def test_who_leaves_or_is_removed_has_left(given: Any, reason: str | None) -> None:
    (left,) = events(given)
    assert isinstance(left, HumanLeft)
    assert (left.native_person, left.reason) == (ALICE, reason)


@pytest.mark.parametrize(
    "given",
    [
        member("invite", sender=GHOST),
        member("join", before="join"),  # a new name or picture
        member("leave", before="invite"),  # the invitation is declined
        member("ban", before="leave"),
        member("join", user=GHOST, sender=GHOST),
        event("m.room.message", {"msgtype": "m.text", "body": "hi"}, sender=GHOST),
        event("m.room.message", {"msgtype": "m.text", "body": "x"}, room_id="!team:example.org"),
        event("m.room.message", {}),  # redacted before it came
        event("m.room.topic", {"topic": "A room topic"}, state_key=""),
        event("m.room.create", {"room_version": "11"}, state_key="", sender=GHOST),
    ],
)
def test_what_says_nothing_to_the_customer_is_left_out(given: Any) -> None:
    assert events(given) == []


def test_a_customer_who_is_removed_ends_the_chat() -> None:
    (ended,) = events(member("leave", user=GHOST, sender="@admin:example.org"))
    assert isinstance(ended, Ended)
    assert ended.over == SOURCE


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"msgtype": "m.text", "body": "This is an example text message"}, None),
        ({"msgtype": "m.emote", "body": "thinks this is great"}, "* thinks this is great"),
        (
            {
                "msgtype": "m.text",
                "body": "> <@baton_1234:example.org> first\n> second\n\nThis is the reply",
                "m.relates_to": {"m.in_reply_to": {"event_id": "$another_event"}},
            },
            "This is the reply",
        ),
        (
            {
                "msgtype": "m.text",
                "body": "> a quotation of their own",
            },
            "> a quotation of their own",
        ),
        (
            {
                "body": "* Hello! My name is bar",
                "msgtype": "m.text",
                "m.new_content": {"body": "Hello! My name is bar", "msgtype": "m.text"},
                "m.relates_to": {"rel_type": "m.replace", "event_id": "$some_event_id"},
            },
            "[edited] Hello! My name is bar",
        ),
        (
            {
                "body": "Big Ben, London, UK",
                "geo_uri": "geo:51.5008,0.1247",
                "msgtype": "m.location",
            },
            "Big Ben, London, UK\nhttps://www.google.com/maps/search/?api=1&query=51.5008,0.1247",
        ),
        ({"msgtype": "org.example.new", "body": "words"}, "words"),
    ],
)
def test_words_reach_the_customer(content: dict[str, Any], text: str | None) -> None:
    assert said(content).content.text == (text or content["body"])
    assert said(content).representative.display_name == "alice"


@pytest.mark.parametrize(("falls_back", "about"), [(None, "$another"), (True, None)])
def test_an_answer_names_the_message_that_it_answers(
    falls_back: bool | None, about: str | None
) -> None:
    relation: dict[str, Any] = {"m.in_reply_to": {"event_id": "$another"}}
    if falls_back is not None:  # the words of a thread
        relation |= {"rel_type": "m.thread", "event_id": "$root", "is_falling_back": falls_back}
    content = {"msgtype": "m.text", "body": "Yes", "m.relates_to": relation}
    assert (said(content).about, said(content).content.text) == (about, "Yes")


def test_a_picture_is_a_file_at_the_homeserver() -> None:
    content = {
        "body": "filename.jpg",
        "info": {"h": 398, "w": 394, "mimetype": "image/jpeg", "size": 31037},
        "url": "mxc://example.org/JWEIFJgwEIhweiWJE",
        "msgtype": "m.image",
    }
    file = said(content).content.file
    assert file is not None
    assert (file.kind, file.mime_type, file.size) == ("image", "image/jpeg", 31037)
    assert (file.file_name, file.alt_text) == ("filename.jpg", None)
    captioned = said({**content, "filename": "filename.jpg", "body": "Here it is"}).content.file
    assert captioned is not None
    assert captioned.alt_text == "Here it is"
    (attachment,) = said(content).content.attachments
    call = MATRIX.media_source(attachment, None)
    path = "/_matrix/client/v1/media/download/example.org/JWEIFJgwEIhweiWJE"
    assert call.url == f"https://matrix.example.org{path}"
    assert call.auth == "bearer:dev-as-token"
    assert MATRIX.media_hosts == ("matrix.example.org",)


@pytest.mark.parametrize(
    ("kind", "more", "shown"),
    [
        ("m.file", {}, "document"),
        ("m.video", {}, "video"),
        ("m.audio", {}, "audio"),
        ("m.audio", {"org.matrix.msc3245.voice": {}}, "voice"),
    ],
)
def test_the_kinds_of_files(kind: str, more: dict[str, Any], shown: str) -> None:
    content = {"msgtype": kind, "body": "a", "url": "mxc://example.org/abc", **more}
    file = said(content).content.file
    assert file is not None
    assert file.kind == shown


@pytest.mark.parametrize("url", ["mxc://../../x", "https://evil.test/a", "", "mxc://a/b/../c"])
def test_what_is_no_file_of_matrix_is_never_fetched(url: str) -> None:
    assert said({"msgtype": "m.image", "body": "a.png", "url": url}).content.text == "[image] a.png"
    with pytest.raises(NotFound):
        MATRIX.media_source(Attachment(id=url), None)


def test_a_sticker_is_a_picture() -> None:
    content = {
        "body": "Landing",
        "info": {"mimetype": "image/png", "size": 73602},
        "url": "mxc://matrix.org/sHhqkFCvSkFwtmvtETOtKnLP",
    }
    (found,) = events(event("m.sticker", content))
    assert found.content.file.kind == "sticker"


@pytest.mark.parametrize(
    "given",
    [
        event("m.room.message", {"msgtype": "m.notice", "body": "from a program"}),
        event("m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "A"}),
        event("m.room.redaction", {"reason": "Spamming"}),
    ],
)
def test_what_does_not_travel_is_noted(given: Any) -> None:
    (found,) = events(given)
    assert isinstance(found, Unknown)
    assert found.fault is None


def test_an_event_that_cannot_be_read_keeps_no_other_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fine = event("m.room.message", {"msgtype": "m.text", "body": "hi"})
    broken = [{"type": "m.room.message"}, {**fine, "sender": 7}, "text", None]
    (found,) = events(*broken, fine)
    assert found.content.text == "hi"
    assert "cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["ephemeral", "de.sorunome.msc2409.ephemeral"])
def test_typing_and_receipts_of_people(name: str) -> None:
    typing = {"type": "m.typing", "room_id": ROOM, "content": {"user_ids": [ALICE, GHOST]}}
    receipt = {
        "content": {
            "$1435641916114394fHBLK:matrix.org": {
                "m.read": {"@erikj:jki.re": {"ts": 1436451550453}, GHOST: {"ts": 1}},
                "m.read.private": {"@self:example.org": {"ts": 1661384801651}},
            }
        },
        "room_id": ROOM,
        "type": "m.receipt",
    }
    presence = {"type": "m.presence", "sender": ALICE, "content": {"presence": "online"}}
    found = events(**{name: [typing, receipt, presence]})
    assert all(isinstance(one, AgentSignal) and one.source == SOURCE for one in found)
    assert [(one.kind, one.native_person) for one in found] == [
        ("TYPING_STARTED", ALICE),
        ("READ", "@erikj:jki.re"),
    ]


# The door.


def test_any_of_the_tokens_proves_a_transaction_and_nothing_else_does() -> None:
    for token in TOKENS:
        MATRIX.authenticate(Request("PUT", APP, headers={"authorization": f"Bearer {token}"}))
    wrong = ("", "Bearer", "Bearer wrong", f"Basic {TOKENS[0]}", f"Bearer {TOKENS[0]}x")
    for header in wrong:
        with pytest.raises(Unauthenticated):
            MATRIX.authenticate(Request("PUT", APP, headers={"authorization": header}))
    with pytest.raises(Unauthenticated):
        MATRIX.authenticate(Request("PUT", APP, query={"access_token": TOKENS[0]}))
    both = {"authorization": f"Bearer {TOKENS[0]}"}
    with pytest.raises(Unauthenticated):
        MATRIX.authenticate(Request("PUT", APP, headers=both, query={"access_token": "other"}))
    with pytest.raises(DoorClosed, match="MATRIX_HS_TOKENS"):
        Matrix().authenticate(Request("PUT", APP, headers=both))


def test_only_a_proven_transaction_is_read() -> None:
    proven = transaction()
    assert MATRIX.reports(proven)
    assert MATRIX.body_limit(proven) > 6 << 20
    assert MATRIX.body_limit(Request("PUT", proven.path)) == 0
    assert MATRIX.body_limit(Request("POST", f"{APP}/ping", headers=proven.headers)) == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/ping", 200, None),
        ("GET", "/users/%40baton_1234%3Aexample.org", 404, "M_NOT_FOUND"),
        ("GET", "/rooms/%23baton_1%3Aexample.org", 404, "M_NOT_FOUND"),
        ("GET", "/thirdparty/protocol/irc", 404, "M_UNRECOGNIZED"),
        ("DELETE", "/ping", 405, "M_UNRECOGNIZED"),
    ],
)
def test_questions_of_the_homeserver_are_answered_in_its_form(
    method: str, path: str, status: int, code: str | None
) -> None:
    headers = {"authorization": f"Bearer {TOKENS[1]}"}
    answer = MATRIX.handshake(Request(method, f"{APP}{path}", headers=headers))
    assert answer is not None
    assert answer.status == status
    assert json.loads(answer.body).get("errcode") == code
    with pytest.raises(Unauthenticated):
        MATRIX.handshake(Request(method, f"{APP}{path}"))


# People.


def test_a_person_is_asked_for_by_their_address() -> None:
    call = MATRIX.person_lookup("@ali/ce:example.org")
    path = "/_matrix/client/v3/profile/%40ali%2Fce%3Aexample.org"
    assert call.url == f"https://matrix.example.org{path}"
    named = Answer(200, b'{"displayname": "Alice Margatroid", "avatar_url": "mxc://a/b"}')
    assert MATRIX.profile(named).name == "Alice Margatroid"
    assert MATRIX.profile(named).avatar is None
    for nameless in (Answer(404, b"{}"), Answer(403, b"{}"), Answer(200, b"{}")):
        assert MATRIX.profile(nameless).name is None
    for later in (Answer(502, b"x"), Answer(429, b"{}"), Answer(401, b"{}"), Answer(200, b"x")):
        with pytest.raises(Unavailable):
            MATRIX.profile(later)
