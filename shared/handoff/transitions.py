"""THE TABLE: for every phase and every kind of event, what follows. Everything that can change who
speaks is here.

A cell is a list of rules; the first whose guard holds decides, and the last one always holds, so no
event is without an answer in any phase. A step names the next phase (None: it stays) and what is
emitted, in order; a step that emits nothing is how "ignored" is written. A refusal leaves the
conversation as it was. Guards and effects are named in `terms` and spelled out in `guards` and
`effects`; neither they nor the table know which platform they serve.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import BatonError, Forbidden, Refused, TooMany, Unsupported
from shared.handoff.terms import Effect as Effect
from shared.handoff.terms import Guard as Guard
from shared.schemas import events, own_events
from shared.schemas.conversation import Phase
from shared.schemas.journal import Verdict


@dataclass(frozen=True, slots=True)
class Step:
    to: Phase | None = None
    effects: tuple[Effect, ...] = ()
    verdict: Verdict = Verdict.ACCEPTED


@dataclass(frozen=True, slots=True)
class Refusal:
    """`effects` change nothing of the conversation: they tell others of the refusal."""

    reason: str
    message: str
    effects: tuple[Effect, ...] = ()
    error: type[BatonError] = Refused


@dataclass(frozen=True, slots=True)
class Rule:
    when: Guard
    then: Step | Refusal


Cell = tuple[Rule, ...]
BOT, QUEUED, HUMAN = Phase.BOT, Phase.QUEUED, Phase.HUMAN
E, G = Effect, Guard

NOT_JOINED = Refusal(
    "not-joined",
    "This representative is not in the conversation; send REPRESENTATIVE_JOINED first.",
)
HUMAN_PRESENT = Refusal(
    "human-present", "A human holds this conversation; the bot is silent until they leave."
)
HELD = Refusal("held", "Somebody else holds this conversation.")
NOT_YOURS = Refusal(
    "not-yours",
    "Another key brought this representative in; only that key or an admin may release them.",
    error=Forbidden,
)
ANSWERED = Refusal("human-came", "A human has come since the words that this answers.")
TRACKED = Refusal(
    "tracked",
    "Baton only tracks this conversation: its own platform delivers the messages and has the "
    "people. Answer there, or "
    "link it to the conversation of a channel.",
)

OUTSIDE_WINDOW = Refusal(
    "outside-window",
    "The customer's last message is too old for this channel to let anybody answer it. Wait until "
    "they write again, or "
    "reach them another way (an approved template, sent with the channel's own tools).",
    (Effect.NOTIFY_UNDELIVERED,),
)
NO_SURVEYS = Refusal(
    "unsupported",
    "The customer's channel has no surveys; ask with a message and suggestions.",
    error=Unsupported,
)
SURVEYED = Refusal(
    "survey-limit", "The customer was sent a survey within the last 24 hours.", error=TooMany
)
SILENCED = Refusal(
    "unsubscribed",
    "The customer has unsubscribed: a bot may not write until they write again. A human may "
    "answer.",
)

BOT_LOOP = Refusal(
    "bot-loop",
    "The bot has had as many turns as it may have with no human in between; it seems to talk with "
    "another robot. It "
    "may speak again after a human has, or after a pause (settings BOT_TURNS_LIMIT, "
    "BOT_TURNS_WITHIN).",
)


def _step(*effects: Effect, to: Phase | None = None, verdict: Verdict = Verdict.ACCEPTED) -> Step:
    return Step(to, effects, verdict)


def _cell(*rules: tuple[Guard, Step | Refusal], otherwise: Step | Refusal) -> Cell:
    return (*(Rule(guard, then) for guard, then in rules), Rule(Guard.ALWAYS, otherwise))


IGNORE = Step(verdict=Verdict.IGNORED)
STALE = (G.STALE, Step(verdict=Verdict.STALE))
ECHO = (G.ECHO, Step(verdict=Verdict.ECHO))
UNDELIVERED = (G.UNDELIVERED, TRACKED)
LATE_FRAME = (G.STALE, _step(E.JOIN, E.MESSAGE, E.LEAVE, verdict=Verdict.STALE))
PAST = (G.PAST, _step(E.END_CHAT, verdict=Verdict.STALE))
PAST_FRAME = (G.PAST, _step(E.JOIN, E.MESSAGE, E.LEAVE, E.END_CHAT, verdict=Verdict.STALE))
PAST_WORDS = (G.PAST_PRESENT, _step(E.MESSAGE, E.END_CHAT, verdict=Verdict.STALE))
OUTLIVED = (G.OUTLIVED, Step(verdict=Verdict.STALE))
PAST_LEFT = (G.PAST, Step(verdict=Verdict.STALE))
ANOTHERS = (G.ANOTHERS, Step(verdict=Verdict.IGNORED))
TOO_LATE = (G.TOO_LATE, OUTSIDE_WINDOW)
SUPPRESS = Step(verdict=Verdict.SUPPRESSED)
RECORDED_EVERYWHERE = {phase: _cell(otherwise=_step()) for phase in Phase}
IGNORED_EVERYWHERE = {phase: _cell(otherwise=IGNORE) for phase in Phase}

_FROM_USER = {
    BOT: _cell(ECHO, otherwise=_step(E.TELL_BOT)),
    QUEUED: _cell(ECHO, (G.ASSISTED, _step(E.TELL_DESK)), otherwise=_step(E.TELL_BOTH)),
    HUMAN: _cell(ECHO, otherwise=_step(E.TELL_DESK)),
}
_REPLIES = {
    BOT: _cell(ECHO, otherwise=_step(E.CAPTURE_REPLY, E.TELL_BOT, E.RELAY)),
    QUEUED: _cell(
        ECHO,
        (G.ASSISTED, _step(E.TELL_DESK, E.RELAY)),
        (G.ASKS_PLACE, _step(E.SAY_PLACE, E.SAY_OPENING, E.TELL_DESK, E.RELAY)),
        otherwise=_step(E.CAPTURE_REPLY, E.TELL_BOTH, E.RELAY),
    ),
    HUMAN: _cell(ECHO, otherwise=_step(E.TELL_DESK, E.RELAY)),
}
_VARIABLES = _step(E.KEEP_VARIABLES, E.PUBLISH_VARIABLES, E.COMMENT_VARIABLES)
_JOINS = _step(E.JOIN, E.CLOSE_DESK, E.NOTIFY_JOINED, to=HUMAN)
_SPEAKS_UP = _cell(
    UNDELIVERED,
    (G.REQUEST, NOT_JOINED),
    LATE_FRAME,
    PAST_FRAME,
    otherwise=_step(E.JOIN, E.CLOSE_DESK, E.NOTIFY_JOINED, E.MESSAGE, to=HUMAN),
)
_LAST_OUT = _step(E.LEAVE_DESK, E.NOTIFY_ENDED, E.CLOSE_DESK, to=BOT)
_OVER = (G.OVER, _LAST_OUT), (G.OVER_OUT, _step(E.LEAVE_DESK, E.CLOSE_DESK))
_LET_GO = ANOTHERS, (G.KEPT, _step(E.CLOSE_DESK, verdict=Verdict.IGNORED))
_UNLINKED = (G.UNLINKED_CHAT, _step(E.CLOSE_DESK))
_CREATED = _cell((G.UNNEEDED, _step(E.END_CHAT)), (G.AWAITED, _step(E.NOTE_CHAT)), otherwise=IGNORE)
_OPENED = _cell((G.THIS_HANDOFF, _step(E.TAKE_CHAT)), otherwise=_step(E.KEEP_CHAT))
_PASSED_ON = E.CLOSE_DESK, E.MOVE_REQUEST, E.CALL_DESK, E.NOTIFY_UNCLAIMED
_LEFT_ALREADY = _cell(UNDELIVERED, (G.REQUEST, NOT_JOINED), otherwise=IGNORE)
_OF_SILENCE = (G.UNWANTED, SILENCED), (G.UNSUBSCRIBED, SUPPRESS)
_NOT_ASKED = UNDELIVERED, (G.NO_SURVEYS, NO_SURVEYS), (G.SURVEYED, SURVEYED), TOO_LATE
_OF_LOOPS = (
    (G.TURN_REFUSED, BOT_LOOP),
    (G.OUT_OF_TURNS, _step(E.NOTE_LOOP, verdict=Verdict.SUPPRESSED)),
)
_UNSAID = UNDELIVERED, PAST, (G.OVERTAKEN, ANSWERED), TOO_LATE, *_OF_SILENCE, *_OF_LOOPS

TABLE: Mapping[str, Mapping[Phase, Cell]] = {
    events.UserMessage.kind: _REPLIES,
    events.SuggestionResponse.kind: _REPLIES,
    events.SurveyResponse.kind: _FROM_USER,
    events.AuthenticationResponse.kind: _FROM_USER,
    events.HumanRequested.kind: {
        BOT: _cell(
            (G.OVERTAKEN, IGNORE),
            PAST_LEFT,
            (G.CLOSED, _step(E.TELL_BOT, E.SAY_CLOSED, E.NOTIFY_CLOSED)),
            otherwise=_step(
                E.TELL_BOTH, E.QUEUE, E.NOTIFY_REQUESTED, E.CALL_DESK, E.SAY_CLOSED, to=QUEUED
            ),
        ),
        QUEUED: _cell(
            (G.ANOTHER_OPEN, _step(E.TELL_BOTH, *_PASSED_ON)),
            (G.CLOSED_MEANWHILE, _step(E.TELL_BOTH, E.SAY_CLOSED, E.WAIT_FOR_OPENING)),
            (G.CLOSED_STILL, _step(E.TELL_BOTH, E.SAY_CLOSED, verdict=Verdict.IGNORED)),
            (G.ASSISTED, _step(E.TELL_DESK, verdict=Verdict.IGNORED)),
            otherwise=_step(E.TELL_BOTH, verdict=Verdict.IGNORED),
        ),
        HUMAN: _cell(otherwise=_step(E.TELL_DESK, verdict=Verdict.IGNORED)),
    },
    events.HumanJoined.kind: {
        BOT: _cell(UNDELIVERED, STALE, PAST, otherwise=_JOINS),
        QUEUED: _cell(UNDELIVERED, STALE, PAST, otherwise=_JOINS),
        HUMAN: _cell(
            UNDELIVERED,
            STALE,
            PAST,
            (G.PRESENT, _step(E.STAY, verdict=Verdict.IGNORED)),
            otherwise=_step(E.JOIN),
        ),
    },
    events.Claim.kind: {
        BOT: _cell(UNDELIVERED, otherwise=_JOINS),
        QUEUED: _cell(UNDELIVERED, otherwise=_JOINS),
        HUMAN: _cell(
            UNDELIVERED,
            (G.HOLDER, IGNORE),
            (G.APP_ONLY, _step(E.REPLACE_APP, E.JOIN, E.NOTIFY_JOINED)),
            otherwise=HELD,
        ),
    },
    events.HumanMessage.kind: {
        BOT: _SPEAKS_UP,
        QUEUED: _SPEAKS_UP,
        HUMAN: _cell(
            UNDELIVERED,
            TOO_LATE,
            PAST_WORDS,
            (G.PRESENT, _step(E.MESSAGE)),
            (G.REQUEST, NOT_JOINED),
            LATE_FRAME,
            PAST_FRAME,
            otherwise=_step(E.JOIN, E.MESSAGE),
        ),
    },
    events.HumanLeft.kind: {
        BOT: _LEFT_ALREADY,
        QUEUED: _LEFT_ALREADY,
        HUMAN: _cell(
            UNDELIVERED,
            (G.REQUEST_ABSENT, NOT_JOINED),
            (G.ABSENT, IGNORE),
            OUTLIVED,
            PAST_LEFT,
            (G.FOREIGN, NOT_YOURS),
            (G.LAST_ONE, _step(E.LEAVE, E.NOTIFY_ENDED, E.CLOSE_DESK, to=BOT)),
            otherwise=_step(E.LEAVE, E.CLOSE_DESK),
        ),
    },
    events.BotMessage.kind: {
        BOT: _cell(*_UNSAID, otherwise=_step(E.BOT_MESSAGE, E.COUNT_TURN)),
        QUEUED: _cell(
            *_UNSAID,
            (G.ASSISTANT, _step(E.NOTE_ASSISTANT, E.BOT_MESSAGE, E.COUNT_TURN)),
            otherwise=_step(E.BOT_MESSAGE, E.COUNT_TURN),
        ),
        HUMAN: _cell(
            UNDELIVERED,
            (G.REQUEST, HUMAN_PRESENT),
            STALE,
            PAST,
            (G.DESK_DONE, _step(E.LEAVE_DESK, E.NOTIFY_ENDED, E.CLOSE_DESK, E.BOT_MESSAGE, to=BOT)),
            (G.DESK_OUT, _step(E.LEAVE_DESK, E.CLOSE_DESK, verdict=Verdict.SUPPRESSED)),
            otherwise=SUPPRESS,
        ),
    },
    events.BotJoined.kind: RECORDED_EVERYWHERE,
    events.BotLeft.kind: RECORDED_EVERYWHERE,
    events.SurveyAsked.kind: {
        BOT: _cell(*_NOT_ASKED, otherwise=_step(E.SEND_SURVEY)),
        QUEUED: _cell(*_NOT_ASKED, otherwise=_step(E.SEND_SURVEY)),
        HUMAN: _cell(*_NOT_ASKED, (G.BY_BOT, HUMAN_PRESENT), otherwise=_step(E.SEND_SURVEY)),
    },
    events.HandoffFailed.kind: {
        BOT: _cell(UNDELIVERED, *_LET_GO, otherwise=IGNORE),
        QUEUED: _cell(
            UNDELIVERED,
            ANOTHERS,
            (G.ASSISTED_ENDS, _step(E.NOTIFY_ASSISTED, E.CLOSE_DESK, E.SAY_RESUMED, to=BOT)),
            otherwise=_step(E.NOTIFY_FAILED, E.CLOSE_DESK, E.SAY_NOBODY, to=BOT),
        ),
        HUMAN: _cell(UNDELIVERED, *_OVER, *_LET_GO, otherwise=IGNORE),
    },
    events.ChatCreated.kind: dict.fromkeys(Phase, _CREATED),
    own_events.ChatOpened.kind: dict.fromkeys(Phase, _OPENED),
    own_events.Unlinked.kind: {
        BOT: _cell(_UNLINKED, otherwise=_step()),
        QUEUED: _cell(_UNLINKED, otherwise=_step()),
        HUMAN: _cell(*_OVER, _UNLINKED, otherwise=_step()),
    },
    own_events.UnclaimedTimeout.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell(
            (G.OUTDATED, IGNORE),
            (G.ANOTHER_OPEN, _step(*_PASSED_ON, E.SAY_WAITING)),
            (G.AWAITS_OPENING, _step(E.SAY_CLOSED, E.WAIT_FOR_OPENING)),
            (G.CLOSED_STILL, _step(E.NOTIFY_SHUT, E.CLOSE_DESK, E.SAY_SHUT, to=BOT)),
            (G.OPENING_KNOWN, _step(E.REMIND)),
            (G.OPENING, _step(E.CALL_DESK, E.REMIND)),
            (G.EXHAUSTED, _step(E.NOTIFY_FAILED, E.CLOSE_DESK, E.SAY_NOBODY, to=BOT)),
            (G.FIRST, _step(E.NOTIFY_UNCLAIMED, E.SAY_WAITING, E.REMIND)),
            otherwise=_step(E.NOTIFY_UNCLAIMED, E.REMIND),
        ),
        HUMAN: _cell(otherwise=IGNORE),
    },
    own_events.HumanIdleTimeout.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell(otherwise=IGNORE),
        HUMAN: _cell(
            (G.OUTDATED, IGNORE),
            otherwise=_step(E.LEAVE_ALL, E.NOTIFY_RETURNED, E.CLOSE_DESK, E.SAY_RETURNED, to=BOT),
        ),
    },
    own_events.ChatIdleTimeout.kind: {
        BOT: _cell((G.OUTDATED, IGNORE), otherwise=_step(E.CLOSE_DESK)),
        QUEUED: _cell(otherwise=IGNORE),
        HUMAN: _cell(otherwise=IGNORE),
    },
    own_events.JoinedLost.kind: {phase: _cell(otherwise=_step(E.FORGET_JOINED)) for phase in Phase},
    events.VirtualAgentJoined.kind: RECORDED_EVERYWHERE,
    events.VirtualAgentLeft.kind: RECORDED_EVERYWHERE,
    events.VariablesCaptured.kind: {phase: _cell(otherwise=_VARIABLES) for phase in Phase},
    events.Unsubscribed.kind: {
        phase: _cell(ECHO, otherwise=_step(E.UNSUBSCRIBE)) for phase in Phase
    },
    events.Subscribed.kind: {phase: _cell(ECHO, otherwise=_step(E.SUBSCRIBE)) for phase in Phase},
    events.Undelivered.kind: {
        phase: _cell(otherwise=_step(E.NOTIFY_UNDELIVERED, E.FORGET_JOINED)) for phase in Phase
    },
    events.Unknown.kind: IGNORED_EVERYWHERE,
}
