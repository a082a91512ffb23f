"""Events, in Baton's own terms: facts that happened, and requests.

Platform formats are parsed in `shared/platforms`.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from shared.schemas.base import JsonObject, NonEmpty, Ours
from shared.schemas.commands import Listener, SendMessage
from shared.schemas.content import Content
from shared.schemas.conversation import Ahead, AwaitedReply, Holder, OwnAct
from shared.schemas.details import Attachment, Details
from shared.schemas.notation import Time, entry_id, sha256
from shared.schemas.people import PersonSeen
from shared.schemas.platform_context import PlatformContext
from shared.schemas.representative import Representative
from shared.schemas.variables import Audience, Variable
from shared.schemas.virtual_agents import VirtualAgentSession

REASON_LIMIT, METADATA_LIMIT = 500, 8192  # characters, bytes


def attachments_by_customer(event: "Event") -> tuple[Attachment, ...]:
    """Returns the files of what a customer said, none for any other event."""
    details = event.details if isinstance(event, ByCustomer) else None
    return details.attachments if details else ()


class GivenName(Ours):
    """A name that a webhook gives for the customer: the id of its document. `strong` is as in Name;
    `other` is the document under which the same number may have been known before.
    """

    id: str
    strong: bool = False
    other: str | None = None


class Event(Ours):
    """The fields that all events have.

    - `id`: the native id, unique together with `kind` in `source`, the conversation that reports
      the event.
    - `fact`: the event has happened and cannot be refused; False for a request. `key` is the API
      key of a request.
    - `keeps_id`: the id is also used towards the customer's platform.
    - `occurred_at`: by the platform's clock; if None, the time of arrival is used.
    - `address`: the platform's own id of the conversation. `strong_address` is one that is never
      another person's, where the event tells it.
    - `also`: further native ids under which the same event may be delivered.
    - `native_id`: the platform's own id if `id` is derived from it. It is used in calls to the
      platform and never shown.
    - `floor`: who is active at the platform, by this event. THEIRS: another sender is to answer
      what the customer did, and Baton only heard it. None if the event does not say.
    - `heard_by`: who got the same event when it came before with `floor` THEIRS; it has an entry
      of its own then. None if it did not come before.
    - `own_act`: what the platform accepted of ours last, where the decision needs it.
    - `held` are the messages that wait for the customer, by their entries, where the event may
      send or end them. Two conversations that became one may have messages of the same id.
    - `names` are the customer's names, where the platform has several for one customer; `source`
      is then the first of them, until it is known whose they are.
    - `context`: where at its platform the event took place.
    - `beside` names the fields that the digest leaves out.

    Events are neither stored nor sent, so their fields have no aliases: to make those of all kinds
    takes 5 ms of a start.
    """

    model_config = ConfigDict(alias_generator=None)

    kind: ClassVar[str] = "event"
    id_space: ClassVar[str] = "event"
    beside: ClassVar[set[str]] = {
        "occurred_at",
        "key",
        "actor",
        "address",
        "strong_address",
        "also",
        "ahead",
        "native_id",
        "floor",
        "heard_by",
        "own_act",
        "held",
        "names",
        "context",
    }

    id: NonEmpty
    source: NonEmpty
    actor: str
    fact: bool = True
    occurred_at: Time | None = None
    key: str | None = None
    address: str | None = None
    strong_address: str | None = None
    keeps_id: bool = False
    also: tuple[str, ...] = ()
    native_id: str | None = None
    floor: Holder | None = None
    heard_by: tuple[Listener, ...] | None = None
    own_act: OwnAct | None = None
    held: Mapping[str, SendMessage] = Field(default_factory=dict)
    names: tuple[GivenName, ...] = ()
    context: PlatformContext | None = None

    @property
    def entry_id(self) -> str:
        """Returns the id of the journal entry.

        As in Business Messages, the ids of callers form one id space for messages and one for
        events. So BOT and HUMAN messages cannot share an id, nor can JOINED and LEFT. What was
        only heard before has a second entry where it came to Baton.
        """
        space = self.id_space if self.keeps_id else self.kind
        is_ours_now = self.heard_by is not None
        return entry_id(self.source, f"{space} ours" if is_ours_now else space, self.id)

    @property
    def digest(self) -> str:
        """Returns a hash of the content. It distinguishes a repetition from a reuse of the id."""
        return sha256(self.kind + self.model_dump_json(exclude=self.beside))

    @property
    def text(self) -> str | None:
        """The text that was said, for the journal."""
        return None

    @property
    def over(self) -> str | None:
        """The desk conversation that this event separates from the customer's, None for most
        events.
        """
        return None


class ByCustomer(Event):
    """What the customer did, for those who hear it.

    - `form` is the complete message in Business Messages form, for bots and desks.
    - `details` is what comes beside its words, as data. `quoted_for` is who may read the words of
      the earlier message that it names, None if all may.
    """

    beside: ClassVar[set[str]] = {*Event.beside, "details", "quoted_for"}

    form: JsonObject
    said: str | None = None
    details: Details | None = None
    quoted_for: tuple[Audience, ...] | None = None

    @property
    def text(self) -> str | None:
        return self.said

    @property
    def about(self) -> str | None:
        """The earlier message that this one names, None if it names none."""
        about = self.details.about if self.details else None
        return about.message if about else None


class FromUser(ByCustomer):
    """Something the customer sent.

    `ahead` is set if the customer asked for their position in the queue.
    """

    ahead: Ahead | None = None
    locale: str | None = None
    customer_name: str | None = None


class UserMessage(FromUser):
    """A message of the customer."""

    kind: ClassVar[str] = "user_message"


class SuggestionResponse(FromUser):
    """The customer tapped a suggestion."""

    kind: ClassVar[str] = "suggestion_response"


class SurveyResponse(FromUser):
    """The customer answered the platform's survey."""

    kind: ClassVar[str] = "survey_response"


