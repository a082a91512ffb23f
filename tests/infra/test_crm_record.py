"""The simulated CRM takes a comment once, and only one that is signed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from infra.local.server import LocalServer
from infra.local.settings import CRM_COMMENT_SECRET
from tests.forked import ForkedServer

FAULTS = "/local/comments-faults"
_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with ForkedServer(tmp_path_factory.mktemp("crm")) as running:
        yield running


@pytest.fixture
def record() -> str:
    """Returns the path of a record that no other test knows."""
    return f"/local/comments/business_messages:{next(_numbers)}"


def signed(body: bytes, webhook_id: str = "c-1", age: float = 0) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(seconds=age)
    signature = Webhook(CRM_COMMENT_SECRET).sign(webhook_id, at, body.decode())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def comment(record: str) -> bytes:
    body = {
        "schema_version": 1,
        "id": "c-1",
        "conversation": record.removeprefix("/local/comments/"),
        "time": "2026-11-20T16:00:00Z",
        "comment": "order_number: A1\ncustomer_tier: gold",
        "variables": {"order_number": "A1", "customer_tier": "gold"},
        "provenance": {"signed": True},
    }
    return json.dumps(body).encode()


def kept(server: LocalServer, record: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get(record)["comments"]
    return found


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_signed_comment_is_on_the_record(server: LocalServer, record: str, method: str) -> None:
    body = comment(record)
    assert server.send(method, record, body, signed(body, method)).status == 201
    (one,) = kept(server, record)
    assert (one["comment"], one["webhook_id"]) == ("order_number: A1\ncustomer_tier: gold", method)
    assert one["variables"] == {"order_number": "A1", "customer_tier": "gold"}


def test_a_repeated_webhook_id_is_kept_once_and_counted(server: LocalServer, record: str) -> None:
    body = comment(record)
    assert {server.send("POST", record, body, signed(body, record)).status for _ in range(3)} == {
        201
    }
    assert [one["times"] for one in kept(server, record)] == [3]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "garbage"},
        {"webhook-signature": "v1,A"},
        {"webhook-timestamp": "soon"},
        {"webhook-id": "another"},
    ],
)
def test_what_is_not_signed_is_refused(
    server: LocalServer, record: str, headers: dict[str, str]
) -> None:
    body = comment(record)
    assert (
        server.send("POST", record, body, {**signed(body), **headers} if headers else {}).status
        == 401
    )
    assert kept(server, record) == []


def test_a_signature_of_another_body_or_of_ten_minutes_ago_is_refused(
    server: LocalServer, record: str
) -> None:
    body = comment(record)
    assert server.send("POST", record, body + b" ", signed(body)).status == 401
    assert server.send("POST", record, body, signed(body, age=600)).status == 401
    assert server.send("POST", record, b"\xff", signed(body)).status == 401


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"comment": 7}'])
def test_a_signed_body_without_a_comment_is_refused(
    server: LocalServer, record: str, body: bytes
) -> None:
    assert server.send("POST", record, body, signed(body)).status == 400


def test_a_crm_with_a_fault_switched_on_answers_500_and_keeps_nothing(
    server: LocalServer, record: str
) -> None:
    body = comment(record)
    assert server.send("PUT", FAULTS, b'{"server_error": 1}').body == {"server_error": 1}
    assert server.send("POST", record, body, signed(body, record)).status == 500
    assert server.send("PUT", FAULTS, b'{"server_error": 0}').status == 200
    assert kept(server, record) == []
    assert server.send("POST", record, body, signed(body, record)).status == 201
    assert server.send("PUT", FAULTS, b'{"explode": 1}').status == 400
