"""Converts WhatsApp webhooks to events: batches of customers' messages, statuses of our messages,
echoes, what another sender on the number hears and says, and reports of who is active.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_message_echoes
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/standby/
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messaging-handovers/
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from shared.errors import BadRequest
from shared.logs import log
from shared.platforms.bodies import alarm, child, collected, parse_signed, read_or_noted, text_at
from shared.platforms.phones import Line, e164, forms_of
from shared.platforms.unverified import SAFE, Fact
from shared.platforms.whatsapp.incoming import (
    UNSUPPORTED,
    details_of,
    is_said,
    tapped_of,
    unknown_of,
    words_of,
)
from shared.schemas.content import Content
from shared.schemas.conversation import Holder
from shared.schemas.details import About, Deletion, Details, Edit
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import (
    REASON_LIMIT,
    ByCustomer,
    CallPermission,
    Edited,
    Event,
    FloorMoved,
    GivenName,
    HumanMessage,
    HumanRequested,
    NamesChanged,
    Overheard,
    Reaction,
    Revoked,
    Undelivered,
    Unknown,
)
from shared.schemas.notation import conversation_id, hidden, sha256, time_or_none
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.texts import shortened
from shared.values import frozen

NAME, APP_NAME = "whatsapp", "WhatsApp Business app"
AGENT_NAME = "Meta Business Agent"
ESCALATION, AI_AGENT = "escalation", "ai_agent"  # roles of senders on one number
ELSEWHERE = "elsewhere"  # stands for the customer of a status that names none
GROUP = "group:"  # begins the address of a group of people
USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,140}")
_WHO: Mapping[str, tuple[str, ...]] = {
    "messages": ("from", "from_user_id"),
    "statuses": ("recipient_id", "recipient_user_id"),
    "message_echoes": ("to", "to_user_id", "toUserId"),
    "overheard": ("to", "to_user_id", "toUserId", "recipient"),
    "handovers": ("phone_number", "user_id"),
}
_FACTS = {
    "recipient_user_id": Fact.WHATSAPP_RECIPIENT_USER_ID,
    "to_user_id": Fact.WHATSAPP_TO_USER_ID,
    "toUserId": Fact.WHATSAPP_TO_USER_ID,
}


@frozen
class Item:
    """One item of a batch.

    `whose` are the fields that name the customer. `app_name` is shown for a person who types in the
    app. `group` is the group of people in which it was said, if any.
    """

    value: Mapping[str, Any]
    body: Mapping[str, Any]
    whose: tuple[str, ...]
    app_name: str
    group: str | None = None


class Numbers:
    """Which of the app's phone numbers Baton serves. One webhook reports on all of them."""

    def __init__(self, served: Collection[str] = ()) -> None:
        self._served = frozenset(served)
        self._seen = set[str]()

    def serves(self, number: str | None) -> bool:
        """Returns whether Baton serves this phone number id. Where WHATSAPP_NUMBERS does not say
        which, it serves all of them, and a WARNING names each once.
        """
        if number is None or self._served:
            return number is None or number in self._served
        if number not in self._seen:
            self._seen.add(number)
            log(
                "WARNING",
                "a number is served that WHATSAPP_NUMBERS does not name; it names none",
                platform=NAME,
                number=number,
            )
        return True


def reported(
    body: bytes,
    app_name: str = APP_NAME,
    facts: AbstractSet[Fact] = SAFE,
    numbers: Numbers | None = None,
    *,
    groups: bool = False,
) -> list[Event | Ephemeral]:
    """Returns the events of a genuine body, in order, without those of numbers that Baton does not
    serve.

    An item that cannot be read is logged as an ERROR and does not affect the others. Without
    `groups`, what happens in a group of people is left alone and counted in the log.
    """
    return read_or_noted(
        NAME,
        lambda: _reported(parse_signed(body), app_name, facts, numbers or Numbers(), groups),
        lambda: None,
    )


def _reported(
    whole: Mapping[str, Any],
    app_name: str,
    facts: AbstractSet[Fact],
    numbers: Numbers,
    groups: bool,
) -> list[Event | Ephemeral]:
    faults, others, left_alone = Counter[str](), Counter[str](), 0
    found: list[Event | Ephemeral] = []
    for change in (
        change for entry in _dicts(whole, "entry") for change in _dicts(entry, "changes")
    ):
        for read, item in _items(change, app_name, facts):
            number = _number_of(item.value)
            if not numbers.serves(number):
                others[str(number)] += 1
            elif item.group is not None and not groups:
                left_alone += 1
            else:
                found += collected(partial(read, item), partial(_line, item), faults)
    alarm(NAME, faults)
    for other, items in others.items():
        message = "a webhook reports on a number that Baton does not serve; it was left alone"
        log("INFO", message, platform=NAME, number=other, items=items)
    if left_alone:
        log("INFO", "what happens in groups is left alone", platform=NAME, items=left_alone)
    return found