class AuthenticationResponse(FromUser):
    """It contains an OAuth code, so the journal keeps no text of it."""

    kind: ClassVar[str] = "authentication_response"


class Reaction(FromUser):
    """The customer reacted to a message with an emoji, or took the reaction back.

    It answers nothing, so a bot hears it only if it asks for reactions.
    """

    kind: ClassVar[str] = "reaction"


class CallPermission(FromUser):
    """The customer allowed or refused calls of the business."""

    kind: ClassVar[str] = "call_permission"


class Correction(ByCustomer):
    """The customer changed or deleted an earlier message, the one of `details.about`.

    `heard` is who heard that message, and `captured_for` who may read it, None if all may. It is no
    new message: it opens no messaging window, and answers nothing.
    """

    beside: ClassVar[set[str]] = {*ByCustomer.beside, "heard", "captured_for"}

    heard: tuple[Listener, ...] = ()
    captured_for: tuple[Audience, ...] | None = None


class Edited(Correction):
    """`said` are the new words."""

    kind: ClassVar[str] = "edited"


class Revoked(Correction):
    """The customer deleted a message."""

    kind: ClassVar[str] = "revoked"


class AsksForHuman(Event):
    """What may say that a customer needs a human. `reason` says why."""

    reason: str
    metadata: JsonObject | None = None


class HumanRequested(AsksForHuman):
    """A request for a human.

    `metadata` is stored with the conversation and has at most METADATA_LIMIT bytes as JSON. `form`
    is as in FromUser if the customer tapped a suggestion, None if a bot or desk asks. `answers` is
    the conversation version of the customer's message to which a bot reacts.
    """

    kind: ClassVar[str] = "human_requested"
    beside: ClassVar[set[str]] = {*Event.beside, "locale", "form"}

    form: JsonObject | None = None
    answers: int | None = None
    locale: str | None = None


class FloorMoved(AsksForHuman):
    """The platform let another sender be active, the one of `floor`.

    `human_wanted`: the floor came to Baton because the customer needs a human.
    """

    kind: ClassVar[str] = "floor_moved"

    human_wanted: bool = False


class ByRepresentative(Event):
    """A named representative joined, spoke or left.

    `person_id` is the person of `BATON_AGENTS` who acts, None for a system or a platform.
    `native_person` is the platform's own id of the person, by which they are known while they are
    present. Unless they are `named`, the event does not have their name, and Baton must ask.
    """

    beside: ClassVar[set[str]] = {*Event.beside, "person_id", "native_person", "named"}

    representative: Representative
    person_id: str | None = None
    native_person: str | None = None
    named: bool = False


class TakesRoom(Event):
    """An event that may take room of a person: they join, or the conversation is offered to them.

    `person` is what the decision knows of that person. It is None for a system or a platform, of
    whose people nothing is counted.
    """

    beside: ClassVar[set[str]] = {*Event.beside, "person"}

    person: PersonSeen | None = None

    @property
    def taker(self) -> str | None:
        """The id of that person, None if no person is named."""
        return None


