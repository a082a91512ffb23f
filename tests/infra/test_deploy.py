"""deploy.py against a cloud that only remembers what was made: once, again, one function, and
when something fails.
"""

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import deploy
from infra.deploy.deployment import Deployment
from infra.deploy.found import Json
from infra.deploy.gcloud import Command, Result, Runner
from infra.deploy.steps_function import _joined, environment
from infra.deployables import ROOT, deployables, secrets
from infra.uses import USES
from tests.infra.clock import Clock

TABLE = deployables()
VALUES = {"BATON_API_KEYS": '{"k": {"name": "it\'s"}}', "CSKU_WEBHOOK_SECRETS": "a,b"}
TO = Deployment(
    project="baton-test",
    region="europe-west1",
    sources={name: Path(f"build/{name}-0123456789abcdef.zip") for name in TABLE},
    secrets=frozenset(VALUES),
    given=frozenset(VALUES),
    settings={"UNCLAIMED_AFTER": "60", "BATON_BOT_NAME": 'Ann\'s, bot; "$HOME" `x`'},
    alert_email="oncall@example.com",
)
NEWBORN = "ERROR: Service account baton-sweep@baton-test.iam.gserviceaccount.com does not exist."
# A gcloud for a shell: it asks the test what to say. A shell starts in a tenth of Python's time.
PROGRAM = """#!/bin/sh
here=${0%/*} name=${0##*/} reads=
case "$name $*" in
  *=-*) reads=yes ;;
  "rest GET "*) ;;
  "rest "*) reads=yes ;;
esac
{ printf '%s\\0' "$#" "$name" "$@"; [ -z "$reads" ] || cat; } > "$here/asked"
{ read -r code; cat; } < "$here/answer"
exit "$code"
"""


