"""What Slack's Web API is asked, judged by Slack's own models, and what its answers mean."""

import html
import json
from collections.abc import Generator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.metadata import Metadata

from shared.errors import DoorClosed
from shared.platforms.base import Outcome
from shared.platforms.desk import (
    Chat,
    Declined,
    OpenFile,
    Opening,
    Passing,
    Spoken,
    Standing,
    Words,
)
from shared.platforms.slack.blocks import closed, is_closed, request_blocks, with_standing
from shared.platforms.slack.desk import SlackDesk
from shared.platforms.threads import Request, standing_of
from shared.schemas.commands import CallDesk
from shared.schemas.details import About, Attachment, Deletion, Details, Edit
from shared.schemas.http import Answer, Call

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DESK = SlackDesk("https://slack.com/api/", "xoxb-1")
CHAT = Chat("C0123ABCDEF-1772366400.000100", "baton-1", "h-1")
OPEN = CallDesk(
    id="c-1",
    desk="support",
    platform="slack",
    action="open",
    handoff="h-1",
    place="C0123ABCDEF",
    reason="billing <late>",
    metadata={"order": 1},
    variables={"size": "L"},
)
SAID = (Spoken("customer", "hi & <b>", AT), Spoken("bot", "Hello", AT))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5000)


def ok(**body: Any) -> Answer:
    return Answer(200, json.dumps({"ok": True, **body}).encode())


def refused(error: str, status: int = 200, **more: str) -> Answer:
    return Answer(status, json.dumps({"ok": False, "error": error, **more}).encode())


DECLINED = Declined(refused("cant_update_message"))


class Asked:
    """Carries steps out with the answers of a script, None where the desk refuses for good, and
    keeps what was asked.
    """

    def __init__(self, steps: Generator[Any, Answer | None, Any], *answers: Answer | None) -> None:
        self.calls: list[Call] = []
        script = iter(answers)
        try:
            step = next(steps)
            while True:
                is_file = isinstance(step, Passing)
                self.calls.append(step.call(FILE) if is_file else step)
                answer = next(script, ok(ts="1772366400.000900"))
                is_declined = answer is None and not is_file
                step = steps.throw(DECLINED) if is_declined else steps.send(answer)
        except StopIteration as end:
            self.made = end.value

    @property
    def methods(self) -> list[str]:
        return [urlsplit(call.url).path.rpartition("/")[2] for call in self.calls]

    def body(self, number: int = -1) -> Any:
        return json.loads(self.calls[number].body)

    def query(self, number: int = -1) -> Mapping[str, list[str]]:
        return parse_qs(urlsplit(self.calls[number].url).query)


async def _chunks() -> Any:
    yield b"abc"


FILE = OpenFile("a.png", "image/png", 3, _chunks())


def judged(blocks: list[dict[str, Any]]) -> None:
    parsed = Block.parse_all(blocks)
    assert len(parsed) == len(blocks) <= 50
    for block in parsed:
        block.validate_json()
    assert [block.to_dict() for block in parsed] == blocks


@given(
    customer=texts, facts=st.dictionaries(texts, texts, max_size=12), last=st.none() | texts,
    page=st.none() | texts.map(lambda text: f"https://desk.test/{len(text) * 'x'}"),
    people=st.lists(texts, max_size=4),
)  # fmt: skip
def test_slack_knows_every_block_and_its_limits(
    customer: str,
    facts: dict[str, str],
    last: str | None,
    page: str | None,
    people: list[str],
) -> None:
    blocks = request_blocks(Request(customer, facts, last), page)
    judged(blocks)
    shown = with_standing(blocks, people)
    judged(shown)
    assert with_standing(shown, ()) == blocks
    over = closed(shown, "over")
    judged(over)
    assert is_closed(over)
    assert not is_closed(shown)


