"""Reads the environment into a frozen model whose secrets are not in its repr.

Nothing else reads the environment.
"""

import re
from collections.abc import Collection, Mapping
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
from shared.platforms.ccai.names import EVERYTHING, NOW_OFFICIAL
from shared.platforms.matrix.names import PREFIX
from shared.platforms.unverified import SAFE
from shared.schemas.canned import Canned
from shared.schemas.canned import checked as canned_checked
from shared.schemas.notation import sha256
from shared.schemas.people import Person
from shared.schemas.representative import NAME_LIMIT
from shared.schemas.variables import Audience
from shared.settings.faults import faults
from shared.settings.people import People
from shared.settings.secrets import strong, weak_keys
from shared.settings.types import (
    LONGEST_DAYS,
    LONGEST_SECONDS,
    Agent,
    ApiKey,
    ApiKeys,
    Auth,
    ChatAudience,
    ClientId,
    CommentUrl,
    Desks,
    Domains,
    Facts,
    Heard,
    Hosts,
    KeyRow,
    MatrixServerName,
    MediaBucket,
    Names,
    Origins,
    PhoneNumberIds,
    PlatformNames,
    ReopenTemplate,
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
    canned,
    names,
    words,
)

GOOGLE_HOST = "https://businessmessages.googleapis.com"
GOOGLE_CHAT_HOST = "https://chat.googleapis.com"
RCS_HOST = "https://rcsbusinessmessaging.googleapis.com"
# includes the regional hosts
RCS_HOSTS = re.compile(r"https://([a-z0-9]+-)?rcsbusinessmessaging\.googleapis\.com/?")


