"""On which conversation an event acts: whose the names in a webhook are, where links lead, and
whether a conversation begins. It reads those documents, and prepares what the event's own commit
writes beside its conversation.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.conversations.merges import Noted, noted_of
from shared.errors import NotFound, Unavailable
from shared.handoff.names import Missing, Naming
from shared.ports import Ports, PreconditionFailed, Snapshot
from shared.schemas.conversation import Conversation
from shared.schemas.details import Details
from shared.schemas.events import ByCustomer, ChatCreated, Event, NamesChanged
from shared.schemas.journal import JournalEntry
from shared.schemas.people import Presence
from shared.values import frozen


@frozen
class Beside:
    """What a commit writes beside the event's own conversation and entries."""

    conversations: tuple[Snapshot[Conversation], ...] = ()
    entries: tuple[JournalEntry, ...] = ()
    updates: tuple[Snapshot[JournalEntry], ...] = ()


NOTHING_BESIDE = Beside()


@frozen
class Resolved:
    """The customer's conversation; its token is None where it begins in a new document. `learns`:
    the names in it have changed. `joined` are the conversations that became part of it.
    `is_reached`: the number that the event tells is not another customer's.
    """

    conversation: Snapshot[Conversation]
    beside: Beside = NOTHING_BESIDE
    learns: bool = False
    joined: tuple[str, ...] = ()
    is_reached: bool = True


@frozen
class Place:
    """Where an event acts: the event as one of that conversation, the conversation, what the commit
    writes beside it, whether the customer's names are news, the entries of the messages that wait
    for the customer, and the person whose room the event may take.
    """

    event: Event
    snapshot: Snapshot[Conversation]
    beside: Beside = NOTHING_BESIDE
    learns: bool = False
    held: tuple[Snapshot[JournalEntry], ...] = ()
    person: Snapshot[Presence] | None = None


async def where_it_acts(
    ports: Ports, source: str, *, fresh: bool = True
) -> Snapshot[Conversation] | None:
    """Returns the conversation on which the id `source` acts, whose journal has what was sent:
    the channel's while both ends of a link agree, else its own; None for one that was never seen.

    Without `fresh` it may be an old copy: good enough to find a journal, or to commit under its
    token, but not to know who speaks. Copies that disagree are read again. Raises Unavailable.
    """
    found = await led(ports, source, fresh=fresh)
    return await _acting(ports, found, fresh=fresh) if found else None


