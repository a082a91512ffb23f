"""Malformed bodies at every platform's door: refused without a signature, noted with one."""

import base64
import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BatonError, DoorClosed, Unauthenticated
from shared.platforms.base import Platform
from shared.platforms.business_messages.platform import BusinessMessages
from shared.platforms.ccai.platform import Ccai
from shared.platforms.csku.platform import Csku
from shared.platforms.google_chat.platform import GoogleChat
from shared.platforms.google_chat.proofs import Proofs
from shared.platforms.matrix.names import Homeserver
from shared.platforms.matrix.platform import Matrix
from shared.platforms.rcs.platform import Rcs
from shared.platforms.slack.platform import Slack
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Request
from shared.schemas.notation import conversation_id
from shared.transports.clock import WallClock
from tests.hard import hard_bodies

OPEN: list[Platform] = [
    BusinessMessages(signing_keys=("k",), client_token="t"),
    Csku(webhook_secrets=("s",)),
    Rcs(client_tokens=("t",)),
    WhatsApp(app_secrets=("s",), verify_token="t"),
    Ccai(webhook_secrets=("s",), events_login="u:p"),
    Matrix(hs_tokens=("s",), home=Homeserver("example.org")),
    GoogleChat(WallClock().now, Proofs("1")),
    Slack(WallClock().now, ("s",)),
]
CLOSED: list[Platform] = [
    *(BusinessMessages(), Csku(), Rcs(), WhatsApp(), Ccai(), Matrix()),
    GoogleChat(WallClock().now, Proofs()),
    Slack(WallClock().now),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    "conversationId requestId sendTime context message suggestionResponse userStatus receipts "
    "surveyResponse".split()
    + (
        "authenticationResponse messageId text createTime isTyping "
        "requestedLiveAgent data event timestamp"
    ).split()
    + (
        "conversation_id conversation_label need_human id sender_name agent ai name content type"
    ).split()
    + (
        "senderPhoneNumber phoneNumber agentId eventType eventId "
        "userFile payload fileUri location latitude"
    ).split()
    + (
        "postbackData entry changes field value metadata "
        "phone_number_id contacts profile wa_id messages"
    ).split()
    + (
        "statuses recipient_id status errors message_echoes from "
        "to interactive button_reply image emoji"
    ).split()
    + (
        "event_type chat_id body sender participant end_user "
        "identifier chat escalation reason item state"
    ).split()
    + "participants".split()
    + "type channel thread_ts ts user subtype files blocks previous_message".split()
    + "actions container authorizations bot_id elements".split()
    + "event_id room_id origin_server_ts state_key unsigned prev_content membership".split()
    + "displayname msgtype url info filename m.relates_to m.new_content m.in_reply_to".split()
    + "rel_type key user_ids m.read ephemeral events mimetype size".split()
    + (
        "action actionMethodName common invokedFunction user sender displayName thread threadKey "
        "argumentText annotations attachment attachmentDataRef attachedGifs subscription eventTime"
    ).split()
)
LIKELY = st.recursive(
    JSON
    | st.sampled_from(
        ["agent.message_out", "ai.message_generated", "channel.message_in", "true", "1", 1, True]
    )
    | st.sampled_from(["MESSAGE", "CARD_CLICKED", "claim", "HUMAN", "spaces/A/threads/B"])
    | st.sampled_from(
        ["message_received", "participant_joined", "participant_left", "chat_created", "chat_ended"]
    )
    | st.sampled_from(
        ["event_callback", "block_actions", "message_changed", "message_deleted", "rich_text"]
    )
    | st.sampled_from(
        ["escalation_deflected", "agent", "virtual_agent", "end_user", "assigned", "accepted"]
    )
    | st.sampled_from(
        [
            "+6281234567890",
            "READ",
            "UNSUBSCRIBE",
            "messages",
            "smb_message_echoes",
            "failed",
            "image",
        ]
    )
    | st.sampled_from(["!r:example.org", "@jane:example.org", "@baton_1:example.org", "$e"])
    | st.sampled_from(["m.room.member", "m.room.message", "m.reaction", "m.typing", "m.receipt"])
    | st.sampled_from(["join", "leave", "m.text", "m.image", "m.location", "mxc://a/b", "geo:1,2"]),
    lambda inside: st.dictionaries(FIELDS, inside, max_size=8),
    max_leaves=20,
)
HARD = hard_bodies(
    st.sampled_from(
        [b'{"conversationId": "3", "conversation_id": "3", "event": "x", "text": ', b"{"]
    )
)
HEADERS = st.dictionaries(
    st.sampled_from(
        (
            "x-goog-signature x-hub-signature-256 x-signature x-signature-timestamp authorization"
        ).split()
    ),
    st.text(),
)


