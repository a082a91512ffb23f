"""Whatever a representative may say becomes a call that the platform takes: a refused message would be a lost one."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local import rcs_content, whatsapp_content
from shared.platforms.base import Platform
from shared.platforms.chips import all_of
from shared.platforms.registry import platforms
from shared.schemas.commands import SendEvent, SendMessage, Signal
from shared.schemas.content import Content
from shared.schemas.exchange import Answer, Call
from shared.schemas.representative import Representative, RepresentativeType
from shared.settings import read_settings

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
KNOWN = platforms(read_settings({"WHATSAPP_ACCESS_TOKEN": "token"}))
TO = st.sampled_from(
    ["agent@rbm.goog|+6281234567890", "1065|5511987654321", "1065|BR.150", "3333", "", "|", "a/b?c|+1"]
)
IDS = st.text(min_size=1, max_size=40) | st.uuids().map(str)

info = st.fixed_dictionaries(
    {"fileUrl": st.just("https://x.test/a.png")},
    optional={"altText": st.text(max_size=1100), "thumbnailUrl": st.just("https://x.test/t.png"), "mood": st.just(1)},
)
tap = st.fixed_dictionaries(
    {"text": st.text(min_size=1, max_size=25), "postbackData": st.text(max_size=300)}, optional={"mood": st.just(1)}
)
targets = st.fixed_dictionaries(
    {"openUrlAction": st.just({"url": "https://x.test", "mood": 1})}
) | st.fixed_dictionaries({"dialAction": st.just({"phoneNumber": "+1201"}) | st.none()})
suggestion = st.one_of(
    st.fixed_dictionaries({"reply": tap}),
    st.fixed_dictionaries({"action": st.builds(lambda one, target: {**one, **target}, tap, targets)}),
    st.just({"liveAgentRequest": {}}),
    st.just({"authenticationRequest": {"oauth": {}}}),
    st.just({}),
)
card = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(max_size=200),
        "description": st.text(max_size=2000),
        "media": st.fixed_dictionaries({"height": st.just("TALL"), "contentInfo": info}),
        "suggestions": st.lists(suggestion, max_size=4),
    },
)
cards = st.fixed_dictionaries({"standaloneCard": st.fixed_dictionaries({"cardContent": card})}) | st.fixed_dictionaries(
    {
        "carouselCard": st.fixed_dictionaries(
            {"cardWidth": st.just("SMALL"), "cardContents": st.lists(card, min_size=2, max_size=10)}
        )
    }
)
payload = st.one_of(
    st.fixed_dictionaries({"text": st.text(min_size=1, max_size=3072)}),
    st.fixed_dictionaries({"richCard": cards}, optional={"fallback": st.text(min_size=1, max_size=3072)}),
    st.fixed_dictionaries({"image": st.fixed_dictionaries({"contentInfo": info})}),
)
contents = st.builds(
    lambda one, chips: Content.model_validate({**one, "suggestions": chips}), payload, st.lists(suggestion, max_size=13)
)


def _call(platform: Platform, content: Content, to: str = "1065|5511987654321") -> dict[str, Any]:
    call = platform.call(SendMessage(id="1", to=to, representative=JANE, content=content))
    assert call is not None
    body: dict[str, Any] = json.loads(call.body)
    return body


@given(content=contents)
def test_rcs_takes_whatever_is_said(content: Content) -> None:
    message = _call(KNOWN["rcs"], content)["contentMessage"]
    assert rcs_content.refused_content(message) is None
    assert all(len(chip) == 1 for chip in message.get("suggestions", []))
    assert len(json.dumps(message)) < 250_000


@given(content=contents)
def test_whatsapp_takes_whatever_is_said(content: Content) -> None:
    whatsapp_content.shown(_call(KNOWN["whatsapp"], content))


@given(replies=st.integers(0, 12))
def test_the_way_to_a_person_is_never_the_chip_that_is_left_out(replies: int) -> None:
    chips = [{"reply": {"text": f"{n}", "postbackData": f"{n}"}} for n in range(replies)]
    content = Content.model_validate({"text": "?", "suggestions": [*chips, {"liveAgentRequest": {}}]})
    assert "baton:request-human" in json.dumps(_call(KNOWN["rcs"], content))
    assert "baton:request-human" in json.dumps(_call(KNOWN["whatsapp"], content))


@given(content=contents)
def test_on_whatsapp_it_can_always_be_tapped(content: Content) -> None:
    asked = any(one.live_agent_request is not None for one in all_of(content))
    assert ("baton:request-human" in json.dumps(_call(KNOWN["whatsapp"], content))) == asked


@pytest.mark.parametrize("platform", KNOWN.values(), ids=lambda platform: platform.name)
@given(to=TO, command_id=IDS, content=contents, message_id=st.none() | IDS)
def test_every_command_becomes_a_call_or_nothing(
    platform: Platform, to: str, command_id: str, content: Content, message_id: str | None
) -> None:
    said = SendMessage(id=command_id, to=to, representative=JANE, content=content)
    joined = SendEvent(id=command_id, to=to, representative=JANE, event_type="REPRESENTATIVE_JOINED")
    typing = Signal(id=command_id, to=to, kind="TYPING_STARTED", message_id=message_id)
    signals = [typing, *(typing.model_copy(update={"kind": kind}) for kind in ("TYPING_STOPPED", "READ"))]
    for call in (platform.call(said), platform.call(joined), *map(platform.call, signals)):
        assert call is None or _is_sound(call)
    assert isinstance(platform.sent_id(said, Answer(200, b"{}")), str | None)


def _is_sound(call: Call) -> bool:
    parts = urlsplit(call.url)
    whole = parts.scheme == "https" and bool(parts.hostname) and call.url.isascii() and " " not in call.url
    return whole and isinstance(json.loads(call.body), dict)


@pytest.mark.parametrize("platform", KNOWN.values(), ids=lambda platform: platform.name)
@given(status=st.integers(100, 599), body=st.binary(max_size=60))
def test_every_answer_means_something(platform: Platform, status: int, body: bytes) -> None:
    outcome = platform.outcome(Answer(status, body))
    assert (outcome == "done") is (200 <= status < 300)
    assert status < 500 or outcome == "transient"
