"""`make demo`, as README promises it."""

import pytest

from infra.local import demo
from infra.local.reference import PAGE


def test_the_demo_shows_each_step_of_the_page_beside_what_it_caused_and_names_the_slips(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert demo.main([]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in PAGE:
        assert f"{part.number}. {part.says}" in said
    shown = [
        "phone customer: Hi, I have a problem",
        "phone BOT Hello World Agent: Thanks for contacting us. I'll pass this along when a live "
        "agent is available to chat with you.",
        "phone --- Jane Doe joined ---",
        "phone HUMAN Jane Doe: I see you have a problem. How can I help?",
        "phone --- Jane Doe left ---",
        "phone BOT Hello World Agent: Did you know our opening hours?",
    ]
    places = [said.index(one) for one in shown]
    assert places == sorted(places)
    assert said.count(" phone ") == len(shown)
    for answer, slip in (
        ("answer 404 NOT_FOUND", "slip The page has two conversation ids"),
        ("answer 409 ALREADY_EXISTS", "slip The page has one eventId twice"),
    ):
        assert 0 < said.index(slip) - said.index(answer) < 120
