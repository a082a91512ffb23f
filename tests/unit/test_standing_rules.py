"""Every rule before and after a step acts where its condition holds, and only there; and only the
effects of rows send.
"""

import ast
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.handoff.draft import ASKS_ABOUT, CONDITIONS, Draft
from shared.handoff.effects.registry import EFFECTS, WORKS_ON
from shared.handoff.guards import OF_REQUESTS
from shared.handoff.machine import decide
from shared.handoff.terms import Condition, Effect, Guard
from shared.handoff.transitions import AFTER_STEP, BEFORE_STEP, ON_ARRIVAL, TABLE, Step
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content, Template
from shared.schemas.conversation import (
    Capabilities,
    Channel,
    Conversation,
    Floor,
    Holder,
    Line,
    Phase,
    Timer,
)
from shared.schemas.details import Attachment, Details
from shared.schemas.events import Event
from shared.schemas.platform_context import PlatformContext
from tests.unit.test_transitions import (
    ASKED,
    AT_BERLIN,
    CALLED,
    CHAT,
    EARLIER,
    FAILED,
    IN_CHAT,
    JANE,
    LOOPING,
    NOW,
    PASSED,
    SAM,
    SURVEY,
    THEIRS,
    TO_SAM,
    WITH_SLOT,
    conversation,
    event,
    human,
)
from tests.unit.test_transitions import WINDOW as ON_TIME
from tests.unit.test_transitions import _short as short
from tests.walk import walked

SHARED = Path(__file__).parents[2] / "shared"
EFFECTS_ROOM = SHARED / "handoff" / "effects"
STANDING = (*ON_ARRIVAL, *BEFORE_STEP, *AFTER_STEP)
LONG_AGO, LATE = NOW - timedelta(hours=30), EARLIER - timedelta(seconds=1)
ELSEWHERE = Channel(id="rcs:1", address="1", last_user_at=EARLIER)
WORDS: tuple[str, dict[str, Any]] = ("user_message", {"said": "hi"})
HELD = SendMessage(
    id="m1", to="3333", representative=JANE.representative, content=Content(text="It is here.")
)
WORDS_WAIT: tuple[str, dict[str, Any]] = ("user_message", {"held": {"e1": HELD}})
LEAVES: tuple[str, dict[str, Any]] = ("human_left", {})
IDLE: dict[str, Any] = {"armed": 7, "n": 1, "due_at": NOW + ON_TIME.human_idle_after}
SHARED_BY = {"business_messages": Capabilities(window_hours=24, surveys=True, floor=True)}
ANSWER = Template(name="answer_ready", language="en")
WINDOW = replace(
    ON_TIME,
    capabilities=SHARED_BY,
    floor_given_back=frozenset({"business_messages"}),
    reopen_templates={"business_messages": ANSWER},
    keeps_files=True,
    notifies_answered=True,
    threads=frozenset({"ccai"}),
)
AT_SHOP = PlatformContext(label="John Doe", business_name="My Business")
JANES: tuple[str, dict[str, Any]] = ("human_message", {})
LATE_HUMAN = {"last_user_at": LONG_AGO}
PICTURE: tuple[str, dict[str, Any]] = (
    "user_message", {"details": Details(attachments=(Attachment(kind="image", id="1"),))}
)  # fmt: skip
HEARD: tuple[str, dict[str, Any]] = ("user_message", {"floor": Holder.THEIRS, "occurred_at": NOW})
Case = tuple[Phase, dict[str, Any], tuple[str, dict[str, Any]]]
BOT, QUEUED, HUMAN = Phase.BOT, Phase.QUEUED, Phase.HUMAN

