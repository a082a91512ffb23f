"""CSKU's flag: what is asked, and that the body decides.

https://docs.csku.ai/api-reference/conversation/mark-need-human, /api-reference/introduction
"""

import json

import pytest

from shared.errors import DoorClosed
from shared.platforms.base import Outcome
from shared.platforms.csku.desk import CskuDesk
from shared.schemas.http import Answer

DESK = CskuDesk("https://api.csku.test", "biz_1", "s3cret", need_human=True)


def test_a_conversation_is_flagged_by_its_own_id() -> None:
    call = DESK.flag("conv_123456")
    assert call is not None
    assert (call.method, call.url) == ("POST", "https://api.csku.test/v1/conversation/need-human")
    assert json.loads(call.body) == {"conversation_id": "conv_123456"}
    assert (call.headers["business"], call.headers["secret"]) == ("biz_1", "s3cret")
    assert "s3cret" not in repr(DESK)


def test_it_is_off_unless_asked_for() -> None:
    assert CskuDesk(business="b", secret="s").flag("conv_1") is None


@pytest.mark.parametrize(
    ("business", "secret", "setting"), [(None, "s", "BUSINESS"), ("b", None, "SECRET")]
)
def test_a_setting_that_is_missing_is_named(
    business: str | None, secret: str | None, setting: str
) -> None:
    with pytest.raises(DoorClosed) as caught:
        CskuDesk(business=business, secret=secret, need_human=True).flag("conv_1")
    assert caught.value.metadata["setting"] == f"CSKU_API_{setting}"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"status": 1, "message": "marked"}, Outcome.DONE),
        (200, {"status": 0, "rc": 400, "error_msg": "?"}, Outcome.PERMANENT),
        (200, {"status": 0, "rc": 404}, Outcome.PERMANENT),
        (200, {"status": 0, "rc": 429}, Outcome.TRANSIENT),
        (200, {"status": 0, "rc": 500}, Outcome.TRANSIENT),
        (200, {"status": 0, "rc": 403}, Outcome.FORBIDDEN),
        (200, {"status": 0}, Outcome.PERMANENT),
        (200, {"status": 0, "rc": 200}, Outcome.PERMANENT),
        (200, {}, Outcome.PERMANENT),
        (200, "not an object", Outcome.TRANSIENT),
        (404, {"status": 1}, Outcome.PERMANENT),
        (429, {"status": 0, "rc": 429}, Outcome.TRANSIENT),
        (500, {"status": 1}, Outcome.TRANSIENT),
    ],
)
def test_the_body_decides_where_http_says_success(
    status: int, body: object, outcome: Outcome
) -> None:
    assert DESK.outcome(Answer(status, json.dumps(body).encode())) is outcome


def test_a_proxys_page_is_no_success() -> None:
    assert DESK.outcome(Answer(200, b"<html>")) is Outcome.TRANSIENT
