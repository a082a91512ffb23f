"""The webhooks that are sent: CSKU's documented agent.message_out, a Business Messages message, and
a WhatsApp message of a customer with two names.
"""

import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.platforms.bodies import hmac_sha256_hex, hmac_sha512_base64

SAMPLES = Path(__file__).parents[1] / "samples"
CSKU_SECRET, SIGNING_KEY = "bench-csku-secret", "bench-signing-key"
BOT_KEY, WHATSAPP_SECRET = "dev-bench-bot", "bench-whatsapp-secret"
SECRETS = {
    "CSKU_WEBHOOK_SECRETS": CSKU_SECRET,
    "BUSINESS_MESSAGES_SIGNING_KEYS": SIGNING_KEY,
    "BUSINESS_MESSAGES_CLIENT_TOKEN": "bench-client-token",
    "WHATSAPP_APP_SECRETS": WHATSAPP_SECRET,
    "WHATSAPP_VERIFY_TOKEN": "bench-verify-token",
}
Headers = dict[str, str]
# (conversation, message id) -> body and headers
Webhook = Callable[[str, str], tuple[bytes, Headers]]


def csku(conversation: str, message: str) -> tuple[bytes, Headers]:
    body = _sample("csku/agent.message_out")
    body["timestamp"], body["conversation_id"], body["message"]["id"] = (
        int(time.time()),
        conversation,
        message,
    )
    return json.dumps(body).encode(), {"authorization": CSKU_SECRET}


def business_messages(conversation: str, message: str) -> tuple[bytes, Headers]:
    body = _sample("business_messages/message")
    body["conversationId"], body["requestId"], body["message"]["messageId"] = (
        conversation,
        message,
        message,
    )
    encoded = json.dumps(body).encode()
    return encoded, {"x-goog-signature": hmac_sha512_base64(SIGNING_KEY, encoded)}


def whatsapp(conversation: str, message: str) -> tuple[bytes, Headers]:
    """A customer who is known by a number and by a user id."""
    body = _sample("whatsapp/text-with-both-number-and-user-id")
    said = body["entry"][0]["changes"][0]["value"]["messages"][0]
    number = f"{zlib.crc32(conversation.encode()):010}"
    said |= {"from": f"1{number}", "from_user_id": f"US.{number}"}
    said |= {"id": f"wamid.{message}", "timestamp": str(int(time.time()))}
    encoded = json.dumps(body).encode()
    proof = f"sha256={hmac_sha256_hex(WHATSAPP_SECRET, encoded)}"
    return encoded, {"x-hub-signature-256": proof}


WEBHOOKS: dict[str, Webhook] = {
    "csku": csku,
    "business_messages": business_messages,
    "whatsapp": whatsapp,
}


def post(path: str, kind: str, conversation: str, message: str) -> bytes:
    """Returns the whole HTTP request."""
    body, headers = WEBHOOKS[kind](conversation, message)
    lines = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


_read: dict[str, str] = {}


def _sample(case: str) -> Any:
    if case not in _read:
        _read[case] = (SAMPLES / case / "body").read_text()
    return json.loads(_read[case])