class Settings(BaseModel):
    """One field per environment variable, lower case; the defaults are those of a deployed
    function.

    The text below a field is its meaning in the table of functions/README.md.
    """

    # Validation errors must not contain the values, which may be secrets.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    baton_store: Store = ""
    """Where state lives: `firestore`, or `sqlite:///path` on one machine."""
    baton_queue: Literal["", "inline", "pubsub"] = ""
    """What wakes delivery: `pubsub`, or `inline` on one machine."""
    baton_deliver_in_place: Literal["", "off", "on"] = ""
    """`on`: the function that accepts an event delivers what it can deliver quickly, before it
    answers. `off`: all is delivered by `deliver_outbox`. The default is `on` with `pubsub`.
    """
    google_cloud_project: str | None = None
    """The project of Firestore and Pub/Sub; by default the deployment's."""
    baton_prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,9}$")] = "baton"
    """What the names of this Baton's topics begin with, where a project holds more than one."""
    baton_database: Annotated[
        str, Field(pattern=r"^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$")
    ] = "(default)"
    """The Firestore database."""
    firestore_emulator_host: str | None = None
    """An emulator to use instead of Firestore."""
    pubsub_emulator_host: str | None = None
    """An emulator to use instead of Pub/Sub."""
    k_service: str | None = None
    baton_platforms: PlatformNames = ()
    """The platforms in use, by the names of their webhooks' paths: at start a function logs what
    these need and lacks a value. `make deploy` and terraform fill it in from the secrets that have
    a value. Empty: all webhooks.
    """

    business_messages_api_url: Url = GOOGLE_HOST
    """Where messages to customers on Business Messages go."""
    business_messages_auth: Auth = ""
    """How these calls are authorised: `google`, `none` or `bearer:<token>`. The default is
    `google` for Google's host and `none` for others.
    """
    business_messages_signing_keys: Secrets = ()
    """Keys of `X-Goog-Signature`: the partner key, the client token, or both."""
    business_messages_client_token: Secret = None
    """The token that proves the webhook's address in the handshake."""
    csku_webhook_secrets: Secrets = ()
    """The secrets that CSKU AI sends in `Authorization`."""
    rcs_client_tokens: Secrets = ()
    """Client tokens of the RCS webhooks (the partner's, an agent's). They prove the address
    and sign each webhook.
    """
    rcs_api_url: Url = RCS_HOST
    """Where RCS messages go. A region has its own host, like
    `https://europe-rcsbusinessmessaging.googleapis.com`.
    """
    rcs_auth: Auth = ""
    """How these calls are authorised: `google`, `none` or `bearer:<token>`. The default is
    `google` for Google's hosts and `none` for others.
    """
    rcs_traffic_type: TrafficType = "SERVICEREQUEST"
    """The `messageTrafficType` of each message, which agents with several uses must state."""
    whatsapp_app_secrets: Secrets = ()
    """App secrets, which sign `X-Hub-Signature-256`."""
    whatsapp_verify_token: Secret = None
    """The token that Meta repeats when it checks the webhook's address."""
    whatsapp_api_url: Url = "https://graph.facebook.com/v23.0"
    """Where WhatsApp messages go; the version of the API is part of it."""
    whatsapp_access_token: Secret = None
    """A system user's token, which sends messages. Without it messages wait, and the journal
    says `door-closed`.
    """
    ccai_webhook_secrets: Secrets = ()
    """The CCAI Platform's webhook secrets, primary and secondary."""
    ccai_signature_max_age: Annotated[float, Field(ge=0, le=LONGEST_SECONDS)] = 0
    """Seconds after which a signature is too old; `0` accepts any age, because the form of
    the timestamp is not documented.
    """
    ccai_events_user: str | None = None
    """The user of external session events, which say that an agent was assigned."""
    ccai_events_password: Secret = None
    """The password of external session events."""
    ccai_api_url: Url | None = None
    """Where chats are created: `https://<subdomain>.<domain>/apps/api/v1`."""
    ccai_api_user: str | None = None
    """The subdomain, which is the user of the API."""
    ccai_api_token: Secret = None
    """The token of an API credential."""
    ccai_menu_id: int | None = None
    """The queue of new chats, unless the desk's row names one."""
    ccai_unofficial: UnofficialFacts = EVERYTHING
    """Which facts may be used that no official page states; `none` for none. The CCAI
    Platform's page lists them.
    """
    csku_api_url: Url = "https://api.csku.ai"
    """Where CSKU AI's conversations are flagged."""
    csku_api_business: str | None = None
    """The API's header `Business`."""
    csku_api_secret: Secret = None
    """The API's header `Secret`."""
    csku_media_hosts: Hosts = ()
    """The hosts that have the files of CSKU AI's messages, as exact names or, beginning with a dot,
    with all names below. Its pages name none: take them from a message. Without it no file of
    CSKU AI's is fetched.
    """
    csku_need_human: bool = False
    """`true` flags a CSKU AI conversation whose customer needs a human. No API takes the flag
    back.
    """
    google_chat_api_url: Url = GOOGLE_CHAT_HOST
    """Where the threads of desks of the kind `google_chat` are."""
    google_chat_auth: Auth = ""
    """How these calls are authorised: `google`, `none` or `bearer:<token>`. The default is
    `google` for Google's host and `none` for others.
    """
    google_chat_audience: ChatAudience | None = None
    """For whom Google Chat's tokens are made: the number of the app's project or the address of the
    webhook, as the app's configuration says.
    """
    google_chat_push_account: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    """The service account of a Pub/Sub push subscription that brings Google Chat's events, if one
    does.
    """
    matrix_api_url: Url | None = None
    """The homeserver of Matrix, where its client-server API is."""
    matrix_server_name: MatrixServerName | None = None
    """The homeserver's name, which ends the addresses of its users, like `example.org`."""
    matrix_as_token: Secret = None
    """The `as_token` of the registration, with which Baton acts for customers."""
    matrix_hs_tokens: Secrets = ()
    """The `hs_token` of the registration, which proves the homeserver's transactions."""
    matrix_user_prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._=-]{1,31}$")] = PREFIX
    """What the names of customers and rooms on the homeserver begin with. It is part of the
    registration.
    """
    matrix_room_end: Literal["tombstone", "leave"] = "tombstone"
    """What becomes of a room at the end: `tombstone` closes it and an erase still reaches it; with
    `leave` the customer leaves it.
    """
    slack_api_url: Url = "https://slack.com/api"
    """Where Slack's Web API is."""
    slack_bot_token: Secret = None
    """The token of the Slack app's bot user, which begins with `xoxb-`."""
    slack_signing_secrets: Secrets = ()
    """The Slack app's signing secret, which proves events and buttons."""
    whatsapp_app_name: Annotated[str, Field(max_length=NAME_LIMIT)] = "WhatsApp Business app"
    """The name of a human who answers in the WhatsApp Business app, which names no author."""
    whatsapp_numbers: PhoneNumberIds = ()
    """The ids of the WhatsApp phone numbers that Baton serves, separated by commas. Webhooks of the
    app's other numbers are acknowledged and left alone. Without it Baton serves all of them.
    """
    whatsapp_messages_per_second: Annotated[float, Field(ge=1, le=1000)] = 80
    """How many messages a second one number may send: 20 for a number that is also in the
    WhatsApp Business app, up to 1,000 for one that Meta has upgraded.
    """
    whatsapp_groups: Literal["off", "on"] = "off"
    """`on` makes each WhatsApp group a conversation of its own; `off` leaves groups alone."""
    whatsapp_after_human: Literal["baton", "meta"] = "baton"
    """Who answers after the last human has left, where another sender shares the number. `meta`
    gives control back to Meta's agent; with `baton` the bot goes on.
    """
    whatsapp_reopen_template: ReopenTemplate | None = None
    """`name/language` of an approved template that asks the customer to write, like
    `answer_ready/en_US`. With it a message outside of the 24 hours waits for them, else it is
    refused. Set it once every function has this version.
    """
    unverified_facts: Facts = SAFE
    """Which unverified facts of channels count; `none` for none. The page on channels lists
    them.
    """
    baton_api_keys: ApiKeys = {}
    """The keys of the API: `{"<key>": {"name": "bot", "may": ["BOT"], "admin": false}}`. `may`
    lists BOT, HUMAN or both. With `"templates": true` a key may send approved templates, with
    `"supervisor": true` it may move and take over what others hold, and with `"reports": true`
    it sees the reports and nothing else. `{"<key>": {"person": "jane@example.com"}}` is the key
    of a person of `BATON_AGENTS`.
    """
    baton_agents: People = {}
    """The people who answer, by e-mail address or by another word, as JSON:
    `{"jane@example.com": {"name": "Jane Doe", "role": "agent"}}`. Each may have `avatar`,
    `languages`, `desks`, `capacity` and `role`: `agent`, `supervisor`, `reports` or `admin`.
    """
    baton_session_keys: Secrets = ()
    """Keys of the cookies with which people stay signed in. The first one makes cookies, and each
    one reads them.
    """
    baton_sign_in_client_id: ClientId | None = None
    """The client id of Sign in with Google. Without it people sign in with a key only."""
    baton_sign_in_domains: Domains = ()
    """The domains of Google Workspace whose accounts may sign in, like `example.com`. Empty: any
    address of `BATON_AGENTS` that Google vouches for.
    """
    baton_canned: Annotated[Canned, BeforeValidator(canned), AfterValidator(canned_checked)] = {}
    """Answers that people at the desk choose from, by language and title, as JSON:
    `{"en": {"Greeting": "Hello {customer}, I am {agent}."}}`. `{customer}`, `{agent}` and `{desk}`
    are filled in.
    """
    baton_desks: Desks = ()
    """Which desk gets which handoff, as a JSON list. Without it there is one desk, `api`, which
    is always open.
    """

    unclaimed_after: Seconds = 120
    """Seconds until the team is reminded of a request that no human has taken."""
    unclaimed_reminders: Annotated[int, Field(ge=0, le=100)] = 3
    """Reminders before the handoff fails and the customer hears it."""
    human_idle_after: Seconds = 1800
    """Seconds without a human message after which `HUMAN_IDLE` follows."""
    human_idle: Literal["bot", "queue", "queue-then-bot"] = "bot"
    """Where a customer goes whose human is silent or gone: back to the `bot`, into the `queue`, or
    with `queue-then-bot` into the queue for `UNCLAIMED_AFTER` only. While the desk is closed they
    go to the bot.
    """
    offer_seconds: Seconds = 45
    """Seconds in which a person may accept a conversation that is offered to them."""
    presence_seconds: Seconds = 90
    """Seconds after its last word for which a page of a person counts as open. When none is open,
    what they hold goes on as `HUMAN_IDLE` says.
    """
    baton_assign: Literal["pull", "push"] = "pull"
    """`push` offers each customer who waits to a person who is available; with `pull` people take
    them from the queue.
    """
    baton_back_asked: Literal["off", "on"] = "off"
    """`on` lets the customer end a handoff with the words of the notice `back_asked`."""
    baton_survey: Literal["off", "on"] = "off"
    """`on` asks the customer after a handoff how satisfied they are, from 1 to 5."""
    bot_turns_limit: Annotated[int, Field(ge=0)] = 100
    """Turns of bots in one conversation within `BOT_TURNS_WITHIN` and with no human in between;
    `0` for any number.
    """
    bot_turns_within: Seconds = 3600
    """Seconds in which these turns are counted, and the length of the pause that follows."""
    delivery_give_up_after: Seconds = 86400
    """Seconds for which a failing delivery is tried. While WhatsApp refuses the access token
    nothing is given up.
    """
    reopen_give_up_after: Annotated[float, Field(gt=0, le=604800)] = 259200
    """Seconds for which a message waits for the customer to write, at most a week."""
    journal_ttl_days: Annotated[int, Field(ge=8, le=LONGEST_DAYS)] = 30
    """Days for which the journal is kept, at least 8, because platforms redeliver for 7."""
    reports_ttl_days: Annotated[int, Field(ge=8, le=LONGEST_DAYS)] = 400
    """Days for which the counts of the reports are kept, at least 8."""
    reports_stream: Literal["off", "on"] = "off"
    """`on` publishes each measure on `baton-handoffs` too, for BigQuery."""

    baton_bot: Literal["", "none", "acknowledge", "dialogflow"] = ""
    """The built-in bot: `none` (your own bot answers), `acknowledge` or `dialogflow`. A local run
    with `BOT_WEBHOOK_URL` has `none`.
    """
    baton_bot_hears: Heard = ()
    """What bots hear beside messages, if they ask for it: `reactions`."""
    baton_bot_name: str = "Hello World Agent"
    """The name with which Baton's own notices and the built-in bot speak."""
    baton_notices: Annotated[Templates, BeforeValidator(words), AfterValidator(checked)] = {}
    """Your own words for the notices of `shared/handoff/notices.json`, by language, as JSON:
    `{"en": {"joined": "{name} is here now."}}`.
    """
    baton_language: str = "en"
    """The language of Baton's own words where the customer's is unknown: `en`, `es`, `id`, `pt`,
    `zh`, or one that `BATON_NOTICES` adds.
    """
    notices_off: Names = ()
    """Channels on which Baton sends none of its own words."""
    name_prefix_off: Names = ()
    """Channels on which no name stands before a human's words."""
    disclosure_off: Names = ()
    """Channels on which the customer does not hear that an automated assistant speaks again.
    Some laws require that they do.
    """
    bot_webhook_url: SecretUrl = None
    """A plain webhook that receives what the bot hears."""
    desk_webhook_url: SecretUrl = None
    """A plain webhook that receives what the desk hears."""
    outbound_webhook_keys: Secrets = ()
    """Keys that sign these two webhooks; the first one signs."""

    dialogflow_agent: Agent | None = None
    """`projects/<p>/locations/<l>/agents/<a>`, with `/environments/<e>` if you like."""
    dialogflow_api_url: Url | None = None
    """Where Dialogflow CX is; the default is the host of the agent's region."""
    dialogflow_auth: Auth = ""
    """How these calls are authorised: `google`, `none` or `bearer:<token>`. The default is
    `google` for Google's hosts and `none` for others.
    """
    dialogflow_languages: Annotated[Names, Field(min_length=1)] = ("en",)
    """The agent's languages. The first one serves customers who speak none of them."""
    dialogflow_timeout: Annotated[float, Field(gt=0, le=40)] = 20
    """Seconds for one answer, at most 40."""
    dialogflow_on_failure: Literal["apologize", "escalate"] = "apologize"
    """What follows a failure: `apologize`, or `escalate` to apologize and ask for a human."""

    media_url: Url | None = None
    """The address of `relay_media`. Without it nobody gets links to the files of a conversation."""
    media_link_keys: Secrets = ()
    """Keys of these links. The first one makes links, and each one reads them."""
    media_link_seconds: Seconds = 3600
    """Seconds until a link expires. A new one is made whenever the conversation is read."""
    media_bucket: MediaBucket = None
    """Where files are kept as long as the journal: a Cloud Storage bucket, or
    `file:///directory` on one machine. Without it they stay at the platforms. Set it once every
    function has this version.
    """

    crm_comment_url: CommentUrl = None
    """Where comments for the CRM record go. `{conversation_id}`, `{platform}`, `{native_id}` and
    `{comment_id}` in its path or query are filled in.
    """
    crm_comment_method: Literal["POST", "PUT", "PATCH"] = "POST"
    """The method of that call: `POST`, `PUT` or `PATCH`."""
    crm_comment_secret: WebhookSecrets = ()
    """Base64 secrets that sign comments by the Standard Webhooks scheme; each of them signs."""
    crm_comment_authorization: Secret = None
    """The whole `Authorization` header, for a CRM that needs one."""

    bridge_token_keys: TokenKeys = ()
    """Keys of the tokens that agents' browsers carry, at least 32 bytes each."""
    bridge_allowed_origins: Origins = ()
    """Exact origins of the CRM pages, like `https://crm.example.com`."""
    bridge_variables_audiences: Annotated[tuple[Audience, ...], BeforeValidator(names)] = (
        Audience.EVENT,
    )
    """The audiences that a browser's reports reach: any of `event`, `agent` and `comment`."""

    virtual_agent_failed: Literal["ignore", "request-human"] = "ignore"
    """What follows when a desk's virtual agent leaves with a `finish_reason` that tells of a
    failure. With `request-human` a signed webhook requests a human, and a browser's report notifies
    the team.
    """

    notify_answered: Literal["off", "on"] = "on"
    """`off`: the team is not notified of a human's first message in a handoff."""
    team_webhook_url: SecretUrl = None
    """A plain webhook that receives each notification for the team."""
    team_webhook_secret: WebhookSecret = None
    """The base64 secret that signs it by the Standard Webhooks scheme."""
    slack_webhook_url: SecretUrl = None
    """The incoming webhook of the team's Slack channel; the address is a secret."""
    google_chat_webhook_url: SecretUrl = None
    """The incoming webhook of the team's Google Chat space; the address is a secret."""
    baton_console_url: Url | None = None
    """The page that notifications link to; `{conversation}` in it is filled in."""

    @property
    def deployed(self) -> bool:
        """Whether the process runs as a Cloud Run service."""
        return self.k_service is not None

    @property
    def webhooks(self) -> Mapping[str, str]:
        """Returns the webhook URL of each audience that has one."""
        urls = {"BOT": self.bot_webhook_url, "HUMAN": self.desk_webhook_url}
        return {audience: url for audience, url in urls.items() if url}

    @property
    def people(self) -> Mapping[str, Person]:
        """Returns the people who answer, by their ids."""
        return {one: row.of(one) for one, row in self.baton_agents.items()}

    @property
    def api_keys(self) -> Mapping[str, ApiKey]:
        """Returns who calls with which key. The keys are there as SHA-256.

        The key of somebody who is not in `BATON_AGENTS` is left out.
        """
        people = self.people
        return {
            key: ApiKey.of_person(people[row.person]) if row.person else ApiKey.of_system(row)
            for key, row in self.baton_api_keys.items()
            if row.person is None or row.person in people
        }

    @property
    def ccai_events_login(self) -> str | None:
        """Returns `user:password` of external session events, or None unless both are set."""
        login = (self.ccai_events_user, self.ccai_events_password)
        return ":".join(part for part in login if part) if all(login) else None

    @field_validator("baton_language")
    @classmethod
    def _language(cls, value: str, known: ValidationInfo) -> str:
        notices(known.data.get("baton_notices", {}), value)
        return value


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Returns the settings with their defaults.

    Logs the faults and raises Misconfigured if some are invalid. A weak secret is logged and counts
    as missing: its door stays closed, the others open.
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
    _check_facts(read.get("ccai_unofficial", ""))
    hidden = {sha256(key) for key in no_keys}
    keys = {key: row for key, row in settings.baton_api_keys.items() if key not in hidden}
    _check_owners(keys.values(), settings.baton_agents)
    return _with_defaults(settings.model_copy(update={"baton_api_keys": keys}))


