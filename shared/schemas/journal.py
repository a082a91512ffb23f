"""The journal entry of one event: what happened, which commands it caused, and their outcome.

The entry is also the dedupe record. While commands are pending it is part of the outbox.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from shared.schemas.base import JsonObject, Stored
from shared.schemas.commands import Command, Post, Publish, State, ToCustomer
from shared.schemas.notation import Time, platform_of, sent_key
from shared.schemas.representative import Representative
from shared.schemas.variables import Audience

# A message in Business Messages form: where its words stand.
WORDS = {
    "message": ("text",),
    "suggestionResponse": ("text", "postbackData"),
    "surveyResponse": ("questionResponseText", "rating"),
    "userStatus": (),
}
# What Baton adds to a form: what it hands back to the bot, and what came beside the words. Both are
# removed from what a platform sends.
FIELD, DETAILS = "handoff", "details"
T = TypeVar("T")
HIDDEN = "[hidden]"
_WORST_FIRST = (
    State.PENDING,
    State.WAITING,
    State.UNKNOWN,
    State.BROKEN,
    State.FAILED,
    State.UNFRAMED,
)
# To look up a member of an enum takes longer than to compare with it.
_PENDING, _WAITS = State.PENDING, (State.PENDING, State.BROKEN)
_ENDED_BEFORE = "ended:"  # begins the ids of such events; until 0.1.0 it was the only sign


class Verdict(StrEnum):
    """The decision on an event."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    ECHO = "echo"
    STALE = "stale"
    SUPPRESSED = "suppressed"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Sealed(Generic[T]):
    """Content of type T that some readers must not see. It cannot be printed, joined or sent by
    accident: its repr is `[hidden]`. The stored form is the plain content.

    Only `handoff.visibility` opens it, for a given reader; a test checks that.
    """

    __slots__ = ("_content",)

    def __init__(self, content: T) -> None:
        self._content = content

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        held = handler.generate_schema(get_args(source)[0])
        sealing = core_schema.no_info_after_validator_function(cls, held)
        sealed = core_schema.union_schema(
            [core_schema.is_instance_schema(cls), sealing], mode="left_to_right"
        )
        opening = core_schema.plain_serializer_function_ser_schema(unsealed, return_schema=held)
        return core_schema.json_or_python_schema(sealing, sealed, serialization=opening)


def unsealed(sealed: Sealed[T]) -> T:
    """Returns the content. Only `handoff.visibility` may call this."""
    return sealed._content


class Notified(Stored):
    """The result of notifying one team target, in entries of older versions.

    Newer ones use TellTeam commands.
    """

    target: str
    state: Literal["in-flight", "sent", "unknown", "failed"]
    until: Time | None = None
    attempts: int = 0
    error: str | None = None


class Asked(Stored):
    """The state of a request to the built-in bot.

    After `until`, a request in flight counts as lost.

    `answer` is the bot's answer, kept until all events that follow from it are accepted.
    """

    bot: str
    state: Literal["in-flight", "answered", "done", "unknown", "failed", "skipped"]
    until: Time | None = None
    answer: JsonObject | None = None
    error: str | None = None


