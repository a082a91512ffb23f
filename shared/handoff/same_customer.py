"""Two conversations turn out to be one customer's: what the one that goes on has from then on, and
what remains of the other. Pure.

Both are one chat on the customer's phone, so who is here in either is here in both.
"""

import itertools
from datetime import datetime
from functools import reduce

from shared.handoff import channels
from shared.handoff.channels import later
from shared.handoff.visibility import merge
from shared.measures.messages import together
from shared.schemas.conversation import Conversation, Participant, Phase
from shared.schemas.virtual_agents import with_session

_ORDER = (Phase.BOT, Phase.QUEUED, Phase.HUMAN)


def goes_on(one: Conversation, two: Conversation) -> tuple[Conversation, Conversation]:
    """Returns the conversation that goes on, and the one that becomes part of it."""
    first, second = sorted((one, two), key=_rank, reverse=True)
    return first, second


def _rank(one: Conversation) -> tuple[object, ...]:
    called_after_user = any(name.strong and name.id == one.id for name in one.names)
    return (
        _ORDER.index(one.phase),
        bool(one.elsewhere),
        one.called is not None,
        not one.erased,
        called_after_user,
        one.id,
    )


def joined(keep: Conversation, lose: Conversation, now: datetime) -> Conversation:
    """Returns `keep` with what `lose` had. The handoff that is further goes on. Where both had
    called a desk, the people of the other desk have left: the customer is shown their LEFT with
    what comes next.
    """
    latest = keep if _later(keep, lose) else lose
    ahead = lose if _ORDER.index(lose.phase) > _ORDER.index(keep.phase) else keep
    held = ("phase", "first_response_seconds", "answered", "said", "bot_run")
    acts = ("address", "unreachable", "last_user_at", "last_message_id", "unsubscribed_at")
    called = ahead.called or keep.called or lose.called
    over = [one.called.chats for one in (keep, lose) if one.called and one.called != called]
    ended = set(itertools.chain(*over))
    past = (*keep.past_chats, *lose.past_chats, *itertools.chain(*over))
    humans = _together(keep.humans, lose.humans)
    gone = tuple(one for one in humans if one.source in ended and one.told)
    update: dict[str, object] = {
        **{name: getattr(latest, name) for name in acts},
        **{name: getattr(ahead, name) for name in held},
        "version": max(keep.version, lose.version),
        "outbox_base": min(keep.outbox_base, lose.outbox_base),
        "variables": merge(keep.variables, lose.variables, now),
        "platform_context": keep.platform_context or lose.platform_context,
        "virtual_agent_sessions": reduce(
            with_session, lose.virtual_agent_sessions, keep.virtual_agent_sessions
        ),
        "locale": keep.locale or lose.locale,
        "strong_address": latest.strong_address or keep.strong_address or lose.strong_address,
        "customer_name": latest.customer_name or keep.customer_name or lose.customer_name,
        "handback": keep.handback or lose.handback,
        "owed": keep.owed or lose.owed,
        **channels.waiting_of(keep, lose),
        "request": ahead.request or keep.request or lose.request,
        "called": called,
        "humans": tuple(one for one in humans if one.source not in ended),
        "left_unseen": _together((*keep.left_unseen, *gone), lose.left_unseen),
        "unheard": tuple(dict.fromkeys((*keep.unheard, *lose.unheard))),
        "links": tuple(dict.fromkeys((*keep.links, *lose.links))),
        "past_chats": tuple(dict.fromkeys(past)),
        "elsewhere": (*keep.elsewhere, *lose.elsewhere),
        "spoke_at": max(filter(None, (keep.spoke_at, lose.spoke_at)), default=None),
        "human_since": min(filter(None, (keep.human_since, lose.human_since)), default=None),
        "floor": later(keep.floor, lose.floor),
        "surveyed_at": max(filter(None, (keep.surveyed_at, lose.surveyed_at)), default=None),
        "timer": ahead.timer
        or (keep.timer or lose.timer if ahead.phase is Phase.BOT and called else None),
        "offer": ahead.offer,
        "tried": ahead.tried,
        "assign": ahead.assign,
        "survey": latest.survey,
        "progress": ahead.progress or keep.progress or lose.progress,
        "uncounted": together(keep.uncounted, lose.uncounted),
        "erased": keep.erased and lose.erased,
    }
    return keep.model_copy(update=update)


def joined_on(
    primary: Conversation, channel: str, lose: Conversation, now: datetime
) -> Conversation:
    """Returns `primary`, which holds the customer of several channels, with what `lose` had on one
    of them. Both showed the same chat.
    """
    in_use = channels.in_use(primary)
    whole = joined(primary, lose, now).model_copy(
        update={
            "address": in_use.address,
            "strong_address": in_use.strong_address,
            "unreachable": in_use.unreachable,
            "last_user_at": in_use.last_user_at,
            "last_message_id": in_use.last_message_id,
            "unsubscribed_at": in_use.unsubscribed_at,
            "elsewhere": primary.elsewhere,
        }
    )
    if lose.last_user_at is not None:
        whole = channels.acted(
            whole,
            channel,
            lose.last_user_at,
            lose.last_message_id or "",
            lose.address,
            lose.strong_address,
        )
    if channel == primary.channel:
        return whole
    here = {human.representative.name for human in primary.humans}
    unseen = tuple(
        human if human.representative.name in here else human.model_copy(update={"told": False})
        for human in whole.humans
    )
    shown = tuple(human for human in lose.humans if human.told)
    left = {human.representative.name for human in (*primary.humans, *primary.left_unseen)}
    gone = tuple(one for one in whole.left_unseen if one.representative.name in left)
    elsewhere = tuple(
        one.model_copy(update={"shown": _together(one.shown, shown)}) if one.id == channel else one
        for one in whole.elsewhere
    )
    update = {"humans": unseen, "elsewhere": elsewhere, "left_unseen": gone}
    whole = whole.model_copy(update=update)
    if lose.last_user_at is None:
        return whole
    return channels.followed(whole, channel, lose.last_user_at)


def _later(keep: Conversation, lose: Conversation) -> bool:
    """Returns whether the customer's latest act is in `keep`."""
    ours, theirs = channels.in_use(keep).last_user_at, channels.in_use(lose).last_user_at
    if theirs is None:
        return bool(keep.address)
    return ours is not None and ours >= theirs


def _together(
    one: tuple[Participant, ...], two: tuple[Participant, ...]
) -> tuple[Participant, ...]:
    """Returns all humans. Two of the same name are one: the one who joined first."""
    every = sorted((*one, *two), key=lambda human: human.joined_at)
    first: dict[object, Participant] = {}
    for human in every:
        first.setdefault(human.representative.name, human)
    return tuple(first.values())


def part_of(lose: Conversation, keep: str) -> Conversation:
    """Returns what remains of a conversation that became part of `keep`: where its id leads. What
    waits in its outbox stays there.
    """
    return Conversation(
        id=lose.id,
        address=lose.address,
        same_as=keep,
        was=lose.was,
        version=lose.version,
        outbox_base=lose.outbox_base,
        erased=lose.erased,
        erasing=lose.erasing,
    )
