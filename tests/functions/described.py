"""Calls as an OpenAPI document describes them, made and judged by schemathesis.

It takes a third of a second to load, so that a test imports this module where it is needed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks

from tests.soak import SOAKS

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EFFORT = settings(
    max_examples=15 if SOAKS else 7,  # of each call
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Described:
    """A server, whose calls are made as its document says."""

    def __init__(self, document: dict[str, Any], url: str) -> None:
        self._schema = schemathesis.openapi.from_dict(document)
        self._schema.config.update(base_url=url)

    def drive(
        self,
        path: str,
        method: str,
        headers: Mapping[str, str],
        then: Callable[[Any, Any], None] = lambda sent, answer: None,
        **given_in: Any,
    ) -> None:
        """Makes calls of any content. `then` sees what each sent, and the answer."""

        @EFFORT
        @given(self._schema[path][method].as_strategy(**given_in))
        def call(case: schemathesis.Case[Any]) -> None:
            then(case.body, case.call_and_validate(headers=dict(headers), checks=CHECKS))

        call()
