"""`python -m infra.capabilities`: the tables of what each channel and each kind of desk can do,
printed from the data that decides.
"""

import argparse
from collections.abc import Callable, Mapping

from infra.command import run_tool
from shared.bootstrap.platforms import platforms
from shared.schemas.content import TEXT_LIMIT
from shared.schemas.conversation import Capabilities
from shared.schemas.desk_kinds import DESK_KINDS, DeskKind, Way
from shared.settings.model import Settings

WORDS = {
    "text_limit": f"characters of a text; a longer one is split, and so is one over {TEXT_LIMIT}",
    "frames": "shows JOINED and LEFT; else they are said as texts",
    "labels": "shows who speaks; else the human's name stands before their words",
    "typing": "shows typing",
    "receipts": "tells what was delivered and read",
    "rich_cards": "rich cards",
    "idempotent_sends": "recognises an id; else a message is sent at most once",
    "caller_ids": "receipts name callers' own ids; else Baton translates them",
    "surveys": "has surveys",
    "replies": "shows which message is answered",
    "reactions": "shows a human's reaction to a message",
    "floor": "another sender may answer the customer, and the platform says so",
    "templates": "templates may be sent while that window is closed",
    "media": "files that it shows, with their largest size; of others the customer gets a link",
    "media_types": "MIME types of these files",
    "captions": "files with words below them; else the words come before",
    "window_hours": "hours after the customer's last message in which Baton lets anybody write",
}


DESK_WORDS = {
    "way": "how Baton reaches its people",
    "has_menus": "has queues that a chat can be put in (`menu`)",
    "is_thread": "a chat is a place among colleagues, with a claim before words if so configured",
    "idempotent": "recognises a message's id; else words are said at most once",
    "finds_chats": "finds the chat that an earlier try made; else its webhook must name it",
    "membership": "people join and leave a chat; else their first words are their joining",
    "typing": "shows that the customer types",
    "receipts": "shows what the customer has read",
    "edits": "shows an edit as one",
    "deletions": "shows a deletion as one",
    "reactions": "shows a reaction as one",
    "replies": "shows which message is answered",
    "files": "gets the customer's files; else a link",
}


def matrix() -> str:
    """Returns a Markdown table with a row for every capability and a column for every channel."""
    known = platforms(Settings())
    channels = {name: one.capabilities for name, one in known.items() if one.capabilities.delivers}
    return _table(WORDS, channels)


def desk_matrix() -> str:
    """Returns a Markdown table of the kinds of desks. What a chat can do stands where there is
    one.
    """
    opening = {name for name, kind in DESK_KINDS.items() if kind.way is Way.OPENS_CHATS}
    return _table(DESK_WORDS, DESK_KINDS, lambda name, field: field == "way" or name in opening)


def _table(
    words: Mapping[str, str],
    columns: Mapping[str, Capabilities | DeskKind],
    has: Callable[[str, str], bool] = lambda *_: True,
) -> str:
    def cell(name: str, field: str) -> str:
        return _cell(getattr(columns[name], field)) if has(name, field) else " |"

    head = ["| |", *(f" `{name}` |" for name in columns)]
    rows = [
        [f"| {said} |", *(cell(name, field) for name in columns)] for field, said in words.items()
    ]
    return "\n".join("".join(row) for row in (head, ["|---|", *("---|" for _ in columns)], *rows))


def _cell(value: object) -> str:
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
    what = "Print the tables of capabilities."
    argparse.ArgumentParser(prog="python -m infra.capabilities", description=what).parse_args(given)
    print(matrix())
    print()
    print(desk_matrix())
    return 0


if __name__ == "__main__":
    run_tool(main)