def test_a_request_says_who_why_and_what_is_known_and_can_be_found_again() -> None:
    opening = Opening(OPEN, "baton-1", "Ana", SAID, channel="whatsapp", page="https://desk.test/1")
    asked = Asked(DESK.open(opening))
    assert asked.methods == ["chat.postMessage", "chat.postMessage"]
    assert asked.made == "C0123ABCDEF-1772366400.000900"
    request, transcript = asked.body(0), asked.body(1)
    judged(request["blocks"])
    shown = json.dumps(request["blocks"], ensure_ascii=False)
    for part in ("Ana needs a person", "billing <late>", "whatsapp", "order: 1", "size: L",
                 "hi & <b>", "https://desk.test/1", standing_of(())):  # fmt: skip
        assert part in shown
    assert transcript["thread_ts"] == "1772366400.000900"
    assert transcript["text"] == "Customer: hi &amp; &lt;b&gt;\nAssistant: Hello"
    for said in (request, transcript):
        assert said["metadata"]["event_payload"]["handoff"] == "h-1"
        assert Metadata(**said["metadata"]).event_type.startswith("baton_")
        assert (said["unfurl_links"], said["unfurl_media"]) == (False, False)
    assert DESK.conversation(asked.made) == f"slack:{asked.made}"
    assert DESK.native(f"slack:{asked.made}") == asked.made


def posted(kind: str, ts: str, **payload: Any) -> dict[str, Any]:
    metadata = {"event_type": kind, "event_payload": payload}
    return {"type": "message", "ts": ts, "metadata": metadata}


def test_asked_again_it_posts_only_what_is_missing() -> None:
    command = OPEN.model_copy(update={"asked_at": AT})
    opening = Opening(command, "baton-1", "Ana", [Spoken("bot", "x" * 3000, AT)] * 2, again=True)
    pages = (
        ok(messages=[{"ts": "9.000001", "text": "Lunch?"},
                     posted("baton_request", "8.000001", handoff="h-2")],
           response_metadata={"next_cursor": "more"}),
        ok(messages=[posted("baton_request", "7.000002", handoff="h-1"),
                     posted("baton_request", "7.000001", handoff="h-1")]),
        ok(messages=[posted("baton_transcript", "7.000003", handoff="h-1", part=0)]),
    )  # fmt: skip
    asked = Asked(DESK.open(opening), *pages)
    assert asked.methods == [*["conversations.history"] * 2, "conversations.replies",
                             "chat.postMessage"]  # fmt: skip
    assert asked.made == "C0123ABCDEF-7.000001"
    assert asked.query(1)["cursor"] == ["more"]
    assert asked.query(0)["include_all_metadata"] == ["true"]
    since = datetime.fromtimestamp(float(asked.query(0)["oldest"][0]), UTC)
    assert timedelta(minutes=1) <= AT - since <= timedelta(hours=1)
    assert asked.body()["metadata"]["event_payload"]["part"] == 1
    never = Asked(DESK.open(opening), ok(messages=[]))
    assert never.methods == ["conversations.history", *["chat.postMessage"] * 3]


def test_words_are_posted_under_the_customers_name_as_they_were_typed() -> None:
    asked = Asked(DESK.say(CHAT, Words("w", "*hi* <!channel> & @here", name="Ana")))
    body = asked.body()
    assert asked.methods == ["chat.postMessage"]
    assert asked.made == "1772366400.000900"
    assert (body["channel"], body["thread_ts"]) == ("C0123ABCDEF", "1772366400.000100")
    assert (body["username"], body["text"]) == ("Ana", "*hi* &lt;!channel&gt; &amp; @here")
    assert (body["mrkdwn"], body["parse"], body["link_names"]) == (False, "none", False)
    assert Asked(DESK.say(CHAT, Words("w", "x"))).body()["username"] == "Customer"


@given(text=st.text(st.sampled_from("<>&x\n"), min_size=1, max_size=50_000))
def test_slack_gets_no_longer_text_than_it_takes(text: str) -> None:
    body = Asked(DESK.say(CHAT, Words("w", text))).body()
    assert len(body["text"]) <= 40_000
    said = html.unescape(body["text"])
    assert said == text or (said.endswith("[cut]") and text.startswith(said[:-8]))


def about(**details: Any) -> Words:
    known = Details(about=About(message="m-1", by="CUSTOMER", text="hi"), **details)
    return Words("w", "[edited] hello", "hello", known, "Ana", about="1772366400.000500")


