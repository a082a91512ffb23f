"""A template that a caller sends: at once, in the window or out of it, and in no frame but one that
stands open.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.handoff.machine import Decision
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content, Template
from shared.schemas.conversation import Floor, Holder
from shared.schemas.events import BotMessage, HumanMessage
from shared.schemas.own_events import ReopenTimeout
from tests.unit.talk import BOT, NOW, PLAIN, Talk, human

SALE = Content(template=Template(name="sale", language="en", parameters=("today",)))
SAID = "[template sale] today"
ASKED = "[template answer_ready]"
DAY = timedelta(hours=25)


class Templates(Talk):
    """A channel with templates, on which the customer has just written."""

    def __init__(self, *, reopens: bool = False) -> None:
        able = PLAIN.model_copy(update={"templates": True, "floor": True})
        asks = {"plain": Template(name="answer_ready", language="en")} if reopens else {}
        super().__init__(capabilities={"plain": able}, reopen_templates=asks)
        self.user(occurred_at=NOW)
        self.done.clear()

    def sends(self, name: str | None = None) -> Decision:
        common = self.common(fact=False, keeps_id=True, occurred_at=self.now)
        if name:
            return self.take(HumanMessage(**common, representative=human(name), content=SALE))
        return self.take(BotMessage(**common, representative=BOT, content=SALE))

    @property
    def label(self) -> str:
        """Returns as whom the latest message is sent."""
        sent = [one for one in self.done if isinstance(one, SendMessage)][-1]
        return sent.representative.representative_type.value


@pytest.mark.parametrize("reopens", [False, True])
@pytest.mark.parametrize("later", [timedelta(0), DAY])
def test_a_bots_template_is_sent_at_once_under_the_callers_id(
    later: timedelta, reopens: bool
) -> None:
    talk = Templates(reopens=reopens)
    talk.now += later
    decision = talk.sends()
    assert [one.id for one in decision.commands if isinstance(one, SendMessage)] == ["e2"]
    assert (talk.shown, talk.label) == ([SAID], "BOT")
    known = talk.conversation
    assert (known.waiting, known.reopening) == ((), None), "it opens nothing and waits for nobody"


def test_in_the_window_a_humans_template_stands_in_their_frame() -> None:
    talk = Templates()
    talk.joins()
    talk.sends("Jane")
    assert talk.shown == ["Jane joined the conversation.", SAID]
    assert talk.label == "HUMAN"


def test_out_of_the_window_no_joining_can_be_shown_so_it_is_the_businesss() -> None:
    talk = Templates()
    talk.now += DAY
    talk.joins()
    talk.sends("Jane")
    assert (talk.shown, talk.label) == ([SAID], "BOT")
    talk.user(occurred_at=talk.now)
    talk.says("Here I am.")
    assert talk.shown[1:] == ["Jane joined the conversation.", "Jane: Here I am."]


@pytest.mark.parametrize(("leaves", "speaker"), [(False, "Jane"), (False, "Omar"), (True, None)])
def test_out_of_the_window_it_stands_in_the_frame_that_is_open(
    leaves: bool, speaker: str | None
) -> None:
    """A bot's message between JOINED and LEFT would look like a human's."""
    talk = Templates()
    talk.joins()
    talk.now += DAY
    if speaker == "Omar":
        talk.joins("Omar")
    if leaves:
        talk.leaves()
    talk.sends(speaker)
    sent = [one for one in talk.done if isinstance(one, SendMessage)][-1]
    assert (sent.representative.name, sent.content) == ("Jane", SALE)
    assert sent.frame is not None


def test_the_template_that_asks_the_customer_stands_in_a_frame_whose_end_is_unseen() -> None:
    talk = Templates(reopens=True)
    talk.joins()
    talk.now += DAY
    talk.leaves()
    talk.bot("Your parcel is here.", fact=False, occurred_at=talk.now)
    sent = [one for one in talk.done if isinstance(one, SendMessage) and one.reopens]
    assert [one.representative.name for one in sent] == ["Jane"]


def test_templates_and_messages_that_wait_do_not_meet() -> None:
    talk = Templates(reopens=True)
    talk.now += DAY
    talk.bot("Your parcel is here.", fact=False, occurred_at=talk.now)
    talk.sends()
    assert len(talk.conversation.waiting) == 1
    talk.now = talk.conversation.waiting[0].gives_up_at
    entry = talk.conversation.waiting[0].entry
    talk.take(ReopenTimeout(**talk.common(), entry=entry))
    assert not talk.conversation.waiting


@pytest.mark.parametrize("later", [timedelta(0), DAY])
@pytest.mark.parametrize(
    ("reason", "given", "human_is_here"),
    [
        ("no-templates", {}, False),
        ("no-templates", {}, True),
        ("not-active", {"floor": Floor(holder=Holder.THEIRS, since=NOW + DAY)}, False),
        ("unsubscribed", {"unsubscribed_at": NOW}, False),
        ("human-present", {}, True),
    ],
)
def test_what_refuses_a_bots_message_refuses_its_template(
    reason: str, given: dict[str, object], human_is_here: bool, later: timedelta
) -> None:
    talk = Templates()
    if human_is_here:
        talk.joins()
    if reason == "no-templates":
        talk.policy = replace(talk.policy, capabilities={"plain": PLAIN})
    talk.conversation = talk.conversation.model_copy(update=given)
    talk.now += later
    talk.done.clear()
    decision = talk.sends()
    assert (decision.reason, talk.shown) == (reason, [])
    assert decision.refusal is not None
    assert decision.refusal.code == (400 if reason == "no-templates" else 409)


def test_a_humans_template_takes_control_from_another_sender() -> None:
    talk = Templates()
    talk.joins()
    talk.now += DAY
    theirs = Floor(holder=Holder.THEIRS, since=talk.now)
    talk.conversation = talk.conversation.model_copy(update={"floor": theirs})
    talk.done.clear()
    decision = talk.sends("Jane")
    assert [one.kind for one in decision.commands if one.kind != "record"][:2] == [
        "take_floor",
        "message",
    ]


def test_it_ends_a_customers_wait_in_the_reports() -> None:
    talk = Templates()
    talk.wants_human()
    talk.joins()
    talk.now += timedelta(seconds=60)
    talk.sends("Jane")
    assert talk.conversation.first_response_seconds == 60
