"""What may come to a door: bodies, paths, queries and envelopes, from nearly right to nothing
of the kind.
"""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.emulators.envelopes import FORMS, Envelope

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def some_of(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have some of these fields, with anything in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, anything))


times = st.sampled_from(
    ["2026-01-01T00:00:00Z", "0000-00-00", "9999-12-31T23:59:59.999999999Z", "now"]
)
people = some_of("displayName", "representativeType", "avatarImage") | st.fixed_dictionaries(
    {"representativeType": st.sampled_from(["BOT", "HUMAN"]), "displayName": st.text(max_size=10)}
)
natives = st.sampled_from(["3333", "4444"]) | st.text(max_size=150)
raw_json = st.builds(lambda value: json.dumps(value).encode(), anything) | st.binary(max_size=60)
business_messages = st.fixed_dictionaries(
    {"conversationId": natives},
    optional={
        "requestId": anything,
        "message": anything
        | st.fixed_dictionaries(
            {}, optional={"messageId": anything, "text": anything, "createTime": times}
        ),
        "suggestionResponse": anything | some_of("text", "postbackData"),
        "userStatus": anything
        | st.fixed_dictionaries(
            {},
            optional={
                "isTyping": anything,
                "requestedLiveAgent": st.sampled_from(["true", True, 1]),
            },
        ),
        "receipts": anything | some_of("receipts"),
        "surveyResponse": anything | some_of("rating", "questionResponseText"),
        "authenticationResponse": anything,
        "context": anything | some_of("userInfo", "resolvedLocale"),
        "sendTime": times | anything,
    },
)
csku = st.fixed_dictionaries(
    {
        "event": st.sampled_from(
            ["channel.message_in", "agent.message_out", "ai.message_generated", "x"]
        )
        | anything
    },
    optional={
        "conversation_id": natives | anything,
        "timestamp": st.integers() | st.floats() | anything,
        "need_human": anything,
        "conversation_label": anything,
        "message": anything | some_of("id", "content", "agent", "ai", "sender_name"),
    },
)
numbers = st.sampled_from(["+6281234567890", "5511987654321", "PHONE_NUMBER"]) | anything
rcs = st.fixed_dictionaries(
    {"agentId": st.just("agent@rbm.goog") | anything, "senderPhoneNumber": numbers},
    optional={
        "phoneNumber": numbers,
        "messageId": anything | st.text(max_size=20),
        "eventId": anything | st.text(max_size=20),
        "eventType": st.sampled_from(
            "DELIVERED READ IS_TYPING SUBSCRIBE UNSUBSCRIBE TTL_EXPIRATION_REVOKED".split()
        )
        | anything,
        "text": st.sampled_from(["Hi", "STOP", "START"]) | anything,
        "userFile": anything | some_of("payload", "thumbnail"),
        "location": anything | some_of("latitude", "longitude"),
        "suggestionResponse": anything
        | st.fixed_dictionaries(
            {"postbackData": st.just("baton:request-human") | anything}, optional={"text": anything}
        ),
        "sendTime": times | anything,
    },
)
_item = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            "text image location contacts interactive button reaction system order".split()
        )
        | anything
    },
    optional={
        **dict.fromkeys(("from", "to", "recipient_id"), numbers),
        **dict.fromkeys(
            ("id", "timestamp", "text", "image", "location", "contacts", "interactive", "button"),
            anything,
        ),
        "status": st.sampled_from(["sent", "delivered", "read", "failed"]) | anything,
        "errors": anything | st.lists(some_of("code", "title"), max_size=2),
        "reaction": anything | some_of("emoji"),
    },
)
_value = st.fixed_dictionaries(
    {"metadata": st.just({"phone_number_id": "1"}) | anything},
    optional={
        **{
            name: st.lists(_item | anything, max_size=3)
            for name in ("messages", "statuses", "message_echoes")
        },
        "contacts": anything | st.lists(some_of("wa_id", "profile"), max_size=2),
    },
)
_change = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["messages", "smb_message_echoes"]) | anything,
        "value": _value | anything,
    }
)
whatsapp = st.fixed_dictionaries(
    {
        "entry": st.lists(
            st.fixed_dictionaries({"changes": st.lists(_change | anything, max_size=2)}), max_size=2
        )
        | anything
    }
)

_person = st.fixed_dictionaries(
    {"type": st.sampled_from(["agent", "virtual_agent", "end_user"]) | anything},
    optional={"id": anything, "name": anything, "state": st.just("accepted") | anything},
)
ccai = st.fixed_dictionaries(
    {
        "event_type": st.sampled_from(
            "message_received participant_joined participant_left chat_created chat_ended "
            "x_deflected".split()
        )
        | anything,
        "chat_id": st.sampled_from([138, "138", "a/b", ""]) | anything,
    },
    optional={
        "timestamp": anything,
        "state": st.sampled_from(["assigned", "active"]) | anything,
        "participants": st.lists(_person | anything, max_size=2) | anything,
        "body": st.fixed_dictionaries(
            {},
            optional={
                "sender": _person | anything,
                "message": st.fixed_dictionaries({"type": anything, "content": anything})
                | anything,
                "chat": st.fixed_dictionaries(
                    {"end_user": st.fixed_dictionaries({"id": anything}) | anything}
                ),
                "reason": anything,
            },
        )
        | anything,
    },
)

