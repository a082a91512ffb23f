"""`python -m infra.matrix homeserver`: a homeserver on this machine, to try the Matrix desk with."""

import argparse
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from infra.local.settings import (
    MATRIX_AS_TOKEN,
    MATRIX_HS_TOKEN,
    MATRIX_PORT,
    MATRIX_SERVER_NAME,
    PEOPLE,
)
from infra.matrix.install import install
from infra.matrix.registration import registration
from infra.matrix.synapse import Synapse
from shared.platforms.matrix.names import Homeserver

HELP = "Start a homeserver on this machine, to try the Matrix desk with."
# ruff: noqa: E501  # lines to copy must be whole
BANNER = """
The homeserver is at http://localhost:{port}/   (Ctrl-C stops it; its state is in {folder}/ and survives)

  1. Start Baton in another terminal:
     {settings}make run

  2. Sign in with any Matrix client: Element Desktop, or Element Web at https://app.element.io.
     Choose the homeserver http://localhost:{port} and one of these people:
{people}

  3. Open {baton}/ and ask for a person as the customer.
     The handoff is an invitation in the client: accept it, and answer.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=MATRIX_PORT, help="default: %(default)s")
    baton = "where Baton's local run is (default: %(default)s)"
    parser.add_argument("--baton", type=_origin, default="http://127.0.0.1:8080", help=baton)
    parser.add_argument("--fresh", action="store_true", help="forget accounts and rooms first")
    install_only = "install Synapse, and do not start it"
    parser.add_argument("--install", action="store_true", help=install_only)


def run(chosen: argparse.Namespace) -> int:
    """Serves until it is stopped."""
    python = install(_say)
    if chosen.install:
        return 0
    os.umask(0o077)
    folder = Path(os.environ.get("BATON_HOME") or ".baton") / "matrix"
    if chosen.fresh:
        _say(f"Forgetting what is in {folder} ...")
        shutil.rmtree(folder, ignore_errors=True)
    home = Homeserver(MATRIX_SERVER_NAME)
    url = f"{chosen.baton}/receive_webhook/matrix"
    text = registration(url, MATRIX_AS_TOKEN, MATRIX_HS_TOKEN, home)
    server = Synapse(python, folder, text, chosen.port)
    _say(f"Starting Synapse on port {server.port} ...")
    try:
        process = server.start()
        print(_banner(server, folder, chosen.baton, _people(server)), flush=True)
        return process.wait()
    except KeyboardInterrupt:
        _say("Stopping ...")
        server.stop(signal.SIGTERM)
        return 0
    finally:
        server.stop(signal.SIGKILL)


def _people(server: Synapse) -> Mapping[str, str]:
    """Returns the passwords of the people who answer, whose accounts exist afterwards."""
    kept = server.folder / "passwords.json"
    if not kept.exists():
        names = [one.partition("@")[0] for one in PEOPLE]
        kept.write_text(json.dumps({name: secrets.token_urlsafe(9) for name in names}))
    passwords: dict[str, str] = json.loads(kept.read_text())
    for address, person in PEOPLE.items():
        name = address.partition("@")[0]
        server.make_person(name, passwords[name], person["name"])
    return passwords


def _banner(server: Synapse, folder: Path, baton: str, people: Mapping[str, str]) -> str:
    settings = {
        "BATON_DESKS": json.dumps([{"name": "matrix", "kind": "matrix"}]),
        "MATRIX_API_URL": server.url if server.port != MATRIX_PORT else "",
        "PORT": str(port) if (port := urlsplit(baton).port) != 8080 else "",
    }
    given = "".join(f"{name}='{value}' " for name, value in settings.items() if value)
    rows = "\n".join(f"       {name:<6} {password}" for name, password in people.items())
    return BANNER.format(port=server.port, folder=folder, baton=baton, settings=given, people=rows)


def _origin(given: str) -> str:
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
        raise argparse.ArgumentTypeError("give an origin, such as http://127.0.0.1:8080")
    return f"{parts.scheme}://{parts.netloc}"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
