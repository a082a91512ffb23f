"""The registration of Baton at a homeserver, as its configuration reads it.

https://spec.matrix.org/v1.17/application-service-api/#registration
"""

import argparse
import json
import os
import re
import secrets
import sys
from collections.abc import Mapping

from shared.platforms.matrix.names import SERVICE, Homeserver
from shared.settings.model import Settings, read_settings

HELP = "Print the registration of Baton for a homeserver."
TOKEN_BYTES = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "url", help="where the homeserver reaches Baton: https://.../receive_webhook/matrix"
    )
    name = "its name, like example.org (default: MATRIX_SERVER_NAME)"
    parser.add_argument("--server-name", help=name)


def run(chosen: argparse.Namespace) -> int:
    """Prints it. Tokens that the environment does not set are new. Raises Misconfigured."""
    named = {"MATRIX_SERVER_NAME": chosen.server_name} if chosen.server_name else {}
    settings = read_settings({**os.environ, **named})
    if settings.matrix_server_name is None:
        raise SystemExit("give --server-name, or set MATRIX_SERVER_NAME")
    as_token, hs_token, new = tokens(settings)
    home = Homeserver(settings.matrix_server_name, settings.matrix_user_prefix)
    print(registration(chosen.url.rstrip("/"), as_token, hs_token, home), end="")
    for name in new:
        print(f"{name} was not set: the token above is new. Set it.", file=sys.stderr)
    return 0


def tokens(settings: Settings) -> tuple[str, str, list[str]]:
    """Returns both tokens, and the names of the settings whose token is new."""
    known: Mapping[str, str | None] = {
        "MATRIX_AS_TOKEN": settings.matrix_as_token,
        "MATRIX_HS_TOKENS": next(iter(settings.matrix_hs_tokens), None),
    }
    as_token, hs_token = (one or secrets.token_urlsafe(TOKEN_BYTES) for one in known.values())
    return as_token, hs_token, [name for name, one in known.items() if one is None]


def registration(url: str, as_token: str, hs_token: str, home: Homeserver) -> str:
    """Returns the registration as YAML.

    `io.element.msc4190` and `de.sorunome.msc2409.push_ephemeral` are what homeservers before
    Matrix 1.17 and 1.13 call devices of customers, and typing and receipts.
    """
    prefix, server = re.escape(home.prefix), re.escape(home.server_name)
    sender = home.sender.removeprefix("@").partition(":")[0]
    return f"""\
id: {_text(SERVICE)}
url: {_text(url)}
as_token: {_text(as_token)}
hs_token: {_text(hs_token)}
sender_localpart: {_text(sender)}
rate_limited: false
receive_ephemeral: true
de.sorunome.msc2409.push_ephemeral: true
io.element.msc4190: true
namespaces:
  users:
    - exclusive: true
      regex: {_text(f"@{prefix}.*:{server}")}
  aliases:
    - exclusive: true
      regex: {_text(f"#{prefix}.*:{server}")}
  rooms: []
"""


def _text(value: str) -> str:
    """Returns a text in quotes; JSON's are YAML's too."""
    return json.dumps(value)
