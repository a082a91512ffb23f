"""Every row of the REST door, over HTTP: rights, bodies, verbs, and the one error shape."""

import json
from typing import Any

import pytest

from infra.local.reference import Step
from infra.local.server import LocalServer, Reply
from infra.local.talk import BASE, Talk
from tests.soak import SOAKS

JANE = {"representativeType": "HUMAN", "displayName": "Jane Doe"}
BOT = {"representativeType": "BOT", "displayName": "Bot"}


def _reason(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["error"]["details"][0]["reason"]


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer nope"}, {"authorization": "dev-admin"}]
)
def test_without_a_known_key_nothing_is_told(server: LocalServer, headers: dict[str, str]) -> None:
    for path in (BASE, f"{BASE}/3333", "/send_representative/nonsense"):
        assert _reason(server.send("GET", path, headers=headers)) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/send_representative/v2/conversations", 404),
        ("GET", f"{BASE}/3333/surveys", 405),
        ("GET", f"{BASE}//journal", 404),
        ("PUT", BASE, 405),
        ("GET", f"{BASE}/3333/messages", 405),
        ("POST", f"{BASE}/3333:explode", 404),
        ("POST", f"{BASE}/%ff:claim", 400),
        ("GET", f"{BASE}/nobody-ever-saw-this", 404),
        ("GET", f"{BASE}?phase=ASLEEP", 400),
    ],
)
def test_a_wrong_path_or_method_is_refused(
    server: LocalServer, method: str, path: str, status: int
) -> None:
    reply = server.send(method, path, headers={"authorization": "Bearer dev-admin"})
    assert reply.status == status
    assert reply.body["error"]["code"] == status


@pytest.mark.parametrize(
    ("key", "path", "body"),
    [
        ("dev-bot", "/messages", {"messageId": "1", "text": "x", "representative": JANE}),
        ("dev-agent", "/messages", {"messageId": "1", "text": "x", "representative": BOT}),
        (
            "dev-bot",
            "/events?eventId=1",
            {"eventType": "REPRESENTATIVE_JOINED", "representative": JANE},
        ),
        ("dev-bot", "/events?eventId=1", {"eventType": "TYPING_STARTED", "representative": JANE}),
        ("dev-bot", ":claim", {"representative": {"displayName": "Jane Doe"}}),
        ("dev-bot", ":release", {"representative": {"displayName": "Jane Doe"}}),
        ("dev-bot", ":fail", {"reason": "closed"}),
        ("dev-agent", ":link", {"to": "3333"}),
        ("dev-agent", ":unlink", {}),
    ],
)
def test_a_key_may_do_only_what_it_may(
    talk: Talk, key: str, path: str, body: dict[str, Any]
) -> None:
    reply = talk.post(path, body, key)
    assert reply.status == 403
    assert reply.body["error"]["status"] == "PERMISSION_DENIED"


def test_queue_journal_and_erase_have_rights_of_their_own(talk: Talk) -> None:
    bot, agent = {"authorization": "Bearer dev-bot"}, {"authorization": "Bearer dev-agent"}
    assert talk.server.send("GET", BASE, headers=bot).status == 403
    assert talk.server.send("GET", f"{BASE}/{talk.id}/journal", headers=bot).status == 403
    assert talk.server.send("DELETE", f"{BASE}/{talk.id}", headers=agent).status == 403
    assert talk.server.send("GET", f"{BASE}/{talk.id}", headers=bot).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x", "representative": BOT},
        {"messageId": "", "text": "x", "representative": BOT},
        {"messageId": 1, "text": "x", "representative": BOT},
        {"messageId": "1", "representative": BOT},
        {"messageId": "1", "text": "", "representative": BOT},
        {"messageId": "1", "text": "x" * 3073, "representative": BOT},
        {
            "messageId": "1",
            "text": "x",
            "image": {"contentInfo": {"fileUrl": "https://x"}},
            "representative": BOT,
        },
        {"messageId": "1", "text": "x", "representative": {"displayName": "Bot"}},
        {"messageId": "1", "text": "x", "representative": {"representativeType": "ROBOT"}},
        {"messageId": "1", "text": "x", "representative": BOT, "suggestions": [{}] * 14},
        {"messageId": "1", "richCard": {}, "representative": BOT},
        {
            "messageId": "1",
            "text": "x",
            "suggestions": [{"reply": {"text": "y" * 26, "postbackData": "z"}}],
        },
        {"messageId": "1", "text": "x"},
        {"messageId": "1", "text": " ", "representative": BOT},
        {"messageId": "1", "text": "x", "suggestions": [{}], "representative": BOT},
        {"messageId": "1", "text": "x", "representative": {**BOT, "avatarImage": "avatar.png"}},
    ],
)
def test_a_message_that_the_platform_would_refuse_is_refused_here(
    talk: Talk, body: dict[str, Any]
) -> None:
    reply = talk.post("/messages", body, "dev-admin")
    assert _reason(reply) == (400, "schema")
    assert talk.seen() == []


