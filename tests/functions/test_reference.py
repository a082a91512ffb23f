"""The reference documents' conversation and events, through the real functions over HTTP."""

import threading
from collections.abc import Callable

from infra.local.reference import (
    BOT,
    EVENTS,
    HELP,
    HI,
    JANE,
    JOINED,
    LEFT,
    MESSAGES,
    STEPS,
    THANKS,
    WEBHOOK,
    Step,
)
from infra.local.server import LocalServer
from infra.local.talk import Talk

Start = Callable[..., LocalServer]


def test_every_step_of_the_reference_conversation_is_answered_as_it_should_be(start: Start) -> None:
    server = start()
    assert [(step.title, server.play(step).status) for step in STEPS] == [
        (step.title, step.expect) for step in STEPS
    ]
    server.wait_until_quiet("3333")
    shown = [row["body"] for row in server.transcript("3333") if row["side"] == "business"]
    assert [(row.get("messageId"), row["representative"]) for row in shown] == [
        ("5555", BOT),
        (None, JANE),
        ("7777", JANE),
        (None, JANE),
        ("8888", BOT),
    ]


def test_an_event_id_used_for_joined_is_refused_for_left_and_another_is_taken(start: Start) -> None:
    server = start()
    assert server.play(Step("", WEBHOOK, HI)).status == 200
    assert server.play(Step("", f"{EVENTS}?eventId=6666", JOINED, "dev-agent")).status == 200
    refused = server.play(Step("", f"{EVENTS}?eventId=6666", LEFT, "dev-agent"))
    assert (refused.status, refused.body["error"]["status"]) == (409, "ALREADY_EXISTS")
    assert server.play(Step("", f"{EVENTS}?eventId=6667", LEFT, "dev-agent")).status == 200


def test_the_answer_to_a_message_is_the_message(start: Start) -> None:
    server = start()
    assert server.play(Step("", WEBHOOK, HI)).status == 200
    answer = server.play(Step("", MESSAGES, THANKS, "dev-bot"))
    assert answer.body == {"name": "conversations/3333/messages/5555", **THANKS}


def test_a_human_message_without_joined_is_refused_and_its_id_not_consumed(talk: Talk) -> None:
    refused = talk.post("/messages", HELP)
    assert refused.status == 409
    assert refused.body["error"]["status"] == "FAILED_PRECONDITION"
    assert refused.body["error"]["details"][0]["reason"] == "not-joined"
    assert talk.post("/events?eventId=1", JOINED).status == 200
    assert talk.post("/messages", HELP).status == 200
    assert talk.seen() == [
        "JOINED Jane Doe",
        "HUMAN Jane Doe: I see you have a problem. How can I help?",
    ]


def test_a_desks_reply_is_framed_and_labelled_exactly_once_however_often_it_is_posted(
    talk: Talk,
) -> None:
    desk = f"csku:{talk.id}"
    assert talk.link(desk).status == 200
    answers: list[int] = []

    def post() -> None:
        said = talk.csku(
            "agent.message_out",
            "msg_def456",
            "Saya bisa membantu",
            conversation=talk.id,
            need_human=1,
        )
        answers.append(said.status)

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
    assert talk.seen() == [
        "JOINED Nama Agent Support",
        "HUMAN Nama Agent Support: Saya bisa membantu",
    ]


def test_a_desks_ai_that_needs_no_human_hands_back_to_the_bot(talk: Talk) -> None:
    assert talk.link(f"csku:{talk.id}").status == 200
    talk.csku("agent.message_out", "1", "Saya bisa membantu", conversation=talk.id, need_human=1)
    talk.csku(
        "channel.message_in", "2", "an echo of the customer", conversation=talk.id, need_human=0
    )
    talk.csku("ai.message_generated", "3", "Ada lagi?", conversation=talk.id, need_human=0)
    assert talk.seen() == [
        "JOINED Nama Agent Support",
        "HUMAN Nama Agent Support: Saya bisa membantu",
        "LEFT Nama Agent Support",
        "BOT Customer Support AI: Ada lagi?",
    ]
    assert talk.state()["phase"] == "BOT"


