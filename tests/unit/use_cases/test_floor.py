"""Another sender is active on the same number: what Baton hears, what it says, and who it thinks
is active. Each test is a sequence that broke a simpler design.
"""

from datetime import timedelta
from typing import Any

import pytest

from shared.conversations.receive_webhook import receive_webhook
from shared.handoff.visibility import plain_text_for
from shared.schemas.conversation import Holder, Phase
from shared.schemas.events import HandoffFailed, HumanRequested
from shared.schemas.own_events import HumanIdleTimeout
from shared.schemas.variables import Audience
from tests.unit.use_cases.shared_number import ANA, THEM, US, Play, SharedNumber


@pytest.fixture
def number() -> SharedNumber:
    return SharedNumber()


@pytest.fixture
def play(bench: Any, number: SharedNumber) -> Play:
    return Play(bench, number)


@pytest.fixture
def giving_back(bench: Any, number: SharedNumber) -> Play:
    return Play(bench, number, given_back=True)


async def jane_comes(play: Play, number: SharedNumber) -> None:
    """The customer writes while another sender is active, and Jane claims the conversation."""
    await play.hears(number.says("Hi"))
    await play.claims()


async def journal(play: Play) -> list[tuple[str, str | None, str]]:
    page = await play.ports.store.journal(ANA, None, 100)
    entries = [one.value for one in page.items if not one.value.marker]
    return [(one.kind, plain_text_for(Audience.AGENT, one), one.verdict.value) for one in entries]


async def test_what_another_sender_is_to_answer_is_heard_and_asked_of_no_bot(
    play: Play, number: SharedNumber
) -> None:
    await play.hears(number.says("Do you deliver today?"), number.answers("Until six."))
    known = await play.now()
    assert play.told("BOT") == play.told("HUMAN") == []
    assert number.log == []
    assert known.floor is not None
    assert (known.phase, known.floor.holder) == (Phase.BOT, Holder.THEIRS)
    assert known.last_user_at is not None
    assert await journal(play) == [
        ("user_message", "Do you deliver today?", "accepted"),
        ("overheard", "Until six.", "accepted"),
    ]


async def test_a_bot_may_not_speak_while_another_sender_is_active(
    play: Play, number: SharedNumber
) -> None:
    await play.hears(number.says("Hi"))
    assert await play.bot() == "not-active"
    assert number.log == []
    assert number.owner == THEM


async def test_a_customer_who_asks_the_other_sender_for_a_person_is_queued(
    play: Play, number: SharedNumber
) -> None:
    webhooks = [number.says("A person!"), number.answers("I pass you on."), number.passes("refund")]
    await play.hears(*webhooks, webhooks[-1])
    known = await play.now()
    assert known.phase is Phase.QUEUED
    assert known.request is not None
    assert known.request.reason == "refund"
    assert play.notified == ["handoff.requested"]
    await play.claims()
    await play.jane("I am here.")
    assert number.log[0] == "Jane joined the conversation."
    assert "take" not in number.log, "the floor is ours already"


async def test_words_of_the_other_sender_do_not_move_the_floor(
    play: Play, number: SharedNumber
) -> None:
    """Its echo is later than our take."""
    await jane_comes(play, number)
    await play.hears(number.answers("Hello!"))
    await play.leaves()
    assert await play.bot() is None
    assert number.log[0] == "take"


async def test_words_of_the_other_sender_send_no_human_away(
    play: Play, number: SharedNumber
) -> None:
    await jane_comes(play, number)
    await play.hears(number.answers("Hello!"))
    assert (await play.now()).phase is Phase.HUMAN
    assert (await journal(play))[-1] == ("overheard", "Hello!", "stale")


@pytest.mark.parametrize("whole", [1, 60])
async def test_what_is_heard_late_does_not_move_the_floor_back(
    play: Play, number: SharedNumber, whole: int
) -> None:
    """Also within one unit of the platform's clock, where a handover is the stronger word."""
    number.whole = whole
    early, passed = number.says("Hi"), number.passes()
    await play.hears(passed, number.says("Still there?"), early)
    assert play.told("BOT") == ["Still there?"]
    assert await play.bot() is None


