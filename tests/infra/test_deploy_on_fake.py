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

import pytest

from infra.deploy import deploy, rest
from infra.deploy.deployment import Deployment
from infra.deploy.gcloud import Result, Runner
from infra.deployables import deployables
from tests.infra.fake_google import APIS, Google, Server
from tests.soak import SOAKS

WORKER = Path(__file__).parent / "gcloud_worker.py"
GATE = ("forward_variables", "notify_handoff", "sweep")  # one of each kind
TABLE = {name: row for name, row in deployables().items() if SOAKS or name in GATE}
INTERRUPTED = range(10, 330, 40) if SOAKS else (25, 95)
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
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
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


def deployed(to: Deployment, gcloud: Gcloud, only: str | None = None) -> None:
    assert deploy.deploy(to, Runner(gcloud.run, SECRETS), only) == 0


@pytest.fixture(scope="module")
def whole(to: Deployment, gcloud: Gcloud, server: Server) -> Google:
    """Returns the project after a first deployment that nothing interrupted."""
    deployed(to, gcloud)
    return server.google


def test_an_empty_project_gets_everything_and_a_second_run_changes_nothing(
    to: Deployment, gcloud: Gcloud, whole: Google
) -> None:
    first, made = whole.state(), list(whole.made)
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


def test_after_a_rollback_a_deployment_moves_the_traffic(
    to: Deployment, gcloud: Gcloud, whole: Google
) -> None:
    where = "cloudfunctions/projects/baton-test/locations/europe-west1/functions"
    function = whole.things[f"{where}/forward_variables"]
    function["serviceConfig"]["allTrafficOnLatestRevision"] = False
    deployed(to, gcloud, only="forward_variables")
    assert function["serviceConfig"]["allTrafficOnLatestRevision"] is True


def test_interrupted_and_run_again_it_ends_the_same(
    to: Deployment, gcloud: Gcloud, whole: Google, server: Server
) -> None:
    wanted = whole.state()
    server.google = Google()
    for commands in INTERRUPTED:
        gcloud.left = commands
        with pytest.raises(Interrupted):
            deployed(to, gcloud)
    gcloud.left = -1
    deployed(to, gcloud)
    assert server.google.unknown == []
    assert server.google.state() == wanted
