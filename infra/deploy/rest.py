"""`python -m infra.deploy.rest METHOD PATH` calls the Monitoring API, where gcloud has no command.

It calls as gcloud's account, reads the body from standard input, and prints the answer.
"""

import argparse
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

from infra.command import run_tool
from infra.deploy.gcloud import Run, run_command

HOST = "https://monitoring.googleapis.com/"
OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING"  # gcloud's own variable, for another host
TIMEOUT_SECONDS = 60.0
READS = ("GET", "DELETE")


def main(
    given: list[str] | None = None,
    environment: Mapping[str, str] = os.environ,
    run: Run = run_command,
) -> int:
    """Returns 0 where the API accepted the call, else 1 after printing its error."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy.rest", description="Call the Monitoring API."
    )
    parser.add_argument("method", choices=("GET", "POST", "PATCH", "DELETE"))
    parser.add_argument("path", help="what stands behind the host, like v3/projects/P/services")
    arguments = parser.parse_args(given)
    headers = {"content-type": "application/json"}
    if OVERRIDE not in environment:
        token = run(("gcloud", "auth", "print-access-token", "--quiet"), None)
        if token.code != 0:
            print(token.errors.strip(), file=sys.stderr)
            return 1
        headers["authorization"] = f"Bearer {token.output.strip()}"
    body = None if arguments.method in READS else sys.stdin.read().encode()
    url = environment.get(OVERRIDE, HOST) + arguments.path
    request = urllib.request.Request(url, body, headers, method=arguments.method)  # noqa: S310  # Google's API
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310  # as above
            print(response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            print(error.read().decode(errors="replace"), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    run_tool(main)
