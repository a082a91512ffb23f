"""Links to files: only Baton reads what they name, and they end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DoorClosed, Gone, NotFound
from shared.media_links import MediaLinks, MediaName
from shared.schemas.base import JsonObject

NOW = datetime(2026, 11, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANA = MediaName("whatsapp:106540352242922/15550100", "u-1", 2)


def _links(*keys: str, at: datetime = NOW) -> MediaLinks:
    return MediaLinks("https://media.test/relay_media", keys or ("key-one",), HOUR, lambda: at)


def _token(links: MediaLinks, name: MediaName = ANA) -> str:
    return links.link(name).removeprefix("https://media.test/relay_media/")


@given(st.text(), st.text(), st.integers(0, 99))
def test_a_link_names_its_file(conversation: str, entry: str, index: int) -> None:
    name = MediaName(conversation, entry, index)
    assert _links().named_by(_token(_links(), name)) == name


def test_a_link_is_one_path_segment_and_shows_no_name() -> None:
    token = _token(_links())
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert "whatsapp" not in token and "15550100" not in token


def test_a_link_ends_after_its_lifetime() -> None:
    token = _token(_links())
    assert _links(at=NOW + HOUR - timedelta(seconds=1)).named_by(token) == ANA
    with pytest.raises(Gone, match="expired"):
        _links(at=NOW + HOUR).named_by(token)


def test_a_link_of_the_key_before_is_read() -> None:
    token = _token(_links("old-key"))
    assert _links("new-key", "old-key").named_by(token) == ANA
    with pytest.raises(NotFound):
        _links("new-key").named_by(token)


@pytest.mark.parametrize("token", ["", "x", "gAAAAA", "é", "=", "gAAAAABmAAAA" * 20])
def test_rubbish_is_no_link(token: str) -> None:
    with pytest.raises(NotFound):
        _links().named_by(token)


def test_a_changed_link_is_no_link() -> None:
    token = _token(_links())
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(NotFound):
            _links().named_by(token[:place] + other + token[place + 1 :])


def test_without_a_key_nothing_is_linked_or_read() -> None:
    closed = replace(_links(), keys=())
    details: JsonObject = {"attachments": [{"kind": "image"}]}
    assert closed.with_links("c", "e", details) == details
    with pytest.raises(DoorClosed):
        closed.named_by(_token(_links()))
