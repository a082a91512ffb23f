"""The guards of the cells: when a rule of a cell decides. And what is asked of an event before the
table is, because the answer must be read from the store.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from shared.handoff.bot_loop_limit import is_out_of_turns
from shared.handoff.channels import active
from shared.handoff.policy import WAITING_LIMIT, Policy
from shared.handoff.survey_answers import answers, is_button
from shared.handoff.terms import Guard
from shared.schemas.conversation import Conversation, Holder, Participant, Phase
from shared.schemas.events import (
    BotMessage,
    ByRepresentative,
    ChatCreated,
    Claim,
    Correction,
    Event,
    FloorMoved,
    FromUser,
    HandoffFailed,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanReacted,
    HumanRequested,
    HumanRevoked,
    OfferEnded,
    Overheard,
    Said,
    Subscribed,
    SuggestionResponse,
    TakeOver,
    TakesRoom,
    Transfer,
    Undelivered,
    Unsubscribed,
    UserMessage,
    VirtualAgentLeft,
)
from shared.schemas.notation import platform_of
from shared.schemas.own_events import (
    AssignTimeout,
    ChatIdleTimeout,
    ChatOpened,
    HumanIdleTimeout,
    Offered,
    OfferTimeout,
    PersonGone,
    ReopenTimeout,
    TemplateLost,
    UnclaimedTimeout,
    Unlinked,
)
from shared.schemas.representative import RepresentativeType

SURVEY_EVERY = timedelta(hours=24)  # Business Messages' limit

_Guard = Callable[[Conversation, Event, Policy], bool]
GuardOfTime = Callable[[Conversation, Event, datetime, Policy], bool]

WRITES = (FromUser, HumanRequested)  # what the customer does on the channel where they are
OWN_ACTS = (*WRITES, Subscribed, Unsubscribed)
_NAMES_A_HUMAN = (HumanMessage, HumanJoined, Claim, HumanReacted, HumanLeft, Transfer, TakeOver)
_ANSWERS_WORDS = (BotMessage, HumanRequested)
_THEIRS = Holder.THEIRS  # to look up a member of an enum takes longer than most guards


def asks_for_place(conversation: Conversation, event: Event, policy: Policy) -> bool:
    """Returns whether Baton answers this with the place in line. The place is counted before the
    table is asked; where Baton says nothing of its own, a bot may answer.
    """
    if (
        not isinstance(event, FromUser)
        or event.said is None
        or conversation.phase is not Phase.QUEUED
    ):
        return False
    silent = conversation.tracked or conversation.platform in policy.notices_off
    return (
        conversation.owns(event.source)
        and event.floor is not _THEIRS
        and not event.heard_by
        and not silent
        and policy.notices.asks_place(event.said, conversation.locale)
    )


def asks_for_own_act(conversation: Conversation, event: Event) -> bool:
    """Returns whether it matters what the platform accepted of ours since its latest word on who
    is active: before a bot is refused or a notice withheld, and before the floor is taken.
    """
    floor = conversation.floor
    theirs = floor is not None and floor.holder is _THEIRS
    if event.floor is _THEIRS and not isinstance(event, FloorMoved):
        return conversation.phase is Phase.HUMAN and not theirs
    return theirs and event.floor is None and not isinstance(event, Overheard)


def asks_for_held(conversation: Conversation, event: Event) -> bool:
    """Returns whether the event may send or end the messages that wait for the customer."""
    if not conversation.waiting:
        return False
    is_own = isinstance(event, OWN_ACTS) and event.fact and conversation.owns(event.source)
    return is_own or isinstance(event, ReopenTimeout | TemplateLost | Undelivered | HumanRevoked)


def _named(conversation: Conversation, event: Event) -> Participant | None:
    if isinstance(event, _NAMES_A_HUMAN):
        return conversation.present(event.representative)
    if isinstance(event, PersonGone):
        return next((human for human in conversation.humans if human.slot == event.slot), None)
    return None


def _echo(conversation: Conversation, event: Event, _: Policy) -> bool:
    return not conversation.owns(event.source)


def _undelivered(conversation: Conversation, _: Event, __: Policy) -> bool:
    return conversation.tracked


def _too_late(conversation: Conversation, event: Event, policy: Policy) -> bool:
    """A request happens when it is asked. A template may be sent at any time."""
    asked = event.occurred_at
    if asked is None or (isinstance(event, Said) and event.is_template):
        return False
    return policy.is_outside_window(conversation, asked)


def _gone(conversation: Conversation, _: Event, __: Policy) -> bool:
    return conversation.unreachable


def _no_templates(conversation: Conversation, event: Event, policy: Policy) -> bool:
    is_asked = isinstance(event, Said) and event.is_template
    return is_asked and not policy.of(conversation.platform).templates


def _unreachable(conversation: Conversation, event: Event, policy: Policy) -> bool:
    return _too_late(conversation, event, policy) and policy.reopens(conversation) is None


def _many_wait(conversation: Conversation, event: Event, policy: Policy) -> bool:
    is_full = len(conversation.waiting) >= WAITING_LIMIT
    return is_full and _too_late(conversation, event, policy)


def _ended(conversation: Conversation, event: Event, _: Policy) -> bool:
    if isinstance(event, ReopenTimeout):
        return all(one.entry != event.entry for one in conversation.waiting)
    reopening = conversation.reopening
    return isinstance(event, TemplateLost) and (
        reopening is None or reopening.template != event.template
    )


def _overtaken(conversation: Conversation, event: Event, _: Policy) -> bool:
    answers = event.answers if isinstance(event, _ANSWERS_WORDS) else None
    return answers is not None and conversation.human_version > answers


def _stale(conversation: Conversation, event: Event, _: Policy) -> bool:
    """Ties are not stale: some platforms count whole seconds, so ties keep the order of arrival."""
    spoke, occurred = conversation.spoke_at, event.occurred_at
    return event.fact and spoke is not None and occurred is not None and occurred < spoke


def _outlived(conversation: Conversation, event: Event, _: Policy) -> bool:
    human, occurred = _named(conversation, event), event.occurred_at
    since = (human.rejoined_at or human.occurred_at) if human else None
    return event.fact and since is not None and occurred is not None and occurred < since


def _heard(_: Conversation, event: Event, __: Policy) -> bool:
    return event.floor is _THEIRS


def _heard_before(event: Event) -> bool:
    return event.heard_by is not None and "HUMAN" in event.heard_by


def _not_active(known: Conversation, event: Event, now: datetime, _: Policy) -> bool:
    handing_back = known.floor is not None and known.floor.handing_back
    return handing_back or active(known.floor, event.own_act, now) is _THEIRS


def _floor_late(known: Conversation, event: Event, _: Policy) -> bool:
    """The rows on arrival have noted the word, unless it is late."""
    return known.floor is not None and known.floor.holder is not event.floor


def _floor_only(_: Conversation, event: Event, __: Policy) -> bool:
    return isinstance(event, FloorMoved) and not event.human_wanted


def _by_bot(_: Conversation, event: Event, __: Policy) -> bool:
    bot = RepresentativeType.BOT
    return isinstance(event, ByRepresentative) and event.representative.representative_type is bot


def _holder(conversation: Conversation, event: Event, _: Policy) -> bool:
    human = _named(conversation, event)
    return human is not None and human.key == event.key


def _foreign(conversation: Conversation, event: Event, _: Policy) -> bool:
    human = _named(conversation, event)
    owner = event.owner if isinstance(event, HumanLeft) else None
    return human is not None and owner is not None and human.key != owner


def _past(conversation: Conversation, event: Event, _: Policy) -> bool:
    return event.fact and conversation.is_past(event.source)


def _past_present(conversation: Conversation, event: Event, policy: Policy) -> bool:
    return _past(conversation, event, policy) and _named(conversation, event) is not None


def _may_react(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> bool:
    is_shown = policy.of(conversation.platform).reactions and not conversation.tracked
    is_present = _named(conversation, event) is not None
    return is_shown and is_present and not policy.is_outside_window(conversation, now)


def _thread_over(conversation: Conversation, event: Event, policy: Policy) -> bool:
    return platform_of(event.source) in policy.threads and _past(conversation, event, policy)


def _all_waits(conversation: Conversation, event: Event, _: Policy) -> bool:
    waiting = {one.entry for one in conversation.waiting}
    deleted = set(event.entries) if isinstance(event, HumanRevoked) else set[str]()
    return bool(deleted) and deleted <= waiting


def _unclaimed(conversation: Conversation, event: Event, policy: Policy) -> bool:
    name = platform_of(event.source)
    if name not in policy.threads or not event.fact or _named(conversation, event) is not None:
        return False
    called = conversation.called
    named = policy.desk(called.desk) if called is not None else None
    asked = (named,) if named is not None and named.kind == name else policy.desks
    return any(desk.kind == name and desk.claim == "first" for desk in asked)


def _anothers(conversation: Conversation, event: Event, policy: Policy) -> bool:
    """Where no desk was called, any linked desk speaks for the one that has the handoff."""
    called, is_desks = conversation.called, event.fact and not conversation.owns(event.source)
    elsewhere = is_desks and called is not None and not called.has(event.source)
    handoff = event.handoff if isinstance(event, HandoffFailed) else None
    is_over = handoff is not None and (called is None or called.handoff != handoff)
    return elsewhere or is_over or _past(conversation, event, policy)


def _over(conversation: Conversation, event: Event, _: Policy) -> bool:
    return event.over is not None and all(
        human.source == event.over for human in conversation.humans
    )


def _over_out(conversation: Conversation, event: Event, _: Policy) -> bool:
    return event.over is not None and any(
        human.source == event.over for human in conversation.humans
    )


def _assisted(conversation: Conversation) -> bool:
    return conversation.called is not None and conversation.called.assisted


def _has_chat(conversation: Conversation, chat: str | None) -> bool:
    return chat is not None and conversation.called is not None and conversation.called.chat == chat


def _is_unknown_chat(conversation: Conversation, event: Event) -> bool:
    """A desk also reports chats of customers who are not Baton's. One who is not linked counts only
    where Baton made them known to the desk.
    """
    if not isinstance(event, ChatCreated):
        return False
    is_theirs = event.source in conversation.links or conversation.ours
    is_known = event.chat in (*conversation.links, *conversation.past_chats)
    return is_theirs and not is_known and not _has_chat(conversation, event.chat)


def _waits_for_chat(conversation: Conversation) -> bool:
    called = conversation.called
    return called is not None and called.opens_chats and called.chat is None


def _this_handoff(conversation: Conversation, event: Event, _: Policy) -> bool:
    called = conversation.called
    if called is None or not isinstance(event, ChatOpened):
        return False
    return event.chat == called.chat or (called.chat is None and called.handoff == event.handoff)


def _needs_no_human(event: Event) -> bool:
    return isinstance(event, BotMessage) and event.human_needed is False


def _desk_done(conversation: Conversation, event: Event, _: Policy) -> bool:
    return _needs_no_human(event) and all(
        human.source == event.source for human in conversation.humans
    )


def _desk_done_offered(conversation: Conversation, event: Event, policy: Policy) -> bool:
    return conversation.offer is not None and _desk_done(conversation, event, policy)


def _asks_back(conversation: Conversation, event: Event, policy: Policy) -> bool:
    """Words from before the human came, or from before the wait, were said to somebody else."""
    if not policy.back_asked or not isinstance(event, UserMessage) or event.said is None:
        return False
    request = conversation.request
    begun = [human.joined_at for human in conversation.humans]
    if request is not None and not begun:
        begun = [request.queued_at or request.accepted_at]
    said_at = event.occurred_at
    is_old = said_at is not None and any(said_at < since for since in begun)
    return not is_old and policy.notices.asks_back(event.said, conversation.locale)


def _answers_survey(known: Conversation, event: Event, now: datetime, _: Policy) -> bool:
    return known.survey is not None and isinstance(event, FromUser) and answers(known, event, now)


def _moved(conversation: Conversation, event: Event, _: Policy) -> bool:
    seen = event.seen_holder if isinstance(event, Transfer | TakeOver) else None
    return seen is not None and seen != conversation.holder


def _unnamed(conversation: Conversation, event: Event, _: Policy) -> bool:
    """A supervisor's late request must not put out people whom they have not seen there."""
    if isinstance(event, Transfer):
        return event.seen_holder is None and _named(conversation, event) is None
    return isinstance(event, TakeOver) and event.seen_holder is None


