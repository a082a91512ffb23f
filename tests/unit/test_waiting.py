"""Messages for which the customer must write first: they wait, a template asks the customer once,
and they are sent when the customer is back. Each test is a sequence that breaks a simpler design.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.handoff import same_customer
from shared.handoff.machine import Decision
from shared.schemas import events, own_events
from shared.schemas.base import JsonObject
from shared.schemas.commands import Command, SendMessage, State
from shared.schemas.content import Template
from shared.schemas.conversation import Channel, Floor, Holder, Phase
from tests.unit.talk import BOT, DESK, NOW, PLAIN, Talk

ANSWER = Template(name="answer_ready", language="en")
ASKED = "[template answer_ready]"
HOUR = timedelta(hours=1)
BACK = "You are talking with our automated assistant again."


class Waiting(Talk):
    """A customer whose window closed a day ago. What waits is read from the entries of before, as
    `apply` does.
    """

    def __init__(self, **policy: Any) -> None:
        super().__init__(reopen_templates={"plain": ANSWER}, **policy)
        self.held: dict[str, SendMessage] = {}
        self.ids: dict[str, str] = {}
        self.ended: dict[str, tuple[State, str | None]] = {}
        self.user(occurred_at=NOW)
        self.done.clear()
        self.now += 25 * HOUR

    def take(self, event: events.Event) -> Decision:
        held = {one.entry: self.held[one.entry] for one in self.conversation.waiting}
        decision = super().take(event.model_copy(update={"held": held}))
        for one in decision.commands:
            if isinstance(one, SendMessage) and _waits(one):
                self.held[event.entry_id] = one
                self.ids[event.entry_id] = one.id
        self.ended |= {self.ids[entry]: end for entry, end in decision.ended.items()}
        return decision

    def asks(self, text: str, name: str | None = None, **more: Any) -> Decision:
        common = {"fact": False, "keeps_id": True, "occurred_at": self.now, **more}
        return self.says(text, name, **common) if name else self.bot(text, **common)

    def gives_up(self) -> Decision:
        first = min(self.conversation.waiting, key=lambda one: one.gives_up_at)
        self.now = first.gives_up_at
        return self.take(own_events.ReopenTimeout(**self.common(), entry=first.entry))

    def loses_template(self, template: str | None = None) -> Decision:
        reopening = self.conversation.reopening
        lost = template or (reopening.template if reopening else "none")
        common = self.common()
        return self.take(own_events.TemplateLost(**common, template=lost, reason="HTTP 400 131047"))

    @property
    def shown(self) -> list[str]:
        self.done = [one for one in self.done if not _waits(one)]
        return super().shown


def _waits(command: Command) -> bool:
    return isinstance(command, SendMessage) and command.state is State.WAITING


def test_what_waits_is_sent_when_the_customer_writes_in_order_and_under_the_callers_ids() -> None:
    talk = Waiting()
    talk.asks("Your parcel is here.", id="b1")
    talk.joins()
    talk.asks("I can bring it.", "Jane", id="j1")
    talk.asks("Today?", "Jane", id="j2")
    assert talk.shown == [ASKED]
    assert [one.representative.name for one in talk.conversation.waiting] == ["Bot", "Jane", "Jane"]
    talk.now += HOUR
    talk.user("Yes?", occurred_at=talk.now)
    assert talk.shown[1:] == [
        "Your parcel is here.",
        "Jane joined the conversation.",
        "Jane: I can bring it.",
        "Jane: Today?",
    ]
    sent = [one.id for one in talk.done if isinstance(one, SendMessage) and not one.reopens]
    assert sent == ["b1", "j1", "j2"]
    assert set(talk.ended.values()) == {(State.RELEASED, None)}
    assert talk.conversation.waiting == ()
    assert talk.conversation.reopening is None
    assert talk.labelled("Jane")


def test_it_is_sent_once() -> None:
    talk = Waiting()
    talk.asks("hello")
    for _ in range(2):
        talk.now += HOUR
        talk.user(occurred_at=talk.now)
    assert talk.shown == [ASKED, "hello"]


def test_a_request_that_waits_is_accepted_and_its_entry_says_so() -> None:
    talk = Waiting()
    waits = talk.asks("hello", id="m1")
    assert (waits.refusal, waits.reason) == (None, "waiting-for-customer")
    assert talk.told == []


def test_without_a_template_it_is_refused_as_before() -> None:
    talk = Waiting()
    talk.policy = replace(talk.policy, reopen_templates={})
    assert talk.asks("hello").reason == "outside-window"
    assert talk.conversation.waiting == ()


def test_a_late_message_of_yesterday_opens_no_window() -> None:
    talk = Waiting()
    talk.asks("hello")
    talk.user("late", occurred_at=NOW + timedelta(minutes=1))
    assert talk.shown == [ASKED]
    talk.asks("second")
    assert talk.shown == [ASKED], "it is the same closed window"
    assert len(talk.conversation.waiting) == 2


@pytest.mark.parametrize("kind", [events.Undelivered, events.Unknown, events.Overheard])
def test_only_the_customers_own_act_releases(kind: Any) -> None:
    talk = Waiting()
    talk.asks("hello")
    more: dict[Any, dict[str, Any]] = {
        events.Undelivered: {"message": "other", "reason": "131026"},
        events.Unknown: {"name": "status"},
        events.Overheard: {"representative": BOT, "content": {"text": "echo"}},
    }
    talk.take(kind.model_validate({**talk.common(), **more[kind]}))
    assert talk.shown == [ASKED]
    assert len(talk.conversation.waiting) == 1


def test_a_desks_echo_of_the_customer_releases_nothing() -> None:
    talk = Waiting()
    talk.asks("hello")
    talk.user(source=DESK, occurred_at=talk.now)
    assert talk.shown == [ASKED]


def test_a_tap_of_the_template_releases_and_is_told_to_the_bot() -> None:
    talk = Waiting()
    talk.asks("hello")
    common = talk.common(occurred_at=talk.now)
    form: JsonObject = {"suggestionResponse": {"text": "Show me"}}
    talk.take(events.SuggestionResponse(**common, form=form, said="Show me"))
    assert talk.shown == [ASKED, "hello"]
    assert any(getattr(one, "readers", ()) == ("BOT",) for one in talk.done)


def test_two_agents_at_once_send_one_template() -> None:
    talk = Waiting()
    talk.joins()
    talk.joins("Sam")
    talk.asks("one", "Jane")
    talk.asks("two", "Sam")
    assert talk.shown == [ASKED]
    talk.user(occurred_at=talk.now)
    assert talk.shown[1:] == [
        "Jane joined the conversation.",
        "Jane: one",
        "Sam joined the conversation.",
        "Sam: two",
    ]


def test_who_has_left_meanwhile_gets_a_whole_frame() -> None:
    talk = Waiting()
    talk.joins()
    talk.asks("one", "Jane")
    talk.asks("two", "Jane")
    talk.leaves()
    talk.asks("beep")
    talk.user(occurred_at=talk.now)
    assert talk.shown[1:] == [
        "Jane joined the conversation.",
        "Jane: one",
        "Jane: two",
        f"Jane has left. {BACK}",
        "beep",
    ]


def test_who_was_shown_before_the_window_closed_leaves_and_comes_back_with_their_words() -> None:
    talk = Waiting()
    talk.now = NOW + HOUR
    talk.joins()
    talk.now += 25 * HOUR
    talk.asks("one", "Jane")
    talk.leaves()
    talk.user(occurred_at=talk.now)
    shown = [text for text in talk.shown if text != ASKED]
    assert shown == [
        "Jane joined the conversation.",
        f"Jane has left. {BACK}",
        "Jane joined the conversation.",
        "Jane: one",
        f"Jane has left. {BACK}",
    ]


def test_a_bots_words_are_suppressed_behind_a_human_who_was_shown_elsewhere() -> None:
    """The customer comes back on another channel, where Jane's frame stands open."""
    talk = Waiting()
    there = Channel(id="plain:other", address="there", last_user_at=NOW - HOUR)
    talk.asks("beep", id="b1")
    talk.joins()
    shown = tuple(one.model_copy(update={"told": True}) for one in talk.conversation.humans)
    known = {"elsewhere": (there.model_copy(update={"shown": shown}),)}
    talk.conversation = talk.conversation.model_copy(update=known)
    talk.user(source="plain:other", occurred_at=talk.now)
    assert talk.shown == [ASKED]
    assert talk.ended == {"b1": (State.DROPPED, "human-present")}


