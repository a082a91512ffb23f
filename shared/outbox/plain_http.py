"""Plain HTTP calls: a user message for a bot or a desk, and a comment for the CRM record."""

from datetime import datetime
from urllib.parse import quote

import pydantic_core

from shared.errors import DoorClosed
from shared.platforms.bodies import hmac_sha512_base64
from shared.ports import CrmRecord, Webhooks
from shared.schemas.base import JsonObject
from shared.schemas.commands import Comment, Post
from shared.schemas.http import Call


def webhook_call(webhooks: Webhooks, command: Post, message: JsonObject) -> Call:
    """Returns a call with a message in Business Messages form, signed as Google signed it.

    Raises DoorClosed while URL or key are missing: the message waits in the outbox.
    """
    url = webhooks.urls.get(command.audience)
    if url is None:
        raise DoorClosed("BOT_WEBHOOK_URL" if command.audience == "BOT" else "DESK_WEBHOOK_URL")
    if webhooks.key is None:
        raise DoorClosed("OUTBOUND_WEBHOOK_KEYS")
    body = pydantic_core.to_json(message)
    headers = {
        "content-type": "application/json",
        "x-goog-signature": hmac_sha512_base64(webhooks.key, body),
    }
    return Call("POST", url, body, headers)


def comment_call(crm: CrmRecord | None, conversation: str, command: Comment, now: datetime) -> Call:
    """Returns a call signed by the Standard Webhooks scheme, with each secret; `webhook-id`
    identifies repetitions.

    https://www.standardwebhooks.com/  Raises DoorClosed while URL or secret are missing: the
    comment waits.
    """
    if crm is None:
        raise DoorClosed("CRM_COMMENT_URL")
    if not crm.secrets:
        raise DoorClosed("CRM_COMMENT_SECRET")
    # imported here, so that only a deployment with a CRM loads it
    from standardwebhooks.webhooks import Webhook

    body = pydantic_core.to_json(command.body)
    headers = {
        "content-type": "application/json",
        "webhook-id": command.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            Webhook(one).sign(command.id, now, body.decode()) for one in crm.secrets
        ),
    }
    if crm.authorization is not None:
        headers["authorization"] = crm.authorization
    return Call(crm.method, _filled_in(crm.url, conversation, command.id), body, headers)


def _filled_in(url: str, conversation: str, comment: str) -> str:
    """Returns the address with its placeholders filled. No value can leave its path segment or
    parameter.
    """
    platform, _, native = conversation.partition(":")
    values = {
        "conversation_id": conversation,
        "platform": platform,
        "native_id": native,
        "comment_id": comment,
    }
    for name, value in values.items():
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return url