# For each condition a phase, what differs in the conversation, and an event with which it holds;
# and the same where it does not.
HOLDS: dict[Condition, Case] = {
    Condition.FLOOR_HEARD: (BOT, {}, HEARD),
    Condition.UNDATED: (BOT, {}, ("human_message", {"occurred_at": NOW + timedelta(hours=1)})),
    Condition.ALWAYS: (BOT, {}, ("unknown", {})),
    Condition.CUSTOMER_WRITES: (
        BOT,
        {"elsewhere": (ELSEWHERE,)},
        ("user_message", {"source": "rcs:1"}),
    ),
    Condition.FROM_CUSTOMER: (BOT, {}, ("user_message", {"locale": "id", "source": "csku:conv_1"})),
    Condition.CONTEXT_HEARD: (BOT, {}, ("bot_message", {"context": AT_SHOP})),
    Condition.CUSTOMER_ACTS: (BOT, {"last_user_at": LONG_AGO}, WORDS),
    Condition.FLOOR_LOST: (HUMAN, {}, HEARD),
    Condition.FLOOR_WANTED: (BOT, THEIRS, ("claim", {"fact": False})),
    Condition.LEFT_UNSEEN: (BOT, {"left_unseen": (JANE,)}, ("unknown", {})),
    Condition.CUSTOMER_BACK: (HUMAN, {**ASKED, **LATE_HUMAN}, WORDS_WAIT),
    Condition.JOINING: (BOT, {}, ("human_joined", {})),
    Condition.STALE: (BOT, {}, ("human_message", {"occurred_at": LATE})),
    Condition.BOT_SPEAKS: (HUMAN, {"human_since": EARLIER}, LEAVES),
    Condition.BOT_WITHOUT_DESK: (HUMAN, {}, LEAVES),
    Condition.BOT_AGAIN_DESK_STAYS: (
        HUMAN,
        {
            "called": CALLED.model_copy(update={"chat": CHAT}),
            "humans": (JANE.model_copy(update={"source": CHAT}),),
        },
        ("human_left", {"source": CHAT}),
    ),
    Condition.BOT_AGAIN: (HUMAN, {}, LEAVES),
    Condition.HUMAN_ACTIVE: (BOT, LOOPING, ("human_joined", {})),
    Condition.ANSWERED: (HUMAN, {}, JANES),
    Condition.HUMAN_WAITS: (HUMAN, LATE_HUMAN, JANES),
    Condition.HUMAN_WAITED: (HUMAN, {**ASKED, "timer": None}, ("reopen_timeout", {})),
    Condition.HELD: (HUMAN, LATE_HUMAN, JANES),
    Condition.OFFER_POINTLESS: (QUEUED, {"offer": TO_SAM}, ("human_joined", {})),
    Condition.DESK_LOOKS_ON: (QUEUED, {"called": IN_CHAT}, ("human_joined", {"source": CHAT})),
    Condition.SLOTS_OVER: (HUMAN, {"humans": (WITH_SLOT,)}, LEAVES),
    Condition.WAIT_OVER: (
        QUEUED,
        {"tried": ("a",), "assign": Timer(kind="assign", armed=3, n=1, due_at=NOW)},
        ("human_joined", {}),
    ),
    Condition.SURVEY_OVER: (BOT, {"survey": SURVEY}, WORDS),
    Condition.FACT_SETS_SPEAKER: (HUMAN, {}, ("human_message", {"occurred_at": NOW})),
    Condition.OWED_CLOSED: (BOT, {**AT_BERLIN, "owed": "closed"}, ("unknown", {})),
    Condition.OWED_NOBODY: (BOT, {"owed": "nobody"}, ("unknown", {})),
    Condition.OWED_PASSED_ON: (QUEUED, {**PASSED, "owed": "passed_on"}, ("unknown", {})),
    Condition.OWED: (HUMAN, {"owed": "nobody"}, ("unknown", {})),
    Condition.FLOOR_UNUSED: (HUMAN, {}, LEAVES),
    Condition.HUMAN_TIME_BEGINS: (BOT, {"said": (Line(text="old"),)}, ("human_joined", {})),
    Condition.HUMAN_TIME: (HUMAN, {}, WORDS),
    Condition.HUMAN_TIME_ENDS: (HUMAN, {"said": (Line(text="hello"),)}, LEAVES),
    Condition.FILES_TO_KEEP: (BOT, {}, PICTURE),
    Condition.MEASURED: (QUEUED, {}, ("human_joined", {})),
}
FAILS: dict[Condition, list[Case]] = {
    Condition.FILES_TO_KEEP: [
        (BOT, {}, WORDS),
        (BOT, {}, ("user_message", {**PICTURE[1], "source": "csku:conv_1"})),
        (BOT, {}, ("bot_message", {})),
    ],
    Condition.FLOOR_HEARD: [
        (BOT, {}, WORDS),
        (BOT, {}, ("user_message", {"floor": Holder.THEIRS, "source": "csku:conv_1"})),
    ],
    Condition.FLOOR_LOST: [
        (QUEUED, {}, HEARD),
        (HUMAN, THEIRS, HEARD),
        (HUMAN, {}, ("floor_moved", {"floor": Holder.THEIRS})),
        (
            HUMAN,
            {"elsewhere": (ELSEWHERE,), "last_user_at": NOW + timedelta(seconds=5)},
            ("user_message", {"floor": Holder.THEIRS, "occurred_at": NOW, "source": "rcs:1"}),
        ),
    ],
    Condition.FLOOR_WANTED: [
        (BOT, {}, ("claim", {"fact": False})),
        (BOT, THEIRS, ("human_message", {"delivered": True})),
        (HUMAN, THEIRS, LEAVES),
        (BOT, THEIRS, ("bot_message", {})),
    ],
    Condition.FLOOR_UNUSED: [
        (QUEUED, {}, ("handoff_failed", {})),
        (HUMAN, {"humans": (JANE, SAM)}, LEAVES),
        (HUMAN, {}, ("bot_message", {"human_needed": False})),
    ],
    Condition.UNDATED: [(BOT, {}, ("human_message", {"occurred_at": EARLIER}))],
    Condition.CUSTOMER_WRITES: [
        (BOT, {}, ("user_message", {"source": "csku:conv_1"})),
        (BOT, {}, ("unsubscribed", {})),
    ],
    Condition.FROM_CUSTOMER: [(BOT, {}, ("human_requested", {}))],
    Condition.CONTEXT_HEARD: [(BOT, {}, ("bot_message", {}))],
    Condition.CUSTOMER_ACTS: [
        (BOT, {}, ("user_message", {"source": "csku:conv_1"})),
        (BOT, {}, ("human_requested", {"fact": False})),
    ],
    Condition.LEFT_UNSEEN: [
        (BOT, {}, WORDS),
        (BOT, {"left_unseen": (JANE,), "last_user_at": LONG_AGO}, ("unknown", {})),
        (BOT, {"left_unseen": (JANE,), **THEIRS}, ("unknown", {})),
    ],
    Condition.CUSTOMER_BACK: [
        (BOT, {}, WORDS),
        (BOT, ASKED, ("user_message", {"source": "csku:conv_1"})),
        (BOT, {**ASKED, **LATE_HUMAN}, ("user_message", {"occurred_at": LONG_AGO})),
        (BOT, ASKED, ("unknown", {})),
    ],
    Condition.HUMAN_WAITS: [
        (HUMAN, {}, JANES),
        (HUMAN, {**ASKED, "humans": (SAM,)}, ("unknown", {})),
    ],
    Condition.HUMAN_WAITED: [(HUMAN, {}, WORDS), (HUMAN, ASKED, ("unknown", {}))],
    Condition.ANSWERED: [
        (HUMAN, {"answered": True}, JANES),
        (HUMAN, LATE_HUMAN, JANES),
        (HUMAN, {}, WORDS),
        (BOT, {}, ("human_message", {"occurred_at": LATE})),
    ],
    Condition.HELD: [
        (HUMAN, {}, JANES),
        (HUMAN, {**LATE_HUMAN, "reopening": ASKED["reopening"]}, JANES),
        (HUMAN, {**LATE_HUMAN, **THEIRS}, JANES),
    ],
    Condition.JOINING: [(HUMAN, {}, ("human_joined", {}))],
    Condition.STALE: [(BOT, {}, ("human_message", {}))],
    Condition.BOT_SPEAKS: [(HUMAN, {}, WORDS), (BOT, {}, ("human_joined", {"occurred_at": LATE}))],
    Condition.BOT_WITHOUT_DESK: [(BOT, {"called": CALLED}, WORDS)],
    Condition.BOT_AGAIN_DESK_STAYS: [(HUMAN, {}, LEAVES), (BOT, {"called": CALLED}, WORDS)],
    Condition.BOT_AGAIN: [(BOT, {}, WORDS)],
    Condition.OFFER_POINTLESS: [
        (QUEUED, {}, ("human_joined", {})),
        (QUEUED, {"offer": TO_SAM}, WORDS),
        (
            HUMAN,
            {"offer": TO_SAM},
            ("human_joined", {"representative": human("Ada").representative}),
        ),
    ],
    Condition.DESK_LOOKS_ON: [
        (QUEUED, {}, ("human_joined", {"source": CHAT})),
        (QUEUED, {"called": IN_CHAT}, WORDS),
    ],
    Condition.SLOTS_OVER: [
        (HUMAN, {}, LEAVES),
        (HUMAN, {"humans": (WITH_SLOT,)}, WORDS),
    ],
    Condition.SURVEY_OVER: [
        (BOT, {}, WORDS),
        (BOT, {"survey": SURVEY}, ("unknown", {})),
        (BOT, {"survey": SURVEY}, ("user_message", {"said": "4"})),
    ],
    Condition.WAIT_OVER: [(QUEUED, {}, WORDS), (HUMAN, {}, LEAVES)],
    Condition.HUMAN_ACTIVE: [
        (HUMAN, {}, WORDS),
        (HUMAN, {"humans": (SAM,)}, ("human_message", {"occurred_at": LATE})),
    ],
    Condition.FACT_SETS_SPEAKER: [
        (HUMAN, {}, ("human_message", {"fact": False})),
        (HUMAN, {}, WORDS),
    ],
    Condition.OWED_CLOSED: [
        (HUMAN, {**AT_BERLIN, "owed": "closed"}, WORDS),
        (BOT, {"owed": "closed"}, WORDS),
        (BOT, {**AT_BERLIN, "owed": "closed", "last_user_at": LONG_AGO}, ("unknown", {})),
    ],
    Condition.OWED_NOBODY: [
        (QUEUED, {"owed": "nobody"}, WORDS),
        (BOT, {"owed": "nobody", "last_user_at": LONG_AGO}, ("unknown", {})),
        (BOT, {"owed": "nobody", **THEIRS}, ("unknown", {})),
    ],
    Condition.OWED_PASSED_ON: [
        (QUEUED, {**PASSED, "owed": "nobody"}, ("unknown", {})),
        (HUMAN, {"owed": "passed_on"}, ("unknown", {})),
        (QUEUED, {**PASSED, "owed": "passed_on", "last_user_at": LONG_AGO}, ("unknown", {})),
    ],
    Condition.OWED: [
        (HUMAN, {}, WORDS),
        (HUMAN, {"owed": "nobody", "last_user_at": LONG_AGO}, ("unknown", {})),
        (HUMAN, {"owed": "nobody", **THEIRS}, ("unknown", {})),
    ],
    Condition.HUMAN_TIME_BEGINS: [
        (HUMAN, {}, ("human_joined", {})),
        (BOT, {"tracked": True}, ("human_joined", {})),
        (QUEUED, PASSED, ("human_joined", {})),
    ],
    Condition.HUMAN_TIME: [
        (BOT, {}, WORDS),
        (HUMAN, {"tracked": True}, WORDS),
        (HUMAN, {}, ("bot_message", {"source": "csku:conv_1"})),
    ],
    Condition.HUMAN_TIME_ENDS: [
        (HUMAN, {}, WORDS),
        (HUMAN, {"tracked": True}, LEAVES),
        (HUMAN, {}, ("transfer", {"to_queue": True})),
    ],
    Condition.MEASURED: [
        (BOT, {}, ("unknown", {})),
        (BOT, {}, ("user_message", {"heard_by": ()})),
    ],
}


