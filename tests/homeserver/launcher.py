"""Forks homeservers from a process that has loaded Synapse, as Synapse's own tests fork its
workers. It runs in Synapse's Python, and ends with its standard input, all homeservers with it.

It answers each line of JSON with one. ["start", log, arguments ...] begins a homeserver; the answer
is its process id. ["end", id] asks how a process ended; the answer is null while it runs.
"""

import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn


def main() -> None:
    # a reactor that Twisted makes before a fork would be shared by all that are forked
    proxy = import_module("synapse.app.complement_fork_proxied_reactor").ProxiedReactor()
    import_module("twisted.internet.main").installReactor(proxy)
    serve = import_module("synapse.app.homeserver").main
    gc.collect()
    gc.freeze()
    running = set[int]()
    for line in sys.stdin.buffer:
        what, first, *arguments = json.loads(line)
        answer: int | None = None
        if what == "start":
            answer = os.fork()
            if answer == 0:
                _become(first, arguments, proxy, serve)
            running.add(answer)
        else:
            ended, status = os.waitpid(first, os.WNOHANG)
            if ended:
                running.discard(ended)
                answer = os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for process in running:
        os.kill(process, signal.SIGKILL)


def _become(log: str, arguments: list[str], proxy: Any, serve: Callable[[], None]) -> NoReturn:
    """Runs a homeserver as the program of this process."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor in (1, 2):
            os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), descriptor)
        sys.argv = ["synapse", *arguments]
        proxy._install_real_reactor(import_module("twisted.internet.epollreactor").EPollReactor())
        serve()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)  # sys.stderr may be Synapse's logger
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
