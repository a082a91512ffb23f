"""Which variables reach whom. A key that is hidden from an audience is in nothing that is made for that audience."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from shared.schemas.base import JsonObject
from shared.schemas.variables import Audience, Provenance, SessionVariable, Variable

HIDDEN = "[hidden]"
KEPT_KEYS, KEPT_BYTES = 500, 200_000  # of a conversation

_HIDING: Mapping[Audience, str] = {
    Audience.EVENT: "invisible_to_adapter_events",
    Audience.AGENT: "invisible_to_agent",
    Audience.COMMENT: "invisible_to_agent",
}


@dataclass(frozen=True, slots=True)
class Projection:
    """What each audience may see, and the keys of an invisible list that are not in the payload (a likely slip)."""

    audiences: Mapping[Audience, JsonObject]
    unknown_keys: tuple[str, ...] = ()


def project(declared: SessionVariable) -> Projection:
    """Returns the payload as each audience may see it.

    `capture_type` opens an audience, the invisible lists close keys in it; what is invisible to the agent is not sent
    to the CRM record either (page session-data-agent-adapter).
    """
    payload = declared.payload or {}
    audiences = {audience: _without(payload, getattr(declared, _HIDING[audience])) for audience in _opened(declared)}
    listed = (*declared.invisible_to_agent, *declared.invisible_to_adapter_events)
    return Projection(audiences, tuple(sorted(set(listed) - set(payload))))


def readers(declared: SessionVariable, key: str) -> tuple[Audience, ...]:
    """Returns who may see what is captured under `key`."""
    return tuple(audience for audience in _opened(declared) if key not in getattr(declared, _HIDING[audience]))


def _opened(declared: SessionVariable) -> list[Audience]:
    return [audience for audience in Audience if audience.value in declared.capture_type]


def _without(payload: JsonObject, hidden: Iterable[str]) -> JsonObject:
    return {key: value for key, value in payload.items() if key not in set(hidden)}


def captured(
    payload: JsonObject, projection: Projection, captured_at: datetime, provenance: Provenance
) -> tuple[Variable, ...]:
    """Returns every key of `payload` with who may see it; a value that nobody may see goes no further than here."""
    return tuple(
        Variable(
            key=key,
            value=payload[key] if readers else None,
            captured_at=captured_at,
            audiences=readers,
            provenance=provenance,
        )
        for key in payload
        for readers in [tuple(audience for audience, view in projection.audiences.items() if key in view)]
    )


def merge(known: tuple[Variable, ...], new: Iterable[Variable], now: datetime) -> tuple[Variable, ...]:
    """Returns the latest value of each key: by its own time, never later than `now`, and never a claim over a fact."""
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
    return tuple(one.model_copy(update={"captured_at": min(one.captured_at, now)}) for one in variables)


def _within_limits(variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    """Drops the oldest, claims before facts: no browser may fill the record that its conversation's messages need."""
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


def words_for(audience: Audience, said: str, captured_for: Collection[Audience] | None) -> str:
    """Returns the customer's words as this audience may read them, of which a variable may have been made."""
    return said if captured_for is None or audience in captured_for else HIDDEN


def seen_by(audience: Audience, variables: Iterable[Variable]) -> JsonObject:
    """Returns what this audience may see, by key."""
    return {variable.key: variable.value for variable in variables if audience in variable.audiences}