@dataclass
class Cloud:
    """A thing exists once the command that makes it has run; `ran` is what ran since the last
    deployment began.
    """

    fails: dict[str, list[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    ran: list[tuple[list[str], str]] = field(default_factory=list)

    def run(self, words: tuple[str, ...], stdin: str | None) -> Result:
        errors = self.fails.get(" ".join(words[1:4])) or self.fails.get(" ".join(words[1:5]))
        if errors:
            return Result(1, "", errors.pop(0))
        asked = PROBES.get(json.dumps(words))
        if asked is not None:
            there = [one["same"] for one in asked if one["create"] in self.made]
            listed = json.dumps(there) if asked[0]["same"] else ""
            return Result(0 if there or asked[0]["same"] else 1, listed)
        self.ran.append((list(words), stdin or ""))
        self.made.add(json.dumps([words, stdin or ""]))
        return Result(0, "printed\n")

    def deploy_to_it(self, only: str | None = None) -> int:
        self.ran = []
        clock = Clock()
        runner = Runner(self.run, dict(VALUES), pause=clock.pause, clock=clock.time)
        return deploy.deploy(TO, runner, only)


def _probes(to: Deployment) -> dict[str, list[Json]]:
    """Returns for each probe the commands that make what it asks for, and how these are listed."""
    asked: dict[str, list[Json]] = {}
    for step in deploy.plan(to):
        if step.probe is not None:
            same = step.same and {"etag": "etag", **step.same, "name": _name(step.same)}
            one = {"create": json.dumps(_filled(step.create)), "same": same}
            asked.setdefault(json.dumps(_filled(step.probe)[0]), []).append(one)
    return asked


def _name(same: Json) -> str:
    return f"{same.get('name', '')}name"


def _filled(command: Command) -> tuple[list[str], str]:
    """Returns the words of a command and what it reads, as they run."""
    known = {**dict.fromkeys(_names(), "printed"), "FOUND": "name", "CHANNEL": "name"}
    runner = Runner(lambda words, stdin: Result(0, ""), {}, {**known, "ETAG": "etag"})
    read = VALUES[command.secret] if command.secret else command.stdin or ""
    return [runner.filled(word) for word in command.words], runner.filled(read)


@cache
def _names() -> list[str]:
    return [step.remembers for step in deploy.plan(TO) if step.remembers]


PROBES = _probes(TO)


def _verbs(cloud: Cloud, *verbs: str) -> list[str]:
    return [" ".join(words[1:6]) for words, _ in cloud.ran if set(verbs) & set(words)]


def test_an_empty_project_gets_everything(capsys: pytest.CaptureFixture[str]) -> None:
    cloud = Cloud()
    assert cloud.deploy_to_it() == 0
    said = capsys.readouterr().out
    assert "https://europe-west1-baton-test.cloudfunctions.net/receive_webhook/csku" in said
    assert "In use: api, csku." in said
    steps = list(deploy.plan(TO))
    assert f"[{len(steps)}/{len(steps)}]" in said
    made = {json.dumps(one) for one in cloud.ran}
    asked = [step for step in steps if step.same is None or step.remembers is None]
    assert {json.dumps(_filled(step.create)) for step in asked} <= made


def closing(**changed: Any) -> str:
    """Returns the last lines of a deployment."""
    return deploy._farewell(replace(TO, **{"secrets": frozenset(), **changed}), "")


def named(said: str) -> set[str]:
    """Returns the settings and secrets that are said to be missing."""
    return set(re.findall(r"^  ([A-Z_]+) +(?:secret|setting) of ", said, re.MULTILINE))


def test_the_closing_lines_name_what_the_chosen_uses_need() -> None:
    said = closing(uses=("whatsapp", "api"))
    whatsapp = {"WHATSAPP_APP_SECRETS", "WHATSAPP_VERIFY_TOKEN", "WHATSAPP_ACCESS_TOKEN"}
    assert named(said) == {*whatsapp, "BATON_API_KEYS"}
    assert re.findall(r"receive_webhook/(\w+)", said) == ["whatsapp"]


def test_the_closing_lines_name_what_is_missing_of_what_is_set() -> None:
    said = closing(secrets=frozenset({"WHATSAPP_APP_SECRETS", "BATON_API_KEYS"}))
    assert named(said) == {"WHATSAPP_VERIFY_TOKEN", "WHATSAPP_ACCESS_TOKEN"}
    whole = closing(secrets=frozenset(secrets(TABLE)) - {"BOT_WEBHOOK_URL"})
    assert "BRIDGE_ALLOWED_ORIGINS" in named(whole)  # a setting, without which the door is closed


def test_a_desk_that_baton_calls_needs_its_row() -> None:
    assert {"BATON_DESKS", "CCAI_MENU_ID", "CCAI_API_TOKEN"} <= named(closing(uses=("ccai",)))
    row = {"BATON_DESKS": '[{"name": "support", "kind": "ccai", "menu": 3}]'}
    said = named(closing(uses=("ccai",), settings=row))
    assert said & {"BATON_DESKS", "CCAI_MENU_ID"} == set()
    assert "CCAI_API_TOKEN" in said


def test_with_everything_set_nothing_is_missing_and_without_anything_it_asks() -> None:
    assert named(closing(settings={}, secrets=frozenset())) == set()
    assert "No channel and no desk has a secret yet" in closing()
    full = closing(
        uses=("whatsapp", "api"),
        secrets=frozenset(
            {"WHATSAPP_APP_SECRETS", "WHATSAPP_VERIFY_TOKEN", "WHATSAPP_ACCESS_TOKEN"}
            | {"BATON_API_KEYS"}
        ),
    )
    assert "Everything that these need has a value" in full


def test_every_missing_value_has_its_page() -> None:
    pages = set(re.findall(r"(\S+\.md)(?:#(\S+))?$", closing(uses=tuple(USES)), re.MULTILINE))
    for path, anchor in pages:
        text = (ROOT / path).read_text().lower()
        assert not anchor or f"\n## {anchor.replace('-', ' ')}\n" in text
    assert {path for path, _ in pages} >= {
        f"shared/platforms/{name}/README.md" for name in ("whatsapp", "rcs", "ccai", "csku")
    }


def test_a_function_is_given_the_platforms_in_use() -> None:
    for uses in (("whatsapp", "api"), ()):
        to = replace(TO, uses=uses, secrets=frozenset({"WHATSAPP_ACCESS_TOKEN"}))
        assert environment(to, TABLE["deliver_outbox"])["BATON_PLATFORMS"] == "whatsapp"
    assert "BATON_PLATFORMS" not in environment(TO, TABLE["notify_handoff"])


def test_an_unknown_channel_or_desk_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for option, value in (("--channels", "whatsap"), ("--desk", "whatsapp")):
        with pytest.raises(SystemExit):
            deploy.main([*WHERE, option, value], {})
        assert "is none of" in capsys.readouterr().err


def test_again_nothing_is_made_twice() -> None:
    cloud = Cloud()
    cloud.deploy_to_it()
    first = list(cloud.ran)
    assert cloud.deploy_to_it() == 0
    kept = [verb for verb in _verbs(cloud, "create", "cp", "add") if "identity" not in verb]
    assert kept == []
    assert _verbs(cloud, "update")
    assert len(first) > len(cloud.ran)


def test_a_secret_is_given_through_standard_input_and_never_changed() -> None:
    cloud = Cloud()
    cloud.deploy_to_it()
    given = {
        words[4]: stdin
        for words, stdin in cloud.ran
        if words[1:4] == ["secrets", "versions", "add"]
    }
    assert given == VALUES
    assert not any(value in " ".join(words) for words, _ in cloud.ran for value in VALUES.values())


@pytest.mark.parametrize("function", sorted(TABLE))
def test_only_one_function_is_deployed(function: str) -> None:
    cloud = Cloud()
    cloud.deploy_to_it()
    everything = list(cloud.ran)
    assert cloud.deploy_to_it(only=function) == 0
    deployed = [words for words, _ in cloud.ran if words[1:3] == ["functions", "deploy"]]
    assert deployed == [
        words for words, _ in everything if words[1:4] == ["functions", "deploy", function]
    ]
    others = [name for name in TABLE if name != function]
    assert not any(
        f"baton-{other.replace('_', '-')}@" in " ".join(words)
        for words, _ in cloud.ran
        for other in others
    )


def test_what_fails_stops_it_with_output_and_advice(capsys: pytest.CaptureFixture[str]) -> None:
    error = "ERROR: (gcloud.functions.deploy) PERMISSION_DENIED: Permission 'x' denied"
    cloud = Cloud(fails={"functions deploy receive_webhook": [error]})
    assert cloud.deploy_to_it() == 1
    said = capsys.readouterr().err
    assert error in said
    assert "gcloud functions deploy receive_webhook --gen2" in said
    assert "What to do: Your account may not do this: it needs roles/owner" in said
    assert not _verbs(cloud, "send_representative")


def test_a_list_that_fails_is_not_an_empty_list() -> None:
    cloud = Cloud(fails={"firestore backups schedules": ["ERROR: try later"]})
    assert cloud.deploy_to_it() == 1


NO_SOURCES = """ERROR: (gcloud.functions.deploy) OperationError: code=13, message=Build failed with
status: FAILURE and message: failed to Fetch: failed to download archive gs://x/function-source.zip:
Access to bucket gcf-v2-sources-1-europe-west1 denied. You must grant Storage Object Viewer"""
NO_METRIC = """NOT_FOUND: Cannot find metric that matches type = "logging.googleapis.com/user/x".
If a metric was created recently, it could take up to 10 minutes to become available."""


@pytest.mark.parametrize(
    ("command", "said", "times"),
    [
        ("pubsub topics add-iam-policy-binding", NEWBORN, 6),
        ("functions deploy receive_webhook", NO_SOURCES, 60),
        ("alpha monitoring policies create", NO_METRIC, 60),
    ],
)
def test_what_google_does_not_know_yet_is_waited_for(command: str, said: str, times: int) -> None:
    assert Cloud(fails={command: [said] * times}).deploy_to_it() == 0


def test_what_gcloud_warns_of_is_shown() -> None:
    step = next(step for step in deploy.plan(TO) if step.title.startswith("run_bot: function"))
    said = "Preparing function...done.\nWARNING: The runtime python313 is deprecated.\nDone.\n"
    shown: list[str] = []
    Runner(lambda words, stdin: Result(0, "True\n", said)).do([step], shown.append)
    assert "  WARNING: The runtime python313 is deprecated.\n" in shown


def test_no_more_is_waited_than_google_needs(capsys: pytest.CaptureFixture[str]) -> None:
    cloud = Cloud(fails={"functions deploy receive_webhook": [NO_SOURCES] * 62})
    assert cloud.deploy_to_it() == 1
    told = capsys.readouterr()
    assert "waiting for Google to know it" in told.out
    assert "baton-build may not read the sources" in told.err
    assert "infra.stage" not in told.err


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("gcloud: not found on this machine", "Install the Google Cloud SDK"),
        ("You do not currently have an active account; run gcloud auth login", "Log in"),
        ("Billing account for project 1 is not found", "Link a billing account"),
        (
            "violates constraint constraints/iam.allowedPolicyMemberDomains",
            "The organisation forbids allUsers",
        ),
        (
            "ERROR: FAILED_PRECONDITION: One or more users named in the policy do not belong to a "
            "permitted customer, perhaps due to an organization policy.",
            "The organisation forbids allUsers",
        ),
        ("Cloud Run API has not been used in project 1 before or it is disabled", "wait a minute"),
        ("something nobody has seen", "run the same command again"),
    ],
)
def test_every_known_error_has_its_advice(said: str, what: str) -> None:
    assert what in deploy.advice(said)


