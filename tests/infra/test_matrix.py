"""The registration of Baton at a homeserver, and what the doctor finds of both sides."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.doctor.http import Answer, Patient, Verdict
from infra.doctor.matrix import matrix
from infra.matrix.__main__ import main
from shared.schemas.http import FUNCTION_HEADER

URL = "https://baton.test/receive_webhook/matrix"
TOKEN = "9f3c1b7ae05d4e62a8c7f1d09b2e6a54"
KNOWN = {
    "MATRIX_API_URL": "https://matrix.test/",
    "MATRIX_SERVER_NAME": "example.org",
    "MATRIX_AS_TOKEN": TOKEN,
}
NAMES = ("MATRIX_SERVER_NAME", "MATRIX_AS_TOKEN", "MATRIX_HS_TOKENS", "MATRIX_USER_PREFIX")


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def printed(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[dict[str, Any], str]:
    assert main(["registration", URL, *more]) == 0
    out, said = capsys.readouterr()
    rows = [line.partition(": ") for line in out.splitlines() if not line.startswith(" ")]
    return {name: json.loads(value) for name, _, value in rows if value}, said


def test_a_registration_has_the_tokens_that_are_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATRIX_AS_TOKEN", TOKEN)
    monkeypatch.setenv("MATRIX_HS_TOKENS", f"{TOKEN[::-1]},{TOKEN[1:]}")
    monkeypatch.setenv("MATRIX_SERVER_NAME", "example.org")
    rows, said = printed(capsys)
    assert rows == {
        "id": "baton",
        "url": URL,
        "as_token": TOKEN,
        "hs_token": TOKEN[::-1],
        "sender_localpart": "baton_bot",
        "rate_limited": False,
        "receive_ephemeral": True,
        "de.sorunome.msc2409.push_ephemeral": True,
        "io.element.msc4190": True,
    }
    assert said == ""


def test_tokens_that_are_not_set_are_new_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    first, said = printed(capsys, "--server-name", "example.org")
    then, _ = printed(capsys, "--server-name", "example.org")
    assert len({first["as_token"], first["hs_token"], then["as_token"], then["hs_token"]}) == 4
    assert "MATRIX_AS_TOKEN" in said
    assert "MATRIX_HS_TOKENS" in said


def test_without_the_homeservers_name_there_is_no_registration() -> None:
    with pytest.raises(SystemExit, match="--server-name"):
        main(["registration", URL])


@dataclass
class World:
    """A homeserver, and Baton beside it. `answers` replaces what they answer, by the path's end."""

    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        parts = urlsplit(url)
        if parts.hostname == "baton.test":
            status, said = self.answers.get("baton", (401, {}))
            return Answer(status, json.dumps(said), {FUNCTION_HEADER: "receive_webhook"})
        assert headers["authorization"] == f"Bearer {TOKEN}"
        name = parts.path.rpartition("/")[2]
        self.asked.append((method, name))
        fine: dict[str, dict[str, Any]] = {
            "versions": {"versions": ["v1.12"]},
            "whoami": {"user_id": "@baton_bot:example.org"},
            "ping": {"duration_ms": 5},
        }
        if "device_id" in parts.query:
            name, fine["device"] = "device", {"device_id": "BATON"}
        status, said = self.answers.get(name, (200, fine.get(name, {})))
        return Answer(status, json.dumps(said), {})


@pytest.mark.parametrize(
    ("answers", "ill"),
    [
        ({}, None),
        ({"baton": (200, {})}, "without the token of the homeserver is answered 200"),
        ({"versions": (404, {})}, "answers 404"),
        ({"whoami": (401, {"errcode": "M_UNKNOWN_TOKEN"})}, "is answered 401"),
        ({"whoami": (200, {"user_id": "@other:example.org"})}, "@other:example.org"),
        ({"ping": (502, {"errcode": "M_BAD_STATUS", "status": 401})}, "refuses its token"),
        ({"ping": (502, {"errcode": "M_CONNECTION_FAILED"})}, "M_CONNECTION_FAILED"),
    ],
)
def test_the_doctor_asks_both_sides(
    answers: dict[str, tuple[int, dict[str, Any]]], ill: str | None
) -> None:
    world = World(answers)
    found = list(matrix(Patient("https://baton.test", KNOWN, None, send=world)))
    faults = [one.what for one in found if one.verdict is Verdict.ILL]
    assert (len(faults), True) == (
        0 if ill is None else 1,
        all(ill in one for one in faults if ill),
    )
    assert TOKEN not in repr(found)
    if ill is None:
        assert [one.verdict for one in found] == [Verdict.WELL] * 5


def test_the_doctor_says_where_a_crash_may_repeat_a_message() -> None:
    world = World({"device": (400, {"errcode": "M_UNKNOWN_DEVICE"})})
    found = list(matrix(Patient("https://baton.test", KNOWN, None, send=world)))
    (skipped,) = [one.what for one in found if one.verdict is Verdict.SKIPPED]
    assert "1.141" in skipped


def test_without_its_settings_only_the_door_is_looked_at() -> None:
    known = {"MATRIX_SERVER_NAME": "example.org"}
    found = list(matrix(Patient("https://baton.test", known, None, send=World())))
    assert [one.verdict for one in found] == [Verdict.WELL, Verdict.SKIPPED]
