"""The HTML export as a browser shows it: what was said is text, in its own direction, with why
it was not said.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from infra.export.transcript_formats import Html
from infra.export.transcripts import Line
from tests.browser.conftest import PATIENCE

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
SCRIPT = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
HEBREW, OVERRIDE = "שלום, הזמנה 12345 לא הגיעה!", "\u202eturned"
LINES: list[dict[str, Any]] = [
    {"role": "user", "text": HEBREW},
    {"role": "assistant", "name": SCRIPT, "text": SCRIPT},
    {"role": "user", "text": f"{OVERRIDE}\nnext"},
    {"role": "human_agent", "name": "Jane", "text": "Too late", "reason": "outside-window"},
    {"role": "assistant", "text": "Beep", "outcome": "suppressed", "reason": "suppressed"},
    {"kind": "left", "name": "Jane", "reason": "solved"},
]


@pytest.fixture
def shown(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    parts: list[str] = []
    export = Html(parts.append, "human_agent")
    export.begin()
    export.open("csku:<b>1", "csku")
    for one in LINES:
        export.line(Line(**{"time": AT, "kind": "message", "outcome": "sent", **one}))
    export.close()
    export.end()
    (tmp_path / "export.html").write_text("".join(parts))
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto((tmp_path / "export.html").as_uri())
    yield page
    page.close()


def test_nothing_of_what_was_said_is_markup(shown: Page) -> None:
    assert shown.title() == "Transcripts"
    assert shown.locator("script, img").count() == 0
    assert shown.locator("h2").inner_text() == "csku:<b>1"
    assert [one.inner_text() for one in shown.locator("p > span").all()] == [
        one["text"] for one in LINES if "text" in one
    ]


def test_what_is_written_from_right_to_left_is_shown_so_and_turns_nothing_else(shown: Page) -> None:
    directions = [
        one.evaluate("e => getComputedStyle(e).direction")
        for one in shown.locator("p > span").all()
    ]
    assert directions == ["rtl", "ltr", "ltr", "ltr", "ltr"]
    assert (
        shown.locator("p").evaluate_all("all => all.map(e => getComputedStyle(e).direction)")
        == ["ltr"] * 6
    )


def test_it_says_why(shown: Page) -> None:
    assert shown.locator(".outcome").all_inner_texts() == [
        *["sent"] * 3,
        "sent: outside-window",
        "suppressed",
        "sent: solved",
    ]
