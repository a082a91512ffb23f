"""What each kind of target is sent: complete, within the vendor's limits, and with nothing that
becomes markup.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import grapheme
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.schemas.http import Answer
from shared.schemas.notifications import Notification
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.team import HEADLINES, Briefing, Target, Url, in_words
from shared.teams.google_chat import GoogleChat
from shared.teams.slack import Slack
from shared.teams.team_webhook import TeamWebhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TARGETS: list[Target] = [
    Slack(Url("https://s")),
    GoogleChat(Url("https://g")),
    TeamWebhook(Url("https://t"), SECRET),
]


def _briefing(kind: str = "handoff.requested", **changes: object) -> Briefing:
    jane = Representative(
        representative_type=RepresentativeType.HUMAN, display_name="Jane <b>Doe</b>"
    )
    body = {
        "id": "n-1",
        "type": kind,
        "conversation": "business_messages:3333",
        "time": datetime.now(UTC),
        "representative": jane,
        "reason": "angry & <!channel>",
        "waited_seconds": 200.4,
        **changes,
    }
    told = Notification.model_validate(body)
    lines = ("Customer: <script>alert(1)</script> & @here", "Bot: hello")
    return Briefing(
        told, datetime.now(UTC), "Michael", lines, "https://console.test/?c=business_messages:3333"
    )


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("kind", HEADLINES)
def test_every_notification_says_what_who_why_and_where(target: Target, kind: str) -> None:
    call = target.call(_briefing(kind))
    shown = json.dumps(json.loads(call.body), ensure_ascii=False)
    for part in (HEADLINES[kind], "business_messages:3333", "Michael", "https://console.test/"):
        assert part in shown


@pytest.mark.parametrize("target", [TARGETS[0], TARGETS[1]], ids=lambda target: target.name)
def test_people_read_the_wait_and_the_last_words(target: Target) -> None:
    shown = json.dumps(json.loads(target.call(_briefing()).body), ensure_ascii=False)
    assert "3 min 20 s" in shown
    assert "Bot: hello" in shown


def test_slack_shows_a_customers_words_as_they_are() -> None:
    body = json.loads(Slack(Url("https://s")).call(_briefing()).body)
    facts, lines = body["blocks"][1]["text"], body["blocks"][2]["text"]
    assert (facts["type"], lines["type"]) == ("plain_text", "plain_text")
    assert "Why: angry & <!channel>" in facts["text"].splitlines()
    assert lines["text"].splitlines()[0] == "Customer: <script>alert(1)</script> & @here"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize(
    "name", ["business_messages:a_b_c", "rcs:h-0123456789abcdef", "csku:*x*~y~`z`"]
)
def test_an_id_stands_as_it_is_so_that_it_can_be_copied_and_searched_for(
    target: Target, name: str
) -> None:
    briefing = _briefing(conversation=name)
    assert name in target.call(briefing).body.decode()


def test_no_fact_of_a_customers_can_look_like_another() -> None:
    briefing = replace(_briefing(), customer="Michael\nWho: Somebody else")
    facts = json.loads(Slack(Url("https://s")).call(briefing).body)["blocks"][1]["text"]["text"]
    assert "Customer: Michael Who: Somebody else" in facts.splitlines()


def test_an_entity_of_google_chat_is_never_torn_and_an_apostrophe_stays() -> None:
    briefing = replace(_briefing(), lines=("Customer: it's " + "<" * 2000,))
    body = json.loads(GoogleChat(Url("https://g")).call(briefing).body)
    text = body["cardsV2"][0]["card"]["sections"][1]["widgets"][0]["textParagraph"]["text"]
    assert text.startswith("Customer: it's &lt;")
    assert text.endswith("&lt;…")


@pytest.mark.parametrize(
    ("target", "status", "body", "named"),
    [
        (TARGETS[0], 404, b"no_service", "no_service"),
        (TARGETS[0], 410, b"channel_is_archived\n", "channel_is_archived"),
        (TARGETS[0], 502, b"<html>hooks.slack.com/services/T0/B0/secret</html>", None),
        (TARGETS[1], 404, b'{"error": {"code": 404, "status": "NOT_FOUND"}}', "NOT_FOUND"),
        (
            TARGETS[1],
            404,
            b'{"error": {"status": "see https://chat.googleapis.com/?key=secret"}}',
            None,
        ),
        (TARGETS[1], 500, b"[]", None),
        (TARGETS[2], 404, b"no_service", None),
    ],
)
def test_an_error_is_named_as_the_target_names_it_and_nothing_else_of_its_answer(
    target: Target, status: int, body: bytes, named: str | None
) -> None:
    assert target.fault(Answer(status, body)) == named


def test_google_chat_shows_a_customers_words_as_they_are() -> None:
    body = GoogleChat(Url("https://g")).call(_briefing()).body.decode()
    assert "<script>" not in body
    assert "&lt;script&gt;" in body
    assert "<b>Doe" not in body


def test_slack_blocks_stay_within_their_limits() -> None:
    briefing = Briefing(
        _briefing().notification, datetime.now(UTC), "M" * 5000, ("x" * 5000,), None
    )
    blocks = json.loads(Slack(Url("https://s")).call(briefing).body)["blocks"]
    assert [len(block["text"]["text"]) <= 3000 for block in blocks] == [True] * 3


def test_a_plain_webhook_is_verified_by_the_schemes_own_library() -> None:
    call = TeamWebhook(Url("https://t"), SECRET).call(_briefing())
    payload = Webhook(SECRET).verify(call.body, dict(call.headers))
    assert payload["type"] == "handoff.requested"
    assert payload["data"]["id"] == call.headers["webhook-id"] == "n-1"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(call.body + b" ", dict(call.headers))


def test_a_targets_address_and_secret_never_print() -> None:
    assert "https://" not in repr(TARGETS)
    assert SECRET not in repr(TARGETS)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59, "59 s"), (200.4, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize("text", ["&'<" * 600, "👨‍👩‍👧‍👦" * 200, "&👍🏽" * 300])
def test_what_is_long_tears_neither_an_escape_nor_a_character(text: str) -> None:
    lines = tuple(f"Customer: {text[:294]}" for _ in range(6))
    long = replace(_briefing(reason=text[:483]), customer=text[:252], lines=lines)
    slack = json.loads(Slack(Url("https://s")).call(long).body)
    facts = slack["blocks"][1]["text"]["text"]
    assert len(facts) <= 3000
    assert "Waited" in facts
    chat = json.loads(GoogleChat(Url("https://g")).call(long).body)["cardsV2"][0]["card"][
        "sections"
    ]
    said = next(one for one in chat if one.get("header"))["widgets"][0]["textParagraph"]["text"]
    assert len(said) <= 4000
    escaped = said.replace("<br>", " ")
    assert re.fullmatch(r"(?:[^&<>]|&(?:amp|lt|gt|quot|#x27);)*", escaped)
    for shown in (facts, unescape(escaped)):
        known = {*grapheme.graphemes(text), *map(chr, range(128)), "…"}
        assert set(grapheme.graphemes(shown)) <= known
