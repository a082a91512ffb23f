"""Dialogflow CX: what it is asked, and what follows from what it answers."""

import importlib
import json
from dataclasses import replace
from typing import Any

import pytest

from shared.bots.base import Question, Reply
from shared.bots.dialogflow import ABOUT_A_MESSAGE, KINDS, Dialogflow, session_of
from shared.errors import BadRequest
from shared.schemas.http import Answer

AGENT = "projects/p/locations/us-central1/agents/a/environments/live"
BOT = Dialogflow(
    AGENT, "https://us-central1-dialogflow.googleapis.com/", "none", ("pt-BR", "en", "es")
)


def asked(text: str = "hi", **more: Any) -> tuple[str, dict[str, Any]]:
    call = BOT.call(Question(conversation="business_messages:3333", text=text, **more))
    assert call is not None
    return call.url, json.loads(call.body)


def reply(*messages: Any) -> Reply:
    answer = Answer(
        200, json.dumps({"responseId": "r", "queryResult": {"responseMessages": messages}}).encode()
    )
    return BOT.reply(BOT.heard(answer))


def test_the_session_is_the_conversations_and_tells_nothing_of_it() -> None:
    url, body = asked()
    session = session_of("business_messages:3333")
    assert (
        url
        == f"https://us-central1-dialogflow.googleapis.com/v3/{AGENT}/sessions/{session}:detectIntent"
    )
    assert len(session) == 36
    assert "3333" not in session
    assert body["queryInput"] == {"text": {"text": "hi"}, "languageCode": "pt-BR"}


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("pt", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("ES-419", "es"),
        ("id", "pt-BR"),
        (None, "pt-BR"),
    ],
)
def test_the_agent_is_asked_in_the_language_that_fits_best(
    locale: str | None, language: str
) -> None:
    assert asked(locale=locale)[1]["queryInput"]["languageCode"] == language


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("zh-TW", "zh-TW"),
        ("zh-Hant-HK", "zh-TW"),
        ("zh_SG", "zh-CN"),
        ("in_ID", "id"),
        ("iw-IL", "he"),
        ("tl-PH", "fil"),
        ("fi", "en"),
        ("nb-NO", "no"),
        ("pt-PT", "pt"),
        ("pt-BR", "pt-BR"),
        ("", "en"),
    ],
)
def test_scripts_and_old_codes_count_for_the_language(locale: str, language: str) -> None:
    agent = replace(BOT, languages=("en", "zh-CN", "zh-TW", "pt-BR", "pt", "id", "he", "fil", "no"))
    call = agent.call(Question(conversation="c", text="hi", locale=locale))
    assert json.loads(call.body)["queryInput"]["languageCode"] == language


def test_a_long_text_is_asked_in_its_first_words_and_passed_on_whole() -> None:
    text = "word " * 100
    _, body = asked(text)
    query = body["queryInput"]["text"]["text"]
    assert 200 < len(query) <= 256
    assert text.startswith(query)
    assert body["queryParams"]["parameters"]["baton"]["text"] == text


def test_what_it_should_know_beside_the_words_are_parameters() -> None:
    handoff = {"reason": "solved", "said": [{"by": "Jane", "text": "Bye"}]}
    _, body = asked(postback="menu:1", context={"phase": "BOT", "handoff": handoff})
    assert body["queryParams"]["parameters"]["baton"] == {
        "phase": "BOT",
        "handoff": handoff,
        "postback": "menu:1",
    }


def test_texts_are_said_in_order_and_what_is_said_twice_is_said_once() -> None:
    said = reply(
        {"text": {"text": ["Hello", "there"]}},
        {"text": {"text": ["Bye"]}},
        {"text": {"text": ["Bye"]}},
    )
    assert [content.text for content in said.contents] == ["Hello\nthere", "Bye"]


def test_a_payload_in_business_messages_form_is_a_message() -> None:
    suggestion = {"reply": {"text": "Yes", "postbackData": "yes"}}
    [content] = reply({"payload": {"text": "Sure?", "suggestions": [suggestion]}}).contents
    assert (content.text, len(content.suggestions)) == ("Sure?", 1)


def test_a_template_in_a_payload_is_refused() -> None:
    template = {"name": "sale", "language": "en"}
    assert reply({"payload": {"template": template}}).refused == (
        "payload.template: only a key of the API may send templates",
    )


def test_a_payload_that_is_neither_is_refused() -> None:
    [refused] = reply({"payload": {"richContent": [[]]}}).refused
    assert refused.startswith("payload: ")


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"reason": "billing dispute", "tier": 1}, "billing dispute"),
        ({"tier": 1}, "the virtual agent handed over"),
        ({"reason": 5}, "the virtual agent handed over"),
        ({}, "the virtual agent handed over"),
    ],
    ids=str,
)
def test_a_live_agent_handoff_escalates(metadata: dict[str, Any], reason: str) -> None:
    escalation = reply({"liveAgentHandoff": {"metadata": metadata}}).escalation
    assert escalation is not None
    assert (escalation.reason, escalation.metadata) == (reason, metadata or None)


