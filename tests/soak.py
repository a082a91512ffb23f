"""What the gate (`make test`) samples and `make soak` runs whole. Every test of which a soak runs
more has the mark `soak`, by which `make soak` selects it.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
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


def sample(items: list[pytest.Item], axis: str, *files: Path) -> list[pytest.Item]:
    """Takes out of `items` what only a soak runs, and returns it. `axis` is a parameter that a
    fixture brings to tests in `files`, which may be folders: see `in_sample`.
    """
    groups: dict[tuple[Path, str], list[pytest.Function]] = {}
    for item in items:
        if not (isinstance(item, pytest.Function) and axis in _params(item)):
            continue
        if any(item.path.is_relative_to(one) for one in files):
            groups.setdefault((item.path, item.originalname), []).append(item)
    left = set[pytest.Item]()
    for tests in groups.values():
        rows = [_split(_params(test), axis) for test in tests]
        beyond = [one for one, stays in zip(tests, in_sample(rows), strict=True) if not stays]
        left |= {*beyond}
        for test in tests if beyond else ():
            test.add_marker(pytest.mark.soak)
    if SOAKS:
        return []
    items[:] = [item for item in items if item not in left]
    return [*left]


def in_sample(rows: Sequence[tuple[str, str]]) -> list[bool]:
    """Returns which rows the gate tries. A row is a value of the axis and the values of the other
    parameters: each of the others has one value of the axis, each value comes once at least.
    """
    values, others = (list(dict.fromkeys(column)) for column in zip(*rows, strict=True))
    sampled = combinations(values, others, whole=False)
    return [row in sampled for row in rows]


def _params(test: pytest.Function) -> Mapping[str, object]:
    return test.callspec.params if hasattr(test, "callspec") else {}


def _split(params: Mapping[str, object], axis: str) -> tuple[str, str]:
    """Returns the value of one parameter, and those of the others."""
    others = {name: value for name, value in params.items() if name != axis}
    return repr(params[axis]), repr(sorted(others.items(), key=lambda one: one[0]))


def _named(values: Iterable[Any]) -> list[tuple[str, Any]]:
    if isinstance(values, Mapping):
        return [(str(name), value) for name, value in values.items()]
    return [(str(value), value) for value in values]
