"""The only reader of the environment: a frozen model whose secrets never print."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from shared.errors import Misconfigured
from shared.handoff.notices import Templates, checked, notices
from shared.logs import log
from shared.platforms.ccai.names import EVERYTHING
from shared.platforms.unverified import SAFE
from shared.schemas.ids import sha256
from shared.schemas.representative import NAME_LIMIT
from shared.schemas.variables import Audience
from shared.settings.faults import faults
from shared.settings.secrets import strong, weak_keys
from shared.settings.types import (
    LONGEST_DAYS,
    LONGEST_SECONDS,
    Agent,
    ApiKeys,
    Auth,
    CommentUrl,
    Desks,
    Facts,
    Names,
    Origins,
    Seconds,
    Secret,
    Secrets,
    SecretUrl,
    Store,
    TokenKeys,
    TrafficType,
    UnofficialFacts,
    Url,
    WebhookSecret,
    WebhookSecrets,
    names,
    words,
)

GOOGLE_HOST = "https://businessmessages.googleapis.com"
RCS_HOST = "https://rcsbusinessmessaging.googleapis.com"
# one for each region, too
RCS_HOSTS = re.compile(r"https://([a-z0-9]+-)?rcsbusinessmessaging\.googleapis\.com/?")


class Settings(BaseModel):
    """One field per variable of README's table, lower case; the defaults are those of a
    deployed function.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    baton_store: Store = ""
    baton_queue: Literal["", "inline", "pubsub"] = ""
    google_cloud_project: str | None = None
    firestore_emulator_host: str | None = None
    pubsub_emulator_host: str | None = None
    k_service: str | None = None

    business_messages_api_url: Url = GOOGLE_HOST
    business_messages_auth: Auth = ""
    business_messages_signing_keys: Secrets = ()
    business_messages_client_token: Secret = None
    csku_webhook_secrets: Secrets = ()
    rcs_client_tokens: Secrets = ()
    rcs_api_url: Url = RCS_HOST
    rcs_auth: Auth = ""
    rcs_traffic_type: TrafficType = "SERVICEREQUEST"
    whatsapp_app_secrets: Secrets = ()
    whatsapp_verify_token: Secret = None
    whatsapp_api_url: Url = "https://graph.facebook.com/v23.0"
    whatsapp_access_token: Secret = None
    ccai_webhook_secrets: Secrets = ()
    ccai_signature_max_age: Annotated[float, Field(ge=0, le=LONGEST_SECONDS)] = 0
    ccai_events_user: str | None = None
    ccai_events_password: Secret = None
    ccai_api_url: Url | None = None
    ccai_api_user: str | None = None
    ccai_api_token: Secret = None
    ccai_menu_id: int | None = None
    ccai_unofficial: UnofficialFacts = EVERYTHING
    csku_api_url: Url = "https://api.csku.ai"
    csku_api_business: str | None = None
    csku_api_secret: Secret = None
    csku_need_human: bool = False
    whatsapp_app_name: Annotated[str, Field(max_length=NAME_LIMIT)] = "WhatsApp Business app"
    unverified_facts: Facts = SAFE
    baton_api_keys: ApiKeys = {}
    baton_desks: Desks = ()

    unclaimed_after: Seconds = 120
    unclaimed_reminders: Annotated[int, Field(ge=0, le=100)] = 3
    human_idle_after: Seconds = 1800
    bot_turns_limit: Annotated[int, Field(ge=0)] = 100
    bot_turns_within: Seconds = 3600
    delivery_give_up_after: Seconds = 86400
    journal_ttl_days: Annotated[int, Field(ge=8, le=LONGEST_DAYS)] = 30
    reports_ttl_days: Annotated[int, Field(ge=8, le=LONGEST_DAYS)] = 400
    reports_stream: Literal["off", "on"] = "off"

    baton_bot: Literal["", "none", "acknowledge", "dialogflow"] = ""
    baton_bot_name: str = "Hello World Agent"
    baton_notices: Annotated[Templates, BeforeValidator(words), AfterValidator(checked)] = {}
    baton_language: str = "en"
    notices_off: Names = ()
    name_prefix_off: Names = ()
    disclosure_off: Names = ()
    bot_webhook_url: SecretUrl = None
    desk_webhook_url: SecretUrl = None
    outbound_webhook_keys: Secrets = ()

    dialogflow_agent: Agent | None = None
    dialogflow_api_url: Url | None = None
    dialogflow_auth: Auth = ""
    dialogflow_languages: Annotated[Names, Field(min_length=1)] = ("en",)
    dialogflow_timeout: Annotated[float, Field(gt=0, le=40)] = 20
    dialogflow_on_failure: Literal["apologize", "escalate"] = "apologize"

    crm_comment_url: CommentUrl = None
    crm_comment_method: Literal["POST", "PUT", "PATCH"] = "POST"
    crm_comment_secret: WebhookSecrets = ()
    crm_comment_authorization: Secret = None

    bridge_token_keys: TokenKeys = ()
    bridge_allowed_origins: Origins = ()
    bridge_variables_audiences: Annotated[tuple[Audience, ...], BeforeValidator(names)] = (
        Audience.EVENT,
    )

    team_webhook_url: SecretUrl = None
    team_webhook_secret: WebhookSecret = None
    slack_webhook_url: SecretUrl = None
    google_chat_webhook_url: SecretUrl = None
    baton_console_url: Url | None = None

    @property
    def deployed(self) -> bool:
        return self.k_service is not None

    @property
    def webhooks(self) -> Mapping[str, str]:
        """Returns the plain webhook of each audience that has one."""
        urls = {"BOT": self.bot_webhook_url, "HUMAN": self.desk_webhook_url}
        return {audience: url for audience, url in urls.items() if url}

    @property
    def ccai_events_login(self) -> str | None:
        """Returns `user:password` of external session events, None unless both are set."""
        login = (self.ccai_events_user, self.ccai_events_password)
        return ":".join(part for part in login if part) if all(login) else None

    @field_validator("baton_language")
    @classmethod
    def _language(cls, value: str, known: ValidationInfo) -> str:
        notices(known.data.get("baton_notices", {}), value)
        return value


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Returns the settings with their defaults filled in. Raises Misconfigured, having logged
    each fault.

    A weak secret is logged and counts as missing: its door stays closed, the others open.
    """
    read = {name.lower(): value.strip() for name, value in environment.items() if value.strip()}
    one_machine = "k_service" not in read or "firestore_emulator_host" in read
    given, weak = strong(read, development=one_machine)
    no_keys, weak_too = weak_keys(read, development=one_machine)
    for fault in (*weak, *weak_too):
        log("ERROR", f"a secret counts as missing: {fault}")
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise _misconfigured(faults(error, given)) from None
    hidden = {sha256(key) for key in no_keys}
    keys = {key: may for key, may in settings.baton_api_keys.items() if key not in hidden}
    return _with_defaults(settings.model_copy(update={"baton_api_keys": keys}))


def _with_defaults(settings: Settings) -> Settings:
    deployed = settings.deployed
    google = settings.business_messages_api_url.rstrip("/") == GOOGLE_HOST
    dialogflow = settings.dialogflow_api_url or _dialogflow_host(settings.dialogflow_agent)
    rcs_google = RCS_HOSTS.fullmatch(settings.rcs_api_url)
    filled: dict[str, Any] = {
        "baton_store": settings.baton_store
        or ("firestore" if deployed else "sqlite:///.baton/baton.sqlite"),
        "baton_queue": settings.baton_queue or ("pubsub" if deployed else "inline"),
        "baton_bot": settings.baton_bot
        or ("none" if deployed or settings.bot_webhook_url else "acknowledge"),
        "business_messages_auth": settings.business_messages_auth
        or ("google" if google else "none"),
        "dialogflow_api_url": dialogflow,
        "dialogflow_auth": settings.dialogflow_auth
        or ("google" if dialogflow.rstrip("/").endswith("dialogflow.googleapis.com") else "none"),
        "rcs_auth": settings.rcs_auth or ("google" if rcs_google else "none"),
    }
    if deployed and (filled["baton_store"] != "firestore" or filled["baton_queue"] != "pubsub"):
        raise _misconfigured(
            "BATON_STORE, BATON_QUEUE: sqlite and inline are for one machine; use firestore and "
            "pubsub"
        )
    return settings.model_copy(update=filled)


def _dialogflow_host(agent: str | None) -> str:
    """Returns the host of the agent's region; the agents of `global` have none of their own.

    https://docs.cloud.google.com/dialogflow/cx/docs/concept/region
    """
    location = agent.split("/")[3] if agent else "global"
    return f"https://{'' if location == 'global' else f'{location}-'}dialogflow.googleapis.com"


def _misconfigured(fault: str) -> Misconfigured:
    log("ERROR", f"the settings are wrong: {fault}")
    return Misconfigured(fault)


DOORS: Mapping[str, tuple[str, ...]] = {
    "receive_webhook": (
        "business_messages_signing_keys",
        "business_messages_client_token",
        "csku_webhook_secrets",
        "rcs_client_tokens",
        "whatsapp_app_secrets",
        "whatsapp_verify_token",
        "ccai_webhook_secrets",
    ),
    "send_representative": ("baton_api_keys",),
    "forward_variables": ("bridge_token_keys", "bridge_allowed_origins"),
}

WHATSAPP_SENDERS = ("send_representative", "deliver_outbox")


def closed_doors(settings: Settings, function: str) -> list[str]:
    """Returns the secrets that this function's doors need and do not have."""
    missing = [name for name in DOORS.get(function, ()) if not getattr(settings, name)]
    if function == "deliver_outbox" and settings.webhooks and not settings.outbound_webhook_keys:
        missing.append("outbound_webhook_keys")
    if (
        function == "deliver_outbox"
        and settings.crm_comment_url
        and not settings.crm_comment_secret
    ):
        missing.append("crm_comment_secret")
    if (
        function in WHATSAPP_SENDERS
        and settings.whatsapp_app_secrets
        and not settings.whatsapp_access_token
    ):
        missing.append("whatsapp_access_token")
    if (
        function == "run_bot"
        and settings.baton_bot == "dialogflow"
        and not settings.dialogflow_agent
    ):
        missing.append("dialogflow_agent")
    if (
        function == "notify_handoff"
        and settings.team_webhook_url
        and not settings.team_webhook_secret
    ):
        missing.append("team_webhook_secret")
    return [name.upper() for name in missing]
