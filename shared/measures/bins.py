"""Durations in bins that can be added up: exact to the second below 128 s, to 0.8 % above.

Above 128 s every doubling is cut into 64 bins. A bin is named by its first second, so nothing else
needs to be stored. Bins keep the order of what is in them: a percentile of bins is the bin of the
percentile.
"""

from collections.abc import Mapping

EXACT_BELOW = 128
Bins = Mapping[int, int]


def bin_of(seconds: float) -> int:
    """Returns the first second of the bin that a duration falls into, rounded to whole seconds
    first.
    """
    whole = max(round(seconds), 0)
    shift = max(whole.bit_length() - EXACT_BELOW.bit_length() + 1, 0)
    return whole >> shift << shift


def value_of(first: int) -> float:
    """Returns the duration that stands for a bin: its middle, at most 0.8 % from everything in
    it.
    """
    shift = max(first.bit_length() - EXACT_BELOW.bit_length() + 1, 0)
    return first + ((1 << shift) - 1) / 2


def percentile(bins: Bins, share: int) -> float | None:
    """Returns the seconds within which `share` percent of all have ended (the nearest rank), None
    where there are none.

    Half of them, the median, took no longer than percentile 50.
    """
    rank = -(-share * sum(bins.values()) // 100)
    for first in sorted(bins):
        rank -= bins[first]
        if rank <= 0 < bins[first]:
            return value_of(first)
    return None
