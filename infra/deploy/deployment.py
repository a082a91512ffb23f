"""Where Baton is deployed and with what: what every step of a deployment needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.deploy.gcloud import Command, as_json
from infra.deployables import (
    PREFIX,
    Deployable,
    deployables,
    function_of,
    renamed,
    secret_of,
)
from infra.uses import Missing, missing, uses
from shared.settings.model import Settings

WEEK = "604800s"
EGRESS, INGRESS = ("private-ranges-only", "all"), ("all", "internal-and-gclb")


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where to, and with what. `secrets` are those with a value; `given` those whose value is
    in the environment.
    """

    project: str
    region: str
    sources: Mapping[str, Path]
    secrets: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict)
    firestore_location: str | None = None
    max_instances: int = 100
    alert_email: str | None = None
    runbook: str | None = None
    table: Mapping[str, Deployable] = field(default_factory=deployables)
    uses: tuple[str, ...] = ()  # channels and desks that were chosen; without any, what is set
    prefix: str = PREFIX
    named_database: str | None = None
    kms_key: str | None = None
    vpc_connector: str | None = None
    egress: str = EGRESS[0]  # what goes through the connector
    ingress: str = INGRESS[0]  # from where public functions are reached
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Says whether this is the Baton whose functions and secrets have their plain names."""
        return self.prefix == PREFIX

    @property
    def database(self) -> str:
        return self.named_database or ("(default)" if self.alone else f"baton-{self.prefix}")

    def renamed(self, text: str) -> str:
        return renamed(text, self.prefix)

    @property
    def title(self) -> str:
        return "Baton" if self.alone else f"Baton {self.prefix}"

    def function(self, name: str) -> str:
        return function_of(name, self.prefix)

    def secret(self, name: str) -> str:
        """Returns the secret that holds the value of a variable."""
        return secret_of(name, self.prefix)

    def account(self, name: str) -> str:
        return f"{self.prefix}-{name.replace('_', '-')}@{self.project}.iam.gserviceaccount.com"

    def service(self, function: str) -> str:
        """Returns the Cloud Run service behind a function."""
        return self.function(function).replace("_", "-")

    def url(self, function: str) -> str:
        """Returns the address that is given to platforms."""
        return f"https://{self.region}-{self.project}.cloudfunctions.net/{self.function(function)}"

    def key(self, flag: str) -> list[str]:
        """Returns the flag that has something encrypted with the own key, if there is one."""
        return [f"{flag}={self.kms_key}"] if self.kms_key else []

    def labelled(self, flag: str) -> list[str]:
        pairs = ",".join(f"{name}={text}" for name, text in sorted(self.labels.items()))
        return [f"{flag}={pairs}"] if pairs else []

    @property
    def used(self) -> list[str]:
        """Returns what the operator uses, by the names of infra/uses.py."""
        return uses(self.uses, self.settings, self.secrets)

    @property
    def missing(self) -> list[Missing]:
        """Returns what that needs and what has no value yet."""
        return missing(self.used, self.settings, self.secrets)

    @property
    def journal_days(self) -> str:
        return self.settings.get("JOURNAL_TTL_DAYS", str(Settings().journal_ttl_days))

    @property
    def media(self) -> str | None:
        """Returns the bucket of conversations' files, if there is one."""
        name = self.settings.get("MEDIA_BUCKET")
        return f"gs://{name}" if name else None

    @property
    def bucket(self) -> str:
        return f"gs://{self.project}-{self.prefix}-sources"

    def gcloud(
        self, command: str, *words: str, stdin: str | None = None, secret: str | None = None
    ) -> Command:
        return Command(
            ("gcloud", *command.split(), *words, f"--project={self.project}", "--quiet"),
            stdin,
            secret,
        )

    def rest(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Command:
        """Returns a call of the Monitoring API, where gcloud has no command."""
        words = ("python", "-m", "infra.deploy.rest", method, f"v3/{path}")
        return Command(words, None if body is None else as_json(dict(body)))

    def listed(self, command: str, *words: str) -> Command:
        """Returns a command that prints a whole list."""
        return self.gcloud(command, *words, "--format=json")

    def right(self, command: str, of: str, member: str, role: str, *words: str) -> Command:
        return self.gcloud(
            f"{command} add-iam-policy-binding", of, f"--member={member}", f"--role={role}", *words
        )


def webhook_urls(to: Deployment) -> dict[str, str]:
    """Returns the address of each door."""
    return {path: f"{to.url(name)}/{path}" for name, row in to.table.items() for path in row.paths}
