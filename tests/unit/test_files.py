"""A file that a representative sends is shown by each channel as it can, and else as a link."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pydantic_core
import pytest
from businessmessages import businessmessages_v1_messages as messages
from hypothesis import given
from hypothesis import strategies as st
from pywa import WhatsApp as Pywa

from infra.local.simulators import rcs_content
from shared.bootstrap.platforms import capabilities, platforms
from shared.handoff.notices import BUILT_IN
from shared.media_links import FOR_PEOPLE, MediaLinks, MediaName
from shared.outbox.files import with_link
from shared.platforms.whatsapp import platform as whatsapp
from shared.schemas import events
from shared.schemas.commands import SendMessage, State
from shared.schemas.content import Content, File, Template
from shared.schemas.content_rules import first_fault
from shared.schemas.details import MEDIA_KINDS
from shared.schemas.journal import JournalEntry, Verdict
from shared.settings.model import read_settings
from tests.unit.talk import BOT, Talk, human

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KNOWN = platforms(read_settings({"WHATSAPP_ACCESS_TOKEN": "dev-token"}))
CHANNELS = ("business_messages", "rcs", "whatsapp")
LINKS = MediaLinks("https://relay.test/relay_media", ("dev-key",), timedelta(hours=1), lambda: NOW)
PDF = "https://files.test/manual.pdf"


class Speech:
    """What a representative says on one channel, and the calls that it makes."""

    def __init__(
        self,
        platform: str,
        content: Content,
        *,
        by_bot: bool = False,
        links: MediaLinks | None = LINKS,
        **policy: Any,
    ):
        self.talk = Talk("es", platform, capabilities=capabilities(KNOWN), **policy)
        self.talk.conversation = self.talk.conversation.model_copy(
            update={"address": "1065|5511987654321"}
        )
        self.talk.user()
        kind, who = (events.BotMessage, BOT) if by_bot else (events.HumanMessage, human())
        if not by_bot:
            self.talk.joins()
        before = len(self.talk.done)
        event = kind(**self.talk.common(), representative=who, content=content)
        self.talk.take(event)
        made = self.talk.done[before:]
        self.sent = [
            _with_link(self.talk, one, event, links) for one in made if isinstance(one, SendMessage)
        ]
        self.place = MediaName(self.talk.conversation.id, event.entry_id)
        calls = [KNOWN[platform].call(one) for one in self.sent]
        self.bodies: list[dict[str, Any]] = [json.loads(one.body) for one in calls if one]


def _with_link(
    talk: Talk, command: SendMessage, event: events.Event, links: MediaLinks | None
) -> SendMessage:
    file = command.content.file
    if file is None:
        return command
    ports: Any = _Ports(talk, links)
    entry = JournalEntry(
        id=event.entry_id, conversation=talk.conversation.id, seq=1, time=NOW, kind=event.kind,
        source=event.source, verdict=Verdict.ACCEPTED, nonce="n",
    )  # fmt: skip
    return with_link(ports, entry, command, file)


class _Ports:
    """What `with_link` needs of the ports."""

    def __init__(self, talk: Talk, links: MediaLinks | None) -> None:
        self.policy, self.media_links = talk.policy, links


def _given(**file: Any) -> Content:
    return Content.model_validate({"file": file})


texts = st.text(min_size=1, max_size=200).filter(str.strip)
types = st.sampled_from(
    ["application/pdf", "image/png", "image/tiff", "audio/ogg; codecs=opus", "video/mp4",
     "image/webp", "text/html", "application/zip"]
)  # fmt: skip
files = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(MEDIA_KINDS),
        "mimeType": types,
        "fileName": st.text(min_size=1, max_size=80),
        "altText": texts,
    },
)
places = st.one_of(
    st.sampled_from([PDF, "https://files.test/a", "https://files.test/a%20b.png?x=1"]).map(
        lambda url: {"fileUrl": url}
    ),
    st.fixed_dictionaries({"upload": st.just("u1"), "size": st.integers(1, 200 << 20)}),
    st.fixed_dictionaries({"sourceId": st.just("file-at-the-desk")}),
    st.fixed_dictionaries(
        {"nativeId": st.just("m1"), "channel": st.sampled_from(["whatsapp:p0", "rcs:p0"])}
    ),
)
taps = st.lists(
    st.sampled_from([{"reply": {"text": "Yes", "postbackData": "y"}}, {"liveAgentRequest": {}}]),
    max_size=3,
)


@given(
    platform=st.sampled_from(CHANNELS), file=files, place=places, taps=taps, by_bot=st.booleans()
)
def test_whatever_the_file_it_is_named_once_and_nothing_said_is_lost(
    platform: str, file: dict[str, Any], place: dict[str, Any], taps: Any, *, by_bot: bool
) -> None:
    content = Content.model_validate({"file": {**file, **place}, "suggestions": taps})
    speech = Speech(platform, content, by_bot=by_bot)
    written = [json.dumps(body, ensure_ascii=False) for body in speech.bodies]
    whole = "\n".join(written)
    named = [one for body in speech.bodies for one in _named(body)]
    if "fileUrl" in place:
        assert named == [place["fileUrl"]]
    elif named != ["m1"]:
        (link,) = named
        assert LINKS.named_by(link.removeprefix(f"{LINKS.base}/")) == speech.place
    else:
        assert place["channel"] == f"{platform}:p0"
    if "altText" in file:
        assert json.dumps(file["altText"], ensure_ascii=False)[1:-1].strip() in whole
    if taps and {"liveAgentRequest": {}} in taps:
        assert "baton:request-human" in whole or "liveAgentRequest" in whole
    labelled = platform == "business_messages" or by_bot
    assert labelled or "Jane: " in written[0] or "Jane:" in written[0]


def _named(value: object) -> Iterator[str]:
    """Returns the addresses and ids of files in a body."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("link", "id", "fileUrl", "fileName") and isinstance(inner, str):
                yield inner
            elif name in ("text", "body") and isinstance(inner, str):
                yield from (one for one in inner.split("\n") if one.startswith("https://"))
            elif name != "suggestions" and name != "action":
                yield from _named(inner)
    elif isinstance(value, list):
        for one in value:
            yield from _named(one)


