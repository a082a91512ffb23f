"""The only reader of the environment: a frozen model whose secrets never print."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from shared.errors import Misconfigured
from shared.logs import log
from shared.schemas.ids import sha256
from shared.schemas.representative import RepresentativeType
from shared.schemas.variables import Audience

GOOGLE_HOST = "https://businessmessages.googleapis.com"
SHORTEST_TOKEN_KEY = 32
EXACT_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?")


class ApiKey(BaseModel):
    """Who a key of the REST API is and what it may do. The key itself is kept as its SHA-256 only."""

    model_config = ConfigDict(frozen=True)

    name: str
    may: frozenset[RepresentativeType] = frozenset()
    admin: bool = False


def _list(value: object) -> object:
    return (
        tuple(part for part in (one.strip() for one in value.split(",")) if part) if isinstance(value, str) else value
    )


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


Secrets = Annotated[tuple[str, ...], BeforeValidator(_list), Field(repr=False)]
Secret = Annotated[str | None, Field(repr=False)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseModel):
    """One field per variable of README's table, lower case; the defaults are those of a deployed function."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    baton_store: str = ""
    baton_queue: Literal["", "inline", "pubsub"] = ""
    google_cloud_project: str | None = None
    firestore_emulator_host: str | None = None
    pubsub_emulator_host: str | None = None
    k_service: str | None = None

    business_messages_api_url: str = GOOGLE_HOST
    business_messages_auth: Annotated[str, Field(repr=False)] = ""
    business_messages_signing_keys: Secrets = ()
    business_messages_client_token: Secret = None
    csku_webhook_secrets: Secrets = ()
    baton_api_keys: Annotated[Mapping[str, ApiKey], BeforeValidator(_keys), Field(repr=False)] = {}

    unclaimed_after: Seconds = 120
    unclaimed_reminders: Annotated[int, Field(ge=0, le=100)] = 3
    human_idle_after: Seconds = 1800
    delivery_give_up_after: Seconds = 86400
    journal_ttl_days: Annotated[int, Field(ge=8)] = 30

    baton_bot: Literal["", "none", "acknowledge"] = ""
    baton_bot_name: str = "Hello World Agent"
    bot_webhook_url: Annotated[str | None, Field(repr=False)] = None
    desk_webhook_url: Annotated[str | None, Field(repr=False)] = None
    outbound_webhook_keys: Secrets = ()

    bridge_token_keys: Secrets = ()
    bridge_allowed_origins: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    bridge_variables_audiences: Annotated[tuple[Audience, ...], BeforeValidator(_list)] = (Audience.EVENT,)

    team_webhook_url: Secret = None
    team_webhook_secret: Secret = None
    slack_webhook_url: Secret = None
    google_chat_webhook_url: Secret = None
    baton_console_url: str | None = None

    @property
    def deployed(self) -> bool:
        return self.k_service is not None

    @property
    def webhooks(self) -> Mapping[str, str]:
        """Returns the plain webhook of each audience that has one."""
        urls = {"BOT": self.bot_webhook_url, "HUMAN": self.desk_webhook_url}
        return {audience: url for audience, url in urls.items() if url}

    @field_validator("baton_store")
    @classmethod
    def _store(cls, value: str) -> str:
        if value in ("", "firestore") or value.startswith("sqlite:///"):
            return value
        raise ValueError("give firestore or sqlite:///path")

    @field_validator(
        "business_messages_api_url",
        "bot_webhook_url",
        "desk_webhook_url",
        "team_webhook_url",
        "slack_webhook_url",
        "google_chat_webhook_url",
    )
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("give an address that begins with https://")
        return value

    @field_validator("team_webhook_secret")
    @classmethod
    def _team_secret(cls, value: str | None) -> str | None:
        """The Standard Webhooks scheme keys its hash with the decoded bytes."""
        if value is not None and not base64.b64decode(value.removeprefix("whsec_"), validate=True):
            raise ValueError("give a base64 secret")
        return value

    @field_validator("bridge_token_keys")
    @classmethod
    def _token_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(key.encode()) < SHORTEST_TOKEN_KEY for key in value):
            raise ValueError(f"a key of HS256 has at least {SHORTEST_TOKEN_KEY} bytes (RFC 7518, 3.2)")
        return value

    @field_validator("bridge_allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(EXACT_ORIGIN.fullmatch(origin) for origin in value):
            raise ValueError("give exact origins in lower case, like https://crm.example.com, without a path")
        return value

    @field_validator("business_messages_auth")
    @classmethod
    def _auth(cls, value: str) -> str:
        if value in ("", "google", "none") or value.startswith("bearer:"):
            return value
        raise ValueError("give google, none or bearer:<token>")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Returns the settings with their defaults filled in. Raises Misconfigured, having logged each fault."""
    given = {name.lower(): value.strip() for name, value in environment.items() if value.strip()}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise _misconfigured("; ".join(faults)) from None
    return _with_defaults(settings)


def _with_defaults(settings: Settings) -> Settings:
    deployed = settings.deployed
    google = settings.business_messages_api_url.rstrip("/") == GOOGLE_HOST
    filled: dict[str, Any] = {
        "baton_store": settings.baton_store or ("firestore" if deployed else "sqlite:///.baton/baton.sqlite"),
        "baton_queue": settings.baton_queue or ("pubsub" if deployed else "inline"),
        "baton_bot": settings.baton_bot or ("none" if deployed else "acknowledge"),
        "business_messages_auth": settings.business_messages_auth or ("google" if google else "none"),
    }
    if deployed and (filled["baton_store"] != "firestore" or filled["baton_queue"] != "pubsub"):
        raise _misconfigured(
            "BATON_STORE, BATON_QUEUE: sqlite and inline are for one machine; use firestore and pubsub"
        )
    return settings.model_copy(update=filled)


def _misconfigured(fault: str) -> Misconfigured:
    log("ERROR", f"the settings are wrong: {fault}")
    return Misconfigured()


DOORS: Mapping[str, tuple[str, ...]] = {
    "receive_webhook": (
        "business_messages_signing_keys",
        "business_messages_client_token",
        "csku_webhook_secrets",
    ),
    "send_representative": ("baton_api_keys",),
    "forward_variables": ("bridge_token_keys", "bridge_allowed_origins"),
}


def closed_doors(settings: Settings, function: str) -> list[str]:
    """Returns the secrets that this function's doors need and do not have."""
    missing = [name for name in DOORS.get(function, ()) if not getattr(settings, name)]
    if function == "deliver_outbox" and settings.webhooks and not settings.outbound_webhook_keys:
        missing.append("outbound_webhook_keys")
    if function == "notify_handoff" and settings.team_webhook_url and not settings.team_webhook_secret:
        missing.append("team_webhook_secret")
    return [name.upper() for name in missing]
