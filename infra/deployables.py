"""Reads functions.json, the one table of deployables. Terraform reads the same file.

The file lies in terraform/ and is linked from here, so that terraform's folder is complete where it
is copied to.
"""

import argparse
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "infra" / "functions.json"
PREFIX = "baton"  # of names, where a project holds one Baton

Topic = Annotated[str, Field(pattern=r"^baton-[a-z-]+$")]
Role = Annotated[str, Field(pattern=r"^roles/[a-zA-Z.]+$")]


class Retry(BaseModel):
    """How often Pub/Sub delivers again, and after how many deliveries a message becomes a dead
    letter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_seconds: Annotated[int, Field(ge=0, le=600)]
    max_seconds: Annotated[int, Field(ge=0, le=600)]
    max_deliveries: Annotated[int, Field(ge=5, le=100)]


class Deployable(BaseModel):
    """One function: its trigger, its secrets and settings, its topics, and its size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trigger: Literal["http-public", "http-private", "pubsub", "schedule"]
    paths: tuple[str, ...] = ()
    topic: Topic | None = None
    schedule: str | None = None
    retry: Retry | None = None
    secrets: tuple[str, ...]
    settings: tuple[str, ...]
    roles: tuple[Role, ...]
    bucket_role: Role | None = None  # on the bucket of files, where there is one
    publishes: tuple[Topic, ...]
    memory_mb: Annotated[int, Field(ge=128)]
    cpu: Annotated[int, Field(ge=1, le=8)]
    concurrency: Annotated[int, Field(ge=1, le=1000)]
    timeout_seconds: Annotated[int, Field(ge=1, le=540)]
    min_instances: Annotated[int, Field(ge=0)]
    max_instances: Annotated[int, Field(ge=1)]

    @property
    def public(self) -> bool:
        return self.trigger == "http-public"

    @property
    def ack_deadline_seconds(self) -> int:
        """Returns more seconds than the function may run, so that nothing is delivered again while
        it is still processed.
        """
        return self.timeout_seconds + 30

    @model_validator(mode="after")
    def _matches_its_trigger(self) -> Self:
        needs = {"pubsub": ("topic", "retry"), "schedule": ("schedule",)}.get(self.trigger, ())
        for field in ("topic", "retry", "schedule"):
            if (getattr(self, field) is not None) != (field in needs):
                raise ValueError(
                    f"{field} {'is missing' if field in needs else 'has no meaning'} with "
                    f"{self.trigger}"
                )
        if self.min_instances > self.max_instances:
            raise ValueError("min_instances is more than max_instances")
        return self


_ROWS = TypeAdapter(dict[str, Deployable])


def deployables(path: Path = TABLE) -> dict[str, Deployable]:
    """Returns the table. Raises pydantic.ValidationError with the row and field that is wrong."""
    return _ROWS.validate_json(path.read_bytes())


def renamed(text: str, prefix: str) -> str:
    """Returns names of Google Cloud (like baton-outbox or baton_refusals) and titles (Baton: ...)
    as the Baton with this prefix has them.
    """
    if prefix == PREFIX:
        return text
    return re.sub(r"\bBaton(?=:)", f"Baton {prefix}", re.sub(r"\bbaton(?=[-_])", prefix, text))


def function_of(name: str, prefix: str) -> str:
    """Returns a function's name in the Baton with this prefix."""
    return name if prefix == PREFIX else f"{prefix}_{name}"


def secret_of(name: str, prefix: str) -> str:
    """Returns the secret that holds a variable's value in the Baton with this prefix."""
    return name if prefix == PREFIX else f"{prefix}-{name}"


def prefix_from(text: str) -> str:
    """Returns the prefix that an option names. Raises argparse.ArgumentTypeError."""
    if not re.fullmatch(r"[a-z][a-z0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(
            "give 2 to 10 lower-case letters and digits, a letter first: names have a limit"
        )
    return text


def topics(table: dict[str, Deployable]) -> list[str]:
    """Returns every topic that a function listens to or publishes to, sorted."""
    return sorted(
        {topic for row in table.values() for topic in (*row.publishes, row.topic) if topic}
    )


def consumed_topics() -> list[str]:
    """Returns the topics that functions consume."""
    return sorted({one.topic for one in deployables().values() if one.topic})


def dead_letters_of(topic: str) -> str:
    """Returns the names of a topic's dead-letter topic and of the subscription that keeps its
    messages.
    """
    return f"{topic}-dead"


def secrets(table: dict[str, Deployable]) -> list[str]:
    """Returns every secret that a function reads, sorted."""
    return sorted({secret for row in table.values() for secret in row.secrets})


def settings(table: dict[str, Deployable]) -> list[str]:
    """Returns every plain setting that a function reads, sorted."""
    return sorted({setting for row in table.values() for setting in row.settings})
