"""What Slack and Google Chat are sent, judged by the models that the vendors publish themselves."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from google.apps import chat_v1
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from shared.schemas.notifications import Notification, NotificationType
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.team import Briefing, Url
from shared.teams.google_chat import GoogleChat
from shared.teams.slack import Slack

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5000)
notifications = st.builds(
    Notification,
    id=st.uuids().map(str),
    type=st.sampled_from(get_args(NotificationType)),
    conversation=st.from_regex(r"[a-z_]{1,20}:[A-Za-z0-9_.~=+-]{1,128}", fullmatch=True),
    time=st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    representative=st.none()
    | st.builds(
        Representative, representative_type=st.sampled_from(RepresentativeType), display_name=texts
    ),
    reason=st.none() | texts,
    waited_seconds=st.none() | st.floats(0, 1e6),
    reminder=st.none() | st.integers(1, 9),
    desk=st.none() | texts,
)
briefings = st.builds(
    Briefing,
    notifications,
    st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    st.none() | texts,
    st.lists(texts.map(lambda text: f"Customer: {text[:300]}"), max_size=6).map(tuple),
    st.none() | texts.map(lambda text: f"https://console.test/{len(text) * 'x'}"),
)


@given(briefing=briefings)
def test_slack_knows_every_block_and_its_limits(briefing: Briefing) -> None:
    sent = json.loads(Slack(Url("https://s")).call(briefing).body)
    blocks = Block.parse_all(sent["blocks"])
    assert len(blocks) == len(sent["blocks"])
    for block in blocks:
        block.validate_json()
    assert [block.to_dict() for block in blocks] == sent["blocks"]
    assert set(sent) == {"text", "blocks"}


@given(briefing=briefings)
def test_google_chat_knows_every_field_of_the_card(briefing: Briefing) -> None:
    sent = GoogleChat(Url("https://g")).call(briefing).body
    message = chat_v1.Message.from_json(sent, ignore_unknown_fields=False)
    known = chat_v1.Message.to_json(message, always_print_fields_with_no_presence=False)
    assert json.loads(known) == json.loads(sent)
    assert len(sent) <= 32_000, (
        "https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages"
    )


def test_the_judges_do_judge() -> None:
    (block,) = Block.parse_all(
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    )
    with pytest.raises(Exception, match="150"):
        block.validate_json()
    with pytest.raises(Exception, match="cards2"):
        chat_v1.Message.from_json(b'{"cards2": []}', ignore_unknown_fields=False)