def _stranger(conversation: Conversation, event: Event, _: Policy) -> bool:
    is_supervisor = isinstance(event, Transfer) and event.supervisor
    return not is_supervisor and _named(conversation, event) is None


def _others(conversation: Conversation, event: Event) -> bool:
    """Returns whether somebody else than the representative of the event is present."""
    who = event.representative.name if isinstance(event, ByRepresentative) else None
    return any(human.representative.name != who for human in conversation.humans)


def _others_stay(conversation: Conversation, event: Event, _: Policy) -> bool:
    slot = event.slot if isinstance(event, PersonGone) else None
    return any(human.slot != slot for human in conversation.humans)


def _others_here(conversation: Conversation, event: Event, _: Policy) -> bool:
    is_agents = isinstance(event, Transfer) and not event.supervisor
    return is_agents and _others(conversation, event)


def _alone(conversation: Conversation, event: Event, _: Policy) -> bool:
    return _named(conversation, event) is not None and not _others(conversation, event)


def _to_agent(event: Event) -> str | None:
    return event.to_agent if isinstance(event, Transfer) else None


def _to_present(conversation: Conversation, event: Event, _: Policy) -> bool:
    """A colleague may have joined under the person's name by a system's key."""
    to = _to_agent(event)
    person = event.person if isinstance(event, Transfer) else None
    is_named = person is not None and conversation.present(person.person.representative) is not None
    return to is not None and (is_named or any(human.person == to for human in conversation.humans))


