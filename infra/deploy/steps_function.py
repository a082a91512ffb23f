"""The steps that put one function where it is called: its source, the function, who may invoke
it, what calls it.
"""

import itertools
from collections.abc import Iterator, Mapping

from infra.deploy.deployment import WEEK, Deployment
from infra.deploy.gcloud import Step, value
from infra.deployables import Deployable
from infra.uses import platforms_in

RUNTIME = "python313"


def function_steps(to: Deployment, name: str, row: Deployable) -> Iterator[Step]:
    """Yields the steps of one function, in order."""
    source = f"{to.bucket}/{to.sources[name].name}"
    yield Step(
        f"{name}: source",
        to.gcloud("storage cp", str(to.sources[name]), source),
        probe=to.gcloud("storage objects describe", source),
        function=name,
    )
    own = to.function(name)
    deploy = to.gcloud("functions deploy", own, "--gen2", *_flags(to, name, row, source))
    traffic = "--format=value(serviceConfig.allTrafficOnLatestRevision)"
    yield Step(
        f"{name}: function (a build takes some minutes)",
        deploy,
        probe=to.gcloud("functions describe", own, f"--region={to.region}", traffic),
        update=(deploy,),
        undo=to.gcloud("functions delete", own, f"--region={to.region}"),
        usual="True",
        unusual=f"{name} did not get all traffic at its newest revision, as after a rollback. "
        "All traffic is now at the revision that was deployed.",
        function=name,
    )
    yield from _callers(to, name, row)


def environment(to: Deployment, row: Deployable) -> Mapping[str, str]:
    """Returns the plain variables that a function is given."""
    platforms = ",".join(platforms_in(to.used))
    named = platforms and "BATON_PLATFORMS" in row.settings
    return {
        "BATON_STORE": "firestore",
        "BATON_QUEUE": "pubsub",
        "GOOGLE_CLOUD_PROJECT": to.project,
        "FUNCTION_USE_ASGI": "true",
        "LOG_EXECUTION_ID": "true",
        **({"BATON_PLATFORMS": platforms} if named else {}),
        **({"MEDIA_URL": to.url("relay_media")} if _makes_links(to, row) else {}),
        **({} if to.alone else {"BATON_PREFIX": to.prefix}),
        **({} if to.database == "(default)" else {"BATON_DATABASE": to.database}),
        **{setting: to.settings[setting] for setting in row.settings if setting in to.settings},
    }


def _makes_links(to: Deployment, row: Deployable) -> bool:
    """Returns whether a function is given the address of links to files: once these have a key."""
    return "MEDIA_URL" in row.settings and "MEDIA_LINK_KEYS" in to.secrets


def _flags(to: Deployment, name: str, row: Deployable, source: str) -> list[str]:
    given = sorted(to.secrets.intersection(row.secrets))
    secrets = ",".join(f"{secret}={to.secret(secret)}:latest" for secret in given)
    return [
        f"--region={to.region}",
        f"--runtime={RUNTIME}",
        "--runtime-update-policy=automatic",
        f"--entry-point={name}",
        f"--source={source}",
        f"--build-service-account=projects/{to.project}/serviceAccounts/{to.account('build')}",
        f"--docker-repository=projects/{to.project}/locations/{to.region}/repositories/{to.prefix}",
        f"--service-account={to.account(name)}",
        "--trigger-http",
        # After a rollback traffic stays with the old revision until it is moved.
        "--serve-all-traffic-latest-revision",
        # Without a flag the rights of a public function stay as they are while it is deployed.
        *([] if row.public else ["--no-allow-unauthenticated"]),
        f"--ingress-settings={to.ingress if row.public else 'internal-only'}",
        *_network(to),
        *(to.key("--kms-key") or ["--clear-kms-key"]),
        *to.labelled("--update-labels"),
        f"--memory={row.memory_mb}Mi",
        f"--cpu={row.cpu}",
        f"--concurrency={row.concurrency}",
        f"--timeout={row.timeout_seconds}s",
        f"--min-instances={min(row.min_instances, to.max_instances)}",
        f"--max-instances={min(row.max_instances, to.max_instances)}",
        f"--set-env-vars={_joined(environment(to, row))}",
        f"--set-secrets={secrets}" if secrets else "--clear-secrets",
    ]


def _network(to: Deployment) -> list[str]:
    """Returns the way of what functions call."""
    if to.vpc_connector is None:
        return ["--clear-vpc-connector"]
    return [f"--vpc-connector={to.vpc_connector}", f"--egress-settings={to.egress}"]


