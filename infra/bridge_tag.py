"""`python -m infra.bridge_tag --endpoint URL`: what a CRM page needs to load the bridge, to copy."""

import argparse
import base64
import hashlib
import sys
from urllib.parse import urlsplit

from infra.deployables import ROOT

SCRIPT = ROOT / "functions" / "forward_variables" / "bridge.js"
TEXT = """\
{tag}

Add to the page's Content-Security-Policy, if it has one:

  script-src  {origin}
  connect-src {origin}
  frame-src   {adapter}
"""


def integrity(script: bytes) -> str:
    """Returns what the browser compares the script with before it runs it.

    https://www.w3.org/TR/SRI/
    """
    return "sha384-" + base64.b64encode(hashlib.sha384(script).digest()).decode()


def version(script: bytes) -> str:
    """Returns the version under which forward_variables lets the script be cached for ever."""
    return hashlib.sha256(script).hexdigest()[:12]


def tag(endpoint: str, script: bytes) -> str:
    """Returns the element to put into the page."""
    source = f"{endpoint.rstrip('/')}/bridge.js?v={version(script)}"
    return f'<script src="{source}" integrity="{integrity(script)}" crossorigin="anonymous"></script>'


def text(endpoint: str, adapter: str, script: bytes) -> str:
    """Returns the element and the lines for the page's policy."""
    address = urlsplit(endpoint)
    return TEXT.format(tag=tag(endpoint, script), origin=f"{address.scheme}://{address.netloc}", adapter=adapter)


def _url(given: str) -> str:
    address = urlsplit(given)
    if address.scheme not in ("https", "http") or not address.netloc or address.query or address.fragment:
        raise argparse.ArgumentTypeError("give a URL such as https://example.com/forward_variables")
    return given


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.bridge_tag", description=__doc__)
    parser.add_argument("--endpoint", required=True, type=_url, help="the URL of forward_variables")
    parser.add_argument("--adapter", default="https://<your tenant's adapter>", help="the agent adapter's origin")
    arguments = parser.parse_args(given)
    print(text(arguments.endpoint, arguments.adapter, SCRIPT.read_bytes()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
