"""The system clock. No other module reads it."""

from datetime import UTC, datetime


class WallClock:
    def now(self) -> datetime:
        """Returns the time in UTC."""
        return datetime.now(UTC)
