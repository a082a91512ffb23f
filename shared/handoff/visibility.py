"""Which variables and which words reach which audience: all that leaves Baton passes here.

A key that is hidden from an audience is in nothing that is made for that audience, nor are the
customer's words that were captured under it. A bot reads all of the customer's words: they answer
what a bot asked.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime

from pydantic import JsonValue

from shared.handoff.said import in_words
from shared.schemas.base import JsonObject
from shared.schemas.commands import CallDesk, Listener, Post, Publish
from shared.schemas.details import Attachment, Details, first_words
from shared.schemas.journal import DETAILS, HIDDEN, WORDS, JournalEntry, form_with, unsealed
from shared.schemas.variables import Audience, Provenance, SessionVariable, Variable
from shared.schemas.virtual_agents import VirtualAgentSession
from shared.values import frozen

# Adds links to the files of what came beside a message: of a conversation's journal, and an entry.
Linked = Callable[[str, str, JsonObject], JsonObject]

KEPT_KEYS, KEPT_BYTES = 500, 200_000  # of a conversation

_HIDING: Mapping[Audience, str] = {
    Audience.EVENT: "invisible_to_adapter_events",
    Audience.AGENT: "invisible_to_agent",
    Audience.COMMENT: "invisible_to_agent",
}


@frozen
class Projection:
    """What each audience may see, and the keys of an invisible list that are not in the payload
    (a likely slip).
    """

    audiences: Mapping[Audience, JsonObject]
    unknown_keys: tuple[str, ...] = ()


def project(declared: SessionVariable) -> Projection:
    """Returns the payload as each audience may see it.

    `capture_type` opens an audience, the invisible lists close keys in it; what is invisible to the
    agent is not sent to the CRM record either (page session-data-agent-adapter).
    """
    payload = declared.payload or {}
    audiences = {
        audience: _without(payload, getattr(declared, _HIDING[audience]))
        for audience in _opened(declared)
    }
    listed = (*declared.invisible_to_agent, *declared.invisible_to_adapter_events)
    return Projection(audiences, tuple(sorted(set(listed) - set(payload))))


def readers(declared: SessionVariable, key: str) -> tuple[Audience, ...]:
    """Returns who may see what is captured under `key`."""
    return tuple(
        audience
        for audience in _opened(declared)
        if key not in getattr(declared, _HIDING[audience])
    )


def _opened(declared: SessionVariable) -> list[Audience]:
    return [audience for audience in Audience if audience.value in declared.capture_type]


def _without(payload: JsonObject, hidden: Iterable[str]) -> JsonObject:
    return {key: value for key, value in payload.items() if key not in set(hidden)}


def captured(
    payload: JsonObject, projection: Projection, captured_at: datetime, provenance: Provenance
) -> tuple[Variable, ...]:
    """Returns every key of `payload` with the audiences that may see it. A value that none may see
    is dropped here.
    """
    return tuple(
        Variable(
            key=key,
            value=payload[key] if readers else None,
            captured_at=captured_at,
            audiences=readers,
            provenance=provenance,
        )
        for key in payload
        for readers in [
            tuple(audience for audience, view in projection.audiences.items() if key in view)
        ]
    )


def merge(
    known: tuple[Variable, ...], new: Iterable[Variable], now: datetime
) -> tuple[Variable, ...]:
    """Returns the latest value of each key, by its own time but never later than `now`. A browser's
    report never replaces a fact.
    """
    latest = {variable.key: variable for variable in known}
    for variable in clamped(new, now):
        before = latest.get(variable.key)
        if before is None or _supersedes(variable, before):
            latest[variable.key] = variable
    return _within_limits(tuple(latest.values()))


def is_same(one: JsonValue, other: JsonValue) -> bool:
    """Returns whether two values are the same in JSON: 1 and 1.0 are, 1 and "1" or true are not.

    Python alone would say that 1 is True.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def clamped(variables: Iterable[Variable], now: datetime) -> tuple[Variable, ...]:
    """A clock that runs ahead must not make every later capture look old."""
    return tuple(
        one.model_copy(update={"captured_at": min(one.captured_at, now)}) for one in variables
    )


