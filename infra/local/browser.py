"""The headless Chromium that is installed on this machine. Nothing is downloaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

COMMANDS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATHS = (Path("/usr/lib/chromium/chromium-headless-shell"), Path("/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str | None:
    """Returns the path of a Chromium, None where there is none."""
    installed = (
        *(path for path in PATHS if path.is_file()),
        *filter(None, map(shutil.which, COMMANDS)),
    )
    return next((str(path) for path in installed), None)


@contextmanager
def browser(path: str, *more: str) -> Iterator[Browser]:
    """Yields a started browser and closes it. `more` are arguments of Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        try:
            yield chromium
        finally:
            chromium.close()