def _not_available(_: Conversation, event: Event, __: Policy) -> bool:
    person = event.person if isinstance(event, Transfer) else None
    return _to_agent(event) is not None and (person is None or not person.available)


def _full(conversation: Conversation, event: Event, _: Policy) -> bool:
    """An offer to the person holds room for them."""
    person = event.person if isinstance(event, TakesRoom) else None
    return person is not None and person.room == 0 and not conversation.offered_to(person.person.id)


def _app_only(conversation: Conversation) -> bool:
    return all(human.app for human in conversation.humans)


def _offer_of(event: Event) -> str | None:
    return event.offer if isinstance(event, Claim | OfferEnded | OfferTimeout) else None


def _offer_over(conversation: Conversation, event: Event, _: Policy) -> bool:
    named, offer = _offer_of(event), conversation.offer
    return named is not None and (offer is None or offer.id != named)


def _offer_foreign(conversation: Conversation, event: Event, _: Policy) -> bool:
    offer = conversation.offer
    if offer is None or offer.id != _offer_of(event):
        return False
    if isinstance(event, OfferEnded) and event.why == "withdrawn":
        return not event.supervisor and event.by != offer.by
    return offer.to != (event.by if isinstance(event, OfferEnded) else _person(event))


def _person(event: Event) -> str | None:
    return event.person_id if isinstance(event, ByRepresentative) else None


