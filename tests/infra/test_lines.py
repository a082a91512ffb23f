"""Scripts, styles and pages have lines of at most 100 characters, as ruff demands of Python."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
KINDS = {".js", ".mjs", ".ts", ".css", ".html"}
OTHERS = "*.min.js"  # libraries of others, as they were published


def test_no_line_of_a_script_style_or_page_is_longer_than_100_characters() -> None:
    files = [
        path
        for room in ("functions", "infra")
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in KINDS and not path.match(OTHERS)
    ]
    assert len(files) > 20
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > 100
    ]
    assert long == []
