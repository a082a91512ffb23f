"""What people do in Google Chat, as the simulated Chat reports it: by interaction events over HTTPS
and through Pub/Sub, and by a subscription to the space.

The resources in the events are judged by Google's own library, and the events by the schema of
Google's discovery document.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.simulators.google_chat import Json, Member, SimulatedChat
from shared.platforms.base import Deflected
from shared.platforms.google_chat.platform import GoogleChat
from shared.platforms.google_chat.proofs import Proofs
from shared.schemas.details import Attachment
from shared.schemas.events import (
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRevoked,
    Transfer,
    Unknown,
)
from shared.schemas.http import Answer, Request
from shared.schemas.people import Person
from tests.unit.simulated_chat import JANE, OMAR, ChatSender
from tests.vendors.google_chat import judge_event, judge_message

BUTTONS = {
    "text": "needs a person",
    "accessoryWidgets": [
        {
            "buttonList": {
                "buttons": [
                    {"text": act.title(), "onClick": {"action": {"function": act}}}
                    for act in ("claim", "release", "queue", "unavailable", "dance")
                ]
            }
        }
    ],
}


def platform(**people: Person) -> GoogleChat:
    known = {f"{name}@example.com": person for name, person in people.items()}
    return GoogleChat(lambda: datetime.now(UTC), Proofs("1"), people=known)


def started(chat: SimulatedChat) -> str:
    """Returns the thread that the app has started for a handoff."""
    query = {
        "requestId": "r",
        "messageId": "client-1",
        "messageReplyOption": "REPLY_MESSAGE_OR_FAIL",
    }
    body = {**BUTTONS, "thread": {"threadKey": "baton-handoff-1"}}
    _, message = chat.answer("POST", "/v1/spaces/AAAA/messages", query, json.dumps(body).encode())
    assert isinstance(message, dict)
    chat.events.clear()
    thread: str = message["thread"]["name"]
    return thread


def read(chat: SimulatedChat, **people: Person) -> list[Event]:
    """Returns the events of all that the app was sent."""
    found: list[object] = []
    for body in chat.events:
        judge(body)
        raw = json.dumps(body).encode()
        found += platform(**people).events(Request("POST", "/google_chat", raw))
    return [one for one in found if isinstance(one, Event)]


def judge(body: Json) -> None:
    """Raises unless the body is one that Google's schemas know."""
    if "subscription" not in body:
        judge_event(body)
        return
    data = json.loads(base64.b64decode(body["message"]["data"]))
    if "type" in data:
        judge(data)
    else:
        judge_message(data["message"])


def native(thread: str) -> str:
    return thread.removeprefix("spaces/").replace("/threads/", "~")


ways = pytest.mark.parametrize(
    "chat",
    [SimulatedChat(), SimulatedChat(wrapped=True), SimulatedChat(subscribed=True)],
    ids=["https", "pubsub", "subscription"],
)


@ways
def test_who_writes_is_heard_under_their_own_name(chat: SimulatedChat) -> None:
    thread = started(chat)
    message = chat.writes(JANE, thread, "Hello, *I* am Jane", mention=not chat.subscribed)
    (said,) = read(chat)
    assert isinstance(said, HumanMessage)
    assert said.content.text == "Hello, *I* am Jane"
    assert said.representative.display_name == "Jane Doe"
    assert said.representative.avatar_image == JANE.user["avatarUrl"]
    assert said.source == f"google_chat:{native(thread)}"
    assert (said.id, said.address) == (message["name"], native(thread))
    assert said.occurred_at is not None


def test_a_message_that_is_told_twice_has_one_id() -> None:
    chat = SimulatedChat(subscribed=True)
    chat.writes(JANE, started(chat), "Hello")
    first, second = read(chat)
    assert first.entry_id == second.entry_id
    assert first.digest == second.digest


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Claim", HumanJoined),
        ("Release", HumanLeft),
        ("Queue", Transfer),
        ("Unavailable", Deflected),
        ("Dance", Unknown),
    ],
)
def test_a_button_is_what_its_presser_did(label: str, kind: type[Event]) -> None:
    chat = SimulatedChat()
    thread = started(chat)
    chat.presses(OMAR, thread, label)
    (event,) = read(chat)
    assert type(event) is kind
    assert event.address == native(thread)
    assert getattr(event, "representative", None) is None or (
        event.representative.display_name == "Omar Ali"  # type: ignore[attr-defined]
    )