def _tried(conversation: Conversation, event: Event, policy: Policy) -> bool:
    person = event.person if isinstance(event, Offered) else None
    may_be = person is not None and person.available and person.person.id not in conversation.tried
    return conversation.offer is not None or not may_be or _full(conversation, event, policy)


def _last_one(conversation: Conversation, _: Event, __: Policy) -> bool:
    return len(conversation.humans) == 1


def _desk_to(event: Event) -> str | None:
    return event.to_desk if isinstance(event, Transfer) else None


def _same_desk(conversation: Conversation, event: Event, _: Policy) -> bool:
    request = conversation.request
    return isinstance(event, Transfer) and (
        event.to_queue or (request is not None and request.desk == event.to_desk)
    )


def _desk_closed(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> bool:
    route = policy.next_wait(conversation, _desk_to(event), now)
    return route.closed and not route.waits


def _to_bot(conversation: Conversation, _: Event, now: datetime, policy: Policy) -> bool:
    """No colleague goes on where the desk is closed, where the platform has its own people, and
    where only somebody in the channel's own app was present.
    """
    if conversation.offer is not None:
        return False
    if policy.human_idle == "bot" or conversation.tracked:
        return True
    route = policy.next_wait(conversation, None, now)
    is_closed = route.closed and not route.waits
    return is_closed or _app_only(conversation)


def _returnable(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> bool:
    request = conversation.request
    if request is None or request.origin is None:
        return False
    if isinstance(event, UnclaimedTimeout):
        is_over = event.n > policy.unclaimed_reminders
    elif isinstance(event, Unlinked):
        is_over = _has_chat(conversation, event.over)
    else:
        is_over = event.fact
    return is_over and not policy.next_wait(conversation, request.origin, now).closed


def _outdated(conversation: Conversation, event: Event, _: Policy) -> bool:
    if not isinstance(event, UnclaimedTimeout | HumanIdleTimeout | ChatIdleTimeout | AssignTimeout):
        return False
    # linked since: the timer was another conversation's
    is_look = isinstance(event, AssignTimeout)
    timer = conversation.assign if is_look else conversation.timer
    elsewhere = event.source != conversation.id
    return timer is None or elsewhere or (timer.armed, timer.n) != (event.armed, event.n)


def _closed(conversation: Conversation, _: Event, now: datetime, policy: Policy) -> bool:
    route = policy.route(conversation, now)
    return route.closed and not route.waits


def _closed_meanwhile(conversation: Conversation, _: Event, now: datetime, policy: Policy) -> bool:
    return policy.standing(conversation, now).waits and conversation.opens_at is None


def _may_go_on(conversation: Conversation, policy: Policy) -> bool:
    """A request ends at some time, also where every desk closes again before the last reminder."""
    return conversation.timer is None or conversation.timer.openings <= policy.unclaimed_reminders


def _awaits_opening(conversation: Conversation, _: Event, now: datetime, policy: Policy) -> bool:
    return policy.standing(conversation, now).waits and _may_go_on(conversation, policy)


def _another_open(conversation: Conversation, _: Event, now: datetime, policy: Policy) -> bool:
    return policy.passes_on(conversation, now) and _may_go_on(conversation, policy)


def _reminder(event: Event) -> int:
    return event.n if isinstance(event, UnclaimedTimeout) else 0


# These are of requests. Of a fact they do not hold, and are not asked.
OF_REQUESTS = frozenset(
    {
        Guard.REQUEST,
        Guard.UNDELIVERED,
        Guard.TOO_LATE,
        Guard.GONE,
        Guard.NO_TEMPLATES,
        Guard.UNREACHABLE,
        Guard.MANY_WAIT,
        Guard.UNWANTED,
        Guard.TURN_REFUSED,
        Guard.NOT_ACTIVE_REFUSED,
        Guard.PASSING_ON,
        Guard.FULL,
        Guard.REQUEST_ABSENT,
    }
)
GUARDS: Mapping[Guard, _Guard] = {
    Guard.ALWAYS: lambda _c, _e, _p: True,
    Guard.ECHO: _echo,
    Guard.REQUEST: lambda _c, _e, _p: True,
    Guard.UNDELIVERED: _undelivered,
    Guard.OVERTAKEN: _overtaken,
    Guard.TOO_LATE: _too_late,
    Guard.GONE: _gone,
    Guard.NO_TEMPLATES: _no_templates,
    Guard.UNREACHABLE: _unreachable,
    Guard.MANY_WAIT: _many_wait,
    Guard.ENDED: _ended,
    Guard.UNWANTED: lambda conversation, _e, _p: conversation.unsubscribed_at is not None,
    Guard.UNSUBSCRIBED: lambda conversation, _e, _p: conversation.unsubscribed_at is not None,
    Guard.STALE: _stale,
    Guard.HEARD: _heard,
    Guard.HEARD_BEFORE: lambda _c, event, _p: _heard_before(event),
    Guard.HEARD_BEFORE_ASSISTED: lambda conversation, event, _p: (
        _heard_before(event) and (_assisted(conversation) or conversation.passed_on)
    ),
    Guard.HEARD_BEFORE_UNASKED: lambda _c, event, policy: (
        _heard_before(event) and event.kind not in policy.bot_hears
    ),
    Guard.FLOOR_LATE: _floor_late,
    Guard.FLOOR_LOST: _heard,
    Guard.FLOOR_ONLY: _floor_only,
    Guard.OUTLIVED: _outlived,
    Guard.PRESENT: lambda conversation, event, _p: _named(conversation, event) is not None,
    Guard.HOLDER: _holder,
    Guard.FOREIGN: _foreign,
    Guard.APP_ONLY: lambda conversation, _e, _p: _app_only(conversation),
    Guard.APP_ONLY_FULL: lambda conversation, event, policy: (
        _app_only(conversation) and _full(conversation, event, policy)
    ),
    Guard.LAST_ONE: _last_one,
    Guard.LAST_ONE_OFFERED: lambda conversation, event, policy: (
        conversation.offer is not None and _last_one(conversation, event, policy)
    ),
    Guard.OTHERS_STAY: _others_stay,
    Guard.PASSED_ON: lambda conversation, _e, _p: conversation.passed_on,
    Guard.PASSING_ON: lambda conversation, _e, _p: conversation.passed_on,
    Guard.ASKS_BACK: _asks_back,
    Guard.OLD_SURVEY: lambda _c, event, _p: (
        isinstance(event, SuggestionResponse) and is_button(event)
    ),
    Guard.MOVED: _moved,
    Guard.UNNAMED: _unnamed,
    Guard.STRANGER: _stranger,
    Guard.OTHERS_HERE: _others_here,
    Guard.ALONE: _alone,
    Guard.TO_PRESENT: _to_present,
    Guard.TO_AGENT: lambda _c, event, _p: _to_agent(event) is not None,
    Guard.NOT_AVAILABLE: _not_available,
    Guard.FULL: _full,
    Guard.SAME_DESK: _same_desk,
    Guard.OFFERED_ALREADY: lambda conversation, event, _p: (
        _to_agent(event) is not None and conversation.offered_to(_to_agent(event))
    ),
    Guard.OFFERED_TO_THEM: lambda conversation, event, _p: (
        _person(event) is not None and conversation.offered_to(_person(event))
    ),
    Guard.OFFER_OVER: _offer_over,
    Guard.OFFER_FOREIGN: _offer_foreign,
    Guard.OFFERED_SLOT: lambda conversation, event, _p: (
        isinstance(event, PersonGone)
        and conversation.offer is not None
        and conversation.offer.id == event.slot
    ),
    Guard.TRIED: _tried,
    Guard.REQUEST_ABSENT: lambda conversation, event, _p: _named(conversation, event) is None,
    Guard.ABSENT: lambda conversation, event, _p: _named(conversation, event) is None,
    Guard.DESK_DONE: _desk_done,
    Guard.DESK_DONE_OFFERED: _desk_done_offered,
    Guard.DESK_OUT: lambda _c, event, _p: _needs_no_human(event),
    Guard.AGENT_FAILED: lambda _c, event, _p: isinstance(event, VirtualAgentLeft) and event.failed,
    Guard.OUTDATED: _outdated,
    Guard.OVER: _over,
    Guard.OVER_OFFERED: lambda conversation, event, policy: (
        conversation.offer is not None and _over(conversation, event, policy)
    ),
    Guard.OVER_OUT: _over_out,
    Guard.UNLINKED_CHAT: lambda conversation, event, _p: _has_chat(conversation, event.over),
    Guard.ASSISTANT: lambda conversation, event, _p: (
        event.fact and _has_chat(conversation, event.source)
    ),
    Guard.ASSISTED: lambda conversation, _e, _p: _assisted(conversation),
    Guard.ASSISTED_ENDS: lambda conversation, event, _p: (
        _assisted(conversation) and _has_chat(conversation, event.over)
    ),
    Guard.MAY_KEEP_WAITING: lambda conversation, event, _p: (
        isinstance(event, HandoffFailed)
        and event.keep is not None
        and _has_chat(conversation, event.source)
    ),
    Guard.PAST: _past,
    Guard.PAST_PRESENT: _past_present,
    Guard.THREAD_OVER: _thread_over,
    Guard.UNCLAIMED: _unclaimed,
    Guard.ALL_WAITS: _all_waits,
    Guard.ANOTHERS: _anothers,
    Guard.KEPT: lambda conversation, _e, _p: conversation.called is not None,
    Guard.UNNEEDED: lambda conversation, event, _p: (
        _is_unknown_chat(conversation, event) and not _waits_for_chat(conversation)
    ),
    Guard.AWAITED: lambda conversation, event, _p: (
        _is_unknown_chat(conversation, event) and _waits_for_chat(conversation)
    ),
    Guard.THIS_HANDOFF: _this_handoff,
    Guard.NO_SURVEYS: lambda conversation, _e, policy: not policy.of(conversation.platform).surveys,
    Guard.BY_BOT: _by_bot,
    Guard.BOT_HEARS: lambda _c, event, policy: event.kind in policy.bot_hears,
    Guard.BOT_HEARD: lambda _c, event, _p: isinstance(event, Correction) and "BOT" in event.heard,
    Guard.DESK_HEARD: lambda _c, event, _p: (
        isinstance(event, Correction) and "HUMAN" in event.heard
    ),
    Guard.ASKS_PLACE: lambda _c, event, _p: isinstance(event, FromUser) and event.ahead is not None,
    Guard.OPENING_KNOWN: lambda known, event, _p: (
        _reminder(event) == 0 and known.called is not None
    ),
    Guard.OPENING: lambda _c, event, _p: isinstance(event, UnclaimedTimeout) and event.n == 0,
    Guard.FIRST: lambda _c, event, _p: _reminder(event) == 1,
    Guard.EXHAUSTED: lambda _c, event, policy: _reminder(event) > policy.unclaimed_reminders,
}
# These depend on the time of the decision, not on when something happened: whether a desk is open
# now, whether the platform would take another survey, how many turns the bot has had lately.
OF_TIME: Mapping[Guard, GuardOfTime] = {
    Guard.MAY_REACT: _may_react,
    Guard.CLOSED: _closed,
    Guard.HEARD_CLOSED: lambda known, event, now, policy: (
        _heard(known, event, policy) and _closed(known, event, now, policy)
    ),
    Guard.NOT_ACTIVE: _not_active,
    Guard.NOT_ACTIVE_REFUSED: _not_active,
    Guard.CLOSED_MEANWHILE: _closed_meanwhile,
    Guard.SURVEYED: lambda conversation, _, now, _p: (
        conversation.surveyed_at is not None and now - conversation.surveyed_at < SURVEY_EVERY
    ),
    Guard.AWAITS_OPENING: _awaits_opening,
    Guard.ANSWERS_SURVEY: _answers_survey,
    Guard.DESK_CLOSED: _desk_closed,
    Guard.TO_BOT: _to_bot,
    Guard.RETURNABLE: _returnable,
    Guard.ANOTHER_OPEN: _another_open,
    Guard.TURN_REFUSED: lambda known, _, now, policy: is_out_of_turns(known, now, policy),
    Guard.OUT_OF_TURNS: lambda known, _, now, policy: is_out_of_turns(known, now, policy),
    Guard.CLOSED_STILL: lambda conversation, _, now, policy: (
        policy.standing(conversation, now).closed
    ),
}
