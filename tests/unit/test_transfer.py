"""Transfer, take-over, presence, room and assignment, as the customer, the team and the people see
them. Each naive design that the model of the protocol breaks has its sequence here.
"""

from datetime import timedelta
from typing import Any

import pytest

from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.schemas import events, own_events
from shared.schemas.commands import CallDesk, Publish
from shared.schemas.content import Content
from shared.schemas.conversation import Phase
from shared.schemas.journal import Verdict
from tests.unit.support_team import JANE, OMAR, ZOE, Team, named
from tests.unit.talk import BOT, human

CALLED = Desk(name="calls", kind="ccai", channels=("rcs",))  # only by transfer
SHUT = Hours(time_zone="Europe/Berlin", mon=("09:00-17:00",))  # it is a Sunday


def held(*, by: Any = JANE, **policy: Any) -> Team:
    team = Team(**policy)
    team.user()
    team.asks()
    team.claims(by)
    team.writes(by)
    team.done.clear()
    return team


def test_an_offer_changes_nothing_for_the_customer_and_can_be_accepted() -> None:
    team = held()
    team.offers(JANE, OMAR, note="wants a refund")
    offer = team.conversation.offer
    assert offer is not None
    assert (offer.to, offer.givers, offer.by, offer.note) == (
        OMAR.id,
        ("Jane",),
        JANE.id,
        "wants a refund",
    )
    assert (team.phase, team.shown, team.kinds) == (Phase.HUMAN, [], [])
    assert team.rooms[OMAR.id] == {offer.id}
    team.claims(OMAR)
    assert (team.phase, team.here, team.conversation.offer) == (Phase.HUMAN, ["Omar"], None)


def test_the_new_person_comes_before_the_old_one_leaves() -> None:
    """leave_first: else the customer is told that the assistant is back, between two humans."""
    team = held()
    team.offers(JANE, OMAR)
    team.claims(OMAR)
    assert team.frames == ["JOINED Omar", "LEFT Jane"]
    assert team.shown == ["Omar joined the conversation.", "Jane left the conversation."]
    assert team.kinds == ["handoff.transferred"]
    moved = team.notified[0]
    assert (moved["from"], moved["to"], moved["cause"], moved["waiting"]) == (
        "Jane",
        "Omar",
        "transfer",
        False,
    )


def test_passing_on_says_that_a_colleague_comes_and_never_that_the_assistant_is_back() -> None:
    """always_back"""
    team = held()
    team.passes(JANE, reason="billing")
    assert team.phase is Phase.QUEUED
    assert [one.split(".")[0] for one in team.shown] == [
        "Jane left the conversation",
        "A colleague will go on with you here",
    ]
    assert team.kinds == ["handoff.transferred"]
    assert (team.notified[0]["from"], team.notified[0]["to"]) == ("Jane", None)
    assert (team.notified[0]["reason"], team.notified[0]["waiting"]) == ("billing", True)


def test_an_offer_stands_when_the_giver_leaves_and_the_customer_waits() -> None:
    """giver_to_bot"""
    team = held()
    team.offers(JANE, OMAR)
    offer = team.offer
    team.goes(JANE)
    assert (team.phase, team.offer, team.tried) == (Phase.QUEUED, offer, [JANE.id])
    assert "assistant" not in " ".join(team.shown)
    team.claims(OMAR, offer=offer)
    assert (team.phase, team.here, team.rooms[OMAR.id]) == (Phase.HUMAN, ["Omar"], {offer})


def test_an_offer_is_over_when_somebody_else_claims() -> None:
    """offer_survives"""
    team = Team()
    team.asks()
    team.offers(ZOE, JANE, supervisor=True)
    offer = team.offer
    team.claims(OMAR)
    assert (team.conversation.offer, team.rooms[JANE.id]) == (None, set())
    refused = team.claims(JANE, offer=offer)
    assert named(refused) == "offer-over"


def test_a_bot_is_silent_between_two_humans() -> None:
    """bot_in_gap"""
    team = held(human_idle="queue")
    team.silent()
    assert team.phase is Phase.QUEUED
    asked = events.BotMessage(
        **team.common(fact=False), representative=BOT, content=Content(text="beep")
    )
    assert named(team.take(asked)) == "passing-on"
    assert team.bot().verdict is Verdict.SUPPRESSED
    team.done.clear()
    team.user("still there?")
    heard = [one.body["audience"] for one in team.done if isinstance(one, Publish)]
    assert heard == [["HUMAN"]]


