"""What the samples of Slack cannot show: proofs, the check of the address, people and files."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from shared.errors import DoorClosed, NotFound, Unauthenticated, Unavailable
from shared.platforms.base import Profile
from shared.platforms.slack.platform import Slack
from shared.platforms.slack.text import escaped, plain, words_of
from shared.schemas.details import Attachment
from shared.schemas.http import Answer, Request

SECRET = "secret"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
SLACK = Slack(lambda: NOW, ("an-older-secret", "secret"), bot_token="xoxb-1")
URL = "https://files.slack.com/files-pri/T1-F1/download/a.png"


def signed(body: bytes, secret: str = SECRET, at: str = STAMP) -> Request:
    """Signs as Slack's own library does."""
    signature = SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
    assert signature is not None
    headers = {"x-slack-request-timestamp": at, "x-slack-signature": signature}
    return Request("POST", "/slack", body, headers)


def answer(**body: Any) -> Answer:
    return Answer(200, json.dumps(body).encode())


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_what_slacks_library_signs_is_genuine(text: str) -> None:
    body = text.encode()
    for secret in ("secret", "an-older-secret"):
        SLACK.authenticate(signed(body, secret))
    for forged in (signed(body, "guess"), signed(body + b" ")):
        with pytest.raises(Unauthenticated):
            SLACK.authenticate(Request("POST", "/slack", body, forged.headers))


@pytest.mark.parametrize("seconds", [-301, 301, 86400])
def test_a_signature_is_good_for_five_minutes(seconds: int) -> None:
    at = str(int((NOW + timedelta(seconds=seconds)).timestamp()))
    with pytest.raises(Unauthenticated):
        SLACK.authenticate(signed(b"{}", at=at))
    assert SLACK.body_limit(signed(b"{}", at=at)) == 0
    for fresh in (-300, 0, 300):
        SLACK.authenticate(signed(b"{}", at=str(int(STAMP) + fresh)))


@pytest.mark.parametrize("stamp", ["", "now", "1e9", "-1", "１７７２３６６４００", "9" * 40])
def test_a_stamp_that_is_no_time_is_refused(stamp: str) -> None:
    raw = "v0=" + "0" * 64
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": raw}
    request = Request("POST", "/slack", b"{}", headers)
    with pytest.raises(Unauthenticated):
        SLACK.authenticate(request)
    assert SLACK.body_limit(request) == 0


def test_without_proof_nothing_is_read_and_without_a_secret_the_door_is_closed() -> None:
    assert SLACK.body_limit(Request("POST", "/slack")) == 0
    assert SLACK.body_limit(signed(b"")) == 1 << 20
    assert Slack(lambda: NOW).body_limit(signed(b"")) == 0
    with pytest.raises(DoorClosed):
        Slack(lambda: NOW).authenticate(signed(b"{}"))


def test_the_check_of_the_address_is_answered_if_it_is_signed() -> None:
    body = b'{"token": "t", "challenge": "3eZb", "type": "url_verification"}'
    answered = SLACK.handshake(signed(body))
    assert answered is not None
    assert json.loads(answered.body) == {"challenge": "3eZb"}
    with pytest.raises(Unauthenticated):
        SLACK.handshake(signed(body, "guess"))
    assert SLACK.handshake(signed(b'{"type": "event_callback"}')) is None
    assert SLACK.handshake(signed(b'{"text": "url_verification"}')) is None
    said = b'{"type": "event_callback", "event": {"text": "\\"url_verification\\""}}'
    assert SLACK.handshake(signed(said)) is None


PROFILE = {
    "display_name": "Jane",
    "real_name": "Jane Doe",
    "email": "Jane@Example.com",
    "image_192": "https://a.test/1.png",
}


