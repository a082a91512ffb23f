"""infra/terraform is well formed, valid against the provider's schema, and wired as its own
tests say.
"""

import re
from pathlib import Path
from typing import Any


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