def test_two_ways_of_escalating_are_one_and_its_author_names_the_reason() -> None:
    action = {"type": "action", "action": "escalation", "escalation_reason": "by_consumer"}
    both = reply(
        {"payload": {"ujet": action}}, {"liveAgentHandoff": {"metadata": {"reason": "refund"}}}
    )
    assert both.escalation is not None
    assert both.escalation.reason == "refund"
    assert both.escalation.metadata == {
        "reason": "refund",
        "action": "escalation",
        "escalation_reason": "by_consumer",
    }


def test_the_end_is_an_answer_too() -> None:
    assert reply({"endInteraction": {}}).says_something
    assert not reply({"conversationSuccess": {}}).says_something


def test_no_more_messages_are_read_than_anybody_says() -> None:
    many = reply(*(f"{n}" for n in range(60)), *({"text": {"text": [f"{n}"]}} for n in range(60)))
    assert len(many.contents) == 50
    assert many.refused == ("responseMessages: more than 50",)


def test_an_answer_that_no_record_should_hold_is_an_error() -> None:
    with pytest.raises(BadRequest, match="more than"):
        reply({"text": {"text": ["x" * 300_000]}})


def kinds_of_google() -> set[str]:
    """Returns every field of Google's own ResponseMessage, by its name in JSON."""
    client = importlib.import_module("google.cloud.dialogflowcx_v3")
    descriptor = client.ResponseMessage.pb().DESCRIPTOR
    return {one.json_name for one in descriptor.fields}


def test_every_kind_of_message_that_google_knows_is_decided() -> None:
    """The judge is Google's own client: a kind that it gains must be decided here."""
    assert {*KINDS, *ABOUT_A_MESSAGE} == kinds_of_google()


NOTHING = [name for name, follows in KINDS.items() if follows is None]
SILENT = [*({name: {}} for name in NOTHING), {"outputAudioText": {"text": "Hello"}}, {"text": {}},
          {"text": {"text": [""]}}, {"text": None}, {"payload": {}}, {"channel": "phone"},
          {"toolCall": {"tool": "t", "inputParameters": {"a": 1}}}]  # fmt: skip


@pytest.mark.parametrize("message", SILENT, ids=json.dumps)
def test_what_is_for_the_ear_and_what_only_measures_is_passed_by(message: Any) -> None:
    assert reply(message, "rubbish", None) == Reply()
    assert not reply(message).fails
    assert [one.text for one in reply(message, {"text": {"text": ["Hi"]}}).contents] == ["Hi"]


@pytest.mark.parametrize(
    "message",
    [
        {"hologram": {}},
        {"text": "Hi"},
        {"text": {"text": "Hi"}},
        {"payload": {"richContent": []}},
        "rubbish",
    ],
    ids=json.dumps,
)
def test_what_might_have_been_words_and_cannot_be_read_is_a_failure_where_it_is_all(
    message: Any,
) -> None:
    assert len(reply(message).refused) == 1
    assert reply(message).fails
    assert not reply(message, {"text": {"text": ["Hi"]}}).fails


@pytest.mark.parametrize(
    ("result", "fails"),
    [
        ({"match": {"matchType": "INTENT"}}, False),
        ({"match": {"matchType": "PLAYBOOK"}, "webhookStatuses": [{}]}, False),
        ({"match": {"matchType": "NO_MATCH"}}, True),
        (
            {
                "match": {"matchType": "INTENT"},
                "webhookStatuses": [{}, {"code": 14, "message": "down"}],
            },
            True,
        ),
        ({"match": {"matchType": "NO_INPUT"}}, True),
    ],
    ids=json.dumps,
)
def test_silence_is_a_failure_only_where_the_flow_did_not_go_on(result: Any, fails: bool) -> None:
    def answered(*messages: Any) -> Reply:
        body = {"queryResult": {**result, "responseMessages": messages}}
        return BOT.reply(BOT.heard(Answer(200, json.dumps(body).encode())))

    assert answered().fails is fails
    assert answered({"playAudio": {"audioUri": "gs://a/b"}}).fails is fails
    assert not answered({"text": {"text": ["Once more, please"]}}).fails
    assert not answered({"endInteraction": {}}).fails


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"rubbish",
        b"[]",
        b"{}",
        b'{"queryResult": 1}',
        b'{"queryResult": {"responseMessages": 1}}',
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_read_is_an_error(body: bytes) -> None:
    with pytest.raises(BadRequest):
        BOT.heard(Answer(200, body))


def test_an_answer_that_tells_nothing_at_all_leaves_the_customer_without_one() -> None:
    for odd in (
        "{}",
        '{"match": 1, "webhookStatuses": 1}',
        '{"match": {}, "responseMessages": []}',
    ):
        answer = Answer(200, f'{{"queryResult": {odd}}}'.encode())
        assert BOT.reply(BOT.heard(answer)) == Reply(missed=True)


@pytest.mark.parametrize(
    "text", ["你好 " + "这是一个没有空格的很长的句子" * 25, "Hi\n" + "x" * 300]
)
def test_a_text_with_few_spaces_is_not_cut_early(text: str) -> None:
    _, body = asked(text)
    assert body["queryInput"]["text"]["text"] == text[:256]
