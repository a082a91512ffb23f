"""Whether the machine does anything else: milliseconds count only where it does not.

A virtual machine shares the last cache of its processors with machines that it does not see. Where
they use it, Baton's ratios rise: an event looks at more memory than the floor does.
"""

import os
import random
import time
from pathlib import Path

MOST_BUSY = 0.1  # of all processors, before anything is started
LOOK_SECONDS = 2.0
NEAR, FAR = 1_000, 60_000  # texts of about 100 bytes
LOOKS = 300_000


def busy() -> float:
    """Returns the share of all processors that others use now."""
    before = _times()
    time.sleep(LOOK_SECONDS)
    after = _times()
    spent = [b - a for a, b in zip(before, after, strict=True)]
    idle = spent[3] + spent[4]  # idle, and waiting for a disk
    return 1 - idle / max(sum(spent), 1)


def noise(share: float) -> str:
    """Returns what to print of a share that others used, with the load of the machine."""
    load = " ".join(f"{one:.2f}" for one in os.getloadavg())
    words = f"others used {share:.0%} of {os.cpu_count()} processors; load {load}"
    quiet = f"the machine was {'' if share <= MOST_BUSY else 'NOT '}quiet: {words}"
    return f"{quiet}; a look at memory {look_ns(NEAR):.0f} ns in 100 KB, {look_ns(FAR):.0f} in 6 MB"


def look_ns(texts: int) -> float:
    """Returns how many nanoseconds a look at one of so many texts takes, in random order."""
    known = [f"{number:040}" for number in range(texts)]
    random.Random(1).shuffle(known)
    times = LOOKS // texts
    began = time.perf_counter()
    for _ in range(times):
        for text in known:
            len(text)
    return (time.perf_counter() - began) / (times * texts) * 1e9


def _times() -> list[int]:
    """Returns user, nice, system, idle, iowait, irq, softirq and steal, in ticks."""
    return [*map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])]
