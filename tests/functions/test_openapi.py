"""The OpenAPI document: judged by an independent validator, and doors driven from it by
schemathesis.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.server import LocalServer
from infra.local.talk import Talk
from shared.api.openapi import document
from shared.api.operations import OPERATIONS, SIGN_IN, Operation
from shared.browser import openapi as browser
from shared.version import VERSION
from tests.forked import ForkedServer
from tests.functions.reporting import JOINED, LEFT, RECEIVED, Browser, chats, token

if TYPE_CHECKING:
    from tests.functions.described import Described

pytestmark = pytest.mark.soak

DOCUMENTS = {"send_representative": document, "forward_variables": browser.document}
SERVED = {"send_representative": "/v1/openapi.json", "forward_variables": "/openapi.json"}
ADMIN = {"Authorization": "Bearer dev-admin"}
FUNCTIONS = Path(__file__).parents[2] / "functions"


@pytest.mark.parametrize("function", DOCUMENTS)
def test_an_independent_validator_takes_the_document(function: str) -> None:
    from openapi_spec_validator import validate

    validate(DOCUMENTS[function](VERSION))


@pytest.mark.parametrize("function", DOCUMENTS)
def test_the_document_in_the_repository_is_the_one_that_the_code_makes(function: str) -> None:
    kept = json.loads((FUNCTIONS / function / "openapi.json").read_text())
    assert kept == DOCUMENTS[function](VERSION), "make openapi"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    google = {"BATON_SIGN_IN_CLIENT_ID": "1-a.apps.googleusercontent.com"}
    with ForkedServer(tmp_path_factory.mktemp("openapi"), google) as running:
        yield running


@pytest.mark.parametrize("function", DOCUMENTS)
def test_the_served_document_needs_no_key(local: LocalServer, function: str) -> None:
    path = f"/{function}{SERVED[function]}"
    assert local.get(path) == DOCUMENTS[function](VERSION)
    assert local.send("POST", path).status == 405


@pytest.fixture(scope="module")
def api(local: LocalServer) -> Described:
    from tests.functions.described import Described

    return Described(document(VERSION), f"{local.url}/send_representative")


@pytest.mark.parametrize("operation", (*OPERATIONS, *SIGN_IN), ids=lambda one: one.handler.__name__)
def test_a_call_answers_what_the_document_says(
    local: LocalServer, api: Described, operation: Operation[Any]
) -> None:
    talk = Talk.open(local)
    names = {"conversation": talk.id, "message": "m-1"}
    path = {name: value for name, value in names.items() if f"{{{name}}}" in operation.path}
    api.drive(f"/v1{operation.path}", operation.method, ADMIN, path_parameters=path)


def test_browsers_reports_are_answered_as_the_document_says(local: LocalServer) -> None:
    from tests.functions.described import Described

    def each_is_answered(sent: Any, answer: Any) -> None:
        told = answer.json()
        assert len(told["accepted"]) + len(told["refused"]) == len(sent["events"])

    headers = {"Authorization": f"Bearer {token()}", "Origin": local.url}
    reports = Described(browser.document(VERSION), f"{local.url}/forward_variables")
    reports.drive("/", "POST", headers, then=each_is_answered)


def test_a_report_as_described_is_accepted(local: LocalServer) -> None:
    browser_of_jane = Browser(local, next(chats))
    for kind in (JOINED, RECEIVED, LEFT):
        event = browser_of_jane.event(kind)
        taken = browser.EventsBody.model_validate({"events": [event]})
        assert taken.events[0].data.chat_id == browser_of_jane.chat
        assert browser_of_jane.post(event).json["accepted"] == [event["id"]]
