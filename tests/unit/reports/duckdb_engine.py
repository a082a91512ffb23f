"""DuckDB in a process of its own: at its end its bindings print about leaks, which must not be a
test run's last words.

Run as a program it reads one JSON statement a line, `[sql, parameters]`, and answers each with its
rows.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self


class Engine:
    """A database in memory, from entering to leaving."""

    def __enter__(self) -> Self:
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Returns the rows. Raises ValueError with what DuckDB says against the statement."""
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("the engine has not been entered")
        self._process.stdin.write(json.dumps([sql, list(parameters)]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        rows: list[dict[str, Any]] = answer["rows"]
        return rows


def main() -> None:
    import duckdb

    connection = duckdb.connect()
    for line in sys.stdin:
        sql, parameters = json.loads(line)
        try:
            found = connection.execute(sql, parameters)
            names = [column[0] for column in found.description or ()]
            answer: dict[str, Any] = {
                "rows": [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            }
        except duckdb.Error as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