class Joins(ByRepresentative, TakesRoom):
    """A human joins, or means to."""

    beside: ClassVar[set[str]] = {*ByRepresentative.beside, *TakesRoom.beside}

    @property
    def taker(self) -> str | None:
        return self.person_id


class HumanJoined(Joins):
    """A human joined the conversation."""

    kind: ClassVar[str] = "human_joined"


class Claim(Joins):
    """A human claims the conversation. It is refused if another human holds it.

    `offer` is the offer that they accept. Without it an offer to them is accepted all the same.
    """

    kind: ClassVar[str] = "claim"

    offer: str | None = None


class TakeOver(Joins):
    """A supervisor takes the conversation from those who are present.

    `seen_holder` is who they saw there: the names, with ", " between, as a refusal gives them in
    `holder`. None if they saw nobody there.
    """

    kind: ClassVar[str] = "take_over"

    seen_holder: str | None = None
    reason: str | None = None


class Transfer(ByRepresentative, TakesRoom):
    """A human passes the conversation on: to a person, to a desk, or to the queue of its desk.

    - `representative` is who passes it on. They are present, or a `supervisor`, who names in
      `seen_holder` whom they saw there (as in TakeOver).
    - Exactly one of `to_agent`, `to_desk` and `to_queue` is given. `person` is the one of
      `to_agent`.
    - `note` is for the colleague, and never for the customer.
    """

    kind: ClassVar[str] = "transfer"
    beside: ClassVar[set[str]] = {*ByRepresentative.beside, *TakesRoom.beside, "supervisor"}

    to_agent: str | None = None
    to_desk: str | None = None
    to_queue: bool = False
    supervisor: bool = False
    seen_holder: str | None = None
    reason: str | None = None
    note: str | None = None

    @property
    def taker(self) -> str | None:
        return self.to_agent

    @property
    def text(self) -> str | None:
        return self.note


class OfferEnded(Event):
    """An offer is declined by the person to whom it was made, or withdrawn.

    `by` is who ends it: the id of the person, or the name of the key. A `supervisor` may withdraw
    the offers of others.
    """

    kind: ClassVar[str] = "offer_ended"
    beside: ClassVar[set[str]] = {*Event.beside, "by", "supervisor"}

    offer: str
    by: str
    why: Literal["declined", "withdrawn"]
    supervisor: bool = False


class Said(ByRepresentative):
    """A representative's message."""

    id_space: ClassVar[str] = "message"

    content: Content

    @property
    def text(self) -> str | None:
        return self.content.summary

    @property
    def is_template(self) -> bool:
        """Whether it may be sent at any time, on a channel that has templates."""
        return self.content.template is not None


class HumanMessage(Said):
    """`delivered`: the channel has shown it already, for example because it was typed in the
    channel's own app.

    `about` is the id of the customer's message that it answers. A desk's adapter gives the desk's
    own id.
    """

    kind: ClassVar[str] = "human_message"
    beside: ClassVar[set[str]] = {*Said.beside, "about"}

    delivered: bool = False
    about: str | None = None


class HumanReacted(ByRepresentative):
    """A human reacted to the customer's message `about`, or took the reaction back (no `emoji`).
    A desk's adapter gives the desk's own id of that message.
    """

    kind: ClassVar[str] = "human_reacted"
    beside: ClassVar[set[str]] = {*ByRepresentative.beside, "about"}

    about: str
    emoji: str | None = None

    @property
    def text(self) -> str | None:
        return self.emoji


class HumanRevoked(ByRepresentative):
    """A human deleted at the desk what they had said: its message `about`, by the desk's own id.
    `entries` are the journal entries of what was passed on of it.
    """

    kind: ClassVar[str] = "human_revoked"
    beside: ClassVar[set[str]] = {*ByRepresentative.beside, "about", "entries"}

    about: str
    entries: tuple[str, ...] = ()


class BotMessage(Said):
    """`human_needed` is what a desk's own AI reports, None if it reports nothing.

    `answers` is the conversation version of the customer's message that a bot answers.
    """

    kind: ClassVar[str] = "bot_message"

    human_needed: bool | None = None
    answers: int | None = None


class Overheard(Said):
    """What another sender's bot said to the customer, as the platform reports it. The customer
    has seen it.
    """

    kind: ClassVar[str] = "overheard"


