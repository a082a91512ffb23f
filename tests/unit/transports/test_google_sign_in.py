"""Signing in with Google: real tokens, judged by google-auth with certificates from a server."""

import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from shared.errors import BatonError, Unavailable
from shared.transports.google_sign_in import GoogleSignIn
from shared.transports.http_sender import HttpSender
from tests.unit.google_accounts import CLIENT, JANE, GoogleAccounts, google_accounts, id_token, key


@dataclass
class Clock:
    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Door:
    """A sign-in, the accounts that it asks, and its clock."""

    google: GoogleAccounts
    sender: HttpSender
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self, domains: tuple[str, ...] = ("example.com",)) -> None:
        """Begins a sign-in, which has no certificates yet."""
        self.sign_in = GoogleSignIn(CLIENT, domains, self.sender, self.clock, self.google.url)

    async def takes(self, token: str) -> str:
        """Returns the address, or the reason of the refusal."""
        try:
            return await self.sign_in.email(token)
        except BatonError as error:
            return error.reason


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with google_accounts() as google:
        sender = HttpSender()
        yield Door(google, sender)
        await sender.close()


async def test_a_token_of_googles_names_the_person(door: Door) -> None:
    assert await door.takes(id_token(email="Jane@Example.com")) == "jane@example.com"
    assert await door.takes(id_token(iss="accounts.google.com")) == "jane@example.com"


NOW = int(time.time())
HOUR = 3600


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other.apps.googleusercontent.com"},
        {"aud": [CLIENT]},
        {"aud": None},
        {"iss": "https://evil.test"},
        {"iss": None},
        {"iat": NOW - 2 * HOUR, "exp": NOW - HOUR},
        {"iat": NOW + HOUR, "exp": NOW + 2 * HOUR},
        {"iat": NOW - 1200},  # it was copied from somewhere
        {"iat": "yesterday"},
        {"iat": None},
        {"exp": None},
        {"signed_by": "k2"},
        {"signed_by": "k2", "headers": {"kid": "k1"}},
        {"signed_by": "k2", "headers": {"kid": ""}},
    ],
)
async def test_a_token_for_others_or_of_others_opens_nothing(
    door: Door, claims: dict[str, Any]
) -> None:
    assert await door.takes(id_token(**claims)) == "unauthenticated"


def forged() -> dict[str, str]:
    """Returns texts that are no tokens of Google's."""
    good = id_token()
    header, payload, signature = good.split(".")
    plain = {**jwt.decode(good, options={"verify_signature": False})}
    public = key("k1").public_key()
    deep = base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
    other = base64.urlsafe_b64encode(json.dumps({**plain, "email": "b@example.com"}).encode())
    return {
        "unsigned": jwt.encode(plain, "", "none", {"kid": "k1"}),
        "signed with the public key": jwt.encode(
            plain, str(public.public_numbers().n), "HS256", {"kid": "k1"}
        ),
        "other claims": f"{header}.{other.decode().rstrip('=')}.{signature}",
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "words": "let me in",
        "deep": f"{deep}.{deep}.{signature}",
        "no object": "W10.W10.AA",
        "no text": "\ud800.a.b",
    }


async def test_what_is_no_token_of_googles_opens_nothing(door: Door) -> None:
    ends = dict[str, str]()
    for what, token in forged().items():
        door.begin()
        ends[what] = await door.takes(token)
    assert ends == dict.fromkeys(ends, "unauthenticated")


@pytest.mark.parametrize(
    ("domains", "claims", "answer"),
    [
        (("example.com",), {"hd": "evil.test"}, "wrong-domain"),
        (("example.com",), {"hd": None, "email": "jane@gmail.com"}, "wrong-domain"),
        (("example.com",), {"hd": None}, "email-not-verified"),
        (("example.com",), {"email_verified": False}, "email-not-verified"),
        (("example.com",), {"email_verified": None}, "email-not-verified"),
        (("example.com",), {"email": None}, "email-not-verified"),
        ((), {"hd": None}, "email-not-verified"),
        ((), {"hd": None, "email": "jane@gmail.com"}, "jane@gmail.com"),
        ((), {}, JANE["email"]),
        (("a.test", "example.com"), {"email": "jane@brand.test"}, "jane@brand.test"),
    ],
)
async def test_only_addresses_that_google_vouches_for_and_of_these_domains(
    door: Door, domains: tuple[str, ...], claims: dict[str, Any], answer: str
) -> None:
    door.begin(domains)
    assert await door.takes(id_token(**claims)) == answer


async def test_certificates_are_asked_for_once_and_again_where_the_key_is_new(door: Door) -> None:
    door.google.headers = {"cache-control": "public, max-age=300, must-revalidate", "age": "100"}
    for _ in range(3):
        assert await door.takes(id_token()) == "jane@example.com"
    assert door.google.asked == 1
    door.google.published = ("k2", "k1")
    for _ in range(3):  # a key that nobody has published makes no call each time
        assert await door.takes(id_token(signed_by="k3")) == "unauthenticated"
    assert door.google.asked == 1
    door.clock.ahead = timedelta(seconds=61)
    assert await door.takes(id_token(signed_by="k2")) == "jane@example.com"
    assert door.google.asked == 2
    door.google.published = ("k2",)
    door.clock.ahead += timedelta(seconds=201)  # and k1's certificate was good until then
    assert await door.takes(id_token()) == "unauthenticated"
    assert door.google.asked == 3


async def test_without_certificates_nobody_signs_in_and_it_may_be_tried_again(door: Door) -> None:
    door.google.status = 500
    with pytest.raises(Unavailable) as error:
        await door.sign_in.email(id_token())
    assert (error.value.reason, error.value.code) == ("no-google-certificates", 503)
    door.google.status, door.google.published = 200, ()
    assert await door.takes(id_token()) == "no-google-certificates"
    door.google.published = ("k1",)
    assert await door.takes(id_token()) == "jane@example.com"


def test_sessions_end_where_others_may_sign_in() -> None:
    def terms(client: str, *domains: str) -> str:
        return GoogleSignIn(client, domains, HttpSender(), Clock()).terms

    assert terms("a", "x.test", "y.test") == terms("a", "y.test", "x.test")
    assert len({terms("a"), terms("b"), terms("a", "x.test"), terms("a", "y.test")}) == 4
