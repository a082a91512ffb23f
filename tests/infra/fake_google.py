"""A stand-in for Google's APIs that the real gcloud talks to: it keeps what is made, and answers in
the forms of the APIs' reference (lists in pages of two, long-running operations, ALREADY_EXISTS).

It has none of Baton's code, and applies no filter: most of these lists have none, so that gcloud
filters. What it does not know it answers with 501, which fails the test.
"""

import base64
import copy
import hashlib
import itertools
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.infra.discovery import Call

Json = dict[str, Any]
NUMBER, PAGE = "123456789012", 2
APIS = (
    "artifactregistry cloudbuild cloudfunctions cloudkms cloudresourcemanager cloudscheduler "
    "firestore iam logging monitoring pubsub run secretmanager serviceusage storage"
).split()
WORDS = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 409: "ALREADY_EXISTS", 501: "UNIMPLEMENTED"}
# Collections that are changed by operations which take their time.
LONG = ("databases", "indexes", "fields", "repositories", "functions")
CHANGED_LONG = ("databases", "indexes", "fields", "functions")
ETAGGED = ("dashboards", "databases", "secrets", "serviceAccounts")
# The field of a body that becomes the name, where it is not in the query.
NAMED_BY = {"metrics": "name", "serviceAccounts": "accountId", "jobs": "name"}
NAMED_BY_QUERY = {
    "databases": "databaseId",
    "secrets": "secretId",
    "repositories": "repositoryId",
    "functions": "functionId",
    "services": "serviceId",
    "serviceLevelObjectives": "serviceLevelObjectiveId",
}


SERVICES = "run/apis/serving.knative.dev/v1/namespaces/baton-test/services"
RUN = "run/projects/baton-test/locations/europe-west1/services"
PROJECT = "cloudresourcemanager/projects/baton-test"
OPEN = "run.googleapis.com/invoker-iam-disabled"
METADATA = {"@type": "type.googleapis.com/operation", "createTime": "2026-11-29T12:00:00Z"}
VERSION = {"state": "ENABLED", "clientSpecifiedPayloadChecksum": True}


# Messages of Google's, as people reported them.
# https://github.com/hashicorp/terraform-provider-google/issues/20571
NO_SOURCES = (
    "Build failed with status: FAILURE and message: failed to Fetch: failed to download archive "
    "gs://{bucket}/x/function-source.zip: Access to bucket {bucket} denied. You must grant Storage "
    "Object Viewer permission to the build service account."
)
NOT_YET = NO_SOURCES.format(bucket=f"gcf-v2-sources-{NUMBER}-europe-west1")
# https://github.com/googlemaps/js-route-optimization-app/issues/198
RESTRICTED = (
    "One or more users named in the policy do not belong to a permitted customer,  perhaps due to "
    "an organization policy."
)
# https://github.com/hashicorp/terraform-provider-google/issues/11102
NO_METRIC = (
    'Cannot find metric that matches type = "{metric}". If a metric was created recently, it could '
    "take up to 10 minutes to become available. Please try again soon."
)
# https://github.com/GoogleCloudPlatform/cloud-ops-sandbox/issues/896
NO_METRIC_OF_OBJECTIVE = (
    "Invalid SLO definition: The metric referenced by the provided filter is unknown. Check the "
    "metric name and labels."
)


class Refused(Exception):
    """An error as Google answers it."""

    def __init__(self, status: int, message: str, word: str | None = None) -> None:
        super().__init__(message)
        self.status, self.word = status, word or WORDS[status]

    @property
    def body(self) -> Json:
        return {"error": {"code": self.status, "message": str(self), "status": self.word}}


