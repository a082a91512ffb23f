"""The doctor finds nothing wrong with a healthy local run, and each fault that is planted in
one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.gcloud import Result
from infra.deployables import deployables, renamed
from infra.doctor import checks as doctor_checks
from infra.doctor import doctor
from infra.doctor import files as doctor_files
from infra.doctor import state as doctor_state
from infra.doctor.channels import SLACK_SCOPES, slack, whatsapp
from infra.doctor.http import Answer, Finding, Patient, Verdict
from infra.documents.alarms import ALARMS
from infra.local.server import LocalServer
from shared.schemas.http import FUNCTION_HEADER
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
    server: LocalServer,
    *,
    longest_wait: float = 600,
    chosen: tuple[str, ...] = (),
    **environment: str,
) -> tuple[bool, list[Finding]]:
    found: list[Finding] = []
    one = doctor.patient(server.url, environment, longest_wait, chosen=chosen)
    return doctor.examine(one, found.append), found


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
        "Matrix: the homeserver: none runs on this machine; `make matrix` starts one",
        "Whether the private functions are private: on one machine they are not",
        "Dead letters: on one machine there are no topics",
    ]


@pytest.mark.parametrize(
    ("setting", "value", "what"),
    [
        (
            "BUSINESS_MESSAGES_CLIENT_TOKEN",
            "another",
            "the ownership handshake does not accept your token",
        ),
        (
            "BUSINESS_MESSAGES_SIGNING_KEYS",
            "another",
            "an event with your signature is answered 401",
        ),
        ("CSKU_WEBHOOK_SECRETS", "another", "CSKU: an event with your secret is answered 401"),
        ("RCS_CLIENT_TOKENS", "another", "RCS: the ownership handshake does not accept your token"),
        (
            "WHATSAPP_VERIFY_TOKEN",
            "another",
            "WhatsApp: the check of the address does not accept your token",
        ),
        (
            "GOOGLE_CHAT_AUDIENCE",
            "https://baton.example.com/receive_webhook/google_chat",
            "is another address than this webhook's",
        ),
        (
            "BATON_API_KEYS",
            '{"another": {"name": "x", "may": ["HUMAN"]}}',
            "The API does not accept your key",
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
    found = faults(doorless, chosen=("business_messages", "csku", "api"))
    assert any(f"the door is closed, {setting} is not set" in fault for fault in found)
    assert any(f"Set {setting} and deploy again" in fault and ".md" in fault for fault in found)


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


def test_only_what_is_used_is_checked(healthy: LocalServer) -> None:
    well, found = examined(healthy, chosen=("whatsapp", "api"))
    assert well, found
    said = "\n".join(one.what for one in found)
    assert "WhatsApp: a webhook without signature is answered 401" in said
    assert "Not checked as not in use: business_messages, rcs, ccai, csku, google_chat" in said
    assert not any(name in said for name in ("Business Messages", "RCS:", "CSKU:"))


def test_settings_that_are_wrong() -> None:
    """A local run refuses to start with them; a deployed function says so at every door."""
    answer = Answer(503, _error("misconfigured"), {})
    found = list(doctor_checks.answers_at_all(_door(answer, "receive_webhook")))
    assert [one.what for one in found] == ["The settings are wrong"]
    assert found[0].fatal


def test_nothing_answers(capsys: pytest.CaptureFixture[str], nowhere: str) -> None:
    assert doctor.main([nowhere], {}) == 1
    said = capsys.readouterr().out
    assert f"it does not answer at {nowhere}/receive_webhook" in said
    assert said.count("FAIL") == 1 + 1  # the finding, and the last line


@pytest.mark.parametrize("function", ["send_representative", "receive_webhook", "sweep"])
def test_the_address_of_one_function_is_not_that_of_all(
    healthy: LocalServer, function: str
) -> None:
    """Each function answers 401 or 404 to the paths of the others, which are not its doors."""
    url = f"{healthy.url}/{function}"
    found: list[Finding] = []
    assert not doctor.examine(doctor.patient(url, {}), found.append)
    (fault,) = found
    assert fault.verdict is Verdict.ILL
    assert fault.advice.endswith(f": {healthy.url}")


def test_the_address_of_one_service_is_not_that_of_all() -> None:
    """Its function answers every path, and has the others' names in no header."""
    found: list[Finding] = []
    one = _door(Answer(401, _error("unauthenticated"), {}), "receive_webhook")
    assert not doctor.examine(one, found.append)
    faults = [one.what for one in found if one.verdict is Verdict.ILL]
    for name in ("send_representative", "forward_variables"):
        assert any(f"{name} is not checked" in fault for fault in faults)


