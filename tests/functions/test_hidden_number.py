"""The reference handoff on WhatsApp, through the real functions, while the customer hides the
number in the middle of it, and while Meta's agent answers first. An oracle that shares no code with
Baton judges what the customer was shown.
"""

import json
from typing import Any

from infra.local.oracle import as_labelled, open_frames, texts, violations
from infra.local.server import LocalServer
from tests.functions.test_channels import Phone
from tests.functions.test_identity import JANE, jane_says
from tests.soak import each_once

MOMENTS = ("before a person is asked for", "while the customer waits", "while Jane is here")
TROUBLES: dict[str, dict[str, float]] = {
    "none": {},
    "duplicates and disorder": {"duplicate": 1, "reorder": 1, "too_many": 0.3, "retry_after": 0},
}
SAID = ["Hello, I am Jane.", "And what is the number?", "Can the bot help?"]


class Customer:
    """A customer on WhatsApp, and what every step of the handoff waits for."""

    def __init__(self, server: LocalServer, **switches: bool) -> None:
        new = server.send("POST", "/sim/whatsapp/customers", b'{"displayName": "Ana"}').body
        self.server = server
        self.phone = Phone(server, "whatsapp", new["id"], new["conversation"])
        if switches:
            self.agent(**switches)
        self.says("Hi, I have a problem")

    def heard(self, text: str) -> None:
        """Waits until the customer's words are in the journal, once."""
        self.server.wait_until(lambda: text in self.journal_texts())
        assert self.journal_texts().count(text) == 1

    def journal_texts(self) -> list[Any]:
        return [entry.get("text") for entry in self.whole_journal()]

    def whole_journal(self) -> list[dict[str, Any]]:
        path = f"/send_representative/v1/conversations/{self.phone.conversation}/journal"
        return list(self.server.get(path, "dev-agent").get("entries", []))

    def says(self, text: str) -> None:
        self.phone.do("messages", text=text)
        self.heard(text)

    def hides(self, moment: str, now: str) -> None:
        """The next message is the last one that tells the number."""
        if moment == now:
            self.phone.do("status", hidesNumber=True)
            self.says("With my number, and my name")
            self.says("With my name only")

    def agent(self, **switches: bool) -> dict[str, Any]:
        path = f"/sim/whatsapp/customers/{self.phone.number}/agent"
        body: dict[str, Any] = self.server.send("PUT", path, json.dumps(switches).encode()).body
        return body

    def waits_for(self, phase: str) -> None:
        self.server.wait_until(lambda: self.phone.phase() == phase)

    def rows(self) -> list[dict[str, Any]]:
        self.server.wait_until_quiet(self.phone.conversation)
        return [dict(row) for row in as_labelled(self.phone.rows(), ["Jane Doe"])]


def handoff(one: Customer, moment: str) -> None:
    """Plays the handoff from the request to the bot that speaks again."""
    one.hides(moment, "while the customer waits")
    assert one.phone.post(":claim", "dev-agent", **JANE).status == 200
    assert jane_says(one.phone, SAID[0]) == 200
    one.hides(moment, "while Jane is here")
    one.says("Here I am, Jane")
    assert one.phone.bot_says("I talk over her.").status == 409
    assert jane_says(one.phone, SAID[1]) == 200
    assert one.phone.post(":release", "dev-agent", **JANE).status == 200
    one.waits_for("BOT")
    one.says("Thank you")
    assert one.phone.bot_says(SAID[2]).status == 200


def judged(one: Customer, accepted: list[str]) -> None:
    rows = one.rows()
    assert violations(rows, accepted) == []
    assert open_frames(rows) == []
    assert not any("talk over" in text for text in texts(rows))


@each_once(moment=MOMENTS, faults=TROUBLES)
def test_the_number_is_hidden_in_the_middle_of_a_handoff(
    server: LocalServer, moment: str, faults: dict[str, float]
) -> None:
    one = Customer(server)
    one.phone.faults(**faults)
    try:
        assert one.phone.bot_says("What now?").status == 200
        one.hides(moment, "before a person is asked for")
        one.phone.do("status", requestedLiveAgent=True)
        one.waits_for("QUEUED")
        handoff(one, moment)
        judged(one, ["What now?", *SAID])
    finally:
        one.phone.faults()


@each_once(moment=MOMENTS, faults=TROUBLES)
def test_metas_agent_answers_first_and_passes_the_customer_on(
    server: LocalServer, moment: str, faults: dict[str, float]
) -> None:
    one = Customer(server, answers=True)
    one.phone.faults(**faults)
    try:
        one.says("Is anybody there?")
        one.server.wait_until(
            lambda: any("Meta's agent answers" in str(text) for text in one.journal_texts())
        )
        refused = one.phone.bot_says("I answer as well.")
        assert refused.body["error"]["details"][0]["reason"] == "not-active"
        one.hides(moment, "before a person is asked for")
        one.phone.do("messages", text="I want a person")
        one.waits_for("QUEUED")
        handoff(one, moment)
        assert one.agent()["owner"] != "ai_agent"
        judged(one, SAID)
    finally:
        one.phone.faults()


def test_a_human_takes_a_customer_from_metas_agent(server: LocalServer) -> None:
    """Who claims while the agent answers takes control, and the agent says nothing more."""
    one = Customer(server, answers=True)
    one.says("Is anybody there?")
    handoff(one, "while Jane is here")
    judged(one, SAID)
