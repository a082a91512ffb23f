"""The steps that the whole project needs, once: APIs, database, identities, topics, secrets,
sources.
"""

import json
from collections.abc import Iterator, Mapping

from infra.deploy.deployment import WEEK, Deployment
from infra.deploy.gcloud import Command, Step, value
from infra.deployables import ROOT, secrets, topics

FIRESTORE = ROOT / "infra" / "terraform" / "firestore.json"
APIS = (
    "artifactregistry cloudbuild cloudfunctions cloudresourcemanager cloudscheduler dialogflow "
    "firestore iam logging monitoring pubsub run secretmanager storage"
)
CALLERS = {
    "pubsub": "Pub/Sub, when it pushes to a function",
    "scheduler": "Cloud Scheduler, when it calls a function",
    "build": "builds the functions",
}
# Who encrypts with a key of your own -> the domain of its service agent.
# https://cloud.google.com/functions/docs/securing/cmek
ENCRYPTERS = {
    "artifactregistry": "gcp-sa-artifactregistry",
    "cloudfunctions": "gcf-admin-robot",
    "firestore": "gcp-sa-firestore",
    "pubsub": "gcp-sa-pubsub",
    "run": "serverless-robot-prod",
    "secretmanager": "gcp-sa-secretmanager",
    "storage": "gs-project-accounts",
}
CLEANUP = [
    {"name": "delete-old", "action": {"type": "DELETE"}, "condition": {"olderThan": "2592000s"}},
    {"name": "keep-recent", "action": {"type": "KEEP"}, "mostRecentVersions": {"keepCount": 5}},
]


def project_steps(to: Deployment) -> Iterator[Step]:
    """Yields every step that comes before the functions."""
    yield from _project(to)
    yield from _own_key(to)
    yield from _firestore(to)
    yield from _identities(to)
    yield from _topics(to)
    yield from _secrets(to)
    yield from _sources(to)
    yield from _media(to)


def _project(to: Deployment) -> Iterator[Step]:
    apis = [f"{api}.googleapis.com" for api in APIS.split()]
    yield Step("APIs (the first time this takes some minutes)", to.gcloud("services enable", *apis))
    agent = to.gcloud("beta services identity create", "--service=pubsub.googleapis.com")
    yield Step("Pub/Sub's service agent", agent)
    number = to.gcloud("projects describe", to.project, "--format=value(projectNumber)")
    yield Step("the project's number", number, remembers="PROJECT_NUMBER")


def _own_key(to: Deployment) -> Iterator[Step]:
    """The right stays when Baton is taken away: others may use the key too."""
    if to.kms_key is None:
        return
    for service, domain in ENCRYPTERS.items():
        create = to.gcloud("beta services identity create", f"--service={service}.googleapis.com")
        if service == "storage":
            create = to.gcloud("storage service-agent")
        yield Step(f"service agent of {service}", create)
        agent = f"serviceAccount:service-{value('PROJECT_NUMBER')}@{domain}.iam.gserviceaccount.com"
        role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
        yield Step(f"{service} may use the key", to.right("kms keys", to.kms_key, agent, role))


def _firestore(to: Deployment) -> Iterator[Step]:
    tables, at = json.loads(FIRESTORE.read_text()), f"--database={to.database}"
    safe = ["--enable-pitr", "--delete-protection"]
    place = f"--location={to.firestore_location or to.region}"
    yield Step(
        "Firestore database",
        to.gcloud(
            "firestore databases create",
            at,
            place,
            "--type=firestore-native",
            *safe,
            *to.key("--kms-key-name"),
        ),
        probe=to.gcloud("firestore databases describe", at),
        update=(to.gcloud("firestore databases update", at, *safe),),
    )
    yield Step(
        "Firestore daily backup",
        to.gcloud("firestore backups schedules create", at, "--recurrence=daily", "--retention=7d"),
        probe=to.listed("firestore backups schedules list", at),
        same={"dailyRecurrence": {}},
    )
    yield from (_index(to, at, index) for index in tables["indexes"])
    for collection, fields in tables["fields"].items():
        for name, indexes in fields.items():
            yield from _field(to, at, collection, name, indexes, tables["ttl"])


def _index(to: Deployment, at: str, index: Mapping[str, list[str]]) -> Step:
    group, scope = str(index["collection"]), str(index["scope"])
    fields = [one.split() for one in index["fields"]]
    kinds = {"CONTAINS": ("array-config", "arrayConfig")}
    config = [
        f"--field-config=field-path={path},{kinds.get(how, ('order',))[0]}={how.lower()}"
        for path, how in fields
    ]
    wanted = [{"fieldPath": path, kinds.get(how, ("", "order"))[1]: how} for path, how in fields]
    where = [at, f"--collection-group={group}", f"--query-scope={scope.lower().replace('_', '-')}"]
    return Step(
        f"Firestore index {group}: {', '.join(path for path, _ in fields)}",
        to.gcloud("firestore indexes composite create", *where, *config),
        probe=to.listed("firestore indexes composite list", at),
        same={"name": f"/collectionGroups/{group}/", "queryScope": scope, "fields": wanted},
    )


