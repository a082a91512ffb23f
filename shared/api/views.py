"""The JSON that callers get: conversations, journal entries, links and queue positions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pydantic_core
from pydantic.alias_generators import to_camel

from shared.api.keys import is_supervisor
from shared.handoff.channels import all_of
from shared.handoff.visibility import details_for, metadata_for, seen_by, session_for, words_for
from shared.media.tokens import LIFETIME, Uploaded
from shared.media_links import MediaLinks
from shared.people.live import Live
from shared.schemas.base import JsonObject
from shared.schemas.commands import (
    Command,
    Post,
    Publish,
    Record,
    SendEvent,
    SendMessage,
    State,
    TellTeam,
    ToChannel,
    ToCustomer,
)
from shared.schemas.conversation import Ahead, Conversation, Phase
from shared.schemas.devices import Device
from shared.schemas.http import Response
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import format_time
from shared.schemas.people import Person, Presence
from shared.schemas.representative import Representative
from shared.schemas.variables import Audience
from shared.settings.types import ApiKey


def upload_view(
    taken: Uploaded, shown_as: str | None, media_id: str, now: datetime
) -> dict[str, object]:
    """Returns an upload, with the id by which messages name it."""
    return {
        "mediaId": media_id,
        "kind": taken.kind,
        "shownAs": shown_as,
        "mimeType": taken.mime_type,
        "size": taken.size,
        "sha256": taken.sha256,
        "fileName": taken.file_name,
        "expiresAt": format_time(now + LIFETIME),
    }


def json_response(body: Mapping[str, Any], **notes: str) -> Response:
    """Returns a JSON response. Fields that are None are left out."""
    return Response(
        body=pydantic_core.to_json({k: v for k, v in body.items() if v is not None}), notes=notes
    )


def waiting_view(conversation: Conversation, commands: Sequence[Command]) -> dict[str, Any]:
    """Returns what the answer says of a message that waits for the customer to write, and of the
    template that asks them to; nothing for any other message.
    """
    messages = [one for one in commands if isinstance(one, SendMessage)]
    if all(one.state is not State.WAITING for one in messages):
        return {}
    sent_now = any(one.reopens for one in messages)
    sent_before = "ALREADY_SENT" if conversation.reopening else None
    return {"state": "WAITING_FOR_CUSTOMER", "template": "SENT" if sent_now else sent_before}


def conversation_view(
    conversation: Conversation, pending: int, *, agent: bool, admin: bool = False
) -> dict[str, Any]:
    """Returns a conversation.

    With `agent` it has the variables and metadata that the agent audience may see, and the sessions
    of a desk's virtual agent. With `admin` these have the parameters that the virtual agent got.
    """
    request = conversation.request
    return {
        "name": f"conversations/{conversation.id}",
        "phase": conversation.phase.value,
        "representatives": [
            representative_view(human.representative) for human in conversation.humans
        ],
        "customerName": conversation.customer_name,
        "locale": conversation.locale,
        "waitingSince": _time(conversation.waiting_since),
        "humanSince": _time(conversation.human_since),
        "requestReason": request.reason if request else None,
        "desk": request.desk if request else None,
        "passedOn": conversation.passed_on or None,
        "offer": _offer_view(conversation) if agent else None,
        "requestMetadata": _metadata(conversation) if agent else None,
        "opensAt": _time(conversation.opens_at),
        **_closed_view(conversation),
        "firstResponseSeconds": conversation.first_response_seconds,
        "tracked": conversation.tracked,
        "links": list(conversation.links),
        "linkedTo": conversation.linked_to,
        "channels": _channels_view(conversation),
        "variables": seen_by(Audience.AGENT, conversation.variables) if agent else {},
        "platformContext": _context_view(conversation) if agent else None,
        "virtualAgentSessions": _sessions_view(conversation, admin=admin) if agent else [],
        "pending": pending,
        "version": conversation.version,
    }


def _offer_view(conversation: Conversation) -> dict[str, Any] | None:
    """Returns the offer that stands. Its note is for the colleague, and for who made it."""
    offer = conversation.offer
    if offer is None:
        return None
    return {
        "id": offer.id,
        "to": offer.to,
        "name": offer.name,
        "by": offer.by,
        "push": offer.push,
        "reason": offer.reason,
        "note": offer.note,
        "until": _time(offer.until),
    }


def _context_view(conversation: Conversation) -> JsonObject | None:
    context = conversation.platform_context
    if context is None:
        return None
    return context.model_dump(mode="json", by_alias=True, exclude_none=True)


def _sessions_view(conversation: Conversation, *, admin: bool) -> list[dict[str, Any]]:
    audience = None if admin else Audience.AGENT
    return [
        {
            to_camel(name): value
            for name, value in session_for(audience, one, conversation.variables).items()
        }
        for one in conversation.virtual_agent_sessions
    ]


def _metadata(conversation: Conversation) -> JsonObject | None:
    request = conversation.request
    return (
        metadata_for(Audience.AGENT, request.metadata, conversation.variables) if request else None
    )


def _closed_view(conversation: Conversation) -> dict[str, str | None]:
    """Returns the desk that was closed at the customer's last request, and when it opens."""
    latest = conversation.closed[-1:]
    return {"closedDesk": latest[0].desk, "closedUntil": _time(latest[0].until)} if latest else {}


def place_view(ahead: Ahead) -> dict[str, Any]:
    """Returns the customer's position in the queue, counted from 1.

    If not all who wait before them were counted, it is the smallest possible position.
    """
    return {
        "queuePosition": ahead.people + 1 + ahead.more,
        "queuePositionAtLeast": ahead.more or None,
    }


