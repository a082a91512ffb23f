"""Two robots through the real functions: the built-in bot, and a customer who answers it at
once.
"""

from collections.abc import Callable

from infra.local.server import LocalServer
from infra.local.talk import Talk


def answers(talk: Talk) -> list[str]:
    """Returns what became of each answer of the bot, the oldest first."""
    return [one["verdict"] for one in talk.journal() if one["kind"] == "bot_message"]


def test_two_robots_come_to_an_end_of_which_the_team_hears_once(
    start: Callable[..., LocalServer],
) -> None:
    talk = Talk.open(start(BATON_BOT="acknowledge", BOT_TURNS_LIMIT="4"))
    for turn in range(1, 9):
        talk.server.wait_until(lambda: len(answers(talk)) == turn)  # noqa: B023  # it is called at once
        if turn < 8:
            talk.customer_says(f"beep {turn}", f"beep-{turn}")
    talk.server.wait_until_quiet(talk.id)
    journal = talk.journal()
    assert answers(talk) == ["accepted"] * 4 + ["refused"] * 4
    assert {one["reason"] for one in journal if one["verdict"] == "refused"} == {"bot-loop"}
    told = [c for one in journal for c in one["commands"] if c.get("topic") == "baton-handoffs"]
    assert len(told) == 1
    answer = talk.post("/messages", {"messageId": "mine", "text": "beep"}, "dev-bot")
    assert (answer.status, answer.body["error"]["details"][0]["reason"]) == (409, "bot-loop")
    assert talk.frame("JOINED", "Jane Doe", "e-1").status == 200
    assert talk.frame("LEFT", "Jane Doe", "e-2").status == 200
    assert talk.post("/messages", {"messageId": "mine", "text": "beep"}, "dev-bot").status == 200
