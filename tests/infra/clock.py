"""A clock for tests that wait."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Time passes only while something pauses, `times` as fast as it says."""

    now: float = 0
    pauses: int = 0
    times: float = 1

    def pause(self, seconds: float) -> None:
        self.now += seconds * self.times
        self.pauses += 1

    def time(self) -> float:
        return self.now