def test_an_agent_does_not_put_a_colleague_out_and_a_supervisor_may() -> None:
    """kicks_others"""
    team = held()
    team.adds(OMAR)
    assert named(team.passes(JANE)) == "others-here"
    assert team.passes(ZOE, supervisor=True, seen_holder="Jane, Omar").refusal is None
    assert (team.phase, team.rooms[JANE.id], team.rooms[OMAR.id]) == (Phase.QUEUED, set(), set())


def test_words_are_handed_back_of_the_whole_handoff() -> None:
    team = held(human_idle="queue")
    team.silent()
    team.user("hello?")
    for _ in range(4):
        team.reminded()
    assert team.phase is Phase.BOT
    back = team.conversation.handback
    assert back is not None
    assert [line.text for line in back.said] == ["hello", "hello?"]
    assert back.representatives == ("Jane",)


def test_an_answer_names_the_offer_and_not_only_the_person() -> None:
    """answer_by_person, accept_is_claim"""
    team = held()
    team.offers(JANE, OMAR)
    old = team.offer
    team.withdraws(JANE)
    assert team.rooms[OMAR.id] == set()
    team.offers(JANE, OMAR)
    assert named(team.declines(OMAR, old)) == "offer-over"
    assert team.conversation.offer is not None
    late = team.claims(OMAR, offer=old)
    assert named(late) == "offer-over"
    assert late.refusal is not None
    assert late.refusal.metadata["offer"] == team.offer
    team.goes(JANE)
    team.withdraws(JANE)
    for _ in range(4):
        team.reminded()
    assert team.phase is Phase.BOT
    assert named(team.claims(OMAR, offer=old)) == "offer-over"
    assert team.phase is Phase.BOT


def test_only_the_person_declines_and_only_the_giver_or_a_supervisor_withdraws() -> None:
    team = held()
    team.offers(JANE, OMAR)
    assert named(team.declines(ZOE)) == "not-yours"
    assert named(team.withdraws(OMAR)) == "not-yours"
    assert named(team.claims(ZOE, offer=team.offer)) == "not-yours"
    assert team.withdraws(ZOE, supervisor=True).refusal is None
    assert named(team.withdraws(JANE, "gone")) == "offer-over"


def test_a_take_over_names_whom_it_replaces() -> None:
    """take_anybody"""
    team = held()
    assert named(team.takes_over(ZOE, None)) == "from-missing"
    late = team.takes_over(ZOE, "Omar")
    assert named(late) == "moved"
    assert late.refusal is not None
    assert late.refusal.metadata["holder"] == "Jane"
    team.takes_over(ZOE, "Jane")
    assert (team.here, team.frames) == (["Zoe"], ["JOINED Zoe", "LEFT Jane"])
    assert (team.notified[-1]["cause"], team.rooms[JANE.id]) == ("takeover", set())
    again = team.takes_over(ZOE, "Jane")
    assert (again.verdict, again.refusal) == (Verdict.IGNORED, None)


def test_a_take_over_asks_for_no_room_and_ends_an_offer_to_another() -> None:
    team = held()
    team.offers(JANE, OMAR)
    boss = ZOE.model_copy(update={"capacity": 0})
    team.takes_over(boss, "Jane")
    assert (team.here, team.conversation.offer) == (["Zoe"], None)
    assert (team.rooms[OMAR.id], len(team.rooms[ZOE.id])) == (set(), 1)


def test_a_take_over_of_a_customer_who_waits_is_a_claim() -> None:
    team = Team()
    team.asks()
    assert named(team.takes_over(ZOE, "Jane")) == "moved"
    team.takes_over(ZOE, None)
    assert (team.phase, team.kinds) == (Phase.HUMAN, ["handoff.requested", "handoff.joined"])


