"""`python -m infra.doctor URL` (make doctor URL=...): checks a running Baton from outside, and
reports in plain words.

URL is the address before the functions' names: http://127.0.0.1:8080, or
https://REGION-PROJECT.cloudfunctions.net. The doctor sends one signed probe to the conversation
`baton-doctor`, and nothing to any customer.
"""

import argparse
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from infra.deploy.gcloud import Run, run_command
from infra.deployables import deployables, secrets
from infra.doctor.channels import ccai, rcs, whatsapp
from infra.doctor.checks import answers_at_all, csku, handshake, signed, unsigned
from infra.doctor.http import Finding, Patient, Verdict
from infra.doctor.state import api, cors, dead_letters, private
from infra.local.settings import defaults

DEPLOYED = re.compile(
    r"https://(?P<region>[a-z]+-[a-z]+[0-9]+)-(?P<project>[a-z][a-z0-9-]+)\.cloudfunctions\.net"
)
LOCAL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?")
CHECKS = (
    answers_at_all,
    handshake,
    unsigned,
    signed,
    csku,
    rcs,
    whatsapp,
    ccai,
    api,
    cors,
    private,
    dead_letters,
)
MARKS = {Verdict.WELL: "ok  ", Verdict.ILL: "FAIL", Verdict.SKIPPED: "skip"}


def patient(
    url: str, environment: Mapping[str, str], longest_wait: float = 600.0, run: Run = run_command
) -> Patient:
    """Returns a Baton with its known settings: first those of your environment, then those of other
    sources.
    """
    url, deployed = url.rstrip("/"), DEPLOYED.fullmatch(url.rstrip("/"))
    known = {name: value for name, value in environment.items() if value}
    if LOCAL.fullmatch(url):
        known = {**defaults(urlsplit(url).port or 80, Path()), **known}
    project = deployed["project"] if deployed else None
    if project:
        known = {
            **_from_secret_manager(project, set(secrets(deployables())) - set(known), run),
            **known,
        }
    return Patient(url, known, project, longest_wait, run)


def _from_secret_manager(project: str, names: set[str], run: Run) -> dict[str, str]:
    """Returns the secrets that this account may read. The others are unknown."""
    found = {}
    for name in sorted(names):
        words = (
            "gcloud",
            "secrets",
            "versions",
            "access",
            "latest",
            f"--secret={name}",
            f"--project={project}",
        )
        result = run(words, None)
        if result.code == 0:
            found[name] = result.output
    return found


def examine(one: Patient, say: Callable[[Finding], None]) -> bool:
    """Prints each finding, and returns whether there is no fault. Without any answer there is only
    one finding.
    """
    well = True
    for check in CHECKS:
        for finding in check(one):
            say(finding)
            well = well and finding.verdict is not Verdict.ILL
            if finding.fatal:
                return False
    return well


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
    arguments = parser.parse_args(given)
    if not _is_url(arguments.url):
        parser.error("give a URL that begins with http:// or https://, like http://127.0.0.1:8080")
    well = examine(patient(arguments.url, environment, arguments.longest_wait), _say)
    print(
        "\nNothing is wrong."
        if well
        else "\nSomething is wrong: what to do stands below each FAIL."
    )
    return 0 if well else 1
