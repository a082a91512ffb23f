"""`python -m infra.bridge_tag --endpoint URL`: prints the element and the policy with which a CRM
page loads the bridge.
"""

import argparse
import base64
import hashlib
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import jwt

from infra.command import run_tool
from infra.deployables import ROOT
from infra.local.settings import BRIDGE_KEY
from shared.browser.tokens import AUDIENCE, LONGEST, LONGEST_NAME
from shared.settings.types import EXACT_ORIGIN, SHORTEST_TOKEN_KEY

SCRIPT = ROOT / "functions" / "forward_variables" / "bridge.js"
TEXT = """\
{tag}

Add to the page's Content-Security-Policy, if it has one:

  script-src  {origin}
  connect-src {origin}
  frame-src   {adapter}
"""
TRIAL = """
To try it, a token of {agent} for the next ten minutes (what `getToken` returns):

  {token}

The page's origin, like http://localhost:9000, must be in BRIDGE_ALLOWED_ORIGINS of what answers
there.
"""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PATH = re.compile(r"[A-Za-z0-9._~/-]*")


def integrity(script: bytes) -> str:
    """Returns the hash with which the browser compares the script before it runs it.

    https://www.w3.org/TR/SRI/
    """
    return "sha384-" + base64.b64encode(hashlib.sha384(script).digest()).decode()


def version(script: bytes) -> str:
    """Returns the version in the script's URL. forward_variables lets a script with a version be
    cached without end.
    """
    return hashlib.sha256(script).hexdigest()[:12]


def tag(endpoint: str, script: bytes) -> str:
    """Returns the element for the page."""
    source = f"{endpoint.rstrip('/')}/bridge.js?v={version(script)}"
    return (
        f'<script src="{source}" integrity="{integrity(script)}" crossorigin="anonymous"></script>'
    )


def text(endpoint: str, adapter: str, script: bytes) -> str:
    """Returns the element and the lines for the page's policy."""
    return TEXT.format(tag=tag(endpoint, script), origin=_origin_of(endpoint), adapter=adapter)


def _origin_of(endpoint: str) -> str:
    address = urlsplit(endpoint)
    return f"{address.scheme}://{address.netloc}".lower()


def token(agent: str, key: str) -> str:
    """Returns a token for this agent with the longest lifetime that is allowed. It is for trying a
    page, not for building it in.
    """
    claims = {"sub": agent, "aud": AUDIENCE, "exp": datetime.now(UTC) + LONGEST}
    return jwt.encode(claims, key, algorithm="HS256")


def _endpoint(given: str) -> str:
    if not EXACT_ORIGIN.fullmatch(_origin_of(given)) or not _PATH.fullmatch(urlsplit(given).path):
        raise argparse.ArgumentTypeError("give a URL such as https://example.com/forward_variables")
    if urlsplit(given).query or urlsplit(given).fragment:
        raise argparse.ArgumentTypeError("give a URL such as https://example.com/forward_variables")
    return given


def _origin(given: str) -> str:
    if not EXACT_ORIGIN.fullmatch(given) or urlsplit(given).port == 0:
        raise argparse.ArgumentTypeError("give an origin such as https://your-tenant.example.com")
    return given


def _agent(given: str) -> str:
    if not 0 < len(given) <= LONGEST_NAME or not given.isprintable():
        raise argparse.ArgumentTypeError(f"give a name of 1 to {LONGEST_NAME} characters")
    return given


def main(given: list[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.bridge_tag", description=__doc__)
    where = "the URL of forward_variables; a local run's is http://127.0.0.1:8080/forward_variables"
    parser.add_argument("--endpoint", required=True, type=_endpoint, help=where)
    parser.add_argument("--adapter", type=_origin, help="the agent adapter's origin")
    trial = "print a token for this agent too, which ends in ten minutes"
    parser.add_argument("--agent", type=_agent, help=trial)
    arguments = parser.parse_args(given)
    key = _key(arguments.endpoint, environment)
    if arguments.agent and key is None:
        parser.error("set BRIDGE_TOKEN_KEYS to the deployment's keys (at least 32 bytes each)")
    adapter = arguments.adapter or "https://<your tenant's adapter>"
    print(text(arguments.endpoint, adapter, SCRIPT.read_bytes()), end="")
    if arguments.agent and key:
        print(TRIAL.format(agent=arguments.agent, token=token(arguments.agent, key)), end="")
    return 0


def _key(endpoint: str, environment: Mapping[str, str]) -> str | None:
    """Returns the key that signs tokens: the first key of the environment, or the local run's where
    it sets none.
    """
    given = [one.strip() for one in environment.get("BRIDGE_TOKEN_KEYS", "").split(",")]
    if not given[0] and urlsplit(endpoint).hostname in LOOPBACK:
        return BRIDGE_KEY
    return given[0] if len(given[0].encode()) >= SHORTEST_TOKEN_KEY else None


if __name__ == "__main__":
    run_tool(main)