# What the rows leave behind in the conversation; the second part is what they emit.
LEAVES_BEHIND: dict[Condition, dict[str, Any]] = {
    Condition.FLOOR_HEARD: {"floor": Floor(holder=Holder.THEIRS, since=NOW, shared=True)},
    Condition.UNDATED: {"spoke_at": NOW},
    Condition.ALWAYS: {"version": 7},
    Condition.CUSTOMER_WRITES: {"speaks_on": "rcs:1"},
    Condition.FROM_CUSTOMER: {"locale": "id"},
    Condition.CONTEXT_HEARD: {"platform_context": AT_SHOP, "customer_name": "John Doe"},
    Condition.CUSTOMER_ACTS: {"last_user_at": NOW},
    Condition.FLOOR_LOST: {"phase": HUMAN},
    Condition.FLOOR_WANTED: {"phase": HUMAN},
    Condition.LEFT_UNSEEN: {"left_unseen": ()},
    Condition.CUSTOMER_BACK: {"waiting": (), "reopening": None},
    Condition.JOINING: {"human_version": 7},
    Condition.STALE: {"first_response_seconds": None},
    Condition.BOT_SPEAKS: {"human_since": None},
    Condition.BOT_WITHOUT_DESK: {"timer": None},
    Condition.BOT_AGAIN_DESK_STAYS: {"timer": Timer(kind="chat", **IDLE)},
    Condition.BOT_AGAIN: {"request": None},
    Condition.HUMAN_ACTIVE: {
        "human_since": NOW,
        "timer": Timer(kind="idle", **IDLE),
        "bot_run": None,
    },
    Condition.ANSWERED: {"answered": True},
    Condition.HUMAN_WAITS: {"timer": None},
    Condition.HUMAN_WAITED: {"timer": Timer(kind="idle", **IDLE)},
    Condition.HELD: {"phase": HUMAN},
    Condition.OFFER_POINTLESS: {"offer": None},
    Condition.DESK_LOOKS_ON: {"called": IN_CHAT},
    Condition.SLOTS_OVER: {"humans": ()},
    Condition.WAIT_OVER: {"tried": (), "assign": None},
    Condition.SURVEY_OVER: {"survey": SURVEY.model_copy(update={"words": False})},
    Condition.FACT_SETS_SPEAKER: {"spoke_at": NOW},
    Condition.OWED_CLOSED: {"owed": None},
    Condition.OWED_NOBODY: {"owed": None},
    Condition.OWED_PASSED_ON: {"owed": None},
    Condition.OWED: {"owed": None},
    Condition.FLOOR_UNUSED: {"floor": Floor(holder=Holder.OURS, handing_back=True)},
    Condition.HUMAN_TIME_BEGINS: {"said": ()},
    Condition.HUMAN_TIME: {"said": (Line(text="hi"),)},
    Condition.HUMAN_TIME_ENDS: {"said": ()},
    Condition.FILES_TO_KEEP: {},
    Condition.MEASURED: {},
}
EMITS: dict[Condition, list[str]] = {
    Condition.FLOOR_LOST: ["take_floor"],
    Condition.FLOOR_WANTED: ["take_floor"],
    Condition.LEFT_UNSEEN: ["LEFT Jane"],
    Condition.CUSTOMER_BACK: ["HUMAN Jane: It is here"],
    Condition.HELD: ["HUMAN Jane: "],
    Condition.OFFER_POINTLESS: ["free_slot"],
    Condition.DESK_LOOKS_ON: ["desk show"],
    Condition.SLOTS_OVER: ["free_slot"],
    Condition.OWED_CLOSED: [FAILED],
    Condition.OWED_NOBODY: ["BOT Hello World Agent: Sorry, nobody is available right now"],
    Condition.OWED_PASSED_ON: ["BOT Hello World Agent: A colleague will go on with you here"],
    Condition.FLOOR_UNUSED: ["give_floor"],
    Condition.FILES_TO_KEEP: ["keep_media"],
    Condition.ANSWERED: ["publish baton-handoffs handoff.answered"],
    Condition.MEASURED: ["record"],
}


