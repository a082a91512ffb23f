"""The script of the simulated Dialogflow CX agent, as a table: which words lead to which response
messages.

The table holds what the author of a bot writes in Dialogflow's console. dialogflow.py answers with
it.
https://docs.cloud.google.com/contact-center/ccai-platform/docs/va-custom-payload
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Messages = tuple[Mapping[str, Any], ...]

START, ORDER_NUMBER, END = "Start Page", "Order number", "End Session"
PARAMETER = re.compile(r"\$session\.params\.(\w+)")


def text(*variants: str) -> dict[str, Any]:
    return {"text": {"text": list(variants)}, "responseType": "HANDLER_PROMPT"}


def ujet(**custom: Any) -> dict[str, Any]:
    return {"payload": {"ujet": custom}}


ASKS_ORDER_NUMBER = ujet(
    session_variable={
        "capture_target": "end_user_response",
        "capture_key": "order_number",
        "capture_type": ["agent", "event", "comment"],
    }
)
KNOWS_ORDER = ujet(
    session_variable={
        "capture_target": "payload",
        "payload": {
            "order_number": "$session.params.order_number",
            "customer_tier": "gold",
            "internal_score": 42,
        },
        "capture_type": ["agent", "event", "comment"],
        "invisible_to_agent": ["internal_score"],
        "invisible_to_adapter_events": ["customer_tier"],
        "display_order_in_adapter": ["customer_tier", "order_number"],
    }
)
TOPICS = ujet(
    type="inline_button",
    title="What is it about?",
    buttons=[
        {"title": title, "action": "quick_reply"}
        for title in ("My order", "Opening hours", "A person, please")
    ],
)
PARCEL = ujet(
    type="image", images=[{"url": "https://live.agent/parcel.jpg", "text": "A parcel of ours"}]
)
ESCALATION = ujet(type="action", action="escalation", escalation_reason="by_consumer")
HANDOFF = {
    "liveAgentHandoff": {
        "metadata": {"reason": "billing dispute", "queue": "billing", "priority": 2}
    }
}


@dataclass(frozen=True, slots=True)
class Intent:
    """One row: the page on which it applies (None: every page), the words that match, the answer,
    and the page that follows.

    A named group of the pattern sets the session's parameter of that name.
    """

    name: str
    pattern: re.Pattern[str]
    messages: Messages
    page: str | None = None
    leads_to: str = START
    match_type: str = "INTENT"
    confidence: float = 1.0


def words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


FALLBACK = Intent(
    "fallback",
    re.compile(""),
    (
        text(
            "Sorry, I did not understand. Ask about your order, our opening hours, or for a person."
        ),
    ),
    match_type="NO_MATCH",
    confidence=0.3,
)
INTENTS = (
    Intent(
        "human",
        words("human|agent|person|manager"),
        (text("I will connect you."), ESCALATION, HANDOFF),
    ),
    Intent(
        "order-number",
        re.compile(r"(?:^|\s)#?(?P<order_number>[A-Z]{0,3}-?\d+)\b", re.IGNORECASE),
        (
            text("Thank you, I found order $session.params.order_number. It arrives tomorrow."),
            KNOWS_ORDER,
        ),
        page=ORDER_NUMBER,
        match_type="PARAMETER_FILLING",
    ),
    Intent(
        "order",
        words("orders?|parcel"),
        (text("What is your order number?"), ASKS_ORDER_NUMBER),
        None,
        ORDER_NUMBER,
    ),
    Intent(
        "topics", words("buttons?|options?|topics?|help"), (text("I can help with this:"), TOPICS)
    ),
    Intent("picture", words("image|picture|photo"), (text("This is how it looks:"), PARCEL)),
    Intent(
        "hours",
        words("opening|hours|open"),
        (text("We are open from 9 to 17."), text("On Saturdays we close at noon.")),
    ),
    Intent(
        "returns",
        words("returns?|refund"),
        (ujet(type="text", messages=["You have 30 days.", "It is free."]),),
    ),
    Intent("goodbye", words("bye|goodbye"), (text("Goodbye!"), {"endInteraction": {}}), None, END),
    Intent(
        "greeting",
        words("hi|hello|hey|good (?:morning|day|evening)"),
        (text("Hello! How can I help?"),),
    ),
)


@dataclass(slots=True)
class Session:
    """The state of a session. Every call changes it."""

    page: str = START
    parameters: dict[str, Any] = field(default_factory=dict)


def converse(
    session: Session, said: str, given: Mapping[str, Any]
) -> tuple[Intent, list[dict[str, Any]]]:
    """Returns the intent that matched and the answer, and moves the session on. A parameter of null
    is deleted.
    """
    intent = next(
        (one for one in INTENTS if one.page in (None, session.page) and one.pattern.search(said)),
        FALLBACK,
    )
    found = intent.pattern.search(said)
    _put(session, {**given, **(found.groupdict() if found else {})})
    session.page = session.page if intent is FALLBACK else intent.leads_to
    messages = () if intent is FALLBACK and _handoff(given) else intent.messages
    return intent, [
        *_welcome(given),
        *(_filled(dict(message), session.parameters) for message in messages),
    ]


def _put(session: Session, parameters: Mapping[str, Any]) -> None:
    known = {**session.parameters, **parameters}
    session.parameters = {name: value for name, value in known.items() if value is not None}


def _handoff(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    baton = given.get("baton")
    handoff = baton.get("handoff") if isinstance(baton, dict) else None
    return handoff if isinstance(handoff, dict) else None


def _welcome(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the bot's words after a human left, where Baton reported humans; nothing where there
    were none.
    """
    handoff = _handoff(given)
    if handoff is None:
        return []
    why = handoff.get("requestReason")
    return [text(f"Welcome back. A human has helped you{f' with: {why}' if why else ''}.")]


def _filled(value: Any, parameters: Mapping[str, Any]) -> Any:
    """Returns a message with `$session.params.x` replaced everywhere, as Dialogflow does."""
    if isinstance(value, dict):
        return {key: _filled(one, parameters) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, parameters) for one in value]
    if isinstance(value, str):
        return PARAMETER.sub(lambda match: str(parameters.get(match[1], match[0])), value)
    return value
