"""RCS and WhatsApp over HTTP: from the customer's phone through the real functions to the
customer's phone.
"""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.oracle import as_labelled, violations
from infra.local.server import LocalServer, Reply
from infra.local.settings import RCS_TOKEN, WHATSAPP_VERIFY
from shared.platforms.bodies import hmac_sha512_base64
from shared.schemas.notation import hidden

API = "/send_representative/v1/conversations"
SUGGESTIONS = [
    {"reply": {"text": "Where is it?", "postbackData": "status"}},
    {"liveAgentRequest": {}},
]


@dataclass(frozen=True, slots=True)
class Phone:
    """A customer of one of the simulated platforms, and Baton's id of their conversation."""

    server: LocalServer
    platform: str
    number: str
    conversation: str

    def do(self, what: str, **body: Any) -> Any:
        path = f"/sim/{self.platform}/customers/{self.number}/{what}"
        return self.server.send("POST", path, json.dumps(body).encode()).body

    def says(self, text: str, **more: str) -> None:
        self.do("messages", text=text, **more)
        self.server.wait_until(
            lambda: (
                text in [entry.get("text") for entry in self.journal()] or "postbackData" in more
            )
        )

    def faults(self, **faults: float) -> None:
        self.server.send("PUT", f"/sim/{self.platform}/faults", json.dumps(faults).encode())

    def post(self, path: str, key: str, **body: Any) -> Reply:
        raw = json.dumps(body).encode()
        return self.server.send(
            "POST", f"{API}/{self.conversation}{path}", raw, {"authorization": f"Bearer {key}"}
        )

    def bot_says(self, text: str, **content: Any) -> Reply:
        return self.post("/messages", "dev-bot", messageId=str(uuid.uuid4()), text=text, **content)

    def phase(self) -> str:
        return str(self.server.get(f"{API}/{self.conversation}", "dev-agent").get("phase"))

    def journal(self) -> list[dict[str, Any]]:
        found = self.server.get(f"{API}/{self.conversation}/journal", "dev-agent")
        entries: list[dict[str, Any]] = found.get("entries", [])
        return entries

    def rows(self) -> list[dict[str, Any]]:
        """Returns what the business has shown, once nothing is on its way any more."""
        self.server.wait_until_quiet(self.conversation)
        rows = self.server.get(f"/sim/{self.platform}/customers/{self.number}")["transcript"]
        return [row for row in rows if row["side"] == "business" and row["kind"] == "message"]

    def shown(self) -> list[str]:
        return [row["body"].get("text", "") for row in self.rows()]


@pytest.fixture(params=["rcs", "whatsapp"])
def phone(request: pytest.FixtureRequest, server: LocalServer) -> Iterator[Phone]:
    one = _newcomer(server, request.param)
    yield one
    one.faults()


@pytest.fixture
def rcs(server: LocalServer) -> Phone:
    return _newcomer(server, "rcs")


@pytest.fixture
def whatsapp(server: LocalServer) -> Iterator[Phone]:
    one = _newcomer(server, "whatsapp")
    yield one
    one.faults()


def _newcomer(server: LocalServer, platform: str) -> Phone:
    new = server.send("POST", f"/sim/{platform}/customers", b'{"displayName": "Ana"}').body
    one = Phone(server, platform, new["id"], new["conversation"])
    one.says("Hi, I have a problem")
    return one


def test_a_handoff_from_the_first_words_to_the_bot_again(phone: Phone) -> None:
    assert phone.bot_says("What now?", suggestions=SUGGESTIONS).status == 200
    row = phone.rows()[-1]
    asking = row["body"]["suggestions"][1]["reply"]
    phone.do("messages", text=asking["text"], postbackData=asking["postbackData"])
    phone.server.wait_until(lambda: phone.phase() == "QUEUED")
    jane = {"representative": {"representativeType": "HUMAN", "displayName": "Jane Doe"}}
    assert phone.post(":claim", "dev-agent", **jane).status == 200
    assert (
        phone.post(
            "/messages", "dev-agent", messageId="h-1", text="Hello, I am Jane.", **jane
        ).status
        == 200
    )
    assert phone.bot_says("I talk over her.").status == 409
    assert phone.post(":release", "dev-agent", **jane).status == 200
    shown = "\n".join(phone.shown())
    assert phone.phase() == "BOT"
    assert shown.count("Hello, I am Jane.") == 1
    assert "I talk over her." not in shown
    assert shown.index("What now?") < shown.index("Jane Doe") < shown.index("Hello, I am Jane.")


