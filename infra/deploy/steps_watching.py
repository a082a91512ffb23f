"""The steps that let people see how Baton is: log-based metrics, alarms, a dashboard."""

import json
from collections.abc import Iterator
from typing import Any

from infra.deploy.deployment import Deployment
from infra.deploy.gcloud import ETAG, FOUND, Step, as_json, value
from infra.deployables import ROOT

OBSERVABILITY = ROOT / "infra" / "terraform" / "observability.json"
Json = dict[str, Any]


def watching_steps(to: Deployment) -> Iterator[Step]:
    """Yields what comes after the functions: a policy on a metric that does not exist yet is
    refused.
    """
    tables = json.loads(to.renamed(OBSERVABILITY.read_text()))
    services = _services(to, public=False)
    for name, metric in tables["metrics"].items():
        yield _metric(to, name, metric_body(name, metric, services))
    if to.alert_email:
        yield from _channel(to, to.alert_email)
    for alert in tables["alerts"].values():
        yield _alert(to, alert_body(alert, _services(to, public=True), mailed=bool(to.alert_email)))
    yield _dashboard(to, dashboard_body(to.title, tables["charts"], services))


def metric_body(name: str, metric: Json, services: str) -> Json:
    """Returns a LogMetric of the Logging API."""
    labels, measures = metric["labels"], metric["value"]
    watched = (
        f'resource.type="cloud_run_revision" AND resource.labels.service_name=~"^({services})$"'
    )
    kind = (
        {"valueType": "DISTRIBUTION", "unit": "s"}
        if measures
        else {"valueType": "INT64", "unit": "1"}
    )
    body: Json = {
        "name": name,
        "description": metric["description"],
        "filter": f"{watched} AND {metric['filter']}",
        "metricDescriptor": {
            "metricKind": "DELTA",
            **kind,
            "labels": [{"key": label} for label in labels],
        },
        "labelExtractors": {label: f"EXTRACT(jsonPayload.{label})" for label in labels},
    }
    return {**body, "valueExtractor": f"EXTRACT(jsonPayload.{measures})"} if measures else body


def alert_body(alert: Json, public: str, *, mailed: bool) -> Json:
    """Returns an AlertPolicy of the Monitoring API."""
    aggregation = {
        "alignmentPeriod": f"{alert['period_seconds']}s",
        "perSeriesAligner": alert["aligner"],
        "crossSeriesReducer": alert["reducer"],
    }
    threshold: Json = {
        "filter": alert["filter"].replace("{public_services}", public),
        "aggregations": [aggregation],
        "comparison": "COMPARISON_GT",
        "thresholdValue": alert["threshold"],
        "duration": f"{alert['duration_seconds']}s",
    }
    if alert["denominator"]:
        threshold["denominatorFilter"] = alert["denominator"].replace("{public_services}", public)
        threshold["denominatorAggregations"] = [aggregation]
    return {
        "displayName": alert["title"],
        "combiner": "OR",
        "conditions": [{"displayName": alert["title"], "conditionThreshold": threshold}],
        "documentation": {"content": alert["advice"], "mimeType": "text/markdown"},
        "notificationChannels": [value("CHANNEL")] if mailed else [],
    }


def dashboard_body(title: str, charts: list[Json], services: str) -> Json:
    """Returns a Dashboard of the Monitoring API, two charts to a row."""
    tiles = [
        {
            "xPos": n % 2 * 6,
            "yPos": n // 2 * 4,
            "width": 6,
            "height": 4,
            "widget": _chart(chart, services),
        }
        for n, chart in enumerate(charts)
    ]
    return {"displayName": title, "mosaicLayout": {"columns": 12, "tiles": tiles}}


def _chart(chart: Json, services: str) -> Json:
    aggregation = {
        "alignmentPeriod": "60s",
        "perSeriesAligner": chart["aligner"],
        "crossSeriesReducer": chart["reducer"],
        "groupByFields": chart["group_by"],
    }
    filtered = {
        "filter": chart["filter"].replace("{services}", services),
        "aggregation": aggregation,
    }
    data = {"plotType": "LINE", "timeSeriesQuery": {"timeSeriesFilter": filtered}}
    return {"title": chart["title"], "xyChart": {"dataSets": [data]}}


def _services(to: Deployment, *, public: bool) -> str:
    return "|".join(
        sorted(to.service(name) for name, row in to.table.items() if row.public or not public)
    )


def _metric(to: Deployment, name: str, body: Json) -> Step:
    config, written = "--config-from-file=-", as_json(body)
    return Step(
        f"metric {name}",
        to.gcloud("logging metrics create", name, config, stdin=written),
        probe=to.gcloud("logging metrics describe", name),
        undo=to.gcloud("logging metrics delete", name),
        update=(to.gcloud("logging metrics update", name, config, stdin=written),),
    )


def _channel(to: Deployment, email: str) -> Iterator[Step]:
    listed = to.listed("beta monitoring channels list")
    same = {"type": "email", "labels": {"email_address": email}}
    labels = [
        f"--display-name=Baton: {email}",
        "--type=email",
        f"--channel-labels=email_address={email}",
    ]
    yield Step(
        "whom alarms mail",
        to.gcloud("beta monitoring channels create", *labels),
        probe=listed,
        same=same,
    )
    yield Step("the name of that address", listed, same=same, remembers="CHANNEL")


def _alert(to: Deployment, body: Json) -> Step:
    policy, written = "--policy-from-file=-", as_json(body)
    return Step(
        f"alarm {body['displayName']}",
        to.gcloud("alpha monitoring policies create", policy, stdin=written),
        probe=to.listed("alpha monitoring policies list"),
        same={"displayName": body["displayName"]},
        undo=to.gcloud("alpha monitoring policies delete", FOUND),
        update=(to.gcloud("alpha monitoring policies update", FOUND, policy, stdin=written),),
    )


def _dashboard(to: Deployment, body: Json) -> Step:
    config, same = "--config-from-file=-", {"displayName": body["displayName"]}
    changed = as_json({**body, "etag": ETAG})
    return Step(
        "dashboard",
        to.gcloud("monitoring dashboards create", config, stdin=as_json(body)),
        probe=to.listed("monitoring dashboards list"),
        same=same,
        undo=to.gcloud("monitoring dashboards delete", FOUND),
        update=(to.gcloud("monitoring dashboards update", FOUND, config, stdin=changed),),
    )
