"""The handoff layer under test, as a platform, a bot and a desk reach it: its webhook and its
Business Messages API.
"""

import base64
import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

BUSY = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """An answer. `error` is the status in the body of a refusal, such as FAILED_PRECONDITION."""

    status: int
    error: str = ""

    @property
    def verdict(self) -> str:
        if self.status < 300:
            return "accepted"
        return "repeated" if self.error == "ALREADY_EXISTS" else "refused"


@dataclass(frozen=True)
class Layer:
    """`api` is the address before `/v1`. `keys` has the bearer keys of `bot` and `desk`. The
    claim, if the layer has one, is a path below the conversation, such as `:claim`.
    """

    api: str
    webhook: str
    keys: Mapping[str, str]
    signing_key: str
    claim: str = ""
    patience: float = 20.0
    agent: str = "brands/conformance/agents/suite"
    names: Mapping[str, str] = field(
        default_factory=lambda: {"bot": "The Bot", "jane": "Jane Doe", "john": "John Roe"}
    )

    def representative(self, actor: str) -> dict[str, str]:
        kind = "BOT" if actor == "bot" else "HUMAN"
        avatar = f"https://avatars.example/{actor}.png"
        name = self.names.get(actor, actor)
        return {"representativeType": kind, "displayName": name, "avatarImage": avatar}

    def key(self, actor: str) -> str:
        return self.keys["bot" if actor == "bot" else "desk"]

    def says(self, conversation: str, actor: str, identifier: str, text: str) -> Answer:
        body = {
            "messageId": identifier,
            "text": text,
            "representative": self.representative(actor),
        }
        return self._ask(f"{self._path(conversation)}/messages", body, self.key(actor))

    def event(self, conversation: str, actor: str, identifier: str, kind: str) -> Answer:
        body = {"eventType": kind, "representative": self.representative(actor)}
        path = f"{self._path(conversation)}/events?eventId={quote(identifier)}"
        return self._ask(path, body, self.key(actor))

    def claims(self, conversation: str, actor: str) -> Answer:
        body = {"representative": self.representative(actor)}
        return self._ask(f"{self._path(conversation)}{self.claim}", body, self.key(actor))

    def customer(self, conversation: str, identifier: str, what: Mapping[str, Any]) -> Answer:
        """Reports something of the customer's by a signed webhook."""
        body = self.reported(conversation, identifier, what)
        return self._send(self.webhook, body, {"x-goog-signature": self.signature(body)})

    def reported(self, conversation: str, identifier: str, what: Mapping[str, Any]) -> bytes:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        whole = {
            "agent": self.agent,
            "conversationId": conversation,
            "requestId": identifier,
            "context": {"resolvedLocale": "en", "userInfo": {"displayName": "Ana"}},
            "sendTime": now,
            **{name: {**one, "createTime": now} for name, one in what.items()},
        }
        return json.dumps(whole).encode()

    def signature(self, body: bytes) -> str:
        digest = hmac.new(self.signing_key.encode(), body, hashlib.sha512).digest()
        return base64.b64encode(digest).decode()

    def at_webhook(self, body: bytes, signature: str | None) -> Answer:
        return self._send(self.webhook, body, {"x-goog-signature": signature} if signature else {})

    def at_api(self, conversation: str, body: Mapping[str, Any], key: str | None) -> Answer:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        url = f"{self._path(conversation)}/messages"
        return self._send(url, json.dumps(body).encode(), headers)

    def _path(self, conversation: str) -> str:
        return f"{self.api.rstrip('/')}/v1/conversations/{quote(conversation, safe='')}"

    def _ask(self, url: str, body: Mapping[str, Any], key: str) -> Answer:
        return self._send(url, json.dumps(body).encode(), {"authorization": f"Bearer {key}"})

    def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Asks until the answer is definite, as a client does: under the same id."""
        deadline = time.monotonic() + self.patience
        while True:
            answer = _once(url, body, headers, self.patience)
            if answer.status not in BUSY or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)


def _once(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    try:
        status, answer = forwarded(
            url, body, {"content-type": "application/json", **headers}, seconds
        )
    except (OSError, http.client.HTTPException):
        return Answer(503)
    return Answer(status, _error(answer))


def forwarded(
    url: str, body: bytes, headers: Mapping[str, str], seconds: float = 30.0
) -> tuple[int, bytes]:
    """Returns status and body of the answer to one POST."""
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.netloc, timeout=seconds)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        connection.request("POST", target, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _error(body: bytes) -> str:
    try:
        found = json.loads(body)["error"]["status"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(found)
