"""`python -m infra.local` (make run): everything on one machine. PORT chooses the port, BATON_HOME the state's folder."""

import contextlib
import os
import socket
import sys
from pathlib import Path

import uvicorn

from infra.local import settings
from infra.local.app import Local
from shared import bootstrap, logs
from shared.errors import Misconfigured

# ruff: noqa: E501  # lines to copy must be whole
BANNER = """
Baton is at http://127.0.0.1:{port}/   (Ctrl-C stops it; its state is in {folder}/ and survives)

  keys       bot {bot}   agent {agent}   admin {admin}
  reports    http://127.0.0.1:{port}/send_representative/reports/#key={admin}
  webhooks   /receive_webhook/business_messages (signed with {signing})   /receive_webhook/csku (Authorization: {csku})
             /receive_webhook/rcs (signed with {rcs})   /receive_webhook/whatsapp (signed with {whatsapp})

Try it in another terminal:

  1. The customer writes, and the bot acknowledges:
     curl -X POST http://127.0.0.1:{port}/sim/business_messages/customers/3333/messages -d '{{"text": "Hi, I have a problem"}}'

  2. Jane takes over, and what she says is framed and labelled HUMAN:
     curl -X POST http://127.0.0.1:{port}/send_representative/v1/conversations/3333:claim -H 'Authorization: Bearer {agent}' -d '{{"representative": {{"displayName": "Jane Doe"}}}}'

  3. See what the customer saw:
     curl http://127.0.0.1:{port}/sim/business_messages/customers/3333
"""


def main() -> int:
    """Serves until it is stopped. Returns 1, having said which, where a setting is wrong."""
    listener = _listen(os.environ.get("PORT", "8080"))
    if listener is None:
        return 1
    port, folder = int(listener.getsockname()[1]), Path(os.environ.get("BATON_HOME", ".baton"))
    logs.hide("DEBUG")
    for name, value in settings.defaults(port, folder).items():
        os.environ.setdefault(name, value)
    try:
        bootstrap.baton().ports  # noqa: B018  # built now, so that what is missing is said now
    except Misconfigured:
        print("Baton does not start: the line above names what to change in the environment.", file=sys.stderr)
        return 1
    print(
        BANNER.format(
            port=port,
            folder=folder,
            bot=settings.BOT_KEY,
            agent=settings.AGENT_KEY,
            admin=settings.ADMIN_KEY,
            signing=settings.SIGNING_KEY,
            csku=settings.CSKU_SECRET,
            rcs=settings.RCS_TOKEN,
            whatsapp=settings.WHATSAPP_SECRET,
        ),
        flush=True,
    )
    with contextlib.suppress(KeyboardInterrupt):  # the server has stopped in order by then, and says it once more
        uvicorn.Server(uvicorn.Config(Local(port, folder), log_level="critical", access_log=False)).run([listener])
    return 0


def _listen(port: str) -> socket.socket | None:
    """Returns a socket that listens on this port of the loopback interface, None (having said why) if it cannot be."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", int(port)))
    except (ValueError, OverflowError):
        print(f"PORT is a number from 1 to 65535, not {port!r}.", file=sys.stderr)
    except OSError as error:
        print(f"Port {port} cannot be used: {error}. Choose another: PORT=8081 make run", file=sys.stderr)
    else:
        return listener
    listener.close()
    return None


if __name__ == "__main__":
    sys.exit(main())
