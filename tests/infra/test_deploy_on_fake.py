"""infra.deploy with the real gcloud, on a stand-in for Google's APIs that keeps what is made:
an empty project, a second run, interrupted runs, a changed setting.

The gate deploys one function of each kind, `make soak` all of them and more interruptions.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import deploy, rest
from infra.deploy.deployment import Deployment
from infra.deploy.gcloud import Result, Runner, StepFailed
from infra.deployables import deployables
from tests.infra.clock import Clock
from tests.infra.discovery import faults
from tests.infra.fake_google import APIS, NUMBER, OPEN, PROJECT, SERVICES, Google, Server
from tests.soak import SOAKS

pytestmark = pytest.mark.soak

WORKER = Path(__file__).parent / "gcloud_worker.py"
GATE = ("forward_variables", "notify_handoff", "sweep")  # one of each kind
TABLE = {name: row for name, row in deployables().items() if SOAKS or name in GATE}
DOORS = {"forward-variables"}
if SOAKS:
    DOORS |= {"receive-webhook", "relay-media", "send-representative"}
INTERRUPTED = range(10, 330, 40) if SOAKS else (95,)
FUNCTIONS = "cloudfunctions/projects/baton-test/locations/europe-west1/functions"
LATEST = [{"latestRevision": True, "percent": 100}]
SECRETS = {"BRIDGE_TOKEN_KEYS": "4f1d7c92b6e8a0354f1d7c92b6e8a035"}


class Interrupted(Exception):
    """The operator's machine went away."""


