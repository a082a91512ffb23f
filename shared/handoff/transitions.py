"""The tables: for every phase and every kind of event, what follows, also that it is refused.
Everything that changes who speaks, and everything that sends, is a row here.

`decide` runs them in this order:

1. ON_ARRIVAL: each row whose condition holds.
2. TABLE: the cell of the event and the phase. The first rule whose guard holds decides. The last
   one always holds, so every event has an answer in every phase. A refusal ends here, and leaves
   the conversation as it was.
3. BEFORE_STEP: each row whose condition holds.
4. The step of that rule: its effects in order, then the next phase (None: it stays). A step that
   emits nothing is how "ignored" is written.
5. AFTER_STEP: each row whose condition holds.

A row's condition is asked when its turn comes, of what the rows before it have left. Guards,
conditions and effects are named in `terms` and defined in `guards`, `draft` and `effects`.
None of them knows which platform it serves. TABLE.md is printed from this file.
"""

from collections.abc import Mapping

from shared.errors import BadRequest, BatonError, Forbidden, Refused, TooMany, Unsupported
from shared.handoff.terms import Condition as Condition
from shared.handoff.terms import Effect as Effect
from shared.handoff.terms import Guard as Guard
from shared.schemas import events, own_events
from shared.schemas.conversation import Phase
from shared.schemas.journal import Verdict
from shared.values import frozen


@frozen
class Step:
    to: Phase | None = None
    effects: tuple[Effect, ...] = ()
    verdict: Verdict = Verdict.ACCEPTED


@frozen
class Refusal:
    """`effects` change nothing of the conversation: they notify others of the refusal."""

    reason: str
    message: str
    effects: tuple[Effect, ...] = ()
    error: type[BatonError] = Refused


@frozen
class Rule:
    when: Guard
    then: Step | Refusal


@frozen
class StandingRule:
    """A rule that does not depend on the cell: it runs with every event for which `when` holds."""

    name: str
    when: Condition
    effects: tuple[Effect, ...]
    why: str


Cell = tuple[Rule, ...]
BOT, QUEUED, HUMAN = Phase.BOT, Phase.QUEUED, Phase.HUMAN
C, E, G = Condition, Effect, Guard

