"""The setting `BATON_AGENTS`: the people who answer customers.

It has no secrets. The keys of people are in `BATON_API_KEYS`.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from shared.handoff.routing.desk import tags_of_languages
from shared.schemas.content_rules import is_address
from shared.schemas.people import Person, Role
from shared.schemas.representative import NAME_LIMIT

_ID = re.compile(r"[^\s\x00-\x1f\x7f]{1,254}")  # RFC 5321 allows 254 characters to an address
FORM = 'give a JSON object, like {"jane@example.com": {"name": "Jane Doe"}}'


class PersonRow(BaseModel):
    """A person as `BATON_AGENTS` has them."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LIMIT)
    ]
    avatar: Annotated[str, StringConstraints(max_length=2048)] | None = None
    languages: Annotated[tuple[str, ...], AfterValidator(tags_of_languages)] = ()
    desks: tuple[str, ...] = ()
    capacity: Annotated[int, Field(ge=0)] | None = None
    role: Role = Role.AGENT

    @model_validator(mode="after")
    def _address(self) -> Self:
        if self.avatar is not None and not is_address(self.avatar):
            raise ValueError("avatar: give the address of a picture that begins with https://")
        return self

    def of(self, person_id: str) -> Person:
        """Returns the person whose id this is."""
        return Person(id=person_id, **self.model_dump())


def _rows(value: object) -> object:
    """Returns the rows by the ids of the people, in lower case."""
    if not isinstance(value, str):
        return value
    try:
        pairs = json.loads(value, object_pairs_hook=_Pairs)
    except json.JSONDecodeError:
        pairs = None
    if not isinstance(pairs, _Pairs):
        raise ValueError(FORM)
    ids = [key.lower() for key, _ in pairs]
    if not all(_ID.fullmatch(one) for one in ids):
        raise ValueError("name each person by an e-mail address, or a word without spaces")
    if len(set(ids)) < len(ids):
        raise ValueError("a person is in it twice; upper and lower case are the same")
    return {one: _plain(row) for one, (_, row) in zip(ids, pairs, strict=True)}


class _Pairs(list[tuple[str, object]]):
    """The pairs of a JSON object, in which a name may occur twice."""


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, _Pairs) else value


def _distinct(rows: Mapping[str, PersonRow]) -> Mapping[str, PersonRow]:
    """Raises ValueError where two people have one name: customers know people by their names."""
    if len({row.name.casefold() for row in rows.values()}) < len(rows):
        raise ValueError("two people have the same name; customers could not tell them apart")
    return rows


People = Annotated[Mapping[str, PersonRow], BeforeValidator(_rows), AfterValidator(_distinct)]