async def test_what_the_platform_accepted_of_ours_is_evidence(
    play: Play, number: SharedNumber
) -> None:
    """No webhook says that Jane's JOINED took the floor."""
    await jane_comes(play, number)
    await play.leaves()
    assert number.owner == US
    assert await play.bot() is None


async def test_a_message_of_ours_that_is_older_is_no_evidence(
    play: Play, number: SharedNumber
) -> None:
    await play.hears(number.passes())
    await play.claims()
    await play.leaves()
    await play.hears(number.takes())
    assert await play.bot() == "not-active"


async def test_our_own_clock_is_no_evidence(play: Play, bench: Any, number: SharedNumber) -> None:
    bench.clock.time = number.stamp + timedelta(hours=1)
    await jane_comes(play, number)
    await play.hears(number.takes())
    floor = (await play.now()).floor
    assert floor is not None
    assert floor.holder is Holder.THEIRS
    assert play.notified == ["handoff.joined", "handoff.floor_lost"]
    assert number.owner == THEM, "what another took is not taken back unasked"


async def test_control_is_taken_back_once_from_a_sender_whom_the_platform_let_answer(
    bench: Any, number: SharedNumber
) -> None:
    """Nothing is said at the claim, and the floor was ours then, so nothing took control."""
    play = Play(bench, number, notices=False)
    number.owner = US
    await play.hears(number.says("Hello"))
    number.owner = THEM
    words = [number.says(text) for text in ("Hi", "Where are you?")]
    await play.claims()
    assert number.log == []
    await play.hears(*words)
    assert number.log == ["take"]
    assert number.owner == US
    assert play.told("HUMAN") == ["Hi", "Where are you?"]


async def test_a_human_who_speaks_takes_control_first(play: Play, number: SharedNumber) -> None:
    await play.hears(number.says("Hi"), number.passes())
    await play.claims()
    await play.hears(number.takes())
    await play.jane("Wait")
    assert number.log[-2:] == ["take", "Jane: Wait"]


async def test_giving_back_comes_behind_the_last_word(
    giving_back: Play, number: SharedNumber
) -> None:
    await jane_comes(giving_back, number)
    await giving_back.leaves()
    assert number.log[-2].startswith("Jane has left.")
    assert number.log[-1] == "pass"
    assert number.owner == THEM


async def test_a_human_who_went_quiet_gives_back_as_well(
    giving_back: Play, number: SharedNumber
) -> None:
    await jane_comes(giving_back, number)
    timer = (await giving_back.now()).timer
    assert timer is not None
    assert (await giving_back.asks(HumanIdleTimeout, armed=timer.armed, n=timer.n)).refusal is None
    await giving_back.delivers()
    assert number.log[-1] == "pass"


async def test_where_nobody_else_answered_the_thread_is_released(
    giving_back: Play, number: SharedNumber
) -> None:
    number.owner = None
    await jane_comes(giving_back, number)
    await giving_back.leaves()
    assert number.log[-1] == "release"
    assert number.owner is None


async def test_by_default_nothing_is_given_back(play: Play, number: SharedNumber) -> None:
    await jane_comes(play, number)
    await play.leaves()
    assert number.owner == US
    assert not {"pass", "release"} & {*number.log}


async def test_words_between_the_last_word_and_giving_back_are_answered(
    giving_back: Play, number: SharedNumber
) -> None:
    """No other sender gets them."""
    await jane_comes(giving_back, number)
    await giving_back.leaves(delivered=False)
    await receive_webhook(giving_back.ports, number.says("One more thing"))
    await giving_back.delivers()
    assert giving_back.told("BOT") == ["One more thing"]
    assert await giving_back.bot("Yes?") is None


async def test_a_bot_says_nothing_unasked_after_giving_back(
    giving_back: Play, number: SharedNumber
) -> None:
    await jane_comes(giving_back, number)
    await giving_back.leaves()
    assert await giving_back.bot("By the way") == "not-active"
    assert number.owner == THEM