def test_without_gcloud_it_says_where_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert deploy.main(["--project", "baton-test", "--region", "europe-west1"], {}) == 1
    assert "https://cloud.google.com/sdk/docs/install" in capsys.readouterr().err


def test_secrets_that_have_a_value_are_found() -> None:
    def run(words: tuple[str, ...], stdin: str | None) -> Result:
        return Result(0 if "--secret=BATON_API_KEYS" in words else 1, "")

    assert deploy.known_secrets(run, TO) == {"BATON_API_KEYS"}


def _answers(cloud: Cloud, folder: Path) -> None:
    """Answers the programs of a folder, one after another, until one asks nothing."""
    while asked := (folder / "asked").read_text():
        count, name, *rest = asked.split("\0", 2)
        *arguments, read = rest[0].split("\0", int(count))
        program = ("gcloud",) if name == "gcloud" else ("python", "-m", "infra.deploy.rest")
        done = cloud.run((*program, *arguments), read)
        (folder / "answer").write_text(f"{done.code}\n{done.output}")


def test_a_shell_that_is_given_the_dry_run_does_the_same(tmp_path: Path) -> None:
    """Also where it runs a second time."""
    cloud, by_shell = Cloud(), Cloud()
    for name in ("gcloud", "rest"):
        program = tmp_path / name
        program.write_text(PROGRAM)
        program.chmod(0o755)
    for name in ("asked", "answer"):
        os.mkfifo(tmp_path / name)
    threading.Thread(target=_answers, args=(by_shell, tmp_path), daemon=True).start()
    lines = deploy.script(TO, None).replace("python -m infra.stage", ":")
    lines = lines.replace("python -m infra.deploy.rest", "rest")
    lines = lines.replace("python -m", f"{sys.executable} -m")
    for _ in range(2):
        cloud.deploy_to_it()
        by_shell.ran = []
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **VALUES}
        subprocess.run(
            ["sh", "-eu"], input=lines, env=environment, text=True, check=True, capture_output=True
        )
        assert by_shell.ran == cloud.ran
    (tmp_path / "asked").write_text("")


