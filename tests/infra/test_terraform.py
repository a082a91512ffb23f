"""infra/terraform is well formed, valid against the provider's schema, and wired as its own
tests say; and it makes the same as deploy.py.

Terraform's side is what `terraform test` holds after applying infra/terraform against a mock of the
provider, deploy.py's side is read off the words of its gcloud commands. No cloud saw either. The
tests stand in one file, because one worker waits for terraform's verdict.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.deploy import deploy
from infra.deploy.deployment import Deployment
from infra.deploy.steps_watching import OBSERVABILITY
from infra.deployables import deployables, topics
from tests.infra.facts import Fact
from tests.infra.facts_of_gcloud import FromGcloud
from tests.infra.facts_of_terraform import FromTerraform

TABLE = deployables()
# The variables of infra/terraform/tests/wiring.tftest.hcl.
TO = Deployment(
    project="baton-test",
    region="europe-west1",
    sources={name: Path(f"build/{name}-0123456789abcdef.zip") for name in TABLE},
    secrets=frozenset({"BATON_API_KEYS", "CSKU_WEBHOOK_SECRETS"}),
    settings={"UNCLAIMED_AFTER": "60", "BUSINESS_MESSAGES_API_URL": "https://example.com"},
    alert_email="oncall@example.com",
    runbook="https://git.example.com/baton/infra/RUNBOOK.md",
)


def test_it_is_valid_and_its_tests_pass(verdict: Any) -> None:
    assert verdict.code == 0, "\n".join([*verdict.failures(), verdict.text[-3000:]])
    assert sum(message.get("type") == "test_file" for message in verdict.messages) >= 3


def test_no_test_of_terraform_runs_the_real_gcloud() -> None:
    """A provisioner runs in a test too: its command is `true`, or there is none."""
    files = list((Path(__file__).parents[2] / "infra" / "terraform" / "tests").glob("*.hcl"))
    assert files
    for file in files:
        commands = set(re.findall(r"\bgcloud += (\S+)", file.read_text()))
        assert '"true"' in commands, file.name
        assert commands <= {'"true"', "null"}, file.name


def test_both_make_the_same(verdict: Any) -> None:
    by_terraform = FromTerraform(verdict.made("the_usual")).facts()
    by_gcloud = FromGcloud(deploy.plan(TO)).facts()
    assert _listed(by_terraform - by_gcloud) == _listed(by_gcloud - by_terraform) == []


def test_both_make_the_same_beside_another(verdict: Any) -> None:
    by_terraform = FromTerraform(verdict.made("two_in_one_project")).facts()
    by_gcloud = FromGcloud(deploy.plan(replace(TO, prefix="dev"))).facts()
    assert _listed(by_terraform - by_gcloud) == _listed(by_gcloud - by_terraform) == []


def test_both_make_the_same_with_a_key_and_a_network_of_ones_own(verdict: Any) -> None:
    by_terraform = FromTerraform(verdict.made("own_key_and_network")).facts()
    at = "projects/baton-keys/locations/europe-west1"
    own = replace(
        TO,
        kms_key=f"{at}/keyRings/care/cryptoKeys/baton",
        vpc_connector=f"{at}/connectors/care",
        egress="all",
        ingress="internal-and-gclb",
        labels={"team": "care", "env": "prod"},
    )
    by_gcloud = FromGcloud(deploy.plan(own)).facts()
    assert _listed(by_terraform - by_gcloud) == _listed(by_gcloud - by_terraform) == []
    # Without the options: every kind of thing that they change.
    changed = {fact[0] for fact in by_gcloud ^ FromGcloud(deploy.plan(TO)).facts()}
    assert changed == {
        *("bucket", "database", "encryption and labels", "function", "labels", "right"),
        *("secret", "topic", "uptime check"),
    }


def test_both_make_the_same_where_files_are_kept(verdict: Any) -> None:
    by_terraform = FromTerraform(verdict.made("files_are_kept")).facts()
    kept = replace(
        TO,
        secrets=TO.secrets | {"MEDIA_LINK_KEYS"},
        settings={**TO.settings, "MEDIA_BUCKET": "baton-test-files", "JOURNAL_TTL_DAYS": "60"},
        kms_key="projects/baton-keys/locations/europe-west1/keyRings/care/cryptoKeys/baton",
        labels={"team": "care"},
    )
    by_gcloud = FromGcloud(deploy.plan(kept)).facts()
    assert _listed(by_terraform - by_gcloud) == _listed(by_gcloud - by_terraform) == []
    assert ("kept", "baton-test-files", 60, 0) in by_gcloud


def test_no_name_is_that_of_another() -> None:
    """What both make in the project is the same for both."""
    of_dev = FromGcloud(deploy.plan(replace(TO, prefix="dev"))).facts()
    shared = of_dev & FromGcloud(deploy.plan(TO)).facts()
    kinds = {str(fact[0]) for fact in shared}
    assert kinds == {"api", "source", "mail", "index", "field", "expiry", "backup"}


def test_nothing_of_one_reads_a_thing_of_another() -> None:
    """A filter of dev's alarms that named a function or a metric of prod would ring for prod."""
    services = {TO.service(name) for name in TABLE}
    others = {*services, *topics(TABLE), *json.loads(OBSERVABILITY.read_text())["metrics"]}
    named = re.compile(rf'["/|(]({"|".join(others)})(?=["\\\\|)/])')
    # A function's entry point has its plain name. A job's address is remembered under that name.
    shared = ("api", "source", "mail", "function", "job")
    of_dev = FromGcloud(deploy.plan(replace(TO, prefix="dev"))).facts()
    found = {
        (fact[0], one) for fact in of_dev if fact[0] not in shared for one in _named(named, fact)
    }
    assert found == set()
    of_prod = FromGcloud(deploy.plan(TO)).facts()
    read = {one for fact in of_prod if fact[0] not in shared for one in _named(named, fact)}
    assert {"sweep", "baton-outbox", "baton_delivery_delay", "receive-webhook"} <= read


def _named(names: re.Pattern[str], fact: Fact) -> list[str]:
    return names.findall(" ".join(f'"{part}"' for part in _parts(fact)))


def _parts(value: Any) -> Iterator[str]:
    if isinstance(value, (tuple, frozenset)):
        for one in value:
            yield from _parts(one)
    else:
        yield str(value)


def test_every_kind_of_thing_was_compared(verdict: Any) -> None:
    """Nothing may agree only because neither side knows it."""
    facts = FromTerraform(verdict.made("the_usual")).facts()
    assert {fact[1] for fact in facts if fact[0] == "function"} == set(TABLE)
    kinds = (
        "alert api account backup dashboard database expiry field "
        "function index job mail metric open repository right"
    )
    assert {str(fact[0]) for fact in facts} == {
        *kinds.split(),
        "bucket",
        "encryption and labels",
        "secret",
        "source",
        "subscription",
        "topic",
        "uptime check",
        "objective",
        "watched service",
    }


def _listed(facts: set[Fact]) -> list[str]:
    return sorted(map(str, facts))