def test_something_else_answers(healthy: LocalServer) -> None:
    found: list[Finding] = []
    assert not doctor.examine(doctor.patient(f"{healthy.url}/elsewhere", {}), found.append)
    assert found[0].fatal
    assert len(found) == 1
    assert "does not answer at" in found[0].what


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
def test_no_answer_of_something_else_counts_as_a_door(status: int) -> None:
    """It answers everything alike, as a load balancer, a proxy or another project's function."""
    foreign = Answer(status, _error("unauthenticated"), {})
    found: list[Finding] = []
    assert not doctor.examine(_answering(foreign), found.append)
    assert [one for one in found if one.verdict is Verdict.WELL] == []


def test_a_door_that_google_keeps_closed_is_named_and_the_others_are_checked() -> None:
    def send(method: str, url: str, *_: object) -> Answer:
        function = url.removeprefix("https://x/").split("/")[0]
        if function == "receive_webhook":
            return Answer(403, "Forbidden", {})
        return Answer(401, _error("unauthenticated"), {"baton-function": function})

    found: list[Finding] = []
    assert not doctor.examine(replace(_answering(Answer(0, "", {})), send=send), found.append)
    shut = [one for one in found if "receive_webhook is not checked" in one.what]
    assert [one.verdict for one in shut] == [Verdict.ILL]
    assert "Google answers 403" in shut[0].what
    assert any("The API answers 401" in one.what for one in found)