def test_a_chip_that_some_channel_would_refuse_is_named_by_its_field(talk: Talk) -> None:
    suggestion = {"reply": {"text": "Yes", "postbackData": ""}}
    body = {"messageId": "1", "text": "x", "suggestions": [suggestion], "representative": BOT}
    refused = talk.post("/messages", body, "dev-bot")
    assert _reason(refused) == (400, "schema")
    assert (
        refused.body["error"]["details"][0]["metadata"]["field"]
        == "suggestions.0.reply.postbackData"
    )
    suggestion["reply"]["postbackData"] = "yes"
    assert talk.post("/messages", body, "dev-bot").status == 200, "the id was not consumed"


@pytest.mark.parametrize("raw", [b"{'messageId': '5555'}", b"", b"[]", b'"x"'])
def test_a_body_that_is_no_json_object_is_refused(talk: Talk, raw: bytes) -> None:
    reply = talk.server.send(
        "POST", f"{BASE}/{talk.id}/messages", raw, {"authorization": "Bearer dev-bot"}
    )
    assert reply.status == 400


def test_an_event_needs_an_id_and_a_kind(talk: Talk) -> None:
    assert (
        _reason(
            talk.post("/events", {"eventType": "REPRESENTATIVE_JOINED", "representative": JANE})
        )[0]
        == 400
    )
    assert _reason(
        talk.post("/events?eventId=1", {"eventType": "SURPRISE", "representative": JANE})
    ) == (400, "schema")


def test_a_message_to_a_conversation_never_seen_is_not_found(server: LocalServer) -> None:
    assert _reason(Talk(server, "unseen").say("BOT", "Bot", "x", "1")) == (
        404,
        "unknown-conversation",
    )


def test_where_a_key_speaks_as_one_type_the_representative_may_be_left_out(talk: Talk) -> None:
    assert talk.post("/messages", {"messageId": "1", "text": "hello"}, "dev-bot").status == 200
    assert (
        talk.post("/events?eventId=1", {"eventType": "REPRESENTATIVE_JOINED"}, "dev-agent").status
        == 200
    )
    assert talk.post("/messages", {"messageId": "2", "text": "hello"}, "dev-agent").status == 200
    assert talk.seen() == ["BOT Hello World Agent: hello", "JOINED desk", "HUMAN desk: hello"]


def test_an_id_with_other_content_is_told_apart_from_a_repetition(talk: Talk) -> None:
    assert talk.say("BOT", "Bot", "one", "1").status == 200
    assert _reason(talk.say("BOT", "Bot", "one", "1")) == (409, "already-accepted")
    reused = talk.say("BOT", "Bot", "two", "1")
    assert _reason(reused) == (409, "id-reused")
    assert reused.body["error"]["status"] == "ALREADY_EXISTS"
    talk.frame("JOINED", "Jane Doe", "e-1")
    assert _reason(talk.say("HUMAN", "Jane Doe", "one", "1")) == (409, "id-reused")


def test_a_repetition_is_still_one_after_a_human_came(talk: Talk) -> None:
    assert talk.say("BOT", "Bot", "one", "1").status == 200
    talk.frame("JOINED", "Jane Doe", "e-1")
    assert _reason(talk.say("BOT", "Bot", "one", "1")) == (409, "already-accepted")


