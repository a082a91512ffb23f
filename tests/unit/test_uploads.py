"""What Baton and the platforms say of an upload."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import HTTP
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pywa import WhatsApp as Pywa

from shared.errors import BadRequest, DoorClosed
from shared.media.tokens import LIFETIME, Uploaded, media_id, uploaded
from shared.media_links import MediaLinks, MediaName
from shared.platforms.rcs.platform import Rcs
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.content import File
from shared.schemas.details import MEDIA_KINDS
from shared.schemas.http import Call

NOW = datetime(2026, 11, 30, tzinfo=UTC)
KEYS = MediaLinks("https://relay.test", ("dev-one",), timedelta(hours=1), lambda: NOW)
PDF = Uploaded("whatsapp:ana", "document", "application/pdf", 3, "ab", "manual.pdf", "u1")


@given(
    st.builds(
        Uploaded,
        conversation=st.text(),
        kind=st.sampled_from(MEDIA_KINDS),
        mime_type=st.text(),
        size=st.integers(0, 1 << 40),
        sha256=st.text(),
        file_name=st.none() | st.text(),
        upload=st.none() | st.text(),
        native_id=st.none() | st.text(),
        channel=st.none() | st.text(),
    )
)
def test_an_id_says_what_was_uploaded(known: Uploaded) -> None:
    assert uploaded(KEYS, media_id(KEYS, known)) == known


def test_an_id_shows_nothing_and_ends_after_a_day() -> None:
    given = media_id(KEYS, PDF)
    assert "manual" not in given and "ana" not in given
    later = replace(KEYS, now=lambda: NOW + LIFETIME - timedelta(seconds=1))
    assert uploaded(later, given) == PDF
    with pytest.raises(BadRequest, match="expired"):
        uploaded(replace(KEYS, now=lambda: NOW + LIFETIME), given)


def test_keys_of_ids_rotate_and_no_link_is_an_id() -> None:
    given = media_id(KEYS, PDF)
    assert uploaded(replace(KEYS, keys=("dev-two", "dev-one")), given) == PDF
    link = KEYS.link(MediaName("whatsapp:ana", "e")).rpartition("/")[2]
    for wrong in (link, given[:-3], "", "é", "x" * 5000, given + "\n"):
        with pytest.raises(BadRequest, match="no upload"):
            uploaded(KEYS, wrong)
    with pytest.raises(BadRequest):
        uploaded(replace(KEYS, keys=("dev-two",)), given)
    with pytest.raises(DoorClosed, match="MEDIA_LINK_KEYS"):
        uploaded(replace(KEYS, keys=()), given)


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _sent(call: Call) -> bytes:
    assert call.stream is not None
    whole = b"".join([chunk async for chunk in call.stream])
    assert call.headers["content-length"] == str(len(whole))
    return whole


def _parts(headers: dict[str, str], whole: bytes) -> list[tuple[str, str | None, str, Any]]:
    """Returns the parts of a form, as Python's reader of mail reads them."""
    mail = message_from_bytes(
        f"content-type: {headers['content-type']}\r\n\r\n".encode() + whole, policy=HTTP
    )
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type() if "content-type" in part else "",
            part.get_payload(decode=True),
        )
        for part in mail.iter_parts()
    ]


@pytest.mark.parametrize("name", ["manual.pdf", 'a"b.pdf', "a\r\nb.pdf", "Ünïcode 文.pdf"])
async def test_the_form_is_the_one_that_another_client_sends(name: str) -> None:
    sent: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        request.read()
        sent.append(request)
        return httpx.Response(200, json={"id": "1"})

    whole = b"%PDF\r\n--x\r\n\x00\xff"
    with httpx.Client(transport=httpx.MockTransport(take)) as session:
        client = Pywa(phone_id="1065", token="t", session=session)
        client.upload_media(whole, mime_type="application/pdf", filename="manual.pdf")
    theirs = _parts(dict(sent[0].headers), sent[0].content)
    file = File(file_name=name, mime_type="application/pdf", size=len(whole))
    call = WhatsApp(access_token="t").upload("1065|1", file, _chunks(whole[:5], whole[5:]))
    ours = _parts(dict(call.headers), await _sent(call))
    assert call.url.endswith(sent[0].url.path.partition("/1065")[1] + "/media")
    assert sorted(one[0] for one in ours) == sorted(one[0] for one in theirs)
    assert {one[0]: one[2:] for one in ours} == {one[0]: one[2:] for one in theirs}
    assert next(one[1] for one in ours if one[0] == "file") is not None


async def test_rcs_gets_the_bytes_alone() -> None:
    file = File(mime_type="image/png", size=5)
    call = Rcs().upload("agent@rbm.goog|+1", file, _chunks(b"ab", b"cde"))
    host = "https://rcsbusinessmessaging.googleapis.com"
    assert (call.method, call.url) == ("POST", f"{host}/upload/v1/files?agentId=agent%40rbm.goog")
    assert call.headers["content-type"] == "image/png"
    assert await _sent(call) == b"abcde"
