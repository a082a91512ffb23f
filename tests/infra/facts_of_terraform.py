"""The facts of a deployment in the state that terraform holds after applying infra/terraform
against a mock.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping

from tests.infra.facts import NUMBER, Fact, Json, agent, canonical


class FromTerraform:
    """Reads resources; addresses and accounts that terraform learns only when it makes them get
    their names here.
    """

    def __init__(self, resources: Iterable[Json]) -> None:
        self._all = [
            (one["type"], one.get("index"), one["values"])
            for one in resources
            if one["mode"] == "managed"
        ]
        self._names: dict[str, str] = {}
        for kind, _, v in self._all:
            for given, name in _given(kind, v):
                self._names[given] = name

    def facts(self) -> set[Fact]:
        return {fact for kind, _, values in self._all for fact in READERS[kind](self, values)}

    def name(self, value: str) -> str:
        """Returns the name of what an address, an account or an id stands for."""
        bare = value.removeprefix("serviceAccount:")
        if bare.startswith("service-") and "@" in bare and bare not in self._names:
            return agent(bare)
        return str(self._names.get(bare, bare))

    def right(self, on: str, values: Json) -> Fact:
        condition = [
            re.sub(r"gcf-v2-sources-[^-]+-", f"gcf-v2-sources-{NUMBER}-", one["expression"])
            for one in values.get("condition") or []
        ]
        return ("right", on, self.name(values["member"]), values["role"], *condition)


def _given(kind: str, v: Json) -> Iterable[tuple[str, str]]:
    """Returns what the mock made up for a resource, and what it stands for."""
    if kind == "google_service_account":
        yield from ((v["email"], v["account_id"]), (v["name"], v["account_id"]))
    elif kind == "google_cloudfunctions2_function":
        service = v["service_config"][0]
        own = v["build_config"][0]["entry_point"]
        yield from ((service["uri"], own), (service["service"], v["name"].replace("_", "-")))
    elif kind == "google_pubsub_topic":
        yield v["id"], v["name"]
    elif kind == "google_artifact_registry_repository":
        yield from ((v["id"], v["repository_id"]), (v["name"], v["repository_id"]))
    elif kind == "google_monitoring_notification_channel":
        yield v["name"], "CHANNEL"


def _function(source: FromTerraform, v: Json) -> Iterable[Fact]:
    service, build = v["service_config"][0], v["build_config"][0]
    given = [
        (one["key"], one["secret"], one["version"])
        for one in service["secret_environment_variables"]
    ]
    connector, egress = service["vpc_connector"], service["vpc_connector_egress_settings"]
    # the mock fills what is not given
    network = (connector, SETTINGS[egress]) if egress in SETTINGS else (None, None)
    yield (
        "function", v["name"], v["location"], build["runtime"], build["entry_point"],
        build["source"][0]["storage_source"][0]["object"], source.name(build["service_account"]),
        source.name(build["docker_repository"]), source.name(service["service_account_email"]),
        SETTINGS[service["ingress_settings"]],
        service["available_memory"], service["available_cpu"],
        str(service["max_instance_request_concurrency"]),
        f"{service['timeout_seconds']}s", str(service["min_instance_count"]),
        str(service["max_instance_count"]),
        frozenset(service["environment_variables"].items()), frozenset(given),
        bool(build["automatic_update_policy"]), *network, _own(v["kms_key_name"]), _labels(v),
    )  # fmt: skip


SETTINGS = {
    "ALLOW_ALL": "all",
    "ALLOW_INTERNAL_AND_GCLB": "internal-and-gclb",
    "ALLOW_INTERNAL_ONLY": "internal-only",
    "ALL_TRAFFIC": "all",
    "PRIVATE_RANGES_ONLY": "private-ranges-only",
}


def _labels(v: Json) -> Fact:
    return tuple(sorted(f"{name}={text}" for name, text in (v["labels"] or {}).items()))


def _own(key: str | None) -> str | None:
    """Returns a key that was given: the mock fills what is not given."""
    return key if key and "/cryptoKeys/" in key else None


def _key(blocks: list[Json], name: str) -> str | None:
    return str(blocks[0][name]) if blocks else None


def _secret(_: FromTerraform, v: Json) -> Iterable[Fact]:
    replicas = [one for part in v["replication"][0]["user_managed"] for one in part["replicas"]]
    places = tuple(
        (one["location"], _key(one["customer_managed_encryption"], "kms_key_name"))
        for one in replicas
    )
    yield ("secret", v["secret_id"], places, _labels(v))


def _bucket(_: FromTerraform, v: Json) -> Iterable[Fact]:
    yield ("bucket", v["name"], v["location"], _key(v["encryption"], "default_kms_key_name"))
    for rule in v["lifecycle_rule"]:
        kept = v["soft_delete_policy"][0]["retention_duration_seconds"]
        yield ("kept", v["name"], rule["condition"][0]["age"], kept)
    if v["labels"]:
        yield ("labels", v["name"], _labels(v))


def _repository(_: FromTerraform, v: Json) -> Iterable[Fact]:
    yield ("repository", v["repository_id"], v["location"], _cleanup(v))
    yield ("encryption and labels", v["repository_id"], _own(v["kms_key_name"]), _labels(v))


def _subscription(source: FromTerraform, v: Json) -> Iterable[Fact]:
    push, retry, dead = (
        v[part][0] if v[part] else None
        for part in ("push_config", "retry_policy", "dead_letter_policy")
    )
    never = "never" if v["expiration_policy"][0]["ttl"] == "" else v["expiration_policy"][0]["ttl"]
    yield (
        "subscription", v["name"], source.name(v["topic"]), str(v["ack_deadline_seconds"]),
        v["message_retention_duration"], never, bool(v["enable_message_ordering"]),
        source.name(push["push_endpoint"]) if push else None,
        source.name(push["oidc_token"][0]["service_account_email"]) if push else None,
        source.name(push["oidc_token"][0]["audience"]) if push else None,
        (retry["minimum_backoff"], retry["maximum_backoff"]) if retry else None,
        (source.name(dead["dead_letter_topic"]), str(dead["max_delivery_attempts"]))
        if dead else None,
    )  # fmt: skip


def _field(_: FromTerraform, v: Json) -> Iterable[Fact]:
    indexes = frozenset(
        (one["query_scope"], one["order"]) for one in v["index_config"][0]["indexes"]
    )
    yield ("field", v["collection"], v["field"], indexes)
    if v["ttl_config"]:
        yield ("expiry", v["collection"], v["field"])


def _index(_: FromTerraform, v: Json) -> Iterable[Fact]:
    fields = tuple(
        (one["field_path"], "CONTAINS" if one["array_config"] == "CONTAINS" else one["order"])
        for one in v["fields"]
    )
    yield ("index", v["collection"], v["query_scope"], fields)


def _job(source: FromTerraform, v: Json) -> Iterable[Fact]:
    target = v["http_target"][0]
    token = target["oidc_token"][0]
    yield (
        "job", v["name"], v["region"], v["schedule"], v["time_zone"], target["http_method"].lower(),
        source.name(target["uri"]), source.name(token["service_account_email"]),
        source.name(token["audience"]),
        v["attempt_deadline"],
    )  # fmt: skip


def _metric(_: FromTerraform, v: Json) -> Iterable[Fact]:
    kind = v["metric_descriptor"][0]
    labels = frozenset(one["key"] for one in kind["labels"] or [])
    extractors = frozenset((v["label_extractors"] or {}).items())
    # the mock fills what is not given
    value = v["value_extractor"] if kind["value_type"] == "DISTRIBUTION" else None
    yield (
        "metric", v["name"], v["filter"], value, kind["metric_kind"], kind["value_type"],
        kind["unit"], labels, extractors,
    )  # fmt: skip


def _alert(source: FromTerraform, v: Json) -> Iterable[Fact]:
    condition = v["conditions"][0]
    absent = bool(condition["condition_absent"])
    watched = condition["condition_absent" if absent else "condition_threshold"][0]
    parts = [*watched["aggregations"], *watched.get("denominator_aggregations", [])]
    aggregations = tuple(
        (
            p["alignment_period"], p["per_series_aligner"], p["cross_series_reducer"],
            tuple(p["group_by_fields"] or []),
        )
        for p in parts
    )  # fmt: skip
    denominator = watched["denominator_filter"] if len(parts) > 1 else None  # as above
    yield (
        "alert", v["display_name"], "conditionAbsent" if absent else "conditionThreshold",
        watched["filter"], denominator, aggregations,
        watched.get("comparison"), None if absent else float(watched["threshold_value"]),
        watched["duration"], v["documentation"][0]["content"],
        tuple(one["url"] for one in v["documentation"][0]["links"] or []),
        tuple(source.name(one) for one in v["notification_channels"] or []),
    )  # fmt: skip


def _uptime_check(_: FromTerraform, v: Json) -> Iterable[Fact]:
    http, resource = v["http_check"][0], v["monitored_resource"][0]
    accepted = [
        {"statusClass": one["status_class"]} for one in http["accepted_response_status_codes"]
    ]
    body = {
        "displayName": v["display_name"],
        "monitoredResource": {"type": resource["type"], "labels": resource["labels"]},
        "httpCheck": {
            "requestMethod": http["request_method"],
            "path": http["path"],
            "port": http["port"],
            "useSsl": http["use_ssl"],
            "validateSsl": http["validate_ssl"],
            "acceptedResponseStatusCodes": accepted,
        },
        "contentMatchers": [
            {"content": one["content"], "matcher": one["matcher"]} for one in v["content_matchers"]
        ],
        "period": v["period"],
        "timeout": v["timeout"],
        "selectedRegions": v["selected_regions"],
    }
    yield ("uptime check", canonical(body))


def _objective(_: FromTerraform, v: Json) -> Iterable[Fact]:
    based = v["request_based_sli"][0]
    indicator: Json = {}
    for one in based["good_total_ratio"]:
        ratio = {"badServiceFilter": "bad_service_filter"}
        ratio |= {"totalServiceFilter": "total_service_filter"}
        indicator["goodTotalRatio"] = {name: one[ours] for name, ours in ratio.items()}
    for one in based["distribution_cut"]:
        limits = {name: one["range"][0][name] for name in ("min", "max")}
        indicator["distributionCut"] = {
            "distributionFilter": one["distribution_filter"],
            "range": limits,
        }
    body = {
        "displayName": v["display_name"],
        "goal": v["goal"],
        "rollingPeriod": f"{int(v['rolling_period_days']) * 86400}s",
        "serviceLevelIndicator": {"requestBased": indicator},
    }
    yield ("objective", v["slo_id"], canonical(body))


Reader = Callable[[FromTerraform, Json], Iterable[Fact]]
READERS: Mapping[str, Reader] = {
    "google_project_service": lambda s, v: [("api", v["service"])],
    # Optimistic concurrency has no flag in gcloud; Baton opens no transaction, so nothing depends
    # on it.
    "google_firestore_database": lambda s, v: [
        (
            "database",
            v["name"],
            v["location_id"],
            v["type"],
            _key(v["cmek_config"], "kms_key_name"),
        )
    ],
    "google_firestore_backup_schedule": lambda s, v: [("backup", v["retention"], "daily")],
    "google_firestore_index": _index,
    "google_firestore_field": _field,
    "google_service_account": lambda s, v: [("account", v["account_id"], v["display_name"])],
    "google_pubsub_topic": lambda s, v: [
        (
            "topic",
            v["name"],
            tuple(v["message_storage_policy"][0]["allowed_persistence_regions"]),
            _own(v["kms_key_name"]),
            _labels(v),
        )
    ],
    "google_pubsub_subscription": _subscription,
    "google_secret_manager_secret": _secret,
    "google_storage_bucket": _bucket,
    "google_kms_crypto_key_iam_member": lambda s, v: [s.right(f"key {v['crypto_key_id']}", v)],
    "google_storage_bucket_object": lambda s, v: [("source", v["name"])],
    "google_artifact_registry_repository": _repository,
    "google_cloudfunctions2_function": _function,
    "google_cloud_scheduler_job": _job,
    "google_logging_metric": _metric,
    "google_monitoring_notification_channel": lambda s, v: [("mail", v["labels"]["email_address"])],
    "google_monitoring_alert_policy": _alert,
    "google_monitoring_uptime_check_config": _uptime_check,
    "google_monitoring_slo": _objective,
    "google_monitoring_custom_service": lambda s, v: [
        ("watched service", v["service_id"], v["display_name"])
    ],
    "google_monitoring_dashboard": lambda s, v: [
        ("dashboard", canonical(json.loads(v["dashboard_json"])))
    ],
    "terraform_data": lambda s, v: _opened(s, v["input"]),
    "google_project_iam_member": lambda s, v: [s.right("project", v)],
    "google_pubsub_topic_iam_member": lambda s, v: [s.right(f"topic {v['topic']}", v)],
    "google_pubsub_subscription_iam_member": lambda s, v: [
        s.right(f"subscription {v['subscription']}", v)
    ],
    "google_secret_manager_secret_iam_member": lambda s, v: [
        s.right(f"secret {v['secret_id']}", v)
    ],
    "google_storage_bucket_iam_member": lambda s, v: [s.right(f"bucket {v['bucket']}", v)],
    "google_artifact_registry_repository_iam_member": lambda s, v: [
        s.right(f"repository {s.name(v['repository'])}", v)
    ],
    "google_cloud_run_v2_service_iam_member": lambda s, v: [
        s.right(f"service {s.name(v['name'])}", v)
    ],
}


def _opened(source: FromTerraform, given: object) -> Iterable[Fact]:
    """Others only wait, or make what gcloud makes without a fact."""
    if isinstance(given, dict):
        yield ("open", source.name(given["public"]))


def _cleanup(v: Json) -> frozenset[Fact]:
    def policy(one: Json) -> Fact:
        age = [part["older_than"] for part in one["condition"]]
        kept = [str(part["keep_count"]) for part in one["most_recent_versions"]]
        return (one["id"], one["action"], *age, *kept)

    return frozenset(map(policy, v["cleanup_policies"]))