def link_view(conversation: str, linked: Conversation, to: Conversation) -> dict[str, Any]:
    """Returns the result of a link: events of a desk's conversation act on a channel, two channels
    belong to one customer, or two conversations are one from now on.
    """
    kind = "channel" if to.owns(linked.id) else "desk"
    is_one = linked.id == to.id
    done = {
        "kind": "same-customer" if is_one else kind,
        "conversation": conversation,
        "to": to.id,
    }
    return {**done, "repliesOn": to.channel, "phase": to.phase.value}


def _channels_view(conversation: Conversation) -> list[dict[str, Any]] | None:
    """Returns the customer's channels, the one in use first, or None if there is only one."""
    if not conversation.elsewhere:
        return None
    known = all_of(conversation)
    return [
        {"conversation": one.id, "inUse": one is known[0], "lastUserAt": _time(one.last_user_at)}
        for one in known
    ]


def entry_view(entry: JournalEntry, links: MediaLinks | None = None) -> dict[str, Any]:
    """Returns a journal entry with the text that the agent audience may see, and new links to its
    files.

    Only desks and admins read the journal.
    """
    details = details_for(Audience.AGENT, entry)
    if details is not None and links is not None:
        details = links.with_links(entry.conversation, entry.id, details)
    view = {
        "id": entry.id,
        "seq": entry.seq,
        "time": _time(entry.time),
        "occurredAt": _time(entry.occurred_at),
        "kind": entry.kind,
        "source": entry.source,
        "actor": entry.actor,
        "eventId": entry.event_id,
        "reason": entry.reason,
        "verdict": entry.verdict.value,
        "outcome": entry.outcome,
        "text": words_for(Audience.AGENT, entry),
        "details": details,
        "representative": representative_view(entry.representative)
        if entry.representative
        else None,
        "commands": [_command_view(command) for command in entry.commands],
    }
    return {name: value for name, value in view.items() if value is not None}


def caller_view(caller: ApiKey) -> dict[str, Any]:
    """Returns who calls: a person as BATON_AGENTS has them, or a system."""
    person = caller.person
    known = person.model_dump(mode="json") if person else {"id": caller.name, "name": caller.name}
    return {
        **known,
        "kind": "person" if person else "system",
        "may": sorted(caller.may),
        "supervisor": is_supervisor(caller),
        "admin": caller.admin,
        "templates": caller.templates,
        "reports": caller.reports,
    }


def colleague_view(person: Person, *, available: bool, room: int | None) -> dict[str, Any]:
    """Returns a person to whom a customer may be passed on."""
    view = {
        "id": person.id,
        "name": person.name,
        "languages": list(person.languages),
        "desks": list(person.desks),
        "available": available,
        "room": room,
    }
    return {name: value for name, value in view.items() if value is not None}


def presence_view(presence: Presence, person: Person) -> dict[str, Any]:
    """Returns what a person does now. `until` is when the last of their pages is gone."""
    return {
        "state": presence.state,
        "until": _time(max(presence.pages.values(), default=None)),
        "capacity": person.capacity,
        "slots": [
            {"conversation": slot.conversation, "kind": slot.kind}
            for slot in presence.slots.values()
        ],
    }


def live_view(seen: Live, person: Person, now: datetime) -> dict[str, Any]:
    """Returns what a person sees of their work."""
    lists = {
        name: [listed_view(one) for one in seen.listed[phase] if not one.erased]
        for name, phase in (("queue", Phase.QUEUED), ("held", Phase.HUMAN))
        if phase in seen.listed
    }
    mine = [
        {**listed_view(one), "device": device_view(seen.devices.get(one.id), one, now)}
        for one in seen.mine
        if not one.erased
    ]
    return {
        "since": seen.name,
        "presence": presence_view(seen.presence, person),
        "mine": mine,
        **lists,
    }


def device_view(
    device: Device | None, conversation: Conversation, now: datetime
) -> dict[str, Any] | None:
    """Returns what a customer's device tells, None where nothing is known of it."""
    if device is None:
        return None
    left = device.typing_left(now, conversation.last_user_at)
    typing = {} if left is None else {"typingSeconds": left.total_seconds()}
    return {**typing, "receipts": device.receipts}


def listed_view(conversation: Conversation) -> dict[str, Any]:
    """Returns a conversation of a list. Counting what is pending would take one more query."""
    view = conversation_view(conversation, 0, agent=True)
    del view["pending"]
    return view


def representative_view(representative: Representative) -> dict[str, Any]:
    """Returns a representative as JSON data."""
    return representative.shown


def _command_view(command: Command) -> dict[str, Any]:
    what: dict[str, Any] = {
        "id": command.id,
        "kind": command.kind,
        "lane": command.line.partition(" ")[0],
    }
    what["state"] = command.state.value
    if isinstance(command, SendEvent):
        what["eventType"] = command.event_type
        what["name"] = command.representative.display_name
    if isinstance(command, ToCustomer):
        what["as"] = command.representative.representative_type.value
    if isinstance(command, ToChannel) and command.channel is not None:
        what["channel"] = command.channel
    if isinstance(command, Publish):
        what["topic"] = command.topic
    if isinstance(command, Post):
        what["audience"] = command.audience
    if isinstance(command, TellTeam):
        what["target"] = command.to
    if isinstance(command, Record):
        what["measures"] = [measure.name.value for measure in command.counted]
    tries = {
        "attempts": command.attempts or None,
        "retryAt": _time(command.retry_at),
        "error": command.error,
    }
    return {**what, **{name: value for name, value in tries.items() if value is not None}}


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_time(time)