def test_each_press_is_one_event() -> None:
    chat = SimulatedChat()
    thread = started(chat)
    for who in (JANE, OMAR, JANE):
        chat.presses(who, thread, "Claim")
    chat.events.append(chat.events[0])
    ids = [one.entry_id for one in read(chat)]
    assert len(set(ids)) == 3
    assert ids[0] == ids[3]


@ways
def test_what_apps_say_is_nothing_of_peoples(chat: SimulatedChat) -> None:
    thread = started(chat)
    body = json.dumps({"text": "Hello", "thread": {"name": thread}}).encode()
    chat.answer(
        "POST", "/v1/spaces/AAAA/messages", {"messageReplyOption": "REPLY_MESSAGE_OR_FAIL"}, body
    )
    chat.answer(
        "PATCH", "/v1/spaces/AAAA/messages/client-1", {"updateMask": "text"}, b'{"text": "x"}'
    )
    assert read(chat) == []


def test_events_about_no_thread_of_batons_open_nothing() -> None:
    chat = SimulatedChat()
    chat.adds_the_app(JANE)
    assert read(chat) == []
    chat.begins(JANE, "what can you do?")
    (said,) = read(chat)
    assert said.address is None  # so nothing begins with it


def test_a_person_of_batons_own_speaks_under_that_name() -> None:
    chat = SimulatedChat()
    jane = Person(id="jane@example.com", name="Jane D.", avatar="https://a.test/j.png")
    chat.writes(Member("Doe, Jane (Support)", "Jane@Example.com", 7), started(chat), "Hello")
    (said,) = read(chat, jane=jane)
    assert isinstance(said, HumanMessage)
    assert said.representative == jane.representative


def test_who_quotes_a_message_answers_it() -> None:
    chat = SimulatedChat()
    thread = started(chat)
    (first,) = chat.shown(thread)
    for kind in ({}, {"quoteType": "REPLY"}, {"quoteType": "FORWARD"}):
        quoted = {"name": first["name"], "lastUpdateTime": first["createTime"], **kind}
        chat.writes(JANE, thread, "this one", quotedMessageMetadata=quoted)
    said = [one.about for one in read(chat) if isinstance(one, HumanMessage)]
    assert said == [first["name"], first["name"], None]


def test_files_are_fetched_from_google_chat_and_drive_is_a_link() -> None:
    chat = SimulatedChat()
    picture = chat.attachment(b"png", "image/png", "dog.png")
    drive = {"contentName": "plan", "driveDataRef": {"driveFileId": "1a"}, "source": "DRIVE_FILE"}
    gif = [{"uri": "https://media.tenor.com/1.gif"}]
    message = chat.writes(JANE, started(chat), "see", attachment=[picture, drive], attachedGifs=gif)
    words, file = read(chat)
    assert isinstance(words, HumanMessage)
    assert isinstance(file, HumanMessage)
    assert words.content.text == (
        "see\nhttps://drive.google.com/open?id=1a\nhttps://media.tenor.com/1.gif"
    )
    (known,) = file.content.attachments
    assert (known.kind, known.mime_type, known.file_name) == ("image", "image/png", "dog.png")
    assert (words.id, file.id) == (message["name"], f"{message['name']}#1")
    call = platform().media_source(known, None)
    answer = ChatSender(chat).answer(call)
    assert answer.body == b"png"
    assert call.url.startswith("https://chat.googleapis.com/v1/media/")
    assert call.url.endswith("?alt=media")


def test_a_file_alone_has_no_words_beside_it() -> None:
    chat = SimulatedChat()
    picture = chat.attachment(b"png", "image/png", "dog.png")
    message = chat.writes(JANE, started(chat), "", attachment=[picture])
    (file,) = read(chat)
    assert (file.id, file.text) == (message["name"], "[image] dog.png")
    chat.events.clear()
    chat.writes(JANE, started(chat), "")
    assert read(chat) == []