def test_the_dry_run_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def run(words: tuple[str, ...], stdin: str | None) -> Result:
        raise AssertionError(words)

    given = [
        "--project",
        "baton-test",
        "--region",
        "europe-west1",
        "--dry-run",
        "--secrets",
        "CSKU_WEBHOOK_SECRETS",
    ]
    keys = '{"4f1d7c92b6e8a035": {"name": "desk"}}'
    assert deploy.main(given, {"BATON_API_KEYS": keys}, run) == 0
    said = capsys.readouterr().out
    assert "4f1d7c92b6e8a035" not in said
    assert 'printf %s "${BATON_API_KEYS:?}" | gcloud secrets versions add BATON_API_KEYS' in said
    assert "CSKU_WEBHOOK_SECRETS=CSKU_WEBHOOK_SECRETS:latest" in said


@pytest.mark.parametrize(
    "given",
    [
        ["--project", "123456789012", "--region", "europe-west1"],
        ["--project", "baton-test", "--region", "europe-west1-b"],
        ["--project", "baton-test", "--region", "europe-west1", "--only", "nothing"],
        ["--project", "baton-test", "--region", "europe-west1", "--secrets", "NOTHING"],
        ["--project", "baton-test"],
    ],
    ids=" ".join,
)
def test_what_cannot_work_is_refused(given: list[str]) -> None:
    with pytest.raises(SystemExit):
        deploy.main(given, {})


