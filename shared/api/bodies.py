"""The bodies of requests, their validation, and defaults for fields that callers leave out."""

import re
from typing import Annotated, Literal, Self

import pydantic_core
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from shared.errors import BadRequest, Forbidden
from shared.schemas.base import JsonObject, Theirs
from shared.schemas.content import TEXT_LIMIT, Content, File
from shared.schemas.content_rules import first_fault, is_address
from shared.schemas.events import METADATA_LIMIT, REASON_LIMIT
from shared.schemas.people import Person
from shared.schemas.representative import NAME_LIMIT, Representative, RepresentativeType
from shared.settings.types import ApiKey

HUMAN = RepresentativeType.HUMAN
NOTE_LIMIT = 4000  # characters
CallerId = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=REASON_LIMIT)]


class GivenFile(File):
    """A file as a caller gives it: by its public https address, or by the id of an upload."""

    model_config = ConfigDict(extra="ignore")

    size: SkipJsonSchema[None] = None
    upload: SkipJsonSchema[None] = None
    native_id: SkipJsonSchema[None] = None
    source_id: SkipJsonSchema[None] = None
    channel: SkipJsonSchema[None] = None
    sha256: SkipJsonSchema[None] = None
    journal: SkipJsonSchema[None] = None
    entry: SkipJsonSchema[None] = None
    instead: SkipJsonSchema[None] = None


class MessageBody(Content):
    model_config = ConfigDict(extra="ignore")

    message_id: CallerId
    representative: Representative | None = None
    file: GivenFile | None = None

    @field_validator("text", "fallback")
    @classmethod
    def _says_something(cls, text: str | None) -> str | None:
        if text is not None and not text.strip():
            raise ValueError("must hold more than white space")
        return text


class EventBody(Theirs):
    event_type: Literal[
        "REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT", "TYPING_STARTED", "TYPING_STOPPED"
    ]
    representative: Representative | None = None


class ReceiptBody(Theirs):
    receipt_type: Literal["READ"]


class SurveyBody(Theirs):
    """An empty object: a survey's questions are configured on the platform."""


class Human(Theirs):
    """A human. The name is required, because it distinguishes humans in a conversation."""

    representative_type: Literal[RepresentativeType.HUMAN] = RepresentativeType.HUMAN
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=NAME_LIMIT)]
    avatar_image: Annotated[str, StringConstraints(max_length=2048)] | None = None

    @property
    def representative(self) -> Representative:
        """The human as a representative."""
        return Representative.model_validate(self.model_dump())


class _Verb(Theirs):
    request_id: CallerId | None = None


def _small(metadata: JsonObject) -> JsonObject:
    if len(pydantic_core.to_json(metadata)) > METADATA_LIMIT:
        raise ValueError(f"must take at most {METADATA_LIMIT} bytes as JSON")
    return metadata


class RequestHumanBody(_Verb):
    reason: Reason
    metadata: Annotated[JsonObject, AfterValidator(_small)] | None = None


class ClaimBody(_Verb):
    """`offer` is the offer that the person accepts."""

    representative: Human | None = None
    offer: CallerId | None = None


class TransferTo(Theirs):
    """Exactly one of them: a person's id, a desk's name, or the queue of the present desk."""

    agent: CallerId | None = None
    desk: CallerId | None = None
    queue: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(one is not None for one in (self.agent, self.desk, self.queue)) != 1:
            raise ValueError('give {"agent": ...}, {"desk": ...} or {"queue": true}')
        return self


class TransferBody(_Verb):
    """`from` is who has the conversation, as `holder` names them in a refusal; a supervisor who is
    not present must give it. `note` is for the colleague, and is never shown to the customer.
    """

    to: TransferTo
    representative: Human | None = None
    from_: str | None = Field(default=None, alias="from")
    reason: Reason
    note: Annotated[str, StringConstraints(min_length=1, max_length=NOTE_LIMIT)] | None = None


class OfferBody(_Verb):
    offer: CallerId


class TakeOverBody(_Verb):
    """`from` is who has the conversation, as `holder` names them in a refusal; it must be given
    while a human is there.
    """

    representative: Human | None = None
    from_: str | None = Field(default=None, alias="from")
    reason: Reason | None = None


class NoteBody(_Verb):
    representative: Human | None = None
    text: Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LIMIT, pattern=r"\S")]


class ReleaseBody(_Verb):
    representative: Human | None = None
    reason: Reason | None = None


class FailBody(_Verb):
    reason: Reason


PAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PAGE_FORM = "give letters and digits, at most 64"


class PresenceBody(Theirs):
    """`page` is a name that an open page has chosen for itself; without one the person works by the
    API only, and Baton offers them nothing.
    """

    state: Literal["available", "away"]
    page: Annotated[str, StringConstraints(pattern=f"^{PAGE_ID.pattern}$")] | None = None


class SignInBody(Theirs):
    """`key` is a person's own. `credential` is what Sign in with Google gives to a page."""

    key: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    credential: Annotated[str, Field(min_length=1, max_length=8192)] | None = None


class LinkBody(Theirs):
    to: Annotated[str, Field(min_length=1, max_length=300)]


class RenameBody(Theirs):
    """`name` is written as a conversation's id with the number or user id in it."""

    name: Annotated[str, Field(min_length=1, max_length=300)]
    to: Annotated[str, Field(min_length=1, max_length=300)]


def must_be_sound(content: Content) -> None:
    """Raises BadRequest for content that some channel would refuse."""
    found = first_fault(content)
    if found is not None:
        field, fault = found
        raise BadRequest("schema", f"{field}: {fault}." if field else f"{fault}.", field=field)


def themselves(person: Person, given: Representative | None) -> Representative:
    """Returns the person as a representative. Raises Forbidden if another name is given.

    The picture is that of `BATON_AGENTS`, whatever is given.
    """
    if given is not None and given.display_name not in (None, person.name):
        raise Forbidden(
            "not-yourself",
            "You speak as yourself, under the name in BATON_AGENTS; leave out representative.",
            name=person.name,
        )
    return person.representative


def speaker(given: Representative | None, caller: ApiKey, bot_name: str) -> Representative:
    """Returns the representative of a request.

    A person speaks as themselves. If it is left out, the type is the only one that the key may
    speak as. Raises BadRequest if the key may speak as both, Forbidden for another person's name.
    """
    if caller.person is not None and not (given and given.representative_type is not HUMAN):
        return themselves(caller.person, given)
    if given is not None:
        if given.avatar_image is not None and not is_address(given.avatar_image):
            field = "representative.avatarImage"
            raise BadRequest(
                "schema", f"{field}: must be a percent-encoded http or https address.", field=field
            )
        return given.known
    if len(caller.may) != 1:
        raise BadRequest(
            "schema",
            "representative: required, because this key may speak as BOT and as HUMAN.",
            field="representative",
        )
    (kind,) = caller.may
    name = bot_name if kind is RepresentativeType.BOT else caller.name
    return Representative(representative_type=kind, display_name=name)
