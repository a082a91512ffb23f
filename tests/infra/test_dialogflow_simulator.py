"""The simulated Dialogflow CX keeps what the real one documents: its limits, its forms, and no
idempotency.
"""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from infra.local.server import LocalServer, Reply
from infra.local.settings import DIALOGFLOW_AGENT
from shared.bots.dialogflow import session_of
from tests.forked import ForkedServer

SIM = "/sim/dialogflow"
_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with ForkedServer(tmp_path_factory.mktemp("dialogflow")) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Dialog:
    """One session, and short words for what one does with it."""

    server: LocalServer
    session: str
    agent: str = DIALOGFLOW_AGENT

    def ask(self, body: Any) -> Reply:
        path = f"{SIM}/v3/{self.agent}/sessions/{self.session}:detectIntent"
        return self.server.send("POST", path, json.dumps(body).encode())

    def says(self, text: str, **parameters: Any) -> Reply:
        query = {"text": {"text": text}, "languageCode": "en"}
        return self.ask({"queryInput": query, "queryParams": {"parameters": parameters}})

    def messages(self, text: str, **parameters: Any) -> list[dict[str, Any]]:
        answer = self.says(text, **parameters)
        assert answer.status == 200, answer
        found: list[dict[str, Any]] = answer.body["queryResult"]["responseMessages"]
        return found

    def texts(self, text: str, **parameters: Any) -> list[str]:
        return [
            one["text"]["text"][0] for one in self.messages(text, **parameters) if "text" in one
        ]

    def turns(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.server.get(f"{SIM}/sessions/{self.session}")["turns"]
        return found

    def suffers(self, **faults: float) -> None:
        answer = self.server.send("PUT", f"{SIM}/faults", json.dumps(faults).encode())
        assert answer.status == 200, answer


@pytest.fixture
def dialog(server: LocalServer) -> Iterator[Dialog]:
    """A session of its own, without faults before and after."""
    fresh = Dialog(server, session_of(f"business_messages:{next(_numbers)}"))
    yield fresh
    fresh.suffers()


def custom(messages: list[dict[str, Any]], key: str) -> list[Any]:
    """Returns this field of each custom payload."""
    payloads = [one["payload"]["ujet"] for one in messages if "payload" in one]
    return [one[key] for one in payloads if key in one]


def test_a_session_of_a_conversation_fits_and_is_the_same_every_time() -> None:
    assert len(session_of("business_messages:" + "a" * 200)) == 36
    assert (
        session_of("business_messages:1")
        == session_of("business_messages:1")
        != session_of("business_messages:2")
    )


def test_an_answer_has_the_form_of_the_real_one(dialog: Dialog) -> None:
    body = {"queryInput": {"text": {"text": "Hello"}, "languageCode": "de"}}
    answer = dialog.ask(body).body
    result = answer["queryResult"]
    assert answer["responseId"]
    assert (result["text"], result["languageCode"], result["parameters"]) == ("Hello", "de", {})
    assert result["responseMessages"][0]["text"]["text"] == ["Hello! How can I help?"]
    assert result["match"]["matchType"] == "INTENT"
    assert result["match"]["confidence"] == result["intentDetectionConfidence"] == 1.0
    assert result["currentPage"]["displayName"] == "Start Page"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "text.text"),
        ({"languageCode": "en"}, "text.text"),
        ({"text": {"text": ""}, "languageCode": "en"}, "text.text"),
        ({"text": {"text": 7}, "languageCode": "en"}, "text.text"),
        ({"text": {"text": "Hi"}}, "languageCode"),
        ({"text": {"text": "Hi", "languageCode": "en"}}, "languageCode"),
        ({"text": {"text": "a" * 257}, "languageCode": "en"}, "256"),
    ],
)
def test_what_is_missing_or_too_long_is_an_invalid_argument_and_no_turn(
    dialog: Dialog, query: dict[str, Any], field: str
) -> None:
    answer = dialog.ask({"queryInput": query})
    assert (answer.status, answer.body["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert field in answer.body["error"]["message"]
    assert dialog.turns() == []


@pytest.mark.parametrize("body", [None, [], "text", {"queryInput": []}])
def test_a_body_of_another_form_is_an_invalid_argument(dialog: Dialog, body: Any) -> None:
    assert dialog.ask(body).status == 400


def test_256_characters_and_a_session_of_36_pass(dialog: Dialog) -> None:
    assert dialog.says("ä" * 256).status == 200


def test_a_session_id_of_37_characters_is_an_invalid_argument(server: LocalServer) -> None:
    assert Dialog(server, "s" * 37).says("Hi").status == 400


@pytest.mark.parametrize(
    ("agent", "status"),
    [
        ("projects/p/locations/europe-west1/agents/a-1/environments/live", 200),
        ("projects/p/locations/europe-west1/agents/a-1", 200),
        ("projects/p/agent", 404),
        ("projects/p/locations/l/agents/a/environments", 404),
    ],
)
def test_any_agent_is_asked_with_and_without_an_environment(
    dialog: Dialog, agent: str, status: int
) -> None:
    assert Dialog(dialog.server, dialog.session, agent).says("Hi").status == status


def test_the_same_call_twice_is_two_turns(dialog: Dialog) -> None:
    assert dialog.texts("I want to order") == ["What is your order number?"]
    assert dialog.texts("order 12") == ["Thank you, I found order 12. It arrives tomorrow."]
    assert dialog.texts("order 12") == ["What is your order number?"]
    assert [turn["query"]["text"] for turn in dialog.turns()] == [
        "I want to order",
        "order 12",
        "order 12",
    ]


def test_the_order_number_is_asked_for_as_a_variable_and_then_given_with_what_is_hidden(
    dialog: Dialog,
) -> None:
    asked = custom(dialog.messages("Where is my order?"), "session_variable")
    assert [(one["capture_target"], one["capture_key"]) for one in asked] == [
        ("end_user_response", "order_number")
    ]
    (known,) = custom(dialog.messages("it is #A-17, thanks"), "session_variable")
    assert known["payload"] == {
        "order_number": "A-17",
        "customer_tier": "gold",
        "internal_score": 42,
    }
    assert known["capture_type"] == ["agent", "event", "comment"]
    assert (known["invisible_to_agent"], known["invisible_to_adapter_events"]) == (
        ["internal_score"],
        ["customer_tier"],
    )


def test_a_customer_who_wants_a_person_gets_an_escalation_and_a_handoff(dialog: Dialog) -> None:
    for wish in ("a human please", "Let me speak to your manager", "A person, please"):
        messages = dialog.messages(wish)
        assert messages[0]["text"]["text"] == ["I will connect you."]
        assert custom(messages, "action") == ["escalation"]
        assert messages[-1]["liveAgentHandoff"]["metadata"]["reason"] == "billing dispute"


def test_buttons_an_image_two_texts_and_an_end_have_their_forms(dialog: Dialog) -> None:
    assert custom(dialog.messages("What are my options?"), "buttons")[0][0]["title"] == "My order"
    assert custom(dialog.messages("Show me a picture"), "images")[0][0]["url"].startswith(
        "https://"
    )
    assert len(dialog.texts("opening hours")) == 2
    assert custom(dialog.messages("refund"), "messages") == [["You have 30 days.", "It is free."]]
    assert dialog.messages("bye")[-1] == {"endInteraction": {}}


def test_what_it_does_not_understand_it_says_and_stays_on_its_page(dialog: Dialog) -> None:
    dialog.says("my order")
    result = dialog.says("purple").body["queryResult"]
    assert (result["match"]["matchType"], result["currentPage"]["displayName"]) == (
        "NO_MATCH",
        "Order number",
    )


def test_a_bot_that_knows_of_an_earlier_human_welcomes_the_customer_back(dialog: Dialog) -> None:
    handoff = {
        "handoff": {
            "reason": "left the desk",
            "requestReason": "billing dispute",
            "said": ["I refunded it"],
        }
    }
    assert dialog.texts("thanks", baton=handoff) == [
        "Welcome back. A human has helped you with: billing dispute."
    ]
    assert dialog.texts("hello", baton=handoff)[1] == "Hello! How can I help?"
    assert dialog.turns()[0]["parameters"] == {"baton": handoff}


def test_why_a_human_left_is_not_what_they_helped_with(dialog: Dialog) -> None:
    handoff = {"handoff": {"reason": "left the desk"}}
    assert dialog.texts("thanks", baton=handoff) == ["Welcome back. A human has helped you."]


def test_a_parameter_stays_with_the_session_until_null_deletes_it(dialog: Dialog) -> None:
    dialog.says("hello", name="Ada")
    assert dialog.says("hello").body["queryResult"]["parameters"] == {"name": "Ada"}
    assert dialog.says("hello", name=None).body["queryResult"]["parameters"] == {}


def test_a_turn_tells_what_was_asked_and_answered(dialog: Dialog) -> None:
    answer = dialog.messages("hello")
    (turn,) = dialog.turns()
    assert turn["query"] == {"text": "hello", "languageCode": "en"}
    assert turn["responseMessages"] == answer
    assert (turn["parameters"], turn["fault"]) == ({}, None)
    assert turn["seq"] > 0
    assert turn["at"].startswith("20")
    listed = dialog.server.get(f"{SIM}/sessions")["sessions"]
    assert {"session": dialog.session, "turns": 1, "latest": turn["at"]} in listed


def test_sessions_and_turns_survive_a_restart(dialog: Dialog) -> None:
    dialog.says("my order")
    dialog.server.stop()
    dialog.server.start()
    assert dialog.texts("A1") == ["Thank you, I found order A1. It arrives tomorrow."]
    assert len(dialog.turns()) == 2


@pytest.mark.parametrize(("fault", "status"), [("too_many", 429), ("server_error", 500)])
def test_a_refused_call_does_not_move_the_session_on(
    dialog: Dialog, fault: str, status: int
) -> None:
    dialog.says("my order")
    dialog.suffers(**{fault: 1})
    assert dialog.says("A1").status == status
    dialog.suffers()
    assert dialog.texts("A1") == ["Thank you, I found order A1. It arrives tomorrow."]
    assert [turn["fault"] for turn in dialog.turns()] == [None, fault, None]


@pytest.mark.parametrize(("fault", "moved"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_call_has_moved_the_session_on_only_if_it_was_taken(
    dialog: Dialog, fault: str, moved: bool
) -> None:
    dialog.suffers(**{fault: 1})
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        dialog.says("my order")
    dialog.suffers()
    assert (dialog.texts("A1") == ["Thank you, I found order A1. It arrives tomorrow."]) is moved
    assert [turn["fault"] for turn in dialog.turns()] == [fault, None]


def test_a_garbled_answer_is_200_and_no_json(dialog: Dialog) -> None:
    dialog.suffers(garbled=1)
    answer = dialog.says("hello")
    assert (answer.status, type(answer.body)) == (200, str)
    assert len(dialog.turns()) == 1


def test_twice_gives_the_same_messages_again_in_one_answer(dialog: Dialog) -> None:
    dialog.suffers(twice=1)
    assert dialog.texts("hello") == ["Hello! How can I help?"] * 2
    assert dialog.turns()[0]["fault"] == "twice"


def test_a_slow_answer_comes_and_is_marked(dialog: Dialog) -> None:
    dialog.suffers(slow=1, slow_seconds=0.01)
    assert dialog.texts("hello") == ["Hello! How can I help?"]
    assert dialog.turns()[0]["fault"] == "slow"


def test_an_unknown_fault_is_refused(dialog: Dialog) -> None:
    assert dialog.server.send("PUT", f"{SIM}/faults", b'{"explode": 1}').status == 400
    assert dialog.server.get(f"{SIM}/faults")["garbled"] == 0


def test_the_page_gets_the_bots_name_and_the_audiences_of_captured_variables(
    dialog: Dialog,
) -> None:
    conversation = "business_messages:ada"
    ada = Dialog(dialog.server, session_of(conversation))
    ada.says("my order")
    ada.says("A1")
    told = dialog.server.get(f"/local/bot/{conversation}")
    assert (told["bot"], told["session"]) == ("none", ada.session)
    asked, known = (turn["captured"] for turn in told["turns"])
    everybody = ["event", "agent", "comment"]
    assert asked == [{"key": "order_number", "value": None, "asks": True, "audiences": everybody}]
    assert {row["key"]: row["audiences"] for row in known} == {
        "order_number": everybody,
        "customer_tier": ["agent", "comment"],
        "internal_score": ["event"],
    }
    assert dialog.server.get("/local/bot/ada") == told
