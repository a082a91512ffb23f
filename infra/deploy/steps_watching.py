"""The steps that let people see how Baton is: log-based metrics, uptime checks, service level
objectives, alarms, a dashboard.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from infra.deploy.deployment import INGRESS, Deployment
from infra.deploy.gcloud import ETAG, FOUND, Step, as_json, value
from infra.deployables import ROOT
from infra.documents.alarms import anchor

OBSERVABILITY = ROOT / "infra" / "terraform" / "observability.json"
RUNBOOK = "infra/RUNBOOK.md"
DAY = 86_400
Json = dict[str, Any]


def watching_steps(to: Deployment) -> Iterator[Step]:
    """Yields what comes after the functions: a policy on a metric that does not exist yet is
    refused.
    """
    titles = {
        name: one["title"] for name, one in json.loads(OBSERVABILITY.read_text())["alerts"].items()
    }
    tables = json.loads(to.renamed(OBSERVABILITY.read_text()))
    filled = json.loads(_filled(to, json.dumps(tables)))
    services = "|".join(sorted(map(to.service, to.table)))
    for name, metric in tables["metrics"].items():
        yield _metric(to, name, metric_body(name, metric, services))
    for function, check in filled["checks"].items():
        # Google's checks come from the internet.
        if function in to.table and to.ingress == INGRESS[0]:
            yield _check(to, check_body(to, function, check))
    yield _watched_service(to)
    for name, objective in filled["objectives"].items():
        yield _objective(to, name, objective_body(objective))
    if to.alert_email:
        yield from _channel(to, to.alert_email)
    for name, alert in filled["alerts"].items():
        body = alert_body(
            alert, anchor(titles[name]), mailed=bool(to.alert_email), runbook=to.runbook
        )
        yield _alert(to, body)
    yield _dashboard(to, dashboard_body(to.title, tables["charts"], services))


def _filled(to: Deployment, text: str) -> str:
    """Returns the table with this deployment's names."""
    topics = sorted(to.renamed(row.topic) for row in to.table.values() if row.topic)
    names = {
        "accepting_services": _accepting_services(to),
        "subscriptions": "|".join(topics),
        "host": urlsplit(to.url("")).netloc,
        "sweep": to.service("sweep"),
        "slo": f"projects/{to.project}/services/{to.prefix}/serviceLevelObjectives/",
    }
    for name, there in names.items():
        text = text.replace(f"{{{name}}}", there)
    return text


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


def check_body(to: Deployment, function: str, check: Json) -> Json:
    """Returns an UptimeCheckConfig of the Monitoring API."""
    at = urlsplit(to.url(function))
    return {
        "displayName": f"{to.title}: {function}",
        "monitoredResource": {
            "type": "uptime_url",
            "labels": {"project_id": to.project, "host": at.netloc},
        },
        "httpCheck": {
            "requestMethod": "GET",
            "path": f"{at.path}{check['path']}",
            "port": 443,
            "useSsl": True,
            "validateSsl": True,
            "acceptedResponseStatusCodes": [{"statusClass": "STATUS_CLASS_2XX"}],
        },
        "contentMatchers": [{"content": check["contains"], "matcher": "CONTAINS_STRING"}],
        "period": "300s",
        "timeout": "10s",
        "selectedRegions": ["EUROPE", "ASIA_PACIFIC", "USA_IOWA"],
    }


def objective_body(objective: Json) -> Json:
    """Returns a ServiceLevelObjective of the Monitoring API."""
    if objective["measured"]:
        measured = {
            "distributionFilter": objective["measured"],
            "range": {"min": 0, "max": objective["at_most"]},
        }
        based: Json = {"distributionCut": measured}
    else:
        ratio = {
            "totalServiceFilter": objective["total"],
            "badServiceFilter": objective["bad"],
        }
        based = {"goodTotalRatio": ratio}
    return {
        "displayName": objective["title"],
        "goal": objective["goal"],
        "rollingPeriod": f"{objective['days'] * DAY}s",
        "serviceLevelIndicator": {"requestBased": based},
    }