@dataclass
class Gcloud:
    """The real gcloud in a process of its own, which takes one command after another."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    left: int = -1  # how many commands until it is interrupted

    def run(self, words: tuple[str, ...], stdin: str | None) -> Result:
        answer = self._rest(words, stdin) if words[0] == "python" else self._asked(words, stdin)
        self.left -= 1
        if self.left == 0:
            raise Interrupted
        return answer

    def _asked(self, words: tuple[str, ...], stdin: str | None) -> Result:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([words, stdin]) + "\n")
        self.process.stdin.flush()
        return Result(**json.loads(self.process.stdout.readline()))

    def _rest(self, words: tuple[str, ...], stdin: str | None) -> Result:
        """Runs infra.deploy.rest in this process: a start of Python takes a tenth of a second."""
        output, errors = io.StringIO(), io.StringIO()
        assert words[:3] == ("python", "-m", "infra.deploy.rest")
        sys.stdin, kept = io.StringIO(stdin or ""), sys.stdin
        try:
            with redirect_stdout(output), redirect_stderr(errors):
                code = rest.main(list(words[3:]), self.environment)
        finally:
            sys.stdin = kept
        return Result(code, output.getvalue(), errors.getvalue())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(Google())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with closing(server.socket):
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def gcloud(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcloud]:
    found = shutil.which("gcloud")
    roots = [Path(found).resolve().parents[1]] if found else []
    sdk = next((one for one in roots if (one / "lib" / "googlecloudsdk").is_dir()), None)
    if sdk is None:
        (pytest.fail if os.environ.get("BATON_REQUIRE_ALL") == "1" else pytest.skip)(
            "no Cloud SDK on this machine"
        )
    environment = {
        "PATH": os.environ["PATH"],
        "CLOUDSDK_CONFIG": str(tmp_path_factory.mktemp("gcloud")),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "1",
        "COLUMNS": "80",  # gcloud would start `tput` to learn these two
        "LINES": "24",
        **{
            f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}": f"{server.url}/{api}/" for api in APIS
        },
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{server.url}/storage/storage/v1/",
    }
    with subprocess.Popen(
        [sys.executable, str(WORKER), str(sdk)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        yield Gcloud(process, environment)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def to(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = tmp_path_factory.mktemp("sources")
    sources = {name: folder / f"{name}-0123456789abcdef.zip" for name in TABLE}
    for path in sources.values():
        path.write_bytes(path.name.encode())
    return Deployment(
        project="baton-test",
        region="europe-west1",
        sources=sources,
        secrets=frozenset(SECRETS),
        given=frozenset(SECRETS),
        settings={"UNCLAIMED_AFTER": "60"},
        alert_email="oncall@example.com",
        table=TABLE,
    )


def run(gcloud: Gcloud, words: str, text: str | None = None) -> None:
    """Runs a command of the documents."""
    done = gcloud.run(("gcloud", *words.split(), "--project=baton-test", "--quiet"), text)
    assert done.code == 0, done.errors


def deployed(to: Deployment, gcloud: Gcloud, only: str | None = None) -> None:
    assert deploy.deploy(to, Runner(gcloud.run, SECRETS), only) == 0


@pytest.fixture(scope="module")
def whole(to: Deployment, gcloud: Gcloud, server: Server) -> Google:
    """Returns the project after a first deployment that nothing interrupted."""
    deployed(to, gcloud)
    return server.google


@pytest.fixture(scope="module")
def first(whole: Google) -> dict[str, str]:
    """Returns what the first deployment made."""
    return whole.state()


def test_an_empty_project_gets_everything_and_a_second_run_changes_nothing(
    to: Deployment, gcloud: Gcloud, whole: Google, first: dict[str, str]
) -> None:
    made = list(whole.made)
    assert whole.unknown == []
    assert len([at for at in made if "/functions/" in at]) == len(TABLE)
    whole.made.clear()
    whole.changed.clear()
    deployed(to, gcloud)
    assert (whole.made, whole.changed) == ([], [])
    assert whole.state() == first


def test_an_alarm_mails_the_channel_that_was_made(whole: Google) -> None:
    channels = [at for at in whole.things if "/notificationChannels/" in at]
    alarms = [one for at, one in whole.things.items() if "/alertPolicies/" in at]
    assert len(channels) == 1
    assert {tuple(one["notificationChannels"]) for one in alarms} == {
        (channels[0].removeprefix("monitoring/"),)
    }


def test_what_is_watched_is_there(whole: Google, to: Deployment) -> None:
    made = [at.removeprefix("monitoring/projects/baton-test/") for at in whole.things]
    assert len([at for at in made if at.startswith("uptimeCheckConfigs/")]) == len(
        [row for row in to.table.values() if row.public]
    )
    assert [at for at in made if at.startswith("services/baton")] == [
        "services/baton",
        "services/baton/serviceLevelObjectives/acks",
        "services/baton/serviceLevelObjectives/delivery",
    ]


def test_a_changed_setting_changes_one_thing(to: Deployment, gcloud: Gcloud, whole: Google) -> None:
    whole.made.clear()
    whole.changed.clear()
    changed = replace(to, settings={"UNCLAIMED_AFTER": "90"})
    deployed(changed, gcloud, only="forward_variables")
    assert whole.made == []
    assert [at.rpartition("/")[2] for at in whole.changed] == ["forward_variables"]
    deployed(to, gcloud, only="forward_variables")


def test_after_a_rollback_a_deployment_moves_the_traffic_and_says_so(
    to: Deployment, gcloud: Gcloud, whole: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    back = "--to-revisions=forward-variables-00001=100"
    run(gcloud, f"run services update-traffic forward-variables {back} --region={to.region}")
    traffic = whole.things[f"{SERVICES}/forward-variables"]["spec"]["traffic"]
    assert traffic[0]["revisionName"] == "forward-variables-00001"
    deployed(to, gcloud, only="forward_variables")
    assert traffic != whole.things[f"{SERVICES}/forward-variables"]["spec"]["traffic"] == LATEST
    assert "All traffic is now at the revision that was deployed" in capsys.readouterr().out
    deployed(to, gcloud, only="forward_variables")
    assert "All traffic is now" not in capsys.readouterr().out


def test_an_upgrade_shuts_no_door(to: Deployment, gcloud: Gcloud, whole: Google) -> None:
    new = to.sources["forward_variables"].with_name("forward_variables-fedcba.zip")
    new.write_bytes(b"the next version")
    upgraded = replace(to, sources={**to.sources, "forward_variables": new})
    deployed(upgraded, gcloud, only="forward_variables")
    built = whole.things[f"{FUNCTIONS}/forward_variables"]["buildConfig"]["source"]
    assert built["storageSource"]["object"] == new.name
    assert (whole.open_doors(), whole.shut) == (DOORS, set())
    deployed(to, gcloud, only="forward_variables")


def test_a_rotated_secret_is_read_and_no_door_is_shut(
    to: Deployment, gcloud: Gcloud, whole: Google
) -> None:
    add = "secrets versions add BRIDGE_TOKEN_KEYS --data-file=-"
    run(gcloud, add, "b6e8a0354f1d7c924f1d7c92b6e8a035,4f1d7c92b6e8a0354f1d7c92b6e8a035")
    revision = whole.things[f"{FUNCTIONS}/forward_variables"]["serviceConfig"]["revision"]
    deployed(to, gcloud, only="forward_variables")
    service = whole.things[f"{FUNCTIONS}/forward_variables"]["serviceConfig"]
    assert service["revision"] > revision  # instances read secrets when they start
    assert [one["version"] for one in service["secretEnvironmentVariables"]] == ["latest"]
    versions = [at for at in whole.things if "/BRIDGE_TOKEN_KEYS/versions/" in at]
    assert [at.rpartition("/")[2] for at in versions] == ["1", "2"]  # none from the environment
    assert (whole.open_doors(), whole.shut) == (DOORS, set())


def test_a_function_whose_build_may_not_read_stays_as_it_is(
    to: Deployment, gcloud: Gcloud, whole: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    right = next(step for step in deploy.plan(to) if step.title.startswith("builds may read the"))
    words = [one.replace("\x00PROJECT_NUMBER\x00", NUMBER) for one in right.create.words[1:]]
    words[1] = "remove-iam-policy-binding"
    assert gcloud.run(("gcloud", *words), None).code == 0
    revision = whole.things[f"{FUNCTIONS}/forward_variables"]["serviceConfig"]["revision"]
    clock = Clock(times=30)
    runner = Runner(gcloud.run, SECRETS, pause=clock.pause, clock=clock.time)
    runner.values["PROJECT_NUMBER"] = NUMBER
    assert deploy.deploy(to, runner, "forward_variables") == 1
    assert "Run the whole deployment again, without --only" in capsys.readouterr().err
    there = whole.things[f"{FUNCTIONS}/forward_variables"]
    assert (there["state"], there["serviceConfig"]["revision"]) == ("ACTIVE", revision)
    assert (whole.open_doors(), whole.shut) == (DOORS, set())
    runner.do([right], lambda text: None)
    whole.builds_to_fail = 2  # the right does not hold at once
    assert deploy.deploy(to, runner, "forward_variables") == 0
    assert "waiting for Google to know it ... . done" in capsys.readouterr().out.replace(
        "up to date", "done"
    )


@pytest.mark.parametrize("reads", ["/alertPolicies/", "/serviceLevelObjectives/"])
def test_what_reads_a_metric_waits_until_google_knows_it(
    reads: str, to: Deployment, gcloud: Gcloud, whole: Google
) -> None:
    at, there = next(
        (at, one)
        for at, one in whole.things.items()
        if reads in at and "logging.googleapis.com/user/" in json.dumps(one)
    )
    del whole.things[at]
    whole.metrics_to_refuse, clock = 3, Clock()
    runner = Runner(gcloud.run, pause=clock.pause, clock=clock.time)
    titles = ("the name of that address", there["displayName"])
    runner.do([step for step in deploy.plan(to) if step.title.endswith(titles)], lambda text: None)
    again = [one["displayName"] for at, one in whole.things.items() if reads in at]
    assert again.count(there["displayName"]) == 1
    assert clock.pauses == 3


@pytest.mark.parametrize(
    ("restricted", "keeps_check", "form"),
    [(True, False, "no check"), (False, True, "allUsers"), (True, True, "refused")],
)
def test_a_public_function_is_opened_in_the_form_that_the_organisation_allows(
    restricted: bool,
    keeps_check: bool,
    form: str,
    to: Deployment,
    gcloud: Gcloud,
    server: Server,
    whole: Google,
) -> None:
    service = whole.things[f"{SERVICES}/forward-variables"]
    server.google = Google(things=whole.things)
    server.google.restricts_domains = restricted
    server.google.keeps_invoker_check = keeps_check
    open_before = service["metadata"]["annotations"].pop(OPEN)
    opens = "forward_variables: everybody may call it"
    step = next(step for step in deploy.plan(to) if step.title.startswith(opens))
    runner = Runner(gcloud.run)
    try:
        runner.do([step], lambda text: None)
        assert form == ("allUsers" if server.google.policies else "no check")
        assert server.google.open_doors() == DOORS
    except StepFailed as failure:
        assert form == "refused"
        assert "run.managed.requireInvokerIam" in deploy.advice(failure.result.errors)
        assert "do not belong to a permitted customer" in failure.result.errors
    finally:
        service["metadata"]["annotations"][OPEN] = open_before
        server.google = whole


AT = "projects/baton-test/locations/europe-west1"
KEY = f"{AT}/keyRings/care/cryptoKeys/baton"
OWN: dict[str, Any] = {
    "kms_key": KEY,
    "vpc_connector": f"{AT}/connectors/care",
    "egress": "all",
    "labels": {"team": "care"},
}


def test_another_is_made_beside_it_and_torn_down(
    to: Deployment, gcloud: Gcloud, whole: Google
) -> None:
    before = whole.state()
    table = {name: row for name, row in TABLE.items() if name == "forward_variables"}
    dev = replace(to, prefix="dev", table=table, **OWN)
    runner = Runner(gcloud.run, SECRETS)
    assert deploy.deploy(dev, runner, None) == 0
    both = whole.state()
    changed = {at for at in before if both[at] != before[at]}
    assert {at.partition(" ")[0] for at in changed} == {f"{PROJECT}:policy"}
    assert whole.open_doors() == DOORS | {"dev-forward-variables"}
    encrypted = [at for at, one in both.items() if KEY in one and not at.startswith("cloudkms")]
    kinds = {at.partition(" ")[0].split("/")[-2] for at in encrypted}
    assert kinds == {"b", "databases", "functions", "repositories", "secrets", "topics"}
    if SOAKS:  # gcloud takes its time
        whole.made.clear()
        whole.changed.clear()
        assert deploy.deploy(dev, runner, None) == 0
        assert (whole.made, whole.changed) == ([], [])
    assert deploy.tear_down(dev, runner) == 0
    if SOAKS:
        assert deploy.tear_down(dev, runner) == 0  # what is gone is no error
    left = whole.state()
    assert {at: left[at] for at in before} == before
    # The data stays, and the right to use a key that others may use too.
    stays = ("/databases/baton-dev", KEY)
    assert [at for at in left.keys() - before.keys() if not any(one in at for one in stays)] == []
    assert (whole.open_doors(), whole.unknown) == (DOORS, [])


def test_interrupted_and_run_again_it_ends_the_same(
    to: Deployment, gcloud: Gcloud, first: dict[str, str], server: Server
) -> None:
    server.google = Google()
    for commands in INTERRUPTED:
        gcloud.left = commands
        with pytest.raises(Interrupted):
            deployed(to, gcloud)
    gcloud.left = -1
    deployed(to, gcloud)
    assert server.google.unknown == []
    assert server.google.state() == first


def test_every_call_and_every_answer_is_as_google_describes_it(server: Server) -> None:
    """The stand-in shares no belief with Baton that Google's own documents contradict."""
    if os.environ.get("BATON_REQUIRE_ALL") != "1":
        pytest.importorskip("googleapiclient")
    judged = {fault for call in server.calls for fault in faults(call)}
    assert {call.api for call in server.calls} >= {"cloudfunctions", "firestore", "pubsub", "run"}
    assert not judged, "\n".join(sorted(judged))