def test_it_goes_to_the_address_and_channel_of_now() -> None:
    talk = Waiting()
    there = Channel(id="plain:other", address="there", last_user_at=NOW - HOUR)
    talk.conversation = talk.conversation.model_copy(update={"elsewhere": (there,)})
    talk.asks("beep", id="b1")
    talk.user(source="plain:other", occurred_at=talk.now)
    sent = next(one for one in talk.done if one.id == "b1" and not _waits(one))
    assert isinstance(sent, SendMessage)
    assert (sent.to, sent.channel, sent.state) == ("there", "plain:other", State.PENDING)


def test_stop_as_the_answer_suppresses_a_bots_words_and_not_a_humans() -> None:
    talk = Waiting()
    talk.asks("beep", id="b1")
    talk.joins()
    talk.asks("hello", "Jane", id="j1")
    stop = events.Unsubscribed(**talk.common(occurred_at=talk.now), said="STOP")
    talk.conversation = talk.conversation.model_copy(update={"unsubscribed_at": talk.now})
    talk.take(stop)
    assert talk.shown[1:] == ["Jane joined the conversation.", "Jane: hello"]
    assert talk.ended["b1"] == (State.DROPPED, "unsubscribed")


def test_what_waits_too_long_fails_and_the_team_is_notified() -> None:
    talk = Waiting()
    talk.asks("one", id="m1")
    talk.now += HOUR
    talk.asks("two", id="m2")
    assert talk.conversation.due_at == talk.now - HOUR + timedelta(days=3)
    talk.gives_up()
    assert talk.ended == {"m1": (State.FAILED, "customer-not-back")}
    assert talk.told == [("delivery.failed", "customer-not-back")]
    talk.gives_up()
    talk.user(occurred_at=talk.now)
    assert talk.shown == [ASKED]