def _check_facts(given: str) -> None:
    """Logs facts that a setting from before still names, although they have become official."""
    for one in sorted({word.strip() for word in given.split(",")} & {*NOW_OFFICIAL}):
        log("WARNING", f"CCAI_UNOFFICIAL: leave out {one}; it is official now, and always counts")


def _check_owners(keys: Collection[KeyRow], people: Collection[str]) -> None:
    """Logs keys of people who are not there. Raises Misconfigured where a system has the id of a
    person, because it would act as that person.
    """
    for row in keys:
        if row.person is not None and row.person not in people:
            log("ERROR", "a key counts as missing: its person is not in BATON_AGENTS")
    if any(row.name is not None and row.name.lower() in people for row in keys):
        raise _misconfigured(
            'BATON_API_KEYS: a name is that of a person in BATON_AGENTS; write "person" in place '
            'of "name", or give another name'
        )


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
        "google_chat_auth": settings.google_chat_auth
        or ("google" if settings.google_chat_api_url.rstrip("/") == GOOGLE_CHAT_HOST else "none"),
        "rcs_auth": settings.rcs_auth or ("google" if rcs_google else "none"),
    }
    filled["baton_deliver_in_place"] = settings.baton_deliver_in_place or (
        "on" if filled["baton_queue"] == "pubsub" else "off"
    )
    if deployed and (filled["baton_store"] != "firestore" or filled["baton_queue"] != "pubsub"):
        raise _misconfigured(
            "BATON_STORE, BATON_QUEUE: sqlite and inline are for one machine; use firestore and "
            "pubsub"
        )
    if deployed and (settings.media_bucket or "").startswith("file:"):
        raise _misconfigured("MEDIA_BUCKET: a directory is for one machine; name a bucket")
    return settings.model_copy(update=filled)


def _dialogflow_host(agent: str | None) -> str:
    """Returns the host of the agent's region. The region `global` has no host of its own.

    https://docs.cloud.google.com/dialogflow/cx/docs/concept/region
    """
    location = agent.split("/")[3] if agent else "global"
    return f"https://{'' if location == 'global' else f'{location}-'}dialogflow.googleapis.com"


def _misconfigured(fault: str) -> Misconfigured:
    log("ERROR", f"the settings are wrong: {fault}")
    return Misconfigured(fault)