def _number_of(value: object) -> str | None:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    return number if isinstance(number, str) and number else None


def _items(
    change: Mapping[str, Any], app_name: str, facts: AbstractSet[Fact]
) -> Iterator[tuple["_Reader", Item]]:
    """Yields the items of a change with their readers.

    Other fields (templates, accounts, history) are ignored.
    """
    value, field = change.get("value"), change.get("field")
    if not isinstance(value, dict) or not isinstance(field, str):
        return
    if field in _SHAPES and Fact.WHATSAPP_STANDBY_BODY in facts:
        value = _SHAPES[field](value)
    for name, read in _FIELDS.get(field, {}).items():
        known = _WHO["overheard" if read is _overheard else name]
        whose = tuple(one for one in known if one not in _FACTS or _FACTS[one] in facts)
        for body in _dicts(value, name):
            yield read, Item(value, body, whose, app_name, _group(body))


def _standby(value: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the value of a `standby` change as one of `messages`. Its lists may stand in an
    object of their own, and an echo's message may as well: UNVERIFIED, seen in webhooks that others
    have published.
    """
    whole = {**value, **child(value, "standby")}
    echoes = ({**one, **child(one, "message")} for one in _dicts(whole, "message_echoes"))
    return {**whole, "message_echoes": list(echoes)}


def _handovers(value: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the value of a `messaging_handovers` change with its only item in a list. The item
    has no id, and names the customer as `sender` and our number as `recipient`.
    """
    kind, whom = text_at(value, "type") or "", child(value, "sender")
    item = {**whom, "timestamp": value.get("timestamp"), "type": kind, **child(value, kind)}
    return {"metadata": child(value, "recipient"), "handovers": [item]}


def _group(body: Mapping[str, Any]) -> str | None:
    """Returns the id of the group in which something was said, or to which a message was sent.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging
    """
    said, sent = text_at(body, "group_id"), text_at(body, "recipient_id")
    return said or (sent if body.get("recipient_type") == "group" else None)


def _message(item: Item) -> list[Event | Ephemeral]:
    """Returns the event of a message.

    A message of an unknown kind gets a text that stands for it, and opens the messaging window.
    """
    if item.body.get("type") == "system" and (changed := _changed(item)) is not None:
        return [changed]
    line, details = _named(item), details_of(item.body)
    tapped, kind = tapped_of(item.body), item.body.get("type")
    if tapped is not None:
        postback, text, of = tapped
        return [line.tap(postback, text, of and hidden(of), details)]
    if kind in _CORRECTIONS:
        return [_CORRECTIONS[str(kind)](line, item.body)]
    if details.reaction is not None:
        return [line.act(Reaction, details.reaction.emoji, details)]
    if details.call_permission is not None:
        return [line.act(CallPermission, None, details)]
    words = words_of(item.body)
    if words is not None and kind != "unsupported":
        return [line.message(words, details)]
    if not is_said(item.body):
        return [_unknown(line, kind)]
    return [line.message(UNSUPPORTED, unknown_of(item.body, item.value.get("errors")))]


def _to_us(item: Item) -> list[Event | Ephemeral]:
    return _with_floor(_message(item), Holder.OURS)


def _heard(item: Item) -> list[Event | Ephemeral]:
    """Returns what a customer did while another sender is active."""
    return _with_floor(_message(item), Holder.THEIRS)


def _with_floor(found: list[Event | Ephemeral], floor: Holder) -> list[Event | Ephemeral]:
    return [
        one.model_copy(update={"floor": floor})
        if isinstance(one, ByCustomer | HumanRequested)
        else one
        for one in found
    ]


def _overheard(item: Item) -> list[Event | Ephemeral]:
    """Returns what another sender's bot said to the customer."""
    line, words = _named(item), words_of(item.body)
    if not words:
        return [_unknown(line, item.body.get("type"))]
    who = Representative(representative_type=RepresentativeType.BOT, display_name=AGENT_NAME)
    content = Content.of_fact(words)  # a fact is not refused for its length
    return [Overheard(**line.common(), representative=who, content=content)]


def _moved(item: Item) -> list[Event | Ephemeral]:
    """Returns that another sender is active now. `control_passed` is sent to the new owner of the
    thread, `control_taken` to the previous one.
    """
    line, body = _named(item), item.body
    to_us = body.get("type") == "control_passed"
    if not to_us and body.get("type") != "control_taken":
        return [_unknown(line, body.get("type"))]
    metadata, before = text_at(body, "metadata"), text_at(body, "previous_owner_role")
    role = text_at(body, "new_owner_role")
    for_a_person = role == ESCALATION or (role is None and before == AI_AGENT)
    reason = shortened(metadata or "", REASON_LIMIT) or f"the platform says {body['type']}"
    moved = FloorMoved(
        **line.common(),
        floor=Holder.OURS if to_us else Holder.THEIRS,
        human_wanted=to_us and for_a_person,
        reason=reason,
    )
    return [moved]


def _edited(line: Line, body: Mapping[str, Any]) -> Event:
    """Returns the new words of an earlier message: of a text, or of a caption."""
    edit = child(body, "edit")
    of, message = text_at(edit, "original_message_id"), child(edit, "message")
    if of is None:
        raise BadRequest("nothing-named", "The item names no message that was edited.")
    words = words_of(message) or UNSUPPORTED
    about, edited = About(message=hidden(of)), Edit(text=words)
    details = details_of(message).model_copy(update={"about": about, "edited": edited})
    return line.act(Edited, words, details)


def _revoked(line: Line, body: Mapping[str, Any]) -> Event:
    of = text_at(child(body, "revoke"), "original_message_id")
    if of is None:
        raise BadRequest("nothing-named", "The item names no message that was deleted.")
    return line.act(Revoked, None, Details(about=About(message=hidden(of)), revoked=Deletion()))


def _changed(item: Item) -> Event | None:
    """Returns that a customer has another number or user id; None for any other system message.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system/
    """
    told, body = item.body.get("system"), item.body
    number = _number_of(item.value)
    if not isinstance(told, dict) or told.get("type") not in _CHANGES or number is None:
        return None
    old_user = _customer(told.get("previous_user_id"))
    new_user = _customer(told.get("user_id"))
    sender = _customer(body.get("from_user_id"))
    if new_user is None and sender != old_user:
        new_user = sender if old_user else None
    old_user = old_user or (sender if sender != new_user else None)
    old_number = _customer(body.get("from"))
    new_number = _customer(told.get("wa_id")) or _customer(told.get("new_wa_id"))
    if new_number is None:  # only the user id has changed
        new_number, old_number = old_number, None
    new = [_given(number, one) for one in (new_user, new_number) if one]
    old = [_given(number, one) for one in (old_user, old_number) if one]
    whom = new_number or new_user
    line = _line(item, whom)
    if not old or whom is None or line is None:
        return None
    address = f"{number}|{whom.removeprefix('+')}"
    strong = f"{number}|{new_user}" if new_user else None
    line = replace(line, phone=whom, address=address, names=tuple(new), strong_address=strong)
    return NamesChanged(**line.common(), old=tuple(old))


def _echo(item: Item) -> list[Event | Ephemeral]:
    """Returns a human message that was typed in the WhatsApp Business app.

    The customer has it already, and its author is unknown.
    """
    line, words = _named(item), words_of(item.body)
    if not words and item.body.get("type") == "interactive":
        words = UNSUPPORTED
    if not words:
        return [_unknown(line, item.body.get("type"))]
    who = Representative(representative_type=RepresentativeType.HUMAN, display_name=item.app_name)
    content = Content.of_fact(words)  # a fact is not refused for its length
    return [HumanMessage(**line.common(), representative=who, content=content, delivered=True)]


def _status(item: Item) -> list[Event | Ephemeral]:
    """Returns the receipt of a status.

    `sent` and `played` are ignored, because Business Messages has no such receipts: `played` is
    said of a voice message after `read`. The message says whose it is, so a status needs no name of
    a customer: those of groups have none that Baton knows.
    """
    message, status = item.body.get("id"), str(item.body.get("status"))
    line = _line(item, ELSEWHERE)
    line = replace(line, names=()) if line else None  # a status tells nothing of a customer's names
    if line is None or not isinstance(message, str) or not message:
        raise _nobody()
    if status in ("sent", "played") or (status == "failed" and _is_of_one_member(item)):
        return []
    line = replace(
        line, native=f"{hidden(message)}:{shortened(status, 64, mark='')}", theirs=None
    )  # each status is an event of its own
    if status == "failed":
        return [Undelivered(**line.common(), message=hidden(message), reason=_reason(item.body))]
    kind = _RECEIPTS.get(status)
    return [line.receipt(hidden(message), kind)] if kind else [_unknown(line, status)]


def _is_of_one_member(item: Item) -> bool:
    """Returns whether a status is that of one member: the others of the group may have the
    message.
    """
    names = ("recipient_participant_id", "recipient_participant_user_id")
    return item.group is not None and any(text_at(item.body, name) for name in names)


def _reason(item: Mapping[str, Any]) -> str:
    """Returns code and title of the error.

    The details are left out, because they may contain the customer's number.
    """
    error = next(iter(_dicts(item, "errors")), {})
    told = (error.get("code"), error.get("title"))
    return (
        " ".join(shortened(str(one), 120) for one in told if isinstance(one, int | str))
        or "the platform does not say why"
    )


_CORRECTIONS: Mapping[str, Callable[[Line, Mapping[str, Any]], Event]] = {
    "edit": _edited,
    "revoke": _revoked,
}
_CHANGES = frozenset(
    ("user_changed_number", "user_changed_user_id", "customer_changed_number", "user_id_update")
)
_Reader = Callable[[Item], list[Event | Ephemeral]]
_RECEIPTS: Mapping[str, Literal["DELIVERED", "READ"]] = {"delivered": "DELIVERED", "read": "READ"}
_FIELDS: Mapping[str, Mapping[str, _Reader]] = {
    "messages": {"messages": _to_us, "statuses": _status},
    "smb_message_echoes": {"message_echoes": _echo},
    "standby": {"messages": _heard, "message_echoes": _overheard},
    "messaging_handovers": {"handovers": _moved},
}
_SHAPES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "standby": _standby,
    "messaging_handovers": _handovers,
}


