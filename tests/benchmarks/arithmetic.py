"""Percentiles, medians, ratios against budgets, and what a million events cost at list price.
Pure.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from infra.cost.cost import MILLION, PUBLISHED_BYTES
from infra.cost.prices import prices


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that at least `share` of all values do not exceed (the nearest
    rank).
    """
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)), 1) - 1]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def firestore_dollars(operations: Mapping[str, float], events: int) -> float:
    """Returns the list price of a million events of which `events` took these document
    operations.
    """
    known = prices().prices
    dollars = sum(known[f"firestore {kind}"].of_units(n) for kind, n in operations.items())
    return dollars / events * MILLION


def pubsub_dollars(publishes: float, deliveries: float, events: int) -> float:
    """Returns the list price of a million such events; every message is smaller than the least
    that is charged.
    """
    dollars = prices().prices["pubsub bytes"].of_units((publishes + deliveries) * PUBLISHED_BYTES)
    return dollars / events * MILLION


@dataclass(frozen=True, slots=True)
class Budget:
    """What a figure may be at most, or must be at least, and what we would like it to be."""

    kind: Literal["at most", "at least"]
    limit: float
    goal: float | None = None

    def judge(self, figure: float) -> Literal["goal met", "met", "NOT MET"]:
        if self.goal is not None and self._holds(figure, self.goal):
            return "goal met"
        return "met" if self._holds(figure, self.limit) else "NOT MET"

    def _holds(self, figure: float, limit: float) -> bool:
        return figure <= limit if self.kind == "at most" else figure >= limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the summary: what was measured, how it was had, and its budget where there is
    one.
    """

    name: str
    value: float
    unit: str
    budget: Budget | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        return self.budget.judge(self.value) if self.budget else ""
