"""The system clock. No other module reads it."""

from datetime import UTC, datetime


class WallClock:
    """A Clock that reads the system time."""

    def now(self) -> datetime:
        """Returns the time in UTC."""
        return datetime.now(UTC)
