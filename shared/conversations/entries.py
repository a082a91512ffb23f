"""The journal entries of a commit: every entry is made here, and so are its dedupe records."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from shared.handoff.machine import Decision
from shared.ports import Ports
from shared.schemas.base import JsonObject
from shared.schemas.commands import (
    CallDesk,
    Command,
    FreeSlot,
    Post,
    Publish,
    Record,
    SendMessage,
    State,
    Stream,
    ToChannel,
)
from shared.schemas.conversation import Conversation, Holder
from shared.schemas.desks import Called
from shared.schemas.details import Details
from shared.schemas.events import (
    ByCustomer,
    ByRepresentative,
    Event,
    FloorMoved,
    HandoffFailed,
    Said,
)
from shared.schemas.http import Answer
from shared.schemas.journal import JournalEntry, Sealed, Verdict, form_kept
from shared.schemas.measures import Measure
from shared.schemas.notation import command_id, entry_id, platform_of

REDELIVERED = timedelta(days=8)  # WhatsApp delivers a webhook again for seven
FIRST_LOOK = timedelta(seconds=30)  # a crash around the wake-up costs this much at most
_TO_READERS = Publish | Post
# To look up a member of an enum takes longer than to compare with it.
_PENDING, _ECHO, _THEIRS = State.PENDING, Verdict.ECHO, Holder.THEIRS
_WORDLESS = {
    "text": None,
    "captured_for": None,
    "details": None,
    "quoted_for": None,
    "form": None,
    "words_at": None,
}


def new_entry(
    ports: Ports,
    entry: str,
    conversation: str,
    kind: str,
    *,
    seq: int,
    actor: str,
    nonce: str,
    commands: tuple[Command, ...] = (),
    **more: Any,
) -> JournalEntry:
    """Returns an entry of now, under the id `entry`; one with commands to execute is due after
    FIRST_LOOK. Unless `more` says otherwise it is accepted, and the conversation is its source.
    """
    return _entry(
        ports,
        {
            "id": entry,
            "conversation": conversation,
            "kind": kind,
            "seq": seq,
            "actor": actor,
            "nonce": nonce,
            "source": conversation,
            "verdict": Verdict.ACCEPTED,
            **more,
        },
        commands,
    )


def _entry(ports: Ports, about: dict[str, Any], commands: tuple[Command, ...]) -> JournalEntry:
    """The fields come as one dict: of this many, arguments by name take longer than the rest."""
    about["time"] = now = ports.clock.now()
    if commands:
        conversation = about["conversation"]
        about["commands"] = tuple([_with_native_id(ports, conversation, one) for one in commands])
    for one in commands:
        if one.state is _PENDING:
            about["due_at"] = now + FIRST_LOOK
            break
    return JournalEntry.model_validate(about)


def _with_native_id(ports: Ports, conversation: str, command: Command) -> Command:
    """Returns a message with the platform's id where that is known before it is sent: a receipt may
    come before the answer is on record.
    """
    if not isinstance(command, SendMessage):
        return command
    platform = ports.platforms.get(platform_of(command.shown_in(conversation)))
    native = platform.sent_id(command, Answer(0)) if platform else None
    return command.model_copy(update={"native_id": native}) if native else command


def entries_of(ports: Ports, event: Event, decision: Decision, nonce: str) -> list[JournalEntry]:
    """Returns the event's entry with the commands. After it come the dedupe records: of the event's
    other ids and, through a link, of the source.
    """
    conversation, source, heard_by = decision.conversation, event.source, event.heard_by
    refused, key = decision.refusal is not None, event.key
    about: dict[str, Any] = {
        "id": entry_id(source, "refused", nonce) if refused else event.entry_id,
        "conversation": conversation.id,
        "kind": event.kind,
        "seq": conversation.version,
        "actor": key or event.actor,
        "nonce": nonce,
        "source": source,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "event_id": event.id,
        "native_id": event.native_id,
        "captured_for": decision.captured_for,
        "occurred_at": event.occurred_at,
        "over": event.over,
        "marker": heard_by is not None,
        "heard": event.floor is _THEIRS and not isinstance(event, FloorMoved),
        "after": _after(decision),
    }
    # only a caller may use an id again, and no caller's request has the id of another event
    if key is not None or event.keeps_id:
        about["digest"] = event.digest
    if isinstance(event, ByRepresentative):
        about["representative"] = event.representative
    if isinstance(event, HandoffFailed):
        about["keep"] = event.keep
    if decision.verdict is not _ECHO:
        _add_words(about, event, decision)
    entry = _entry(ports, about, decision.commands)
    entries = [with_streams(ports, entry)]
    if source != entry.conversation:  # through a link
        entries.append(_dedupe_record(entry, conversation=source))
    if refused:
        return entries
    if event.also and heard_by is None:
        for one in event.also:
            id = entry_id(source, event.kind, one)
            entries.append(_dedupe_record(entry, conversation=source, id=id, marker=True))
    for former, id in markers_of(event, conversation, entry.time):
        entries.append(_dedupe_record(entry, conversation=former, id=id, marker=True))
    return entries


def _after(decision: Decision) -> tuple[str, ...]:
    """Returns the outboxes that must be empty before what the decision has for the customer."""
    waits_for = decision.conversation.waits_for
    if waits_for and any(isinstance(one, ToChannel) for one in decision.commands):
        return waits_for
    return ()


def markers_of(event: Event, conversation: Conversation, now: datetime) -> list[tuple[str, str]]:
    """Returns conversation and id of the records in the journals of conversations that became part
    of this one, for as long as a platform may deliver again what was taken there.
    """
    if not conversation.formerly or not conversation.owns(event.source):
        return []
    return [
        (one.id, event.model_copy(update={"source": one.id}).entry_id)
        for one in conversation.formerly
        if now - one.since < REDELIVERED
    ]


def _add_words(about: dict[str, Any], event: Event, decision: Decision) -> None:
    """Adds what the entry keeps of the message: its text once, what came beside the text, and the
    form around the text while a command needs it.

    The echo of a desk is kept without text. It may repeat a captured value before Baton has taken
    that value itself.
    """
    text = event.text
    if text is not None:
        about["text"] = Sealed(text)
    if isinstance(event, ByCustomer) and event.details is not None:
        about |= {"details": Sealed(event.details.shown()), "quoted_for": event.quoted_for}
    if isinstance(event, Said) and event.content.attachments:
        shown = Details(attachments=event.content.attachments).shown()
        about["details"] = Sealed(shown)
    form: JsonObject | None = vars(event).get("form")
    if form is not None and any(map(_is_for_readers, decision.commands)):
        beside, about["words_at"] = form_kept(form, text)
        about["form"] = Sealed(beside)


def _is_for_readers(command: Command) -> bool:
    return isinstance(command, _TO_READERS) and bool(command.readers)


def with_record(ports: Ports, entry: JournalEntry, measures: tuple[Measure, ...]) -> JournalEntry:
    """Returns an entry that no event decided, with the measures that the reports count."""
    if not measures:
        return entry
    record = Record.of(command_id(entry.conversation, entry.id, "record"), measures)
    due = entry.model_copy(update={"due_at": entry.time + FIRST_LOOK})
    return with_streams(ports, due.with_commands((*entry.commands, record)))


def with_freed(
    entry: JournalEntry, before: Iterable[Conversation], after: Iterable[Conversation]
) -> JournalEntry:
    """Returns an entry that no event decided, with the commands that free what conversations took
    of people's room before and do not take after.
    """
    kept = {slot for one in after for slot in one.slots}
    over = {slot: who for one in before for slot, who in one.slots.items() if slot not in kept}
    if not over:
        return entry
    freed = [
        FreeSlot(id=command_id(entry.conversation, entry.id, f"free {slot}"), person=who, slot=slot)
        for slot, who in over.items()
    ]
    due = entry.model_copy(update={"due_at": entry.time + FIRST_LOOK})
    return due.with_commands((*entry.commands, *freed))


def closings(entry: JournalEntry, called: Called, reason: str) -> list[CallDesk]:
    """Returns the commands that end the chat of the handoff, and the other chats that the desk made
    for it.
    """
    about = {
        "desk": called.desk,
        "platform": called.kind,
        "handoff": called.handoff,
        "action": "close",
    }
    chats = [(called.chat, None), *((one.chat, one.customer) for one in called.created)]
    return [
        CallDesk.model_validate(
            {
                "id": command_id(entry.conversation, entry.id, f"close {chat}"),
                "chat": chat,
                "customer": customer,
                "reason": reason,
                **about,
            }
        )
        for chat, customer in chats
    ]


def _dedupe_record(entry: JournalEntry, **update: object) -> JournalEntry:
    """Returns what remains of an entry that only identifies duplicates."""
    return entry.model_copy(update={"commands": (), "due_at": None, **_WORDLESS, **update})


def with_streams(ports: Ports, entry: JournalEntry) -> JournalEntry:
    """Returns the entry with a Stream command for each record; unchanged where streams are off."""
    if not ports.streams:
        return entry
    streams = (_stream_of(entry, one) for one in entry.commands if isinstance(one, Record))
    return entry.model_copy(update={"commands": (*entry.commands, *streams)})


def _stream_of(entry: JournalEntry, record: Record) -> Stream:
    return Stream(
        id=command_id(entry.conversation, entry.id, f"{record.id} stream"), record=record.id
    )
