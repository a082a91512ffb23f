"""What a log line is written as."""

import json

import pytest

from shared.logs import log


@pytest.mark.parametrize("said", ["naïve 👋", "\udc80", "\ud83d and é"])
def test_any_text_is_logged_on_one_line_of_json(
    said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log("ERROR", said, host=said)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"severity": "ERROR", "message": said, "host": said}
