"""What is watched, judged by Google's own schemas: the messages of the Monitoring and Logging APIs
that gcloud has. An unknown field, a wrong type or a wrong enum fails.
"""

import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from apitools.base.protorpclite import messages
from apitools.base.py import encoding

from infra.deploy import rest
from infra.deploy.gcloud import FOUND, Result, Step
from infra.deploy.steps_watching import OBSERVABILITY, alert_body, watching_steps
from infra.documents.alarms import anchor
from tests.infra.test_terraform import TABLE, TO

TABLES = json.loads(OBSERVABILITY.read_text())
STEPS = list(watching_steps(TO))
QUAINT = re.compile(r"\b(nobody|whoever|told|anew|gave up|well)\b", re.IGNORECASE)
FOUND_NAME = "projects/baton-test/uptimeCheckConfigs/made-1"
FOLDERS = {"monitoring_v3": "monitoring/v3", "monitoring_v1": "monitoring/v1"}
FOLDERS |= {"logging_v2": "logging/v2"}


def google(api: str) -> ModuleType:
    """Returns the messages of an API, as gcloud has them."""
    found = shutil.which("gcloud")
    sdk = Path(found).resolve().parents[1] / "lib" / "googlecloudsdk" if found else Path()
    path = sdk / "generated_clients" / "apis" / FOLDERS[api] / f"{api}_messages.py"
    if not path.exists():
        (pytest.fail if os.environ.get("BATON_REQUIRE_ALL") == "1" else pytest.skip)(
            "no Cloud SDK on this machine"
        )
    if api not in sys.modules:
        spec = importlib.util.spec_from_file_location(api, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[api] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[api])
    return sys.modules[api]


def kind_of(step: Step) -> tuple[str, str] | None:
    """Returns the API and the message that a step sends, None where it sends none."""
    words = " ".join(step.create.words)
    kinds = {
        "logging metrics": ("logging_v2", "LogMetric"),
        "monitoring policies": ("monitoring_v3", "AlertPolicy"),
        "monitoring dashboards": ("monitoring_v1", "Dashboard"),
        "serviceLevelObjectives?": ("monitoring_v3", "ServiceLevelObjective"),
        "uptimeCheckConfigs": ("monitoring_v3", "UptimeCheckConfig"),
        "services?": ("monitoring_v3", "Service"),
    }
    return next((kind for part, kind in kinds.items() if part in words), None)


def unknown(message: messages.Message, path: str = "") -> Iterator[str]:
    """Yields the fields that Google's message does not have."""
    for name in message.all_unrecognized_fields():
        yield f"{path}.{name}"
    for field in message.all_fields():
        value = getattr(message, field.name)
        for one in value if isinstance(value, (list, messages.FieldList)) else [value]:
            if isinstance(one, messages.Message):
                yield from unknown(one, f"{path}.{field.name}")


SENT = [step for step in STEPS if step.create.stdin]


def test_the_judge_finds_a_wrong_field_and_a_wrong_word() -> None:
    policy = google("monitoring_v3").AlertPolicy
    found = encoding.PyValueToMessage(policy, {"conditions": [{"conditionThreshold": {"x": 1}}]})
    assert list(unknown(found)) == [".conditions.conditionThreshold.x"]
    wrong = encoding.PyValueToMessage(policy, {"combiner": "ORR"})
    assert list(unknown(wrong)) == [".combiner"]


@pytest.mark.parametrize("step", SENT, ids=lambda step: step.title)
def test_what_is_sent_is_what_google_reads(step: Step) -> None:
    kind = kind_of(step)
    assert kind is not None, step.title
    api, name = kind
    body = json.loads(step.create.stdin or "", strict=False)
    message = encoding.PyValueToMessage(getattr(google(api), name), body)
    assert list(unknown(message)) == []


CALLS = [
    command.words[3:]
    for step in STEPS
    for command in (step.create, *filter(None, [step.probe]), *step.update)
    if command.words[0] == "python"
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: " ".join(call))
def test_a_call_of_the_api_is_one_that_google_has(call: tuple[str, str]) -> None:
    """The judge is the client of the API that gcloud has."""
    path = Path(str(google("monitoring_v3").__file__)).with_name("monitoring_v3_client.py")
    known = re.findall(
        r"flat_path='([^']+)'.*?http_method='([A-Z]+)'.*?query_params=(\[[^]]*\])",
        path.read_text(),
        re.DOTALL,
    )
    method, (asked, _, query) = call[0], call[1].replace(FOUND, FOUND_NAME).partition("?")
    names = {one.partition("=")[0] for one in query.split("&") if one}
    assert any(
        method == verb
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", flat), asked)
        and names <= set(re.findall(r"'(\w+)'", queries))
        for flat, verb, queries in known
    )


