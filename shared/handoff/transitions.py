"""THE TABLE: for every phase and every kind of event, what follows. Everything that can change who speaks is here.

A cell is a list of rules; the first whose guard holds decides, and the last one always holds, so no event is without an
answer in any phase. A step names the next phase (None: it stays) and what is emitted, in order; a step that emits
nothing is how "ignored" is written. A refusal leaves the conversation as it was. Guards are spelled out in `guards`,
effects in `effects`; neither they nor the table know which platform they serve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.schemas import events
from shared.schemas.conversation import Phase
from shared.schemas.journal import Verdict


class Guard(StrEnum):
    ALWAYS = "otherwise"
    ECHO = "reported by a linked desk"
    REQUEST = "a request"
    UNDELIVERED = "a request, on a conversation that Baton only tracks"
    STALE = "a fact older than the one that set who speaks"
    PRESENT = "this representative is present"
    HOLDER = "the key that claimed it, under the same name"
    FOREIGN = "another key's representative"
    LAST_ONE = "the last one present"
    REQUEST_ABSENT = "a request about somebody absent"
    ABSENT = "about somebody absent"
    DESK_DONE = "the desk needs no human, and only its own are present"
    DESK_OUT = "the desk needs no human, and others stay"
    OUTDATED = "the timer was set anew or stopped since"
    FIRST = "the first time"
    EXHAUSTED = "after the last reminder"


class Effect(StrEnum):
    TELL_BOT = "publish for the bot"
    TELL_BOTH = "publish for bot and desk"
    TELL_DESK = "publish for the desk"
    QUEUE = "note the request, start the unclaimed timer"
    REMIND = "set the next reminder"
    JOIN = "JOINED"
    MESSAGE = "message, HUMAN"
    LEAVE = "LEFT"
    LEAVE_DESK = "LEFT for that desk's humans"
    LEAVE_ALL = "LEFT for everyone"
    BOT_MESSAGE = "message, BOT"
    NOTIFY_REQUESTED = "notify handoff.requested"
    NOTIFY_JOINED = "notify handoff.joined"
    NOTIFY_ENDED = "notify handoff.ended"
    NOTIFY_RETURNED = "notify handoff.returned"
    NOTIFY_UNCLAIMED = "notify handoff.unclaimed"
    NOTIFY_FAILED = "notify handoff.failed"
    KEEP_VARIABLES = "keep, as each audience may see them"
    PUBLISH_VARIABLES = "publish what the event audience may see"
    SAY_WAITING = "tell the customer: still in line"
    SAY_NOBODY = "tell the customer: nobody is available"
    SAY_RETURNED = "tell the customer: back with the bot"


@dataclass(frozen=True, slots=True)
class Step:
    to: Phase | None = None
    effects: tuple[Effect, ...] = ()
    verdict: Verdict = Verdict.ACCEPTED


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    when: Guard
    then: Step | Refusal


Cell = tuple[Rule, ...]
BOT, QUEUED, HUMAN = Phase.BOT, Phase.QUEUED, Phase.HUMAN
E, G = Effect, Guard

NOT_JOINED = Refusal("not-joined", "This representative is not in the conversation; send REPRESENTATIVE_JOINED first.")
HUMAN_PRESENT = Refusal("human-present", "A human holds this conversation; the bot is silent until they leave.")
HELD = Refusal("held", "Somebody else holds this conversation.")
NOT_YOURS = Refusal(
    "not-yours", "Another key brought this representative in; only that key or an admin may release them."
)
TRACKED = Refusal("tracked", "Baton only tracks this conversation; its own platform delivers the messages.")


def _step(*effects: Effect, to: Phase | None = None, verdict: Verdict = Verdict.ACCEPTED) -> Step:
    return Step(to, effects, verdict)


def _cell(*rules: tuple[Guard, Step | Refusal], otherwise: Step | Refusal) -> Cell:
    return (*(Rule(guard, then) for guard, then in rules), Rule(Guard.ALWAYS, otherwise))


IGNORE = Step(verdict=Verdict.IGNORED)
STALE = (G.STALE, Step(verdict=Verdict.STALE))
ECHO = (G.ECHO, Step(verdict=Verdict.ECHO))
UNDELIVERED = (G.UNDELIVERED, TRACKED)
LATE_FRAME = (G.STALE, _step(E.JOIN, E.MESSAGE, E.LEAVE, verdict=Verdict.STALE))
SUPPRESS = Step(verdict=Verdict.SUPPRESSED)
RECORDED_EVERYWHERE = {phase: _cell(otherwise=_step()) for phase in Phase}
IGNORED_EVERYWHERE = {phase: _cell(otherwise=IGNORE) for phase in Phase}

_FROM_USER = {
    BOT: _cell(ECHO, otherwise=_step(E.TELL_BOT)),
    QUEUED: _cell(ECHO, otherwise=_step(E.TELL_BOTH)),
    HUMAN: _cell(ECHO, otherwise=_step(E.TELL_DESK)),
}
_VARIABLES = _step(E.KEEP_VARIABLES, E.PUBLISH_VARIABLES)
_JOINS = _step(E.JOIN, E.NOTIFY_JOINED, to=HUMAN)
_SPEAKS_UP = _cell(
    UNDELIVERED,
    (G.REQUEST, NOT_JOINED),
    LATE_FRAME,
    otherwise=_step(E.JOIN, E.NOTIFY_JOINED, E.MESSAGE, to=HUMAN),
)
_LEFT_ALREADY = _cell((G.REQUEST, NOT_JOINED), otherwise=IGNORE)
_BOT_SPEAKS = _cell(UNDELIVERED, otherwise=_step(E.BOT_MESSAGE))

TABLE: Mapping[str, Mapping[Phase, Cell]] = {
    events.UserMessage.kind: _FROM_USER,
    events.SuggestionResponse.kind: _FROM_USER,
    events.SurveyResponse.kind: _FROM_USER,
    events.AuthenticationResponse.kind: _FROM_USER,
    events.HumanRequested.kind: {
        BOT: _cell(otherwise=_step(E.QUEUE, E.NOTIFY_REQUESTED, to=QUEUED)),
        QUEUED: _cell(otherwise=IGNORE),
        HUMAN: _cell(otherwise=IGNORE),
    },
    events.HumanJoined.kind: {
        BOT: _cell(STALE, otherwise=_JOINS),
        QUEUED: _cell(STALE, otherwise=_JOINS),
        HUMAN: _cell(STALE, (G.PRESENT, IGNORE), otherwise=_step(E.JOIN)),
    },
    events.Claim.kind: {
        BOT: _cell(otherwise=_JOINS),
        QUEUED: _cell(otherwise=_JOINS),
        HUMAN: _cell((G.HOLDER, IGNORE), otherwise=HELD),
    },
    events.HumanMessage.kind: {
        BOT: _SPEAKS_UP,
        QUEUED: _SPEAKS_UP,
        HUMAN: _cell(
            UNDELIVERED,
            (G.PRESENT, _step(E.MESSAGE)),
            (G.REQUEST, NOT_JOINED),
            LATE_FRAME,
            otherwise=_step(E.JOIN, E.MESSAGE),
        ),
    },
    events.HumanLeft.kind: {
        BOT: _LEFT_ALREADY,
        QUEUED: _LEFT_ALREADY,
        HUMAN: _cell(
            (G.REQUEST_ABSENT, NOT_JOINED),
            (G.ABSENT, IGNORE),
            STALE,
            (G.FOREIGN, NOT_YOURS),
            (G.LAST_ONE, _step(E.LEAVE, E.NOTIFY_ENDED, to=BOT)),
            otherwise=_step(E.LEAVE),
        ),
    },
    events.BotMessage.kind: {
        BOT: _BOT_SPEAKS,
        QUEUED: _BOT_SPEAKS,
        HUMAN: _cell(
            (G.REQUEST, HUMAN_PRESENT),
            STALE,
            (G.DESK_DONE, _step(E.LEAVE_DESK, E.NOTIFY_ENDED, E.BOT_MESSAGE, to=BOT)),
            (G.DESK_OUT, _step(E.LEAVE_DESK, verdict=Verdict.SUPPRESSED)),
            otherwise=SUPPRESS,
        ),
    },
    events.HandoffFailed.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell(otherwise=_step(E.NOTIFY_FAILED, E.SAY_NOBODY, to=BOT)),
        HUMAN: _cell(otherwise=IGNORE),
    },
    events.UnclaimedTimeout.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell(
            (G.OUTDATED, IGNORE),
            (G.EXHAUSTED, _step(E.NOTIFY_FAILED, E.SAY_NOBODY, to=BOT)),
            (G.FIRST, _step(E.NOTIFY_UNCLAIMED, E.SAY_WAITING, E.REMIND)),
            otherwise=_step(E.NOTIFY_UNCLAIMED, E.REMIND),
        ),
        HUMAN: _cell(otherwise=IGNORE),
    },
    events.HumanIdleTimeout.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell(otherwise=IGNORE),
        HUMAN: _cell(
            (G.OUTDATED, IGNORE),
            otherwise=_step(E.LEAVE_ALL, E.NOTIFY_RETURNED, E.SAY_RETURNED, to=BOT),
        ),
    },
    events.VirtualAgentJoined.kind: RECORDED_EVERYWHERE,
    events.VirtualAgentLeft.kind: RECORDED_EVERYWHERE,
    events.VariablesCaptured.kind: {phase: _cell(otherwise=_VARIABLES) for phase in Phase},
    events.Unknown.kind: IGNORED_EVERYWHERE,
}