def test_a_tap_goes_to_the_bot_as_business_messages_would_tell_it(phone: Phone) -> None:
    phone.says("Where is it?", postbackData="status")
    phone.server.wait_until(
        lambda: any(entry["kind"] == "suggestion_response" for entry in phone.journal())
    )


def test_a_survey_is_refused_where_the_channel_has_none(phone: Phone) -> None:
    refused = phone.post("/surveys?surveyId=s-1", "dev-bot")
    assert refused.status == 400
    assert refused.body["error"]["status"] == "FAILED_PRECONDITION"
    assert refused.body["error"]["details"][0]["reason"] == "unsupported"


def test_webhooks_that_come_twice_count_once(phone: Phone) -> None:
    phone.faults(duplicate=1)
    phone.says("Once")
    phone.says("Twice")
    assert [entry.get("text") for entry in phone.journal()].count("Once") == 1


def test_a_failing_platform_gets_every_message_in_order(phone: Phone) -> None:
    phone.faults(too_many=1, retry_after=0)
    for number in range(3):
        assert phone.bot_says(f"Message {number}").status == 200
    phone.faults()
    assert [text for text in phone.shown() if text.startswith("Message")] == [
        "Message 0",
        "Message 1",
        "Message 2",
    ]


def test_an_answer_that_is_lost_shows_nothing_twice(phone: Phone) -> None:
    phone.faults(drop_after=1)
    phone.bot_says("Only once")
    phone.server.wait_until(lambda: bool(_tried(phone, "Only once")))
    phone.faults()
    assert phone.shown().count("Only once") == 1
    expected = "sent" if phone.platform == "rcs" else "unknown"
    assert _tried(phone, "Only once")[-1]["state"] == expected


def _tried(phone: Phone, text: str) -> list[dict[str, Any]]:
    commands = [
        one for entry in phone.journal() if entry.get("text") == text for one in entry["commands"]
    ]
    return [
        one
        for one in commands
        if one["kind"] == "message" and (one["state"] != "pending" or one.get("attempts"))
    ]


def test_the_customer_sees_typing_and_read_receipts(phone: Phone) -> None:
    jane = {"representative": {"representativeType": "HUMAN", "displayName": "Jane Doe"}}
    phone.post(":claim", "dev-agent", **jane)
    phone.shown()
    assert (
        phone.post("/events?eventId=t-1", "dev-agent", eventType="TYPING_STARTED", **jane).status
        == 200
    )
    customer = f"/sim/{phone.platform}/customers/{phone.number}"
    phone.server.wait_until(lambda: phone.server.get(customer)["typing"] is not None)
    written = next(
        row for row in phone.server.get(customer)["transcript"] if row["side"] == "customer"
    )
    named = hidden(written["id"]) if phone.platform == "whatsapp" else written["id"]
    path = f"{API}/{phone.conversation}/messages/{named}/receipt"
    read = phone.server.send(
        "PATCH", path, b'{"receiptType": "READ"}', {"authorization": "Bearer dev-agent"}
    )
    assert read.status == 200
    rows = phone.server.get(customer)["transcript"]
    assert [row["id"] for row in rows if row["kind"] == "receipt"][-1] == written["id"]


def test_no_number_is_in_any_log(phone: Phone) -> None:
    phone.bot_says("Hello")
    phone.shown()
    assert phone.number.removeprefix("+") not in phone.server.log.read_text()
    assert "wamid." not in phone.server.log.read_text(), "which holds the number in base64"
    assert "wamid." not in json.dumps(phone.journal())


def test_what_a_person_types_in_the_business_app_is_not_sent_again(whatsapp: Phone) -> None:
    whatsapp.do("echo", text="I am here, from the app")
    whatsapp.server.wait_until(lambda: whatsapp.phase() == "HUMAN")
    assert "\n".join(whatsapp.shown()).count("I am here, from the app") == 1
    assert whatsapp.bot_says("I talk over them.").status == 409