def case(given: Case) -> tuple[Conversation, Event]:
    phase, about_conversation, (kind, about_event) = given
    return conversation(phase, **about_conversation), event(kind, **about_event)


@pytest.mark.parametrize("rule", STANDING, ids=lambda rule: rule.name)
def test_each_rule_acts_where_its_condition_holds(rule: Any) -> None:
    before, happened = case(HOLDS[rule.when])
    walk = walked(before, happened, NOW, WINDOW)
    assert rule in walk.ran
    emitted = [short(command) for row, _, command in walk.emitted if row == rule.name]
    assert emitted == EMITS.get(rule.when, [])
    after = decide(before, happened, NOW, WINDOW).conversation
    left = LEAVES_BEHIND[rule.when]
    assert {name: getattr(after, name) for name in left} == left


@pytest.mark.parametrize(
    ("condition", "given"), [(one, given) for one, cases in FAILS.items() for given in cases]
)
def test_no_rule_acts_where_its_condition_does_not_hold(condition: Condition, given: Case) -> None:
    assert condition not in [rule.when for rule in walked(*case(given), NOW, WINDOW).ran]


def test_each_condition_has_one_rule_and_both_cases() -> None:
    assert [rule.when for rule in STANDING] == list(HOLDS) == list(LEAVES_BEHIND)
    assert set(CONDITIONS) == set(Condition) == set(HOLDS)
    assert set(FAILS) == set(Condition) - {Condition.ALWAYS}
    assert len({rule.name for rule in STANDING}) == len(STANDING)


