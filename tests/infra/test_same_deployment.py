"""deploy.py and terraform make the same: terraform's side is what `terraform test` holds after
applying infra/terraform against a mock of the provider, deploy.py's side is read off the words of
its gcloud commands. No cloud saw either.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.deploy import deploy
from infra.deploy.deployment import Deployment
from infra.deployables import deployables
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


def test_both_make_the_same(verdict: Any) -> None:
    by_terraform = FromTerraform(verdict.made("what_a_function_is_given")).facts()
    by_gcloud = FromGcloud(deploy.plan(TO)).facts()
    assert _listed(by_terraform - by_gcloud) == _listed(by_gcloud - by_terraform) == []


def test_both_make_the_same_beside_another(verdict: Any) -> None:
    by_terraform = FromTerraform(verdict.made("two_in_one_project")).facts()
    by_gcloud = FromGcloud(deploy.plan(replace(TO, prefix="dev"))).facts()
    assert _listed(by_terraform - by_gcloud) == _listed(by_gcloud - by_terraform) == []


def test_no_name_is_that_of_another() -> None:
    """What both make in the project is the same for both."""
    of_dev = FromGcloud(deploy.plan(replace(TO, prefix="dev"))).facts()
    shared = of_dev & FromGcloud(deploy.plan(TO)).facts()
    kinds = {str(fact[0]) for fact in shared}
    assert kinds == {"api", "source", "mail", "index", "field", "expiry", "backup"}


def test_every_kind_of_thing_was_compared(verdict: Any) -> None:
    """Nothing may agree only because neither side knows it."""
    facts = FromTerraform(verdict.made("what_a_function_is_given")).facts()
    assert {fact[1] for fact in facts if fact[0] == "function"} == set(TABLE)
    kinds = (
        "alert api account backup dashboard database expiry field "
        "function index job mail metric open repository right"
    )
    assert {str(fact[0]) for fact in facts} == {
        *kinds.split(),
        "bucket",
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
