"""The gate tries each value once at least, a soak every combination, and `make soak` selects every
test that samples.
"""

import re
from itertools import product
from pathlib import Path

import pytest

from tests.soak import combinations, in_sample

TESTS = Path(__file__).parents[1]
SAMPLES = re.compile(r"\b(SOAKS|effort\(|on_each\(|BATON_KILL_RUNS)")
AXES = [[["a"], ["b"]], [[1, 2, 3, 4, 5], ["a", "b"]], [["a", "b"], [1, 2, 3], [True, False]]]


@pytest.mark.parametrize("axes", AXES, ids=str)
def test_the_gate_tries_each_value_once_at_least(axes: list[list[object]]) -> None:
    rows = combinations(*axes, whole=False)
    assert len(rows) == max(map(len, axes))
    for n, axis in enumerate(axes):
        assert {row[n] for row in rows} == set(axis)


@pytest.mark.parametrize("axes", AXES, ids=str)
def test_a_soak_tries_every_combination(axes: list[list[object]]) -> None:
    assert combinations(*axes, whole=True) == list(product(*axes))


@pytest.mark.parametrize("others", [["x"], ["x", "y"], ["x", "y", "z"]], ids=len)
def test_of_a_fixtures_values_each_is_tried_and_all_else_with_one_of_them(
    others: list[str],
) -> None:
    rows = list(product(["a", "b"], others))
    sampled = [row for row, stays in zip(rows, in_sample(rows), strict=True) if stays]
    assert len(sampled) == max(2, len(others))
    assert {value for value, _ in sampled} == {"a", "b"}
    assert {rest for _, rest in sampled} == {*others}


def test_a_soak_selects_every_file_that_samples() -> None:
    samples = {
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("test_*.py")
        if path != Path(__file__) and SAMPLES.search(path.read_text())
    }
    assert samples
    marked = {one for one in samples if "pytest.mark.soak" in (TESTS / one).read_text()}
    assert samples - marked == set()
