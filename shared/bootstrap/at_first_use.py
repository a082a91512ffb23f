"""What is made at its first use, because to import it takes a part of a function's start."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class AtFirstUse(Mapping[str, T]):
    """Values by name. Each is made when it is first asked for; the names are known before."""

    def __init__(self, makers: Mapping[str, Callable[[], T]]) -> None:
        self._makers = makers
        self._made: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Returns the same as Mapping's `get`, with one call less: each event asks often."""
        found = self._made.get(name)
        return super().get(name, default) if found is None else found

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)
