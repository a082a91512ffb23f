"""What a deployment consists of, as plain facts that terraform's state and gcloud's words can
be compared by.
"""

import json
import re
from typing import Any

Json = dict[str, Any]
Fact = tuple[Any, ...]
NUMBER = "NUMBER"  # the project's


def agent(email: str) -> str:
    """Returns the name of a service agent of Google's, without the project's number."""
    domain = email.rpartition("@")[2].partition(".")[0]
    return f"agent:{domain.removeprefix('gcp-sa-')}"


def canonical(value: Any) -> str:
    """Returns JSON in one form, whole numbers written as such."""
    return re.sub(r"(\d)\.0\b", r"\1", json.dumps(value, sort_keys=True))
