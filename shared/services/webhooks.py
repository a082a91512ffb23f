"""The plain webhooks of a bot or a desk: a user message in Business Messages form, signed as Google signed it."""

import pydantic_core

from shared.errors import DoorClosed
from shared.platforms.signatures import hmac_sha512_base64
from shared.ports import Webhooks
from shared.schemas.commands import Post
from shared.schemas.exchange import Call


def webhook_call(webhooks: Webhooks, command: Post) -> Call:
    """Returns the signed call. Raises DoorClosed while URL or key are missing: the message waits in the outbox."""
    url = webhooks.urls.get(command.audience)
    if url is None:
        raise DoorClosed("BOT_WEBHOOK_URL" if command.audience == "BOT" else "DESK_WEBHOOK_URL")
    if webhooks.key is None:
        raise DoorClosed("OUTBOUND_WEBHOOK_KEYS")
    body = pydantic_core.to_json(command.body)
    headers = {"content-type": "application/json", "x-goog-signature": hmac_sha512_base64(webhooks.key, body)}
    return Call("POST", url, body, headers)