def _named(item: Item) -> Line:
    line = _line(item)
    if line is None:
        raise _nobody()
    return line


def _nobody() -> BadRequest:
    return BadRequest("nobody-named", "The item names no customer or no message.")


def _line(item: Item, otherwise: str | None = None) -> Line | None:
    """Returns the customer with our number, or None if the item names none.

    The native id is a hash of the wamid, which is the same in a redelivery. The wamid itself
    contains the customer's number.
    """
    number, body = _number_of(item.value), item.body
    known = _with_contact(item.value, [_customer(body.get(name)) for name in item.whose])
    whom = next(iter(known), otherwise)
    whose, whom = whom, f"{GROUP}{item.group}" if item.group else whom
    if number is None or whom is None:
        return None
    wamid = body["id"] if isinstance(body.get("id"), str) and body["id"] else None
    native = hidden(wamid or sha256(repr(sorted(body.items()))))
    address, at = f"{number}|{whom.removeprefix('+')}", time_or_none(body.get("timestamp"))
    name = _name_of(item.value, whose or whom)
    names = (
        () if item.group else tuple(_given(number, one) for one in sorted(known, key=_is_number))
    )
    user = next((f"{number}|{one}" for one in known if not _is_number(one)), None)
    strong = None if item.group else user
    return Line(NAME, number, whom, address, native, at, name, wamid, names, strong)