def test_a_change_is_shown_as_a_change() -> None:
    asked = Asked(DESK.say(CHAT, about(edited=Edit(text="<hello>"))))
    assert (asked.methods, asked.made) == (["chat.update"], "1772366400.000500")
    body = asked.body()
    assert (body["ts"], body["text"], body["parse"]) == (
        "1772366400.000500",
        "&lt;hello&gt;",
        "none",
    )
    asked = Asked(DESK.say(CHAT, about(revoked=Deletion())))
    assert (asked.methods, asked.made) == (["chat.delete"], "1772366400.000500")
    assert asked.body() == {"channel": "C0123ABCDEF", "ts": "1772366400.000500"}


@pytest.mark.parametrize("details", [{"edited": Edit(text="x")}, {"revoked": Deletion()}])
def test_what_cannot_be_changed_is_said_in_words(details: dict[str, Any]) -> None:
    asked = Asked(DESK.say(CHAT, about(**details)), None)
    assert asked.methods[1:] == ["chat.postMessage"]
    assert asked.body()["text"] == "[edited] hello"
    assert asked.made == "1772366400.000900"
    long = about(edited=Edit(text="&" * 4000))
    assert Asked(DESK.say(CHAT, long)).methods == ["chat.postMessage"]


def with_file() -> Words:
    details = Details(attachments=(Attachment(kind="image", file_name="a.png"),))
    link = "https://relay.test/1"
    return Words("w", f"look\n{link}", "look", details, "Ana", links=(link,))


PLACE = ok(upload_url="https://files.slack.com/upload/v1/x", file_id="F1")


def test_a_file_is_uploaded_and_shown_with_its_words_by_one_call() -> None:
    asked = Asked(DESK.say(CHAT, with_file()), PLACE, Answer(200, b"OK - 3"), ok(files=[]))
    assert asked.methods == ["files.getUploadURLExternal", "x", "files.completeUploadExternal"]
    assert asked.query(0) == {"filename": ["a.png"], "length": ["3"]}
    assert (asked.calls[1].stream, asked.calls[1].auth) == (FILE.chunks, "none")
    assert asked.calls[1].headers["content-length"] == "3"
    body = asked.body()
    assert body["files"] == [{"id": "F1", "title": "a.png"}]
    assert (body["channel_id"], body["thread_ts"]) == ("C0123ABCDEF", "1772366400.000100")
    assert (body["initial_comment"], body["username"]) == ("look", "Ana")


@pytest.mark.parametrize(
    "answers",
    [(None,), (PLACE, None), (PLACE, Answer(200, b"OK - 3"), None), (ok(file_id="F1"),)],
)
def test_a_file_that_slack_does_not_take_is_a_link(answers: tuple[Answer | None, ...]) -> None:
    asked = Asked(DESK.say(CHAT, with_file()), *answers)
    assert asked.methods[-1] == "chat.postMessage"
    assert asked.body()["text"] == "look\nhttps://relay.test/1"
    assert asked.made == "1772366400.000900"


def test_a_file_goes_to_slack_alone_and_only_if_its_size_is_known() -> None:
    upload = next(DESK.say(CHAT, with_file()))
    assert isinstance(upload, Passing)
    assert upload.call(OpenFile("a.png", "image/png", None, _chunks())) is None
    elsewhere = ok(upload_url="https://files.example.com/x", file_id="F1")
    asked = Asked(DESK.say(CHAT, with_file()), elsewhere)
    assert asked.methods == ["files.getUploadURLExternal", "chat.postMessage"]


ROOT = {
    "ts": "1772366400.000100",
    "bot_id": "B1",
    "text": "Ana needs a person",
    "blocks": request_blocks(Request("Ana", {}), "https://desk.test/1"),
}


def test_the_request_shows_who_has_the_customer() -> None:
    asked = Asked(DESK.show(CHAT, Standing("s", ("Jane", "Tom"))), ok(messages=[ROOT]))
    assert asked.methods == ["conversations.replies", "chat.update"]
    body = asked.body()
    judged(body["blocks"])
    shown = json.dumps(body["blocks"])
    assert "With the customer: Jane, Tom" in shown
    assert {"baton_release", "baton_queue", "baton_open_page"} <= {
        one.get("action_id") for block in body["blocks"] for one in block.get("elements", ())
    }
    assert "metadata" not in body  # what is not given stays
    assert Asked(DESK.show(CHAT, Standing("s")), ok(messages=[])).methods == [
        "conversations.replies"
    ]