WHERE = ["--project", "baton-test", "--region", "europe-west1"]
WRONG = {
    "UNCLAIMED_AFTER": "abc",
    "UNCLAIMED_REMINDERS": "1.5",
    "JOURNAL_TTL_DAYS": "1e99",
    "HUMAN_IDLE_AFTER": "inf",
    "BATON_DESKS": '[{"name": "x", "kind": "nope"}]',
    "BATON_API_KEYS": "nojson",
    "BATON_BOT": "oracle",
    "NOTICES_OFF": "facebook",
    "BATON_LANGUAGE": "xx",
    "WHATSAPP_APP_SECRETS": "...",
    "CCAI_WEBHOOK_SECRETS": "primary,secondary",
    "CSKU_WEBHOOK_SECRETS": "changeme",
    "RCS_CLIENT_TOKENS": "secret",
    "RCS_AUTH": "bearer:<token>",
    "BUSINESS_MESSAGES_SIGNING_KEYS": "dev-signing-key",
    "BRIDGE_TOKEN_KEYS": "4f1d7c92b6e8a0354f1d",
    "BOT_WEBHOOK_URL": "bot.example.com",
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("how", [[], ["--dry-run"], ["--only", "sweep"]], ids=str)
def test_a_setting_that_a_function_would_refuse_is_refused_before_the_first_step(
    name: str, how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(words: tuple[str, ...], stdin: str | None) -> Result:
        raise AssertionError(words)

    value = WRONG[name]
    assert deploy.main([*WHERE, *how], {name: value}, run) == 2
    told = capsys.readouterr()
    assert f"\n  {name}" in told.err
    assert told.out == ""
    assert value not in told.err or name not in secrets(TABLE)


def test_all_that_is_wrong_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(WHERE, WRONG) == 2
    said = capsys.readouterr().err
    # What names a channel is looked at when the rest is right.
    assert [name for name in WRONG if name not in said] == ["NOTICES_OFF"]


NEAR, FAR = "projects/p/locations/europe-west1", "projects/p/locations/europe-west3"


@pytest.mark.parametrize(
    "given",
    [
        ["--max-instances", "0"],
        ["--max-instances", "1001"],
        ["--max-instances", "-1"],
        ["--alert-email", "notanemail"],
        ["--alert-email", "a@b"],
        ["--firestore-location", "eu"],
        ["--kms-key", "care"],
        ["--kms-key", f"{FAR}/keyRings/r/cryptoKeys/k"],
        ["--kms-key", f"{NEAR}/keyRings/r/cryptoKeys/k", "--firestore-location", "eur3"],
        ["--vpc-connector", "care"],
        ["--vpc-connector", f"{FAR}/connectors/c"],
        ["--egress", "all"],
        ["--ingress", "internal"],
        ["--labels", "Team=care"],
        ["--labels", "team"],
    ],
    ids=" ".join,
)
def test_an_argument_that_the_cloud_would_refuse(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        deploy.main([*WHERE, *given], {})
    assert given[0] in capsys.readouterr().err


def test_a_key_a_network_and_labels_of_ones_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = ["--kms-key", f"{NEAR}/keyRings/r/cryptoKeys/k", "--ingress", "internal-and-gclb"]
    own += ["--vpc-connector", f"{NEAR}/connectors/c", "--egress", "all", "--labels", "team=care"]
    assert deploy.main([*WHERE, *own, "--dry-run"], {}) == 0
    lines = capsys.readouterr().out.splitlines()
    public = next(one for one in lines if "functions deploy receive_webhook" in one)
    private = next(one for one in lines if "functions deploy sweep" in one)
    for flag in (f"--kms-key={own[1]}", f"--vpc-connector={own[5]}", "--egress-settings=all"):
        assert flag in public
        assert flag in private
    assert "--ingress-settings=internal-and-gclb" in public
    assert "--ingress-settings=internal-only" in private
    assert not any("uptimeCheckConfigs" in one for one in lines)


def test_a_setting_that_holds_every_separator_reaches_its_function(tmp_path: Path) -> None:
    flags = _joined({"A": ",;|@@~0~", "B": "~1~"})
    separator = flags.split("^")[1]
    assert flags.removeprefix(f"^{separator}^").split(separator) == ["A=,;|@@~0~", "B=~1~"]