def test_a_template_that_is_refused_ends_what_waits_and_the_next_message_tries_again() -> None:
    talk = Waiting()
    talk.asks("one", id="m1")
    talk.asks("two", id="m2")
    talk.loses_template()
    assert talk.ended == dict.fromkeys(("m1", "m2"), (State.FAILED, "HTTP 400 131047"))
    assert talk.told == [("delivery.failed", "HTTP 400 131047")] * 2
    talk.asks("three")
    assert talk.shown == [ASKED, ASKED]
    talk.loses_template("an earlier one")
    assert len(talk.conversation.waiting) == 1


def test_a_template_that_the_platform_reports_as_undelivered_ends_what_waits() -> None:
    talk = Waiting()
    talk.asks("one", id="m1")
    reopening = talk.conversation.reopening
    assert reopening is not None
    common = talk.common(occurred_at=talk.now)
    talk.take(events.Undelivered(**common, message=reopening.template, reason="131049"))
    assert talk.ended == {"m1": (State.FAILED, "131049")}
    assert talk.conversation.reopening is None


def test_the_idle_time_of_a_human_whose_words_wait_begins_with_the_release() -> None:
    talk = Waiting()
    talk.joins()
    assert talk.conversation.timer is not None
    talk.asks("hello", "Jane")
    assert talk.conversation.timer is None
    talk.now += 2 * HOUR
    talk.user(occurred_at=talk.now)
    timer = talk.conversation.timer
    assert timer is not None
    assert (timer.kind, timer.due_at) == ("idle", talk.now + timedelta(seconds=1800))


def test_the_idle_time_begins_where_the_words_are_given_up() -> None:
    talk = Waiting()
    talk.joins()
    talk.asks("hello", "Jane")
    talk.gives_up()
    assert talk.conversation.timer is not None
    assert talk.phase is Phase.HUMAN


def test_a_fact_waits_as_well() -> None:
    talk = Waiting()
    talk.says("typed at the desk", source=DESK, id="d1")
    assert talk.phase is Phase.HUMAN
    assert talk.shown == [ASKED]
    talk.user(occurred_at=talk.now)
    assert talk.shown[1:] == ["Jane joined the conversation.", "Jane: typed at the desk"]


def test_no_more_than_twenty_wait() -> None:
    talk = Waiting()
    for _ in range(20):
        assert talk.asks("hello").refusal is None
    refused = talk.asks("hello").refusal
    assert refused is not None
    assert (refused.code, refused.reason) == (429, "too-many-waiting")
    talk.says("a fact", source=DESK)
    assert talk.told[-1] == ("delivery.failed", "outside-window")


def test_while_another_sender_is_active_a_humans_words_wait_without_a_template() -> None:
    talk = Waiting(capabilities={"plain": PLAIN.model_copy(update={"floor": True})})
    theirs = Floor(holder=Holder.THEIRS, since=talk.now, shared=True)
    talk.conversation = talk.conversation.model_copy(update={"floor": theirs})
    assert talk.asks("beep").reason == "not-active"
    talk.joins()
    talk.asks("hello", "Jane")
    assert [one.kind for one in talk.done if one.kind == "take_floor"] == []
    assert talk.shown == []
    talk.user(occurred_at=talk.now, floor=Holder.THEIRS)
    taken = [one.kind for one in talk.done if one.kind in ("take_floor", "message", "event")]
    assert taken == ["take_floor", "event", "message"]
    assert talk.shown == ["Jane joined the conversation.", "Jane: hello"]


def test_two_conversations_of_one_customer_keep_what_waits_in_the_order_of_acceptance() -> None:
    one, two = Waiting(), Waiting()
    two.asks("first", id="m1")
    one.now += HOUR
    one.asks("second", id="m2")
    kept = same_customer.joined(one.conversation, two.conversation, one.now)
    assert [waits.command for waits in kept.waiting] == ["m1", "m2"]
    assert kept.reopening == one.conversation.reopening
    assert same_customer.part_of(two.conversation, kept.id).waiting == ()
