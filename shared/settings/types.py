"""The types of settings. Each one validates its variable and explains what to give instead."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from shared.handoff.routing.desk import Desk, desk_list, distinct
from shared.platforms.ccai.names import NOW_OFFICIAL, Unofficial
from shared.platforms.unverified import Fact
from shared.schemas.notation import sha256
from shared.schemas.people import Person, Role
from shared.schemas.representative import RepresentativeType

SHORTEST_TOKEN_KEY = 32
LONGEST_DAYS = 36_500  # a date must be able to hold it
LONGEST_SECONDS = LONGEST_DAYS * 86_400
PHONE_NUMBER_ID = re.compile(r"[0-9]{1,32}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
DIRECTORY = re.compile(r"file:///[^?#]+")
HOST = re.compile(r"\.?([a-z0-9-]+\.)+[a-z0-9-]+")
DOMAIN = re.compile(r"([a-z0-9-]+\.)+[a-z0-9-]+")
AUDIENCE = re.compile(r"[0-9]{1,20}")
MATRIX_SERVER_NAME = re.compile(r"([A-Za-z0-9.-]{1,230}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
CLIENT_ID = re.compile(r"[a-z0-9-]+\.apps\.googleusercontent\.com")
TEMPLATE = re.compile(r"[a-z0-9_]{1,512}/[a-z]{2,3}(_[A-Z]{2})?")
EXACT_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?")
_PART = r"[A-Za-z0-9_.:~-]+"
AGENT = re.compile(rf"projects/{_PART}/locations/[a-z0-9-]+/agents/{_PART}(/environments/{_PART})?")
PLACEHOLDERS = ("conversation_id", "platform", "native_id", "comment_id")


def _phone_number_ids(value: tuple[str, ...]) -> tuple[str, ...]:
    """Raises ValueError for a telephone number, the usual mistake."""
    if not all(PHONE_NUMBER_ID.fullmatch(one) for one in value):
        raise ValueError(
            "give the phone number ids of Meta's page API Setup, like 106540352242922,"
            " and not telephone numbers"
        )
    return value


class KeyRow(BaseModel):
    """A key as `BATON_API_KEYS` has it: that of a system, with a `name` and rights, or that of a
    `person` of `BATON_AGENTS`, whose rights follow from their role.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    name: str | None = None
    person: str | None = None
    may: frozenset[RepresentativeType] = frozenset()
    admin: bool = False
    templates: bool = False
    supervisor: bool = False
    reports: bool = False

    @field_validator("person")
    @classmethod
    def _id(cls, value: str | None) -> str | None:
        return value and value.lower()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        speaks = bool(self.may) or self.admin or self.templates or self.supervisor
        if (self.name is None) is (self.person is None):
            raise ValueError("give the name of a system, or the person of BATON_AGENTS")
        if self.person is not None and (speaks or self.reports):
            raise ValueError("the rights of a person follow from the role in BATON_AGENTS")
        if self.reports and speaks:
            raise ValueError("a key with reports sees reports and nothing else; give two keys")
        return self


class ApiKey(BaseModel):
    """Who calls the API, and with which rights. Of the key itself only its SHA-256 is kept.

    - `name`: the name under which it holds conversations; a person's is their id.
    - `templates`: it may send templates, which reach customers at any time and may cost money.
    - `supervisor`: it may move and take over the conversations of others.
    - `reports`: it sees the reports, and nothing else.
    - `person`: the person who calls, who speaks as themselves. A system's key has none, and may
      speak for anybody.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    may: frozenset[RepresentativeType] = frozenset()
    admin: bool = False
    templates: bool = False
    supervisor: bool = False
    reports: bool = False
    person: Person | None = None

    @classmethod
    def of_system(cls, row: KeyRow) -> "ApiKey":
        """Returns the key of a system. An admin's may do what a supervisor may."""
        rights = row.model_dump(exclude={"person", "supervisor"})
        return cls(supervisor=row.supervisor or row.admin, **rights)

    @classmethod
    def of_person(cls, person: Person) -> "ApiKey":
        """Returns the key of a person, with the rights of their role."""
        admin = person.role is Role.ADMIN
        answers = person.role is not Role.REPORTS
        return cls(
            name=person.id,
            may=frozenset({RepresentativeType.HUMAN} if answers else ()),
            admin=admin,
            templates=admin,
            supervisor=admin or person.role is Role.SUPERVISOR,
            reports=person.role is Role.REPORTS,
            person=person,
        )


