"""`make demo`, as README promises it."""

import pytest

from infra.local import demo


def test_the_demo_shows_the_reference_conversation_and_that_it_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert demo.main([]) == 0
    told = capsys.readouterr().out
    assert "--- Jane Doe joined ---" in told
    assert told.endswith("Every step was answered as it should be, and every invariant holds.\n")
