"""What the reports count, in SQLite: one row a cell. As the rest of the file it stays until the file is deleted."""

import sqlite3
from collections.abc import Collection, Sequence

from shared.reports.counts import Cell, Count, Tally
from shared.schemas.measures import Name
from shared.schemas.times import format_time, parse_time

SCHEMA = """
create table if not exists tallies (
  tally text not null, quarter text not null, channel text not null, desk text not null, agent text not null,
  name text not null, bin integer not null, number integer not null,
  primary key (tally, quarter, channel, desk, agent, name, bin)) without rowid;
"""
_ADD = """insert into tallies (tally, quarter, channel, desk, agent, name, bin, number)
          values (?, ?, ?, ?, ?, ?, ?, ?)
          on conflict do update set number = number + excluded.number"""


def add(connection: sqlite3.Connection, counts: Sequence[Count]) -> None:
    connection.executemany(_ADD, [(*_key(one.cell), one.number) for one in counts])


def correct(connection: sqlite3.Connection, since: str, until: str, corrections: Sequence[Count]) -> None:
    """Replaces the corrections of the quarters from `since` until before `until`, as times are written."""
    sql = "delete from tallies where tally = ? and quarter >= ? and quarter < ?"
    connection.execute(sql, (Tally.CORRECTED.value, since, until))
    add(connection, corrections)


def read(connection: sqlite3.Connection, since: str, until: str, tallies: Collection[Tally]) -> list[Count]:
    """Returns the cells of the quarters from `since` until before `until`, as times are written."""
    sql = """select tally, quarter, channel, desk, agent, name, bin, number from tallies
             where tally = ? and quarter >= ? and quarter < ? and number <> 0"""
    return [_count(*row) for tally in tallies for row in connection.execute(sql, (tally.value, since, until))]


def _key(cell: Cell) -> tuple[object, ...]:
    quarter, name = format_time(cell.quarter), cell.name.value
    return cell.tally.value, quarter, cell.channel, cell.desk, cell.agent, name, cell.bin


def _count(tally: str, quarter: str, channel: str, desk: str, agent: str, name: str, bin_: int, number: int) -> Count:
    return Count(Cell(parse_time(quarter), channel, desk, agent, Name(name), bin_, Tally(tally)), number)