def _joined(variables: Mapping[str, str]) -> str:
    """Returns NAME=value pairs behind a separator that none of them holds: a value may have
    commas.
    """
    plain = (",", ";", "|", "@@")
    candidates = itertools.chain(plain, (f"~{n}~" for n in itertools.count()))
    separator = next(
        one for one in candidates if not any(one in text for text in variables.values())
    )
    return f"^{separator}^" + separator.join(f"{name}={text}" for name, text in variables.items())


def _callers(to: Deployment, name: str, row: Deployable) -> Iterator[Step]:
    if row.public:
        yield _open(to, name)
        return
    url, variable = _url(to, name)
    if row.trigger == "pubsub":
        yield url
        yield _may_invoke(to, name, f"serviceAccount:{to.account('pubsub')}", "Pub/Sub may call it")
        yield from _subscription(to, name, row, value(variable))
    if row.trigger == "schedule":
        yield url
        yield _may_invoke(
            to, name, f"serviceAccount:{to.account('scheduler')}", "Cloud Scheduler may call it"
        )
        yield _job(to, name, row, value(variable))


def _url(to: Deployment, name: str) -> tuple[Step, str]:
    variable = f"{name.upper()}_URL"
    asked = to.gcloud(
        "functions describe",
        to.function(name),
        f"--region={to.region}",
        "--format=value(serviceConfig.uri)",
    )
    return Step(f"{name}: address", asked, remembers=variable, function=name), variable


def _open(to: Deployment, name: str) -> Step:
    """Google recommends to check no caller's right; an organisation may forbid this, or allUsers.
    https://cloud.google.com/run/docs/authenticating/public
    """
    service, at = to.service(name), f"--region={to.region}"
    return Step(
        f"{name}: everybody may call it: it checks signature or key itself",
        to.gcloud("run services update", service, "--no-invoker-iam-check", at),
        fallback=to.right("run services", service, "allUsers", "roles/run.invoker", at),
        function=name,
    )


def _may_invoke(to: Deployment, name: str, member: str, title: str) -> Step:
    """The right is on the Cloud Run service behind the function."""
    service = to.service(name)
    right = to.right("run services", service, member, "roles/run.invoker", f"--region={to.region}")
    return Step(f"{name}: {title}", right, function=name)


def _subscription(to: Deployment, name: str, row: Deployable, url: str) -> Iterator[Step]:
    assert row.topic is not None and row.retry is not None  # noqa: S101  # the table was checked
    topic = to.renamed(row.topic)
    flags = [
        f"--push-endpoint={url}",
        f"--push-auth-service-account={to.account('pubsub')}",
        f"--push-auth-token-audience={url}",
        f"--ack-deadline={row.ack_deadline_seconds}",
        f"--message-retention-duration={WEEK}",
        f"--min-retry-delay={row.retry.min_seconds}s",
        f"--max-retry-delay={row.retry.max_seconds}s",
        f"--dead-letter-topic={topic}-dead",
        f"--max-delivery-attempts={row.retry.max_deliveries}",
        "--expiration-period=never",
    ]
    yield Step(
        f"{name}: subscription of {topic}",
        to.gcloud(
            "pubsub subscriptions create",
            topic,
            f"--topic={topic}",
            "--enable-message-ordering",
            *flags,
        ),
        probe=to.gcloud("pubsub subscriptions describe", topic),
        undo=to.gcloud("pubsub subscriptions delete", topic),
        update=(to.gcloud("pubsub subscriptions update", topic, *flags),),
        function=name,
    )
    agent = (
        f"serviceAccount:service-{value('PROJECT_NUMBER')}@gcp-sa-pubsub.iam.gserviceaccount.com"
    )
    right = to.right("pubsub subscriptions", topic, agent, "roles/pubsub.subscriber")
    yield Step(f"{name}: Pub/Sub may take dead letters out", right, function=name)


def _job(to: Deployment, name: str, row: Deployable, url: str) -> Step:
    job, at = f"{to.prefix}-{name.replace('_', '-')}", f"--location={to.region}"
    flags = [
        at,
        f"--schedule={row.schedule}",
        "--time-zone=Etc/UTC",
        f"--uri={url}",
        "--http-method=post",
        f"--oidc-service-account-email={to.account('scheduler')}",
        f"--oidc-token-audience={url}",
        f"--attempt-deadline={row.timeout_seconds}s",
        f"--description={to.title}: {name}",
    ]
    return Step(
        f"{name}: schedule",
        to.gcloud("scheduler jobs create http", job, *flags),
        probe=to.gcloud("scheduler jobs describe", job, at),
        undo=to.gcloud("scheduler jobs delete", job, at),
        update=(to.gcloud("scheduler jobs update http", job, *flags),),
        function=name,
    )