def test_the_wait_has_a_timer_beside_the_offers() -> None:
    """one_timer"""
    team = Team(assign="push")
    team.asks()
    timer = team.conversation.timer
    team.baton_offers(OMAR)
    assert (team.conversation.timer, team.conversation.assign) == (timer, None)
    assert team.conversation.due_at == team.now + timedelta(seconds=45)
    team.offer_expires()
    assert team.conversation.timer == timer
    assert team.conversation.assign is not None


def test_who_did_not_take_it_is_asked_again_only_after_a_reminder() -> None:
    """forget_tried"""
    team = Team(assign="push")
    team.asks()
    team.baton_offers(OMAR)
    team.declines(OMAR)
    assert team.tried == [OMAR.id]
    assert team.baton_offers(OMAR).verdict is Verdict.IGNORED
    team.baton_offers(JANE)
    team.offer_expires()
    assert team.tried == [OMAR.id, JANE.id]
    team.finds_nobody()
    assert team.conversation.assign is None
    team.reminded()
    assert (team.tried, team.conversation.assign is not None) == ([], True)
    team.baton_offers(OMAR)
    team.claims(OMAR)
    assert (team.tried, team.conversation.assign) == ([], None)


def test_a_look_that_is_outdated_ends_no_other() -> None:
    """look_skips: one that found nobody before an offer ended must not end the next one."""
    team = Team(assign="push")
    team.asks()
    first = team.conversation.assign
    assert first is not None
    team.baton_offers(JANE)
    team.declines(JANE)
    stale = own_events.AssignTimeout(**team.common(), armed=first.armed, n=first.n)
    assert team.take(stale).verdict is Verdict.IGNORED
    assert team.conversation.assign is not None
    assert team.baton_offers(OMAR).verdict is Verdict.ACCEPTED


def test_a_chat_ends_with_the_handoff_that_leaves_it() -> None:
    """no_let_go"""
    team = held(desks=(Desk(name="own"), CALLED))
    team.passes(JANE, "calls")
    called = team.conversation.called
    assert called is not None
    assert calls(team) == ["open"]
    team.done.clear()
    assert team.passes(ZOE, "own", supervisor=True).refusal is None
    assert (calls(team), team.conversation.called) == (["close"], None)


def calls(team: Team) -> list[str]:
    return [one.action for one in team.done if isinstance(one, CallDesk)]


def test_words_of_an_earlier_chat_hold_no_customer_who_waits() -> None:
    """no_past, late_back"""
    team = held(desks=(Desk(name="own"), CALLED))
    team.passes(JANE, "calls")
    team.opened("ccai:chat-1")
    team.joins("Kim", source="ccai:chat-1")
    team.passes(ZOE, "own", supervisor=True, seen_holder="Kim")
    team.done.clear()
    team.says("one more thing", "Kim", source="ccai:chat-1")
    assert (team.phase, team.here) == (Phase.QUEUED, [])
    assert [one.split(".")[0] for one in team.shown] == [
        "Kim joined the conversation",
        "Kim: one more thing",
        "Kim left the conversation",
        "Everyone is busy right now",
    ]


def test_a_request_returns_once_to_where_it_came_from() -> None:
    """ping_pong"""
    team = held(desks=(Desk(name="own"), CALLED))
    team.passes(JANE, "calls")
    request = team.conversation.request
    assert request is not None
    assert (request.desk, request.origin) == ("calls", "own")
    team.opened("ccai:chat-1")
    team.ends("ccai:chat-1")
    request = team.conversation.request
    assert request is not None
    assert (team.phase, request.desk, request.origin) == (Phase.QUEUED, "own", None)
    assert team.notified[-1]["cause"] == "returned"
    for _ in range(4):
        team.reminded()
    assert team.phase is Phase.BOT


def test_a_request_that_nobody_of_the_desk_takes_returns_after_the_last_reminder() -> None:
    team = held(desks=(Desk(name="own"), CALLED))
    team.passes(JANE, "calls")
    for _ in range(4):
        team.reminded()
    request = team.conversation.request
    assert request is not None
    assert (team.phase, request.desk, request.origin) == (Phase.QUEUED, "own", None)
    assert calls(team)[-1] == "close"


def test_nobody_says_of_the_desk_it_is_passed_to_ends_the_wait() -> None:
    team = held(desks=(Desk(name="own"), CALLED))
    team.passes(JANE, "calls")
    team.fails(fact=False)
    assert team.phase is Phase.BOT