async def test_words_that_are_heard_late_do_not_end_a_giving_back(
    giving_back: Play, number: SharedNumber
) -> None:
    late = number.says("Hi")
    await giving_back.hears(number.passes())
    await giving_back.claims()
    await giving_back.leaves()
    await giving_back.hears(late)
    assert await giving_back.bot("By the way") == "not-active"


async def test_words_that_come_to_us_late_end_a_giving_back(
    giving_back: Play, number: SharedNumber
) -> None:
    """No other sender gets them."""
    number.owner = US
    await giving_back.hears(number.says("Hi"))
    late = number.says("One more thing")
    await giving_back.hears(number.passes())
    await giving_back.claims()
    await giving_back.leaves()
    await giving_back.hears(late)
    assert giving_back.told("BOT") == ["Hi", "One more thing"]
    assert await giving_back.bot("Yes?") is None


@pytest.mark.parametrize("phase", Phase)
async def test_a_message_on_both_fields_is_asked_of_the_bot_once(
    play: Play, number: SharedNumber, phase: Phase
) -> None:
    number.owner = US
    await play.hears(number.says("First"))
    if phase is Phase.HUMAN:
        await play.claims()
    number.tick()
    heard, ours = (number.heard(where, "Hi") for where in ("standby", "messages"))
    await play.hears(heard, ours, ours, heard)
    human = phase is Phase.HUMAN
    assert play.told("BOT") == (["First"] if human else ["First", "Hi"])
    assert play.told("HUMAN") == (["Hi"] if human else [])
    assert [text for kind, text, _ in await journal(play) if kind == "user_message"] == [
        "First",
        "Hi",
    ]
    floor = (await play.now()).floor
    assert floor is not None
    assert floor.holder is Holder.OURS


async def test_words_that_nobody_got_go_to_the_human_who_has_come_since(
    play: Play, number: SharedNumber
) -> None:
    number.owner = US
    await play.hears(number.says("First"))
    number.tick()
    heard, ours = (number.heard(where, "Hi") for where in ("standby", "messages"))
    await play.hears(heard)
    await play.claims()
    await play.hears(ours, ours)
    assert (play.told("BOT"), play.told("HUMAN")) == (["First"], ["Hi"])


async def test_the_other_way_round_it_is_a_duplicate(play: Play, number: SharedNumber) -> None:
    ours, heard = (number.heard(where, "Hi") for where in ("messages", "standby"))
    await play.hears(ours, heard)
    assert play.told("BOT") == ["Hi"]
    assert await play.bot() is None


async def test_a_sender_of_whom_nothing_is_heard_for_a_day_is_not_active(
    play: Play, bench: Any, number: SharedNumber
) -> None:
    bench.clock.time = number.stamp
    await play.hears(number.says("Hi"))
    bench.clock.forward(86_000)
    number.owner = None
    assert await play.bot() == "not-active"
    bench.clock.forward(500)
    await play.hears(number.takes())


async def test_a_refused_take_stops_nothing_and_the_message_says_why(
    play: Play, bench: Any, number: SharedNumber
) -> None:
    number.partner = False
    await jane_comes(play, number)
    assert number.log == ["refused take", "refused Jane joined the conversation."]
    failed = [body for body in bench.publisher.on("baton-handoffs") if "delivery" in body["type"]]
    assert ["2494191" in body["reason"] for body in failed] == [True]


async def test_the_answer_to_a_request_is_owed_while_another_sender_is_active(
    play: Play, number: SharedNumber
) -> None:
    await play.hears(number.says("Hi"))
    assert (await play.asks(HumanRequested, reason="billing")).refusal is None
    assert (await play.asks(HandoffFailed, reason="nobody")).refusal is None
    await play.delivers()
    assert number.log == []
    assert (await play.now()).owed == "nobody"
    number.owner = US
    await play.hears(number.says("Well?"))
    assert [line[:36] for line in number.log] == ["Sorry, nobody is available right now"]
