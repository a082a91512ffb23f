"""What the gate (`make test`) samples and `make soak` runs whole. Every test of which a soak runs
more has the mark `soak`, by which `make soak` selects it.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, TypeVar

import pytest

SOAKS = os.environ.get("HYPOTHESIS_PROFILE") == "hunt"
Test = TypeVar("Test", bound=Callable[..., Any])


def each_once(**axes: Iterable[Any]) -> Callable[[Test], Test]:
    """Parametrizes a test: the gate tries each value of each axis once at least, a soak every
    combination. The keys of a mapping name its values.
    """
    named = {name: _named(values) for name, values in axes.items()}
    params = [
        pytest.param(*(value for _, value in row), id="-".join(name for name, _ in row))
        for row in combinations(*named.values(), whole=SOAKS)
    ]
    marks = (pytest.mark.parametrize(tuple(axes), params), pytest.mark.soak)

    def marked(test: Test) -> Test:
        for mark in marks:
            test = mark(test)
        return test

    return marked


def combinations(*axes: list[Any], whole: bool) -> list[tuple[Any, ...]]:
    """Returns the whole product, or as many rows as the longest axis has values, in which the
    shorter ones begin again.
    """
    if whole:
        return list(product(*axes))
    longest = max(map(len, axes))
    return [tuple(axis[n % len(axis)] for axis in axes) for n in range(longest)]


def _named(values: Iterable[Any]) -> list[tuple[str, Any]]:
    if isinstance(values, Mapping):
        return [(str(name), value) for name, value in values.items()]
    return [(str(value), value) for value in values]