def _field(
    to: Deployment, at: str, group: str, name: str, indexes: list[str], ttl: str
) -> Iterator[Step]:
    # gcloud makes these indexes for one collection and has no flag for another scope.
    orders = [one.removeprefix("COLLECTION ").lower() for one in indexes]
    how = [f"--index=order={order}" for order in orders] or ["--disable-indexes"]
    where = [name, at, f"--collection-group={group}"]
    yield Step(
        f"Firestore field {group}.{name}",
        to.gcloud("firestore indexes fields update", *where, *how),
    )
    if name == ttl:
        yield Step(
            f"Firestore expiry of {group}",
            to.gcloud("firestore fields ttls update", *where, "--enable-ttl"),
        )


def _identities(to: Deployment) -> Iterator[Step]:
    names = {**dict.fromkeys(to.table, "a function"), **CALLERS}
    for name, purpose in names.items():
        account = to.account(name)
        create = [
            account.partition("@")[0],
            f"--display-name={to.renamed('Baton:')} {name if name in to.table else purpose}",
        ]
        yield Step(
            f"service account of {name}",
            to.gcloud("iam service-accounts create", *create),
            probe=to.gcloud("iam service-accounts describe", account),
            undo=to.gcloud("iam service-accounts delete", account),
            function=name if name in to.table else None,
        )
    member = f"serviceAccount:{to.account('build')}"
    yield _in_project(to, "builds may write logs", None, member, "roles/logging.logWriter", "None")
    # Cloud Functions makes this bucket at the first build, so the right is given in the project.
    bucket = f"projects/_/buckets/gcf-v2-sources-{value('PROJECT_NUMBER')}-{to.region}"
    allowed = [f'resource.name == "{bucket}"', f'resource.name.startsWith("{bucket}/")']
    if to.kms_key:  # then the name of the bucket ends in the key's hash
        allowed.append(f'resource.name.startsWith("{bucket}-")')
    within = f"expression={' || '.join(allowed)},title=sources of functions"
    title = "builds may read the copy of the sources that Cloud Functions makes"
    yield _in_project(to, title, None, member, "roles/storage.objectViewer", within)
    condition = (
        "expression=resource.name == "
        f'"projects/{to.project}/databases/{to.database}",title=Baton\'s database'
    )
    for name, row in to.table.items():
        for role in row.roles:
            within = condition if role.startswith("roles/datastore.") else "None"
            member = f"serviceAccount:{to.account(name)}"
            yield _in_project(to, f"{name}: {role}", name, member, role, within)


def _in_project(
    to: Deployment, title: str, function: str | None, member: str, role: str, condition: str
) -> Step:
    """A right in the project outlives what has it."""
    given = to.project, f"--member={member}", f"--role={role}", f"--condition={condition}"
    return Step(
        title,
        to.gcloud("projects add-iam-policy-binding", *given),
        undo=to.gcloud("projects remove-iam-policy-binding", *given),
        function=function,
    )


def _topics(to: Deployment) -> Iterator[Step]:
    region = f"--message-storage-policy-allowed-regions={to.region}"
    key, labels = to.key("--topic-encryption-key"), to.labelled("--update-labels")
    agent = (
        f"serviceAccount:service-{value('PROJECT_NUMBER')}@gcp-sa-pubsub.iam.gserviceaccount.com"
    )
    for topic in map(to.renamed, topics(dict(to.table))):
        for one in (topic, f"{topic}-dead"):
            yield Step(
                f"topic {one}",
                to.gcloud("pubsub topics create", one, region, *key, *to.labelled("--labels")),
                probe=to.gcloud("pubsub topics describe", one),
                undo=to.gcloud("pubsub topics delete", one),
                update=(to.gcloud("pubsub topics update", one, region, *key, *labels),),
            )
        dead = f"{topic}-dead"
        keeps = [
            "--ack-deadline=60",
            f"--message-retention-duration={WEEK}",
            "--expiration-period=never",
        ]
        yield Step(
            f"subscription that keeps the dead letters of {topic}",
            to.gcloud("pubsub subscriptions create", dead, f"--topic={dead}", *keeps),
            probe=to.gcloud("pubsub subscriptions describe", dead),
            undo=to.gcloud("pubsub subscriptions delete", dead),
            update=(to.gcloud("pubsub subscriptions update", dead, *keeps),),
        )
        right = to.right("pubsub topics", dead, agent, "roles/pubsub.publisher")
        yield Step(f"Pub/Sub may publish to {dead}", right)
    for name, row in to.table.items():
        for topic in map(to.renamed, row.publishes):
            member = f"serviceAccount:{to.account(name)}"
            right = to.right("pubsub topics", topic, member, "roles/pubsub.publisher")
            yield Step(f"{name} may publish to {topic}", right, function=name)