@pytest.mark.parametrize(
    ("user", "profile"),
    [
        ({"profile": PROFILE}, Profile("Jane", "https://a.test/1.png", "jane@example.com")),
        ({"profile": {**PROFILE, "display_name": " ", "email": ""}},
         Profile("Jane Doe", "https://a.test/1.png")),
        ({"name": "jane", "profile": {}}, Profile("jane")),
        ({"real_name": "Jane Doe", "profile": None}, Profile("Jane Doe")),
    ],
)  # fmt: skip
def test_who_a_person_is(user: dict[str, Any], profile: Profile) -> None:
    assert SLACK.profile(answer(ok=True, user=user)) == profile
    call = SLACK.person_lookup("U1")
    assert (urlsplit(call.url).path, parse_qs(urlsplit(call.url).query)) == (
        "/api/users.info",
        {"user": ["U1"]},
    )
    assert call.auth == "bearer:xoxb-1"
    assert "xoxb-1" not in repr(SLACK)


@pytest.mark.parametrize("error", ["internal_error", "invalid_auth", "ratelimited"])
def test_who_a_person_is_may_be_asked_again(error: str) -> None:
    with pytest.raises(Unavailable):
        SLACK.profile(answer(ok=False, error=error))
    for refused in ("user_not_found", "user_not_visible", "missing_scope"):
        assert SLACK.profile(answer(ok=False, error=refused)) == Profile()


def test_a_file_is_fetched_with_the_token_from_slack_alone() -> None:
    lookup = SLACK.media_lookup(Attachment(id="F1"))
    assert lookup is not None
    assert lookup.url == "https://slack.com/api/files.info?file=F1"
    found = SLACK.media_source(
        Attachment(id="F1"), answer(ok=True, file={"url_private_download": URL})
    )
    assert (found.url, found.auth) == (URL, "bearer:xoxb-1")
    assert "files.slack.com" in SLACK.media_hosts
    elsewhere = answer(ok=True, file={"url_private": "https://drive.example.com/a"})
    assert SLACK.media_source(Attachment(id="F1"), elsewhere).auth == "none"
    with pytest.raises(NotFound):
        SLACK.media_source(Attachment(id="F1"), answer(ok=False, error="file_deleted"))
    with pytest.raises(Unavailable):
        SLACK.media_source(Attachment(id="F1"), answer(ok=False, error="invalid_auth"))


@given(text=st.text())
def test_any_words_survive_the_way_to_slack_and_back(text: str) -> None:
    assert plain(escaped(text)) == text


@given(text=st.text(st.sampled_from("<>&;|@#!amplgt:/ ")))
def test_no_words_of_a_customer_become_a_mention_or_a_link(text: str) -> None:
    assert not {"<", ">"} & set(escaped(text))
    assert plain(escaped(text)) == text


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"text": "the fallback", "blocks": [{"type": "rich_text", "elements": list(elements)}]}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"text": "a &lt;b&gt; &amp;amp;"}, "a <b> &amp;"),
        ({"text": "<@U1> help", "blocks": []}, "help"),
        (rich(section({"type": "emoji", "name": "flag-br", "unicode": "1f1e7-1f1f7"})), "🇧🇷"),
        (rich(section({"type": "emoji", "name": "our_logo"})), ":our_logo:"),
        (rich(section({"type": "text", "text": "2 * 3 * 4"})), "2 * 3 * 4"),
        (rich(section({"type": "color", "value": "#F405B3"})), "#F405B3"),
        (rich(section({"type": "broadcast", "range": "here"})), "@here"),
        (rich({"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [
            section({"type": "text", "text": "c"}), section({"type": "text", "text": "d"})]}),
         "3. c\n4. d"),
        (rich({"type": "rich_text_preformatted",
               "elements": [{"type": "text", "text": "a\n  b"}]}), "a\n  b"),
        (rich(section({"type": "emoji", "name": "x", "unicode": "d800"})), "the fallback"),
        (rich(section({"type": "emoji", "name": "x", "unicode": "f" * 40})), "the fallback"),
        (rich(section({"type": "hologram"})), "the fallback"),
        (rich({"type": "rich_text_of_tomorrow"}), "the fallback"),
        ({"text": "the fallback", "blocks": [{"type": "section"}]}, "the fallback"),
        ({"text": "the fallback", "blocks": [5]}, "the fallback"),
        ({"text": None}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_words_are_plain(message: dict[str, Any], words: str) -> None:
    assert words_of(message, "U1") == words
