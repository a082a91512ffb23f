"""Platforms whose customers are telephone numbers: ids that never contain a number, and the form
for bots.

Such a platform has no conversation id of its own. A conversation is one customer's number with one
of the business's agents or numbers. Bots and desks get the form of Business Messages, so that they
need not know the channel:
https://developers.google.com/business-communications/business-messages/reference/rest/v1/UserMessage
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from shared.platforms.suggestions import REQUEST_HUMAN
from shared.schemas.base import JsonObject
from shared.schemas.details import Details
from shared.schemas.ephemeral import Ephemeral, Receipt, Typing
from shared.schemas.events import (
    ByCustomer,
    Event,
    GivenName,
    HumanRequested,
    SuggestionResponse,
    Unknown,
    UserMessage,
)
from shared.schemas.notation import conversation_id, format_time
from shared.schemas.representative import NAME_LIMIT
from shared.schemas.texts import shortened
from shared.values import frozen

# UNNAMED stands for a customer without a name. AGENT_HOST is removed from agents, because Google's
# Firebase sample uses an agent's last part as a key, which must not contain a dot.
UNNAMED, NO_ENTRY_POINT, AGENT_HOST = "Customer", "ENTRY_POINT_UNSPECIFIED", "@rbm.goog"
NOTHING = Details()
Act = TypeVar("Act", bound=ByCustomer)
_DATED = ("message", "suggestionResponse", "userStatus", "receipts")

# country (and area), the digit, and the rest, with the digit and without it
_OPTIONAL_DIGITS = (
    (
        re.compile(r"[+](55[0-9]{2})9([6-9][0-9]{7})"),
        "9",
        re.compile(r"[+](55[0-9]{2})([6-9][0-9]{7})"),
    ),
    (re.compile(r"[+](54)9([0-9]{10})"), "9", re.compile(r"[+](54)([0-9]{10})")),
    (re.compile(r"[+](52)1([0-9]{10})"), "1", re.compile(r"[+](52)([0-9]{10})")),
)
_NUMBER = re.compile(r"\+?([0-9]{1,20})")

# Neither platform reports the customer's language. It is guessed from the country calling code
# (ITU-T E.164) where one language is usual, and used for Baton's own notices.
_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "id": ("+62",),
    "pt": ("+55", "+351", "+244", "+258"),
    "zh": ("+86", "+886", "+852"),
    "es": (
        *("+34", "+51", "+52", "+53", "+54", "+56", "+57", "+58"),
        *("+502", "+503", "+504", "+505", "+506", "+507", "+591", "+593", "+595", "+598", "+240"),
    ),
}


def e164(given: object) -> str | None:
    """Returns a number with its `+`, which WhatsApp leaves out, or None if it is not a number."""
    found = _NUMBER.fullmatch(given) if isinstance(given, str) else None
    return f"+{found[1]}" if found else None


def language_of(phone: str) -> str | None:
    """Returns the language that a customer with this number probably reads, or None if it cannot
    be guessed.
    """
    for language, codes in _LANGUAGES.items():
        if phone.startswith(codes):
            return language
    return None


def forms_of(number: str) -> tuple[str, str | None]:
    """Returns the form under which a number with its `+` is known here, and its other form if it
    has one. Brazil, Argentina and Mexico write a digit in mobile numbers that WhatsApp may leave
    out.
    """
    for with_digit, digit, without in _OPTIONAL_DIGITS:
        if found := with_digit.fullmatch(number):
            return f"+{found[1]}{found[2]}", number
        if found := without.fullmatch(number):
            return number, f"+{found[1]}{digit}{found[2]}"
    return number, None


def parties(address: str) -> tuple[str, str]:
    """Returns the agent and the number of an address."""
    agent, _, phone = address.rpartition("|")
    return agent, phone


@frozen
class Line:
    """One customer's number with one of our agents, at one moment.

    `at` is the platform's time of the event.

    `address` is where the platform sends to. It is kept in the store only, and never part of an id,
    a URL of ours, a log or an error. The same holds for `theirs`, the platform's own id, if
    `native` is derived from it.

    `strong_address` is one that is never another person's, if the platform tells it.
    """

    platform: str
    agent: str
    phone: str
    address: str
    native: str
    at: datetime | None = None
    customer_name: str | None = None
    theirs: str | None = None
    names: tuple[GivenName, ...] = ()
    strong_address: str | None = None

    @property
    def conversation(self) -> str:
        """The id of the conversation; of the customer's first name where they may have several,
        until it is known which conversation it leads to.
        """
        if self.names:
            return self.names[0].id
        return conversation_id(self.platform, f"{self.agent}:{self.phone}")

    def common(self) -> dict[str, Any]:
        """Returns the fields that every event has."""
        return {
            "id": self.native,
            "source": self.conversation,
            "address": self.address,
            "strong_address": self.strong_address,
            "actor": f"platform:{self.platform}",
            "occurred_at": self.at,
            "native_id": self.theirs,
            "names": self.names,
        }

    def message(self, text: str, details: Details = NOTHING) -> UserMessage:
        """Returns the event of a customer's message, with what came beside its words."""
        message: JsonObject = {
            "messageId": self.native,
            "name": self._name(self.native),
            "text": text,
        }
        payload: JsonObject = {"message": {**message, **self._created()}}
        return UserMessage(**self._from_user(payload, text, details))

    def act(self, kind: type[Act], said: str | None, details: Details) -> Act:
        """Returns the event of what the customer did without a new message.

        Its form is a `userStatus`, so that a bot which does not know it takes it for no words.
        """
        known = self._from_user({"userStatus": self._created()}, said, details)
        return kind(**{name: one for name, one in known.items() if name in kind.model_fields})

    def tap(
        self, postback: str, text: str, of: str | None = None, details: Details = NOTHING
    ) -> SuggestionResponse | HumanRequested:
        """Returns the event of a tapped suggestion.

        `of` is the platform's id of the message that offered it, if known.
        """
        if postback == REQUEST_HUMAN:
            reason = "the customer asked for a person"
            status: JsonObject = {"requestedLiveAgent": True, **self._created()}
            form = self._form({"userStatus": status})
            return HumanRequested(
                **self.common(), reason=reason, locale=language_of(self.phone), form=form
            )
        # RCS sends the tap of a suggested action without text. Google's reference calls the field
        # `type`, and its sample body `suggestionType`.
        kind = "REPLY" if text else "ACTION"
        tapped: JsonObject = {
            "postbackData": postback,
            "text": text,
            "type": kind,
            "suggestionType": kind,
        }
        tapped = {**tapped, **self._created()}
        named: JsonObject = {"message": self._name(of)} if of else {}
        return SuggestionResponse(
            **self._from_user({"suggestionResponse": {**named, **tapped}}, text or None, details)
        )

    def typing(self) -> Typing:
        """Returns the ephemeral event that the customer is typing."""
        return Typing(
            source=self.conversation,
            form=self._form({"userStatus": {"isTyping": True, **self._created()}}),
        )

    def receipt(self, message: str, kind: Literal["DELIVERED", "READ"]) -> Receipt:
        """Returns the receipt of a message of ours.

        `message` is its id on the platform, or the id derived from it.
        """
        one: JsonObject = {"message": self._name(message), "receiptType": kind}
        form = self._form({"receipts": {"receipts": [one], **self._created()}})
        return Receipt(source=self.conversation, form=form)

    def unreadable(self, fault: str) -> Unknown:
        """Returns the event for an item that could not be read."""
        return Unknown(**self.common(), name="unreadable", fault=fault)

    def _from_user(self, payload: JsonObject, said: str | None, details: Details) -> dict[str, Any]:
        known = {
            "said": said,
            "details": None if details == NOTHING else details,
            "locale": language_of(self.phone),
            "customer_name": self._customer_name,
        }
        return {**self.common(), "form": self._form(payload), **known}

    def _form(self, payload: JsonObject) -> JsonObject:
        """Returns a webhook body of Business Messages.

        Its `conversationId` is Baton's, because answers go to Baton.
        """
        sent: JsonObject = {"sendTime": format_time(self.at)} if self.at else {}
        agent = f"brands/{self.platform}/agents/{self.agent.removesuffix(AGENT_HOST)}"
        whose: JsonObject = {
            "agent": agent,
            "conversationId": self.conversation,
            "requestId": self.native,
        }
        return {**whose, "context": self._context(), **sent, **payload}

    def _context(self) -> JsonObject:
        """Returns the customer's name and language.

        Readers of Business Messages bodies expect a name.
        """
        locale = language_of(self.phone)
        user: JsonObject = {"displayName": self._customer_name or UNNAMED}
        if locale is None:
            return {"entryPoint": NO_ENTRY_POINT, "userInfo": user}
        return {
            "entryPoint": NO_ENTRY_POINT,
            "userInfo": {**user, "userDeviceLocale": locale},
            "resolvedLocale": locale,
        }

    @property
    def _customer_name(self) -> str | None:
        name = self.customer_name or ""
        return (name if len(name) <= NAME_LIMIT else shortened(name, NAME_LIMIT)) or None

    def _name(self, message: str) -> str:
        return f"conversations/{self.conversation}/messages/{message}"

    def _created(self) -> JsonObject:
        return {"createTime": format_time(self.at)} if self.at else {}


def completed(
    reported: Sequence[Event | Ephemeral], language: str, now: Callable[[], datetime] | None
) -> list[Event | Ephemeral]:
    """Adds the fields that every Business Messages body has and the platform did not send.

    Times are those of arrival. The customer's language is the one of Baton's own notices.
    """
    arrived: JsonObject = {"sendTime": format_time(now())} if now else {}
    return [_completed(one, language, arrived) for one in reported]


def _completed(one: Event | Ephemeral, language: str, arrived: JsonObject) -> Event | Ephemeral:
    form = getattr(one, "form", None)
    if form is None:
        return one
    context, sent = form["context"], {**arrived, **form}
    user = {"userDeviceLocale": language, **context["userInfo"]}
    created = {"createTime": sent["sendTime"]} if "sendTime" in sent else {}
    dated = {name: {**created, **form[name]} for name in _DATED if name in form}
    whole = {**sent, **dated, "context": {"resolvedLocale": language, **context, "userInfo": user}}
    return one.model_copy(update={"form": whole})
