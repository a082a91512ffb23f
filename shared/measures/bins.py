"""Durations in bins that can be added up: exact to the second below 128 s, within 0.8 % above.

Above 128 s every doubling is divided into 64 bins. A bin is named by its first second. Bins
preserve order, so the percentile of the bins is the bin of the percentile.
"""

from collections.abc import Mapping

EXACT_BELOW = 128
Bins = Mapping[int, int]


def bin_of(seconds: float) -> int:
    """Returns the first second of the bin of a duration, which is rounded to whole seconds
    first.
    """
    whole = max(round(seconds), 0)
    shift = max(whole.bit_length() - EXACT_BELOW.bit_length() + 1, 0)
    return whole >> shift << shift


def value_of(first: int) -> float:
    """Returns the middle of a bin in seconds.

    It differs by at most 0.8 % from every duration in the bin.
    """
    shift = max(first.bit_length() - EXACT_BELOW.bit_length() + 1, 0)
    return first + ((1 << shift) - 1) / 2


def percentile(bins: Bins, share: int) -> float | None:
    """Returns the nearest-rank percentile in seconds, or None if there are no durations.

    Percentile 50 is the median.
    """
    rank = -(-share * sum(bins.values()) // 100)
    for first in sorted(bins):
        rank -= bins[first]
        if rank <= 0 < bins[first]:
            return value_of(first)
    return None
