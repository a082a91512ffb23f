"""The models of answers, from which the OpenAPI document is generated."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.edge.answers import Answer
from shared.schemas.base import JsonObject
from shared.schemas.conversation import Phase
from shared.schemas.details import Details
from shared.schemas.devices import Received
from shared.schemas.journal import Verdict
from shared.schemas.notation import Time
from shared.schemas.people import Role
from shared.schemas.representative import Representative, RepresentativeType


class EventAnswer(Answer):
    name: str
    event_type: str
    representative: Representative


class ChannelView(Answer):
    """One of the customer's channels. `inUse` marks the one on which messages are sent to them."""

    conversation: str
    in_use: bool
    last_user_at: Time | None = None


class LinkView(Answer):
    """The result of a link: events of a desk's conversation act on a channel, or two channels
    belong to one customer.
    """

    kind: Literal["channel", "desk", "same-customer"]
    conversation: str
    to: str
    replies_on: str
    phase: Phase


class ContextView(Answer):
    """Where at its platform a conversation takes place, as its webhooks say."""

    label: str | None = None
    channel_id: str | None = None
    channel_name: str | None = None
    channel_engine: str | None = None
    business_id: str | None = None
    business_name: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    sender_name: str | None = None


class SessionView(Answer):
    """What is known of a session of a desk's virtual agent, with the fields of the Task_VA events.

    `dataParameters` is shown to admins, and to desks if the agent audience may see it.
    """

    chat_id: int | None = None
    call_id: int | None = None
    campaign_id: int | None = None
    campaign_name: str | None = None
    virtual_agent_id: int | None = None
    virtual_agent_name: str | None = None
    participant_id: int | None = None
    queue_id: int | None = None
    queue_path: str | None = None
    queue_language_id: str | None = None
    session_type: str | None = None
    conversation_id: str | None = None
    session_id: str | None = None
    data_parameters: JsonObject | None = None
    joined_at: Time | None = None
    left_at: Time | None = None
    finish_reason: str | None = None


class OfferView(Answer):
    """The offer that stands: `to` is the id of the person to whom the conversation is offered.

    `by` is who made it, None for Baton, which offers who waits (`push`).
    """

    id: str
    to: str
    name: str
    by: str | None = None
    push: bool
    reason: str | None = None
    note: str | None = None
    until: Time


class DeviceView(Answer):
    """What the customer's device has told since a person with an open page has the conversation.

    - `typingSeconds`: how long the customer still counts as typing, None while they do not type.
    - `receipts`: by the ids of messages to the customer, whether they have arrived or were read.
    """

    typing_seconds: float | None = None
    receipts: dict[str, Received]


class ConversationView(Answer):
    """A conversation. Variables, metadata and device are shown to keys of desks and admins only."""

    name: str
    phase: Phase
    representatives: tuple[Representative, ...] = ()
    customer_name: str | None = None
    locale: str | None = None
    waiting_since: Time | None = None
    human_since: Time | None = None
    request_reason: str | None = None
    desk: str | None = None
    passed_on: bool | None = None
    offer: OfferView | None = None
    request_metadata: JsonObject | None = None
    opens_at: Time | None = None
    closed_desk: str | None = None
    closed_until: Time | None = None
    first_response_seconds: float | None = None
    tracked: bool = False
    links: tuple[str, ...] = ()
    linked_to: str | None = None
    channels: tuple[ChannelView, ...] | None = None
    variables: JsonObject = Field(default_factory=dict)
    platform_context: ContextView | None = None
    virtual_agent_sessions: tuple[SessionView, ...] = ()
    pending: int | None = None
    version: int
    device: DeviceView | None = None
    queue_position: Annotated[int, Field(ge=1)] | None = None
    queue_position_at_least: bool | None = None
    link: LinkView | None = None


class QueueAnswer(Answer):
    conversations: tuple[ConversationView, ...]
    next_cursor: str | None = None


class CommandView(Answer):
    """A command of an event, and its state."""

    model_config = ConfigDict(extra="allow")

    id: str
    kind: str
    state: str
    attempts: int | None = None
    error: str | None = None


class EntryView(Answer):
    """One event of the journal, the decision on it, and its outcome.

    `details` is what came beside the words, as data. `time` is when Baton accepted it, `occurredAt`
    when it happened by the platform's clock.
    """

    id: str
    seq: int
    time: Time
    occurred_at: Time | None = None
    kind: str
    source: str
    actor: str | None = None
    event_id: str | None = None
    reason: str | None = None
    verdict: Verdict
    outcome: str
    text: str | None = None
    details: Details | None = None
    representative: Representative | None = None
    commands: tuple[CommandView, ...] = ()


