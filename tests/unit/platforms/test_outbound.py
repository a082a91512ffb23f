"""Whatever a representative may say becomes a call that the platform takes: a refused message
would be a lost one.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from infra.local.simulators import rcs_content, whatsapp_content
from shared.bootstrap.platforms import platforms
from shared.platforms.base import Platform
from shared.platforms.suggestions import all_of
from shared.schemas.commands import SendEvent, SendMessage, Signal
from shared.schemas.content import Content
from shared.schemas.content_rules import first_fault
from shared.schemas.http import Answer, Call
from shared.schemas.representative import Representative, RepresentativeType
from shared.settings.model import read_settings

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
KNOWN = platforms(read_settings({"WHATSAPP_ACCESS_TOKEN": "dev-token"}))
TO = st.sampled_from(
    [
        "agent@rbm.goog|+6281234567890",
        "1065|5511987654321",
        "1065|BR.150",
        "3333",
        "",
        "|",
        "a/b?c|+1",
    ]
)
IDS = st.text(min_size=1, max_size=40) | st.uuids().map(str)

info = st.fixed_dictionaries(
    {"fileUrl": st.just("https://x.test/a.png")},
    optional={
        "altText": st.text(max_size=1100),
        "thumbnailUrl": st.just("https://x.test/t.png"),
        "mood": st.just(1),
    },
)
OAUTH = {"clientId": "c", "codeChallenge": "x", "scopes": ["s"]}
ACTIONS: list[dict[str, Any]] = [
    {"openUrlAction": {"url": "https://x.test", "mood": 1}},
    {"dialAction": {"phoneNumber": "+1-201-555.0100"}},
    {"viewLocationAction": {"latLong": {"latitude": 1, "longitude": 2}}},
    {
        "createCalendarEventAction": {
            "startTime": "2026-03-01T12:00:00Z",
            "endTime": "2026-03-01T13:00:00Z",
            "title": "T",
        }
    },
    {"shareLocationAction": {}},
    {"composeAction": {"composeTextMessage": {"phoneNumber": "+12015550100", "text": "Hi"}}},
]


def words(most: int, *, sound: bool) -> st.SearchStrategy[str]:
    if not sound:
        return st.text(min_size=1, max_size=most)
    return st.text(min_size=1, max_size=most).filter(str.strip)


def contents_of(*, sound: bool) -> st.SearchStrategy[Content]:
    """Returns what representatives say: what the API's door may take, or what older rules took."""
    back = st.text(max_size=300)
    back = back.map(str.strip).filter(bool) if sound else back
    tap = st.fixed_dictionaries(
        {"text": words(25, sound=sound), "postbackData": back}, optional={"mood": st.just(1)}
    )
    targets = (
        ACTIONS
        if sound
        else [*ACTIONS, {"dialAction": {"phoneNumber": None}}, {"dialAction": None}]
    )
    rough: list[dict[str, Any]] = [{}, {"authenticationRequest": {"oauth": {}}}]
    suggestion = st.one_of(
        st.fixed_dictionaries({"reply": tap}),
        st.fixed_dictionaries(
            {"action": st.builds(lambda one, to: {**one, **to}, tap, st.sampled_from(targets))}
        ),
        st.just({"liveAgentRequest": {}}),
        st.just({"authenticationRequest": {"oauth": OAUTH}}),
        *([] if sound else map(st.just, rough)),
    )
    card = st.fixed_dictionaries(
        {"title": words(200, sound=True)} if sound else {},
        optional={
            **({} if sound else {"title": st.text(max_size=200)}),
            "description": words(2000, sound=sound),
            "media": st.fixed_dictionaries(
                {"height": st.sampled_from(["SHORT", "TALL"]), "contentInfo": info}
            ),
            "suggestions": st.lists(suggestion, max_size=4),
        },
    )
    carousel = st.fixed_dictionaries(
        {
            "cardWidth": st.sampled_from(["SMALL", "MEDIUM"]),
            "cardContents": st.lists(card, min_size=2, max_size=10),
        }
    )
    cards = st.fixed_dictionaries(
        {"standaloneCard": st.fixed_dictionaries({"cardContent": card})}
    ) | st.fixed_dictionaries({"carouselCard": carousel})
    payload = st.one_of(
        st.fixed_dictionaries(
            {"text": words(3072, sound=sound)}, optional={"containsRichText": st.booleans()}
        ),
        st.fixed_dictionaries({"richCard": cards}),
        st.fixed_dictionaries({"image": st.fixed_dictionaries({"contentInfo": info})}),
    )
    fallback = st.fixed_dictionaries({}, optional={"fallback": words(3072, sound=sound)})
    return st.builds(
        lambda one, suggestions, extra: Content.model_validate(
            {**one, **extra, "suggestions": suggestions}
        ),
        payload,
        st.lists(suggestion, max_size=13),
        fallback,
    )