async def led(ports: Ports, source: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
    """Returns the conversation for which the id `source` stands: its own, or the one that it became
    part of or that has this name now.
    """
    found = await ports.store.load(source, fresh=fresh)
    to = found.value.leads_to if found else None
    if to is None:
        return found
    return await ports.store.load(to, fresh=fresh) or found


async def _acting(
    ports: Ports, found: Snapshot[Conversation], *, fresh: bool
) -> Snapshot[Conversation] | None:
    source = found.value.id
    if found.value.linked_to is None:
        return found
    channel = await ports.store.load(found.value.linked_to, fresh=fresh)
    if channel is not None and source in channel.value.links:
        return channel
    if not fresh:
        return await where_it_acts(ports, source)
    # The channel expired, and may have begun again since: an unlink or an erase would have changed
    # both ends.
    return Snapshot(found.value.model_copy(update={"linked_to": None}), found.token)


async def place_of(ports: Ports, event: Event, nonce: str, fresh: bool) -> Place | None:
    """Returns where `event` acts, in a new conversation where it may open one; None for a fact
    about a customer who is not there any more.

    Raises NotFound, and PreconditionFailed where the copy of an erased conversation may be old.
    """
    named = None
    if event.names:
        named = await resolved(ports, event, nonce, fresh=fresh)
        own: Snapshot[Conversation] | None = named.conversation
        event = with_joined(event, named.joined)
        if not named.is_reached:
            begins_with = None if named.conversation.value.address else event.address
            event = event.model_copy(update={"address": event.strong_address or begins_with})
    else:
        own = await led(ports, event.source, fresh=fresh)
    if own is not None:
        event = with_source(event, own.value.id)
    found = await _acting(ports, own, fresh=fresh) if own else None
    beside = named.beside if named else NOTHING_BESIDE
    if named and named.learns and own and found and found.value.id != own.value.id:
        changed = own.value.model_copy(update={"version": own.value.version + 1})
        beside = replace(
            beside, conversations=(*beside.conversations, Snapshot(changed, own.token))
        )
    learns = named is not None and (named.learns or bool(named.beside.conversations))
    if found is not None and beside.conversations:
        found, beside = _as_changed(found, beside)
    if found is not None and _has_begun(found.value, event) and not found.value.erased:
        return Place(event, found, beside, learns)
    if found is not None and not fresh and (found.value.ours or not _begins(event)):
        # another instance may have seen the customer come back
        raise PreconditionFailed
    begun = _newcomer(ports, event, found)
    return Place(event, begun, beside, learns) if begun else None


def _as_changed(
    found: Snapshot[Conversation], beside: Beside
) -> tuple[Snapshot[Conversation], Beside]:
    """Returns the conversation on which an event acts as the customer's names have changed it: it
    is written once.
    """
    changed = next((one for one in beside.conversations if one.value.id == found.value.id), None)
    if changed is None:
        return found, beside
    others = tuple(one for one in beside.conversations if one is not changed)
    return changed, replace(beside, conversations=others)


def _has_begun(conversation: Conversation, event: Event) -> bool:
    """Returns whether a conversation lives in the document, and not only names."""
    return bool(conversation.address) or not (event.names or conversation.is_only_a_name)


def _begins(event: Event) -> bool:
    """Returns whether `event` may open a conversation: only a platform knows the customer's
    address. A timer, or the result of a delivery, is about an existing conversation.
    """
    return event.fact and event.address is not None


def _newcomer(
    ports: Ports, event: Event, erased: Snapshot[Conversation] | None
) -> Snapshot[Conversation] | None:
    """Returns a new conversation for a platform's fact; None where the fact may not open one.

    An erased conversation begins again with the next version. A desk may still report on a customer
    who was erased: then only a new chat counts.
    """
    if not event.fact:
        raise NotFound(
            "unknown-conversation", "Baton knows no such conversation.", conversation=event.source
        )
    is_ours = erased is not None and erased.value.ours
    if event.address is None or (is_ours and not isinstance(event, ChatCreated)):
        return None
    # a tap may be the customer's first event
    guess = {"locale": getattr(event, "locale", None)}
    conversation = ports.policy.newcomer(event.source, event.address).model_copy(update=guess)
    if erased is None:
        return Snapshot(conversation, None)
    known, version = erased.value, erased.value.version
    kept = {
        "version": version,
        "outbox_base": version,
        "erasing": known.erasing,
        "ours": known.ours,
        **known.identity,
    }
    return Snapshot(conversation.model_copy(update=kept), erased.token)


async def resolved(ports: Ports, event: Event, nonce: str, *, fresh: bool) -> Resolved:
    """Returns whose the names of an event are. Where this instance's copy of one conversation lists
    them all, no other document is read, unless it must be `fresh`: an old copy fails its token.

    Raises Unavailable.
    """
    copy = None if fresh else _copy(ports, event)
    if copy is not None:
        await ports.store.load(copy.value.id, fresh=False)  # reads it again if others write it
        copy = _copy(ports, event)
    if copy is not None:
        return Resolved(copy)
    read: dict[str, Snapshot[Conversation] | None] = {}
    wanted: Sequence[str] = [
        one for name in event.names for one in (name.id, name.other) if one is not None
    ]
    while True:
        found = await asyncio.gather(*(ports.store.load(one) for one in wanted))
        read |= dict(zip(wanted, found, strict=True))
        naming = _naming(ports, event, read)
        try:
            old = event.old if isinstance(event, NamesChanged) else None
            conversation = naming.conversation_of(old)
            naming.keep_names(conversation)
            break
        except Missing as missing:
            wanted = missing.documents
    whose = await prepared(ports, naming, conversation, read, nonce)
    return replace(whose, is_reached=_has_number(naming, event, conversation))


def _has_number(naming: Naming, event: Event, conversation: str) -> bool:
    """Returns whether the number that an event tells is one of this conversation. A late event may
    tell one that is another customer's by now.
    """
    known = naming.changed.get(conversation) or naming.documents.get(conversation)
    numbers = [one for one in event.names if not one.strong]
    return known is None or all(
        known.is_called(one.id) or (one.other is not None and known.is_called(one.other))
        for one in numbers
    )


def _copy(ports: Ports, event: Event) -> Snapshot[Conversation] | None:
    if isinstance(event, NamesChanged):
        return None
    copies = [ports.store.copy_called(one.id) for one in event.names]
    first = copies[0]
    if first is None or any(one is None or one.value.id != first.value.id for one in copies):
        return None
    now, at = ports.clock.now(), event.occurred_at or ports.clock.now()
    given = {one.id for one in event.names}
    for name in first.value.names:
        if name.id in given and not name.strong and name.since and at < name.since:
            return None  # it may be of the time when the number was another person's
        if name.kept and now - name.kept > ports.policy.kept_for:
            return None
    return first


def _naming(ports: Ports, event: Event, read: dict[str, Snapshot[Conversation] | None]) -> Naming:
    now = ports.clock.now()
    return Naming(
        documents={id: one.value if one else None for id, one in read.items()},
        given=event.names,
        at=event.occurred_at or now,
        now=now,
        kept_for=ports.policy.kept_for,
        address=event.address,
    )


async def prepared(
    ports: Ports,
    naming: Naming,
    conversation: str,
    read: Mapping[str, Snapshot[Conversation] | None],
    nonce: str,
    actor: str = "system",
) -> Resolved:
    """Returns what the commit that changes `conversation` writes beside it. `actor` is who says
    whose the names are. Raises Unavailable.
    """

    def token(document: str) -> object:
        known = read.get(document)
        return known.token if known else None

    written = {
        id: one.model_copy(update={"version": one.version + 1})
        for id, one in naming.changed.items()
        if id != conversation
    }
    known = read.get(conversation)
    value = naming.changed.get(conversation) or (known.value if known else None)
    if value is None:
        raise Unavailable("names-changed", "The customer's names have changed meanwhile.")
    noted = Noted()
    if naming.notes or naming.merges or naming.refused:
        noted = await noted_of(ports, naming, value, written, read, nonce, actor)
    conversations = tuple(Snapshot(one, token(id)) for id, one in written.items())
    beside = Beside(conversations, tuple(noted.entries), tuple(noted.updates))
    learns = conversation in naming.changed
    joined = tuple(lose for _, lose in naming.merges)
    return Resolved(Snapshot(value, token(conversation)), beside, learns, joined)


def with_source(event: Event, conversation: str) -> Event:
    """Returns the event as one of this conversation, also in the form that bots and desks get."""
    if event.source == conversation:
        return event
    update: dict[str, object] = {"source": conversation}
    form = getattr(event, "form", None)
    if form is not None:
        update["form"] = _renamed(form, event.source, conversation)
    return event.model_copy(update=update)


def with_joined(event: Event, joined: tuple[str, ...]) -> Event:
    """Returns the event, which says what has become part of the conversation with it."""
    if not joined or not isinstance(event, ByCustomer):
        return event
    details = event.details or Details()
    update = {"previous_conversation_ids": joined}
    return event.model_copy(update={"details": details.model_copy(update=update)})


def _renamed(value: object, before: str, after: str) -> object:
    if isinstance(value, dict):
        return {name: _renamed(one, before, after) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, before, after) for one in value]
    if isinstance(value, str):
        if value == before:
            return after
        named = f"conversations/{before}/"
        return f"conversations/{after}/{value[len(named) :]}" if value.startswith(named) else value
    return value