class JournalAnswer(Answer):
    entries: tuple[EntryView, ...]
    next_cursor: str | None = None


class NamedAnswer(Answer):
    """The name of the created resource."""

    name: str


class ReceiptAnswer(Answer):
    """`name` ends in `/receipt`, as in Business Messages."""

    name: str
    receipt_type: Literal["READ"]


class MessageAnswer(Answer):
    """The message as accepted. Its content is in further fields.

    With `state` it waits until the customer writes. `template` is the message that asks them to.
    """

    model_config = ConfigDict(extra="allow")

    name: str
    message_id: str
    representative: Representative
    state: Literal["WAITING_FOR_CUSTOMER"] | None = None
    template: Literal["SENT", "ALREADY_SENT"] | None = None


class ColleagueView(Answer):
    """A person who answers. `room` is how many more conversations they take, None for any
    number.
    """

    id: str
    name: str
    languages: tuple[str, ...]
    desks: tuple[str, ...]
    available: bool
    room: int | None = None


class PeopleAnswer(Answer):
    """The people to whom a customer may be passed on, and the desks."""

    people: tuple[ColleagueView, ...]
    desks: tuple[str, ...]


class CannedText(Answer):
    """An answer to choose. `{customer}`, `{agent}` and `{desk}` in it are filled in."""

    language: str
    title: str
    text: str


class CannedAnswer(Answer):
    """The answers that people at the desk choose from."""

    answers: tuple[CannedText, ...]


class UploadAnswer(Answer):
    """An upload. `media_id` is for the `file` of a message in this conversation, until
    `expires_at`. `shown_as` is the kind as which the channel shows the file, None for a link.
    """

    media_id: str
    kind: str
    shown_as: str | None = None
    mime_type: str
    size: int
    sha256: str
    file_name: str | None = None
    expires_at: str


class SlotView(Answer):
    """A conversation that a person holds, or is offered."""

    conversation: str
    kind: Literal["offered", "held"]


class PresenceAnswer(Answer):
    """What a person does now. `until` is when the last of their pages is gone, None for a person
    without pages. Baton offers conversations while they are available and have room: their
    `capacity`, None for any number, is more than their `slots`.
    """

    state: Literal["available", "away"]
    until: Time | None = None
    capacity: int | None = None
    slots: tuple[SlotView, ...]


class MeAnswer(Answer):
    """Who calls: a person of BATON_AGENTS, or a system.

    - `may` are the types of representatives as which they speak. With `reports` they see the
      reports, and nothing else.
    - With `since` in the query: `since` is for the next request. `mine` are the conversations that
      the person holds or is offered, `queue` is who waits, longest wait first. `held` is who is
      with a human; only supervisors get it.
    """

    kind: Literal["person", "system"]
    id: str
    name: str
    avatar: str | None = None
    role: Role | None = None
    languages: tuple[str, ...] | None = None
    desks: tuple[str, ...] | None = None
    capacity: int | None = None
    may: tuple[RepresentativeType, ...]
    supervisor: bool
    admin: bool
    templates: bool
    reports: bool
    since: str | None = None
    presence: PresenceAnswer | None = None
    mine: tuple[ConversationView, ...] | None = None
    queue: tuple[ConversationView, ...] | None = None
    held: tuple[ConversationView, ...] | None = None


class SessionAnswer(MeAnswer):
    """Who has signed in, and until when the session lasts unless it is renewed."""

    until: Time


class SignInAnswer(Answer):
    """How people sign in here. Without `googleClientId`, with a key only."""

    google_client_id: str | None = None


class EmptyAnswer(Answer):
    """An empty object."""


class ReportAnswer(Answer):
    """A report. Times are local to `tz`; `classes` are the upper bounds in seconds of each
    distribution.
    """

    model_config = ConfigDict(extra="allow")

    since: Annotated[str, Field(alias="from")]
    until: Annotated[str, Field(alias="to")]
    tz: str
    classes: tuple[int, ...]
    total: JsonObject | None = None
    by: tuple[str, ...] | None = None
    rows: tuple[JsonObject, ...] | None = None
    reports: tuple[JsonObject, ...] | None = None
