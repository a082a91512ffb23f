"""The tokens of Google Chat and of Pub/Sub, made with real keys, and the certificates of these
keys as Google publishes them.
"""

import json
import time
from typing import Any

import jwt

from shared.schemas.http import Answer, Request
from tests.unit.google_accounts import certificate, key

PROJECT, HOOK = "123456789012", "https://baton.example.com/receive_webhook/google_chat"
CHAT = "chat@system.gserviceaccount.com"
PUSH = "chat-push@acme.iam.gserviceaccount.com"
CHATS_KEYS = f"https://www.googleapis.com/service_accounts/v1/metadata/x509/{CHAT}"
GOOGLES_KEYS = "https://www.googleapis.com/oauth2/v1/certs"


def published(*names: str) -> Answer:
    return Answer(200, json.dumps({name: certificate(name) for name in names}).encode())


def _token(signed_by: str, headers: dict[str, Any] | None, claims: dict[str, object]) -> str:
    now = int(time.time())
    whole = {"iat": now, "exp": now + 3600, **claims}
    given = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(given, key(signed_by), "RS256", {"kid": signed_by, **(headers or {})})


def chats_own(
    signed_by: str = "chat", headers: dict[str, Any] | None = None, **claims: object
) -> str:
    """Returns the token of an app whose audience is its project. A claim of None is left out."""
    return _token(signed_by, headers, {"iss": CHAT, "aud": PROJECT, **claims})


def googles(signed_by: str = "google", **claims: object) -> str:
    """Returns the token of an app whose audience is its URL."""
    about = {"email": CHAT, "email_verified": True, "sub": "111", "azp": "111"}
    return _token(
        signed_by, None, {"iss": "https://accounts.google.com", "aud": HOOK, **about, **claims}
    )


def request(token: str | None, body: bytes = b"{}") -> Request:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return Request("POST", "/google_chat", body, headers)