def test_an_end_takes_the_buttons_away_and_is_said_once() -> None:
    asked = Asked(DESK.close(CHAT, "c", "the customer left"), ok(messages=[ROOT]))
    assert asked.methods == ["conversations.replies", "chat.update", "chat.postMessage"]
    blocks = asked.body(1)["blocks"]
    judged(blocks)
    assert "baton_claim" not in json.dumps(blocks)
    assert asked.body()["text"] == "This conversation is over: the customer left."
    over = ok(messages=[{**ROOT, "blocks": blocks}])
    assert Asked(DESK.close(CHAT, "c", "again"), over).methods == ["conversations.replies"]
    assert Asked(DESK.show(CHAT, Standing("s")), over).methods == ["conversations.replies"]


def test_an_erase_deletes_what_baton_posted_and_the_request_last() -> None:
    thread = [
        ROOT,
        {"ts": "2.000001", "user": "U1", "text": "I am on it"},
        {"ts": "3.000001", "bot_id": "B1", "username": "Ana", "files": [{"id": "F1"}]},
        {"ts": "4.000001", "bot_id": "B2", "text": "another app"},
    ]
    asked = Asked(DESK.erase(CHAT, ()), ok(messages=thread))
    assert asked.methods == ["conversations.replies", "files.delete", *["chat.delete"] * 2]
    assert [asked.body(number).get("ts") for number in (2, 3)] == ["3.000001", ROOT["ts"]]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (ok(), Outcome.DONE),
        (Answer(200, b"OK - 12"), Outcome.DONE),
        (refused("ratelimited", 429), Outcome.PACED),
        (refused("ratelimited"), Outcome.PACED),
        (refused("internal_error"), Outcome.TRANSIENT),
        (refused("fatal_error"), Outcome.TRANSIENT),
        (refused("service_unavailable"), Outcome.TRANSIENT),
        (Answer(200, b"<html>"), Outcome.TRANSIENT),
        (Answer(200, b"[]"), Outcome.TRANSIENT),
        (Answer(503, b""), Outcome.TRANSIENT),
        (refused("request_timeout"), Outcome.NOT_TAKEN),
        (refused("invalid_auth"), Outcome.CREDENTIALS),
        (refused("token_revoked"), Outcome.CREDENTIALS),
        (refused("token_expired"), Outcome.CREDENTIALS),
        (refused("account_inactive"), Outcome.CREDENTIALS),
        (refused("missing_scope"), Outcome.FORBIDDEN),
        (refused("not_in_channel"), Outcome.FORBIDDEN),
        (refused("msg_too_long"), Outcome.PERMANENT),
        (refused("an_error_of_tomorrow"), Outcome.PERMANENT),
        (refused("thread_not_found"), Outcome.PERMANENT),
    ],
)
def test_what_answers_mean(answer: Answer, outcome: Outcome) -> None:
    assert DESK.outcome(answer) is outcome


@pytest.mark.parametrize(
    "error", ["thread_not_found", "message_not_found", "channel_not_found", "is_archived"]
)
def test_a_thread_that_is_gone(error: str) -> None:
    assert DESK.is_over(refused(error))
    assert not DESK.is_over(refused("internal_error"))
    assert not DESK.is_over(ok())


def test_a_refusal_says_what_is_missing_and_names_nobody() -> None:
    assert DESK.refusal(refused("missing_scope", needed="files:write")) == (
        "missing_scope files:write"
    )
    assert DESK.refusal(refused("Ana <ana@example.com>")) is None
    assert DESK.refusal(Answer(200, b"Ana")) is None


def test_what_is_missing_is_named() -> None:
    with pytest.raises(DoorClosed) as caught:
        next(SlackDesk().say(CHAT, Words("w", "x")))
    assert caught.value.metadata["setting"] == "SLACK_BOT_TOKEN"
    assert "xoxb-1" not in repr(DESK)


def test_messages_of_one_channel_keep_its_pace() -> None:
    call = Asked(DESK.say(CHAT, Words("w", "x"))).calls[0]
    assert [(pace.of, pace.per_second) for pace in call.paces] == [("slack C0123ABCDEF", 1.0)]
    assert call.auth == "bearer:xoxb-1"
