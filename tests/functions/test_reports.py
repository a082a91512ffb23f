"""The reports over HTTP, as people and pages ask for them, and the page itself."""

import csv
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from infra.deployables import ROOT
from infra.local.server import LocalServer, Reply
from infra.local.talk import Talk
from shared.api.page import page_file
from shared.schemas.http import Request
from tests import quarter

BASE = "/send_representative/v1/reports"
JANE = {"displayName": "Jane Doe"}


def _ask(server: LocalServer, path: str, key: str = "dev-admin", method: str = "GET") -> Reply:
    return server.send(method, f"{BASE}/{path}", headers={"authorization": f"Bearer {key}"})


@pytest.fixture
def played(start: Callable[..., LocalServer]) -> LocalServer:
    """One handoff that ended, one that waits, and a customer whom the bot alone serves."""
    server = start()
    quarter.until_it_has(60)
    ended, waits, served = (Talk.open(server) for _ in range(3))
    for talk in (ended, waits):
        talk.say("BOT", "Bot", "Let me transfer you", f"b-{talk.id}")
        talk.post(":requestHuman", {"reason": "refund"}, "dev-bot")
    ended.post(":claim", {"representative": JANE})
    ended.say("HUMAN", "Jane Doe", "Hello", "h-1")
    ended.customer_says("My parcel", "m-2")
    ended.customer_says("Hello?", "m-3")
    ended.say("HUMAN", "Jane Doe", "It is on its way", "h-2")
    ended.post(":release", {"representative": JANE})
    for talk in (ended, waits, served):
        server.wait_until_quiet(talk.id)
    return server


def test_a_report_says_what_came_of_every_handoff(played: LocalServer) -> None:
    total: dict[str, Any] = _ask(played, "handoffs").body["total"]
    counts = {
        name: total[name]
        for name in ("conversations", "handedOff", "requested", "joined", "left", "withHuman")
    }
    assert counts == {
        "conversations": 3,
        "handedOff": 2,
        "requested": 2,
        "joined": 1,
        "left": 1,
        "withHuman": 0,
    }
    assert total["handoffRate"] == pytest.approx(2 / 3, abs=0.0001)
    timings = {
        name: (total[name]["count"], total[name].get("open"))
        for name in ("waiting", "firstResponse", "response")
    }
    assert timings == {"waiting": (1, 1), "firstResponse": (1, 1), "response": (1, 0)}
    assert 0 <= total["firstResponse"]["median"] <= total["firstResponse"]["p90"] < 60
    assert total["handling"]["count"] == 1

    rows = _ask(played, "handoffs?by=channel,desk", "dev-agent").body["rows"]
    assert [row["by"] for row in rows] == [
        {"channel": "business_messages", "desk": one} for one in ("", "api")
    ]
    assert [(row["conversations"], row["requested"]) for row in rows] == [(3, 0), (0, 2)]
    (jane,) = _ask(played, "agents").body["rows"]
    assert (jane["by"], jane["joined"], jane["response"]["count"]) == ({"agent": "Jane Doe"}, 1, 1)
    assert not {"failed", "expired", "requested"} & set(jane), "these are no agent's"
    assert _ask(played, "handoffs?from=2020-01-01&to=2020-02-01").body["total"]["requested"] == 0

    lines = _ask(played, "handoffs?by=day&format=csv&tz=Asia/Kathmandu").body.splitlines()
    (day,) = csv.DictReader(lines)
    assert (day["requested"], day["waiting.count"], day["waiting.open"]) == ("2", "1", "1")
    assert len(list(csv.DictReader(_ask(played, "handoffs?format=csv").body.splitlines()))) == 1

    together = _ask(played, "handoffs?by=day;desk,channel;").body
    assert [one["by"] for one in together["reports"]] == [["day"], ["desk", "channel"], []]
    for one in together["reports"]:
        alone = _ask(played, f"handoffs?by={','.join(one['by'])}").body
        assert (alone["rows"], alone["total"]) == (one["rows"], together["total"])


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("handoffs", "nope", 401),
        ("handoffs", "dev-bot", 403),
        ("handoffs", "dev-agent", 200),
        ("handoffs?by=desk,hour", "dev-agent", 200),
        ("agents", "dev-agent", 403),
        ("agents?by=channel,day", "dev-admin", 200),
        ("handoffs?by=agent", "dev-admin", 400),
        ("handoffs?by=day,day", "dev-admin", 400),
        ("handoffs?by=day;day", "dev-admin", 400),
        ("handoffs?by=day;agent", "dev-admin", 400),
        ("handoffs?by=day;hour&format=csv", "dev-admin", 400),
        ("agents?by=day;hour", "dev-admin", 200),
        ("handoffs?tz=Mars/Olympus", "dev-admin", 400),
        ("handoffs?tz=../../etc/passwd", "dev-admin", 400),
        ("handoffs?from=yesterday", "dev-admin", 400),
        ("handoffs?from=2026-03-02&to=2026-03-01", "dev-admin", 400),
        ("handoffs?from=2020-01-01&to=2026-03-01", "dev-admin", 400),
        ("handoffs?from=2026-03-01T08:01&to=2026-03-02", "dev-admin", 400),
        ("handoffs?from=9999-12-31&to=9999-12-31", "dev-admin", 400),
        ("handoffs?to=0001-01-03", "dev-admin", 400),
        ("handoffs?from=0001-01-01T00:00&tz=Asia/Jakarta", "dev-admin", 400),
        ("handoffs?to=9999-12-31T23:45", "dev-admin", 400),
        ("handoffs?to=9999-12-31T23:45-10:00", "dev-admin", 400),
        ("handoffs?format=xml", "dev-admin", 400),
        ("nonsense", "dev-admin", 404),
        ("handoffs/more", "dev-admin", 404),
    ],
)
def test_who_may_ask_for_what(server: LocalServer, path: str, key: str, status: int) -> None:
    assert _ask(server, path, key).status == status