def test_a_handoff_while_metas_agent_answers_first(whatsapp: Phone) -> None:
    """With webhooks that come twice and in the wrong order."""
    agent = f"/sim/whatsapp/customers/{whatsapp.number}/agent"
    whatsapp.rows()  # sending takes control, so the bot's first answer must be out
    time.sleep(1.1)  # the platform counts whole seconds
    whatsapp.faults(duplicate=1, reorder=1)
    whatsapp.server.send("PUT", agent, b'{"answers": true}')
    whatsapp.says("Do you deliver?")
    refused = whatsapp.bot_says("I talk over the agent.")
    assert refused.status == 409
    assert refused.body["error"]["details"][0]["reason"] == "not-active"
    whatsapp.says("I want a person")
    whatsapp.server.wait_until(lambda: whatsapp.phase() == "QUEUED")
    jane = {"representative": {"representativeType": "HUMAN", "displayName": "Jane Doe"}}
    assert whatsapp.post(":claim", "dev-agent", **jane).status == 200
    hello = {"messageId": "h-1", "text": "Hello, I am Jane.", **jane}
    assert whatsapp.post("/messages", "dev-agent", **hello).status == 200
    whatsapp.says("Thank you")
    assert whatsapp.post(":release", "dev-agent", **jane).status == 200
    whatsapp.says("One more thing")
    assert whatsapp.bot_says("Yes?").status == 200
    rows = whatsapp.rows()
    ours = [row for row in rows if not row["body"].get("agent")]
    assert violations(as_labelled(ours, ["Jane Doe"])) == []
    assert "I talk over the agent." not in whatsapp.shown()
    overheard = [one["text"] for one in whatsapp.journal() if one["kind"] == "overheard"]
    assert overheard == [row["body"]["text"] for row in rows if row["body"].get("agent")]
    assert len(overheard) == 2
    whatsapp.server.send("PUT", agent, b'{"answers": false}')


def test_what_whatsapp_no_longer_takes_is_a_failure_in_the_journal(whatsapp: Phone) -> None:
    whatsapp.do("status", silentHours=25)
    whatsapp.bot_says("Too late")
    whatsapp.server.wait_until(lambda: bool(_tried(whatsapp, "Too late")))
    assert _tried(whatsapp, "Too late")[-1]["state"] == "failed"
    assert "Too late" not in whatsapp.shown()


def test_a_bot_may_not_write_to_an_unsubscribed_customer_until_they_come_back(rcs: Phone) -> None:
    rcs.do("status", subscribed=False)
    rcs.server.wait_until(lambda: rcs.bot_says("Buy more!").status == 409)
    rcs.do("status", subscribed=True)
    rcs.server.wait_until(lambda: rcs.bot_says("Welcome back").status == 200)
    assert rcs.shown()[-1] == "Welcome back"
    assert all("STOP" not in json.dumps(entry["commands"]) for entry in rcs.journal())


def test_rcs_is_never_answered_400_for_what_it_signed(server: LocalServer) -> None:
    for data in (
        b"{",
        b"{}",
        b'{"agentId": 1}',
        b'{"agentId": "a", "senderPhoneNumber": "+1", "eventType": "?"}',
    ):
        body = json.dumps({"message": {"data": base64.b64encode(data).decode()}}).encode()
        signature = {"x-goog-signature": hmac_sha512_base64(RCS_TOKEN, data)}
        assert server.send("POST", "/receive_webhook/rcs", body, signature).status == 200
        assert server.send("POST", "/receive_webhook/rcs", body).status == 401


def test_rcs_proves_its_address_with_the_secret_as_plain_text(server: LocalServer) -> None:
    proof = json.dumps({"clientToken": RCS_TOKEN, "secret": "1234567890"}).encode()
    # which also is JSON
    assert server.send("POST", "/receive_webhook/rcs", proof).body == 1234567890
    wrong = json.dumps({"clientToken": "guess", "secret": "1"}).encode()
    assert server.send("POST", "/receive_webhook/rcs", wrong).status == 401


@pytest.mark.parametrize(("token", "status"), [(WHATSAPP_VERIFY, 200), ("guess", 401)])
def test_whatsapp_checks_the_address_with_a_get(
    server: LocalServer, token: str, status: int
) -> None:
    query = urlencode(
        {"hub.mode": "subscribe", "hub.challenge": "a-challenge", "hub.verify_token": token}
    )
    answer = server.send("GET", f"/receive_webhook/whatsapp?{query}")
    assert answer.status == status
    assert (answer.body == "a-challenge") is (status == 200)
    assert server.send("GET", "/receive_webhook/whatsapp").status == 405