def test_rich_content_travels_whole(talk: Talk) -> None:
    card = {
        "standaloneCard": {
            "cardContent": {
                "title": "Order 12",
                "media": {
                    "height": "TALL",
                    "contentInfo": {"fileUrl": "https://example.com/1.jpg"},
                },
                "suggestions": [
                    {
                        "action": {
                            "text": "Open",
                            "postbackData": "o",
                            "openUrlAction": {"url": "https://x"},
                        }
                    }
                ],
            }
        }
    }
    suggestions = [{"reply": {"text": "Yes", "postbackData": "y"}}, {"liveAgentRequest": {}}]
    body = {
        "messageId": "1",
        "richCard": card,
        "suggestions": suggestions,
        "fallback": "Order 12",
        "representative": BOT,
    }
    assert talk.post("/messages", body, "dev-bot").status == 200
    talk.server.wait_until_quiet(talk.id)
    shown = talk.server.transcript(talk.id)[-1]["body"]
    assert {name: shown[name] for name in body} == body


def test_typing_is_shown_only_for_who_speaks(talk: Talk) -> None:
    typing = {"eventType": "TYPING_STARTED", "representative": JANE}
    path = f"/sim/business_messages/customers/{talk.id}"
    assert talk.post("/events?eventId=t-1", typing).status == 200
    assert talk.server.get(path)["typing"] is None
    talk.frame("JOINED", "Jane Doe", "e-1")
    talk.seen()
    assert talk.post("/events?eventId=t-1", typing).status == 200
    assert talk.server.get(path)["typing"] == "Jane Doe"
    bot = {"eventType": "TYPING_STOPPED", "representative": BOT}
    assert talk.post("/events?eventId=t-2", bot, "dev-bot").status == 200
    assert talk.server.get(path)["typing"] == "Jane Doe"


def test_a_receipt_reaches_the_platform(talk: Talk) -> None:
    path = f"{BASE}/{talk.id}/messages/m-1/receipt"
    reply = talk.server.play(Step("", path, {"receiptType": "READ"}, "dev-bot"))
    assert reply.status == 405  # POST; the surface wants PATCH
    headers = {"authorization": "Bearer dev-bot"}
    read = talk.server.send("PATCH", path, b'{"receiptType": "READ"}', headers)
    name = f"conversations/{talk.id}/messages/m-1/receipt"
    assert (read.status, read.body) == (200, {"name": name, "receiptType": "READ"})
    assert talk.server.transcript(talk.id)[-1]["kind"] == "receipt"


@pytest.mark.parametrize("human_first", [False, True])
def test_a_bot_that_joins_and_leaves_frames_nothing(talk: Talk, human_first: bool) -> None:
    """As Google's sample bm-nodejs-dialogflow-integration does (lib/bm_api_helper.js,
    sendRepresentativeEvent).
    """
    if human_first:
        talk.frame("JOINED", "Jane Doe", "e-1")
    before = talk.seen()
    for event_id, what in (("b-1", "JOINED"), ("b-2", "LEFT")):
        body = {
            "eventType": f"REPRESENTATIVE_{what}",
            "representative": {"representativeType": "BOT"},
        }
        answer = talk.post(f"/events?eventId={event_id}", body, "dev-bot")
        assert (answer.status, answer.body["name"]) == (
            200,
            f"conversations/{talk.id}/events/{event_id}",
        )
        assert _reason(talk.post(f"/events?eventId={event_id}", body, "dev-bot")) == (
            409,
            "already-accepted",
        )
    assert talk.seen() == before
    assert talk.state()["phase"] == ("HUMAN" if human_first else "BOT")
    assert [entry["kind"] for entry in talk.journal()][-2:] == ["bot_joined", "bot_left"]


