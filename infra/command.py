"""How a command-line tool ends: with a line that gives the reason, without a traceback."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import NoReturn

from shared.errors import BatonError

INTERRUPTED, PIPE_CLOSED = 130, 141  # the exit code of a shell for a process that a signal ended


def run_tool(main: Callable[[], int]) -> NoReturn:
    """Ends the process with the result of `main`. An exception becomes one line on standard
    error.
    """
    try:
        code = main()
    except BaseException as error:
        code = ended(error)
    try:
        if sys.stdout is not None:
            # a reader that has closed the pipe is noticed here, not while Python ends
            sys.stdout.flush()
    except OSError as error:
        code = ended(error)
    sys.exit(code)


def ended(error: BaseException) -> int:
    """Prints why a tool ended, and returns its exit code."""
    if isinstance(error, SystemExit):
        return _said(error.code)
    if isinstance(error, KeyboardInterrupt):
        _say("\ninterrupted")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _drop_output()
        return PIPE_CLOSED
    if isinstance(error, BatonError):
        _say(error.message)
    elif isinstance(error, OSError):
        _drop_output()
        _say(f"{error.filename or 'it'}: {error.strerror or error}")
    else:
        _say(f"failed: {type(error).__name__}: {error} ({_where(error)})")
    return 1


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An excepthook for errors while a tool is still being imported."""
    ended(error)


def _said(code: object) -> int:
    if code is None or isinstance(code, int):
        return code or 0
    _say(str(code))
    return 1


def _say(text: str) -> None:
    with suppress(OSError, AttributeError):
        print(text, file=sys.stderr, flush=True)


def _drop_output() -> None:
    """Discards buffered output: Python would report an error about it when it ends."""
    with suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
