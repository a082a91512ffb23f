"""infra/terraform is well formed, valid against the provider's schema, and wired as its own
tests say.
"""

from typing import Any


def test_it_is_valid_and_its_tests_pass(verdict: Any) -> None:
    assert verdict.code == 0, "\n".join([*verdict.failures(), verdict.text[-3000:]])
    assert sum(message.get("type") == "test_file" for message in verdict.messages) >= 3