def test_it_says_what_it_could_not_check(
    healthy: LocalServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.main([healthy.url, "--channels", "whatsapp", "--desk", "api"], {}) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("What was checked has no fault. Not checked:")


def test_no_line_can_be_read_backwards(healthy: LocalServer) -> None:
    """A line says what is sent and what is answered: "no signature is refused" says both."""
    said = [one.what for one in examined(healthy)[1]]
    assert [one for one in said if " is refused" in one or " refuses" in one] == []


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


def _door(answer: Answer, function: str) -> Patient:
    """Returns a deployed Baton whose function gives one answer to everything."""
    return _answering(replace(answer, headers={**answer.headers, "baton-function": function}))


def _error(reason: str, **metadata: str) -> str:
    details: list[Mapping[str, Any]] = [{"reason": reason, "metadata": metadata}]
    return json.dumps({"error": {"details": details}})


def test_a_private_function_that_everybody_may_call() -> None:
    opened = Answer(400, _error("empty-message"), {})
    for name in ("deliver_outbox", "notify_handoff", "run_bot", "sweep"):
        one = replace(_door(opened, name), region="europe-west1", prefix="dev")
        found = {one.what: one for one in doctor_state.private(one)}
        fault = found.pop(f"{name} can be called by everybody")
        service = f"dev-{name.replace('_', '-')}"
        assert fault.verdict is Verdict.ILL
        # It may be open without any right of allUsers.
        assert f"services update {service} --invoker-iam-check" in fault.advice
        assert {one.verdict for one in found.values()} == {Verdict.SKIPPED}
    for status in (403, 404):
        closed = list(doctor_state.private(_answering(Answer(status, "Forbidden", {}))))
        assert {one.verdict for one in closed} == {Verdict.WELL}
        assert len(closed) >= 3


def test_a_private_function_that_does_not_answer_was_not_checked() -> None:
    for answer in (Answer(0, "timed out", {}), Answer(503, "", {})):
        found = list(doctor_state.private(_answering(answer)))
        assert {one.verdict for one in found} == {Verdict.SKIPPED}


def test_a_webhook_that_takes_unsigned_bodies() -> None:
    found = list(doctor_checks.unsigned(_door(Answer(200, "{}", {}), "receive_webhook")))
    assert [one.verdict for one in found] == [Verdict.ILL, Verdict.ILL]


def test_a_bridge_that_lets_any_page_in() -> None:
    answer = Answer(204, "", {"access-control-allow-origin": "*"})
    (found,) = doctor_state.cors(_door(answer, "forward_variables"))
    assert found.verdict is Verdict.ILL


def test_a_key_of_links_that_is_not_the_deployments(healthy: LocalServer) -> None:
    (fault,) = faults(healthy, MEDIA_LINK_KEYS="another-key-of-links")
    assert "relay_media does not read one that is made with your key" in fault
    assert "MEDIA_LINK_KEYS" in fault


def test_people_who_cannot_sign_in(healthy: LocalServer) -> None:
    key = {"another-key-of-jane": {"person": "jane@example.com"}}
    found = faults(healthy, BATON_API_KEYS=json.dumps(key))
    assert any("People cannot sign in (401 unauthenticated)" in one for one in found)
    client = {"BATON_SIGN_IN_CLIENT_ID": "1-a.apps.googleusercontent.com"}
    (fault,) = faults(healthy, **client)
    assert "People cannot sign in with Google" in fault


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (Result(0, "baton-files"), Verdict.WELL),
        (Result(1, "", "ERROR: gs://baton-files not found: 404."), Verdict.ILL),
        (Result(1, "", "not logged in"), Verdict.SKIPPED),
    ],
)
def test_the_bucket_of_files(result: Result, verdict: Verdict) -> None:
    error = {"details": [{"reason": "no-such-link"}]}
    answer = Answer(404, json.dumps({"error": error}), {"baton-function": "relay_media"})
    one = replace(_answering(answer, result), known={"MEDIA_BUCKET": "baton-files"})
    refused, unknown_key, bucket = doctor_files.files(one)
    assert (refused.verdict, unknown_key.verdict) == (Verdict.WELL, Verdict.SKIPPED)
    assert bucket.verdict is verdict


def test_dead_letters() -> None:
    for result, verdict in (
        (Result(0, "1234567\n"), Verdict.ILL),
        (Result(0, ""), Verdict.WELL),
        (Result(1, "", "not logged in"), Verdict.SKIPPED),
    ):
        found = list(doctor_state.dead_letters(_answering(Answer(200, "", {}), result)))
        assert {one.verdict for one in found} == {verdict}


@pytest.mark.parametrize(
    ("job", "verdict", "said"),
    [
        ({"state": "ENABLED", "lastAttemptTime": "2026-11-30T01:00:00Z"}, Verdict.WELL, "enabled"),
        ({"state": "ENABLED", "status": {}}, Verdict.WELL, "not called yet"),
        ({"state": "PAUSED"}, Verdict.ILL, "The sweep is paused"),
        ({"state": "ENABLED", "status": {"code": 13}}, Verdict.ILL, "failed (code 13)"),
    ],
)
def test_the_sweep_of_a_deployment(job: dict[str, Any], verdict: Verdict, said: str) -> None:
    one = _answering(Answer(200, "", {}), Result(0, json.dumps(job)))
    (found,) = doctor_state.sweep(replace(one, region="europe-west1"))
    assert found.verdict is verdict
    assert said in found.what


TITLES = [row["title"] for row in json.loads(ALARMS.read_text())["alerts"].values()]