def names(value: object) -> object:
    """Returns the parts of a comma-separated list."""
    return (
        tuple(part for part in (one.strip() for one in value.split(",")) if part)
        if isinstance(value, str)
        else value
    )


def _facts(value: object) -> object:
    """Returns the parts of a comma-separated list, an empty one for `none`."""
    return () if value == "none" else names(value)


def _unofficial(value: object) -> object:
    """Returns the facts without those that have become official: they count in any case."""
    given = _facts(value)
    return (
        tuple(one for one in given if one not in NOW_OFFICIAL)
        if isinstance(given, tuple)
        else given
    )


def words(value: object) -> object:
    """Returns an operator's own notices, by language and notice. Raises ValueError."""
    return _by_language(value, '{"en": {"joined": "{name} is here."}}')


def canned(value: object) -> object:
    """Returns an operator's answers, by language and title. Raises ValueError."""
    return _by_language(value, '{"en": {"Greeting": "Hello {customer}, I am {agent}."}}')


def _by_language(value: object, form: str) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"give a JSON object, like {form}") from error


def _keys(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        keys = json.loads(value)
    except json.JSONDecodeError:
        keys = None
    if not isinstance(keys, dict):
        raise ValueError('give a JSON object, like {"secret-key": {"name": "bot", "may": ["BOT"]}}')
    if any(not key or key != key.strip() for key in keys):
        raise ValueError("a key is empty or has white space around it")
    return {sha256(key): rights for key, rights in keys.items()}


def _store(value: str) -> str:
    if value in ("", "firestore") or value.startswith("sqlite:///"):
        return value
    raise ValueError("give firestore or sqlite:///path")


def _url(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
        raise ValueError("give an address that begins with https://")
    return value


def _comment_url(value: str) -> str:
    """Returns the URL.

    Raises ValueError if the host contains a placeholder or a placeholder is unknown.

    A payload must not determine the host of a call.
    """
    host = urlsplit(_url(value)).netloc
    if "{" in host or "}" in host:
        raise ValueError("the host must not hold a placeholder")
    if not re.fullmatch(rf"([^{{}}]|{{({'|'.join(PLACEHOLDERS)})}})*", value):
        raise ValueError(
            f"the placeholders are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}"
        )
    return value


def _auth(value: str) -> str:
    if value in ("", "google", "none") or value.startswith("bearer:"):
        return value
    raise ValueError("give google, none or bearer:<token>")


def _audience(value: str) -> str:
    if not (AUDIENCE.fullmatch(value) or value.startswith("https://")):
        raise ValueError(
            "give the number of the Chat app's project, like 123456789012, or the address of the "
            "webhook, which begins with https://"
        )
    return value


def _webhook_secret(value: str) -> str:
    """Returns the secret.

    Standard Webhooks uses the decoded bytes as the key, so it must be base64.
    """
    if not base64.b64decode(value.removeprefix("whsec_"), validate=True):
        raise ValueError("give a base64 secret")
    return value


def _token_keys(value: tuple[str, ...]) -> tuple[str, ...]:
    if any(len(key.encode()) < SHORTEST_TOKEN_KEY for key in value):
        raise ValueError(f"a key of HS256 has at least {SHORTEST_TOKEN_KEY} bytes (RFC 7518, 3.2)")
    return value


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(EXACT_ORIGIN.fullmatch(origin) for origin in value):
        raise ValueError(
            "give exact origins in lower case, like https://crm.example.com, without a path"
        )
    return value


def _template(value: str) -> str:
    if not TEMPLATE.fullmatch(value):
        raise ValueError("give name/language of an approved template, like answer_ready/en_US")
    return value


def _media_bucket(value: str) -> str:
    if not (BUCKET.fullmatch(value) or DIRECTORY.fullmatch(value)):
        raise ValueError("give the name of a Cloud Storage bucket, or file:///directory")
    return value


def _hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(HOST.fullmatch(one) for one in value):
        raise ValueError(
            "give names of hosts in lower case, like files.example.com or .example.com"
        )
    return value


def _matrix_server_name(value: str) -> str:
    if not MATRIX_SERVER_NAME.fullmatch(value):
        raise ValueError("give the name without https://, like example.org")
    return value


def _domains(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(DOMAIN.fullmatch(one) for one in value):
        raise ValueError("give domains of Google Workspace in lower case, like example.com")
    return value


def _client_id(value: str) -> str:
    if not CLIENT_ID.fullmatch(value):
        raise ValueError(
            "give the client id of a web application, like 123-abc.apps.googleusercontent.com"
        )
    return value


def _agent(value: str) -> str:
    if not AGENT.fullmatch(value):
        raise ValueError(
            "give projects/<p>/locations/<l>/agents/<a>, with /environments/<e> if you like"
        )
    return value


Secret = Annotated[str | None, Field(repr=False)]
Facts = Annotated[frozenset[Fact], BeforeValidator(_facts)]
Names = Annotated[tuple[str, ...], BeforeValidator(names)]
Heard = Annotated[tuple[Literal["reactions"], ...], BeforeValidator(names)]
PlatformName = Literal[
    "business_messages", "csku", "rcs", "whatsapp", "ccai", "google_chat", "matrix", "slack"
]
PlatformNames = Annotated[tuple[PlatformName, ...], BeforeValidator(names)]
Secrets = Annotated[Names, Field(repr=False)]
Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS)]
ApiKeys = Annotated[Mapping[str, KeyRow], BeforeValidator(_keys), Field(repr=False)]
TrafficType = Literal[
    "AUTHENTICATION", "TRANSACTION", "PROMOTION", "SERVICEREQUEST", "ACKNOWLEDGEMENT"
]
Store = Annotated[str, AfterValidator(_store)]
Url = Annotated[str, AfterValidator(_url)]
SecretUrl = Annotated[Url | None, Field(repr=False)]
CommentUrl = Annotated[Annotated[str, AfterValidator(_comment_url)] | None, Field(repr=False)]
ChatAudience = Annotated[str, AfterValidator(_audience)]
Auth = Annotated[str, AfterValidator(_auth), Field(repr=False)]
WebhookSecret = Annotated[Annotated[str, AfterValidator(_webhook_secret)] | None, Field(repr=False)]
WebhookSecrets = Annotated[
    tuple[Annotated[str, AfterValidator(_webhook_secret)], ...],
    BeforeValidator(names),
    Field(repr=False),
]
TokenKeys = Annotated[Names, AfterValidator(_token_keys), Field(repr=False)]
Hosts = Annotated[Names, AfterValidator(_hosts)]
MatrixServerName = Annotated[str, AfterValidator(_matrix_server_name)]
Domains = Annotated[Names, AfterValidator(_domains)]
ClientId = Annotated[str, AfterValidator(_client_id)]
Origins = Annotated[Names, AfterValidator(_origins)]
PhoneNumberIds = Annotated[Names, AfterValidator(_phone_number_ids)]
UnofficialFacts = Annotated[tuple[Unofficial, ...], BeforeValidator(_unofficial)]
ReopenTemplate = Annotated[str, AfterValidator(_template)]
MediaBucket = Annotated[str, AfterValidator(_media_bucket)] | None
Agent = Annotated[str, AfterValidator(_agent)]
Desks = Annotated[tuple[Desk, ...], BeforeValidator(desk_list), AfterValidator(distinct)]