@dataclass
class Google:
    """All that was made, by API and path; `made` counts what was made and not there before.

    The fields after `shut` say what this project refuses, or does not know yet.
    """

    things: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    operations: dict[str, Json] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    opened: set[str] = field(default_factory=set)
    shut: set[str] = field(default_factory=set)  # was open, and refused everybody for a moment
    restricts_domains: bool = False
    keeps_invoker_check: bool = False
    builds_to_fail: int = 0
    metrics_to_refuse: int = 0

    def answer(self, method: str, api: str, path: str, query: Json, body: Json) -> Json:
        """Returns what an API answers. Raises Refused."""
        whole = re.sub(r"^(storage/)?(v\d\w*/)?", "", unquote(path).strip("/"))
        if verb := re.search(r":(\w+)$", whole):
            return self._verb(api, f"{api}/{whole[: verb.start()]}", verb[1], body)
        at = f"{api}/{whole}"
        if "/operations/" in f"/{at}":
            return self._polled(at)
        if at == f"cloudresourcemanager/{whole}" and re.fullmatch(r"projects/[a-z-]+", whole):
            return {"projectId": whole[9:], "projectNumber": NUMBER, "lifecycleState": "ACTIVE"}
        if api == "storage":
            return self._storage(method, at, query, body)
        if api == "run" and "/namespaces/" in at:
            return self._service(method, at, body)
        if at.endswith("/runtimes"):
            return {"runtimes": [{"name": "python313", "environment": "GEN_2", "stage": "GA"}]}
        is_collection = len(re.sub(r"^[^/]+/", "", at).split("/")) % 2 == 1
        if method == "GET":
            if "/functions/" in f"{at}/":
                self._shows_traffic(at)
            return self._listed(at, query) if is_collection else self._there(at)
        if method == "POST" and is_collection:
            return self._made(at, query, body)
        if method == "PUT":
            return self._put(at, body)
        if method == "PATCH":
            return self._changed(at, body, query)
        if method == "DELETE":
            return self._gone(at)
        raise Refused(501, f"{method} {at}")

    def state(self) -> dict[str, str]:
        """Returns all that is there, without the ids and etags that Google draws."""
        every = {**self.things, **{f"{at}:policy": one for at, one in self.policies.items()}}
        drawn = re.compile(r'made-\d+|"etag": "[^"]*"|-\d{5}"')
        written = {at: json.dumps(one, sort_keys=True) for at, one in every.items()}
        return {
            drawn.sub("", f"{at} {re.findall('displayName.*?,', text)}"): drawn.sub("", text)
            for at, text in written.items()
        }

    def _there(self, at: str) -> Json:
        at = re.sub(r"^iam/projects/-/", "iam/projects/baton-test/", at)
        if at.endswith("/versions/latest"):
            every = [one for one in self.things if one.startswith(at.removesuffix("latest"))]
            at = max(every, default=at)
        if at not in self.things:
            raise Refused(404, f"Resource not found: {at}")
        return self.things[at]

    def _listed(self, at: str, query: Json) -> Json:
        """Firestore lists the indexes of all groups, whichever is asked for."""
        pattern = re.escape(at).replace(r"collectionGroups/\-", "collectionGroups/[^/]+")
        every = [one for path, one in self.things.items() if re.fullmatch(f"{pattern}/[^/]+", path)]
        start = int(query.get("pageToken", 0))
        page = every[start : start + PAGE]
        if not page:
            return {}
        more = {"nextPageToken": str(start + PAGE)} if len(every) > start + PAGE else {}
        return {at.rpartition("/")[2]: page, **more}

    def _made(self, at: str, query: Json, body: Json) -> Json:
        collection = at.rpartition("/")[2]
        self._refuses(collection, at, body)
        name = query.get(NAMED_BY_QUERY.get(collection, "")) or body.get(
            NAMED_BY.get(collection, ""), f"made-{next(self.numbers)}"
        )
        name = name.rpartition("/")[2]
        if collection == "serviceAccounts":
            name = f"{name}@baton-test.iam.gserviceaccount.com"
            body = {**body.get("serviceAccount", {}), "email": name, "projectId": "baton-test"}
        if f"{at}/{name}" in self.things:
            raise Refused(409, f"{collection} {name} already exists")
        return self._kept(f"{at}/{name}", body)

    def _refuses(self, collection: str, at: str, body: Json) -> None:
        there = [one for path, one in self.things.items() if path.startswith(f"{at}/")]
        if collection == "backupSchedules" and any(
            "dailyRecurrence" in one for one in there if "dailyRecurrence" in body
        ):
            raise Refused(409, "Only one daily backup schedule is allowed per database")
        if collection == "indexes":
            asked = [one["fieldPath"] for one in body["fields"]]
            for one in there:
                paths = [part["fieldPath"] for part in one["fields"]][:-1]
                if (paths, one["queryScope"]) == (asked, body["queryScope"]):
                    raise Refused(409, "index already exists")
        if collection == "serviceLevelObjectives":
            self._there(at.rpartition("/")[0])
        metrics = re.findall(r"logging\.googleapis\.com/user/([\w-]+)", json.dumps(body))
        if collection in ("alertPolicies", "serviceLevelObjectives") and metrics:
            self._reads(collection, metrics[0])
        for objective in re.findall(r'select_slo_burn_rate\(\\\\?"([^"\\]+)', json.dumps(body)):
            if f"monitoring/{objective}" not in self.things:
                raise Refused(400, f"The objective {objective} does not exist")
        for channel in body.get("notificationChannels", []):
            if f"monitoring/{channel}" not in self.things:
                raise Refused(400, f"Notification channel {channel!r} does not exist")

    def _reads(self, collection: str, metric: str) -> None:
        """A log-based metric is known some minutes after it was made."""
        self.metrics_to_refuse -= 1
        made = f"logging/projects/baton-test/metrics/{metric}" in self.things
        if made and self.metrics_to_refuse < 0:
            return
        if collection == "serviceLevelObjectives":
            raise Refused(400, NO_METRIC_OF_OBJECTIVE)
        raise Refused(404, NO_METRIC.format(metric=f"logging.googleapis.com/user/{metric}"))

    def _kept(self, at: str, body: Json) -> Json:
        collection = at.split("/")[-2]
        own = at.partition("/")[2]
        short = {"metrics": own.rpartition("/")[2]}
        thing = {**copy.deepcopy(body), "name": short.get(collection, own)}
        if collection in ETAGGED:
            thing["etag"] = _etag(1)
        if collection == "indexes":
            thing["fields"].append({"fieldPath": "__name__", "order": "ASCENDING"})
            thing["state"] = "READY"
        if collection == "functions":
            thing["environment"] = "GEN_2"
        self.things[at] = thing
        self.made.append(at)
        failed = self._built(at) if collection == "functions" else None
        return self._operation(at, failed) if collection in LONG else thing

    def _put(self, at: str, body: Json) -> Json:
        """Pub/Sub makes by PUT, which is refused where it exists; a metric is replaced by it."""
        if at.split("/")[-2] == "metrics":
            return self._changed(at, body, {})
        self._refuses(at.split("/")[-2], at, body)
        if at in self.things:
            raise Refused(409, f"Resource already exists in the project (resource={at}).")
        return self._kept(at, body)

    def _changed(self, at: str, body: Json, query: Json) -> Json:
        if at.split("/")[-2] == "fields" and at not in self.things:
            self.things[at] = {
                "name": at.partition("/")[2],
                "indexConfig": {"usesAncestorConfig": True},
            }
        there = self._there(at)
        if at.split("/")[-2] == "dashboards" and body.get("etag") != there["etag"]:
            raise Refused(409, "The etag is not that of the dashboard")
        self._refuses("", at, body)
        before = copy.deepcopy(there)
        if "updateMask" in body:  # Pub/Sub's form of a change
            body = body.get("topic") or body.get("subscription") or {}
        masked = query.get("updateMask", "").replace("_", "")
        for name, value in body.items():
            if name in ("name", "etag"):
                continue
            if not masked or name.lower() in masked.lower():
                there[name] = {**there.get(name, {}), **value} if name == "serviceConfig" else value
        if before != there:
            self.changed.append(at)
            if "etag" in there:
                there["etag"] = _etag(len(self.changed) + 1)
        failed = self._built(at) if at.split("/")[-2] == "functions" else None
        return self._operation(at, failed) if at.split("/")[-2] in CHANGED_LONG else there

    def _operation(self, at: str, failed: str | None = None) -> Json:
        """Returns an operation. The first of an API is done at the second time of asking."""
        parent = re.sub(r"/(collectionGroups|repositories|functions)/.*", "", at)
        name = f"{parent}/operations/op-{len(self.operations)}"
        is_first = not any(one.startswith(at.partition("/")[0]) for one in self.operations)
        self.operations[name] = {"polled": 0 if is_first else 1, "at": at, "failed": failed}
        return {"name": name.partition("/")[2], "metadata": METADATA}

    def _polled(self, at: str) -> Json:
        if at not in self.operations:
            raise Refused(404, f"no operation {at}")
        operation = self.operations[at]
        operation["polled"] += 1
        if operation["polled"] < 2:
            return {"name": at.partition("/")[2], "metadata": METADATA}
        if operation.get("failed"):
            error = {"code": 13, "message": operation["failed"]}
            own = at.partition("/")[2]
            return {"name": own, "metadata": METADATA, "done": True, "error": error}
        made = operation.get("response") or self.things.get(operation["at"], {})
        response = {"@type": "type.googleapis.com/made", **made}
        own = at.partition("/")[2]
        return {"name": own, "metadata": METADATA, "done": True, "response": response}

    def _gone(self, at: str) -> Json:
        at = f"{at.partition('/')[0]}/{self._there(at)['name']}" if "/-/" in at else at
        self._there(at)
        within = [one for one in (*self.things, *self.policies) if f"{one}/".startswith(f"{at}/")]
        if "/functions/" in at:
            service = at.rpartition("/")[2].replace("_", "-")
            within += [f"{SERVICES}/{service}", f"{RUN}/{service}"]
        for one in within:
            self.things.pop(one, None)
            self.policies.pop(one, None)
        return self._operation(at) if at.split("/")[-2] in LONG else {}

    def _service(self, method: str, at: str, body: Json) -> Json:
        """Cloud Run's service in the form of its first API, by which gcloud changes it."""
        there = self._there(at)
        if method != "PUT":
            return there
        annotations = body["metadata"].get("annotations", {})
        if self.keeps_invoker_check and annotations.get(OPEN) == "True":
            said = "Operation denied by org policy: constraints/run.managed.requireInvokerIam"
            raise Refused(400, said, "FAILED_PRECONDITION")
        before = copy.deepcopy(there)
        there |= {"metadata": body["metadata"], "spec": body["spec"]}
        there["status"]["traffic"] = body["spec"]["traffic"]
        if before != there:
            self.changed.append(at)
        return there

    def _built(self, at: str) -> str | None:
        """Builds a function as it is now and starts it. Returns what failed."""
        function = self.things[at]
        missing = self._unreadable(function)
        if missing or self.builds_to_fail > 0:
            self.builds_to_fail -= 1
            function["state"] = "FAILED" if "uri" not in function["serviceConfig"] else "ACTIVE"
            return missing or NOT_YET
        service = at.rpartition("/")[2].replace("_", "-")
        run = self.things.setdefault(f"{SERVICES}/{service}", _service(service))
        number = int(run["status"]["latestReadyRevisionName"].rpartition("-")[2]) + 1
        revision = f"{service}-{number:05}"
        run["status"] |= {
            "latestCreatedRevisionName": revision,
            "latestReadyRevisionName": revision,
        }
        if function["serviceConfig"].get("allTrafficOnLatestRevision"):
            run["spec"]["traffic"] = [{"latestRevision": True, "percent": 100}]
        path = f"projects/baton-test/locations/europe-west1/services/{service}"
        uri = f"https://{service}-x.a.run.app"
        function["serviceConfig"] |= {"service": path, "uri": uri, "revision": revision}
        function["state"] = "ACTIVE"
        return None

    def _shows_traffic(self, at: str) -> None:
        """A function says of its service whether the newest revision has all traffic."""
        run = self.things.get(f"{SERVICES}/{at.rpartition('/')[2].replace('_', '-')}")
        if run is not None and at in self.things:
            latest = run["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]
            self.things[at]["serviceConfig"].pop("allTrafficOnLatestRevision", None)
            if latest:  # false is left out
                self.things[at]["serviceConfig"]["allTrafficOnLatestRevision"] = True

    def _unreadable(self, function: Json) -> str | None:
        """Returns what a build says whose account may not read the copied sources. With a key of
        the customer's the name of their bucket ends in the key's hash.
        """
        build_account = function["buildConfig"]["serviceAccount"]
        bucket = f"gcf-v2-sources-{NUMBER}-europe-west1"
        bucket += "-" if function.get("kmsKeyName") else ""
        member = f"serviceAccount:{build_account.rpartition('/')[2]}"
        bindings = self.policies.get(PROJECT, {}).get("bindings", [])
        may_read = any(
            one["role"] == "roles/storage.objectViewer"
            and member in one["members"]
            and bucket in one.get("condition", {}).get("expression", bucket)
            for one in bindings
        )
        return None if may_read else NO_SOURCES.format(bucket=bucket)

    def watch(self) -> None:
        """Notes which doors were open and are not now."""
        now = self.open_doors()
        self.shut |= self.opened - now
        self.opened |= now

    def open_doors(self) -> set[str]:
        """Returns the Cloud Run services that anybody may call."""
        services = {at for at in self.things if at.startswith(f"{SERVICES}/")}
        return {
            at.rpartition("/")[2]
            for at in services
            if self.things[at]["metadata"]["annotations"].get(OPEN) == "True"
            or any(
                "allUsers" in one["members"]
                for one in self.policies.get(f"{RUN}/{at.rpartition('/')[2]}", {}).get(
                    "bindings", []
                )
            )
        }

    def _verb(self, api: str, at: str, verb: str, body: Json) -> Json:
        if verb == "getIamPolicy":
            return self.policies.get(at, {"etag": "ACAB"})
        if verb == "setIamPolicy":
            return self._policy(at, body["policy"])
        if verb == "addVersion":
            self._there(at)
            number = len([one for one in self.things if one.startswith(f"{at}/versions/")]) + 1
            return self._kept(f"{at}/versions/{number}", {**VERSION})
        if api == "serviceusage":
            email = f"service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
            done = {"response": {"email": email, "uniqueId": "1"}, "done": True}
            self.operations[f"{api}/operations/{verb}"] = {"polled": 1, "at": "", **done}
            return {"name": f"operations/{verb}", **(done if "Identity" in verb else {})}
        raise Refused(501, f"{at}:{verb}")

    def _policy(self, at: str, policy: Json) -> Json:
        if self.restricts_domains and "allUsers" in json.dumps(policy):
            raise Refused(400, RESTRICTED, "FAILED_PRECONDITION")
        if self.policies.get(at, {}).get("bindings") != policy.get("bindings"):
            self.changed.append(f"{at}:policy")
        self.policies[at] = {**policy, "etag": "ACAB"}
        return self.policies[at]

    def _storage(self, method: str, at: str, query: Json, body: Json) -> Json:
        if at.endswith("/iam"):
            return (
                self.policies.get(at, {"etag": "ACAB"})
                if method == "GET"
                else self._policy(at, body)
            )
        if at.endswith("/serviceAccount"):
            agent = f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
            return {"email_address": agent, "kind": "storage#serviceAccount"}
        if method == "GET" and at.endswith("/o"):
            self._there(at.removesuffix("/o"))
            return {"items": [one for path, one in self.things.items() if path.startswith(at)]}
        if method == "GET" and at.endswith("/managedFolders"):
            return {}
        if method == "GET" and at.endswith("/storageLayout"):
            self._there(at.removesuffix("/storageLayout"))
            return {"bucket": at.split("/")[2], "hierarchicalNamespace": {"enabled": False}}
        if method == "GET":
            return self._there(at)
        if method == "PATCH":
            return self._changed(at, body, {})
        if method == "DELETE":
            return self._gone(at)
        name = body.get("name") or query.get("name")
        if name is None:
            raise Refused(400, f"An upload without a name: {body}")
        if f"{at}/{name}" in self.things:
            raise Refused(409, "You already own this bucket.")
        bucket = {"bucket": at.split("/")[2]} if at.endswith("/o") else {}
        versions = {"generation": "1", "metageneration": "1"}
        self._kept(f"{at}/{name}", {**body, **bucket, **versions})
        self.things[f"{at}/{name}"]["name"] = name
        return self.things[f"{at}/{name}"]


class Server(ThreadingHTTPServer):
    """Serves a Google on a port of this machine."""

    daemon_threads = True

    def __init__(self, google: Google) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.google = google
        self.calls: list[Call] = []  # those that were answered
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def _answered(self) -> None:
        read = self.rfile.read(int(self.headers.get("content-length") or 0))
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        api, _, path = url.path.strip("/").removeprefix("upload/").partition("/")
        body = _body(self.headers.get("content-type", ""), read)
        status, answer = 200, Json()
        with self.server.lock:
            try:
                answer = self.server.google.answer(self.command, api, path, query, body)
            except Refused as refused:
                status, answer = refused.status, refused.body
                if status == 501:
                    self.server.google.unknown.append(f"{self.command} {self.path}")
            self.server.google.watch()
            if status == 200:
                # An upload has a path of its own, beside that of the bucket's other calls.
                whole = f"storage/{path}" if url.path.startswith("/upload/") else path
                call = Call(self.command, api, unquote(whole), query, body, copy.deepcopy(answer))
                self.server.calls.append(call)
        written = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answered

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def _service(name: str) -> Json:
    """Returns the Cloud Run service behind a new function."""
    ready = [{"type": "Ready", "status": "True"}]
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": NUMBER,
            "generation": 1,
            "resourceVersion": "1",
            "labels": {"cloud.googleapis.com/location": "europe-west1"},
            "annotations": {},
        },
        "spec": {
            "template": {"spec": {"containers": [{"image": name}]}},
            "traffic": [{"latestRevision": True, "percent": 100}],
        },
        "status": {
            "observedGeneration": 1,
            "conditions": ready,
            "latestCreatedRevisionName": f"{name}-00000",
            "latestReadyRevisionName": f"{name}-00000",
            "traffic": [{"latestRevision": True, "percent": 100}],
        },
    }


def _etag(number: int) -> str:
    return base64.b64encode(f"e{number}".encode()).decode()


def _body(kind: str, read: bytes) -> Json:
    """Returns the JSON of a body; of an upload, which has two parts, with what storage adds."""
    if not kind.startswith("multipart/"):
        return dict(json.loads(read or b"{}"))
    parts = read.split(b"--" + kind.partition("boundary=")[2].strip("'\"").encode())[1:-1]
    described, content = (part.partition(b"\n\n")[2].removesuffix(b"\n") for part in parts)
    md5 = base64.b64encode(hashlib.md5(content).digest()).decode()  # noqa: S324  # as storage does
    return {**json.loads(described), "size": str(len(content)), "md5Hash": md5}
