"""pywa, an independent client of WhatsApp's Cloud API, makes the bodies that Baton makes, from its
own types.

https://pypi.org/project/pywa/
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

import httpx
import pytest
from hypothesis import assume, given
from pywa import WhatsApp
from pywa.types import Button, Section, SectionList, SectionRow

from shared.platforms.suggestions import REQUEST_CONTACT
from shared.platforms.whatsapp import platform as whatsapp
from shared.schemas.commands import SendMessage, SendReaction, Signal
from shared.schemas.content import Content
from shared.schemas.content_rules import first_fault
from shared.schemas.details import Attachment
from shared.schemas.http import Answer
from tests.unit.platforms.test_outbound import JANE, contents

BATON = whatsapp.WhatsApp(access_token="t")
TAKEN = {
    "contacts": [{"input": "1", "wa_id": "1"}],
    "messages": [{"id": "wamid.1"}],
    "messaging_product": "whatsapp",
    "success": True,
}


class Pywa:
    """A client of pywa's whose network keeps what it would have sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.session = httpx.Client(transport=httpx.MockTransport(self._take))
        self.client = WhatsApp(phone_id="1065", token="t", session=self.session)

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(json.loads(request.content))
        return httpx.Response(200, json=TAKEN)

    def said_again(self, body: dict[str, Any]) -> dict[str, Any]:
        """Returns the body that pywa sends, given only the words, taps and picture of ours."""
        inner = body[body["type"]]
        image = inner.get("link") or inner.get("header", {}).get("image", {}).get("link")
        words = inner.get("caption") if body["type"] == "image" else inner.get("body")
        words = words["text"] if isinstance(words, dict) else words
        if image:
            self.client.send_image(to=body["to"], image=image, caption=words, buttons=_taps(inner))
        else:
            self.client.send_message(to=body["to"], text=words, buttons=_taps(inner))
        return self.sent[-1]


def _taps(inner: dict[str, Any]) -> Any:
    action = inner.get("action", {})
    if "buttons" in action:
        return [Button(one["reply"]["title"], one["reply"]["id"]) for one in action["buttons"]]
    rows = [
        SectionRow(row["title"], row["id"])
        for section in action.get("sections", [])
        for row in section["rows"]
    ]
    return SectionList(action["button"], [Section("", rows)]) if rows else None


@pytest.fixture(scope="module")
def pywa() -> Iterator[Pywa]:
    made = Pywa()
    yield made
    made.session.close()


@given(content=contents)
def test_another_client_sends_the_same(pywa: Pywa, content: Content) -> None:
    assume(first_fault(content) is None)
    call = BATON.call(
        SendMessage(id="1", to="1065|5511987654321", representative=JANE, content=content)
    )
    assert call is not None
    ours = json.loads(call.body)
    theirs = pywa.said_again(ours)
    for section in theirs.get("interactive", {}).get("action", {}).get("sections", []):
        del section["title"]  # which a single section need not have
    assert theirs == ours


def test_a_customer_without_a_number_is_reached_as_that_client_does_it(pywa: Pywa) -> None:
    call = BATON.call(
        SendMessage(id="1", to="1065|BR.150", representative=JANE, content=Content(text="Hi"))
    )
    assert call is not None
    pywa.client.send_message(to="BR.150", text="Hi")
    assert json.loads(call.body) == pywa.sent[-1]


def test_receipts_and_typing_are_what_that_client_sends(pywa: Pywa) -> None:
    to, wamid = "1065|5511987654321", "wamid.1"
    pywa.client.mark_message_as_read(wamid)
    pywa.client.indicate_typing(wamid)
    kinds: tuple[Literal["READ", "TYPING_STARTED"], ...] = ("READ", "TYPING_STARTED")
    calls = [BATON.call(Signal(id="1", to=to, kind=kind, message_id=wamid)) for kind in kinds]
    assert [json.loads(call.body) for call in calls if call] == pywa.sent[-2:]


@pytest.mark.parametrize("emoji", ["👍", None])
def test_reactions_are_what_that_client_sends(pywa: Pywa, emoji: str | None) -> None:
    to, wamid = "5511987654321", "wamid.1"
    if emoji:
        pywa.client.send_reaction(to=f"+{to}", emoji=emoji, message_id=wamid)
    else:
        pywa.client.remove_reaction(to=f"+{to}", message_id=wamid)
    ours = SendReaction(id="1", to=f"1065|{to}", representative=JANE, about=wamid, emoji=emoji)
    call = BATON.call(ours)
    assert call is not None
    assert json.loads(call.body) == pywa.sent[-1]


def test_an_answer_names_what_it_answers_as_that_client_does_it(pywa: Pywa) -> None:
    to, wamid = "5511987654321", "wamid.1"
    pywa.client.send_message(to=f"+{to}", text="Yes", reply_to_message_id=wamid)
    said = Content(text="Yes")
    ours = SendMessage(id="1", to=f"1065|{to}", representative=JANE, content=said, about=wamid)
    call = BATON.call(ours)
    assert call is not None
    assert json.loads(call.body) == pywa.sent[-1]


def test_a_number_is_asked_for_as_that_client_does_it(pywa: Pywa) -> None:
    chip = {"reply": {"text": "Share", "postbackData": REQUEST_CONTACT}}
    content = Content.model_validate({"text": "Your number?", "suggestions": [chip]})
    call = BATON.call(SendMessage(id="1", to="1065|BR.150", representative=JANE, content=content))
    assert call is not None
    pywa.client.request_contact_info(to="BR.150", text="Your number?")
    assert json.loads(call.body) == pywa.sent[-1]


def test_a_group_is_answered_as_that_client_does_it(pywa: Pywa) -> None:
    group = "Y2FwaV9ncm91cDpzYW1wbGU"
    call = BATON.call(
        SendMessage(
            id="1", to=f"1065|group:{group}", representative=JANE, content=Content(text="Hi")
        )
    )
    assert call is not None
    pywa.client.send_message(to=group, text="Hi")
    assert json.loads(call.body) == pywa.sent[-1]


LOOKASIDE = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2&hash=x-y"
FOUND = {
    "url": LOOKASIDE,
    "mime_type": "image/jpeg",
    "sha256": "0" * 64,
    "file_size": 61901,
    "id": "137524587935346",
    "messaging_product": "whatsapp",
}


def test_another_client_fetches_a_file_the_same_way() -> None:
    """The same two calls, with the token in both: an id leads to an address."""
    asked = list[tuple[str, str, str | None]]()

    def take(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, str(request.url), request.headers.get("authorization")))
        return httpx.Response(200, json=FOUND)

    with httpx.Client(transport=httpx.MockTransport(take)) as session:
        client = WhatsApp(phone_id="1065", token="t", session=session)
        client.get_media_bytes(client.get_media_url("137524587935346").url)
    file = Attachment(kind="image", id="137524587935346")
    lookup = BATON.media_lookup(file)
    assert lookup is not None
    source = BATON.media_source(file, Answer(200, json.dumps(FOUND).encode()))
    ours = [
        (one.method, one.url, one.auth.replace("bearer:", "Bearer ")) for one in (lookup, source)
    ]
    assert [(how, _path(url), token) for how, url, token in asked] == [
        (how, _path(url), token) for how, url, token in ours
    ]


def _path(url: str) -> str:
    """Returns an address without the version of the API, which each client chooses."""
    return re.sub(r"/v[0-9]+\.[0-9]/", "/", url)