def alert_body(alert: Json, paragraph: str, *, mailed: bool, runbook: str | None) -> Json:
    """Returns an AlertPolicy of the Monitoring API. `paragraph` is the anchor in the runbook."""
    paragraph = f"#{paragraph}"
    links = [{"displayName": "Runbook", "url": f"{runbook}{paragraph}"}] if runbook else []
    content = f"{alert['advice']}\n\nWhat to do: {RUNBOOK}{paragraph}"
    documentation = {"content": content, "mimeType": "text/markdown"}
    return {
        "displayName": alert["title"],
        "combiner": "OR",
        "conditions": [{"displayName": alert["title"], **_condition(alert)}],
        "documentation": {**documentation, **({"links": links} if links else {})},
        "notificationChannels": [value("CHANNEL")] if mailed else [],
    }


def _condition(alert: Json) -> Json:
    aggregation = {
        "alignmentPeriod": f"{alert['period_seconds']}s",
        "perSeriesAligner": alert["aligner"],
        "crossSeriesReducer": alert["reducer"],
        **({"groupByFields": alert["group_by"]} if alert["group_by"] else {}),
    }
    # The rate at which a budget is used up is one series already.
    aggregations = [aggregation] if alert["aligner"] else []
    watched: Json = {
        "filter": alert["filter"],
        "duration": f"{alert['duration_seconds']}s",
        **({"aggregations": aggregations} if aggregations else {}),
    }
    if alert["absent"]:
        return {"conditionAbsent": watched}
    watched |= {"comparison": "COMPARISON_GT", "thresholdValue": alert["threshold"]}
    if alert["denominator"]:
        watched["denominatorFilter"] = alert["denominator"]
        watched["denominatorAggregations"] = aggregations
    return {"conditionThreshold": watched}


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


def _accepting_services(to: Deployment) -> str:
    """Returns the public services that accept events. relay_media accepts nothing: its 5xx are
    those of a platform that does not hand out a file.
    """
    accepting = (name for name, row in to.table.items() if row.public and row.publishes)
    return "|".join(sorted(map(to.service, accepting)))


def _metric(to: Deployment, name: str, body: Json) -> Step:
    config, written = "--config-from-file=-", as_json(body)
    return Step(
        f"metric {name}",
        to.gcloud("logging metrics create", name, config, stdin=written),
        probe=to.gcloud("logging metrics describe", name),
        undo=to.gcloud("logging metrics delete", name),
        update=(to.gcloud("logging metrics update", name, config, stdin=written),),
    )


def _check(to: Deployment, body: Json) -> Step:
    of = f"projects/{to.project}/uptimeCheckConfigs"
    changed = "displayName,httpCheck,contentMatchers,period,timeout,selectedRegions"
    return Step(
        f"uptime check {body['displayName']}",
        to.rest("POST", of, body),
        probe=to.listed("monitoring uptime list-configs"),
        same={"displayName": body["displayName"]},
        undo=to.rest("DELETE", FOUND),
        update=(to.rest("PATCH", f"{FOUND}?updateMask={changed}", body),),
    )


def _watched_service(to: Deployment) -> Step:
    of = f"projects/{to.project}/services"
    return Step(
        "service whose objectives are watched",
        to.rest("POST", f"{of}?serviceId={to.prefix}", {"displayName": to.title, "custom": {}}),
        probe=to.rest("GET", f"{of}/{to.prefix}"),
        undo=to.rest("DELETE", f"{of}/{to.prefix}"),
    )


def _objective(to: Deployment, name: str, body: Json) -> Step:
    of = f"projects/{to.project}/services/{to.prefix}/serviceLevelObjectives"
    changed = "displayName,goal,rollingPeriod,serviceLevelIndicator"
    return Step(
        f"objective: {body['displayName']}",
        to.rest("POST", f"{of}?serviceLevelObjectiveId={name}", body),
        probe=to.rest("GET", f"{of}/{name}"),
        undo=to.rest("DELETE", f"{of}/{name}"),
        update=(to.rest("PATCH", f"{of}/{name}?updateMask={changed}", body),),
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