NOT_JOINED = Refusal(
    "not-joined",
    "This representative is not in the conversation; send REPRESENTATIVE_JOINED first.",
)
HUMAN_PRESENT = Refusal(
    "human-present", "A human holds this conversation; the bot is silent until they leave."
)
HELD = Refusal(
    "held", "Somebody else holds this conversation. A supervisor takes it with `:takeOver`."
)
NOT_YOURS = Refusal(
    "not-yours",
    "Another key brought this representative in; only that key or an admin may release them.",
    error=Forbidden,
)
NOT_HELD = Refusal(
    "not-held",
    "No human has this conversation, and none was asked for. Ask for one with `:requestHuman`.",
)
MOVED = Refusal("moved", "Others have this conversation than the request names in `from`.")
UNNAMED = Refusal(
    "from-missing",
    "Others have this conversation. Name them in `from`, as `holder` names them here.",
    error=BadRequest,
)
HUMAN_HERE = Refusal(
    "human-here",
    "A human has this conversation. They pass the customer on with `:transfer`; a supervisor takes "
    "the conversation with `:takeOver`.",
)
ALREADY_HERE = Refusal("already-here", "This person is present already.")
NOT_AVAILABLE = Refusal("not-available", "This person is not available now.")
AT_CAPACITY = Refusal("at-capacity", "This person has as many conversations as they may have.")
OTHERS_HERE = Refusal(
    "others-here",
    "Colleagues are present too. Leave with `:release`, offer the conversation to a person, or let "
    "a supervisor move it.",
)
DESK_CLOSED = Refusal("desk-closed", "The desk is closed, and its customers do not wait.")
OFFER_OVER = Refusal("offer-over", "This offer is over.")
OFFER_NOT_YOURS = Refusal(
    "not-yours", "The offer was made to somebody else, or by somebody else.", error=Forbidden
)
PASSING_ON = Refusal(
    "passing-on", "The customer waits for a colleague of a human; the bot is silent until then."
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
    "reach them another way (an approved template, where the channel has them).",
    (Effect.NOTIFY_UNDELIVERED,),
)
NUMBER_MOVED = Refusal(
    "number-moved",
    "The customer's phone number belongs to another customer now, and no other address of theirs "
    "is known. Wait until they write again.",
    (Effect.NOTIFY_UNDELIVERED,),
)
MANY_WAIT = Refusal(
    "too-many-waiting",
    "The customer must write before a message may reach them, and as many messages as may already "
    "wait for that. Wait until they write again.",
    (Effect.NOTIFY_UNDELIVERED,),
    error=TooMany,
)
NO_SURVEYS = Refusal(
    "unsupported",
    "The customer's channel has no surveys; ask with a message and suggestions.",
    error=Unsupported,
)
NO_TEMPLATES = Refusal(
    "no-templates",
    "The customer's channel has no templates; send the words themselves.",
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

NOT_ACTIVE = Refusal(
    "not-active",
    "Another sender is active in this conversation at the platform, and a bot's message would take "
    "control from it. Wait until the customer's next words come to Baton, or let a human claim it.",
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
LATE_WAIT = (G.STALE, _step(E.JOIN, E.MESSAGE, E.LEAVE, E.SAY_WAITING, verdict=Verdict.STALE))
PAST = (G.PAST, _step(E.END_CHAT, verdict=Verdict.STALE))
PAST_FRAME = (G.PAST, _step(E.JOIN, E.MESSAGE, E.LEAVE, E.END_CHAT, verdict=Verdict.STALE))
PAST_WAIT = (
    G.PAST,
    _step(E.JOIN, E.MESSAGE, E.LEAVE, E.END_CHAT, E.SAY_WAITING, verdict=Verdict.STALE),
)
PAST_WORDS = (G.PAST_PRESENT, _step(E.MESSAGE, E.END_CHAT, verdict=Verdict.STALE))
OUTLIVED = (G.OUTLIVED, Step(verdict=Verdict.STALE))
PAST_LEFT = (G.PAST, Step(verdict=Verdict.STALE))
ANOTHERS = (G.ANOTHERS, Step(verdict=Verdict.IGNORED))
TOO_LATE = (G.TOO_LATE, OUTSIDE_WINDOW)
NO_TEMPLATE = (G.NO_TEMPLATES, NO_TEMPLATES)
HAS_NO_ADDRESS = (G.GONE, NUMBER_MOVED)
MAY_NOT_WAIT = HAS_NO_ADDRESS, (G.UNREACHABLE, OUTSIDE_WINDOW), (G.MANY_WAIT, MANY_WAIT)
SUPPRESS = Step(verdict=Verdict.SUPPRESSED)
RECORDED_EVERYWHERE = {phase: _cell(otherwise=_step()) for phase in Phase}
IGNORED_EVERYWHERE = {phase: _cell(otherwise=IGNORE) for phase in Phase}

HEARD_ALONE = (G.HEARD, _step())
HEARD_BY_DESK = (G.HEARD, _step(E.TELL_DESK, E.RELAY))
HEARD_BEFORE = (G.HEARD_BEFORE, IGNORE)
ASSISTED_BEFORE = (G.HEARD_BEFORE_ASSISTED, IGNORE)
TOLD_DESK = (G.PASSED_ON, _step(E.TELL_DESK))
RELAYED = (G.PASSED_ON, _step(E.TELL_DESK, E.RELAY))
NO_ROOM = (G.FULL, AT_CAPACITY)
ASKED_NOW = (G.HEARD_BEFORE, _step(E.CAPTURE_REPLY, E.TELL_BOT))
TOLD_NOW = (G.HEARD_BEFORE, _step(E.TELL_BOT))

_FROM_USER = {
    BOT: _cell(ECHO, HEARD_ALONE, TOLD_NOW, otherwise=_step(E.TELL_BOT)),
    QUEUED: _cell(
        ECHO,
        (G.HEARD, _step(E.TELL_DESK)),
        ASSISTED_BEFORE,
        TOLD_NOW,
        (G.ASSISTED, _step(E.TELL_DESK)),
        TOLD_DESK,
        otherwise=_step(E.TELL_BOTH),
    ),
    HUMAN: _cell(ECHO, HEARD_BEFORE, otherwise=_step(E.TELL_DESK)),
}
_ANSWERED = G.ANSWERS_SURVEY, _step(E.COUNT_SURVEY, E.SAY_THANKS)
_BACK = E.NOTIFY_RETURNED, E.CLOSE_DESK


def _replies(
    *tapped: tuple[Guard, Step], answered: tuple[tuple[Guard, Step], ...], back: bool
) -> Mapping[Phase, Cell]:
    """The cells of words. `tapped` are the rules of buttons in every phase, `answered` those of a
    bot's phase, and `back` is whether these words can ask for the assistant.
    """
    from_wait = (G.ASKS_BACK, _step(E.TELL_DESK, *_BACK, E.SAY_RESUMED, to=BOT))
    from_human = (G.ASKS_BACK, _step(E.TELL_DESK, E.LEAVE_ALL, *_BACK, E.ASK_SURVEY, to=BOT))
    return {
        BOT: _cell(
            ECHO,
            *tapped,
            *answered,
            HEARD_ALONE,
            ASKED_NOW,
            otherwise=_step(E.CAPTURE_REPLY, E.TELL_BOT, E.RELAY),
        ),
        QUEUED: _cell(
            ECHO,
            *tapped,
            HEARD_BY_DESK,
            ASSISTED_BEFORE,
            ASKED_NOW,
            *((from_wait,) if back else ()),
            (G.ASSISTED, _step(E.TELL_DESK, E.RELAY)),
            (G.ASKS_PLACE, _step(E.SAY_PLACE, E.SAY_OPENING, E.TELL_DESK, E.RELAY)),
            RELAYED,
            otherwise=_step(E.CAPTURE_REPLY, E.TELL_BOTH, E.RELAY),
        ),
        HUMAN: _cell(
            ECHO,
            *tapped,
            HEARD_BEFORE,
            *((from_human,) if back else ()),
            otherwise=_step(E.TELL_DESK, E.RELAY),
        ),
    }


_WORDS = _replies(answered=(_ANSWERED,), back=True)
_TAPS = _replies(_ANSWERED, (G.OLD_SURVEY, IGNORE), answered=(), back=False)
_REACTIONS = {
    BOT: _cell(
        ECHO,
        HEARD_ALONE,
        (G.HEARD_BEFORE_UNASKED, IGNORE),
        TOLD_NOW,
        (G.BOT_HEARS, _step(E.TELL_BOT, E.RELAY)),
        otherwise=_step(E.RELAY),
    ),
    QUEUED: _cell(
        ECHO,
        HEARD_BY_DESK,
        ASSISTED_BEFORE,
        (G.HEARD_BEFORE_UNASKED, IGNORE),
        TOLD_NOW,
        (G.ASSISTED, _step(E.TELL_DESK, E.RELAY)),
        RELAYED,
        (G.BOT_HEARS, _step(E.TELL_BOTH, E.RELAY)),
        otherwise=_step(E.TELL_DESK, E.RELAY),
    ),
    HUMAN: _cell(ECHO, HEARD_BEFORE, otherwise=_step(E.TELL_DESK, E.RELAY)),
}
_CORRECTIONS = {
    BOT: _cell(
        ECHO,
        (G.HEARD, _step(E.CORRECT_REPLY)),
        (G.HEARD_BEFORE, _step(E.CORRECT_REPLY, E.TELL_BOT)),
        (G.DESK_HEARD, _step(E.CORRECT_REPLY, E.TELL_BOTH, E.RELAY)),
        otherwise=_step(E.CORRECT_REPLY, E.TELL_BOT, E.RELAY),
    ),
    QUEUED: _cell(
        ECHO,
        (G.HEARD, _step(E.CORRECT_REPLY, E.TELL_DESK, E.RELAY)),
        ASSISTED_BEFORE,
        (G.HEARD_BEFORE, _step(E.CORRECT_REPLY, E.TELL_BOT)),
        (G.BOT_HEARD, _step(E.CORRECT_REPLY, E.TELL_BOTH, E.RELAY)),
        (G.ASSISTED, _step(E.CORRECT_REPLY, E.TELL_DESK, E.RELAY)),
        (G.PASSED_ON, _step(E.CORRECT_REPLY, E.TELL_DESK, E.RELAY)),
        otherwise=_step(E.CORRECT_REPLY, E.TELL_BOTH, E.RELAY),
    ),
    HUMAN: _cell(
        ECHO,
        HEARD_BEFORE,
        (G.HEARD, _step(E.CORRECT_REPLY, E.TELL_DESK, E.RELAY)),
        (G.BOT_HEARD, _step(E.CORRECT_REPLY, E.TELL_BOTH, E.RELAY)),
        otherwise=_step(E.CORRECT_REPLY, E.TELL_DESK, E.RELAY),
    ),
}
_ACTS = {
    BOT: _cell(ECHO, HEARD_ALONE, TOLD_NOW, otherwise=_step(E.TELL_BOT, E.RELAY)),
    QUEUED: _cell(
        ECHO,
        HEARD_BY_DESK,
        ASSISTED_BEFORE,
        TOLD_NOW,
        (G.ASSISTED, _step(E.TELL_DESK, E.RELAY)),
        RELAYED,
        otherwise=_step(E.TELL_BOTH, E.RELAY),
    ),
    HUMAN: _cell(ECHO, HEARD_BEFORE, otherwise=_step(E.TELL_DESK, E.RELAY)),
}
_VARIABLES = _step(E.KEEP_SESSION, E.KEEP_VARIABLES, E.PUBLISH_VARIABLES, E.COMMENT_VARIABLES)
_JOINS = _step(E.JOIN, E.CLOSE_DESK, E.NOTIFY_JOINED, to=HUMAN)
# What colleagues write among themselves is not for the customer.
_AMONG_COLLEAGUES = (
    (G.THREAD_OVER, _step(E.HINT_OVER, verdict=Verdict.SUPPRESSED)),
    (G.UNCLAIMED, _step(E.HINT_CLAIM, verdict=Verdict.SUPPRESSED)),
)
_SPEAKS_FIRST = NO_TEMPLATE, UNDELIVERED, (G.REQUEST, NOT_JOINED), *_AMONG_COLLEAGUES
_SPEAKS_UP = _step(E.JOIN, E.CLOSE_DESK, E.NOTIFY_JOINED, E.MESSAGE, to=HUMAN)
_WAITS_AGAIN = E.CLOSE_DESK, E.REQUEUE, E.CALL_DESK, E.NOTIFY_TRANSFERRED, E.SAY_PASSED_ON
_PASS_ON = _step(E.LEAVE_ALL, *_WAITS_AGAIN, to=QUEUED)
_RETURN = (G.RETURNABLE, _step(*_WAITS_AGAIN))
_SILENT = ((G.TO_BOT, _step(E.LEAVE_ALL, E.NOTIFY_RETURNED, E.CLOSE_DESK, E.SAY_RETURNED, to=BOT)),)
_REPLACES = E.CLOSE_DESK, E.NOTIFY_TRANSFERRED
_ENDS = E.NOTIFY_ENDED, E.CLOSE_DESK, E.ASK_SURVEY
_LAST_OUT = _step(E.LEAVE_DESK, *_ENDS, to=BOT)
_OVER = (
    (G.OVER_OFFERED, _step(E.LEAVE_DESK, *_WAITS_AGAIN, to=QUEUED)),
    (G.OVER, _LAST_OUT),
    (G.OVER_OUT, _step(E.LEAVE_DESK, E.CLOSE_DESK)),
)
_LET_GO = ANOTHERS, (G.KEPT, _step(E.CLOSE_DESK, verdict=Verdict.IGNORED))
_UNLINKED = (G.UNLINKED_CHAT, _step(E.CLOSE_DESK))
_CREATED = _cell((G.UNNEEDED, _step(E.END_CHAT)), (G.AWAITED, _step(E.NOTE_CHAT)), otherwise=IGNORE)
_OPENED = _cell((G.THIS_HANDOFF, _step(E.TAKE_CHAT)), otherwise=_step(E.KEEP_CHAT))
_MOVES = E.CLOSE_DESK, E.MOVE_REQUEST, E.CALL_DESK, E.NEW_ROUND, E.NOTIFY_UNCLAIMED
_LEFT_ALREADY = _cell(UNDELIVERED, (G.REQUEST, NOT_JOINED), otherwise=IGNORE)
_OF_SILENCE = (G.UNWANTED, SILENCED), (G.UNSUBSCRIBED, SUPPRESS)
_NOT_ASKED = (
    UNDELIVERED,
    (G.NO_SURVEYS, NO_SURVEYS),
    (G.SURVEYED, SURVEYED),
    HAS_NO_ADDRESS,
    TOO_LATE,
)
_NOT_ASKED_NOW = *_NOT_ASKED, (G.NOT_ACTIVE_REFUSED, NOT_ACTIVE)
_OF_LOOPS = (
    (G.TURN_REFUSED, BOT_LOOP),
    (G.OUT_OF_TURNS, _step(E.NOTE_LOOP, verdict=Verdict.SUPPRESSED)),
)
_OF_FLOOR = (G.NOT_ACTIVE_REFUSED, NOT_ACTIVE), (G.NOT_ACTIVE, SUPPRESS)
_UNSAID = (
    NO_TEMPLATE,
    UNDELIVERED,
    PAST,
    (G.OVERTAKEN, ANSWERED),
    *_OF_FLOOR,
    *MAY_NOT_WAIT,
    *_OF_SILENCE,
    *_OF_LOOPS,
)
_WAITED = _cell((G.ENDED, IGNORE), otherwise=_step(E.END_WAITING))
_QUEUES = E.QUEUE, E.LOOK, E.NOTIFY_REQUESTED, E.CALL_DESK, E.SAY_CLOSED
_OFFERS = (
    (G.OFFERED_ALREADY, IGNORE),
    (G.NOT_AVAILABLE, NOT_AVAILABLE),
    NO_ROOM,
    (G.TO_AGENT, _step(E.END_OFFER, E.OFFER)),
)
_ANSWERS_OFFER = (G.OFFER_OVER, OFFER_OVER), (G.OFFER_FOREIGN, OFFER_NOT_YOURS)

ON_ARRIVAL: tuple[StandingRule, ...] = (
    StandingRule(
        "floor",
        C.FLOOR_HEARD,
        (E.NOTE_FLOOR,),
        "Who is active at the platform is known by the platform's own times only, so this comes "
        "before an event without a time is dated.",
    ),
    StandingRule(
        "date",
        C.UNDATED,
        (E.DATE_EVENT,),
        "A clock that runs ahead must not make every later fact look old.",
    ),
    StandingRule(
        "version",
        C.ALWAYS,
        (E.COUNT_VERSION,),
        "Every commit writes a new version, also where nothing else changes, so that no decision "
        "is made on an old copy.",
    ),
    StandingRule(
        "channel",
        C.CUSTOMER_WRITES,
        (E.FOLLOW_CUSTOMER,),
        "The customer is answered on the channel where they wrote last. The guards ask about that "
        "channel, so this comes before the cell.",
    ),
)

TABLE: Mapping[str, Mapping[Phase, Cell]] = {
    events.UserMessage.kind: _WORDS,
    events.SuggestionResponse.kind: _TAPS,
    events.SurveyResponse.kind: _FROM_USER,
    events.AuthenticationResponse.kind: _FROM_USER,
    events.Reaction.kind: _REACTIONS,
    events.CallPermission.kind: _ACTS,
    events.Edited.kind: _CORRECTIONS,
    events.Revoked.kind: _CORRECTIONS,
    events.HumanRequested.kind: {
        BOT: _cell(
            (G.OVERTAKEN, IGNORE),
            PAST_LEFT,
            HEARD_BEFORE,
            (G.HEARD_CLOSED, _step(E.SAY_CLOSED, E.NOTIFY_CLOSED)),
            (G.CLOSED, _step(E.TELL_BOT, E.SAY_CLOSED, E.NOTIFY_CLOSED)),
            (G.HEARD, _step(E.TELL_DESK, *_QUEUES, to=QUEUED)),
            otherwise=_step(E.TELL_BOTH, *_QUEUES, to=QUEUED),
        ),
        QUEUED: _cell(
            HEARD_BEFORE,
            (G.HEARD, _step(E.TELL_DESK, verdict=Verdict.IGNORED)),
            (G.ANOTHER_OPEN, _step(E.TELL_BOTH, *_MOVES)),
            (G.CLOSED_MEANWHILE, _step(E.TELL_BOTH, E.SAY_CLOSED, E.WAIT_FOR_OPENING)),
            (G.CLOSED_STILL, _step(E.TELL_BOTH, E.SAY_CLOSED, verdict=Verdict.IGNORED)),
            (G.ASSISTED, _step(E.TELL_DESK, verdict=Verdict.IGNORED)),
            (G.PASSED_ON, _step(E.TELL_DESK, verdict=Verdict.IGNORED)),
            otherwise=_step(E.TELL_BOTH, verdict=Verdict.IGNORED),
        ),
        HUMAN: _cell(
            HEARD_BEFORE,
            (G.REQUEST, HUMAN_HERE),
            otherwise=_step(E.TELL_DESK, verdict=Verdict.IGNORED),
        ),
    },
    events.FloorMoved.kind: {
        BOT: _cell(
            ECHO,
            (G.FLOOR_ONLY, _step()),
            (G.CLOSED, _step(E.SAY_CLOSED, E.NOTIFY_CLOSED)),
            otherwise=_step(*_QUEUES, to=QUEUED),
        ),
        QUEUED: _cell(ECHO, (G.FLOOR_LATE, Step(verdict=Verdict.STALE)), otherwise=_step()),
        HUMAN: _cell(
            ECHO,
            (G.FLOOR_LATE, Step(verdict=Verdict.STALE)),
            (G.FLOOR_LOST, _step(E.NOTIFY_FLOOR_LOST)),
            otherwise=_step(),
        ),
    },
    events.Overheard.kind: {
        BOT: _cell(ECHO, otherwise=_step()),
        QUEUED: _cell(ECHO, otherwise=_step()),
        HUMAN: _cell(ECHO, otherwise=Step(verdict=Verdict.STALE)),
    },
    events.HumanJoined.kind: {
        BOT: _cell(UNDELIVERED, STALE, PAST, NO_ROOM, otherwise=_JOINS),
        QUEUED: _cell(UNDELIVERED, STALE, PAST, NO_ROOM, otherwise=_JOINS),
        HUMAN: _cell(
            UNDELIVERED,
            STALE,
            PAST,
            (G.PRESENT, _step(E.STAY, verdict=Verdict.IGNORED)),
            NO_ROOM,
            otherwise=_step(E.JOIN),
        ),
    },
    events.Claim.kind: {
        BOT: _cell(UNDELIVERED, *_ANSWERS_OFFER, NO_ROOM, otherwise=_JOINS),
        QUEUED: _cell(UNDELIVERED, *_ANSWERS_OFFER, NO_ROOM, otherwise=_JOINS),
        HUMAN: _cell(
            UNDELIVERED,
            (G.HOLDER, IGNORE),
            *_ANSWERS_OFFER,
            (G.OFFERED_TO_THEM, _step(E.JOIN, E.LEAVE_GIVERS, *_REPLACES)),
            (G.APP_ONLY_FULL, AT_CAPACITY),
            (G.APP_ONLY, _step(E.REPLACE_APP, E.JOIN, E.END_OFFER, E.NOTIFY_JOINED)),
            otherwise=HELD,
        ),
    },
    events.TakeOver.kind: {
        BOT: _cell(UNDELIVERED, (G.MOVED, MOVED), otherwise=_JOINS),
        QUEUED: _cell(UNDELIVERED, (G.MOVED, MOVED), otherwise=_JOINS),
        HUMAN: _cell(
            UNDELIVERED,
            (G.ALONE, IGNORE),
            (G.MOVED, MOVED),
            (G.UNNAMED, UNNAMED),
            otherwise=_step(E.REPLACE_APP, E.JOIN, E.LEAVE_OTHERS, E.END_OFFER, *_REPLACES),
        ),
    },
    events.Transfer.kind: {
        BOT: _cell(UNDELIVERED, (G.MOVED, MOVED), otherwise=NOT_HELD),
        QUEUED: _cell(
            UNDELIVERED,
            (G.MOVED, MOVED),
            *_OFFERS,
            (G.SAME_DESK, IGNORE),
            (G.DESK_CLOSED, DESK_CLOSED),
            otherwise=_step(E.END_OFFER, *_WAITS_AGAIN),
        ),
        HUMAN: _cell(
            UNDELIVERED,
            (G.MOVED, MOVED),
            (G.STRANGER, HELD),
            (G.UNNAMED, UNNAMED),
            (G.TO_PRESENT, ALREADY_HERE),
            *_OFFERS,
            (G.OTHERS_HERE, OTHERS_HERE),
            (G.DESK_CLOSED, DESK_CLOSED),
            otherwise=_step(E.END_OFFER, E.LEAVE_ALL, *_WAITS_AGAIN, to=QUEUED),
        ),
    },
    events.OfferEnded.kind: {
        BOT: _cell(UNDELIVERED, otherwise=OFFER_OVER),
        QUEUED: _cell(UNDELIVERED, *_ANSWERS_OFFER, otherwise=_step(E.END_OFFER, E.LOOK)),
        HUMAN: _cell(UNDELIVERED, *_ANSWERS_OFFER, otherwise=_step(E.END_OFFER)),
    },
    own_events.Offered.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell((G.TRIED, IGNORE), otherwise=_step(E.OFFER)),
        HUMAN: _cell(otherwise=IGNORE),
    },
    own_events.OfferTimeout.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell((G.OFFER_OVER, IGNORE), otherwise=_step(E.END_OFFER, E.LOOK)),
        HUMAN: _cell((G.OFFER_OVER, IGNORE), otherwise=_step(E.END_OFFER)),
    },
    own_events.AssignTimeout.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell((G.OUTDATED, IGNORE), otherwise=_step(E.STOP_LOOKING)),
        HUMAN: _cell(otherwise=IGNORE),
    },
    own_events.PersonGone.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell((G.OFFERED_SLOT, _step(E.END_OFFER, E.LOOK)), otherwise=IGNORE),
        HUMAN: _cell(
            (G.OFFERED_SLOT, _step(E.END_OFFER)),
            (G.ABSENT, IGNORE),
            (G.OTHERS_STAY, _step(E.LEAVE_GONE, E.CLOSE_DESK)),
            *_SILENT,
            otherwise=_PASS_ON,
        ),
    },
    events.HumanMessage.kind: {
        BOT: _cell(*_SPEAKS_FIRST, LATE_FRAME, PAST_FRAME, otherwise=_SPEAKS_UP),
        QUEUED: _cell(*_SPEAKS_FIRST, LATE_WAIT, PAST_WAIT, otherwise=_SPEAKS_UP),
        HUMAN: _cell(
            NO_TEMPLATE,
            UNDELIVERED,
            *MAY_NOT_WAIT,
            *_AMONG_COLLEAGUES,
            PAST_WORDS,
            (G.PRESENT, _step(E.MESSAGE)),
            (G.REQUEST, NOT_JOINED),
            LATE_FRAME,
            PAST_FRAME,
            otherwise=_step(E.JOIN, E.MESSAGE),
        ),
    },
    events.HumanReacted.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell(otherwise=IGNORE),
        HUMAN: _cell((G.PAST, IGNORE), (G.MAY_REACT, _step(E.REACT)), otherwise=IGNORE),
    },
    events.HumanRevoked.kind: {
        phase: _cell(
            (G.ALL_WAITS, _step(E.TAKE_BACK)), otherwise=_step(E.TAKE_BACK, E.HINT_DELETED)
        )
        for phase in Phase
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
            (G.LAST_ONE_OFFERED, _step(E.LEAVE, *_WAITS_AGAIN, to=QUEUED)),
            (G.LAST_ONE, _step(E.LEAVE, *_ENDS, to=BOT)),
            otherwise=_step(E.LEAVE, E.CLOSE_DESK),
        ),
    },
    events.BotMessage.kind: {
        BOT: _cell(*_UNSAID, otherwise=_step(E.BOT_MESSAGE, E.COUNT_TURN)),
        QUEUED: _cell(
            *_UNSAID,
            (G.ASSISTANT, _step(E.NOTE_ASSISTANT, E.BOT_MESSAGE, E.COUNT_TURN)),
            (G.PASSING_ON, PASSING_ON),
            (G.PASSED_ON, SUPPRESS),
            otherwise=_step(E.BOT_MESSAGE, E.COUNT_TURN),
        ),
        HUMAN: _cell(
            NO_TEMPLATE,
            UNDELIVERED,
            (G.REQUEST, HUMAN_PRESENT),
            STALE,
            PAST,
            (
                G.DESK_DONE_OFFERED,
                _step(E.LEAVE_DESK, *_WAITS_AGAIN, to=QUEUED, verdict=Verdict.SUPPRESSED),
            ),
            (G.DESK_DONE, _step(E.LEAVE_DESK, E.NOTIFY_ENDED, E.CLOSE_DESK, E.BOT_MESSAGE, to=BOT)),
            (G.DESK_OUT, _step(E.LEAVE_DESK, E.CLOSE_DESK, verdict=Verdict.SUPPRESSED)),
            otherwise=SUPPRESS,
        ),
    },
    events.BotJoined.kind: RECORDED_EVERYWHERE,
    events.BotLeft.kind: RECORDED_EVERYWHERE,
    events.Noted.kind: RECORDED_EVERYWHERE,
    events.SurveyAsked.kind: {
        BOT: _cell(*_NOT_ASKED_NOW, otherwise=_step(E.SEND_SURVEY)),
        QUEUED: _cell(*_NOT_ASKED_NOW, otherwise=_step(E.SEND_SURVEY)),
        HUMAN: _cell(*_NOT_ASKED, (G.BY_BOT, HUMAN_PRESENT), otherwise=_step(E.SEND_SURVEY)),
    },
    events.HandoffFailed.kind: {
        BOT: _cell(UNDELIVERED, *_LET_GO, otherwise=IGNORE),
        QUEUED: _cell(
            UNDELIVERED,
            ANOTHERS,
            (G.MAY_KEEP_WAITING, _step(E.KEEP_WAITING)),
            _RETURN,
            (G.ASSISTED_ENDS, _step(E.NOTIFY_ASSISTED, E.CLOSE_DESK, E.SAY_RESUMED, to=BOT)),
            otherwise=_step(E.NOTIFY_FAILED, E.CLOSE_DESK, E.SAY_NOBODY, to=BOT),
        ),
        HUMAN: _cell(UNDELIVERED, *_OVER, *_LET_GO, otherwise=IGNORE),
    },
    events.ChatCreated.kind: dict.fromkeys(Phase, _CREATED),
    own_events.ChatOpened.kind: dict.fromkeys(Phase, _OPENED),
    own_events.Unlinked.kind: {
        BOT: _cell(_UNLINKED, otherwise=_step()),
        QUEUED: _cell(_RETURN, _UNLINKED, otherwise=_step()),
        HUMAN: _cell(*_OVER, _UNLINKED, otherwise=_step()),
    },
    own_events.UnclaimedTimeout.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell(
            (G.OUTDATED, IGNORE),
            (G.ANOTHER_OPEN, _step(*_MOVES, E.SAY_WAITING)),
            (G.AWAITS_OPENING, _step(E.SAY_CLOSED, E.WAIT_FOR_OPENING)),
            (G.CLOSED_STILL, _step(E.NOTIFY_SHUT, E.CLOSE_DESK, E.SAY_SHUT, to=BOT)),
            (G.OPENING_KNOWN, _step(E.REMIND, E.NEW_ROUND)),
            (G.OPENING, _step(E.CALL_DESK, E.REMIND, E.NEW_ROUND)),
            _RETURN,
            (G.EXHAUSTED, _step(E.NOTIFY_FAILED, E.CLOSE_DESK, E.SAY_NOBODY, to=BOT)),
            (G.FIRST, _step(E.NOTIFY_UNCLAIMED, E.SAY_WAITING, E.REMIND, E.NEW_ROUND)),
            otherwise=_step(E.NOTIFY_UNCLAIMED, E.REMIND, E.NEW_ROUND),
        ),
        HUMAN: _cell(otherwise=IGNORE),
    },
    own_events.HumanIdleTimeout.kind: {
        BOT: _cell(otherwise=IGNORE),
        QUEUED: _cell(otherwise=IGNORE),
        HUMAN: _cell(
            (G.OUTDATED, IGNORE),
            *_SILENT,
            otherwise=_PASS_ON,
        ),
    },
    own_events.ChatIdleTimeout.kind: {
        BOT: _cell((G.OUTDATED, IGNORE), otherwise=_step(E.CLOSE_DESK)),
        QUEUED: _cell(otherwise=IGNORE),
        HUMAN: _cell(otherwise=IGNORE),
    },
    own_events.ReopenTimeout.kind: dict.fromkeys(Phase, _WAITED),
    own_events.TemplateLost.kind: dict.fromkeys(Phase, _WAITED),
    own_events.CountDue.kind: RECORDED_EVERYWHERE,
    own_events.LineEmpty.kind: {phase: _cell(otherwise=_step(E.FORGET_LINES)) for phase in Phase},
    events.NamesChanged.kind: {
        phase: _cell(ECHO, otherwise=_step(E.NOTE_ADDRESS)) for phase in Phase
    },
    own_events.NumberMoved.kind: {
        BOT: _cell(otherwise=_step()),
        QUEUED: _cell(otherwise=_step(E.TELL_DESK, E.RELAY)),
        HUMAN: _cell(otherwise=_step(E.TELL_DESK, E.RELAY)),
    },
    own_events.JoinedLost.kind: {phase: _cell(otherwise=_step(E.FORGET_JOINED)) for phase in Phase},
    events.VirtualAgentJoined.kind: {
        phase: _cell(otherwise=_step(E.KEEP_SESSION, E.PUBLISH_SESSION)) for phase in Phase
    },
    events.VirtualAgentLeft.kind: {
        phase: _cell(
            (G.AGENT_FAILED, _step(E.KEEP_SESSION, E.PUBLISH_SESSION, E.NOTIFY_AGENT_FAILED)),
            otherwise=_step(E.KEEP_SESSION, E.PUBLISH_SESSION),
        )
        for phase in Phase
    },
    events.VariablesCaptured.kind: {phase: _cell(otherwise=_VARIABLES) for phase in Phase},
    events.Unsubscribed.kind: {
        phase: _cell(ECHO, otherwise=_step(E.UNSUBSCRIBE)) for phase in Phase
    },
    events.Subscribed.kind: {phase: _cell(ECHO, otherwise=_step(E.SUBSCRIBE)) for phase in Phase},
    events.Undelivered.kind: {
        phase: _cell(
            otherwise=_step(E.NOTIFY_UNDELIVERED, E.TELL_SENDER, E.FORGET_JOINED, E.END_WAITING)
        )
        for phase in Phase
    },
    events.Unknown.kind: IGNORED_EVERYWHERE,
}