def test_every_word_of_the_tables_is_used_and_defined() -> None:
    cells = [cell for cells in TABLE.values() for cell in cells.values()]
    rules = [rule for cell in cells for rule in cell]
    effects = {effect for rule in rules for effect in rule.then.effects}
    assert effects | {effect for rule in STANDING for effect in rule.effects} == set(Effect)
    assert set(EFFECTS) == set(Effect)
    assert {rule.when for rule in rules} == set(Guard)
    assert {guard for guard in Guard if guard.startswith("a request")} == OF_REQUESTS


@cache
def nodes() -> Mapping[Path, Sequence[ast.AST]]:
    """Returns every node of the syntax tree of each module."""
    modules = sorted(SHARED.rglob("*.py"))
    return {path: [*ast.walk(ast.parse(path.read_text()))] for path in modules}


def test_only_effects_emit() -> None:
    """What adds a command to a draft stands in `effects` (and, for itself, in Draft)."""
    ways = {"emit": "draft", "add": "draft", "send": "draft", "append": "draft.commands"}
    for path, found in nodes().items():
        if path.is_relative_to(EFFECTS_ROOM) or path.name == "draft.py":
            continue
        for node in found:
            if isinstance(node, ast.Attribute) and node.attr in ways:
                of = ast.unparse(node.value)  # also walk.draft, or a draft by a longer name
                assert not of.endswith(ways[node.attr]), f"{path}:{node.lineno}"