class JournalEntry(Stored):
    """One entry of a conversation's journal.

    - `seq`: the conversation version of this event, which orders the journal; `time` is by the
      clock of the accepting instance. A request to the built-in bot has the `seq` of the message
      that it answers. For an event through a link, the entry of the reporting conversation has the
      `seq` of the channel's.
    - `nonce`: distinguishes our own commit, whose answer was lost, from a duplicate.
    - `occurred_at`: by the platform's clock, None if it named no time.
    - `native_id`: the platform's id of the event if `event_id` is derived from it. It is not shown
      to users.
    - `text`: what was said. `captured_for`: who may see the variable that the text was captured as,
      None if it was not captured.
    - `details`: what came beside the words, as data. `quoted_for`: who may read the words of the
      earlier message that it names, None if all may.
    - `form`: the customer's message in Business Messages form, kept while a command still needs it.
      Its text is in `text` only; `words_at` is the place of the text, as a payload and a field of
      it.
    - `heard`: Baton only heard it, because another sender was active at the platform. The same
      event may still come to Baton.
    - `marker`: the entry stands for a further id of an event that has its entry elsewhere. It is
      not shown to users.
    - `over`: the desk's conversation that takes no part in this one from this event on.
    - `keep`: the id by which a full desk can be asked to let the customer keep waiting.
    - `due_at`: when the sweep must wake this entry. It is None if all of the entry's commands wait
      behind commands of earlier entries.
    - `after`: outboxes of conversations that became part of this one; what the entry has for the
      customer is sent once they are empty.
    - `guards`: the last sequence of the entries that wait behind this one. A guarding entry stays
      pending and due until a later delivery has checked them, even if its own commands have ended.
    """

    id: str
    conversation: str
    seq: int
    time: Time
    kind: str
    source: str
    verdict: Verdict
    nonce: str
    actor: str | None = None
    reason: str | None = None
    event_id: str | None = None
    native_id: str | None = None
    digest: str | None = None
    text: Sealed[str] | None = None
    captured_for: tuple[Audience, ...] | None = None
    details: Sealed[JsonObject] | None = None
    quoted_for: tuple[Audience, ...] | None = None
    form: Sealed[JsonObject] | None = None
    words_at: tuple[str, str] | None = None
    occurred_at: Time | None = None
    representative: Representative | None = None
    over: str | None = None
    keep: str | None = None
    due_at: Time | None = None
    guards: int | None = None
    after: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    notified: Notified | None = None
    asked: Asked | None = None
    marker: bool = False
    heard: bool = False
    form_version: Literal[1] | None = None  # another one is of a version that this one cannot read

    @property
    def pending_seq(self) -> int | None:
        """`seq` while delivery must process this entry, else None."""
        if self.guards is not None:
            return self.seq
        for command in self.commands:
            if command.state in _WAITS:
                return self.seq
        return None

    @property
    def natives(self) -> tuple[str, ...]:
        """The keys (see `sent_key`) of the messages that a platform knows by an id of its own."""
        keys = [
            sent_key(platform_of(one.shown_in(self.conversation)), one.native_id)
            for one in self.commands
            if one.native_id and isinstance(one, ToCustomer)
        ]
        return tuple(dict.fromkeys(keys))

    @property
    def ends_chat(self) -> bool:
        """Whether the event ended a desk's conversation. Entries of versions that had no
        `over` say so by the id of the event.
        """
        return self.over is not None or (self.event_id or "").startswith(_ENDED_BEFORE)

    @property
    def outcome(self) -> str:
        """The verdict if there were no commands, else the worst state of the commands."""
        if self.notified is not None:
            return self.notified.state
        if self.asked is not None:
            return self.asked.state
        states = {command.state for command in self.commands}
        for state in _WORST_FIRST:
            if state in states:
                return State.FAILED.value if state is State.BROKEN else state.value
        return "done" if states else self.verdict.value

    @property
    def pending(self) -> list[Command]:
        """The commands that are pending."""
        return [command for command in self.commands if command.state is _PENDING]

    def with_commands(self, commands: tuple[Command, ...]) -> "JournalEntry":
        """Returns a copy with these commands and a new `due_at`.

        A guarding entry stays due when one of its own commands has ended, because the entries that
        it guards may now proceed. The customer's form is dropped when no command needs it any more.
        """
        kept = {} if any(map(_tells_the_form, commands)) else {"form": None, "words_at": None}
        pending = [command for command in commands if command.state is _PENDING]
        untried = self.due_at or self.time
        due = _due(pending, (), untried)
        if self.guards is not None and (due is None or len(pending) < len(self.pending)):
            due = untried if due is None else min(due, untried)
        return self.model_copy(update={"commands": commands, "due_at": due, **kept})

    def due_behind(self, lines: Collection[str]) -> datetime | None:
        """Returns when the entry is due, or None if all its commands wait.

        `lines` are those blocked by earlier entries.
        """
        return _due(self.pending, lines, self.due_at or self.time)


def _due(pending: Sequence[Command], lines: Collection[str], untried: datetime) -> datetime | None:
    """Returns when the first of these commands is due that is not in one of the lines.

    A command that waits behind another is not due before it. Otherwise commands that always fail
    would always be first in the sweep.
    """
    heads: dict[str, Command] = {}
    for command in pending:
        heads.setdefault(command.line, command)
    looks = [head.next_look or untried for line, head in heads.items() if line not in lines]
    return min(looks, default=None)


def _tells_the_form(command: Command) -> bool:
    return (
        isinstance(command, Publish | Post)
        and bool(command.readers)
        and command.state is State.PENDING
    )


def form_kept(form: JsonObject, said: str | None) -> tuple[JsonObject, tuple[str, str] | None]:
    """Returns what an entry keeps of a form besides what was said, and where that stands in it."""
    kept = {name: value for name, value in form.items() if name not in (FIELD, DETAILS)}
    for payload, names in WORDS.items():
        inside = kept.get(payload)
        for name in names:
            if said and isinstance(inside, dict) and inside.get(name) == said:
                return kept | {payload: {**inside, name: ""}}, (payload, name)
    return kept, None


def form_with(form: JsonObject, words_at: tuple[str, str] | None, said: str | None) -> JsonObject:
    """Returns a form with its words where they stood."""
    if words_at is None or said is None:
        return form
    payload, name = words_at
    inside = form.get(payload)
    return form | {payload: {**(inside if isinstance(inside, dict) else {}), name: said}}
