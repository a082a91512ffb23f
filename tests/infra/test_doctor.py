"""The doctor finds nothing wrong with a healthy local run, and each fault that is planted in
one.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.gcloud import Result
from infra.doctor import checks as doctor_checks
from infra.doctor import doctor
from infra.doctor import state as doctor_state
from infra.doctor.http import Answer, Finding, Patient, Verdict
from infra.local.server import LocalServer
from tests.forked import ForkedServer
from tests.infra.damage import damage_store

SECRETS = (
    "BUSINESS_MESSAGES_SIGNING_KEYS", "BUSINESS_MESSAGES_CLIENT_TOKEN", "CSKU_WEBHOOK_SECRETS",
    "BATON_API_KEYS",
    "BRIDGE_TOKEN_KEYS", "BRIDGE_ALLOWED_ORIGINS",
)  # fmt: skip


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with ForkedServer(tmp_path_factory.mktemp("healthy")) as server:
        yield server


@pytest.fixture(scope="module")
def doorless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with ForkedServer(tmp_path_factory.mktemp("doorless"), dict.fromkeys(SECRETS, "")) as server:
        yield server


def examined(
    server: LocalServer, *, longest_wait: float = 600, **environment: str
) -> tuple[bool, list[Finding]]:
    found: list[Finding] = []
    well = doctor.examine(doctor.patient(server.url, environment, longest_wait), found.append)
    return well, found


def faults(server: LocalServer, **how: Any) -> list[str]:
    """Returns what is wrong, having checked that it all has its advice."""
    well, found = examined(server, **how)
    ill = [one for one in found if one.verdict is Verdict.ILL]
    assert well is not bool(ill)
    assert all(one.advice for one in ill)
    return [f"{one.what} {one.advice}" for one in ill]


def test_a_healthy_run_is_well(healthy: LocalServer) -> None:
    well, found = examined(healthy)
    assert well, found
    assert sum(one.verdict is Verdict.WELL for one in found) >= 12
    assert [one.what for one in found if one.verdict is Verdict.SKIPPED] == [
        "Whether the private functions are private: on one machine they are not",
        "Dead letters: on one machine there are no topics",
    ]


@pytest.mark.parametrize(
    ("setting", "value", "what"),
    [
        ("BUSINESS_MESSAGES_CLIENT_TOKEN", "another", "the ownership handshake is refused"),
        ("BUSINESS_MESSAGES_SIGNING_KEYS", "another", "a signed event is refused"),
        ("CSKU_WEBHOOK_SECRETS", "another", "CSKU: your secret is refused"),
        ("RCS_CLIENT_TOKENS", "another", "RCS: the ownership handshake is refused"),
        ("WHATSAPP_VERIFY_TOKEN", "another", "WhatsApp: the check of the address is refused"),
        (
            "BATON_API_KEYS",
            '{"another": {"name": "x", "may": ["HUMAN"]}}',
            "The API refuses your key",
        ),
        (
            "BRIDGE_ALLOWED_ORIGINS",
            "https://crm.example.com",
            "does not let https://crm.example.com in",
        ),
    ],
)
def test_a_secret_that_is_not_the_deployments(
    healthy: LocalServer, setting: str, value: str, what: str
) -> None:
    (fault,) = faults(healthy, **{setting: value})
    assert what in fault
    assert setting in fault


@pytest.mark.parametrize("setting", [one for one in SECRETS if not one.startswith("BRIDGE")])
def test_a_secret_that_is_missing(doorless: LocalServer, setting: str) -> None:
    assert any(f"A door is closed: {setting} is not set" in fault for fault in faults(doorless))


def test_a_channel_that_is_not_in_use_is_no_fault(tmp_path: Path) -> None:
    unused = dict.fromkeys(
        (
            "RCS_CLIENT_TOKENS",
            "WHATSAPP_APP_SECRETS",
            "WHATSAPP_VERIFY_TOKEN",
            "CCAI_WEBHOOK_SECRETS",
        ),
        "",
    )
    with ForkedServer(tmp_path, unused) as server:
        well, found = examined(server)
    assert well, found
    closed = [
        one.what
        for one in found
        if one.verdict is Verdict.SKIPPED and "the door is closed" in one.what
    ]
    assert len(closed) == 5


def test_settings_that_are_wrong() -> None:
    """A local run refuses to start with them; a deployed function says so at every door."""
    found = list(doctor_checks.answers_at_all(_answering(Answer(503, _error("misconfigured"), {}))))
    assert [one.what for one in found] == ["The settings are wrong"]
    assert found[0].fatal


def test_nobody_answers(capsys: pytest.CaptureFixture[str], nowhere: str) -> None:
    assert doctor.main([nowhere], {}) == 1
    said = capsys.readouterr().out
    assert "FAIL  Nobody answers" in said
    assert said.count("FAIL") == 1 + 1  # the finding, and the last line


def test_somebody_else_answers(healthy: LocalServer) -> None:
    found: list[Finding] = []
    assert not doctor.examine(doctor.patient(f"{healthy.url}/elsewhere", {}), found.append)
    assert "it is not Baton" in found[0].what


def test_a_store_that_cannot_be_used(tmp_path: Path) -> None:
    with ForkedServer(tmp_path) as server:
        damage_store(tmp_path / "baton.sqlite")
        found = faults(server)
    assert any("a signed event is answered 503 store-damaged" in fault for fault in found), found


def test_a_customer_who_waits_too_long(healthy: LocalServer) -> None:
    _customer(healthy, "waits")
    api = "/send_representative/v1/conversations/waits"
    healthy.send(
        "POST", f"{api}:requestHuman", b'{"reason": "asked"}', {"authorization": "Bearer dev-bot"}
    )
    healthy.wait_until_quiet("waits")
    try:
        assert faults(healthy) == []
        (fault,) = faults(healthy, longest_wait=0)
        assert "1 customers wait for a human" in fault
    finally:
        healthy.send(
            "POST", f"{api}:fail", b'{"reason": "closing"}', {"authorization": "Bearer dev-agent"}
        )


def test_a_platform_that_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nowhere: str
) -> None:
    monkeypatch.setattr(doctor_state, "SETTLES_SECONDS", 0.5)
    with ForkedServer(tmp_path, {"BUSINESS_MESSAGES_API_URL": nowhere}) as server:
        _customer(server, "3333")
        claim = b'{"representative": {"displayName": "Jane Doe"}}'
        path = "/send_representative/v1/conversations/3333:claim"
        assert server.send("POST", path, claim, {"authorization": "Bearer dev-agent"}).status == 200
        journal = "/send_representative/v1/conversations/3333/journal"
        # delivery was tried
        server.wait_until(lambda: '"error"' in json.dumps(server.get(journal, "dev-agent")))
        found = faults(server)
    assert any(
        "3333 wait for delivery" in fault and "The last answer was" in fault for fault in found
    )


def _customer(server: LocalServer, name: str) -> None:
    server.send("POST", f"/sim/business_messages/customers/{name}/messages", b'{"text": "Hi"}')
    path = f"/send_representative/v1/conversations/{name}"
    server.wait_until(
        lambda: server.send("GET", path, headers={"authorization": "Bearer dev-bot"}).status == 200
    )


# What cannot be set up on one machine: a deployment, here with answers that the test gives.


def _answering(answer: Answer, letters: Result | None = None) -> Patient:
    """Returns a deployed Baton that gives one answer to everything."""
    return Patient(
        "https://x",
        {},
        "baton-test",
        run=lambda words, stdin: letters or Result(0, ""),
        send=lambda *_: answer,
    )


def _error(reason: str, **metadata: str) -> str:
    details: list[Mapping[str, Any]] = [{"reason": reason, "metadata": metadata}]
    return json.dumps({"error": {"details": details}})


def test_a_private_function_that_everybody_may_call() -> None:
    opened = list(doctor_state.private(_answering(Answer(400, _error("empty-message"), {}))))
    closed = list(doctor_state.private(_answering(Answer(403, "Forbidden", {}))))
    assert {one.verdict for one in opened} == {Verdict.ILL}
    assert {one.verdict for one in closed} == {Verdict.WELL}
    assert len(opened) == len(closed) >= 3


def test_a_webhook_that_takes_what_nobody_signed() -> None:
    found = list(doctor_checks.unsigned(_answering(Answer(200, "{}", {}))))
    assert [one.verdict for one in found] == [Verdict.ILL, Verdict.ILL]


def test_a_bridge_that_lets_any_page_in() -> None:
    (found,) = doctor_state.cors(_answering(Answer(204, "", {"access-control-allow-origin": "*"})))
    assert found.verdict is Verdict.ILL


def test_a_bridge_that_is_not_there_is_no_fault() -> None:
    (found,) = doctor_state.cors(_answering(Answer(404, "not found", {})))
    assert found.verdict is Verdict.SKIPPED


def test_dead_letters() -> None:
    for result, verdict in (
        (Result(0, "1234567\n"), Verdict.ILL),
        (Result(0, ""), Verdict.WELL),
        (Result(1, "", "not logged in"), Verdict.SKIPPED),
    ):
        found = list(doctor_state.dead_letters(_answering(Answer(200, "", {}), result)))
        assert {one.verdict for one in found} == {verdict}


def test_of_a_deployment_the_secrets_are_asked_for() -> None:
    def run(words: tuple[str, ...], stdin: str | None) -> Result:
        assert "--project=my-project" in words
        return (
            Result(0, "from-secret-manager")
            if "--secret=CSKU_WEBHOOK_SECRETS" in words
            else Result(1, "")
        )

    url = "https://europe-west1-my-project.cloudfunctions.net"
    found = doctor.patient(url, {"BRIDGE_TOKEN_KEYS": "mine"}, run=run)
    assert found.project == "my-project"
    assert found.known == {
        "CSKU_WEBHOOK_SECRETS": "from-secret-manager",
        "BRIDGE_TOKEN_KEYS": "mine",
    }