def test_room_is_asked_for_where_somebody_joins() -> None:
    team = held(by=OMAR)
    room = team.rooms[OMAR.id]
    other = Team()
    other.rooms = team.rooms
    other.asks()
    full = other.claims(OMAR)
    assert named(full) == "at-capacity"
    assert full.refusal is not None
    assert full.refusal.metadata == {"capacity": "1", "conversations": "1"}
    assert named(other.adds(OMAR)) == "at-capacity"
    assert named(other.offers(JANE, OMAR)) == "at-capacity"
    assert other.baton_offers(OMAR).verdict is Verdict.IGNORED
    assert len(room) == 1
    team.goes(OMAR)
    assert other.claims(OMAR).refusal is None


def test_a_system_joins_as_anybody_and_nothing_is_counted() -> None:
    team = Team()
    team.asks()
    common: dict[str, Any] = {"fact": False, "key": "crm", "representative": human("Jane")}
    decision = team.take(events.Claim(**team.common(), **common))
    assert (decision.slots, team.phase) == ((), Phase.HUMAN)
    assert team.take(events.HumanLeft(**team.common(), **common)).refusal is None
    assert not any(one.kind == "free_slot" for one in team.done)


def test_each_frame_has_a_slot_of_its_own() -> None:
    """slot_by_conversation: a late free of the first frame must not free the second."""
    team = held(by=OMAR)
    first = set(team.rooms[OMAR.id])
    team.goes(OMAR)
    team.asks()
    team.claims(OMAR)
    assert team.rooms[OMAR.id].isdisjoint(first)


def test_what_is_offered_can_be_accepted() -> None:
    """no_reserve, self_block"""
    team = held()
    team.offers(JANE, OMAR)
    other = Team()
    other.rooms = team.rooms
    other.asks()
    assert named(other.claims(OMAR)) == "at-capacity"
    assert team.claims(OMAR, offer=team.offer).refusal is None
    assert len(team.rooms[OMAR.id]) == 1


def test_who_joins_beside_the_giver_takes_the_slot_of_the_offer() -> None:
    team = held()
    team.offers(JANE, OMAR)
    offer = team.offer
    assert team.adds(OMAR).refusal is None
    assert (team.here, team.conversation.offer) == (["Jane", "Omar"], None)
    assert team.rooms[OMAR.id] == {offer}


def test_an_offer_is_made_to_somebody_available_who_is_not_here() -> None:
    team = held()
    team.away.add(OMAR.id)
    assert named(team.offers(JANE, OMAR)) == "not-available"
    assert named(team.offers(OMAR, ZOE)) == "held"
    team.away.clear()
    team.adds(ZOE)
    assert named(team.offers(JANE, ZOE)) == "already-here"
    assert team.offers(JANE, OMAR).refusal is None
    offer = team.offer
    assert team.offers(JANE, OMAR).verdict is Verdict.IGNORED
    assert team.offer == offer


def test_a_new_offer_replaces_the_one_that_stands() -> None:
    team = held()
    team.offers(JANE, OMAR)
    team.offers(JANE, ZOE)
    assert (team.rooms[OMAR.id], team.rooms[ZOE.id]) == (set(), {team.offer})


def test_nobody_passes_on_a_customer_whom_no_human_has() -> None:
    team = Team()
    assert named(team.offers(JANE, OMAR)) == "not-held"
    assert named(team.passes(JANE)) == "not-held"
    team.asks()
    assert team.passes(JANE).verdict is Verdict.IGNORED


def test_a_supervisor_offers_in_place_of_all_who_are_here() -> None:
    team = held()
    assert named(team.offers(ZOE, OMAR, supervisor=True)) == "from-missing"
    assert named(team.offers(ZOE, OMAR, supervisor=True, seen_holder="Omar")) == "moved"
    team.offers(ZOE, OMAR, supervisor=True, seen_holder="Jane")
    team.claims(OMAR)
    assert team.here == ["Omar"]


def test_a_customer_who_is_passed_on_keeps_their_place() -> None:
    team = held()
    before = team.conversation.request
    assert before is not None
    team.now += timedelta(minutes=9)
    team.passes(JANE)
    after = team.conversation.request
    assert after is not None
    assert (after.accepted_at, after.queued_at) == (before.accepted_at, team.now)
    assert team.conversation.waiting_since == before.accepted_at


