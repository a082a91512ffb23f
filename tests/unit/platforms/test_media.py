"""Where the files of each platform are, and who gets its token."""

import json
from typing import Any

import pytest

from shared.errors import BatonError, DoorClosed, NotFound
from shared.platforms.base import HasMedia
from shared.platforms.business_messages.platform import BusinessMessages
from shared.platforms.csku.platform import Csku
from shared.platforms.rcs.platform import Rcs
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.details import Attachment
from shared.schemas.events import UserMessage
from shared.schemas.http import Answer, Request

PHOTO = Attachment(kind="image", id="1/2?x")
META = WhatsApp(access_token="t")


def _found(status: int = 200, **body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode())


def test_an_id_is_one_part_of_the_path() -> None:
    lookup = META.media_lookup(PHOTO)
    assert lookup is not None
    assert lookup.url == "https://graph.facebook.com/v23.0/1%2F2%3Fx"
    assert lookup.auth == "bearer:t"


@pytest.mark.parametrize(
    ("url", "auth"),
    [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", "bearer:t"),
        ("https://graph.facebook.com/v23.0/1", "bearer:t"),
        ("https://scontent.xx.fbcdn.net/v/t.jpg", "none"),
        ("https://evil.example/lookaside.fbsbx.com", "none"),
        ("https://lookaside.fbsbx.com.evil.example/", "none"),
        ("https://lookaside.fbsbx.com@evil.example/", "none"),
        ("file:///etc/passwd", "none"),
    ],
)
def test_the_token_goes_to_the_hosts_that_need_it_only(url: str, auth: str) -> None:
    assert META.media_source(PHOTO, _found(url=url)).auth == auth


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_found(400, error={"code": 100, "error_subcode": 33}), "file-gone"),
        (_found(404), "file-gone"),
        (_found(200), "file-gone"),
        (_found(200, url=7), "file-gone"),
        (_found(401, error={"code": 190}), "platform-refused"),
        (_found(403, error={"code": 10}), "platform-refused"),
        (_found(400, error={"code": 4}), "platform-failed"),
        (_found(500), "platform-failed"),
        (Answer(200, b"<html>"), "file-gone"),
        (Answer(500, b"[]"), "platform-failed"),
    ],
)
def test_what_an_answer_to_the_question_for_a_file_means(answer: Answer, reason: str) -> None:
    with pytest.raises(BatonError) as error:
        META.media_source(PHOTO, answer)
    assert error.value.reason == reason


def test_without_a_token_nothing_is_asked() -> None:
    with pytest.raises(DoorClosed):
        WhatsApp().media_lookup(PHOTO)


@pytest.mark.parametrize(
    "platform", [Rcs(), BusinessMessages(), Csku(media_hosts=("files.example",))]
)
def test_a_link_is_its_own_permission(platform: HasMedia) -> None:
    file = Attachment(kind="image", link="https://storage.googleapis.com/x/y")
    assert platform.media_lookup(file) is None
    call = platform.media_source(file, None)
    assert (call.url, call.auth, call.headers) == (file.link, "none", {})
    with pytest.raises(NotFound):
        platform.media_source(Attachment(kind="image"), None)


@pytest.mark.parametrize(
    ("text", "is_picture"),
    [
        ("https://storage.googleapis.com/business-messages-us/936/abc?x-goog-expires=604800", True),
        ("https://storage.googleapis.com/business-messages-eu/936/abc", True),
        ("see https://storage.googleapis.com/business-messages-us/936/abc", False),
        ("https://storage.googleapis.com/elsewhere/abc", False),
        ("https://storage.googleapis.com.evil.example/business-messages-us/abc", False),
        ("hello", False),
    ],
)
def test_a_picture_of_business_messages_is_an_address_of_its_own(
    text: str, is_picture: bool
) -> None:
    message = {"messageId": "1", "text": text}
    body = {"conversationId": "3333", "message": message, "requestId": "r"}
    request = Request("POST", "/business_messages", json.dumps(body).encode())
    (event,) = BusinessMessages().events(request)
    assert isinstance(event, UserMessage)
    files = event.details.attachments if event.details else ()
    assert files == ((Attachment(kind="image", link=text),) if is_picture else ())
    assert event.text == text
