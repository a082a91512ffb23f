"""Keyset pagination. The last column of each row is the cursor of the page that begins after it."""

from collections.abc import Callable
from typing import Any, TypeVar

from shared.ports import Page

T = TypeVar("T")
Row = tuple[Any, ...]


def behind(cursor: str | None, columns: int) -> list[str]:
    """Returns the column values after which a page begins.

    The index finds them without reading earlier rows.
    """
    return cursor.split(" ", columns - 1) if cursor else [""] * columns


def page(rows: list[Row], item: Callable[[Row], T], limit: int) -> Page[T]:
    """Returns a page of the rows. It has a cursor if there are `limit` rows, so more may follow."""
    cursor = str(rows[-1][-1]) if len(rows) == limit else None
    return Page([item(row) for row in rows], cursor)