# The filters. https://cloud.google.com/monitoring/api/v3/filters
CLAUSE = re.compile(
    r'(resource|metric)\.(type|labels\.\w+)=(monitoring\.regex\.full_match\(("(?:[^"\\]|\\.)+")\)'
    r'|"(?:[^"\\]|\\.)+")'
)
BURN = re.compile(r'select_slo_burn_rate\("projects/[a-z0-9-]+/services/baton'
                  r'/serviceLevelObjectives/(\w+)", "\d+s"\)')  # fmt: skip


def filters() -> Iterator[tuple[str, str]]:
    for step in SENT:
        body = json.loads(step.create.stdin or "", strict=False)
        for name, text in _texts(body):
            if name.lower().endswith("filter") and kind_of(step) != ("logging_v2", "LogMetric"):
                yield step.title, text


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
    elif isinstance(value, str):
        yield name, value


@pytest.mark.parametrize(("title", "text"), list(filters()))
def test_a_filter_names_one_metric_and_one_resource_and_is_filled_in(title: str, text: str) -> None:
    assert len(text) <= 2048
    if burn := BURN.fullmatch(text):
        assert burn[1] in TABLES["objectives"]
        return
    clauses = [CLAUSE.fullmatch(one) for one in text.split(" AND ")]
    assert all(clauses), f"{title}: {text}"
    of = [f"{one[1]}.{one[2]}" for one in clauses if one]
    assert of.count("metric.type") == of.count("resource.type") == 1
    for one in clauses:
        if one and one[4]:
            re.compile(json.loads(one[4]))
    assert not re.search(r"\{[a-z_]+\}", text)


def test_the_age_of_every_subscription_is_watched() -> None:
    (body,) = (_body(one) for one in STEPS if "falls behind" in one.title)
    text = body["conditions"][0]["conditionThreshold"]["filter"]
    named = re.search(r'full_match\("([^"]+)"\)', text)
    assert named
    pushed = {row.topic for row in TABLE.values() if row.topic}
    assert set(named[1].split("|")) == pushed
    assert body["conditions"][0]["conditionThreshold"]["thresholdValue"] <= 900


def test_every_public_door_has_an_uptime_check_at_its_address() -> None:
    checked = {
        f"https://{body['monitoredResource']['labels']['host']}{body['httpCheck']['path']}"
        for body in map(_body, SENT)
        if "httpCheck" in body
    }
    public = {name for name, row in TABLE.items() if row.public}
    assert {next(name for name in public if name in url) for url in checked} == public
    assert all(any(url.startswith(f"{TO.url(name)}/") for name in public) for url in checked)


def test_an_alarm_reads_an_objective_that_is_made() -> None:
    made = {
        step.create.words[-1].partition("Id=")[2] for step in STEPS if "objective:" in step.title
    }
    assert made == set(TABLES["objectives"])
    assert {one[1] for _, text in filters() if (one := BURN.fullmatch(text))} == made


def test_alarms_speak_plainly() -> None:
    for alarm in TABLES["alerts"].values():
        said = " ".join([alarm["title"], alarm["advice"], *alarm["steps"]])
        assert QUAINT.search(said) is None, said
        assert alarm["advice"].endswith(".")
        assert alarm["steps"]
    for metric in TABLES["metrics"].values():
        assert QUAINT.search(metric["description"]) is None


def test_without_an_address_of_the_runbook_an_alarm_names_the_file() -> None:
    alarm = TABLES["alerts"]["sweep_stopped"]
    body = alert_body(alarm, anchor(alarm["title"]), mailed=False, runbook=None)
    assert "links" not in body["documentation"]
    assert f"infra/RUNBOOK.md#{anchor(alarm['title'])}" in body["documentation"]["content"]


def _body(step: Step) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(step.create.stdin or "{}", strict=False)
    return body


def test_without_a_login_a_call_of_the_api_fails_with_gclouds_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(words: tuple[str, ...], stdin: str | None) -> Result:
        assert words[:3] == ("gcloud", "auth", "print-access-token")
        return Result(1, "", "You do not currently have an active account selected.")

    assert rest.main(["GET", "v3/projects/x/services"], {}, run) == 1
    assert "active account" in capsys.readouterr().err
