"""`python -m infra.capabilities`: the table of what each platform can do, printed from the
data that decides.
"""

import argparse
from collections.abc import Mapping

from infra.command import run_tool
from shared.bootstrap.platforms import platforms
from shared.schemas.content import TEXT_LIMIT
from shared.schemas.conversation import Capabilities
from shared.settings.model import Settings

WORDS = {
    "delivers": "Baton delivers to the customer there",
    "text_limit": f"characters of a text; a longer one is split, and so is one over {TEXT_LIMIT}",
    "frames": "shows JOINED and LEFT; else they are said as texts",
    "labels": "shows who speaks; else the human's name stands before their words",
    "typing": "shows typing",
    "receipts": "tells what was delivered and read",
    "rich_cards": "rich cards",
    "idempotent_sends": "recognises an id; else a message is sent at most once",
    "caller_ids": "receipts name callers' own ids; else Baton translates them",
    "surveys": "has surveys",
    "floor": "another sender may answer the customer, and the platform says so",
    "templates": "templates may be sent while that window is closed",
    "media": "files that it shows, with their largest size; of others the customer gets a link",
    "media_types": "MIME types of these files",
    "captions": "files with words below them; else the words come before",
    "window_hours": "hours after the customer's last message in which Baton lets anybody write",
}


def matrix() -> str:
    """Returns a Markdown table with a row for every capability and a column for every platform."""
    known = platforms(Settings())
    head = ["| |", *(f" `{name}` |" for name in known)]
    rows = [
        [f"| {WORDS[field]} |", *(_cell(one.capabilities, field) for one in known.values())]
        for field in WORDS
    ]
    return "\n".join("".join(row) for row in (head, ["|---|", *("---|" for _ in known)], *rows))


def _cell(capabilities: Capabilities, field: str) -> str:
    if not capabilities.delivers and field != "delivers":
        return " |"
    value = getattr(capabilities, field)
    if isinstance(value, Mapping):
        return " " + "; ".join(f"{one} {_of_kind(of)}" for one, of in value.items()) + " |"
    if isinstance(value, tuple):
        return f" {', '.join(value) or 'none'} |"
    if isinstance(value, bool):
        return " yes |" if value else " no |"
    return f" {'any' if value is None else value} |"


def _of_kind(value: int | tuple[str, ...]) -> str:
    """Returns the largest size, or the MIME types, of a kind of files."""
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"{value >> 20} MB" if value >= 1 << 20 else f"{value >> 10} KB"


def main(given: list[str] | None = None) -> int:
    what = "Print the table of capabilities."
    argparse.ArgumentParser(prog="python -m infra.capabilities", description=what).parse_args(given)
    print(matrix())
    return 0


if __name__ == "__main__":
    run_tool(main)