_in_room = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from(["$1", "$2", ""]) | anything,
        "room_id": st.sampled_from(["!a:example.org", "!" + "x" * 300, "!\u00e4:y"]) | anything,
        "sender": st.sampled_from(["@jane:localhost", "@baton_1:localhost", "@"]) | anything,
        "type": st.sampled_from(
            "m.room.member m.room.message m.reaction m.sticker m.room.encrypted m.typing "
            "m.receipt".split()
        )
        | anything,
        "content": st.fixed_dictionaries(
            {},
            optional={
                "membership": st.sampled_from(["join", "leave", "ban"]) | anything,
                "msgtype": st.sampled_from(["m.text", "m.image", "m.location"]) | anything,
                "body": anything,
                "url": st.just("mxc://a/b") | anything,
                "m.relates_to": some_of("rel_type", "event_id", "key", "m.in_reply_to") | anything,
                "user_ids": st.lists(anything, max_size=2) | anything,
            },
        )
        | anything,
    },
    optional={"state_key": anything, "origin_server_ts": anything, "unsigned": anything},
)
matrix = st.fixed_dictionaries(
    {"events": st.lists(_in_room | anything, max_size=3) | anything},
    optional={"ephemeral": st.lists(_in_room | anything, max_size=2) | anything},
)


segments = st.one_of(
    st.sampled_from(
        [
            "3333",
            "4444",
            "csku:9",
            "business_messages:3333",
            "%",
            "%ff",
            "%00",
            "%2F",
            "..",
            "",
            "a%3Aclaim",
            ":",
        ]
    ),
    st.text(max_size=12).map(lambda text: quote(text.encode("utf-8", "replace"), safe="")),
    st.text(max_size=12),
)
verbs = st.sampled_from(
    ["", ":requestHuman", ":claim", ":release", ":fail", ":link", ":unlink", ":x"]
)
rest = st.sampled_from(
    [
        "",
        "/messages",
        "/events",
        "/journal",
        "/messages/m-1/receipt",
        "/x",
        "/messages/%ff/receipt",
        "/",
    ]
)
paths = (
    st.builds("/v1/conversations/{}{}{}".format, segments, verbs, rest)
    | st.just("/v1/conversations")
    | segments
)
ids = st.text(min_size=1, max_size=5) | anything
asked_bodies = st.fixed_dictionaries(
    {},
    optional={
        "messageId": ids,
        "requestId": ids,
        "text": st.text(max_size=20) | anything,
        "representative": people | anything,
        "eventType": st.sampled_from(
            ["REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT", "TYPING_STARTED"]
        )
        | anything,
        "receiptType": st.just("READ") | anything,
        "reason": st.text(max_size=9) | anything,
        "metadata": anything,
        "to": natives | anything,
        "richCard": anything,
        "image": anything | some_of("contentInfo"),
        "suggestions": anything,
        "fallback": anything,
    },
)
cursors = st.text(max_size=30) | st.builds(
    "{} conversations/{}".format, times | st.integers(), segments
)
queries = st.one_of(
    st.binary(max_size=30),
    st.builds(
        lambda value: f"eventId={quote(value, errors='replace')}".encode(), st.text(max_size=9)
    ),
    st.builds(
        lambda value: f"phase=HUMAN&cursor={quote(value, errors='replace')}".encode(), cursors
    ),
)


wake_ups = st.fixed_dictionaries(
    {
        "schema_version": st.just(1) | anything,
        "conversation": natives.map("business_messages:{}".format) | anything,
    },
    optional={"timers": st.booleans() | anything, "x": anything},
)
notifications = st.fixed_dictionaries(
    {
        "schema_version": st.just(1),
        "id": st.text(max_size=40) | anything,
        "type": st.sampled_from(["handoff.requested", "delivery.failed", "x"]) | anything,
        "conversation": natives.map("business_messages:{}".format) | anything,
        "time": times | anything,
    },
    optional={
        "representative": people | anything,
        "reason": anything,
        "waited_seconds": anything,
        "reminder": anything,
    },
)


def envelopes(bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[Envelope]:
    """Each form with such a body, with what is left out, doubled or of another kind; and
    anything at all.
    """
    well = st.builds(lambda form, body: FORMS[form](body), st.sampled_from(list(FORMS)), bodies)
    message = st.fixed_dictionaries(
        {},
        optional={
            "data": anything,
            "attributes": anything,
            "messageId": anything,
            "message_id": anything,
        },
    )
    ill = st.builds(
        lambda value: Envelope(json.dumps(value).encode(), {}),
        st.fixed_dictionaries(
            {}, optional={"message": message | anything, "data": anything, "specversion": anything}
        ),
    )
    return well | ill | st.builds(Envelope, raw_json, st.just({"ce-id": "1"}))