# To draw a body takes longer than all platforms take to read it: each example is for all of them.
FOR_ALL = settings(max_examples=150)


@FOR_ALL
@given(headers=HEADERS, body=st.binary())
def test_a_forged_request_is_unauthenticated(headers: dict[str, str], body: bytes) -> None:
    forged = Request("POST", "/", body, headers | {"authorization": "not it"})
    assert {one.name: _refusal(one, forged) for one in OPEN} == {
        one.name: Unauthenticated for one in OPEN
    }


@FOR_ALL
@given(headers=HEADERS, body=st.binary())
def test_without_a_secret_the_door_is_closed(headers: dict[str, str], body: bytes) -> None:
    request = Request("POST", "/", body, headers)
    assert {one.name: _refusal(one, request) for one in CLOSED} == {
        one.name: DoorClosed for one in CLOSED
    }


def _refusal(platform: Platform, request: Request) -> type[BatonError] | None:
    try:
        platform.authenticate(request)
    except BatonError as error:
        return type(error)
    return None


def _enveloped(value: object) -> bytes:
    return json.dumps(
        {"message": {"data": base64.b64encode(json.dumps(value).encode()).decode()}}
    ).encode()


def _pushed(value: object) -> bytes:
    data = base64.b64encode(json.dumps({"message": value}).encode()).decode()
    kinds = {"ce-type": "google.workspace.chat.message.v1.created"}
    return json.dumps(
        {"message": {"data": data, "attributes": kinds}, "subscription": "s"}
    ).encode()


def _interaction(value: dict[str, object]) -> bytes:
    thread = {"thread": {"name": "spaces/A/threads/B"}}
    return json.dumps({**value, "type": "MESSAGE", "message": {**value, **thread}}).encode()


def _batched(value: object) -> bytes:
    whole = {
        "metadata": {"phone_number_id": "1"},
        "messages": [value],
        "statuses": [value],
        "message_echoes": [value],
    }
    fields = ("messages", "smb_message_echoes")
    return json.dumps(
        {"entry": [{"changes": [{"field": one, "value": whole} for one in fields]}]}
    ).encode()


def _evented(value: object) -> bytes:
    thread = {"type": "message", "channel": "C1", "thread_ts": "1.000001", "ts": "1.000002"}
    event = {**thread, "user": "U1", **(value if isinstance(value, dict) else {"message": value})}
    return json.dumps({"type": "event_callback", "event_id": "Ev1", "event": event}).encode()


def _transacted(value: object) -> bytes:
    event = {
        **(value if isinstance(value, dict) else {"content": value}),
        "event_id": "$e",
        "room_id": "!r:example.org",
        "sender": "@jane:example.org",
    }
    kinds = ("m.room.member", "m.room.message", "m.reaction", "m.room.encrypted", "m.sticker")
    events = [value, event, *({**event, "type": kind, "state_key": "@j:x"} for kind in kinds)]
    passing = [value, {**event, "type": "m.typing"}, {**event, "type": "m.receipt"}]
    return json.dumps({"events": events, "ephemeral": passing}).encode()


@FOR_ALL
@given(
    body=st.binary()
    | HARD
    | HARD.map(
        lambda raw: json.dumps({"message": {"data": base64.b64encode(raw).decode()}}).encode()
    )
    | LIKELY.map(lambda value: json.dumps(value).encode())
    | LIKELY.map(_enveloped)
    | LIKELY.map(_pushed)
    | st.dictionaries(FIELDS, LIKELY, max_size=6).map(_interaction)
    | LIKELY.map(_batched)
    | LIKELY.map(_evented)
    | LIKELY.map(_transacted)
)
def test_any_body_is_read_or_noted(body: bytes) -> None:
    for platform in OPEN:
        _reads_or_notes(platform, Request("POST", "/", body))


def _reads_or_notes(platform: Platform, request: Request) -> None:
    with contextlib.suppress(Unauthenticated):
        platform.handshake(request)
    for event in platform.events(request):  # what is genuine is never refused
        assert isinstance(event, Event | Ephemeral), platform.name
        assert event.source.startswith(f"{platform.name}:")
        if isinstance(event, Event):
            assert len(event.entry_id + event.digest) > 0, platform.name
            event.model_dump_json().encode()  # what is stored can be written


@given(native=st.text(min_size=1))
def test_a_conversation_id_always_survives_a_url_and_a_document_name(native: str) -> None:
    found = conversation_id("x", native)
    assert found.isascii()
    assert len(found) <= 130
    assert "/" not in found
    assert conversation_id("x", native) == found