class BotJoined(ByRepresentative):
    """A bot reports that it joined. It is always present, so nothing follows."""

    kind: ClassVar[str] = "bot_joined"


class BotLeft(ByRepresentative):
    """A bot reports that it left."""

    kind: ClassVar[str] = "bot_left"


class SurveyAsked(ByRepresentative):
    """A bot or desk asks the customer to rate the conversation with the platform's own survey."""

    kind: ClassVar[str] = "survey_asked"
    id_space: ClassVar[str] = "survey"


class Noted(ByRepresentative):
    """A person's note for their colleagues. The customer and bots never see it."""

    kind: ClassVar[str] = "noted"

    note: str

    @property
    def text(self) -> str | None:
        return self.note


class HumanLeft(ByRepresentative):
    """`owner` is the only API key that may release this human, None if any key may."""

    kind: ClassVar[str] = "human_left"

    reason: str | None = None
    owner: str | None = None


class HandoffFailed(Event):
    """`handoff` is the handoff that failed, None for the current one. `keep` is set where the desk
    is full and offers that the customer keeps waiting: the id by which it is asked for that.
    """

    kind: ClassVar[str] = "handoff_failed"
    beside: ClassVar[set[str]] = {*Event.beside, "handoff", "keep"}

    reason: str
    handoff: str | None = None
    keep: str | None = None


class ChatCreated(Event):
    """A desk created a chat for a customer.

    `chat` is Baton's id of it, `source` that of the customer.
    """

    kind: ClassVar[str] = "chat_created"

    chat: str


class OfVirtualAgent(Event):
    """What a desk's virtual agent did. `session` is what the event says of its session. It has
    values of variables, of which the journal has no hashes, so the digest leaves it out.
    """

    beside: ClassVar[set[str]] = {*Event.beside, "session"}
    step: ClassVar[Literal["joined", "left", "captured"]]

    session: VirtualAgentSession | None = None


class VirtualAgentJoined(OfVirtualAgent):
    """A desk's virtual agent joined the session."""

    kind: ClassVar[str] = "virtual_agent_joined"
    step = "joined"

    name: str | None = None
    reason: str | None = None


class VirtualAgentLeft(OfVirtualAgent):
    """`reason` is the platform's finish reason. `failed`: it tells of a failure of which the team
    must know.
    """

    kind: ClassVar[str] = "virtual_agent_left"
    step = "left"
    beside: ClassVar[set[str]] = {*OfVirtualAgent.beside, "failed"}

    name: str | None = None
    reason: str | None = None
    failed: bool = False


class VariablesCaptured(OfVirtualAgent):
    """Captured variables.

    Values are stored with the conversation; the journal has neither values nor hashes of them.

    `awaited`: the customer's next message is captured as a value as well.
    """

    kind: ClassVar[str] = "variables_captured"
    step = "captured"

    variables: tuple[Variable, ...] = ()
    awaited: AwaitedReply | None = None

    @property
    def digest(self) -> str:
        return sha256(self.kind + self.id)


class SubscriptionChange(Event):
    """`said` is the customer's own text, which bots must not see."""

    said: str | None = None

    @property
    def text(self) -> str | None:
        return self.said


class Unsubscribed(SubscriptionChange):
    """The customer opted out of bot messages."""

    kind: ClassVar[str] = "unsubscribed"


class Subscribed(SubscriptionChange):
    """The customer opted in again."""

    kind: ClassVar[str] = "subscribed"


class Undelivered(Event):
    """The platform accepted `message` (its own id) earlier and now reports that it was not
    delivered.

    `by` is who sent it, None if that is not stored. `may_arrive`: it may still be delivered.
    """

    kind: ClassVar[str] = "undelivered"
    beside: ClassVar[set[str]] = {*Event.beside, "by"}

    message: str
    reason: str
    by: Listener | None = None
    may_arrive: bool = False


class NamesChanged(Event):
    """The platform says that a customer who had the names `old` has `names` now."""

    kind: ClassVar[str] = "names_changed"
    beside: ClassVar[set[str]] = {*Event.beside, "old"}

    old: tuple[GivenName, ...]


class Unknown(Event):
    """A platform event that Baton does not use.

    It is journalled as ignored, or quarantined if a `fault` prevented its parsing.
    """

    kind: ClassVar[str] = "unknown"

    name: str
    fault: str | None = None