def test_a_time_that_cannot_be_reported_on_is_refused_with_the_reason(server: LocalServer) -> None:
    fault = _ask(server, "handoffs?to=0001-01-03").body["error"]
    assert "between 2000 and 2999" in fault["message"]


def test_reports_are_only_read(server: LocalServer) -> None:
    assert _ask(server, "handoffs", method="POST").status == 405


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reports/", 200), ("/reports/reports.js", 200), ("/reports/chart.LICENSE.txt", 200),
        ("/desk/", 200), ("/desk/desk.css", 200), ("/desk/reports.js", 404), ("/desk/../x", 404),
        ("/reports/nope.js", 404), ("/reports/../main.py", 404), ("/reports/%2e%2e/main.py", 404),
    ],
)  # fmt: skip
def test_a_page_needs_no_key_and_shows_nothing_but_itself(
    server: LocalServer, path: str, status: int
) -> None:
    assert server.send("GET", f"/send_representative{path}").status == status


def test_the_page_may_load_nothing_from_elsewhere(server: LocalServer) -> None:
    with urllib.request.urlopen(f"{server.url}/send_representative/reports/") as page:  # noqa: S310  # loopback
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["content-type"] == "text/html; charset=utf-8"
    with urllib.request.urlopen(f"{server.url}/send_representative/reports") as page:  # noqa: S310  # loopback
        assert page.url.endswith("/reports/")


@pytest.mark.parametrize(
    ("page", "here"), [("desk", "'self'"), ("sign_in", "'self'"), ("reports", "'none'")]
)
def test_a_page_is_in_no_frame_but_in_the_local_runs_own(
    server: LocalServer, page: str, here: str
) -> None:
    policy, path = "content-security-policy", f"/{page}/"
    pages = ROOT / "functions" / "send_representative"
    deployed = page_file(pages, None, Request("GET", path, b"", {}))
    assert deployed.headers[policy].endswith("frame-ancestors 'none'")
    with urllib.request.urlopen(f"{server.url}/send_representative{path}") as local:  # noqa: S310  # loopback
        assert local.headers[policy].endswith(f"frame-ancestors {here}")