@given(file=files, place=places)
def test_rcs_and_business_messages_have_the_fields(
    file: dict[str, Any], place: dict[str, Any]
) -> None:
    content = _given(**file, **place)
    for body in Speech("rcs", content).bodies:
        assert rcs_content.refused_content(body["contentMessage"]) is None
    for body in Speech("business_messages", content).bodies:
        known = {field.name for field in messages.BusinessMessagesMessage.all_fields()}
        assert set(body) <= known


OURS = {"fileUrl": "https://files.test/f"}
KINDS = {
    "image": ("image/png", "send_image"),
    "video": ("video/mp4", "send_video"),
    "audio": ("audio/mpeg", "send_audio"),
    "voice": ("audio/ogg", "send_voice"),
    "document": ("application/pdf", "send_document"),
    "sticker": ("image/webp", "send_sticker"),
}


@pytest.mark.parametrize("kind", MEDIA_KINDS)
@pytest.mark.parametrize("place", [OURS, {"nativeId": "55", "channel": "whatsapp:p0"}])
def test_another_client_of_whatsapp_sends_the_same(kind: str, place: dict[str, Any]) -> None:
    mime_type, method = KINDS[kind]
    words = {"altText": "Read this"} if kind in whatsapp.CAPABILITIES.captions else {}
    content = _given(kind=kind, mimeType=mime_type, fileName="f.x", **words, **place)
    ours = Speech("whatsapp", content).bodies[-1]
    sent: list[dict[str, Any]] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        taken = {"contacts": [{"input": "1", "wa_id": "1"}], "messages": [{"id": "wamid.1"}]}
        return httpx.Response(200, json=taken)

    with httpx.Client(transport=httpx.MockTransport(take)) as session:
        client = Pywa(phone_id="1065", token="t", session=session)
        file = place.get("fileUrl") or 55
        more = {"filename": "f.x"} if kind == "document" else {}
        caption = {"caption": "Read this"} if words else {}
        getattr(client, method)(ours["to"], file, **more, **caption)
    assert ours == sent[-1]


@pytest.mark.parametrize(
    ("platform", "file", "shown"),
    [
        ("whatsapp", {"mimeType": "image/tiff"}, None),
        ("whatsapp", {"mimeType": "image/tiff", "kind": "document"}, None),
        ("whatsapp", {"mimeType": "image/png", "kind": "document"}, "document"),
        ("whatsapp", {"mimeType": "audio/mpeg", "kind": "voice"}, "audio"),
        ("whatsapp", {"mimeType": "image/png", "kind": "sticker"}, "image"),
        ("whatsapp", {"mimeType": "image/png", "size": 6 << 20, "kind": "image"}, "document"),
        ("whatsapp", {"mimeType": "application/pdf", "size": 101 << 20}, None),
        ("rcs", {"mimeType": "audio/ogg", "kind": "voice"}, "audio"),
        ("rcs", {"mimeType": "text/plain"}, None),
        ("business_messages", {"mimeType": "application/pdf"}, None),
        ("business_messages", {"mimeType": "image/png"}, "image"),
        ("business_messages", {"fileUrl": "https://x.test/a.JPG"}, "image"),
    ],
)
def test_the_kind_as_which_a_channel_shows_a_file(
    platform: str, file: dict[str, Any], shown: str | None
) -> None:
    assert KNOWN[platform].capabilities.shows(File.model_validate(file)) == shown