def _within_limits(variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    """Drops the oldest, browsers' reports before facts, so that no browser can fill the record
    that the conversation's messages need.
    """
    kept, room = set[str](), KEPT_BYTES
    for variable in sorted(variables, key=_worth, reverse=True)[:KEPT_KEYS]:
        room -= len(variable.model_dump_json().encode())
        if room >= 0:
            kept.add(variable.key)
    return tuple(variable for variable in variables if variable.key in kept)


def _worth(variable: Variable) -> tuple[bool, datetime]:
    return variable.provenance.signed, variable.captured_at


def _supersedes(new: Variable, before: Variable) -> bool:
    if new.provenance.signed != before.provenance.signed:
        return new.provenance.signed
    return new.captured_at >= before.captured_at


def seen_by(audience: Audience, variables: Iterable[Variable]) -> JsonObject:
    """Returns what this audience may see, by key."""
    return {
        variable.key: variable.value for variable in variables if audience in variable.audiences
    }


def metadata_for(
    audience: Audience, metadata: JsonObject | None, variables: Iterable[Variable]
) -> JsonObject | None:
    """Returns a request's metadata without the values of keys that are hidden from this
    audience as variables.
    """
    hidden = {variable.key for variable in variables if audience not in variable.audiences}
    return (
        {key: _without_hidden(key, value, hidden) for key, value in metadata.items()}
        if metadata
        else metadata
    )


def session_for(
    audience: Audience | None, session: VirtualAgentSession, variables: Iterable[Variable]
) -> JsonObject:
    """Returns what this audience may see of a virtual agent's session, under the names of the
    platform's events. An audience of None sees everything.
    """
    hidden = {"id", "data_parameters", "audiences", "heard_at", "provenance"}
    view: JsonObject = session.model_dump(
        mode="json", by_alias=False, exclude=hidden, exclude_none=True
    )
    kind, _, number = session.id.partition("-")
    view[f"{kind}_id"] = int(number) if number.isdecimal() else number
    if session.data_parameters and audience is None:
        view["data_parameters"] = session.data_parameters
    elif session.data_parameters and audience in session.audiences:
        view["data_parameters"] = metadata_for(audience, session.data_parameters, variables)
    return view


def _without_hidden(key: str, value: JsonValue, hidden: Collection[str]) -> JsonValue:
    if key in hidden:
        return HIDDEN
    if isinstance(value, dict):
        return {name: _without_hidden(name, inner, hidden) for name, inner in value.items()}
    return (
        [_without_hidden("", inner, hidden) for inner in value]
        if isinstance(value, list)
        else value
    )


def words_for(audience: Audience, entry: JournalEntry) -> str | None:
    """Returns what an entry says was said, as this audience may read it; None where nothing was."""
    if entry.text is None:
        return None
    return unsealed(entry.text) if _may_read(audience, entry.captured_for) else HIDDEN


def details_for(audience: Audience, entry: JournalEntry) -> JsonObject | None:
    """Returns what came beside the words, as this audience may read it; None where nothing did.

    Where the words are hidden, all of it is hidden that may hold them. What remains says which
    earlier message was changed or deleted.
    """
    if entry.details is None:
        return None
    details = unsealed(entry.details)
    if not _may_read(audience, entry.captured_for):
        return _hidden_details(details)
    return details if _may_read(audience, entry.quoted_for) else _without_quote(details)


def attachments_of(entry: JournalEntry) -> tuple[Attachment, ...]:
    """Returns the files of a message. They are for Baton itself, which fetches them for readers
    who were given a link.
    """
    details = {} if entry.details is None else unsealed(entry.details)
    return Details.model_validate({"attachments": details.get("attachments", ())}).attachments


def _hidden_details(details: JsonObject) -> JsonObject:
    known = _without_quote({name: details[name] for name in _OPEN_DETAILS if name in details})
    return known | ({"edited": {"text": HIDDEN}} if "edited" in details else {})


def _without_quote(details: JsonObject) -> JsonObject:
    about = details.get("about")
    if not isinstance(about, dict) or "text" not in about:
        return details
    return details | {"about": {**about, "text": HIDDEN}}


def plain_text_for(
    audience: Audience, entry: JournalEntry, linked: Linked | None = None
) -> str | None:
    """Returns an entry in words, for readers who get nothing else: a text that answers, changes or
    deletes an earlier message says so, and files have the links that `linked` makes. None where
    nothing was said or done.
    """
    words = in_words(words_for(audience, entry), details_for(audience, entry) or {})
    return "\n".join(filter(None, [words, *file_links(audience, entry, linked)])) or None


def file_links(audience: Audience, entry: JournalEntry, linked: Linked | None) -> list[str]:
    """Returns the links that `linked` makes to the files of an entry, without files whose own link
    stands in the words.
    """
    details = details_for(audience, entry)
    if linked is None or not details:
        return []
    words = words_for(audience, entry) or ""
    files = Details.model_validate(linked(entry.conversation, entry.id, details)).attachments
    return [one.url for one in files if one.url and not (one.link and one.link in words)]


def words_to_mask(entry: JournalEntry) -> str | None:
    """Returns what was said, to be looked for and hidden wherever it is said again; for no
    other use.
    """
    return None if entry.text is None else unsealed(entry.text)


def first_words_of(entry: JournalEntry) -> str | None:
    """Returns the first words of a message that another one is about. Who may read them is the
    `quoted_for` of that other one.
    """
    return None if entry.text is None else first_words(unsealed(entry.text))


def words_for_desk(entry: JournalEntry, command: CallDesk, linked: Linked | None = None) -> str:
    """Returns what the customer said or did as the desk of `command` may read it."""
    if command.text is not None:
        return command.text
    return plain_text_for(Audience.AGENT, entry, linked) or ""


def _may_read(audience: Audience, captured_for: Collection[Audience] | None) -> bool:
    return captured_for is None or audience in captured_for


def copies(
    hearers: tuple[Listener, ...], *hiding: Collection[Audience] | None
) -> Iterator[tuple[Listener, ...]]:
    """Yields who gets the same copy of the customer's words: all of them, unless a part is
    hidden from some. `hiding` is who may read each part, None if all may.
    """
    if all(_may_read(Audience.AGENT, readers) for readers in hiding):
        yield hearers
    else:
        yield from ((one,) for one in hearers)


# What may be known of a message in Business Messages form whose words may not.
_OPEN = ("agent", "conversationId", "customAgentId", "requestId", "sendTime", "context")
_OPEN_INSIDE = ("name", "messageId", "createTime", "message", "type")
# what is shown of a message whose words may not be known
_OPEN_DETAILS = ("about", "revoked", "previousConversationIds")


def body_of(entry: JournalEntry, command: Publish | Post) -> JsonObject:
    """Returns what leaves as a publication or to a webhook, as all of its readers may read it."""
    if not command.readers:
        return command.body
    form = unsealed(entry.form) if entry.form else {}
    said = unsealed(entry.text) if entry.text else None
    if "HUMAN" not in command.readers:
        known, details = form_with(form, entry.words_at, said), details_of(entry)
    else:
        hidden = not _may_read(Audience.AGENT, entry.captured_for)
        known = _hidden(form) if hidden else form_with(form, entry.words_at, said)
        details = details_for(Audience.AGENT, entry)
    return {**known, **({DETAILS: details} if details else {}), **command.body}


def details_of(entry: JournalEntry) -> JsonObject | None:
    """Returns what came beside the words, for the bot."""
    return unsealed(entry.details) if entry.details else None


def _hidden(form: JsonObject) -> JsonObject:
    """Returns that a message came, and when. Fields that are not known here may hold the words, so
    they are left out.
    """
    known: JsonObject = {name: form[name] for name in _OPEN if name in form}
    for payload, words in WORDS.items():
        inside = form.get(payload)
        if isinstance(inside, dict):
            shown: JsonObject = {name: inside[name] for name in _OPEN_INSIDE if name in inside}
            known[payload] = shown | {name: HIDDEN for name in words if name in inside}
    return known