def test_a_survey_reaches_the_platform_that_has_them(talk: Talk) -> None:
    answer = talk.post("/surveys?surveyId=s-1", {}, "dev-bot")
    assert (answer.status, answer.body) == (200, {"name": f"conversations/{talk.id}/surveys/s-1"})
    talk.server.wait_until_quiet(talk.id)
    row = talk.server.transcript(talk.id)[-1]
    assert (row["kind"], row["id"]) == ("survey", "s-1")
    assert _reason(talk.post("/surveys?surveyId=s-1", {}, "dev-bot")) == (409, "already-accepted")
    second = talk.post("/surveys?surveyId=s-2", {}, "dev-bot")
    assert _reason(second) == (429, "survey-limit")
    assert second.body["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert _reason(talk.post("/surveys", {}, "dev-bot")) == (400, "schema")


def test_while_a_human_is_there_only_a_desk_sends_a_survey(talk: Talk) -> None:
    talk.frame("JOINED", "Jane Doe", "e-1")
    assert _reason(talk.post("/surveys?surveyId=s-1", {}, "dev-bot")) == (409, "human-present")
    assert talk.post("/surveys?surveyId=s-1", {}, "dev-agent").status == 200


def test_the_fallback_can_be_tried_out(talk: Talk) -> None:
    body = {
        "messageId": "1",
        "text": "**Hi**",
        "fallback": "Hi",
        "suggestions": [{"liveAgentRequest": {}}],
    }
    assert talk.post("/messages?forceFallback=true", body, "dev-bot").status == 200
    assert talk.seen() == ["BOT Hello World Agent: Hi"]
    refused = talk.post("/messages?forceFallback=true", {"messageId": "2", "text": "x"}, "dev-bot")
    assert _reason(refused) == (400, "schema")
    assert refused.body["error"]["details"][0]["metadata"]["field"] == "fallback"
    assert (
        talk.post(
            "/messages?forceFallback=false", {"messageId": "3", "text": "x"}, "dev-bot"
        ).status
        == 200
    )


def test_the_queue_shows_who_waits_longest_first(server: LocalServer) -> None:
    first, second = Talk.open(server), Talk.open(server)
    assert first.asks_for_human().status == 200
    assert (
        second.post(
            ":requestHuman", {"reason": "angry", "metadata": {"score": 1}}, "dev-bot"
        ).status
        == 200
    )
    waiting = [
        one["name"] for one in server.get(f"{BASE}?phase=QUEUED", "dev-agent")["conversations"]
    ]
    names = [f"conversations/business_messages:{one.id}" for one in (first, second)]
    assert [name for name in waiting if name in names] == names
    assert second.state()["requestReason"] == "angry"
    assert second.state()["waitingSince"]


def test_a_claim_needs_a_name_and_gives_the_holder_again(talk: Talk) -> None:
    assert _reason(talk.post(":claim", {})) == (400, "schema")
    assert _reason(talk.post(":claim", {"representative": {"representativeType": "HUMAN"}})) == (
        400,
        "schema",
    )
    body = {"representative": {"displayName": "Jane Doe"}, "requestId": "c-1"}
    assert talk.post(":claim", body).status == 200
    again = talk.post(":claim", {"representative": {"displayName": "Jane Doe"}})
    assert (again.status, again.body["phase"]) == (200, "HUMAN")
    other_key = talk.post(":claim", {"representative": {"displayName": "Jane Doe"}}, "dev-admin")
    assert _reason(other_key) == (409, "held")
    other_name = talk.post(":claim", {"representative": {"displayName": "John Roe"}})
    assert other_name.body["error"]["details"][0]["metadata"]["holder"] == "Jane Doe"
    assert talk.seen() == ["JOINED Jane Doe"]


def test_a_claim_repeated_after_the_release_is_no_second_claim(talk: Talk) -> None:
    body = {"representative": {"displayName": "Jane Doe"}, "requestId": "c-1"}
    assert talk.post(":claim", body).status == 200
    assert talk.post(":release", {"representative": {"displayName": "Jane Doe"}}).status == 200
    again = talk.post(":claim", body)
    assert (again.status, again.body["phase"]) == (200, "BOT")
    assert talk.seen() == ["JOINED Jane Doe", "LEFT Jane Doe"]


def test_one_releases_ones_own_and_an_admin_anybodys(talk: Talk) -> None:
    jane = {"representative": {"displayName": "Jane Doe"}}
    assert _reason(talk.post(":release", jane)) == (409, "not-joined")
    assert talk.post(":claim", jane, "dev-admin").status == 200
    assert _reason(talk.post(":release", jane, "dev-agent")) == (403, "not-yours")
    assert talk.post(":release", jane, "dev-admin").status == 200


def test_the_customer_is_told_that_no_human_is_available(talk: Talk) -> None:
    talk.asks_for_human()
    assert talk.post(":fail", {"reason": "closed for the night"}).status == 200
    assert talk.state()["phase"] == "BOT"
    assert "nobody is available" in talk.seen()[0]


def test_links_are_made_once_and_lead_one_step(server: LocalServer) -> None:
    one, other = Talk.open(server), Talk.open(server)
    desk = f"csku:desk-{one.id}"
    assert one.link(desk).status == 200
    assert one.link(desk).status == 200
    assert _reason(other.link(desk)) == (409, "already-linked")
    assert _reason(Talk(server, "never-seen").link(f"csku:x-{one.id}")) == (
        404,
        "unknown-conversation",
    )
    assert _reason(one.link(f"business_messages:{one.id}")) == (400, "self-link")
    further = Step("", f"{BASE}/csku:y-{one.id}:link", {"to": desk}, "dev-admin")
    assert _reason(server.play(further)) == (409, "chain")
    unlink = Step("", f"{BASE}/{desk}:unlink", {}, "dev-admin")
    assert server.play(unlink).status == 200
    assert server.play(unlink).status == 200
    assert one.state()["links"] == []


def test_the_conversation_segment_may_be_percent_encoded(talk: Talk) -> None:
    talk.seen()
    encoded = talk.server.get(f"{BASE}/business_messages%3A{talk.id}", "dev-agent")
    assert encoded == talk.state()
    assert talk.server.get(f"{BASE}/business_messages:{talk.id}", "dev-agent") == talk.state()


def test_erasing_leaves_nothing_and_a_late_duplicate_is_still_ignored(talk: Talk) -> None:
    assert talk.link(f"csku:{talk.id}").status == 200
    talk.csku("agent.message_out", "1", "an erased word", conversation=talk.id)
    talk.say("HUMAN", "Nama Agent Support", "an erased word", "m-9")
    talk.seen()
    reply = talk.server.send(
        "DELETE", f"{BASE}/{talk.id}", headers={"authorization": "Bearer dev-admin"}
    )
    assert reply.status == 200
    assert (
        _reason(
            talk.server.send(
                "GET", f"{BASE}/{talk.id}", headers={"authorization": "Bearer dev-agent"}
            )
        )[0]
        == 404
    )
    talk.customer_says("Hi, I have a problem", "m-1")
    talk.csku("agent.message_out", "1", "an erased word", conversation=talk.id)
    assert (
        talk.server.send(
            "GET", f"{BASE}/{talk.id}", headers={"authorization": "Bearer dev-agent"}
        ).status
        == 404
    )
    assert talk.customer_says("A new beginning", "m-2").status == 200
    assert talk.state()["phase"] == "BOT"
    assert "erased word" not in json.dumps(talk.journal())


@pytest.mark.soak
@pytest.mark.parametrize(
    "new_server", ["embedded", "emulators"] if SOAKS else ["emulators"], indirect=True
)
def test_more_than_five_hundred_pending_are_refused_until_delivery_goes_on(
    server: LocalServer,
) -> None:
    """Slow by nature (500 commits), so one test covers requests and facts, and the gate has it on
    the deployed store alone.
    """
    talk = Talk.open(server)
    faults = "/sim/business_messages/faults"
    server.send("PUT", faults, server.encode({"server_error": 1.0}))
    try:
        for number in range(500):
            assert talk.say("BOT", "Bot", f"{number}", f"b-{number}").status == 200
        assert _reason(talk.say("BOT", "Bot", "one too many", "b-500")) == (429, "outbox-full")
        assert _reason(talk.customer_says("one too many", "m-500")) == (503, "outbox-full")
    finally:
        server.send("PUT", faults, b"{}")
    server.wait_until(lambda: talk.state()["pending"] == 0, seconds=180)
    assert talk.say("BOT", "Bot", "one too many", "b-500").status == 200
    assert talk.seen() == [
        *(f"BOT Bot: {number}" for number in range(500)),
        "BOT Bot: one too many",
    ]