def test_a_link_stands_in_words_of_the_customers_language_and_lasts_for_days() -> None:
    speech = Speech("business_messages", _given(upload="u1", fileName="manual.pdf", size=5))
    (body,) = speech.bodies
    words, link = body["text"].split("\n")
    assert words == BUILT_IN["es"]["file"].format(file="manual.pdf")
    later = replace(LINKS, now=lambda: NOW + FOR_PEOPLE - timedelta(seconds=1))
    assert later.named_by(link.rpartition("/")[2]) == speech.place


def test_where_baton_says_no_words_of_its_own_the_link_has_the_files_name() -> None:
    off = frozenset({"business_messages"})
    speech = Speech("business_messages", _given(fileUrl=PDF), notices_off=off)
    assert speech.bodies[0]["text"] == f"manual.pdf\n{PDF}"


def test_words_below_a_link_fit_into_the_channels_limit() -> None:
    long = f"https://files.test/{'a' * 1900}"
    content = _given(fileUrl=long, altText="x" * 1024, fileName="y" * 240)
    assert first_fault(content) is None
    (body,) = Speech("business_messages", content).bodies
    assert len(body["text"]) <= 3072
    assert body["text"].endswith(f"\n{long}")


def test_a_file_that_waits_for_the_customer_is_sent_as_it_was_given() -> None:
    template = Template(name="answer_ready", language="en")
    given = _given(upload="u1", nativeId="m1", channel="whatsapp:p0", mimeType="application/pdf")
    talk = Talk("en", "whatsapp", capabilities=capabilities(KNOWN))
    talk.policy = replace(talk.policy, reopen_templates={"whatsapp": template})
    talk.user()
    talk.joins()
    talk.now += timedelta(hours=30)
    said = events.HumanMessage(**talk.common(), representative=human(), content=given)
    talk.take(said)
    held = [one for one in talk.done if isinstance(one, SendMessage)][-2]
    assert held.state is State.WAITING
    talk.user(held={said.entry_id: held})
    sent = [one for one in talk.done if isinstance(one, SendMessage) and one.content.file][-1]
    assert (sent.state, sent.id) == (State.PENDING, held.id)
    file = sent.content.file
    assert file is not None and file.native_id == "m1"
    assert (file.journal, file.entry) == ("whatsapp:p0", said.entry_id)


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ({}, "file"),
        ({"fileUrl": PDF, "mediaId": "m"}, "file"),
        ({"fileUrl": "http://files.test/a.pdf"}, "file.fileUrl"),
        ({"fileUrl": "ftp://files.test/a.pdf"}, "file.fileUrl"),
        ({"fileUrl": "https://files.test/a b"}, "file.fileUrl"),
        ({"fileUrl": PDF, "altText": " "}, "file.altText"),
        ({"fileUrl": PDF, "altText": "x" * 1025}, "file.altText"),
        ({"fileUrl": PDF, "mimeType": "pdf"}, "file.mimeType"),
        ({"fileUrl": PDF, "mimeType": "a/b\r\nX: y"}, "file.mimeType"),
        ({"fileUrl": PDF, "fileName": "../../etc/passwd"}, "file.fileName"),
        ({"fileUrl": PDF, "fileName": "a\nb"}, "file.fileName"),
        ({"fileUrl": PDF, "fileName": ".."}, "file.fileName"),
        ({"fileUrl": PDF, "fileName": "manual.pdf", "altText": "Read this"}, None),
    ],
)
def test_what_a_caller_may_say_of_a_file(file: dict[str, Any], field: str | None) -> None:
    found = first_fault(_given(**file))
    assert (found and found[0]) == field


@given(url=st.text(max_size=60).map(lambda one: f"https://x.test/{one}"))
def test_a_file_always_has_a_name_for_people(url: str) -> None:
    name = File(file_url=url).name
    assert name.strip() and "\n" not in name and "/" not in unquote(name)
    assert pydantic_core.to_json(name)


@pytest.mark.parametrize("platform", CHANNELS)
def test_words_stand_for_a_desks_file_where_baton_makes_no_links(platform: str) -> None:
    file = {"kind": "image", "fileName": "map.png", "altText": "Here", "sourceId": "file-7"}
    speech = Speech(platform, _given(**file), links=None)
    whole = json.dumps(speech.bodies)
    assert "Here" in whole
    assert "map.png" in whole
    assert "file-7" not in whole
