"""`python -m infra.doctor URL` (make doctor URL=...): checks a running Baton from outside, and
reports in plain words.

URL is the address before the functions' names: http://127.0.0.1:8080, or
https://REGION-PROJECT.cloudfunctions.net. The doctor sends one signed probe to the conversation
`baton-doctor`, and nothing to any customer.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from infra.deploy.gcloud import Run, run_command
from infra.deployables import PREFIX, deployables, prefix_from, secret_of, secrets
from infra.doctor.channels import ccai, google_chat, rcs, slack, whatsapp
from infra.doctor.checks import answers_at_all, csku, handshake, signed, unsigned
from infra.doctor.files import files
from infra.doctor.http import Finding, NotThisDoor, Patient, Verdict, ill, skipped
from infra.doctor.matrix import matrix
from infra.doctor.state import alarms, api, cors, dead_letters, people, private, sweep
from infra.local.settings import defaults
from infra.uses import CHANNELS, DESKS, add_uses, missing, uses
from shared.errors import Misconfigured

DEPLOYED = re.compile(
    r"https://(?P<region>[a-z]+-[a-z]+[0-9]+)-(?P<project>[a-z][a-z0-9-]+)\.cloudfunctions\.net"
)
LOCAL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?")
Check = Callable[[Patient], Iterator[Finding]]
# The use whose doors a check looks at; None: every deployment has what it looks at.
CHECKS: tuple[tuple[str | None, Check], ...] = (
    (None, answers_at_all),
    ("business_messages", handshake),
    ("business_messages", unsigned),
    ("business_messages", signed),
    ("csku", csku),
    ("rcs", rcs),
    ("whatsapp", whatsapp),
    ("ccai", ccai),
    ("google_chat", google_chat),
    ("matrix", matrix),
    ("slack", slack),
    ("api", api),
    ("people", people),
    ("bridge", cors),
    (None, files),
    (None, private),
    (None, dead_letters),
    (None, sweep),
    (None, alarms),
)
MARKS = {Verdict.WELL: "ok  ", Verdict.ILL: "FAIL", Verdict.SKIPPED: "skip"}


def patient(
    url: str,
    environment: Mapping[str, str],
    longest_wait: float = 600.0,
    run: Run = run_command,
    chosen: Iterable[str] = (),
    prefix: str = PREFIX,
) -> Patient:
    """Returns a Baton with its known settings: first those of your environment, then those of other
    sources. `chosen` are the channels and desks that are used. Raises Misconfigured.
    """
    url, deployed = url.rstrip("/"), DEPLOYED.match(url)
    known, chosen = {name: value for name, value in environment.items() if value}, tuple(chosen)
    local = bool(LOCAL.match(url))
    if local:  # it has no prefix
        prefix = PREFIX
        known = {**defaults(urlsplit(url).port or 80, Path()), **known}
    project, unreadable = deployed["project"] if deployed else None, frozenset[str]()
    if project:
        asked = set(secrets(deployables())) - set(known)
        found, unreadable = _from_secret_manager(project, prefix, asked, run)
        known = {**found, **known}
    used = frozenset(uses(chosen, known, ()))
    # A local run has the development secrets, so they do not say what is used.
    expected = frozenset(chosen) if local else used
    region = deployed["region"] if deployed else None
    return Patient(
        url, known, project, region, prefix, used, expected, unreadable, longest_wait, run
    )


def _from_secret_manager(
    project: str, prefix: str, names: set[str], run: Run
) -> tuple[dict[str, str], frozenset[str]]:
    """Returns the secrets that this account may read, and the names of those that it may not."""
    found, unreadable = dict[str, str](), set[str]()
    for name in sorted(names):
        words = (
            "gcloud",
            "secrets",
            "versions",
            "access",
            "latest",
            f"--secret={secret_of(name, prefix)}",
            f"--project={project}",
        )
        result = run(words, None)
        if result.code == 0:
            found[name] = result.output
        elif "NOT_FOUND" not in result.errors:
            unreadable.add(name)
    return found, frozenset(unreadable)


def examine(one: Patient, say: Callable[[Finding], None]) -> bool:
    """Prints each finding, and returns whether there is no fault. After a fatal finding nothing
    more is checked.
    """
    well, strangers = True, set[str]()
    for use, check in CHECKS:
        if use is None or use in one.uses:
            for finding in _findings(check, one, strangers):
                say(finding)
                well = well and finding.verdict is not Verdict.ILL
                if finding.fatal:
                    return False
    unused = [name for name in (*CHANNELS, *DESKS, "bridge") if name not in one.uses]
    for finding in (*_not_in_use(unused), *_without_value(one)):
        say(finding)
        well = well and finding.verdict is not Verdict.ILL
    return well


def _findings(check: Check, one: Patient, strangers: set[str]) -> Iterator[Finding]:
    """Yields the findings of a check. A function that is not there is reported once."""
    try:
        yield from check(one)
    except NotThisDoor as error:
        if error.function not in strangers:
            yield error.finding
        strangers.add(error.function)


def _not_in_use(unused: list[str]) -> Iterator[Finding]:
    if unused:
        how = "none of their secrets is known here; name what you use with --channels and --desk"
        yield skipped(f"Not checked as not in use: {', '.join(unused)}", how)


def _without_value(one: Patient) -> Iterator[Finding]:
    """Yields the secrets of a deployment that what is used needs and that have no value."""
    if one.project is None:
        return
    for need in missing(one.expected, one.known, ()):
        if need.name in one.unreadable:
            yield skipped(f"Whether {need.name} has a value", "your account may not read it")
        elif need.secret:
            advice = f"Give it its value and deploy again. Where it is found: {need.page}"
            yield ill(f"{need.use} needs the secret {need.name}, which has no value", advice)


def _say(finding: Finding) -> None:
    print(f"{MARKS[finding.verdict]}  {finding.what}", flush=True)
    if finding.advice:
        print(f"      {finding.advice}", flush=True)


def _is_url(text: str) -> bool:
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:  # a port or an IPv6 address that is not valid
        return False


def main(given: list[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Returns 0 where there is no fault, 1 where there is one."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.doctor", description="Is this Baton well?"
    )
    parser.add_argument(
        "url", help="what stands before the functions' names, like http://127.0.0.1:8080"
    )
    parser.add_argument(
        "--longest-wait", type=float, default=600.0, help="seconds a customer may wait for a human"
    )
    parser.add_argument(
        "--prefix",
        type=prefix_from,
        default=environment.get("BATON_PREFIX") or PREFIX,
        help="the prefix with which it was deployed (default: the environment's, or none)",
    )
    add_uses(parser)
    arguments = parser.parse_args(given)
    if not _is_url(arguments.url):
        parser.error("give a URL that begins with http:// or https://, like http://127.0.0.1:8080")
    chosen, skips = (*arguments.channels, *arguments.desk), list[Finding]()
    try:
        one = patient(
            arguments.url,
            environment,
            arguments.longest_wait,
            chosen=chosen,
            prefix=arguments.prefix,
        )
    except Misconfigured as error:
        print("The settings of your environment are wrong:", error.faults, file=sys.stderr)
        return 2

    def say(finding: Finding) -> None:
        _say(finding)
        skips.extend([finding] if finding.verdict is Verdict.SKIPPED else [])

    well = examine(one, say)
    unchecked = f" Not checked: the {len(skips)} lines that begin with skip." if skips else ""
    print(
        f"\nWhat was checked has no fault.{unchecked}"
        if well
        else f"\nThere are faults: what to do stands below each FAIL.{unchecked}"
    )
    return 0 if well else 1
