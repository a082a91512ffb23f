"""Examples that several properties share: to draw a conversation takes Hypothesis ten times as long
as Baton takes to decide on it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.property.effort import PART, effort
from tests.soak import SOAKS

REPR = 3000  # characters of one example in a failure: a policy has all notices
Property = Callable[..., None]


@dataclass
class Pool:
    """So many examples of a strategy, the same in every run, drawn when they are first needed."""

    strategy: st.SearchStrategy[Any]
    size: int

    @cached_property
    def drawn(self) -> list[Any]:
        kept: list[Any] = []

        @effort(PART * self.size)
        @given(self.strategy)
        def draw(example: Any) -> None:
            kept.append(example)

        draw()
        return kept

    def shuffled(self, random: Random) -> Iterator[Any]:
        """Yields each example before any comes again."""
        while True:
            yield from random.sample(self.drawn, len(self.drawn))


def on_each(examples: int, *pools: Pool) -> Callable[[Property], Property]:
    """Tries a property on so many combinations of what the pools hold, each property on others.
    A soak draws every example for that property alone, and makes what it finds small.
    """

    def tries(checked: Property) -> Property:
        if SOAKS:
            return effort(examples)(given(*(pool.strategy for pool in pools))(checked))

        def all_of_them() -> None:
            random = Random(checked.__name__)
            combinations = zip(*(pool.shuffled(random) for pool in pools), strict=False)
            for combination in islice(combinations, examples):
                try:
                    checked(*combination)
                except BaseException as error:
                    error.add_note(
                        "\n".join(f"It fails on {repr(one)[:REPR]}" for one in combination)
                    )
                    raise

        all_of_them.__name__, all_of_them.__doc__ = checked.__name__, checked.__doc__
        all_of_them.__module__ = checked.__module__
        return all_of_them

    return tries
