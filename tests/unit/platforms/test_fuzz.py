"""Rubbish at every platform's door becomes a typed refusal, never anything else."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRequest, DoorClosed, Unauthenticated
from shared.platforms.base import Platform
from shared.platforms.business_messages import BusinessMessages
from shared.platforms.csku import Csku
from shared.schemas.events import Event, Receipt, Typing
from shared.schemas.exchange import Request
from shared.schemas.ids import conversation_id

OPEN: list[Platform] = [BusinessMessages(signing_keys=("k",), client_token="t"), Csku(webhook_secrets=("s",))]
CLOSED: list[Platform] = [BusinessMessages(), Csku()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    "conversationId requestId sendTime context message suggestionResponse userStatus receipts surveyResponse".split()
    + "authenticationResponse messageId text createTime isTyping requestedLiveAgent data event timestamp".split()
    + "conversation_id conversation_label need_human id sender_name agent ai name content type".split()
)
LIKELY = st.recursive(
    JSON | st.sampled_from(["agent.message_out", "ai.message_generated", "channel.message_in", "true", "1", 1, True]),
    lambda inside: st.dictionaries(FIELDS, inside, max_size=8),
    max_leaves=20,
)
HEADERS = st.dictionaries(st.sampled_from(["x-goog-signature", "authorization", "content-type"]), st.text())


@pytest.mark.parametrize("platform", OPEN, ids=lambda platform: platform.name)
@given(headers=HEADERS, body=st.binary())
def test_a_forged_request_is_unauthenticated(platform: Platform, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        platform.authenticate(Request("POST", "/", body, headers | {"authorization": "not it"}))


@pytest.mark.parametrize("platform", CLOSED, ids=lambda platform: platform.name)
@given(headers=HEADERS, body=st.binary())
def test_without_a_secret_the_door_is_closed(platform: Platform, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(DoorClosed):
        platform.authenticate(Request("POST", "/", body, headers))


@pytest.mark.parametrize("platform", OPEN, ids=lambda platform: platform.name)
@given(body=st.binary() | LIKELY.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused(platform: Platform, body: bytes) -> None:
    request = Request("POST", "/", body)
    with contextlib.suppress(Unauthenticated):
        platform.handshake(request)
    try:
        found = platform.events(request)
    except BadRequest as error:
        assert error.reason in {"malformed-json", "not-an-object", "schema", "malformed-base64", "nested-too-deep"}
        return
    for event in found:
        assert isinstance(event, Event | Typing | Receipt)
        assert event.source.startswith(f"{platform.name}:")
        assert isinstance(event, Typing | Receipt) or len(event.entry_id + event.digest) > 0


@given(native=st.text(min_size=1))
def test_a_conversation_id_always_survives_a_url_and_a_document_name(native: str) -> None:
    found = conversation_id("x", native)
    assert found.isascii()
    assert len(found) <= 130
    assert "/" not in found
    assert conversation_id("x", native) == found