contents, rough_contents = contents_of(sound=True), contents_of(sound=False)


def _call(platform: Platform, content: Content, to: str = "1065|5511987654321") -> dict[str, Any]:
    call = platform.call(SendMessage(id="1", to=to, representative=JANE, content=content))
    assert call is not None
    body: dict[str, Any] = json.loads(call.body)
    return body


@given(content=contents)
def test_rcs_takes_every_content(content: Content) -> None:
    assume(first_fault(content) is None)
    message = _call(KNOWN["rcs"], content)["contentMessage"]
    assert rcs_content.refused_content(message) is None
    assert all(len(suggestion) == 1 for suggestion in message.get("suggestions", []))


@given(content=contents)
def test_whatsapp_takes_every_content(content: Content) -> None:
    assume(first_fault(content) is None)
    whatsapp_content.shown(_call(KNOWN["whatsapp"], content))


@given(replies=st.integers(0, 12))
def test_the_way_to_a_person_is_never_the_chip_that_is_left_out(replies: int) -> None:
    suggestions = [{"reply": {"text": f"{n}", "postbackData": f"{n}"}} for n in range(replies)]
    content = Content.model_validate(
        {"text": "?", "suggestions": [*suggestions, {"liveAgentRequest": {}}]}
    )
    assert "baton:request-human" in json.dumps(_call(KNOWN["rcs"], content))
    assert "baton:request-human" in json.dumps(_call(KNOWN["whatsapp"], content))


@given(content=contents)
def test_on_whatsapp_it_can_always_be_tapped(content: Content) -> None:
    asked = any(one.live_agent_request is not None for one in all_of(content))
    assert ("baton:request-human" in json.dumps(_call(KNOWN["whatsapp"], content))) == asked


# To draw a command takes longer than all platforms take to make calls of it: each is for all.
@settings(max_examples=150)
@given(to=TO, command_id=IDS, content=contents | rough_contents, message_id=st.none() | IDS)
def test_every_command_becomes_a_call_or_nothing(
    to: str, command_id: str, content: Content, message_id: str | None
) -> None:
    said = SendMessage(id=command_id, to=to, representative=JANE, content=content)
    joined = SendEvent(
        id=command_id, to=to, representative=JANE, event_type="REPRESENTATIVE_JOINED"
    )
    typing = Signal(id=command_id, to=to, kind="TYPING_STARTED", message_id=message_id)
    signals = [
        typing,
        *(typing.model_copy(update={"kind": kind}) for kind in ("TYPING_STOPPED", "READ")),
    ]
    for platform in KNOWN.values():
        for call in (platform.call(said), platform.call(joined), *map(platform.call, signals)):
            assert call is None or _is_sound(call), platform.name
        assert isinstance(platform.sent_id(said, Answer(200, b"{}")), str | None), platform.name


def _is_sound(call: Call) -> bool:
    parts = urlsplit(call.url)
    whole = (
        parts.scheme == "https"
        and bool(parts.hostname)
        and call.url.isascii()
        and " " not in call.url
    )
    return whole and isinstance(json.loads(call.body), dict)


@pytest.mark.parametrize("platform", KNOWN.values(), ids=lambda platform: platform.name)
@given(status=st.integers(100, 599), body=st.binary(max_size=60))
def test_every_answer_means_something(platform: Platform, status: int, body: bytes) -> None:
    outcome = platform.outcome(Answer(status, body))
    assert (outcome == "done") is (200 <= status < 300)
    assert status < 500 or outcome == "transient"
