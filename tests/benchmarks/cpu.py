"""The processor time of other processes."""

import ctypes
import time
from collections.abc import Iterable


def cpu_seconds(pids: Iterable[int]) -> float:
    """Returns what these processes have spent, with threads that have ended. What /proc says is
    exact to 10 ms only, too little for a slice. Raises OSError for a process that is gone.

    https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    """
    return sum(map(_spent, pids))


def _spent(pid: int) -> float:
    clock = ctypes.c_int()
    if fault := ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise OSError(fault, f"process {pid} has no clock")
    return time.clock_gettime(clock.value)
