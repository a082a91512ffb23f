"""Things that happened or are asked for, in Baton's own terms; vendors' formats end at
`shared/platforms`.
"""

from typing import ClassVar

from shared.schemas.base import JsonObject, NonEmpty, Ours
from shared.schemas.content import Content
from shared.schemas.conversation import Ahead, AwaitedReply
from shared.schemas.ids import entry_id, sha256
from shared.schemas.representative import Representative
from shared.schemas.times import Time
from shared.schemas.variables import Variable

REASON_LIMIT, METADATA_LIMIT = 500, 8192  # characters, bytes


class Event(Ours):
    """`id` is native and unique with `kind` in `source`, the conversation that reports it.

    A *fact* happened already and is never refused; without `fact` it is a request. `key` names the
    API key of a request, `keeps_id` that its id is used towards the customer's platform too.
    `occurred_at` is by the platform's own clock; without it the moment of arrival counts. `address`
    is the platform's own name of the conversation. `also` are further native ids under which the
    same event may come again. `native_id` is the platform's own id where `id` only stands for it;
    it is for calls to the platform and for nobody's eyes.
    """

    kind: ClassVar[str] = "event"
    id_space: ClassVar[str] = "event"
    beside: ClassVar[set[str]] = {
        "occurred_at",
        "key",
        "actor",
        "address",
        "also",
        "ahead",
        "native_id",
    }

    id: NonEmpty
    source: NonEmpty
    actor: str
    fact: bool = True
    occurred_at: Time | None = None
    key: str | None = None
    address: str | None = None
    keeps_id: bool = False
    also: tuple[str, ...] = ()
    native_id: str | None = None

    @property
    def entry_id(self) -> str:
        """Returns the journal id. A caller's own ids count in one space for messages and one for
        events, as they do in Business Messages: neither BOT and HUMAN nor JOINED and LEFT may share
        one.
        """
        return entry_id(self.source, self.id_space if self.keeps_id else self.kind, self.id)

    @property
    def digest(self) -> str:
        """Returns a hash of what the event says, which tells a repetition from another use of
        the same id.
        """
        return sha256(self.kind + self.model_dump_json(exclude=self.beside))

    @property
    def text(self) -> str | None:
        """What was said, for the journal."""
        return None

    @property
    def over(self) -> str | None:
        """The desk's conversation that has no part in this customer's any more."""
        return None


class FromUser(Event):
    """Something the customer sent. `form` is the whole of it in Business Messages form, for bots
    and desks.

    `ahead` is known where they ask for their place in line.
    """

    form: JsonObject
    ahead: Ahead | None = None
    said: str | None = None
    locale: str | None = None
    customer_name: str | None = None

    @property
    def text(self) -> str | None:
        return self.said


class UserMessage(FromUser):
    kind: ClassVar[str] = "user_message"


class SuggestionResponse(FromUser):
    kind: ClassVar[str] = "suggestion_response"


class SurveyResponse(FromUser):
    kind: ClassVar[str] = "survey_response"


class AuthenticationResponse(FromUser):
    """Holds an OAuth code: the journal keeps no text of it."""

    kind: ClassVar[str] = "authentication_response"


class HumanRequested(Event):
    """`metadata` stays with the conversation, so it has at most METADATA_LIMIT bytes as JSON.

    `form` is as in FromUser where the customer asked by a suggestion, None where a bot or desk
    asks. `answers` is the version of the conversation that the customer's words made, where a bot
    asks because of them.
    """

    kind: ClassVar[str] = "human_requested"
    beside: ClassVar[set[str]] = {*Event.beside, "locale", "form"}

    reason: str
    metadata: JsonObject | None = None
    form: JsonObject | None = None
    answers: int | None = None
    locale: str | None = None


class ByRepresentative(Event):
    """Somebody in particular joined, spoke or left."""

    representative: Representative


class HumanJoined(ByRepresentative):
    kind: ClassVar[str] = "human_joined"


class Claim(ByRepresentative):
    kind: ClassVar[str] = "claim"


class Said(ByRepresentative):
    """A representative's words."""

    id_space: ClassVar[str] = "message"

    content: Content

    @property
    def text(self) -> str | None:
        return self.content.summary


class HumanMessage(Said):
    """`delivered`: the channel itself has shown it already, as what a person typed in the
    channel's own app.
    """

    kind: ClassVar[str] = "human_message"

    delivered: bool = False


class BotMessage(Said):
    """`human_needed` is what a desk's own AI says of that, None where it says nothing.

    `answers` is the version of the conversation that the customer's words made, where a bot answers
    certain words.
    """

    kind: ClassVar[str] = "bot_message"

    human_needed: bool | None = None
    answers: int | None = None


class BotJoined(ByRepresentative):
    """A bot says that it is there. It was all along, so nothing follows."""

    kind: ClassVar[str] = "bot_joined"


class BotLeft(ByRepresentative):
    kind: ClassVar[str] = "bot_left"


class SurveyAsked(ByRepresentative):
    """A bot or desk asks the customer to rate the conversation, by the platform's own survey."""

    kind: ClassVar[str] = "survey_asked"
    id_space: ClassVar[str] = "survey"


class HumanLeft(ByRepresentative):
    """`owner` is the only API key that may let this human go, None where anybody's word counts."""

    kind: ClassVar[str] = "human_left"

    reason: str | None = None
    owner: str | None = None


class HandoffFailed(Event):
    """`handoff` is the only one that it is about, None for any."""

    kind: ClassVar[str] = "handoff_failed"
    beside: ClassVar[set[str]] = {*Event.beside, "handoff"}

    reason: str
    handoff: str | None = None


class ChatCreated(Event):
    """A desk says that it made a chat for a customer; `chat` is Baton's id of it, `source` that
    of the customer.
    """

    kind: ClassVar[str] = "chat_created"

    chat: str


class VirtualAgentJoined(Event):
    kind: ClassVar[str] = "virtual_agent_joined"

    name: str | None = None
    reason: str | None = None


class VirtualAgentLeft(Event):
    """`reason` is the platform's finish reason."""

    kind: ClassVar[str] = "virtual_agent_left"

    name: str | None = None
    reason: str | None = None


class VariablesCaptured(Event):
    """The values are kept with the conversation and never in the journal, nor a hash of them.

    `awaited`: the customer's next words are a value as well.
    """

    kind: ClassVar[str] = "variables_captured"

    variables: tuple[Variable, ...] = ()
    awaited: AwaitedReply | None = None

    @property
    def digest(self) -> str:
        return sha256(self.kind + self.id)


class SubscriptionChange(Event):
    """`said` are the customer's own words, which no bot is to see."""

    said: str | None = None

    @property
    def text(self) -> str | None:
        return self.said


class Unsubscribed(SubscriptionChange):
    kind: ClassVar[str] = "unsubscribed"


class Subscribed(SubscriptionChange):
    kind: ClassVar[str] = "subscribed"


class Undelivered(Event):
    """The platform took `message` (by its own id of it) and says now that the customer did not
    get it.
    """

    kind: ClassVar[str] = "undelivered"

    message: str
    reason: str


class Unknown(Event):
    """A platform's event that Baton has no use for; journalled as ignored, or quarantined where a
    `fault` kept it from being read.
    """

    kind: ClassVar[str] = "unknown"

    name: str
    fault: str | None = None
