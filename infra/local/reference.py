"""The vendor's walk-through of a handoff, step by step. Its JSON is corrected: the printed bodies
have commas too many and too few, and quotes that no shell would pass on.

https://developers.google.com/business-communications/business-messages/guides/how-to/conversations/bot-live-agent-handoff
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLATFORM = "business"
CONVERSATION = "3333"
BOT = {
    "avatarImage": "https://live.agent/bot-avatar.jpg",
    "displayName": "Hello World Agent",
    "representativeType": "BOT",
}
JANE = {
    "avatarImage": "https://live.agent/human-avatar.jpg",
    "displayName": "Jane Doe",
    "representativeType": "HUMAN",
}
COMMON = {
    "agent": "brands/1111/agents/2222",
    "conversationId": CONVERSATION,
    "customAgentId": "live-agent-handoff",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One request and the status that it must get: a signed webhook (`key` is None), or a call of
    the REST API with `key`.

    `slip` says what the page's request has wrong. None: it is as printed, or not on the page.
    """

    title: str
    path: str
    body: Mapping[str, Any]
    key: str | None = None
    expect: int = 200
    slip: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A numbered part of the page: what it says, and the requests that belong to it. Requests
    beside them show what Baton refuses.
    """

    number: int
    says: str
    steps: tuple[Step, ...] = ()


TYPING = {
    **COMMON,
    "requestId": "1234567890",
    "userStatus": {"isTyping": "true", "createTime": "2020-10-02T15:01:23.045123456Z"},
    "sendTime": "2020-10-02T15:01:24.045123456Z",
}
HI = {
    **COMMON,
    "requestId": "123123123",
    "message": {
        "messageId": "4444",
        "name": "conversations/12345/messages/67890",
        "text": "Hi, I have a problem",
        "createTime": "2020-10-02T15:05:23.045123456Z",
    },
    "context": {
        "entryPoint": "PLACESHEET",
        "userInfo": {"displayName": "Michael", "userDeviceLocale": "en"},
        "resolvedLocale": "en",
    },
    "sendTime": "2020-10-02T15:05:24.045123456Z",
}
THANKS = {
    "messageId": "5555",
    "text": (
        "Thanks for contacting us. I'll pass this along when a "
        "live agent is available to chat with you."
    ),
    "representative": BOT,
}
HELP = {
    "messageId": "7777",
    "text": "I see you have a problem. How can I help?",
    "representative": JANE,
}
SILENT = {"messageId": "8888", "text": "Did you know our opening hours?", "representative": BOT}
JOINED = {"eventType": "REPRESENTATIVE_JOINED", "representative": JANE}
LEFT = {"eventType": "REPRESENTATIVE_LEFT", "representative": JANE}

WEBHOOK = "/receive_webhook/business_messages"
MESSAGES = f"/send_representative/v1/conversations/{CONVERSATION}/messages"
EVENTS = f"/send_representative/v1/conversations/{CONVERSATION}/events"

ELSEWHERE = EVENTS.replace(CONVERSATION, "12345")

PAGE = (
    Part(1, "The user begins the conversation with the agent."),
    Part(
        2,
        "Once the user begins typing a response, they send a typing event to the agent.",
        (Step("the customer begins to type", WEBHOOK, TYPING),),
    ),
    Part(
        3,
        'The user sends "Hi, I have a problem" as a message.',
        (Step('the customer says "Hi, I have a problem"', WEBHOOK, HI),),
    ),
    Part(
        4,
        "The agent sends \"Thanks for contacting us. I'll pass this along when a live agent is "
        'available to chat with you." as a message from a BOT representative.',
        (Step("the bot thanks, labelled BOT", MESSAGES, THANKS, "dev-bot"),),
    ),
    Part(5, "A live agent becomes available."),
    Part(
        6,
        "The agent sends a REPRESENTATIVE_JOINED event before sending the first message from the "
        "live agent.",
        (
            Step("a human message before JOINED is refused", MESSAGES, HELP, "dev-agent", 409),
            Step(
                "Jane Doe joins, as printed",
                f"{ELSEWHERE}?eventId=6666",
                JOINED,
                "dev-agent",
                404,
                "The page has two conversation ids: webhooks and messages have 3333, events have "
                "12345, which Baton does not know.",
            ),
            Step("Jane Doe joins", f"{EVENTS}?eventId=6666", JOINED, "dev-agent"),
        ),
    ),
    Part(
        7,
        'The agent sends "I see you have a problem. How can I help?" as a message from a HUMAN '
        "representative.",
        (Step("Jane asks how she can help, labelled HUMAN", MESSAGES, HELP, "dev-agent"),),
    ),
    Part(
        8,
        "The live agent and the user exchange messages until the user's request is fulfilled. All "
        "messages composed by the live agent are sent from a HUMAN representative.",
        (Step("the bot is silent while she is there", MESSAGES, SILENT, "dev-bot", 409),),
    ),
    Part(
        9,
        "The agent sends a REPRESENTATIVE_LEFT event when the live agent leaves the conversation.",
        (
            Step(
                "Jane leaves, as printed in the right conversation",
                f"{EVENTS}?eventId=6666",
                LEFT,
                "dev-agent",
                409,
                "The page has one eventId twice: 6666 is the id of JOINED. Two events with one id "
                "are a repetition, so each needs an id of its own.",
            ),
            Step("Jane leaves", f"{EVENTS}?eventId=6667", LEFT, "dev-agent"),
        ),
    ),
    Part(
        10,
        "The agent sends all subsequent messages with BOT representatives unless another live "
        "agent joins the conversation.",
        (Step("the bot speaks again, under the id refused before", MESSAGES, SILENT, "dev-bot"),),
    ),
)
STEPS = tuple(step for part in PAGE for step in part.steps)