def test_only_files_of_a_name_are_asked_for() -> None:
    from shared.errors import NotFound

    for name in (None, "", "../../v1/spaces"):
        with pytest.raises(NotFound):
            platform().media_source(Attachment(id=name), None)


def test_changed_words_say_so_and_deleted_ones_are_named() -> None:
    chat = SimulatedChat(subscribed=True)
    message = chat.writes(JANE, started(chat), "helo", mention=False)
    chat.edits(JANE, message, "hello")
    chat.deletes(message)
    said, edited, deleted = read(chat)
    assert (said.text, edited.text) == ("helo", "[edited] hello")
    assert said.entry_id != edited.entry_id
    assert isinstance(deleted, HumanRevoked)
    assert (deleted.about, deleted.source) == (message["name"], said.source)


def test_a_batch_of_a_subscription_is_each_of_its_messages() -> None:
    chat = SimulatedChat(subscribed=True)
    thread = started(chat)
    for text in ("one", "two"):
        chat.writes(JANE, thread, text, mention=False)
    data = [json.loads(base64.b64decode(one["message"]["data"])) for one in chat.events]
    whole = json.dumps({"messages": data}).encode()
    pushed: Json = {**chat.events[0], "message": {**chat.events[0]["message"]}}
    pushed["message"]["data"] = base64.b64encode(whole).decode()
    kind = "google.workspace.chat.message.v1.batchCreated"
    pushed["message"]["attributes"] = {"ce-type": kind}
    found = platform().events(Request("POST", "/google_chat", json.dumps(pushed).encode()))
    assert [one.text for one in found if isinstance(one, Event)] == ["one", "two"]


def test_an_event_without_a_name_is_asked_for_it() -> None:
    chat = SimulatedChat(subscribed=True)
    nameless = Member("Jane Doe", "jane@example.com", 1)
    chat.writes(nameless, started(chat), "Hello", mention=False)
    data = json.loads(base64.b64decode(chat.events[0]["message"]["data"]))
    data["message"]["sender"] = {"name": JANE.user["name"], "type": "HUMAN"}
    chat.events[0]["message"]["data"] = base64.b64encode(json.dumps(data).encode()).decode()
    (said,) = read(chat)
    assert isinstance(said, HumanMessage)
    assert said.native_person == "spaces/AAAA/members/1001"
    answer = ChatSender(chat).answer(platform().person_lookup(said.native_person))
    profile = platform().profile(answer)
    assert (profile.name, profile.email) == ("Jane Doe", "jane@example.com")
    assert profile.avatar == JANE.user["avatarUrl"]


def test_mentions_are_cut_out_where_google_chat_has_not_done_it() -> None:
    chat = SimulatedChat()
    message = chat.writes(JANE, started(chat), "Hello @Omar Ali")
    event = {**chat.events[0], "message": {**message}}
    del event["message"]["argumentText"]
    found = platform().events(Request("POST", "/google_chat", json.dumps(event).encode()))
    assert [one.text for one in found if isinstance(one, Event)] == ["Hello @Omar Ali"]


def test_times_are_read_in_both_documented_forms() -> None:
    chat = SimulatedChat()
    chat.presses(JANE, started(chat), "Claim")
    event = {**chat.events[0], "eventTime": {"seconds": 1691187414, "nanos": 93489000}}
    (found,) = platform().events(Request("POST", "/google_chat", json.dumps(event).encode()))
    assert isinstance(found, Event)
    assert found.occurred_at == datetime(2023, 8, 4, 22, 16, 54, 93489, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"chat": {"messagePayload": {}}, "commonEventObject": {}}, "google-chat-add-on"),
        ({"message": {"data": "?"}, "subscription": "s"}, "malformed-base64"),
        ({"message": {}, "subscription": "s"}, "malformed-json"),
    ],
)
def test_what_cannot_be_read_is_taken_and_tells_why(
    body: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = json.dumps(body).encode()
    assert platform().events(Request("POST", "/google_chat", raw)) == []
    assert f'"{reason}"' in capsys.readouterr().out


def test_a_profile_that_says_nothing_is_asked_for_again() -> None:
    from shared.errors import Unavailable

    with pytest.raises(Unavailable):
        platform().profile(Answer(200, b"{}"))
