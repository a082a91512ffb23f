"""`python -m infra.local` (make run): everything on one machine. PORT chooses the port,
BATON_HOME the state's folder.
"""

import argparse
import contextlib
import os
import shlex
import socket
import sys
from pathlib import Path

import uvicorn

from infra.command import run_tool
from infra.local import settings
from infra.local.app import Local
from infra.local.hold import SQLITE, Held, held
from infra.local.protocol import LONGEST_HEAD, OneShape
from shared import logs
from shared.bootstrap import root as bootstrap
from shared.errors import Misconfigured
from shared.stores.sqlite.file import UnusableFile
from shared.stores.sqlite.store import examine

STOP_SECONDS = 3  # for requests that are under way; an open desk page may wait for news for long
# ruff: noqa: E501  # lines to copy must be whole
BANNER = """
Baton is at http://127.0.0.1:{port}/   (Ctrl-C stops it; its state is in {folder}/ and survives)

  keys       bot {bot}   agent {agent}   admin {admin}
  reports    http://127.0.0.1:{port}/send_representative/reports/#key={admin}
  webhooks   /receive_webhook/business_messages (signed with {signing})   /receive_webhook/csku (Authorization: {csku})
             /receive_webhook/rcs (signed with {rcs})   /receive_webhook/whatsapp (signed with {whatsapp})
  CRM page   /forward_variables (tokens signed with {bridge}) for pages of {origins}
             a page of your own:  BRIDGE_ALLOWED_ORIGINS=http://localhost:9000 make run
             its tag and a token: .venv/bin/python -m infra.bridge_tag --endpoint http://127.0.0.1:{port}/forward_variables --agent jane

Try it in another terminal:

  1. The customer writes, and the bot acknowledges:
     curl -X POST http://127.0.0.1:{port}/sim/business_messages/customers/3333/messages -d '{{"text": "Hi, I have a problem"}}'

  2. Jane takes over, and what she says is framed and labelled HUMAN:
     curl -X POST http://127.0.0.1:{port}/send_representative/v1/conversations/3333:claim -H 'Authorization: Bearer {agent}' -d '{{"representative": {{"displayName": "Jane Doe"}}}}'

  3. See what the customer saw:
     curl http://127.0.0.1:{port}/sim/business_messages/customers/3333
"""
DAMAGED = """{error}.
Baton does not start, and cannot tell what of the state is lost.
Put a copy of the file back, or begin without it:
  mkdir {aside} && mv {path}* {aside}/
BATON_HOME=another/folder make run leaves it where it is."""
UNUSABLE = """{error}.
Baton does not start. Put that right, or name another folder: BATON_HOME=another/folder make run"""
HELD = """Another run uses {folder}/ or its store: {error}.
Stop it, or give this one a folder and a port of its own:
  BATON_HOME=.baton2 PORT=8081 make run"""


def main(given: list[str] | None = None) -> int:
    """Serves until it is stopped. Returns 1 where it cannot serve, after it has printed the reason."""
    what = "Serve everything on one machine; PORT and BATON_HOME choose the port and the state's folder."
    argparse.ArgumentParser(prog="python -m infra.local", description=what).parse_args(given)
    listener = _listen(os.environ.get("PORT", "8080"))
    if listener is None:
        return 1
    port, folder = int(listener.getsockname()[1]), Path(os.environ.get("BATON_HOME") or ".baton")
    os.umask(0o077)  # only the owner may read what customers wrote
    logs.hide("DEBUG")
    settings.fill(os.environ, port, folder)
    try:
        store = bootstrap.baton().settings.baton_store
        with held(folder, store):
            _serve(listener, port, folder, store)
    except Misconfigured:
        return _refused(
            "Baton does not start: the line above names what to change in the environment."
        )
    except UnusableFile as error:
        words = DAMAGED if error.is_damaged else UNUSABLE
        aside = shlex.quote(f"{Path(error.path).parent}/damaged")
        return _refused(words.format(error=error, path=shlex.quote(error.path), aside=aside))
    except Held as error:
        return _refused(HELD.format(folder=folder, error=error))
    finally:
        listener.close()
    return 0


def _serve(listener: socket.socket, port: int, folder: Path, store: str) -> None:
    bootstrap.baton().ports  # noqa: B018  # built now, so that what is missing is said now
    if store.startswith(SQLITE):
        examine(store.removeprefix(SQLITE))
    config = uvicorn.Config(
        Local(port, folder),
        http=OneShape,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        ws="none",
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    print(_banner(port, folder), flush=True)
    # the server has stopped in order by then, and raises the interrupt again
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listener])


def _banner(port: int, folder: Path) -> str:
    """Returns the text that is printed at the start: what one can try. Secrets that the environment
    sets are not printed.
    """
    known = settings.defaults(port, folder)
    keys = os.environ["BATON_API_KEYS"] == known["BATON_API_KEYS"]
    said = {name: known[name] if os.environ[name] == known[name] else "(yours)" for name in known}
    return BANNER.format(
        port=port,
        folder=folder,
        bot=settings.BOT_KEY if keys else "(yours)",
        agent=settings.AGENT_KEY if keys else "(yours)",
        admin=settings.ADMIN_KEY if keys else "(yours)",
        signing=said["BUSINESS_MESSAGES_SIGNING_KEYS"],
        csku=said["CSKU_WEBHOOK_SECRETS"],
        rcs=said["RCS_CLIENT_TOKENS"],
        whatsapp=said["WHATSAPP_APP_SECRETS"],
        bridge=said["BRIDGE_TOKEN_KEYS"],
        origins=", ".join(bootstrap.baton().settings.bridge_allowed_origins),
    )


def _refused(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


def _listen(port: str) -> socket.socket | None:
    """Returns a socket that listens on this port of the loopback interface. Returns None where the
    port is not free, after it has printed the reason.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", int(port)))
        listener.listen()
    except (ValueError, OverflowError):
        print(f"PORT is a number from 1 to 65535, not {port!r}.", file=sys.stderr)
    except OSError as error:
        print(
            f"Port {port} cannot be used: {error}. Choose another: PORT=8081 make run",
            file=sys.stderr,
        )
    else:
        return listener
    listener.close()
    return None


if __name__ == "__main__":
    run_tool(main)