def _given(number: str, whom: str) -> GivenName:
    """Returns a customer's number or user id with one of our numbers."""
    if not _is_number(whom):
        return GivenName(id=conversation_id(NAME, f"{number}:{whom}"), strong=True)
    here, other = forms_of(whom)
    return GivenName(
        id=conversation_id(NAME, f"{number}:{here}"),
        other=conversation_id(NAME, f"{number}:{other}") if other else None,
    )


def _is_number(whom: str) -> bool:
    return whom.startswith("+")


def _with_contact(value: Mapping[str, Any], found: Iterable[str | None]) -> list[str]:
    """Returns the customer's number and user id, those that are known, the number first. The
    contact of one of them may tell the other.
    """
    named = list(filter(None, found))
    for one in _dicts(value, "contacts"):
        both = [_customer(one.get("wa_id")), _customer(one.get("user_id"))]
        if any(each in named for each in both if each):
            named += filter(None, both)
    numbers = [one for one in named if _is_number(one)]
    users = [one for one in named if not _is_number(one)]
    return [*numbers[:1], *users[:1]]


def _customer(given: object) -> str | None:
    """Returns a number with its `+`, or the user id of a customer who has a username instead.

    Only `from_user_id` was seen in a webhook. The fields of `_FACTS` have similar names and are
    UNVERIFIED.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids/
    """
    number = e164(given)
    return number or (given if isinstance(given, str) and USER_ID.fullmatch(given) else None)


def _name_of(value: Mapping[str, Any], whom: str) -> str | None:
    """Returns the customer's name, or the username of one who shows no name."""
    known = [
        one
        for one in _dicts(value, "contacts")
        if whom.removeprefix("+") in (one.get("wa_id"), one.get("user_id"))
    ]
    profiles = [one.get("profile") for one in known]
    profile = next((one for one in profiles if isinstance(one, dict)), {})
    return text_at(profile, "name") or text_at(profile, "username")


def _unknown(line: Line, kind: object) -> Unknown:
    return Unknown(**line.common(), name=shortened(str(kind), 64))


def _dicts(owner: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = owner.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