def test_a_human_who_came_unasked_passes_on_a_request_of_their_time() -> None:
    team = Team()
    team.claims(JANE)
    since = team.conversation.human_since
    team.now += timedelta(minutes=9)
    team.passes(JANE)
    assert team.conversation.request is not None
    assert team.conversation.request.accepted_at == since


@pytest.mark.parametrize("idle", ["queue", "queue-then-bot"])
def test_silence_passes_the_customer_on_as_configured(idle: Any) -> None:
    team = held(human_idle=idle)
    team.silent()
    assert (team.phase, team.tried, team.rooms[JANE.id]) == (Phase.QUEUED, [JANE.id], set())
    assert team.notified[-1]["cause"] == "silence"
    reminders = 1 if idle == "queue-then-bot" else 4
    for _ in range(reminders):
        assert team.phase is Phase.QUEUED
        team.reminded()
    assert team.phase is Phase.BOT
    assert team.shown[-1].startswith("Sorry, nobody is available right now.")


def test_silence_goes_to_the_bot_where_no_colleague_can_come() -> None:
    shut = held(human_idle="queue", desks=(Desk(name="own", hours=SHUT),))
    shut.silent()
    assert shut.phase is Phase.BOT


def test_silence_passes_on_to_whom_it_is_offered() -> None:
    team = held()
    team.offers(JANE, OMAR)
    team.silent()
    assert (team.phase, team.conversation.offer is not None) == (Phase.QUEUED, True)


def test_who_is_gone_is_silent_at_once() -> None:
    team = held(human_idle="queue")
    team.is_gone(JANE)
    assert (team.phase, team.tried, team.notified[-1]["cause"]) == (
        Phase.QUEUED,
        [JANE.id],
        "gone",
    )
    assert not any(one.kind == "free_slot" for one in team.done), "its commit freed it"


def test_who_is_gone_returns_the_customer_to_the_bot_by_default() -> None:
    team = held()
    team.is_gone(JANE)
    assert (team.phase, team.kinds) == (Phase.BOT, ["handoff.returned"])


def test_who_is_gone_leaves_colleagues_and_ends_an_offer_to_them() -> None:
    team = held()
    team.adds(OMAR)
    team.is_gone(OMAR)
    assert team.here == ["Jane"]
    team.offers(JANE, OMAR)
    team.is_gone(OMAR)
    assert (team.conversation.offer, team.here) == (None, ["Jane"])
    assert team.is_gone(OMAR, "an old slot").verdict is Verdict.IGNORED


def test_a_second_request_for_a_human_says_who_is_here() -> None:
    team = held()
    refused = team.asks()
    assert named(refused) == "human-here"
    assert refused.refusal is not None
    assert refused.refusal.metadata["holder"] == "Jane"
    assert "`:transfer`" in refused.refusal.message
    assert team.wants_human().verdict is Verdict.IGNORED, "a fact is as before"
    team.passes(JANE)
    assert team.asks().refusal is None


def test_a_desk_that_is_closed_takes_nobody() -> None:
    desks = (Desk(name="own"), Desk(name="late", hours=SHUT), Desk(name="w", hours=SHUT))
    waits = desks[2].model_copy(update={"outside": "wait"})
    team = held(desks=(*desks[:2], waits))
    shut = team.passes(JANE, "late")
    assert named(shut) == "desk-closed"
    assert shut.refusal is not None
    assert shut.refusal.metadata["opens"] == "2026-03-02T08:00:00.000000Z"
    team.passes(JANE, "w")
    assert team.phase is Phase.QUEUED
    assert team.conversation.opens_at is not None
    assert "when our team is back" in team.shown[-1]


def test_a_note_is_for_the_colleague_only() -> None:
    team = held(webhooks=frozenset({"BOT", "HUMAN"}))
    team.offers(JANE, OMAR, note="a difficult one")
    team.claims(OMAR)
    team.goes(OMAR)
    assert "difficult" not in "".join(one.model_dump_json() for one in team.done)
    assert team.conversation.handback is not None
    assert "difficult" not in team.conversation.handback.model_dump_json()