@pytest.mark.parametrize(
    ("there", "alerts", "faults"),
    [
        (TITLES, [], []),
        (TITLES[1:], [], [f"These alarms are missing or disabled: {TITLES[0]}"]),
        (TITLES, [{"state": "CLOSED", "policy": {"displayName": TITLES[0]}}], []),
        (
            TITLES,
            [{"state": "OPEN", "policy": {"displayName": one}} for one in (TITLES[0], "theirs")],
            [f"This alarm rings: {TITLES[0]}"],
        ),
    ],
)
def test_the_alarms_of_a_deployment(
    there: list[str], alerts: list[dict[str, Any]], faults: list[str]
) -> None:
    def run(words: tuple[str, ...], stdin: str | None) -> Result:
        listed: Any = {"alerts": alerts} if words[0] == "python" else _policies(there)
        return Result(0, json.dumps(listed))

    found = list(doctor_state.alarms(replace(_answering(Answer(200, "", {})), run=run)))
    ill = [one for one in found if one.verdict is Verdict.ILL]
    assert [one.what for one in ill] == faults
    assert all("RUNBOOK.md#" in one.advice for one in ill if "rings" in one.what)


def _policies(titles: list[str]) -> list[dict[str, Any]]:
    disabled = {"displayName": TITLES[0], "enabled": False}
    return [{"displayName": one} for one in titles] + ([] if TITLES[0] in titles else [disabled])


def test_what_gcloud_cannot_say_was_not_checked() -> None:
    one = _answering(Answer(200, "", {}), Result(1, "", "not logged in"))
    for check in (doctor_state.sweep, doctor_state.alarms):
        assert [found.verdict for found in check(one)] == [Verdict.SKIPPED]


URL = "https://europe-west1-my-project.cloudfunctions.net"


def test_of_a_deployment_the_secrets_are_asked_for() -> None:
    def run(words: tuple[str, ...], stdin: str | None) -> Result:
        assert "--project=my-project" in words
        if "--secret=CSKU_WEBHOOK_SECRETS" in words:
            return Result(0, "from-secret-manager")
        denied = "PERMISSION_DENIED" if "--secret=RCS_AUTH" in words else "NOT_FOUND"
        return Result(1, "", f"ERROR: (gcloud.secrets.versions.access) {denied}: x")

    found = doctor.patient(URL, {"BRIDGE_TOKEN_KEYS": "mine"}, run=run)
    assert (found.project, found.region) == ("my-project", "europe-west1")
    assert found.known == {
        "CSKU_WEBHOOK_SECRETS": "from-secret-manager",
        "BRIDGE_TOKEN_KEYS": "mine",
    }
    assert found.unreadable == {"RCS_AUTH"}
    assert found.uses == {"csku", "bridge"}


def test_a_deployment_with_a_prefix_is_checked_by_its_own_names() -> None:
    asked, commands, found = set[str](), list[str](), list[Finding]()
    public = [name for name, row in deployables().items() if row.public]

    def send(method: str, url: str, *_: object) -> Answer:
        function = url.removeprefix(f"{URL}/").split("/")[0]
        asked.add(function)
        name = function.removeprefix("dev_")
        if name == function or name not in public:
            return Answer(404, "Not Found", {})
        return Answer(401, _error("unauthenticated"), {"baton-function": name})

    def run(words: tuple[str, ...], stdin: str | None) -> Result:
        commands.append(" ".join(words))
        rings = {"state": "OPEN", "policy": {"displayName": "Baton dev: dead letters wait"}}
        own = [renamed(one, "dev") for one in TITLES]
        said: dict[str, Any] = {
            "policies list": [{"displayName": one} for one in own],
            "jobs describe": {"state": "PAUSED"},
            "infra.deploy.rest": {"alerts": [rings]},
        }
        printed = next((json.dumps(v) for k, v in said.items() if k in commands[-1]), "")
        return Result(0, printed)

    one = doctor.patient(URL, {}, run=run, chosen=("whatsapp", "api"), prefix="dev")
    assert not doctor.examine(replace(one, send=send), found.append)
    assert asked == {f"dev_{name}" for name in deployables()}
    assert [one for one in commands if re.search(r"\bbaton[-_](?!test)", one)] == []
    assert any("--secret=dev-BATON_API_KEYS" in one for one in commands)
    faults = {one.what: one.advice for one in found if one.verdict is Verdict.ILL}
    assert faults.pop("This alarm rings: Baton dev: dead letters wait").endswith(
        "RUNBOOK.md#baton-dead-letters-wait"
    )
    assert "resume dev-sweep" in faults.pop("The sweep is paused")
    assert not any("alarms are missing" in one or "is not checked" in one for one in faults)