BEFORE_STEP: tuple[StandingRule, ...] = (
    StandingRule(
        "customer",
        C.FROM_CUSTOMER,
        (E.NOTE_CUSTOMER,),
        "Baton's own words are in the customer's language.",
    ),
    StandingRule(
        "context",
        C.CONTEXT_HEARD,
        (E.NOTE_CONTEXT,),
        "Agents and reports show from which account and channel of a platform a customer comes.",
    ),
    StandingRule(
        "contact",
        C.CUSTOMER_ACTS,
        (E.NOTE_CONTACT,),
        "A customer who writes opens the channel's window, also for what this step sends.",
    ),
    StandingRule(
        "floor lost",
        C.FLOOR_LOST,
        (E.TAKE_FLOOR,),
        "The platform gave the customer's words to another sender while a human is here. Control "
        "is taken back once. It is not taken back from one who took it.",
    ),
    StandingRule(
        "floor wanted",
        C.FLOOR_WANTED,
        (E.TAKE_FLOOR,),
        "A human's act takes control. It comes first, because an ordinary message may be refused "
        "while another sender is active.",
    ),
    StandingRule(
        "late LEFT",
        C.LEFT_UNSEEN,
        (E.LEAVE_LATE,),
        "Humans may leave while the window is closed, or while the customer writes elsewhere. "
        "The customer must know before anything else is said, also where the step ignores the "
        "event.",
    ),
    StandingRule(
        "customer is back",
        C.CUSTOMER_BACK,
        (E.RELEASE,),
        "What waited was said before the customer's words, so it comes before their answer. It is "
        "sent with the customer's own event, so it is sent once.",
    ),
)