def test_while_a_human_is_present_the_bot_is_refused_and_may_say_it_once_they_left(
    talk: Talk,
) -> None:
    talk.frame("JOINED", "Jane Doe", "e-1")
    refused = talk.say("BOT", "Hello World Agent", "We are open until nine.", "b-1")
    assert refused.status == 409
    detail = refused.body["error"]["details"][0]
    assert (detail["reason"], detail["metadata"]["holder"]) == ("human-present", "Jane Doe")
    talk.frame("LEFT", "Jane Doe", "e-2")
    assert talk.say("BOT", "Hello World Agent", "We are open until nine.", "b-1").status == 200
    again = talk.say("BOT", "Hello World Agent", "We are open until nine.", "b-1")
    assert (again.status, again.body["error"]["status"]) == (409, "ALREADY_EXISTS")


def test_an_unlinked_desk_conversation_is_tracked_and_nothing_is_sent(
    server: LocalServer, talk: Talk
) -> None:
    desk = f"tracked-{talk.id}"
    talk.csku(
        "channel.message_in", "1", "Halo", conversation=desk, need_human=1, timestamp=1738056000
    )
    waiting = server.get(f"/send_representative/v1/conversations/csku:{desk}", "dev-agent")
    assert (waiting["phase"], waiting["tracked"]) == ("QUEUED", True)
    talk.csku(
        "agent.message_out", "2", "Saya bisa", conversation=desk, need_human=1, timestamp=1738056042
    )
    state = server.get(f"/send_representative/v1/conversations/csku:{desk}", "dev-agent")
    assert state["phase"] == "HUMAN"
    assert state["representatives"] == [
        {"representativeType": "HUMAN", "displayName": "Nama Agent Support"}
    ]
    assert state["firstResponseSeconds"] == 42.0
    entries = server.get(f"/send_representative/v1/conversations/csku:{desk}/journal", "dev-agent")[
        "entries"
    ]
    assert [entry["kind"] for entry in entries] == [
        "user_message",
        "human_requested",
        "human_message",
    ]
    assert not any(
        command["lane"] == "channel" for entry in entries for command in entry["commands"]
    )


def test_of_two_claims_at_once_one_wins(talk: Talk) -> None:
    answers = []

    def claim(name: str) -> None:
        answers.append(talk.post(":claim", {"representative": {"displayName": name}}))

    threads = [threading.Thread(target=claim, args=(name,)) for name in ("Jane Doe", "John Roe")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won, lost = sorted(answers, key=lambda answer: answer.status)
    assert (won.status, lost.status) == (200, 409)
    holder = won.body["representatives"][0]["displayName"]
    assert lost.body["error"]["details"][0]["metadata"]["holder"] == holder
    assert talk.seen() == [f"JOINED {holder}"]


def test_a_customer_who_asks_for_a_human_is_told_when_none_came(start: Start) -> None:
    server = start(UNCLAIMED_AFTER="0.2", UNCLAIMED_REMINDERS="2")
    talk = Talk.open(server)
    assert talk.asks_for_human().status == 200
    server.wait_until(lambda: talk.state()["phase"] == "BOT")
    assert [line.partition(": ")[0] for line in talk.seen()] == ["BOT Hello World Agent"] * 2
    assert "still in line" in talk.seen()[0]
    assert "nobody is available" in talk.seen()[1]
    kinds = [entry["kind"] for entry in talk.journal()]
    assert kinds == ["user_message", "human_requested", *["unclaimed_timeout"] * 3]


def test_a_human_who_goes_quiet_leaves_and_the_bot_is_back(start: Start) -> None:
    server = start(HUMAN_IDLE_AFTER="0.3")
    talk = Talk.open(server)
    talk.frame("JOINED", "Jane Doe", "e-1")
    server.wait_until(lambda: talk.state()["phase"] == "BOT")
    shown = talk.seen()
    assert shown[:2] == ["JOINED Jane Doe", "LEFT Jane Doe"]
    assert shown[2].startswith("BOT Hello World Agent: ")


def test_state_and_outbox_survive_a_kill(start: Start) -> None:
    server = start()
    talk = Talk.open(server)
    faults = server.encode({"server_error": 1.0})
    assert server.send("PUT", "/sim/business_messages/faults", faults).status == 200
    talk.frame("JOINED", "Jane Doe", "e-1")
    assert talk.state()["pending"] > 0
    server.stop()
    server.start()
    assert talk.state()["phase"] == "HUMAN"
    assert talk.seen() == ["JOINED Jane Doe"]
