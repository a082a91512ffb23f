"""Signed bodies, as platforms post them."""

import json
from typing import Any

from infra.local.reference import COMMON
from infra.local.settings import SIGNING_KEY
from shared.platforms.bodies import hmac_sha512_base64


def signed(body: Any) -> tuple[bytes, dict[str, str]]:
    """Returns body and headers of a webhook of Business Messages."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return raw, {"x-goog-signature": hmac_sha512_base64(SIGNING_KEY, raw)}


def customer_says(native: str, message_id: str, text: str) -> tuple[bytes, dict[str, str]]:
    message = {"messageId": message_id, "text": text, "createTime": "2026-01-01T00:00:00Z"}
    return signed(
        {
            **COMMON,
            "conversationId": native,
            "requestId": f"request-{message_id}",
            "message": message,
        }
    )
