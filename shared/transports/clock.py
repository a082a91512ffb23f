"""The system clock. No other module reads it."""

from datetime import UTC, datetime
from functools import partial


class WallClock:
    """A Clock that reads the system time, in UTC."""

    now = staticmethod(partial(datetime.now, UTC))
