"""What the reports count, in SQLite: one row a cell."""

import sqlite3
from collections.abc import Sequence

from shared.reports.counts import Cell, Count
from shared.schemas.measures import Name
from shared.schemas.times import format_time, parse_time

SCHEMA = """
create table if not exists counts (
  erased integer not null, quarter text not null, channel text not null, desk text not null, agent text not null,
  name text not null, bin integer not null, number integer not null,
  primary key (erased, quarter, channel, desk, agent, name, bin)) without rowid;
"""
_ADD = """insert into counts (erased, quarter, channel, desk, agent, name, bin, number)
          values (?, ?, ?, ?, ?, ?, ?, ?)
          on conflict do update set number = number + excluded.number"""


def add(connection: sqlite3.Connection, counts: Sequence[Count]) -> None:
    connection.executemany(_ADD, [(*_key(one.cell), one.number) for one in counts])


def read(connection: sqlite3.Connection, since: str, until: str, erased: bool) -> list[Count]:
    """Returns the cells of the quarters from `since` until before `until`, as times are written."""
    sql = """select erased, quarter, channel, desk, agent, name, bin, number from counts
             where erased = ? and quarter >= ? and quarter < ? and number <> 0"""
    return [_count(*row) for row in connection.execute(sql, (erased, since, until))]


def _key(cell: Cell) -> tuple[object, ...]:
    return int(cell.erased), format_time(cell.quarter), cell.channel, cell.desk, cell.agent, cell.name.value, cell.bin


def _count(erased: int, quarter: str, channel: str, desk: str, agent: str, name: str, bin_: int, number: int) -> Count:
    return Count(Cell(parse_time(quarter), channel, desk, agent, Name(name), bin_, bool(erased)), number)
