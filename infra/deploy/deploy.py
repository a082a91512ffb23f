"""`python -m infra.deploy --project P --region R` (make deploy): what terraform makes, with gcloud
alone.

Run it again after every change: what is there is brought up to date, nothing is made twice.
Settings and the first values of secrets are taken from the environment, by the names of README's
table.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from infra.deploy.checks import faults
from infra.deploy.deployment import EGRESS, INGRESS, Deployment, webhook_urls
from infra.deploy.gcloud import Run, Runner, Step, StepFailed, run_command
from infra.deploy.steps_function import function_steps
from infra.deploy.steps_project import project_steps
from infra.deploy.steps_watching import watching_steps
from infra.deployables import PREFIX, ROOT, deployables, prefix_from, secrets, settings
from infra.stage import StagingError, archive, stage
from infra.uses import CHANNELS, DESKS, add_uses

# What gcloud says -> what to do.
ADVICE = {
    r"not found on this machine": "Install the Google Cloud SDK: https://cloud.google.com/sdk/docs/install",
    r"gcloud auth login|valid credentials|Reauthentication": "Log in: gcloud auth login",
    r"[Bb]illing": (
        "Link a billing account: gcloud billing projects link PROJECT --billing-account=ACCOUNT"
    ),
    r"allowedPolicyMember|do not belong to a permitted customer|requireInvokerIam": (
        "The organisation forbids allUsers, and Cloud Run without a check of the caller was "
        "refused too. Ask for an exception for this project from run.managed.requireInvokerIam or "
        "from iam.allowedPolicyMemberDomains; either is enough. Functions that were open stay open."
    ),
    r"has not been used in project|SERVICE_DISABLED": (
        "An API was enabled a moment ago; wait a minute, run it again."
    ),
    r"Access to bucket gcf-v2-sources-\S+ denied|missing permission on the build service account": (
        "The build account baton-build may not read the sources, or not yet. Run the whole "
        "deployment again, without --only: it grants the right, and waits for it."
    ),
    r"Build failed|build failed": (
        "The log at the printed address says why. If it stops at Python or its packages, "
        "`python -m infra.stage --check` does the same build here."
    ),
    r"PERMISSION_DENIED|does not have permission|[Pp]ermission .* denied|403": (
        "Your account may not do this: it needs roles/owner in the project, or the administrator "
        "roles of what the step names."
    ),
    r"[Ss]ervice account .* does not exist": (
        "A new service account is not known everywhere yet; run it again."
    ),
}


def plan(to: Deployment) -> Iterator[Step]:
    """Yields every step, in an order in which each finds what it needs."""
    yield from project_steps(to)
    for name, row in to.table.items():
        yield from function_steps(to, name, row)
    yield from watching_steps(to)


def chosen(to: Deployment, only: str | None) -> list[Step]:
    """Returns the steps of the whole deployment, or those of one function and what they need to
    know.
    """
    needed = ("PROJECT_NUMBER",)
    return [step for step in plan(to) if only in (None, step.function) or step.remembers in needed]


def script(to: Deployment, only: str | None) -> str:
    """Returns the deployment as lines for a shell, which may be run again and again."""
    head = (
        f"# Baton in {to.project}, {to.region}. Run it in the "
        "project's folder, as it is or with: sh -eu"
    )
    staged = "# The sources: the same zips as now\npython -m infra.stage"
    return "\n\n".join(
        [head, staged, *(step.shell() for step in chosen(to, only)), _farewell(to, "# ")]
    )


def deploy(to: Deployment, runner: Runner, only: str | None) -> int:
    """Returns the exit code, having said each step and, where one failed, what to do."""
    try:
        runner.do(chosen(to, only), _say)
    except StepFailed as failure:
        return _failed(failure)
    print(f"\n{_farewell(to, '')}")
    return 0


def tear_down(to: Deployment, runner: Runner) -> int:
    """Takes away all that `deploy` made but the data. Returns the exit code."""
    try:
        runner.do([step for step in plan(to) if step.remembers == "PROJECT_NUMBER"], _say)
        runner.undo(plan(to), _say)
    except StepFailed as failure:
        return _failed(failure)
    at = f"--database='{to.database}' --project={to.project}"
    print(
        "\nThe database is still there, the APIs are still on, and the address that alarms mail "
        "is still known.\nTo delete the data, which cannot be restored afterwards:\n"
        f"  gcloud firestore databases update {at} --no-delete-protection\n"
        f"  gcloud firestore databases delete {at}"
    )
    if to.media is not None:
        print(f"  gcloud storage rm --recursive {to.media}")
    return 0


def _failed(failure: StepFailed) -> int:
    said = failure.result.errors + failure.result.output
    print(
        f"failed\n\n{said.strip()}\n\nThe command was:\n  {failure.command.shell()}\n",
        file=sys.stderr,
    )
    print(f"What to do: {advice(said)}", file=sys.stderr)
    return 1


def advice(said: str) -> str:
    """Returns what to do about an error of gcloud's."""
    known = (what for pattern, what in ADVICE.items() if re.search(pattern, said))
    return next(
        known,
        "Put right what it says and run the same command again; what was made stays, and is not "
        "remade.",
    )