def _secret(to: Deployment, own: str) -> Command:
    """A key of a region can only encrypt what lies in that region."""
    labels = to.labelled("--labels")
    if to.kms_key is None:
        return to.gcloud("secrets create", own, "--replication-policy=automatic", *labels)
    encryption = {"kmsKeyName": to.kms_key}
    replica = {"location": to.region, "customerManagedEncryption": encryption}
    policy = json.dumps({"userManaged": {"replicas": [replica]}})
    return to.gcloud("secrets create", own, "--replication-policy-file=-", *labels, stdin=policy)


def _secrets(to: Deployment) -> Iterator[Step]:
    labels = to.labelled("--update-labels")
    for secret in secrets(dict(to.table)):
        own = to.secret(secret)
        yield Step(
            f"secret {own}",
            _secret(to, own),
            probe=to.gcloud("secrets describe", own),
            undo=to.gcloud("secrets delete", own),
            update=(to.gcloud("secrets update", own, *labels),) if labels else (),
        )
        if secret in to.given:
            yield Step(
                f"value of {secret}, from your environment",
                to.gcloud("secrets versions add", own, "--data-file=-", secret=secret),
                probe=to.gcloud("secrets versions describe", "latest", f"--secret={own}"),
            )
    for name, row in to.table.items():
        for secret in row.secrets:
            member = f"serviceAccount:{to.account(name)}"
            right = to.right(
                "secrets", to.secret(secret), member, "roles/secretmanager.secretAccessor"
            )
            yield Step(f"{name} may read {secret}", right, function=name)


def _sources(to: Deployment) -> Iterator[Step]:
    at, member = f"--location={to.region}", f"serviceAccount:{to.account('build')}"
    closed = ["--uniform-bucket-level-access", "--public-access-prevention"]
    closed += to.key("--default-encryption-key")
    labels = to.labelled("--update-labels")
    yield Step(
        "bucket of sources",
        to.gcloud("storage buckets create", to.bucket, at, *closed),
        probe=to.gcloud("storage buckets describe", to.bucket),
        undo=to.gcloud("storage rm", "--recursive", to.bucket),
        update=(to.gcloud("storage buckets update", to.bucket, *closed),),
    )
    if labels:  # the command that makes a bucket takes none
        yield Step("labels of the bucket", to.gcloud("storage buckets update", to.bucket, *labels))
    right = to.right("storage buckets", to.bucket, member, "roles/storage.objectViewer")
    yield Step("builds may read sources", right)
    yield Step(
        "repository of images",
        to.gcloud(
            "artifacts repositories create",
            to.prefix,
            at,
            "--repository-format=docker",
            *to.key("--kms-key"),
            *to.labelled("--labels"),
        ),
        probe=to.gcloud("artifacts repositories describe", to.prefix, at),
        undo=to.gcloud("artifacts repositories delete", to.prefix, at),
        update=(to.gcloud("artifacts repositories update", to.prefix, at, *labels),)
        if labels
        else (),
    )
    policy = [to.prefix, at, "--policy=-", "--no-dry-run"]
    clean = to.gcloud(
        "artifacts repositories set-cleanup-policies", *policy, stdin=json.dumps(CLEANUP)
    )
    yield Step("old images go", clean)
    right = to.right(
        "artifacts repositories", to.prefix, member, "roles/artifactregistry.writer", at
    )
    yield Step("builds may write images", right)


def _media(to: Deployment) -> Iterator[Step]:
    """Yields the bucket of conversations' files. Like the database it stays when Baton is taken
    away. What is deleted is gone at once: a customer may have asked for it.
    """
    if to.media is None:
        return
    rule = {"action": {"type": "Delete"}, "condition": {"age": int(to.journal_days)}}
    kept = ["--uniform-bucket-level-access", "--public-access-prevention"]
    kept += ["--soft-delete-duration=0", "--lifecycle-file=/dev/stdin"]
    kept += to.key("--default-encryption-key")
    rules = json.dumps({"rule": [rule]})
    at, labels = f"--location={to.region}", to.labelled("--update-labels")
    yield Step(
        "bucket of files",
        to.gcloud("storage buckets create", to.media, at, *kept, stdin=rules),
        probe=to.gcloud("storage buckets describe", to.media),
        update=(to.gcloud("storage buckets update", to.media, *kept, stdin=rules),),
    )
    if labels:
        change = to.gcloud("storage buckets update", to.media, *labels)
        yield Step("labels of the bucket of files", change)
    for name, row in to.table.items():
        if row.bucket_role is not None:
            member = f"serviceAccount:{to.account(name)}"
            right = to.right("storage buckets", to.media, member, row.bucket_role)
            yield Step(f"{name}: {row.bucket_role}", right, function=name)
