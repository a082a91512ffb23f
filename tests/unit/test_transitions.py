"""Every rule of every cell of the table decides for some conversation and event, and then does
what it says.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.handoff.machine import decide, rule_for
from shared.handoff.policy import Policy
from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.handoff.transitions import TABLE, Effect, Guard, Refusal, Rule
from shared.platforms.base import Ended
from shared.schemas import events, own_events
from shared.schemas.commands import CallDesk, Command, Publish, Record, SendEvent, SendMessage
from shared.schemas.content import Content, Template
from shared.schemas.conversation import (
    Ahead,
    BotRun,
    Capabilities,
    Conversation,
    Floor,
    HandoffRequest,
    Holder,
    Offer,
    Participant,
    Phase,
    Reopening,
    Survey,
    Timer,
    Waiting,
)
from shared.schemas.desks import Called
from shared.schemas.journal import Verdict
from shared.schemas.people import Person, PersonSeen
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience, Provenance, Variable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=10)
CHANNEL, DESK = "business_messages:3333", "csku:conv_1"
VARIABLE = Variable(
    key="order",
    value="A1",
    captured_at=EARLIER,
    audiences=(Audience.EVENT,),
    provenance=Provenance(signed=True),
)
KINDS = {
    kind.kind: kind
    for kind in {**vars(events), **vars(own_events)}.values()
    if isinstance(kind, type) and issubclass(kind, events.Event)
}
RULES = [
    pytest.param(kind, phase, place, id=f"{kind}-{phase}-{rule.when.name.lower()}")
    for kind, cells in TABLE.items()
    for phase, cell in cells.items()
    for place, rule in enumerate(cell)
]
# What each effect leaves behind: the commands in order, as `_short` writes them.
COMMANDS = {
    Effect.TELL_BOT: ["publish baton-user-messages BOT"],
    Effect.TELL_BOTH: ["publish baton-user-messages BOT HUMAN"],
    Effect.TELL_DESK: ["publish baton-user-messages HUMAN"],
    Effect.JOIN: ["JOINED Jane"],
    Effect.MESSAGE: ["HUMAN Jane: hello"],
    Effect.LEAVE: ["LEFT Jane"],
    Effect.BOT_MESSAGE: ["BOT Bot: hello"],
    Effect.SEND_SURVEY: ["survey"],
    Effect.REACT: ["reaction"],
    Effect.PUBLISH_VARIABLES: ["publish baton-variables variables"],
    Effect.KEEP_WAITING: ["desk wait"],
    Effect.HINT_CLAIM: ["desk hint"],
    Effect.HINT_OVER: ["desk hint"],
    Effect.HINT_DELETED: ["desk hint"],
    Effect.END_CHAT: ["desk close"],
    Effect.KEEP_CHAT: ["desk close"],
    Effect.CLOSE_DESK: ["desk close"],
    Effect.SAY_PLACE: ["BOT Hello World Agent: You are in line."],
    Effect.SAY_WAITING: ["BOT Hello World Agent: Everyone is busy right now."],
    Effect.SAY_NOBODY: ["BOT Hello World Agent: Sorry, nobody is available right now."],
    Effect.SAY_RESUMED: ["BOT Hello World Agent: You are back with the assistant."],
    Effect.SAY_RETURNED: [
        "BOT Hello World Agent: The person you were talking to is no longer here."
    ],
    Effect.LEAVE_GIVERS: ["LEFT Sam"],
    Effect.LEAVE_OTHERS: ["LEFT Sam"],
    Effect.LEAVE_GONE: ["LEFT Jane"],
    Effect.SAY_PASSED_ON: ["BOT Hello World Agent: A colleague will go on with you here."],
    Effect.SAY_THANKS: ["BOT Hello World Agent: Thank you for your answer."],
    Effect.END_WAITING: ["publish baton-handoffs delivery.failed"],
    **{
        effect: [f"publish baton-handoffs {effect.value.split()[1]}"]
        for effect in Effect
        if "NOTIFY" in effect.name
    },
}


def human(name: str, source: str = CHANNEL, key: str | None = None) -> Participant:
    who = Representative(representative_type=RepresentativeType.HUMAN, display_name=name)
    return Participant(
        representative=who, frame=f"frame of {name}", source=source, joined_at=EARLIER, key=key
    )


JANE, SAM, DESKS_OWN = human("Jane"), human("Sam"), human("Ada", source=DESK)


HOURS = Hours(time_zone="Europe/Berlin", mon=("09:00-17:00",))  # it is a Sunday
WINDOW = Policy(
    back_asked=True,
    capabilities={"business_messages": Capabilities(window_hours=24, surveys=True)},
    desks=(
        Desk(name="berlin", languages=("de",), hours=HOURS),
        Desk(name="jakarta", languages=("id",), hours=HOURS, outside="wait"),
    ),
)
REOPENING = replace(
    WINDOW, reopen_templates={"business_messages": Template(name="answer_ready", language="en")}
)
THREADS = replace(
    WINDOW,
    threads=frozenset({"ccai"}),
    desks=(Desk.model_construct(name="calls", kind="ccai", claim="first"),),
)
HEARING = replace(WINDOW, bot_hears=frozenset({events.Reaction.kind}))
LOOPING = {
    "bot_run": BotRun(
        since=NOW, turns=WINDOW.bot_turns_limit, messages=1, answers="m0", is_last=True
    )
}
SHUT = {"last_user_at": NOW - timedelta(hours=24, seconds=1)}
WAITS = Waiting(
    journal=CHANNEL,
    entry="e1",
    command="m1",
    representative=JANE.representative,
    since=EARLIER,
    gives_up_at=NOW,
)
SALE = Template(name="sale", language="en")
ASKED = {"waiting": (WAITS,), "reopening": Reopening(template="t1", at=EARLIER)}
THEIRS = {"floor": Floor(holder=Holder.THEIRS, since=EARLIER)}
COMES_NOW = {"heard_by": ("HUMAN",), "floor": Holder.OURS}
FOR_A_PERSON = {"floor": Holder.OURS, "human_wanted": True}
SILENT = {"unsubscribed_at": EARLIER}
CHAT, USER = "ccai:chat-1", "ccai:user-1"
CALLED = Called(desk="calls", kind="ccai", handoff="h1", opens_chats=True)
IN_CHAT = CALLED.model_copy(update={"chat": CHAT})
ASSISTED = IN_CHAT.model_copy(update={"assisted": True})
SINCE_EARLIER = human("Jane").model_copy(update={"occurred_at": EARLIER})
TO_SAM = Offer(
    id="o1", to="sam@example.com", name="Sam", givers=("Jane",), made_at=EARLIER, until=NOW
)
TO_JANE = TO_SAM.model_copy(
    update={"to": "jane@example.com", "name": "Jane", "givers": ("Sam",), "id": "o2"}
)
SAM_SEEN = PersonSeen(person=Person(id="sam@example.com", name="Sam", capacity=1), available=True)
SAM_FULL = SAM_SEEN.model_copy(update={"slots": ("s0",)})
FOR_SAM = {"to_agent": "sam@example.com", "person": SAM_SEEN}
WITH_SLOT = human("Jane").model_copy(update={"slot": "o1", "person": "jane@example.com"})
KEPT_BY_JANE = {"humans": (human("Jane", key="k1"),)}
ASKED_BEFORE = HandoffRequest(reason="billing", source=CHANNEL, accepted_at=EARLIER)
PASSED = {"request": ASKED_BEFORE.model_copy(update={"passed_on": True})}
RETURNS = {"request": ASKED_BEFORE.model_copy(update={"passed_on": True, "origin": "api"})}
SURVEY = Survey(id="s1", agent="Jane", asked_at=EARLIER, until=NOW + timedelta(days=1))
TAPPED = {"form": {"suggestionResponse": {"postbackData": "baton:survey:s1:4"}}}
PAST = {"past_chats": (CHAT,), "links": (CHAT,)}
AT_JAKARTA, AT_BERLIN = (
    {
        "locale": locale,
        "request": HandoffRequest(reason="billing", source=CHANNEL, accepted_at=EARLIER, desk=desk),
    }
    for locale, desk in (("id", "jakarta"), ("de", "berlin"))
)


def conversation(phase: Phase, **more: Any) -> Conversation:
    humans = (JANE,) if phase is Phase.HUMAN else ()
    timers = {Phase.QUEUED: "unclaimed", Phase.HUMAN: "idle", Phase.BOT: "chat"}
    timer = Timer(kind=timers[phase], armed=3, n=1, due_at=NOW)  # type: ignore[arg-type]  # the values are those of the literal
    request = HandoffRequest(reason="billing", source=CHANNEL, accepted_at=EARLIER)
    base = Conversation(
        id=CHANNEL,
        address="3333",
        phase=phase,
        humans=humans,
        timer=timer,
        request=request,
        version=6,
        spoke_at=EARLIER,
        last_user_at=EARLIER,
    )
    return base.model_copy(update=more)


def event(kind: str, **more: Any) -> events.Event:
    speaker = RepresentativeType.BOT if kind == "bot_message" else RepresentativeType.HUMAN
    name = "Bot" if kind == "bot_message" else "Jane"
    values: dict[str, Any] = {
        "id": "1", "source": CHANNEL, "actor": "test", "form": {"message": {"text": "hi"}},
        "reason": "billing",
        "representative": Representative(representative_type=speaker, display_name=name),
        "name": "unknown",
        "content": Content(text="hello"), "armed": 3, "n": 1,
        "frame": "frame of Jane", "variables": (VARIABLE,), "message": "m1", "chat": CHAT,
        "entry": "e1", "note": "she is right", "emoji": "👍", "about": "m0",
        "offer": None if kind == "claim" else "o1", "why": "declined",
        "to": "sam@example.com", "slot": "o1",
        "desk": DESK, "template": "t1", "lines": ("whatsapp:h-1",), "old": (),
        "handoff": "h1" if kind == "chat_opened" else None, **more,
    }  # fmt: skip
    model = Ended if kind == Ended.kind and "ends" in more else KINDS[kind]
    if model in (events.OfferEnded, own_events.PersonGone):
        values = {"by": "sam@example.com", "person": "sam@example.com", **values}
    return model(**{name: value for name, value in values.items() if name in model.model_fields})


# For each guard, what a conversation and an event need so that this guard holds and none before it
# in its cell.
GIVEN: dict[Guard, tuple[dict[str, Any], dict[str, Any]]] = {
    Guard.ECHO: ({}, {"source": DESK}),
    Guard.REQUEST: ({}, {"fact": False}),
    Guard.UNDELIVERED: ({"tracked": True}, {"fact": False}),
    Guard.TOO_LATE: (SHUT, {"fact": False, "occurred_at": NOW}),
    Guard.UNREACHABLE: (SHUT, {"fact": False, "occurred_at": NOW}),
    Guard.MANY_WAIT: (
        {**SHUT, "waiting": (WAITS,) * 20},
        {"fact": False, "occurred_at": NOW},
    ),
    Guard.ENDED: ({}, {}),
    Guard.UNWANTED: (SILENT, {"fact": False}),
    Guard.UNSUBSCRIBED: (SILENT, {}),
    Guard.OVERTAKEN: ({"human_version": 5}, {"fact": False, "answers": 4}),
    Guard.TURN_REFUSED: (LOOPING, {"fact": False}),
    Guard.OUT_OF_TURNS: (LOOPING, {}),
    Guard.STALE: ({}, {"occurred_at": EARLIER - timedelta(seconds=1)}),
    Guard.HEARD: ({}, {"floor": Holder.THEIRS}),
    Guard.HEARD_CLOSED: ({"locale": "de"}, {"floor": Holder.THEIRS}),
    Guard.HEARD_BEFORE: ({}, COMES_NOW),
    Guard.HEARD_BEFORE_ASSISTED: ({"called": ASSISTED}, COMES_NOW),
    Guard.HEARD_BEFORE_UNASKED: ({}, COMES_NOW),
    Guard.NOT_ACTIVE_REFUSED: (THEIRS, {"fact": False}),
    Guard.NOT_ACTIVE: (THEIRS, {}),
    Guard.FLOOR_LATE: (
        THEIRS,
        {"floor": Holder.OURS, "occurred_at": EARLIER - timedelta(seconds=1)},
    ),
    Guard.FLOOR_LOST: ({}, {"floor": Holder.THEIRS}),
    Guard.FLOOR_ONLY: ({}, {"floor": Holder.OURS}),
    Guard.OUTLIVED: ({"humans": (SINCE_EARLIER,)}, {"occurred_at": EARLIER - timedelta(seconds=1)}),
    Guard.OVER: ({"humans": (DESKS_OWN,)}, {"source": DESK, "ends": True}),
    Guard.OVER_OUT: ({"humans": (DESKS_OWN, SAM)}, {"source": DESK, "ends": True}),
    Guard.UNLINKED_CHAT: ({"called": IN_CHAT}, {"desk": CHAT}),
    Guard.ASSISTANT: ({"called": IN_CHAT}, {"source": CHAT}),
    Guard.ASSISTED: ({"called": ASSISTED}, {}),
    Guard.ASSISTED_ENDS: ({"called": ASSISTED}, {"source": CHAT, "ends": True}),
    Guard.MAY_KEEP_WAITING: ({"called": IN_CHAT}, {"source": CHAT, "keep": "41"}),
    Guard.PRESENT: ({}, {}),
    Guard.HOLDER: ({"humans": (human("Jane", key="k1"),)}, {"fact": False, "key": "k1"}),
    Guard.FOREIGN: ({"humans": (human("Jane", key="k1"),)}, {"fact": False, "owner": "k2"}),
    Guard.APP_ONLY: (
        {"humans": (human("Ann").model_copy(update={"app": True}),)},
        {"fact": False, "key": "k2"},
    ),
    Guard.LAST_ONE: ({}, {}),
    Guard.REQUEST_ABSENT: ({"humans": (SAM,)}, {"fact": False}),
    Guard.ABSENT: ({"humans": (SAM,)}, {}),
    Guard.DESK_DONE: ({"humans": (DESKS_OWN,)}, {"source": DESK, "human_needed": False}),
    Guard.DESK_OUT: ({"humans": (DESKS_OWN, SAM)}, {"source": DESK, "human_needed": False}),
    Guard.PAST: (PAST, {"source": CHAT}),
    Guard.PAST_PRESENT: (PAST, {"source": CHAT}),
    Guard.MAY_REACT: ({}, {}),
    Guard.THREAD_OVER: (PAST, {"source": CHAT}),
    Guard.ALL_WAITS: (ASKED, {"entries": ("e1",)}),
    Guard.UNCLAIMED: ({"called": IN_CHAT, "humans": ()}, {"source": CHAT}),
    Guard.ANOTHERS: ({"called": CALLED}, {"source": DESK}),
    Guard.KEPT: ({"called": CALLED}, {}),
    Guard.UNNEEDED: ({"links": (USER,)}, {"source": USER}),
    Guard.AWAITED: ({"links": (USER,), "called": CALLED}, {"source": USER}),
    Guard.THIS_HANDOFF: ({"called": CALLED}, {}),
    Guard.GONE: ({"unreachable": True}, {"fact": False}),
    Guard.NO_TEMPLATES: ({}, {"content": Content(template=SALE), "fact": False}),
    Guard.NO_SURVEYS: ({"speaks_on": "plain:p0"}, {}),
    Guard.SURVEYED: ({"surveyed_at": EARLIER}, {}),
    Guard.BY_BOT: (
        {},
        {"representative": Representative(representative_type=RepresentativeType.BOT)},
    ),
    Guard.BOT_HEARS: ({}, {}),
    Guard.BOT_HEARD: ({}, {"heard": ("BOT",)}),
    Guard.DESK_HEARD: ({}, {"heard": ("HUMAN",)}),
    Guard.ASKS_PLACE: ({}, {"ahead": Ahead(people=3)}),
    Guard.CLOSED: ({"locale": "de"}, {}),
    Guard.CLOSED_MEANWHILE: (AT_JAKARTA, {}),
    Guard.AWAITS_OPENING: (AT_JAKARTA, {}),
    Guard.ANOTHER_OPEN: ({**AT_JAKARTA, "locale": None}, {}),
    Guard.CLOSED_STILL: (
        {**AT_JAKARTA, "timer": Timer(kind="unclaimed", armed=3, n=0, due_at=NOW)},
        {},
    ),
    Guard.OPENING_KNOWN: (
        {"timer": Timer(kind="unclaimed", armed=3, n=0, due_at=NOW), "called": CALLED},
        {"n": 0},
    ),
    Guard.OPENING: ({"timer": Timer(kind="unclaimed", armed=3, n=0, due_at=NOW)}, {"n": 0}),
    Guard.AGENT_FAILED: ({}, {"failed": True}),
    Guard.OUTDATED: ({}, {"armed": 2}),
    Guard.EXHAUSTED: ({"timer": Timer(kind="unclaimed", armed=3, n=4, due_at=NOW)}, {"n": 4}),
    Guard.FIRST: ({}, {}),
    Guard.ANSWERS_SURVEY: ({"survey": SURVEY}, {"said": "4", **TAPPED}),
    Guard.OLD_SURVEY: ({}, TAPPED),
    Guard.ASKS_BACK: ({}, {"said": "Back to the bot!"}),
    Guard.PASSED_ON: (PASSED, {}),
    Guard.PASSING_ON: (PASSED, {"fact": False}),
    Guard.MOVED: ({}, {"seen_holder": "Sam"}),
    Guard.UNNAMED: ({"humans": (SAM,)}, {"supervisor": True}),
    Guard.STRANGER: ({"humans": (SAM,)}, {}),
    Guard.OTHERS_HERE: ({"humans": (JANE, SAM)}, {"to_queue": True}),
    Guard.ALONE: ({}, {}),
    Guard.TO_PRESENT: ({"humans": (JANE, SAM)}, FOR_SAM),
    Guard.OFFERED_ALREADY: ({"offer": TO_SAM}, FOR_SAM),
    Guard.NOT_AVAILABLE: ({}, {**FOR_SAM, "person": None}),
    Guard.FULL: (KEPT_BY_JANE, {**FOR_SAM, "person": SAM_FULL, "key": "k2", "fact": False}),
    Guard.APP_ONLY_FULL: (
        {"humans": (human("Ann").model_copy(update={"app": True}),)},
        {"person": SAM_FULL, "person_id": "sam@example.com"},
    ),
    Guard.TO_AGENT: ({}, FOR_SAM),
    Guard.SAME_DESK: ({}, {"to_queue": True}),
    Guard.DESK_CLOSED: ({"locale": "de"}, {"to_desk": "berlin"}),
    Guard.OFFER_OVER: ({}, {"offer": "o0", "key": "k2"}),
    Guard.OFFER_FOREIGN: (
        {"offer": TO_SAM},
        {"offer": "o1", "by": "jane@example.com", "key": "k2"},
    ),
    Guard.OFFERED_TO_THEM: (
        {"offer": TO_JANE, "humans": (SAM,)},
        {"person_id": "jane@example.com"},
    ),
    Guard.OFFERED_SLOT: ({"offer": TO_SAM}, {}),
    Guard.TRIED: ({"offer": TO_SAM}, {"person": SAM_SEEN}),
    Guard.LAST_ONE_OFFERED: ({"offer": TO_SAM}, {}),
    Guard.OVER_OFFERED: (
        {"humans": (DESKS_OWN,), "offer": TO_SAM},
        {"source": DESK, "ends": True},
    ),
    Guard.DESK_DONE_OFFERED: (
        {"humans": (DESKS_OWN,), "offer": TO_SAM},
        {"source": DESK, "human_needed": False},
    ),
    Guard.OTHERS_STAY: ({"humans": (WITH_SLOT, SAM)}, {}),
    Guard.TO_BOT: ({"humans": (WITH_SLOT,)}, {}),
    Guard.RETURNABLE: (
        {**RETURNS, "timer": Timer(kind="unclaimed", armed=3, n=4, due_at=NOW)},
        {"n": 4},
    ),
}
# Where the plain conversation and event would be decided by an earlier rule of the cell.
OTHERWISE: dict[tuple[str, Phase], tuple[dict[str, Any], dict[str, Any]]] = {
    ("floor_moved", Phase.BOT): ({}, FOR_A_PERSON),
    ("human_joined", Phase.HUMAN): ({"humans": (SAM,)}, {}),
    ("transfer", Phase.QUEUED): ({}, {"to_desk": "api"}),
    ("transfer", Phase.HUMAN): ({}, {"to_desk": "api"}),
    ("take_over", Phase.HUMAN): ({"humans": (SAM,)}, {"seen_holder": "Sam"}),
    ("person_gone", Phase.HUMAN): ({"humans": (WITH_SLOT,), "offer": TO_JANE}, {}),
    ("human_idle_timeout", Phase.HUMAN): ({"offer": TO_SAM}, {}),
    ("offered", Phase.QUEUED): ({}, {"person": SAM_SEEN}),
    ("assign_timeout", Phase.QUEUED): (
        {"assign": Timer(kind="assign", armed=3, n=1, due_at=NOW)},
        {},
    ),
    **{
        (kind, phase): ({"offer": TO_SAM}, {})
        for kind in ("offer_ended", "offer_timeout")
        for phase in (Phase.QUEUED, Phase.HUMAN)
    },
    ("claim", Phase.HUMAN): ({"humans": (human("Jane", key="k1"),)}, {"key": "k2"}),
    ("human_message", Phase.HUMAN): ({"humans": (SAM,)}, {}),
    ("human_left", Phase.HUMAN): ({"humans": (JANE, SAM)}, {}),
    **{
        (kind, phase): (ASKED, {})
        for kind in ("reopen_timeout", "template_lost")
        for phase in Phase
    },
    ("unclaimed_timeout", Phase.QUEUED): (
        {"timer": Timer(kind="unclaimed", armed=3, n=2, due_at=NOW)},
        {"n": 2},
    ),
}
SPECIAL: dict[tuple[str, Phase, Guard], tuple[dict[str, Any], dict[str, Any]]] = {
    ("floor_moved", Phase.BOT, Guard.CLOSED): ({"locale": "de"}, FOR_A_PERSON),
    **{
        (kind, Phase.HUMAN, Guard.HEARD): (THEIRS, {"floor": Holder.THEIRS})
        for kind in ("edited", "revoked")
    },
    ("unclaimed_timeout", Phase.QUEUED, Guard.CLOSED_STILL): (AT_BERLIN, {}),
    ("take_over", Phase.HUMAN, Guard.MOVED): ({"humans": (SAM,)}, {"seen_holder": "Ada"}),
    ("human_idle_timeout", Phase.HUMAN, Guard.TO_BOT): ({}, {}),
    ("human_joined", Phase.HUMAN, Guard.FULL): (
        {"humans": (SAM,)},
        {"person": SAM_FULL, "fact": False},
    ),
    ("unlink", Phase.QUEUED, Guard.RETURNABLE): ({**RETURNS, "called": IN_CHAT}, {"desk": CHAT}),
    ("human_message", Phase.HUMAN, Guard.REQUEST): ({"humans": (SAM,)}, {"fact": False}),
    ("human_message", Phase.HUMAN, Guard.STALE): ({"humans": (SAM,)}, GIVEN[Guard.STALE][1]),
    ("human_message", Phase.HUMAN, Guard.PAST): ({**PAST, "humans": (SAM,)}, {"source": CHAT}),
}
FAILED, IN_LINE = (
    f"BOT Hello World Agent: {words}"
    for words in ("Sorry, nobody is here right now", "Saat ini tidak ada petugas")
)
CLOSED = {
    (Guard.CLOSED, Effect.SAY_CLOSED): FAILED,
    (Guard.CLOSED_STILL, Effect.SAY_SHUT): FAILED,
    **{
        (guard, Effect.SAY_CLOSED): IN_LINE
        for guard in (Guard.CLOSED_MEANWHILE, Guard.AWAITS_OPENING, Guard.CLOSED_STILL)
    },
}
LEAVING = {
    ("human_left", Guard.FOREIGN): [],
    ("bot_message", Guard.DESK_DONE): ["LEFT Ada"],
    ("bot_message", Guard.DESK_OUT): ["LEFT Ada"],
    **{
        (kind, guard): ["LEFT Ada"]
        for kind in ("handoff_failed", "unlink")
        for guard in (Guard.OVER, Guard.OVER_OUT, Guard.OVER_OFFERED)
    },
    ("bot_message", Guard.DESK_DONE_OFFERED): ["LEFT Ada"],
    ("user_message", Guard.ASKS_BACK): ["LEFT Jane"],
    **{
        (kind, guard): ["LEFT Jane"]
        for kind in ("human_idle_timeout", "person_gone", "transfer")
        for guard in (Guard.TO_BOT, Guard.ALWAYS)
    },
}


def case(kind: str, phase: Phase, rule: Rule) -> tuple[Conversation, events.Event]:
    plain: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    given = OTHERWISE.get((kind, phase), plain) if rule.when is Guard.ALWAYS else GIVEN[rule.when]
    about_conversation, about_event = SPECIAL.get((kind, phase, rule.when), given)
    return conversation(phase, **about_conversation), event(kind, **about_event)


def _short(command: Command) -> str:
    if isinstance(command, SendMessage):
        who = command.representative
        return (
            f"{who.representative_type} {who.display_name}: "
            f"{(command.content.text or '').split('.')[0]}"
        )
    if isinstance(command, SendEvent):
        return (
            f"{command.event_type.removeprefix('REPRESENTATIVE_')} "
            f"{command.representative.display_name}"
        )
    if isinstance(command, Publish):
        audience = command.body.get("audience")
        what = (
            " ".join(map(str, audience))
            if isinstance(audience, list)
            else command.body.get("type", "")
        )
        return f"publish {command.topic} {what}".strip()
    return f"desk {command.action}" if isinstance(command, CallDesk) else command.kind


def _expected(kind: str, rule: Rule, before: Conversation) -> Iterator[str]:
    for effect in rule.then.effects:
        if effect is Effect.END_OFFER and before.offer and kind != "person_gone":
            yield "free_slot"
        if (rule.when, effect) in CLOSED:
            yield CLOSED[rule.when, effect]
        if kind == "undelivered" and effect is Effect.END_WAITING:
            continue  # nothing waits
        if effect in (Effect.LEAVE_DESK, Effect.LEAVE_ALL):
            yield from LEAVING[kind, rule.when]
        # else there is no notification
        is_let_go = (
            rule.when in (Guard.KEPT, Guard.UNLINKED_CHAT, Guard.RETURNABLE) and before.called
        )
        if effect is not Effect.CLOSE_DESK or is_let_go:
            yield from (line.removesuffix(".") for line in COMMANDS.get(effect, []))


@pytest.mark.parametrize(("kind", "phase", "place"), RULES)
def test_each_rule_decides_and_does_what_it_says(kind: str, phase: Phase, place: int) -> None:
    rule = TABLE[kind][phase][place]
    before, happened = case(kind, phase, rule)
    asks = rule.when is Guard.BOT_HEARS or (kind, rule.when) == ("reaction", Guard.HEARD_BEFORE)
    policy = HEARING if asks else POLICIES.get(rule.when, WINDOW)
    assert rule_for(before, happened, NOW, policy) is rule, (
        "no case for this rule, or an earlier one decides"
    )
    decision = decide(before, happened, NOW, policy)
    if isinstance(rule.then, Refusal):
        assert decision.refusal is not None
        assert (decision.reason, decision.verdict) == (rule.then.reason, Verdict.REFUSED)
        assert [_short(command) for command in decision.commands] == list(
            _expected(kind, rule, before)
        )
        assert decision.conversation == before.model_copy(update={"version": 7})
        return
    assert decision.verdict is rule.then.verdict
    assert decision.conversation.phase is (rule.then.to or phase)
    done = [_short(command) for command in decision.commands if not isinstance(command, Record)]
    assert done == list(_expected(kind, rule, before))


POLICIES = {
    Guard.MANY_WAIT: REOPENING,
    Guard.MAY_REACT: replace(
        WINDOW, capabilities={"business_messages": Capabilities(reactions=True)}
    ),
    Guard.THREAD_OVER: THREADS,
    Guard.UNCLAIMED: THREADS,
}
CORRECTED = [
    "ECHO HEARD HEARD_BEFORE DESK_HEARD",
    "ECHO HEARD HEARD_BEFORE_ASSISTED HEARD_BEFORE BOT_HEARD ASSISTED PASSED_ON",
    "ECHO HEARD_BEFORE HEARD BOT_HEARD",
]


def test_no_rule_is_missing() -> None:
    """Spelled out a second time, so that a rule which disappears is missed."""
    guards = {
        kind: [" ".join(rule.when.name for rule in cells[phase][:-1]) for phase in Phase]
        for kind, cells in TABLE.items()
        if any(len(cell) > 1 for cell in cells.values())
    }
    assert guards == {
        "user_message": [
            "ECHO ANSWERS_SURVEY HEARD HEARD_BEFORE",
            "ECHO HEARD HEARD_BEFORE_ASSISTED HEARD_BEFORE ASKS_BACK ASSISTED ASKS_PLACE PASSED_ON",
            "ECHO HEARD_BEFORE ASKS_BACK",
        ],
        "suggestion_response": [
            "ECHO ANSWERS_SURVEY OLD_SURVEY HEARD HEARD_BEFORE",
            "ECHO ANSWERS_SURVEY OLD_SURVEY HEARD HEARD_BEFORE_ASSISTED HEARD_BEFORE "
            "ASSISTED ASKS_PLACE PASSED_ON",
            "ECHO ANSWERS_SURVEY OLD_SURVEY HEARD_BEFORE",
        ],
        "survey_response": [
            "ECHO HEARD HEARD_BEFORE",
            "ECHO HEARD HEARD_BEFORE_ASSISTED HEARD_BEFORE ASSISTED PASSED_ON",
            "ECHO HEARD_BEFORE",
        ],
        "authentication_response": [
            "ECHO HEARD HEARD_BEFORE",
            "ECHO HEARD HEARD_BEFORE_ASSISTED HEARD_BEFORE ASSISTED PASSED_ON",
            "ECHO HEARD_BEFORE",
        ],
        "reaction": [
            "ECHO HEARD HEARD_BEFORE_UNASKED HEARD_BEFORE BOT_HEARS",
            "ECHO HEARD HEARD_BEFORE_ASSISTED HEARD_BEFORE_UNASKED HEARD_BEFORE ASSISTED "
            "PASSED_ON BOT_HEARS",
            "ECHO HEARD_BEFORE",
        ],
        "call_permission": [
            "ECHO HEARD HEARD_BEFORE",
            "ECHO HEARD HEARD_BEFORE_ASSISTED HEARD_BEFORE ASSISTED PASSED_ON",
            "ECHO HEARD_BEFORE",
        ],
        "edited": CORRECTED,
        "revoked": CORRECTED,
        "human_requested": [
            "OVERTAKEN PAST HEARD_BEFORE HEARD_CLOSED CLOSED HEARD",
            "HEARD_BEFORE HEARD ANOTHER_OPEN CLOSED_MEANWHILE CLOSED_STILL ASSISTED PASSED_ON",
            "HEARD_BEFORE REQUEST",
        ],
        "floor_moved": ["ECHO FLOOR_ONLY CLOSED", "ECHO FLOOR_LATE", "ECHO FLOOR_LATE FLOOR_LOST"],
        "overheard": ["ECHO", "ECHO", "ECHO"],
        "human_joined": [
            "UNDELIVERED STALE PAST FULL",
            "UNDELIVERED STALE PAST FULL",
            "UNDELIVERED STALE PAST PRESENT FULL",
        ],
        "claim": [
            "UNDELIVERED OFFER_OVER OFFER_FOREIGN FULL",
            "UNDELIVERED OFFER_OVER OFFER_FOREIGN FULL",
            "UNDELIVERED HOLDER OFFER_OVER OFFER_FOREIGN OFFERED_TO_THEM APP_ONLY_FULL APP_ONLY",
        ],
        "take_over": ["UNDELIVERED MOVED", "UNDELIVERED MOVED", "UNDELIVERED ALONE MOVED UNNAMED"],
        "transfer": [
            "UNDELIVERED MOVED",
            "UNDELIVERED MOVED OFFERED_ALREADY NOT_AVAILABLE FULL TO_AGENT SAME_DESK DESK_CLOSED",
            "UNDELIVERED MOVED STRANGER UNNAMED TO_PRESENT OFFERED_ALREADY NOT_AVAILABLE "
            "FULL TO_AGENT OTHERS_HERE DESK_CLOSED",
        ],
        "offer_ended": [
            "UNDELIVERED",
            "UNDELIVERED OFFER_OVER OFFER_FOREIGN",
            "UNDELIVERED OFFER_OVER OFFER_FOREIGN",
        ],
        "offered": ["", "TRIED", ""],
        "offer_timeout": ["", "OFFER_OVER", "OFFER_OVER"],
        "assign_timeout": ["", "OUTDATED", ""],
        "person_gone": ["", "OFFERED_SLOT", "OFFERED_SLOT ABSENT OTHERS_STAY TO_BOT"],
        "human_message": [
            "NO_TEMPLATES UNDELIVERED REQUEST THREAD_OVER UNCLAIMED STALE PAST",
            "NO_TEMPLATES UNDELIVERED REQUEST THREAD_OVER UNCLAIMED STALE PAST",
            "NO_TEMPLATES UNDELIVERED GONE UNREACHABLE MANY_WAIT THREAD_OVER UNCLAIMED "
            "PAST_PRESENT PRESENT "
            "REQUEST STALE PAST",
        ],
        "human_reacted": ["", "", "PAST MAY_REACT"],
        "human_revoked": ["ALL_WAITS", "ALL_WAITS", "ALL_WAITS"],
        "human_left": [
            "UNDELIVERED REQUEST",
            "UNDELIVERED REQUEST",
            "UNDELIVERED REQUEST_ABSENT ABSENT OUTLIVED PAST FOREIGN LAST_ONE_OFFERED LAST_ONE",
        ],
        "bot_message": [
            "NO_TEMPLATES UNDELIVERED PAST OVERTAKEN NOT_ACTIVE_REFUSED NOT_ACTIVE GONE "
            "UNREACHABLE MANY_WAIT UNWANTED UNSUBSCRIBED TURN_REFUSED OUT_OF_TURNS",
            "NO_TEMPLATES UNDELIVERED PAST OVERTAKEN NOT_ACTIVE_REFUSED NOT_ACTIVE GONE "
            "UNREACHABLE MANY_WAIT UNWANTED UNSUBSCRIBED TURN_REFUSED OUT_OF_TURNS "
            "ASSISTANT PASSING_ON PASSED_ON",
            "NO_TEMPLATES UNDELIVERED REQUEST STALE PAST DESK_DONE_OFFERED DESK_DONE DESK_OUT",
        ],
        "survey_asked": [
            "UNDELIVERED NO_SURVEYS SURVEYED GONE TOO_LATE NOT_ACTIVE_REFUSED",
            "UNDELIVERED NO_SURVEYS SURVEYED GONE TOO_LATE NOT_ACTIVE_REFUSED",
            "UNDELIVERED NO_SURVEYS SURVEYED GONE TOO_LATE BY_BOT",
        ],
        "handoff_failed": [
            "UNDELIVERED ANOTHERS KEPT",
            "UNDELIVERED ANOTHERS MAY_KEEP_WAITING RETURNABLE ASSISTED_ENDS",
            "UNDELIVERED OVER_OFFERED OVER OVER_OUT ANOTHERS KEPT",
        ],
        "chat_created": ["UNNEEDED AWAITED", "UNNEEDED AWAITED", "UNNEEDED AWAITED"],
        "chat_opened": ["THIS_HANDOFF", "THIS_HANDOFF", "THIS_HANDOFF"],
        "unlink": [
            "UNLINKED_CHAT",
            "RETURNABLE UNLINKED_CHAT",
            "OVER_OFFERED OVER OVER_OUT UNLINKED_CHAT",
        ],
        "unclaimed_timeout": [
            "",
            "OUTDATED ANOTHER_OPEN AWAITS_OPENING CLOSED_STILL OPENING_KNOWN OPENING "
            "RETURNABLE EXHAUSTED FIRST",
            "",
        ],
        "human_idle_timeout": ["", "", "OUTDATED TO_BOT"],
        "chat_idle_timeout": ["OUTDATED", "", ""],
        "reopen_timeout": ["ENDED", "ENDED", "ENDED"],
        "template_lost": ["ENDED", "ENDED", "ENDED"],
        "names_changed": ["ECHO", "ECHO", "ECHO"],
        "virtual_agent_left": ["AGENT_FAILED", "AGENT_FAILED", "AGENT_FAILED"],
        "unsubscribed": ["ECHO", "ECHO", "ECHO"],
        "subscribed": ["ECHO", "ECHO", "ECHO"],
    }


@pytest.mark.parametrize(("kind", "phase"), [(kind, phase) for kind in TABLE for phase in Phase])
def test_every_cell_ends_with_a_rule_that_always_holds(kind: str, phase: Phase) -> None:
    whens = [rule.when for rule in TABLE[kind][phase]]
    assert whens[-1] is Guard.ALWAYS
    assert Guard.ALWAYS not in whens[:-1]


def test_the_table_knows_every_kind_of_event() -> None:
    abstract = {
        events.Event,
        events.FromUser,
        events.ByRepresentative,
        events.Said,
        events.SubscriptionChange,
        events.AsksForHuman,
        events.TakesRoom,
        events.Joins,
    }
    assert set(TABLE) == {kind.kind for kind in KINDS.values() if kind not in abstract}


def test_a_tie_is_not_late() -> None:
    here = conversation(Phase.HUMAN, humans=(SINCE_EARLIER,))
    decision = decide(here, event("human_left", occurred_at=EARLIER), NOW, Policy())
    assert decision.conversation.phase is Phase.BOT


def test_who_left_is_gone_though_words_from_after_that_came_first() -> None:
    here = conversation(Phase.HUMAN, humans=(SINCE_EARLIER,), spoke_at=NOW)
    decision = decide(
        here, event("human_left", occurred_at=NOW - timedelta(seconds=1)), NOW, Policy()
    )
    assert (decision.conversation.phase, decision.conversation.spoke_at) == (Phase.BOT, NOW)


@pytest.mark.parametrize(("source", "stays"), [(CHANNEL, True), (DESK, False)])
def test_who_has_joined_again_does_not_go_with_a_leaving_from_before(
    source: str, stays: bool
) -> None:
    here = conversation(Phase.HUMAN, humans=(SINCE_EARLIER,))
    again = decide(here, event("human_joined", source=source, occurred_at=NOW), NOW, Policy())
    assert (again.verdict, again.commands) == (Verdict.IGNORED, ())
    late = event("human_left", occurred_at=NOW - timedelta(seconds=1))
    left = decide(again.conversation, late, NOW, Policy())
    assert (left.conversation.phase is Phase.HUMAN) is stays


def test_a_clock_that_runs_ahead_makes_no_later_fact_look_old() -> None:
    ahead = event("human_message", occurred_at=NOW + timedelta(hours=1))
    decision = decide(conversation(Phase.BOT), ahead, NOW, Policy())
    assert decision.conversation.spoke_at == NOW


def test_the_first_word_of_a_human_ends_the_wait_and_no_later_one_changes_it() -> None:
    first = decide(conversation(Phase.HUMAN), event("human_message"), NOW, Policy())
    assert first.conversation.first_response_seconds == 600
    later = decide(first.conversation, event("human_message"), NOW + timedelta(seconds=5), Policy())
    assert later.conversation.first_response_seconds == 600


def test_a_notification_of_a_handoff_says_where_the_transcript_is() -> None:
    [body] = [
        command.body
        for command in decide(
            conversation(Phase.QUEUED), event("human_joined"), NOW, Policy()
        ).commands
        if isinstance(command, Publish)
    ]
    assert (body["type"], body["transcript"]) == (
        "handoff.joined",
        f"/v1/conversations/{CHANNEL}/journal",
    )


def test_two_who_share_a_slot_leave_together() -> None:
    """Only a faulty document has such a slot, and the phase must not be HUMAN without a human."""
    sam = SAM.model_copy(update={"slot": WITH_SLOT.slot})
    before = conversation(Phase.HUMAN, humans=(WITH_SLOT, sam))
    after = decide(before, event("person_gone"), NOW, WINDOW).conversation
    assert (after.humans, after.phase is Phase.HUMAN) == ((), False)
