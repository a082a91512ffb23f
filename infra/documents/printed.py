"""`python -m infra.documents`: writes the printed parts of the documents between their markers.

A part begins with `<!-- printed: NAME -->` and ends with `<!-- end of NAME -->`. `--check` changes
nothing and ends with 1 where a part is stale.
"""

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.capabilities import desk_matrix, matrix
from infra.cost.cost import table as costs_table
from infra.deployables import ROOT
from infra.documents.alarms import alarms
from infra.documents.reasons import reasons_table
from infra.documents.settings import settings_table

PRINTED: Mapping[str, Callable[[], str]] = {
    "settings": settings_table,
    "reasons": reasons_table,
    "capabilities": matrix,
    "desks": desk_matrix,
    "alarms": alarms,
    "costs": costs_table,
}
PART = re.compile(r"<!-- printed: ([a-z ]+) -->\n.*?<!-- end of \1 -->", re.DOTALL)
BUILT = ("build", "node_modules")


def documents() -> list[Path]:
    """Returns every document of the repository."""
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not any(part.startswith(".") or part in BUILT for part in path.relative_to(ROOT).parts)
    )


def printed(text: str) -> str:
    """Returns a document with its printed parts as the code is now. Raises KeyError for a part
    that is not known.
    """
    return PART.sub(lambda part: _part(part[1]), text)


def _part(name: str) -> str:
    return f"<!-- printed: {name} -->\n\n{PRINTED[name]()}\n\n<!-- end of {name} -->"


def main(given: list[str] | None = None) -> int:
    what = "Write the printed parts of the documents."
    parser = argparse.ArgumentParser(prog="python -m infra.documents", description=what)
    parser.add_argument("--check", action="store_true", help="change nothing, name what is stale")
    check = parser.parse_args(given).check
    stale = [path for path in documents() if printed(path.read_text()) != path.read_text()]
    for path in stale:
        print(f"{path.relative_to(ROOT)} {'is stale' if check else 'is written'}")
        if not check:
            path.write_text(printed(path.read_text()))
    return 1 if check and stale else 0