def test_the_address_of_a_function_with_a_prefix_is_not_that_of_all() -> None:
    found: list[Finding] = []
    one = replace(_answering(Answer(404, "", {})), url=f"{URL}/dev_receive_webhook")
    assert not doctor.examine(one, found.append)
    assert [one.advice.endswith(f": {URL}") for one in found] == [True]


@pytest.mark.parametrize(
    ("errors", "verdict"), [("NOT_FOUND", Verdict.ILL), ("PERMISSION_DENIED", Verdict.SKIPPED)]
)
def test_a_secret_that_what_is_used_needs_is_missed(errors: str, verdict: Verdict) -> None:
    one = doctor.patient(
        URL,
        {"WHATSAPP_APP_SECRETS": "x", "WHATSAPP_VERIFY_TOKEN": "y"},
        run=lambda words, stdin: Result(1, "", errors),
    )
    (found,) = doctor._without_value(one)
    assert "WHATSAPP_ACCESS_TOKEN" in found.what
    assert found.verdict is verdict


def test_settings_of_the_environment_that_are_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["http://127.0.0.1:1"], {"UNCLAIMED_AFTER": "abc"}) == 2
    assert "UNCLAIMED_AFTER" in capsys.readouterr().err


class Meta:
    """Answers as the Graph API does about an app."""

    def __init__(self, fields: list[str], status: int = 200) -> None:
        self.fields, self.status = fields, status
        self.asked: list[tuple[str, str]] = []

    def __call__(self, method: str, url: str, body: bytes | None, headers: Any) -> Answer:
        if "graph.facebook.com" not in url:
            return Answer(401, "{}", {FUNCTION_HEADER: "receive_webhook"})
        assert (method, body) == ("GET", None)
        self.asked.append((url.rpartition("/")[2], headers["authorization"]))
        if self.status != 200:
            return Answer(self.status, '{"error": {"code": 190}}', {})
        if url.endswith("/app"):
            return Answer(200, '{"id": "77", "name": "Shop"}', {})
        listed = [{"name": one, "version": "v23.0"} for one in self.fields]
        account = {"object": "whatsapp_business_account", "active": True, "fields": listed}
        page = {"object": "page", "fields": [{"name": "standby"}]}
        return Answer(200, json.dumps({"data": [page, account]}), {})


AFTER = {
    "WHATSAPP_AFTER_HUMAN": "meta",
    "WHATSAPP_ACCESS_TOKEN": "token-of-the-system-user",
    "WHATSAPP_APP_SECRETS": "first-secret,second-secret",
}


@pytest.mark.parametrize(
    ("fields", "status", "known", "verdict", "said"),
    [
        (["messages", "standby", "messaging_handovers"], 200, AFTER, Verdict.WELL, "handovers"),
        (["messages", "standby"], 200, AFTER, Verdict.ILL, "messaging_handovers is missing"),
        (["messages"], 200, AFTER, Verdict.ILL, "standby and messaging_handovers is missing"),
        ([], 401, AFTER, Verdict.SKIPPED, "401"),
        ([], 200, {"WHATSAPP_AFTER_HUMAN": "meta"}, Verdict.SKIPPED, "WHATSAPP_ACCESS_TOKEN"),
    ],
)
def test_whether_the_app_hears_what_metas_agent_hears(
    fields: list[str], status: int, known: dict[str, str], verdict: Verdict, said: str
) -> None:
    meta = Meta(fields, status)
    found = list(whatsapp(Patient("https://baton.test", known, None, send=meta)))
    (finding,) = [one for one in found if "standby" in one.what]
    assert finding.verdict is verdict
    assert said in finding.what
    assert "secret" not in finding.what + finding.advice
    if verdict is Verdict.WELL:
        assert meta.asked == [
            ("app", "Bearer token-of-the-system-user"),
            ("subscriptions", "Bearer 77|first-secret"),
        ]