AFTER_STEP: tuple[StandingRule, ...] = (
    StandingRule(
        "joining",
        C.JOINING,
        (E.NOTE_JOINING,),
        "A bot's message that answers words from before that version is refused.",
    ),
    StandingRule(
        "stale words",
        C.STALE,
        (E.KEEP_FIRST_RESPONSE,),
        "Words from before the current wait do not end it.",
    ),
    StandingRule(
        "no human",
        C.BOT_SPEAKS,
        (E.END_HUMAN_TIME,),
        "Nothing counts the time of a human who is gone.",
    ),
    StandingRule(
        "no timer",
        C.BOT_WITHOUT_DESK,
        (E.STOP_TIMER,),
        "In phase BOT only a desk's open chat has a timer.",
    ),
    StandingRule(
        "chat timer",
        C.BOT_AGAIN_DESK_STAYS,
        (E.START_CHAT_TIMER,),
        "The desk's agent left and the chat stays open, because a colleague may come. It ends "
        "after HUMAN_IDLE_AFTER.",
    ),
    StandingRule(
        "request over",
        C.BOT_AGAIN,
        (E.END_REQUEST,),
        "A request is kept while a customer waits or a human is here, for the response time.",
    ),
    StandingRule(
        "human active",
        C.HUMAN_ACTIVE,
        (E.START_HUMAN_TIME, E.START_IDLE_TIMER, E.END_BOT_RUN),
        "The idle timer counts from the last human join or message. Two robots are only those with "
        "no human in between.",
    ),
    StandingRule(
        "answered",
        C.ANSWERED,
        (E.NOTE_ANSWERED, E.NOTIFY_ANSWERED),
        "Colleagues may leave the customer alone once a person has answered.",
    ),
    StandingRule(
        "human waits",
        C.HUMAN_WAITS,
        (E.STOP_TIMER,),
        "A human whose words wait for the customer is not idle.",
    ),
    StandingRule(
        "human waited",
        C.HUMAN_WAITED,
        (E.START_IDLE_TIMER,),
        "The customer has the human's words now, or they are given up.",
    ),
    StandingRule(
        "template",
        C.HELD,
        (E.REOPEN,),
        "Only the customer opens the window. They are asked once until they write again.",
    ),
    StandingRule(
        "offer over",
        C.OFFER_POINTLESS,
        (E.END_OFFER,),
        "An offer is about a customer who waits, or whom somebody else has. Who joins a customer "
        "who waits makes it pointless.",
    ),
    StandingRule(
        "desk looks on",
        C.DESK_LOOKS_ON,
        (E.SHOW_STANDING,),
        "Colleagues in a room or thread see who has the customer, also where the step moved them.",
    ),
    StandingRule(
        "slots",
        C.SLOTS_OVER,
        (E.FREE_SLOTS,),
        "What a conversation took of a person's room is theirs again when they leave.",
    ),
    StandingRule(
        "wait over",
        C.WAIT_OVER,
        (E.STOP_LOOKING, E.FORGET_TRIED),
        "Who was asked during this wait may be asked in the next one.",
    ),
    StandingRule(
        "survey",
        C.SURVEY_OVER,
        (E.SURVEY_BY_BUTTON,),
        "A bare digit answers the question that was asked last, and no other.",
    ),
    StandingRule(
        "who speaks",
        C.FACT_SETS_SPEAKER,
        (E.NOTE_SPEAKER,),
        "A fact older than this one is stale, and does not change who speaks.",
    ),
    # The first of the next four that holds ends what is owed, so the others do not hold.
    StandingRule(
        "owed: closed",
        C.OWED_CLOSED,
        (E.SAY_OWED_CLOSED, E.FORGET_OWED),
        "An answer that could not be sent is sent as it is by now: the desk is still closed.",
    ),
    StandingRule(
        "owed: no human",
        C.OWED_NOBODY,
        (E.SAY_NOBODY, E.FORGET_OWED),
        "The handoff has failed since, and the customer must know.",
    ),
    StandingRule(
        "owed: passed on",
        C.OWED_PASSED_ON,
        (E.SAY_PASSED_ON, E.FORGET_OWED),
        "The customer was shown that a human has left, and must know who comes.",
    ),
    StandingRule(
        "owed: answered",
        C.OWED,
        (E.FORGET_OWED,),
        "A human who is here, or a desk that is open now, is the better answer.",
    ),
    StandingRule(
        "floor given back",
        C.FLOOR_UNUSED,
        (E.GIVE_FLOOR,),
        "It comes behind LEFT and every notice, because each of them takes control.",
    ),
    StandingRule(
        "recall begins",
        C.HUMAN_TIME_BEGINS,
        (E.BEGIN_RECALL,),
        "The bot gets what was said since this human came, and no reply to an earlier question.",
    ),
    StandingRule(
        "recall",
        C.HUMAN_TIME,
        (E.NOTE_WORDS,),
        "A bot that speaks again must know what was said without it.",
    ),
    StandingRule(
        "handback",
        C.HUMAN_TIME_ENDS,
        (E.HAND_BACK,),
        "It goes to the bot once, with the customer's next words.",
    ),
    StandingRule(
        "files",
        C.FILES_TO_KEEP,
        (E.KEEP_FILES,),
        "Platforms forget files after days, and a transcript should be whole.",
    ),
    StandingRule(
        "reports",
        C.MEASURED,
        (E.MEASURE,),
        "Reports count what is decided, so it is measured here. A human's late words are measured "
        "because the customer is shown them. Messages are counted with the next other figure, or "
        "within an hour, so an ordinary message makes no write for the reports.",
    ),
)