def test_effects_are_called_by_the_walk_of_rows_alone() -> None:
    """`machine` takes EFFECTS, and calls one in a single place; no other module takes a function
    of `effects`, and none makes a draft.
    """
    for path, found in nodes().items():
        if path.is_relative_to(EFFECTS_ROOM):
            continue
        is_machine = path == SHARED / "handoff" / "machine.py"
        taken = {
            name.name
            for node in found
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("shared.handoff.effects")
            for name in node.names
        }
        # else constants
        assert (
            taken == {"EFFECTS", "READERS", "WORKS_ON"}
            if is_machine
            else all(map(str.isupper, taken))
        ), path
        drafts = [node for node in found if _calls(node, "Draft")]
        assert bool(drafts) is is_machine, path
    machine = ast.parse((SHARED / "handoff" / "machine.py").read_text())
    functions = {one.name: one for one in machine.body if isinstance(one, ast.FunctionDef)}
    users = {name for name, one in functions.items() if "EFFECTS" in ast.unparse(one)}
    assert users == {"_perform"}
    performed = [ast.unparse(node) for node in ast.walk(machine) if _calls(node, "_perform")]
    assert sorted(performed) == [
        "_perform(refusal.effects, draft)",
        "_perform(rule.effects, draft)",
        "_perform(step.effects, draft)",
    ]


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


COMMANDS = ("SendMessage", "SendEvent", "SendSurvey", "TakeFloor", "GiveFloor")


def test_what_a_customer_gets_is_made_by_effects_alone() -> None:
    """`outbox` says a JOINED or LEFT in words where the platform refused it."""
    made = {
        str(path.relative_to(SHARED))
        for path, found in nodes().items()
        for node in found
        if any(_calls(node, name) for name in COMMANDS)
    }
    effects = {f"handoff/effects/{name}.py" for name in ("floor", "frames", "speech")}
    assert made == {*effects, "outbox/attempt.py"}


@pytest.mark.parametrize("effect", WORKS_ON)
@pytest.mark.parametrize("phase", Phase)
def test_an_effect_does_nothing_where_its_field_is_empty(effect: Effect, phase: Phase) -> None:
    field = WORKS_ON[effect]
    empty = Conversation.model_fields[field].get_default(call_default_factory=True)
    assert not empty
    known, taken = conversation(phase, **{field: empty}), 0
    for kind in TABLE:
        draft = Draft(known, event(kind), NOW, WINDOW)
        draft.begin(Step())
        with suppress(TypeError):  # no row asks this effect of such an event
            EFFECTS[effect](draft)
            taken += 1
        assert (draft.conversation, draft.commands) == (known, [])
    assert taken


@pytest.mark.parametrize("condition", ASKS_ABOUT)
@pytest.mark.parametrize("phase", Phase)
def test_a_condition_does_not_hold_where_its_field_is_empty(
    condition: Condition, phase: Phase
) -> None:
    field = ASKS_ABOUT[condition]
    empty = Conversation.model_fields[field].get_default(call_default_factory=True)
    assert not empty
    for before in map(conversation, Phase):
        for kind, cells in TABLE.items():
            for rule in cells[before.phase]:
                draft = Draft(before, event(kind), NOW, WINDOW)
                draft.begin(rule.then if isinstance(rule.then, Step) else Step())
                draft.change(**{"phase": phase, field: empty})
                assert not CONDITIONS[condition](draft)
