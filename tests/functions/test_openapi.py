"""The OpenAPI document: judged by an independent validator, and doors driven from it by
schemathesis.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis import checks

from infra.local.server import LocalServer
from infra.local.talk import Talk
from shared.api.openapi import document
from shared.api.operations import OPERATIONS, Operation
from shared.version import VERSION

KEPT = Path(__file__).parents[2] / "functions" / "send_representative" / "openapi.json"
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = 15  # of each call


def test_an_independent_validator_takes_the_document() -> None:
    validate(document(VERSION))


def test_the_document_in_the_repository_is_the_one_that_the_code_makes() -> None:
    assert json.loads(KEPT.read_text()) == document(VERSION), "make openapi"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("openapi")) as running:
        yield running


def test_the_served_document_needs_no_key(local: LocalServer) -> None:
    assert local.get("/send_representative/v1/openapi.json") == document(VERSION)
    assert local.send("POST", "/send_representative/v1/openapi.json").status == 405


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.handler.__name__)
def test_a_call_answers_what_the_document_says(local: LocalServer, operation: Operation) -> None:
    talk = Talk.open(local)
    names = {"conversation": talk.id, "message": "m-1"}
    path = {name: value for name, value in names.items() if f"{{{name}}}" in operation.path}
    schema = schemathesis.openapi.from_dict(document(VERSION))
    schema.config.update(base_url=f"{local.url}/send_representative")
    described = schema[f"/v1{operation.path}"][operation.method]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(described.as_strategy(path_parameters=path))
    def drive(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": "Bearer dev-admin"}, checks=CHECKS)

    drive()