def known_secrets(runner: Run, to: Deployment) -> frozenset[str]:
    """Returns the secrets that have a value in Secret Manager; none where they cannot be asked
    yet.
    """
    words = (
        "gcloud",
        "secrets",
        "versions",
        "describe",
        "latest",
        f"--project={to.project}",
        "--quiet",
    )
    return frozenset(
        one
        for one in secrets(dict(to.table))
        if runner((*words, f"--secret={to.secret(one)}"), None).code == 0
    )


def _farewell(to: Deployment, mark: str) -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in (*_addresses(to), *_still_missing(to)))


def _addresses(to: Deployment) -> list[str]:
    webhooks = deployables()["receive_webhook"].paths
    shown = {
        path: url
        for path, url in webhook_urls(to).items()
        if (path in to.used if path in webhooks else path != "bridge.js" or "bridge" in to.used)
    }
    head = "Paste these addresses into the platforms, bots and desks:"
    return [head, *(f"  {at:<20} {url}" for at, url in shown.items())]


def _still_missing(to: Deployment) -> list[str]:
    """Returns what the operator's uses need and do not have, and where the values are found."""
    used = [name for name in to.used if name in (*CHANNELS, *DESKS)]
    choose = [
        "Name all channels and desks that you use, and the last lines name what these need:",
        f"  --channels {','.join(CHANNELS)} --desk {','.join(DESKS)}",
    ]
    choose = [] if to.uses else choose
    if not used:
        return ["", "No channel and no desk has a secret yet.", *choose]
    lines = ["", f"In use: {', '.join(to.used)}."]
    if not to.missing:
        return [*lines, "Everything that these need has a value.", *choose]
    lines += ["These values are missing. What needs them does not work until they are there:"]
    lines += [
        f"  {one.name:<30} {'secret' if one.secret else 'setting'} of {one.use}: {one.page}"
        for one in to.missing
    ]
    if any(one.secret for one in to.missing):
        lines += [
            "Give each secret its value (or set it in the environment), then deploy again:",
            '  printf %s "${VALUE:?}" | gcloud secrets versions add '
            f"{to.secret('NAME')} --data-file=- --project={to.project}",
        ]
    if any(not one.secret for one in to.missing):
        lines += ["Set each setting in the environment, then deploy again."]
    return [*lines, *choose]


def _say(text: str) -> None:
    print(text, end="", flush=True)


