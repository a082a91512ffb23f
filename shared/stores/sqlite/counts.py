"""Counts of the reports in SQLite, one row for each cell, whose `name` is the key of the cell. Rows
do not expire.
"""

import sqlite3
from collections.abc import Collection, Sequence

from shared.measures.counts import Cell, Count, Tally, name_in
from shared.schemas.notation import format_time, parse_time

DAY = len("2026-03-02")
SCHEMA = """
create table if not exists tallies (
  tally text not null, quarter text not null, channel text not null, desk text not null,
  agent text not null,
  name text not null, bin integer not null, number integer not null,
  primary key (tally, quarter, channel, desk, agent, name, bin)) without rowid;
create table if not exists corrected_days (day text primary key,
  read_at text not null) without rowid;
"""
_ADD = """insert into tallies (tally, quarter, channel, desk, agent, name, bin, number)
          values (?, ?, ?, ?, ?, ?, ?, ?)
          on conflict do update set number = number + excluded.number"""
_DELETE = """delete from tallies where tally = ? and quarter >= ? and quarter < ? and not exists
             (select 1 from corrected_days where day = substr(quarter, 1, 10) and read_at > ?)"""
_LATER = "select day from corrected_days where day >= ? and day < ? and read_at > ?"
_READ_ANEW = "update corrected_days set read_at = ? where day >= ? and day < ? and read_at < ?"
_READ = "insert or ignore into corrected_days (day, read_at) values (?, ?)"


def add(connection: sqlite3.Connection, counts: Sequence[Count]) -> None:
    """Adds the counts to their rows."""
    connection.executemany(_ADD, [(*_key(one.cell), one.number) for one in counts])


def correct(
    connection: sqlite3.Connection,
    since: str,
    until: str,
    corrections: Sequence[Count],
    read_at: str,
) -> None:
    """Replaces the corrections of the quarters from `since` until before `until`, given in the
    stored text form.

    Days with corrections of a later reading than `read_at` are left unchanged.
    """
    span = (since[:DAY], until[:DAY])
    connection.execute(_DELETE, (Tally.CORRECTED.value, since, until, read_at))
    later = {str(day) for (day,) in connection.execute(_LATER, (*span, read_at))}
    wanted = [one for one in corrections if _day(one) not in later]
    add(connection, wanted)
    connection.execute(_READ_ANEW, (read_at, *span, read_at))
    connection.executemany(_READ, {(_day(one), read_at) for one in wanted})


def read(
    connection: sqlite3.Connection, since: str, until: str, tallies: Collection[Tally]
) -> list[Count]:
    """Returns the counts of the quarters from `since` until before `until`, given in the stored
    text form.
    """
    sql = """select tally, quarter, channel, desk, agent, name, bin, number from tallies
             where tally = ? and quarter >= ? and quarter < ? and number <> 0"""
    rows = (
        row for tally in tallies for row in connection.execute(sql, (tally.value, since, until))
    )
    return [count for row in rows if (count := _count(*row)) is not None]


def _day(count: Count) -> str:
    return format_time(count.cell.quarter)[:DAY]


def _key(cell: Cell) -> tuple[object, ...]:
    quarter = format_time(cell.quarter)
    return cell.tally.value, quarter, cell.channel, cell.desk, cell.agent, cell.key, cell.bin


def _count(
    tally: str, quarter: str, channel: str, desk: str, agent: str, key: str, bin_: int, number: int
) -> Count | None:
    """Returns None for a name of a newer version."""
    known = name_in(key)
    if known is None:
        return None
    where = (parse_time(quarter), channel, desk, agent)
    return Count(Cell(*where, known[0], bin_, Tally(tally), known[1]), number)
