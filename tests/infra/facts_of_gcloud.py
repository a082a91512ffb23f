"""The facts of a deployment in the words of gcloud commands."""

import json
import re
from collections.abc import Callable, Iterable, Mapping

from infra.deploy.gcloud import Command, Step
from tests.infra.facts import NUMBER, Fact, agent, canonical


class FromGcloud:
    """Reads the commands that make things; what only asks, remembers or brings up to date says
    nothing new.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = [step for step in steps if step.remembers is None]

    def facts(self) -> set[Fact]:
        return {fact for step in self._steps for fact in self._facts(step.create)}

    def _facts(self, command: Command) -> Iterable[Fact]:
        if command.words[0] == "python":
            yield _watched(command)
            return
        words = [word for word in command.words[1:] if not word.startswith("--")]
        parts = (word.partition("=") for word in command.words if word.startswith("--"))
        flags = {name: value for name, _, value in parts}
        if "add-iam-policy-binding" in words:
            yield _binding(words, flags)
            return
        path = next((path for path in WRITERS if " ".join(words).startswith(path)), None)
        assert path is not None, f"what does this make? {' '.join(command.words)}"
        yield from WRITERS[path](words[len(path.split()) :], flags, command)


def _account(email: str) -> str:
    email = email.rpartition("/")[2].removeprefix("serviceAccount:")
    if email.startswith("service-"):
        return agent(email)
    return email.partition("@")[0]


def _binding(words: list[str], flags: Mapping[str, str]) -> Fact:
    *kind, _, of = words
    what = {
        "projects": "project", "pubsub topics": f"topic {of}",
        "pubsub subscriptions": f"subscription {of}",
        "secrets": f"secret {of}", "storage buckets": f"bucket {of.removeprefix('gs://')}",
        "artifacts repositories": f"repository {of}", "run services": f"service {of}",
        "kms keys": f"key {of}",
    }[" ".join(kind)]  # fmt: skip
    given = flags.get("--condition", "None")
    condition = (
        [] if given == "None" else [given.removeprefix("expression=").partition(",title=")[0]]
    )
    condition = [re.sub("\x00PROJECT_NUMBER\x00", NUMBER, one) for one in condition]
    return ("right", what, _account(flags["--member"]), flags["--role"], *condition)


def _deployed(names: list[str], f: Mapping[str, str], _: Command) -> Iterable[Fact]:
    separator, __, pairs = f["--set-env-vars"].removeprefix("^").partition("^")
    variables = frozenset(tuple(one.split("=", 1)) for one in pairs.split(separator))
    secrets = [one for one in f.get("--set-secrets", "").split(",") if one]
    given = frozenset(
        (key, *value.split(":")) for key, __, value in (one.partition("=") for one in secrets)
    )
    yield (
        "function", names[0], f["--region"], f["--runtime"], f["--entry-point"],
        f["--source"].rpartition("/")[2],
        _account(f["--build-service-account"]), f["--docker-repository"].rpartition("/")[2],
        _account(f["--service-account"]), f["--ingress-settings"], f["--memory"], f["--cpu"],
        f["--concurrency"],
        f["--timeout"], f["--min-instances"], f["--max-instances"], variables, given,
        f["--runtime-update-policy"] == "automatic",
        f.get("--vpc-connector"), f.get("--egress-settings"), f.get("--kms-key"),
        _labels(f, "--update-labels"),
    )  # fmt: skip


def _labels(flags: Mapping[str, str], flag: str = "--labels") -> Fact:
    return tuple(sorted(one for one in flags.get(flag, "").split(",") if one))


def _secret(names: list[str], f: Mapping[str, str], command: Command) -> Iterable[Fact]:
    policy = json.loads(command.stdin or '{"userManaged": {"replicas": []}}')
    places = tuple(
        (one["location"], one["customerManagedEncryption"]["kmsKeyName"])
        for one in policy["userManaged"]["replicas"]
    )
    assert places or f["--replication-policy"] == "automatic"
    yield ("secret", names[0], places, _labels(f))


def _subscribed(names: list[str], f: Mapping[str, str], _: Command) -> Iterable[Fact]:
    push = "--push-endpoint" in f
    yield (
        "subscription", names[0], f["--topic"], f["--ack-deadline"],
        f["--message-retention-duration"],
        f["--expiration-period"], "--enable-message-ordering" in f,
        _remembered(f["--push-endpoint"]) if push else None,
        _account(f["--push-auth-service-account"]) if push else None,
        _remembered(f["--push-auth-token-audience"]) if push else None,
        (f["--min-retry-delay"], f["--max-retry-delay"]) if push else None,
        (f["--dead-letter-topic"], f["--max-delivery-attempts"]) if push else None,
    )  # fmt: skip


def _remembered(url: str) -> str:
    return url.strip("\x00").removesuffix("_URL").lower()


def _indexed(_: list[str], f: Mapping[str, str], command: Command) -> Iterable[Fact]:
    configs = [
        word.partition("=")[2] for word in command.words if word.startswith("--field-config=")
    ]
    fields = tuple(
        tuple(part.partition("=")[2] for part in config.split(",")) for config in configs
    )
    scope = f["--query-scope"].upper().replace("-", "_")
    yield (
        "index",
        f["--collection-group"],
        scope,
        tuple((path, order.upper()) for path, order in fields),
    )


def _exempted(names: list[str], f: Mapping[str, str], command: Command) -> Iterable[Fact]:
    configs = [
        word.partition("=")[2].upper() for word in command.words if word.startswith("--index=")
    ]
    pairs = (dict(part.split("=") for part in config.split(",")) for config in configs)
    indexes = frozenset(("COLLECTION", one["ORDER"]) for one in pairs)  # gcloud's only scope
    yield ("field", f["--collection-group"], names[0], indexes)


def _scheduled(names: list[str], f: Mapping[str, str], _: Command) -> Iterable[Fact]:
    yield (
        "job", names[0], f["--location"], f["--schedule"], f["--time-zone"], f["--http-method"],
        _remembered(f["--uri"]), _account(f["--oidc-service-account-email"]),
        _remembered(f["--oidc-token-audience"]),
        f["--attempt-deadline"],
    )  # fmt: skip


def _measured(names: list[str], _: Mapping[str, str], command: Command) -> Iterable[Fact]:
    body = json.loads(command.stdin or "")
    kind = body["metricDescriptor"]
    yield (
        "metric", names[0], body["filter"], body.get("valueExtractor"), kind["metricKind"],
        kind["valueType"],
        kind["unit"], frozenset(one["key"] for one in kind["labels"]),
        frozenset(body["labelExtractors"].items()),
    )  # fmt: skip


def _alarmed(_: list[str], __: Mapping[str, str], command: Command) -> Iterable[Fact]:
    body = json.loads(command.stdin or "", strict=False)  # the mark of a stand-in stands in it
    condition = body["conditions"][0]
    kind = "conditionAbsent" if "conditionAbsent" in condition else "conditionThreshold"
    watched = condition[kind]
    parts = [*watched.get("aggregations", []), *watched.get("denominatorAggregations", [])]
    aggregations = tuple(
        (
            p["alignmentPeriod"], p["perSeriesAligner"], p["crossSeriesReducer"],
            tuple(p.get("groupByFields", [])),
        )
        for p in parts
    )  # fmt: skip
    threshold = watched.get("thresholdValue")
    yield (
        "alert", body["displayName"], kind, watched["filter"], watched.get("denominatorFilter"),
        aggregations,
        watched.get("comparison"), None if threshold is None else float(threshold),
        watched["duration"], body["documentation"]["content"],
        tuple(one["url"] for one in body["documentation"].get("links", [])),
        tuple(one.strip("\x00") for one in body["notificationChannels"]),
    )  # fmt: skip


def _watched(command: Command) -> Fact:
    """Returns what a call of the Monitoring API makes."""
    path, body = command.words[4], json.loads(command.stdin or "")
    if path.endswith("/uptimeCheckConfigs"):
        return ("uptime check", canonical(body))
    if "serviceLevelObjectives" in path:
        return ("objective", path.partition("Id=")[2], canonical(body))
    return ("watched service", path.partition("Id=")[2], body["displayName"])


def _cleaned(names: list[str], f: Mapping[str, str], command: Command) -> Iterable[Fact]:
    policies = json.loads(command.stdin or "")
    found = frozenset(
        (
            one["name"], one["action"]["type"].upper(),
            *([one["condition"]["olderThan"]] if "condition" in one else []),
            *([str(one["mostRecentVersions"]["keepCount"])] if "mostRecentVersions" in one else []),
        )
        for one in policies
    )  # fmt: skip
    yield ("repository", names[0], f["--location"], found)


Writer = Callable[[list[str], Mapping[str, str], Command], Iterable[Fact]]


def _kept(names: list[str], f: Mapping[str, str], command: Command) -> Iterable[Fact]:
    for rule in json.loads(command.stdin or "{}").get("rule", ()):
        deleted = int(f["--soft-delete-duration"])
        yield ("kept", names[0].removeprefix("gs://"), rule["condition"]["age"], deleted)


WRITERS: Mapping[str, Writer] = {
    "services enable": lambda n, f, c: [("api", one) for one in n],
    "beta services identity create": lambda n, f, c: [],
    "firestore databases create": lambda n, f, c: [
        (
            "database",
            f["--database"],
            f["--location"],
            f["--type"].upper().replace("-", "_"),
            f.get("--kms-key-name"),
        )
    ],
    "firestore backups schedules create": lambda n, f, c: [
        ("backup", "604800s", f["--recurrence"])
    ],
    "firestore indexes composite create": _indexed,
    "firestore indexes fields update": _exempted,
    "firestore fields ttls update": lambda n, f, c: [("expiry", f["--collection-group"], n[0])],
    "iam service-accounts create": lambda n, f, c: [("account", n[0], f["--display-name"])],
    "pubsub topics create": lambda n, f, c: [
        (
            "topic",
            n[0],
            (f["--message-storage-policy-allowed-regions"],),
            f.get("--topic-encryption-key"),
            _labels(f),
        )
    ],
    "pubsub subscriptions create": _subscribed,
    "secrets create": _secret,
    "secrets update": lambda n, f, c: [],
    "secrets versions add": lambda n, f, c: [],
    "storage buckets create": lambda n, f, c: [
        (
            "bucket",
            n[0].removeprefix("gs://"),
            f["--location"],
            f.get("--default-encryption-key"),
        ),
        *_kept(n, f, c),
    ],
    "storage buckets update": lambda n, f, c: (
        [("labels", n[0].removeprefix("gs://"), _labels(f, "--update-labels"))]
        if "--update-labels" in f
        else []
    ),
    "storage service-agent": lambda n, f, c: [],
    "storage cp": lambda n, f, c: [("source", n[1].rpartition("/")[2])],
    "artifacts repositories create": lambda n, f, c: [
        ("encryption and labels", n[0], f.get("--kms-key"), _labels(f))
    ],
    "artifacts repositories set-cleanup-policies": _cleaned,
    "functions deploy": _deployed,
    "run services update": lambda n, f, c: (
        [("open", n[0])] if "--no-invoker-iam-check" in f else []
    ),
    "scheduler jobs create http": _scheduled,
    "logging metrics create": _measured,
    "beta monitoring channels create": lambda n, f, c: [
        ("mail", f["--channel-labels"].partition("=")[2])
    ],
    "alpha monitoring policies create": _alarmed,
    "monitoring dashboards create": lambda n, f, c: [
        ("dashboard", canonical(json.loads(c.stdin or "")))
    ],
}
