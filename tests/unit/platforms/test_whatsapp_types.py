"""WhatsApp's Cloud API as the types of whatsapp-api-js have it, an independent client library:
what Baton sends is of these types, and Baton reads every body of these types.

Meta's own OpenAPI document cannot be this judge: it has no webhooks, and its messages allow no
field that they require (tests/vendors/README.md).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.platforms.base import Outcome
from shared.platforms.suggestions import REQUEST_CONTACT
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas import events
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content, File, Template
from shared.schemas.content_rules import first_fault
from shared.schemas.details import MEDIA_KINDS, Attachment
from shared.schemas.ephemeral import Receipt
from shared.schemas.http import Answer, Call, Request
from shared.schemas.notation import hidden
from tests.unit.platforms.test_outbound import JANE, contents
from tests.vendors.bodies import made

TYPES = json.loads((Path(__file__).parents[2] / "vendors" / "whatsapp.json").read_text())
BATON = WhatsApp(access_token="t")

# Where Baton leaves these types, and why.
POLICY = "Meta's own examples of templates leave out language.policy, which has one value only"
TYPES["SentTemplate"]["properties"]["template"]["properties"]["language"]["required"] = ["code"]

SENT = {
    name: jsonschema_rs.validator_for(schema)
    for name, schema in TYPES.items()
    if name.startswith("Sent")
}
INTERACTIVE = {"button": "Buttons", "list": "List", "request_contact_info": "ContactRequest"}
CUSTOMERS = st.sampled_from(["1065|5511987654321", "1065|BR.150", "1065|group:Y2FwaV9ncm91cA"])

files = st.builds(
    File,
    kind=st.sampled_from(MEDIA_KINDS),
    file_url=st.just("https://x.test/a.bin"),
    native_id=st.none() | st.just("137524587935346"),
    channel=st.just("whatsapp"),
    alt_text=st.none() | st.text(max_size=1100),
    file_name=st.none() | st.text(min_size=1, max_size=40),
)
templates = st.builds(
    Template,
    name=st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True),
    language=st.sampled_from(["en_US", "id", "fil"]),
    parameters=st.lists(st.text(min_size=1, max_size=40).filter(str.strip), max_size=4).map(tuple),
)
ASKS: dict[str, Any] = {
    "text": "Your number?",
    "suggestions": [{"reply": {"text": "Share", "postbackData": REQUEST_CONTACT}}],
}
everything = st.one_of(
    contents,
    files.map(lambda file: Content(file=file)),
    templates.map(lambda template: Content(template=template)),
    st.just(Content.model_validate(ASKS)),
)


def sent(content: Content, to: str) -> dict[str, Any]:
    call = BATON.call(SendMessage(id="1", to=to, representative=JANE, content=content))
    assert isinstance(call, Call)
    body: dict[str, Any] = json.loads(call.body)
    return body


def type_of(body: dict[str, Any]) -> str:
    inner = body["interactive"]["type"] if body["type"] == "interactive" else None
    return "Sent" + (INTERACTIVE[inner] if inner else body["type"].title())


@given(content=everything, to=CUSTOMERS)
def test_what_is_sent_is_of_the_types_of_another_client(content: Content, to: str) -> None:
    assume(content.file is not None or first_fault(content) is None)
    body = sent(content, to)
    SENT[type_of(body)].validate(body)


def replies(count: int) -> dict[str, Any]:
    chips = [{"reply": {"text": f"{n}", "postbackData": f"{n}"}} for n in range(count)]
    return {"text": "?", "suggestions": chips}


def test_every_type_is_sent_and_a_field_that_it_lacks_is_refused() -> None:
    every = [
        *(Content.model_validate(one) for one in ({"text": "Hi"}, replies(3), replies(4), ASKS)),
        *(Content(file=File(kind=kind, file_url="https://x.test/a")) for kind in MEDIA_KINDS),
        Content(template=Template(name="sale", language="en_US", parameters=("A1",))),
    ]
    bodies = [sent(content, "1065|5511987654321") for content in every]
    assert {type_of(body) for body in bodies} == set(SENT)
    for body in bodies:
        assert SENT[type_of(body)].is_valid(body)
        assert not SENT[type_of(body)].is_valid({**body, "mood": 1})
        assert not SENT[type_of(body)].is_valid(
            {**body, body["type"]: {**body[body["type"]], "mood": 1}}
        )


# What a message of each type becomes. Baton hears no type that is missing here as nothing.
READ: dict[str, type] = {
    **dict.fromkeys(
        (
            *("text", "audio", "document", "image", "sticker", "video", "location", "contacts"),
            *("order", "nfm_reply", "unknown", "unsupported"),
        ),
        events.UserMessage,
    ),
    **dict.fromkeys(("button", "button_reply", "list_reply"), events.SuggestionResponse),
    "call_permission_reply": events.CallPermission,
    "reaction": events.Reaction,
    "system": events.NamesChanged,
    "request_welcome": events.Unknown,
}
STATUSES: dict[str, type | None] = {
    "sent": None,
    "delivered": Receipt,
    "read": Receipt,
    "played": None,
    "failed": events.Undelivered,
}
words = st.integers(0, 10**6).map("said{}".format)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "from": st.just("5511987654321"),
    "from_user_id": st.just("BR.150"),
    "wa_id": st.just("5511987654321"),
    "user_id": st.just("BR.150"),
    "previous_user_id": st.just("BR.149"),
    "new_wa_id": st.just("5511987654322"),
    "type": st.sampled_from(["user_changed_number", "user_changed_user_id"]),  # of system messages
    "timestamp": st.integers(1_700_000_000, 1_800_000_000).map(str),
    "url": st.integers(0, 10**6).map(
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid={}".format
    ),
    "response_json": st.dictionaries(words, words, max_size=3).map(json.dumps),
}


PLAIN = {**VALUES, "": words}
# What the customer did not say: who it is, and the form of the platform's own words.
UNSAID = {
    "from",
    "from_user_id",
    "from_parent_user_id",
    "group_id",
    "identity",
    "timestamp",
    "type",
}
SECOND = {"static_url"}  # another address of the same picture


def kind_of(message: dict[str, Any]) -> str:
    return str(message["interactive"]["type"] if "interactive" in message else message["type"])


def messages(values: dict[str, st.SearchStrategy[Any]]) -> Any:
    envelope, kind = made(TYPES["Received"], values), made(TYPES["ReceivedKind"], values)
    return st.builds(lambda one, other: {**one, **other}, envelope, kind)


def read(value: dict[str, Any]) -> Any:
    number = {"display_phone_number": "15550001065", "phone_number_id": "1065"}
    whole = {"messaging_product": "whatsapp", "metadata": number, **value}
    change = {"field": "messages", "value": whole}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    return BATON.events(Request("POST", "/whatsapp", json.dumps(body).encode(), {}))


def test_every_type_of_message_and_status_has_its_event() -> None:
    kinds = [one["properties"] for one in TYPES["ReceivedKind"]["anyOf"]]
    inner = {
        reply["properties"]["type"]["const"]
        for one in kinds
        if "interactive" in one
        for reply in one["interactive"]["anyOf"]
    }
    assert {one["type"]["const"] for one in kinds} - {"interactive"} | inner == set(READ)
    (statuses,) = {tuple(one["properties"]["status"]["enum"]) for one in TYPES["Status"]["anyOf"]}
    assert set(statuses) == set(STATUSES)


@given(message=messages(VALUES), contact=made(TYPES["ReceivedContact"], VALUES))
def test_every_message_of_these_types_is_read(
    message: dict[str, Any], contact: dict[str, Any]
) -> None:
    found = read({"contacts": [contact], "messages": [message]})
    if message.get("group_id"):
        assert list(found) == []  # what is said in groups is left alone
    else:
        assert [type(one) for one in found] == [READ[kind_of(message)]]


def leaves(body: Any, leave_out: set[str]) -> Iterator[str]:
    if isinstance(body, dict):
        for name, inner in body.items():
            if name not in leave_out:
                yield from leaves(inner, leave_out)
    elif isinstance(body, list):
        for inner in body:
            yield from leaves(inner, leave_out)
    elif isinstance(body, str) and body:
        yield body
    elif isinstance(body, int | float) and not isinstance(body, bool):
        yield str(body)


@given(message=messages(PLAIN))
def test_no_word_and_no_datum_of_a_message_is_lost(message: dict[str, Any]) -> None:
    kind = kind_of(message)
    assume(READ[kind] not in (events.Unknown, events.NamesChanged))
    message.pop("group_id", None)
    if kind == "reaction":
        message.pop("context", None)  # a reaction quotes nothing but what it is to
    message.get("context", {}).pop("from", None)
    (event,) = read({"messages": [message]})
    told = json.dumps([event.model_dump(mode="json"), hidden("")], ensure_ascii=False)
    lost = [
        leaf
        for leaf in leaves({**message, "id": ""}, UNSAID | SECOND)
        if leaf not in told and hidden(leaf) not in told and leaf.removesuffix(".0") not in told
    ]
    assert lost == []


@pytest.mark.parametrize("kind", ["image", "audio", "video", "document", "sticker"])
def test_no_address_that_needs_our_token_is_said(kind: str) -> None:
    url = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1"
    message = {"from": "5511987654321", "id": "m", "type": kind, kind: {"id": "1", "url": url}}
    (event,) = read({"messages": [message]})
    assert event.said == f"[{kind}]"
    assert event.details.attachments[0].link == url


def test_who_shows_no_name_is_named_by_the_username() -> None:
    message = {"from_user_id": "BR.150", "id": "m", "type": "text", "text": {"body": "Hi"}}
    contact = {"user_id": "BR.150", "profile": {"username": "ana.lima"}}
    (event,) = read({"contacts": [contact], "messages": [message]})
    assert event.form["context"]["userInfo"]["displayName"] == "ana.lima"


@given(status=made(TYPES["Status"], {**VALUES, "id": words}))
def test_every_status_of_these_types_is_read(status: dict[str, Any]) -> None:
    found, expected = read({"statuses": [status]}), STATUSES[status["status"]]
    if status.get("recipient_type") != "group":
        assert [type(one) for one in found] == ([expected] if expected else [])


@given(answer=made(TYPES["Taken"], {**VALUES, "id": words}))
def test_every_answer_that_a_message_was_taken_names_it(answer: dict[str, Any]) -> None:
    command = SendMessage(id="1", to="1065|BR.150", representative=JANE, content=Content(text="?"))
    got = Answer(200, json.dumps(answer).encode())
    assert BATON.outcome(got) is Outcome.DONE
    assert BATON.sent_id(command, got) == hidden(answer["messages"][0]["id"])


@given(refusal=made(TYPES["Refused"], VALUES), status=st.sampled_from([400, 401, 429, 500, 503]))
def test_every_refusal_is_read(refusal: dict[str, Any], status: int) -> None:
    got = Answer(status, json.dumps(refusal).encode())
    assert BATON.outcome(got) is not Outcome.DONE
    code = refusal["error"]["code"]
    told = BATON.refusal(got)
    assert (told or "").startswith(str(code)) or not isinstance(code, int)


@given(found=made(TYPES["FileFound"], VALUES), taken=made(TYPES["FileTaken"], {"id": words}))
def test_files_are_found_and_taken(found: dict[str, Any], taken: dict[str, Any]) -> None:
    if "url" in found:
        answer = Answer(200, json.dumps(found).encode())
        assert BATON.media_source(Attachment(kind="image", id="1"), answer).url == found["url"]
    assert BATON.uploaded_id(Answer(200, json.dumps(taken).encode())) == taken.get("id")
