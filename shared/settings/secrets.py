"""Which values are accepted as secrets: no placeholder of a document, nothing short, nothing that
can be guessed.

A weak secret counts as missing, so its door stays closed. Everybody knows the development keys of
the local run: they are accepted on one machine only.
"""

import base64
import binascii
import itertools
import json
import math
import re
import string
from collections.abc import Iterable, Mapping

SHORTEST, BITS = 16, 64
SINGLE = (
    "business_messages_client_token",
    "whatsapp_verify_token",
    "whatsapp_access_token",
    "ccai_events_password",
    "ccai_api_token",
    "csku_api_secret",
    "slack_bot_token",
    "matrix_as_token",
    "crm_comment_authorization",
    "team_webhook_secret",
)
LISTS = (
    "business_messages_signing_keys",
    "csku_webhook_secrets",
    "rcs_client_tokens",
    "whatsapp_app_secrets",
    "ccai_webhook_secrets",
    "slack_signing_secrets",
    "matrix_hs_tokens",
    "outbound_webhook_keys",
    "crm_comment_secret",
    "bridge_token_keys",
    "media_link_keys",
    "baton_session_keys",
)
BEARERS = ("business_messages_auth", "rcs_auth", "google_chat_auth", "dialogflow_auth")
DEVELOPMENT = "dev-"
_WORDS = """
    access admin an api app baton bot change client default desk dummy enter example
    fill fixme foo bar from here in insert key keys letmein me meta my new none null of
    old or paste password placeholder primary put qwerty random replace second secondary
    secret secrets set signing some string test the this to todo token tokens value
    verify webhook whatsapp with your yours
"""
_PLACEHOLDER = re.compile(
    rf"(?:{'|'.join(sorted(_WORDS.split(), key=len, reverse=True))}|[\W_]|[0-9])*"
)
_CLASSES = (string.digits, "abcdef", string.ascii_lowercase[6:], string.ascii_uppercase)


def weakness(secret: str, *, development: bool = False) -> str | None:
    """Returns why this is not accepted as a secret, None where it is. With `development` the local
    run's own keys are accepted.
    """
    if development and any(one.startswith(DEVELOPMENT) for one in _readings(secret)):
        return None
    return next((why for one in _readings(secret) if (why := _weakness(one))), None)


def strong(given: Mapping[str, str], *, development: bool) -> tuple[dict[str, str], list[str]]:
    """Returns the settings without their weak secrets, and the names of these, without values."""
    kept, faults = dict(given), list[str]()
    for name in (*SINGLE, *LISTS):
        parts = given.get(name, "").split(",") if name in LISTS else [given.get(name, "")]
        why = {
            part: weakness(part.strip(), development=development) for part in parts if part.strip()
        }
        faults += _named(name, why.values())
        _keep(kept, name, ",".join(part for part, fault in why.items() if fault is None))
    return kept, faults


def weak_keys(given: Mapping[str, str], *, development: bool) -> tuple[set[str], list[str]]:
    """Returns the weak keys of the API, and what is wrong with each, without its value."""
    keys = _api_keys(given.get("baton_api_keys", ""))
    why = {key: weakness(key, development=development) for key in keys}
    return {key for key, fault in why.items() if fault}, _named("baton_api_keys", why.values())


def weak_bearers(given: Mapping[str, str]) -> list[str]:
    """Returns what is wrong with tokens that are sent to platforms. They open no door of ours."""
    tokens = {name: given.get(name, "") for name in BEARERS}
    bearers = {
        name: text.removeprefix("bearer:")
        for name, text in tokens.items()
        if text.startswith("bearer:")
    }
    return [fault for name, token in bearers.items() for fault in _named(name, [weakness(token)])]


def _keep(kept: dict[str, str], name: str, value: str) -> None:
    if value:
        kept[name] = value
    else:
        kept.pop(name, None)


def _named(name: str, faults: Iterable[str | None]) -> list[str]:
    found = list(faults)
    which = (f" {n}" if len(found) > 1 else "" for n in range(1, len(found) + 1))
    return [f"{name.upper()}{n} {why}" for n, why in zip(which, found, strict=True) if why]


def _api_keys(text: str) -> list[str]:
    """Returns the keys as given; the setting's own check refuses what is malformed."""
    try:
        keys = json.loads(text)
    except ValueError:
        return []
    return list(keys) if isinstance(keys, dict) else []


def _readings(secret: str) -> list[str]:
    """Returns the secret without a scheme before it, and the text that it is the base64 of."""
    plain = re.sub(r"^(?:whsec_|(?i:bearer|basic|token) )", "", secret).strip()
    try:
        decoded = base64.b64decode(plain, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return [plain]
    return [plain, decoded] if decoded.isprintable() and decoded else [plain]


def _weakness(secret: str) -> str | None:
    if _PLACEHOLDER.fullmatch(secret.lower()) and not secret.isdigit():
        return "is a placeholder"
    if secret.startswith(DEVELOPMENT):
        return "is a key of the local run, which everybody knows"
    if len(secret) < SHORTEST:
        return f"has fewer than {SHORTEST} characters"
    if _bits(secret) < BITS:
        return f"can be guessed: it has fewer than {BITS} bits"
    return None


def _bits(secret: str) -> float:
    """Returns at most how many bits it has: by the kinds of its characters; a repetition adds
    none.
    """
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(secret)}
    if len(steps) < 5:
        return 0.0
    once = secret[: (secret + secret).find(secret, 1)]
    used = [kind for kind in _CLASSES if set(kind) & set(once)]
    others = 32 if set(once) - set(string.ascii_letters + string.digits) else 0
    return len(once) * math.log2(sum(map(len, used)) + others)