def test_without_metas_agent_its_subscription_is_not_asked_for() -> None:
    meta = Meta([])
    known = {**AFTER, "WHATSAPP_AFTER_HUMAN": "baton"}
    found = list(whatsapp(Patient("https://baton.test", known, None, send=meta)))
    assert all("standby" not in one.what for one in found)
    assert meta.asked == []


IN_SLACK = {
    "SLACK_BOT_TOKEN": "xoxb-token-of-the-bot",
    "BATON_DESKS": '[{"name": "support", "kind": "slack", "place": "C0123ABCDEF"}, {"name": "x"}]',
}
CHANNEL = "Slack: the bot reads the channel C0123ABCDEF"
ALL = "Slack: the bot's token has all scopes"


@pytest.mark.parametrize(
    ("token", "channel", "scopes", "known", "said"),
    [
        ({"ok": True}, {"ok": True}, SLACK_SCOPES, IN_SLACK, [ALL, CHANNEL]),
        ({"ok": True}, {"ok": True}, SLACK_SCOPES[1:], IN_SLACK,
         ["Slack: the bot's token lacks channels:history", CHANNEL]),
        ({"ok": True}, {"ok": False, "error": "not_in_channel"}, SLACK_SCOPES, IN_SLACK,
         [ALL, "Slack: the bot cannot read the channel C0123ABCDEF (not_in_channel)"]),
        ({"ok": False, "error": "invalid_auth"}, {}, (), IN_SLACK,
         ["Slack does not accept the bot's token (invalid_auth)"]),
        ({}, {}, (), {},
         ["Slack: the bot's token: SLACK_BOT_TOKEN is not in your environment"]),
        ({"ok": True}, {}, SLACK_SCOPES, {**IN_SLACK, "BATON_DESKS": "{"}, [ALL]),
    ],
)  # fmt: skip
def test_what_slack_lets_the_bot_do(
    token: dict[str, Any],
    channel: dict[str, Any],
    scopes: tuple[str, ...],
    known: dict[str, str],
    said: list[str],
) -> None:
    def send(method: str, url: str, body: bytes | None, headers: Any) -> Answer:
        if "slack.com" not in url:
            return Answer(401, "{}", {FUNCTION_HEADER: "receive_webhook"})
        assert headers["authorization"] == "Bearer xoxb-token-of-the-bot"
        answer = token if url.endswith("auth.test") else channel
        return Answer(200, json.dumps(answer), {"x-oauth-scopes": ",".join(scopes)})

    found = list(slack(Patient("https://baton.test", known, None, send=send)))
    assert [one.what for one in found[1:]] == said
    assert all(one.advice for one in found if one.verdict is Verdict.ILL)
    assert "token-of" not in "".join(one.what + one.advice for one in found)


def test_slacks_manifest_asks_for_the_scopes_that_are_checked() -> None:
    page = (Path(__file__).parents[2] / "shared/platforms/slack/README.md").read_text()
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    events = ["message.channels", "message.groups", "reaction_added", "reaction_removed"]
    assert re.findall(r"^ +- (\S+)$", text, re.MULTILINE) == [*sorted(SLACK_SCOPES), *events]
    doors = re.findall(r"request_url: https://\S+?(/receive_webhook\S+)$", text, re.MULTILINE)
    assert doors == ["/receive_webhook/slack"] * 2