def _deployment(
    arguments: argparse.Namespace, environment: Mapping[str, str], run: Run
) -> Deployment:
    table = deployables()
    sources = {name: archive(stage(name)).relative_to(ROOT) for name in table}
    given = frozenset(name for name in secrets(table) if environment.get(name))
    to = Deployment(
        project=arguments.project,
        region=arguments.region,
        sources=sources,
        secrets=given | frozenset(arguments.secrets),
        given=given,
        settings={name: environment[name] for name in settings(table) if environment.get(name)},
        firestore_location=arguments.firestore_location,
        max_instances=arguments.max_instances,
        alert_email=arguments.alert_email,
        runbook=arguments.runbook,
        table=table,
        uses=(*arguments.channels, *arguments.desk),
        prefix=arguments.prefix,
        named_database=arguments.database,
        kms_key=arguments.kms_key,
        vpc_connector=arguments.vpc_connector,
        egress=arguments.egress or EGRESS[0],
        ingress=arguments.ingress,
        labels=arguments.labels,
    )
    if arguments.dry_run:
        return to
    print("Asking Secret Manager which secrets have a value ...", flush=True)
    return replace(to, secrets=to.secrets | known_secrets(run, to))


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns what the environment sets of all that the functions read."""
    table = deployables()
    names = (*secrets(table), *settings(table))
    return {name: environment[name] for name in names if environment.get(name)}


def _arguments(given: list[str] | None) -> argparse.Namespace:
    table = deployables()
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy", description="Deploy Baton with gcloud."
    )
    parser.add_argument("--project", required=True, type=_project, help="the project's id")
    parser.add_argument(
        "--region", required=True, type=_region, help="where the functions run, like europe-west1"
    )
    parser.add_argument(
        "--firestore-location",
        type=_location,
        help="where the database lies (default: the region)",
    )
    parser.add_argument(
        "--prefix",
        type=prefix_from,
        default=PREFIX,
        help="what names begin with, for a second Baton in the project, like dev",
    )
    parser.add_argument(
        "--database",
        type=_database,
        help="the Firestore database (default: '(default)', with a prefix baton-PREFIX)",
    )
    parser.add_argument(
        "--max-instances", type=_instances, default=100, help="no function grows beyond this"
    )
    parser.add_argument(
        "--alert-email", type=_email, help="who is mailed when something needs a person"
    )
    parser.add_argument(
        "--runbook",
        type=_url,
        help="where people read your copy of infra/RUNBOOK.md; each alarm links to its paragraph",
    )
    parser.add_argument(
        "--only", choices=list(table), help="deploy this function; everything else is there already"
    )
    parser.add_argument(
        "--tear-down",
        metavar="PREFIX",
        help="take away what was made, but the data; names the prefix (baton where you gave none)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the commands and run none")
    _add_surroundings(parser)
    more = (
        "secrets that have a value by now, beside those in the "
        "environment (a real run asks Secret Manager)"
    )
    parser.add_argument("--secrets", type=lambda text: text.split(","), default=[], help=more)
    add_uses(parser)
    arguments = parser.parse_args(given)
    if arguments.tear_down not in (None, arguments.prefix):
        parser.error(f"--tear-down names another prefix than --prefix, {arguments.prefix}")
    if arguments.egress and not arguments.vpc_connector:
        parser.error("--egress says what goes through a connector: name it with --vpc-connector")
    _check_places(parser, arguments)
    unknown = sorted(set(arguments.secrets) - set(secrets(table)))
    if unknown:
        parser.error(
            f"no function reads {', '.join(unknown)}; they read {', '.join(secrets(table))}"
        )
    return arguments


def _add_surroundings(parser: argparse.ArgumentParser) -> None:
    """Adds what an organisation may ask of what runs in its project."""
    parser.add_argument(
        "--kms-key",
        type=_named("keyRings/RING/cryptoKeys/KEY"),
        help="your own key, of the functions' region, that encrypts what is stored",
    )
    parser.add_argument(
        "--vpc-connector",
        type=_named("connectors/CONNECTOR"),
        help="the connector to your network, of the functions' region",
    )
    parser.add_argument(
        "--egress",
        choices=EGRESS,
        help=f"which calls go through the connector (default: {EGRESS[0]})",
    )
    parser.add_argument(
        "--ingress",
        choices=INGRESS,
        default=INGRESS[0],
        help=f"from where public functions are reached (default: {INGRESS[0]})",
    )
    parser.add_argument(
        "--labels",
        type=_labels,
        default={},
        help="labels of functions, topics, secrets, bucket and repository, like team=care,env=prod",
    )


def _check_places(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """A key or a connector serves what lies in its own region."""
    for option, named, other, place in (
        ("--kms-key", arguments.kms_key, "--region", arguments.region),
        ("--kms-key", arguments.kms_key, "--firestore-location", arguments.firestore_location),
        ("--vpc-connector", arguments.vpc_connector, "--region", arguments.region),
    ):
        if named and place and f"/locations/{place}/" not in named:
            parser.error(f"{option} lies elsewhere than {other}, {place}")


def _named(form: str) -> Callable[[str], str]:
    """Returns what reads the whole name of a resource of a region."""
    pattern = re.sub("[A-Z]{2,}", "[A-Za-z0-9_-]{1,63}", form)

    def read(text: str) -> str:
        if not re.fullmatch(f"projects/[a-z0-9.:-]+/locations/[a-z0-9-]+/{pattern}", text):
            raise argparse.ArgumentTypeError(
                f"give its whole name: projects/PROJECT/locations/REGION/{form}"
            )
        return text

    return read


def _labels(text: str) -> dict[str, str]:
    pairs = [one.partition("=") for one in text.split(",")]
    key, content = "[a-z][a-z0-9_-]{0,62}", "[a-z0-9_-]{0,63}"
    if not all(re.fullmatch(f"{key}={content}", "".join(one)) for one in pairs):
        raise argparse.ArgumentTypeError(
            "give names and values like team=care,env=prod: lower-case letters, digits, _ and -"
        )
    return {name: content for name, _, content in pairs}


def _project(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", text):
        raise argparse.ArgumentTypeError(
            "give the project's id (like my-project-123), not its name or number"
        )
    return text


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]+-[a-z]+[0-9]+", text):
        raise argparse.ArgumentTypeError(
            "give a region (like europe-west1), not a zone or a multi-region"
        )
    return text


def _location(text: str) -> str:
    if not re.fullmatch(r"[a-z]+-[a-z]+[0-9]+|eur3|nam5", text):
        raise argparse.ArgumentTypeError("give a region (like europe-west1), eur3 or nam5")
    return text


def _database(text: str) -> str:
    if not re.fullmatch(r"\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]", text):
        raise argparse.ArgumentTypeError(
            "give '(default)', or 4 to 63 lower-case letters, digits and hyphens, a letter first"
        )
    return text


def _instances(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError("give a whole number from 1 to 1000")
    return int(text)


def _url(text: str) -> str:
    if not re.fullmatch(r"https://[^\s#]+", text):
        raise argparse.ArgumentTypeError("give an address that begins with https://, without #")
    return text


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise argparse.ArgumentTypeError("give one address, like oncall@example.com")
    return text


def main(
    given: list[str] | None = None,
    environment: Mapping[str, str] = os.environ,
    run: Run = run_command,
) -> int:
    arguments = _arguments(given)
    wrong = faults(_given(environment))
    if wrong:
        print("not deployed, as these settings are wrong:", *wrong, sep="\n  ", file=sys.stderr)
        return 2
    try:
        to = _deployment(arguments, environment, run)
    except StagingError as error:
        print(f"not staged: {error}", file=sys.stderr)
        return 1
    if arguments.dry_run:
        print(script(to, arguments.only))
        return 0
    if arguments.tear_down:
        return tear_down(to, Runner(run))
    return deploy(to, Runner(run, {name: environment[name] for name in to.given}), arguments.only)
