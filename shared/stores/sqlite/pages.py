"""Pages of rows of which the last column is the place behind which the next page begins."""

from collections.abc import Callable
from typing import Any, TypeVar

from shared.ports import Page

T = TypeVar("T")
Row = tuple[Any, ...]


def behind(cursor: str | None, columns: int) -> list[str]:
    """Returns the values behind which a page begins; the index finds them, so that no page
    reads those before it.
    """
    return cursor.split(" ", columns - 1) if cursor else [""] * columns


def page(rows: list[Row], item: Callable[[Row], T], limit: int) -> Page[T]:
    cursor = str(rows[-1][-1]) if len(rows) == limit else None
    return Page([item(row) for row in rows], cursor)
