"""The reference conversation, step by step, as on the vendor's page. Its JSON is corrected, and it
has one conversation id.
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
    """

    title: str
    path: str
    body: Mapping[str, Any]
    key: str | None = None
    expect: int = 200


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

STEPS = (
    Step("the customer begins to type", WEBHOOK, TYPING),
    Step('the customer says "Hi, I have a problem"', WEBHOOK, HI),
    Step("the bot thanks, labelled BOT", MESSAGES, THANKS, "dev-bot"),
    Step("a human message before JOINED is refused", MESSAGES, HELP, "dev-agent", 409),
    Step("Jane Doe joins", f"{EVENTS}?eventId=6666", JOINED, "dev-agent"),
    Step("Jane asks how she can help, labelled HUMAN", MESSAGES, HELP, "dev-agent"),
    Step("the bot is silent while she is there", MESSAGES, SILENT, "dev-bot", 409),
    Step(
        "Jane leaves under an id that was used: refused",
        f"{EVENTS}?eventId=6666",
        LEFT,
        "dev-agent",
        409,
    ),
    Step("Jane leaves", f"{EVENTS}?eventId=6667", LEFT, "dev-agent"),
    Step("the bot speaks again, under the id refused before", MESSAGES, SILENT, "dev-bot"),
)
