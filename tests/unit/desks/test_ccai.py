"""What the Apps API is asked, and what is left out where a tenant proved it wrong."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import DoorClosed, Refused
from shared.platforms.base import Outcome
from shared.platforms.ccai.desk import CcaiDesk
from shared.platforms.ccai.names import EVERYTHING, Unofficial
from shared.platforms.desk import Chat, Declined, Made, Opening, Spoken, Steps, Words, chat_at
from shared.schemas.commands import CallDesk
from shared.schemas.http import Answer, Call

AT = datetime(2026, 4, 10, 9, 30, tzinfo=UTC)
DESK = CcaiDesk("https://acme.uc1.ccaiplatform.com/apps/api/v1/", "acme", "t0ken", 7)
CHAT = Chat("138", "5", "handoff-1")
HI = Words("c-1", "hi")
OPEN = CallDesk(
    id="c-1",
    desk="support",
    platform="ccai",
    action="open",
    handoff="handoff-1",
    reason="billing",
    language="pt-BR",
    metadata={"order": 1},
    variables={"size": "L"},
)
SAID = (
    Spoken("customer", "hi", AT),
    Spoken("bot", "Hello", AT),
    Spoken("human", "I am back", AT, "Jane"),
    Spoken("human", "who am I?", AT),
)


def call_of(steps: Steps[Made]) -> Call:
    """Returns the only call of the steps."""
    call = next(steps)
    assert isinstance(call, Call)
    return call


def made_by(steps: Steps[Made], answer: Answer) -> Made:
    next(steps)
    with pytest.raises(StopIteration) as ended:
        steps.send(answer)
    made: Made = ended.value.value
    return made


def body(call: Call) -> Any:
    return json.loads(call.body)


def test_end_users_are_known_by_an_identifier() -> None:
    call = call_of(DESK.customer("baton-1", None))
    assert (call.method, call.url) == (
        "POST",
        "https://acme.uc1.ccaiplatform.com/apps/api/v1/end_users",
    )
    assert body(call) == {"identifier": "baton-1"}


@pytest.mark.parametrize(
    ("locale", "lang"),
    [
        ("fil-PH", "fil"), ("tl-PH", "fil"), ("in_ID", "id"), ("iw", "he"), ("ji", "yi"),
        ("fi-FI", "fi"),
        ("pt_br", "pt-BR"), ("pt-PT", "pt"), ("pt-AO", "pt"), ("zh-TW", "zh-Hant"),
        ("zh_Hant_HK", "zh-Hant"),
        ("zh-Hans-HK", "zh"), ("zh", "zh"), ("yue", "zh-Hant"), ("es-419", "es"),
        ("es-MX", "es-MX"),
        ("en-US", "en"), ("EN-gb", "en-GB"), ("en_US.UTF-8", "en"), ("no", "nb"), ("nn-NO", "nb"),
        ("haw", "haw"),
        ("C", None), ("", None), ("12", None), (None, None),
    ],
)  # fmt: skip
def test_the_platform_is_told_the_language_by_its_own_code(
    locale: str | None, lang: str | None
) -> None:
    asked = body(call_of(DESK.open(Opening(OPEN.model_copy(update={"language": locale}), "5"))))[
        "chat"
    ]
    assert asked.get("lang") == lang


def test_a_chat_carries_what_was_said_and_what_the_agent_may_see() -> None:
    asked = body(call_of(DESK.open(Opening(OPEN, "5", said=SAID))))["chat"]
    assert (asked["menu_id"], asked["end_user_id"], asked["lang"]) == (7, 5, "pt-BR")
    assert asked["context"]["value"] == {
        "handoff_reason": "billing",
        "handoff_metadata": {"order": 1},
        "size": "L",
    }
    assert [(line["sender"], line["content"][0]["text"]) for line in asked["transcript"]] == [
        ("end_user", "hi"),
        ("virtual_agent", "Hello"),
        ("virtual_agent", "Jane: I am back"),
        ("virtual_agent", "who am I?"),
    ]
    assert asked["transcript"][0]["timestamp"] == "2026-04-10T09:30:00.000000Z"


def test_what_a_tenant_proved_wrong_is_left_out() -> None:
    rest = tuple(one for one in EVERYTHING if one is not Unofficial.TRANSCRIPT)
    desk = CcaiDesk("https://x.test", "u", "t", 7, unofficial=rest)
    asked = body(call_of(desk.open(Opening(OPEN, "5", said=SAID))))["chat"]
    assert "transcript" not in asked
    assert asked["context"]["value"]["handoff_reason"] == "billing"


def test_without_the_bodies_nothing_is_asked() -> None:
    with pytest.raises(Refused):
        call_of(CcaiDesk("https://x.test", "u", "t", 7, unofficial=()).customer("baton-1", None))


def test_words_and_the_end_are_the_end_users_own() -> None:
    assert body(call_of(DESK.say(CHAT, HI))) == {
        "from_user_id": 5,
        "message": {"type": "text", "content": "hi"},
    }
    assert call_of(DESK.say(CHAT, HI)).url.endswith("/chats/138/message")
    closing = call_of(DESK.close(CHAT, "c-2", "over"))
    assert (closing.method, closing.url[-10:]) == ("PATCH", "/chats/138")
    assert body(closing) == {"finished_by_user_id": 5, "chat": {"status": "finished"}}


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_end_is_sent_as_the_guide_names_its_parameters(status: int) -> None:
    steps = DESK.close(CHAT, "c-2", "over")
    first = next(steps)
    second = steps.throw(Declined(Answer(status, b"{}")))
    assert isinstance(first, Call)
    assert isinstance(second, Call)
    assert (second.method, second.url) == (first.method, first.url)
    assert body(second) == {"finished_by_user_id": 5, "status": "finished"}


@pytest.mark.parametrize(
    ("status", "unofficial"), [(404, EVERYTHING), (409, EVERYTHING), (422, (Unofficial.CHATS,))]
)
def test_any_other_refused_end_is_not_sent_again(
    status: int, unofficial: tuple[Unofficial, ...]
) -> None:
    steps = CcaiDesk("https://x.test", "u", "t", 7, unofficial).close(CHAT, "c-2", "over")
    next(steps)
    with pytest.raises(Declined):
        steps.throw(Declined(Answer(status, b"{}")))


def test_keeping_to_wait_names_the_escalation_and_the_documented_channel() -> None:
    steps = DESK.wait(CHAT, "41")
    first = next(steps)
    second = steps.throw(Declined(Answer(422, b"{}")))
    assert isinstance(first, Call)
    assert isinstance(second, Call)
    assert (first.method, first.url[-25:]) == ("PATCH", "/chats/138/escalations/41")
    assert body(first) == {"escalation": {"deflection_channel": "human_agent"}}
    assert body(second) == {"deflection_channel": "human_agent"}


def test_a_success_with_a_page_is_not_the_platforms() -> None:
    assert DESK.outcome(Answer(200, b"<html>Sign in</html>")) is Outcome.TRANSIENT
    for own in (b"", b" ", b"{}", b"[]", b'{"id": 1}', b'"ok"'):
        assert DESK.outcome(Answer(200, own)) is Outcome.DONE


def test_every_call_proves_the_tenant_and_knows_its_limit() -> None:
    login = base64.b64encode(b"acme:t0ken").decode()
    for call in (
        call_of(DESK.customer("x", None)),
        call_of(DESK.open(Opening(OPEN, "5"))),
        call_of(DESK.say(CHAT, HI)),
        call_of(DESK.close(CHAT, "c-2", None)),
    ):
        assert call.headers["authorization"] == f"Basic {login}"
        assert [pace.per_second for pace in call.paces] == [10]
    assert "t0ken" not in repr(DESK)


@pytest.mark.parametrize(
    ("desk", "setting"),
    [
        (CcaiDesk(None, "u", "t", 7), "CCAI_API_URL"),
        (CcaiDesk("https://x.test", None, "t", 7), "CCAI_API_USER"),
        (CcaiDesk("https://x.test", "u", None, 7), "CCAI_API_TOKEN"),
        (CcaiDesk("https://x.test", "u", "t", None), "CCAI_MENU_ID"),
    ],
)
def test_a_setting_that_is_missing_is_named(desk: CcaiDesk, setting: str) -> None:
    with pytest.raises(DoorClosed) as caught:
        call_of(desk.open(Opening(OPEN, "5")))
    assert caught.value.metadata["setting"] == setting


@pytest.mark.parametrize(
    ("answer", "native"),
    [
        (b'{"id": 138}', "138"),
        (b'{"id": "a"}', "a"),
        (b'{"id": true}', None),
        (b"[]", None),
        (b"<", None),
        (b"{}", None),
    ],
)
def test_the_id_of_an_answer(answer: bytes, native: str | None) -> None:
    assert made_by(DESK.open(Opening(OPEN, "5")), Answer(200, answer)) == native


@pytest.mark.parametrize(
    ("status", "over"), [(404, True), (409, True), (410, True), (200, False), (422, False)]
)
def test_a_chat_that_is_over(status: int, over: bool) -> None:
    assert DESK.is_over(Answer(status)) is over
    assert (DESK.outcome(Answer(status)) is Outcome.DONE) is (status == 200)


def test_an_address_names_a_chat_only_if_baton_opened_it() -> None:
    assert chat_at(CHAT.address) == CHAT
    assert [chat_at(one) for one in ("chat-138", "", "138|5", "138||h", "a|b|c|d")] == [None] * 5


def test_of_whom_a_conversation_tells_is_known_by_number_or_asked_for() -> None:
    by_identifier, by_number = DESK.customers("baton-1", "5")
    with pytest.raises(StopIteration) as ended:
        next(DESK.whose(by_number))
    assert ended.value.value == "5"
    asked = call_of(DESK.whose(by_identifier))
    assert asked == call_of(DESK.customer("baton-1", None))
    assert made_by(DESK.whose(by_identifier), Answer(200, b'{"id": 5}')) == "5"
