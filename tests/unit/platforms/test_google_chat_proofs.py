"""Who may post events to Google Chat's webhook: real tokens, real certificates."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import jwt
import pytest

from shared.errors import BatonError, DoorClosed, Unavailable, UnknownKey
from shared.platforms.google_chat.platform import GoogleChat
from shared.platforms.google_chat.proofs import Proofs
from shared.schemas.http import Answer, Request
from tests.unit.chat_tokens import (
    CHAT,
    CHATS_KEYS,
    GOOGLES_KEYS,
    HOOK,
    PROJECT,
    PUSH,
    chats_own,
    googles,
    published,
    request,
)
from tests.unit.google_accounts import certificate, key

NOW, HOUR = int(time.time()), 3600


def door(audience: str | None, push: str | None = None) -> GoogleChat:
    return GoogleChat(lambda: datetime.now(UTC), Proofs(audience, push))


@cache
def keys() -> dict[str, Answer]:
    """Returns what is published at each address."""
    return {CHATS_KEYS: published("older", "chat"), GOOGLES_KEYS: published("google")}


def takes(platform: GoogleChat, asked: Request) -> str:
    """Returns which keys proved the request, or the reason of the refusal."""
    try:
        lookup = platform.keys_lookup(asked)
        if lookup is None:
            platform.authenticate(asked)
            return "nothing proved it"
        platform.authenticate_with(asked, keys()[lookup.url])
    except BatonError as error:
        return error.reason
    return lookup.url


def test_either_form_of_google_chats_tokens_opens_the_door_that_expects_it() -> None:
    assert takes(door(PROJECT), request(chats_own())) == CHATS_KEYS
    assert takes(door(PROJECT), request(chats_own(signed_by="older"))) == CHATS_KEYS
    assert takes(door(HOOK), request(googles())) == GOOGLES_KEYS
    assert takes(door(HOOK), request(googles(iss="accounts.google.com"))) == GOOGLES_KEYS


@pytest.mark.parametrize("audience", [PROJECT, HOOK])
def test_a_push_of_the_named_account_opens_it_too(audience: str) -> None:
    pushed = googles(email=PUSH, aud=audience)
    assert takes(door(audience, PUSH), request(pushed)) == GOOGLES_KEYS
    assert takes(door(audience), request(pushed)) == "unauthenticated"
    assert takes(door(audience, "other@acme.test"), request(pushed)) == "unauthenticated"


@pytest.mark.parametrize(
    ("audience", "token"),
    [
        (HOOK, chats_own),
        (PROJECT, googles),
        (HOOK, partial(chats_own, aud=HOOK)),
        (PROJECT, partial(googles, aud=PROJECT)),
        (PROJECT, partial(chats_own, aud="1")),
        (PROJECT, partial(chats_own, aud=int(PROJECT))),
        (PROJECT, partial(chats_own, aud=[PROJECT])),
        (PROJECT, partial(chats_own, aud=None)),
        (PROJECT, partial(chats_own, iss="other@system.gserviceaccount.com")),
        (PROJECT, partial(chats_own, iss=None)),
        (PROJECT, partial(chats_own, iat=NOW - 2 * HOUR, exp=NOW - HOUR)),
        (PROJECT, partial(chats_own, iat=NOW + HOUR, exp=NOW + 2 * HOUR)),
        (PROJECT, partial(chats_own, exp=None)),
        (PROJECT, partial(chats_own, iat=None)),
        (PROJECT, partial(chats_own, exp="tomorrow")),
        (PROJECT, partial(chats_own, exp=True)),
        (PROJECT, partial(chats_own, signed_by="stranger")),
        (PROJECT, partial(chats_own, signed_by="stranger", headers={"kid": "chat"})),
        (PROJECT, partial(chats_own, signed_by="google")),
        (PROJECT, partial(chats_own, headers={"kid": ""})),
        (HOOK, partial(googles, email="jane@example.com")),
        (HOOK, partial(googles, email=None)),
        (HOOK, partial(googles, email_verified=False)),
        (HOOK, partial(googles, email_verified="true")),
        (HOOK, partial(googles, aud=HOOK + "/")),
        (HOOK, partial(googles, iss="https://evil.test")),
        (HOOK, partial(googles, iss=CHAT)),
        (HOOK, partial(googles, exp=NOW - HOUR)),
        (HOOK, partial(googles, signed_by="chat")),
    ],
)
def test_a_token_for_others_of_others_or_of_another_time_opens_nothing(
    audience: str, token: Callable[[], str]
) -> None:
    assert takes(door(audience), request(token())) == "unauthenticated"


def forged() -> dict[str, str | None]:
    """Returns texts that are no tokens of Google Chat's."""
    good = chats_own()
    header, payload, signature = good.split(".")
    plain: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
    other = (
        base64.urlsafe_b64encode(json.dumps({**plain, "sub": "b"}).encode()).decode().rstrip("=")
    )
    deep = base64.urlsafe_b64encode(b"[" * 900).decode().rstrip("=")
    public = key("chat").public_key().public_numbers().n
    return {
        "none": jwt.encode(plain, "", "none", {"kid": "chat"}),
        "the certificate as a password": jwt.encode(
            plain, certificate("chat").replace("-----", "="), "HS256", {"kid": "chat"}
        ),
        "the public key as a password": jwt.encode(plain, str(public), "HS256", {"kid": "chat"}),
        "other claims": f"{header}.{other}.{signature}",
        "no signature": f"{header}.{payload}.",
        "the signature that Cloud Run leaves": f"{header}.{payload}.SIGNATURE_REMOVED_BY_GOOGLE",
        "two parts": f"{header}.{payload}",
        "words": "let me in",
        "nothing": "",
        "no header": None,
        "deep": f"{deep}.{deep}.{signature}",
        "no object": "W10.W10.AA",
        "long": good + "A" * 5000,
    }


def test_what_is_no_token_of_google_chats_opens_nothing() -> None:
    ends = {what: takes(door(PROJECT), request(token)) for what, token in forged().items()}
    assert ends == dict.fromkeys(ends, "unauthenticated")


def test_a_token_of_a_key_that_is_not_published_yet_says_so() -> None:
    with pytest.raises(UnknownKey):
        door(PROJECT).authenticate_with(request(chats_own()), published("older"))


def test_other_schemes_open_nothing() -> None:
    basic = Request("POST", "/google_chat", b"", {"authorization": f"Basic {chats_own()}"})
    assert takes(door(PROJECT), basic) == "unauthenticated"


def test_without_an_audience_the_door_is_closed() -> None:
    with pytest.raises(DoorClosed) as caught:
        door(None).keys_lookup(request(chats_own()))
    assert caught.value.metadata["setting"] == "GOOGLE_CHAT_AUDIENCE"
    assert door(None).body_limit(request(chats_own())) == 0


@pytest.mark.parametrize("answer", [Answer(500), Answer(200, b"no"), Answer(200, b"{}")])
def test_without_certificates_the_request_may_be_sent_again(answer: Answer) -> None:
    with pytest.raises(Unavailable):
        door(PROJECT).authenticate_with(request(chats_own()), answer)


def test_a_body_is_read_where_the_token_may_be_genuine() -> None:
    assert door(PROJECT).body_limit(request(chats_own())) == 1 << 20
    for token in (chats_own(aud="1"), googles(), "words", None):
        assert door(PROJECT).body_limit(request(token)) == 0
