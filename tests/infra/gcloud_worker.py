"""A program: the real gcloud, loaded once. Each line that it reads is a command; it answers each
with a line that holds the exit code and what gcloud printed. A start of gcloud takes two seconds.

Usage: gcloud_worker.py FOLDER_OF_THE_SDK
"""

import functools
import io
import json
import logging
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

LIB = Path(sys.argv[1]) / "lib"
sys.path[:0] = [str(LIB / "third_party"), str(LIB)]

# gcloud looks up a hundred variables for each command; a dictionary costs a tenth of the time.
os.environ = dict(os.environ)  # type: ignore[assignment]  # noqa: B003  # nothing is set there

# ruff: noqa: E402  # the SDK's modules
from googlecloudsdk import gcloud_main  # type: ignore[import-not-found]
from googlecloudsdk.api_lib.util import apis_internal  # type: ignore[import-not-found]
from googlecloudsdk.calliope import usage_text  # type: ignore[import-not-found]
from googlecloudsdk.command_lib.util.apis import registry  # type: ignore[import-not-found]
from googlecloudsdk.core import log  # type: ignore[import-not-found]

# Each command looks these up some hundred times, and they are the same for all commands.
apis_internal.GetApiDef = functools.cache(apis_internal.GetApiDef)
registry.GetAPICollections = functools.cache(registry.GetAPICollections)
usage_text.GetArgSortKey = functools.cache(usage_text.GetArgSortKey)
logging.disable(logging.INFO)  # nothing prints it
NEW_CLIENT, CLIENTS = apis_internal._GetClientInstance, dict[object, Any]()


def client(
    name: str,
    version: str,
    no_http: bool = False,
    http_client: object = None,
    check_response_func: object = None,
    http_timeout_sec: int | None = None,
) -> Any:
    """Returns the same client of an API again: to make one takes as long as to ask it. What looks
    at its answers is new for each command.
    """
    if http_client is not None:
        return NEW_CLIENT(
            name, version, no_http, http_client, check_response_func, http_timeout_sec
        )
    key = (name, version, no_http, http_timeout_sec)
    if key not in CLIENTS:
        CLIENTS[key] = NEW_CLIENT(name, version, no_http, None, None, http_timeout_sec)
    CLIENTS[key].check_response_func = check_response_func
    return CLIENTS[key]


apis_internal._GetClientInstance = client

SLEEP = time.sleep
# Between its questions about operations.
time.sleep = lambda seconds: SLEEP(min(float(seconds), 0.02))
RESOLVE = socket.getaddrinfo
# gcloud puts a region before the name of Cloud Run's host.
socket.getaddrinfo = lambda host, *more: RESOLVE(str(host).rpartition("-")[2], *more)
ANSWERS, CLI = sys.stdout, gcloud_main.CreateCLI([])


class Input(io.TextIOWrapper):
    """What a command reads, as bytes too."""

    def __init__(self, text: str) -> None:
        super().__init__(io.BytesIO(text.encode()))


def ran(words: list[str], text: str) -> dict[str, Any]:
    output, errors = io.StringIO(), io.StringIO()
    sys.stdin, sys.stdout, sys.stderr = Input(text), output, errors
    log.Reset(output, errors)
    try:
        CLI.Execute(words)
        code = 0
    except SystemExit as exit:
        code = int(exit.code or 0)
    except Exception as error:
        code = 1
        errors.write(f"{type(error).__name__}: {error}")
    return {"code": code, "output": output.getvalue(), "errors": errors.getvalue()}


for line in iter(sys.stdin.readline, ""):
    STDIN = sys.stdin
    words, text = json.loads(line)
    answer = ran(words[1:], text or "")
    sys.stdin = STDIN
    print(json.dumps(answer), file=ANSWERS, flush=True)
