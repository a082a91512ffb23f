"""The quarter of an hour in which a test plays: figures are kept by quarters, and hours and
days end with one.
"""

import time

QUARTER_SECONDS = 15 * 60


def until_it_has(seconds: float) -> None:
    """Returns at a time whose quarter goes on for so many seconds: what is played then has one
    hour and one day.
    """
    left = QUARTER_SECONDS - time.time() % QUARTER_SECONDS
    if left < seconds:
        time.sleep(left)
