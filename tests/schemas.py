"""What Baton publishes and posts, judged by the schemas in functions/schemas."""

import json
from functools import cache
from pathlib import Path

import jsonschema_rs

FOLDER = Path(__file__).parents[1] / "functions" / "schemas"


@cache
def schema(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads((FOLDER / f"{name}.json").read_text()))


def judge(name: str, body: bytes) -> None:
    """Raises jsonschema_rs.ValidationError for a body that the topic or webhook does not have."""
    schema(name).validate(json.loads(body))
