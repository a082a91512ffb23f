"""Sessions of people: who gets one, for how long, and which requests it counts for."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest

from shared.api.keys import Keyring
from shared.api.routes import body_limit, is_upload, send_representative
from shared.api.sessions import Sessions
from shared.errors import BatonError
from shared.schemas.http import Request, Response
from shared.settings.model import read_settings
from shared.transports.clock import WallClock
from shared.transports.google_sign_in import GoogleSignIn
from shared.transports.http_sender import HttpSender
from tests.unit.google_accounts import CLIENT, google_accounts, id_token

PEOPLE: dict[str, dict[str, Any]] = {
    "jane@example.com": {"name": "Jane"},
    "rita@example.com": {"name": "Rita", "role": "reports"},
}
KEYS: dict[str, dict[str, Any]] = {
    "dev-jane": {"person": "jane@example.com"},
    "dev-rita": {"person": "rita@example.com"},
    "dev-desk": {"name": "desk", "may": ["HUMAN"]},
}
PAGE = {"baton-page": "1", "sec-fetch-site": "same-origin", "host": "baton.test"}


@dataclass
class Browser:
    """A browser with at most one cookie, at one deployment."""

    bench: Any
    ring: Keyring
    cookie: str = ""
    set: Morsel[str] | None = None

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = PAGE
    ) -> Any:
        """Returns the answer, or the reason of the refusal."""
        sent = b"" if body is None else json.dumps(body).encode()
        given = {**headers, **({"cookie": self.cookie} if self.cookie else {})}
        try:
            answer = await send_representative(
                self.bench.ports, self.ring, Request(method, f"/v1{path}", sent, given)
            )
        except BatonError as error:
            return error.reason
        self._keep(answer)
        return json.loads(answer.body)

    async def sign_in(self, **body: str) -> Any:
        return await self.ask("POST", "/session", body)

    async def who(self) -> Any:
        answer = await self.ask("GET", "/me")
        return answer if isinstance(answer, str) else answer["id"]

    def _keep(self, answer: Response) -> None:
        self.set = None
        if "set-cookie" in answer.headers:
            assert answer.headers["cache-control"] == "no-store"
            (self.set,) = SimpleCookie(answer.headers["set-cookie"]).values()
            self.cookie = f"{self.set.key}={self.set.value}" if self.set.value else ""


def ring(bench: Any, people: Any = PEOPLE, keys: Any = KEYS, **more: Any) -> Keyring:
    given = {"BATON_AGENTS": json.dumps(people), "BATON_API_KEYS": json.dumps(keys)}
    settings = read_settings(given)
    sessions = Sessions(more.pop("secrets", ("new", "old")), bench.clock, more.pop("secure", True))
    return Keyring(settings.api_keys, settings.people, sessions, more.pop("sign_in", None))


@pytest.fixture
def browser(bench: Any) -> Browser:
    return Browser(bench, ring(bench))


async def test_a_persons_key_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(
    browser: Browser,
) -> None:
    jane = await browser.sign_in(key="dev-jane")
    assert (jane["id"], jane["name"], jane["role"]) == ("jane@example.com", "Jane", "agent")
    assert jane["until"] == "2026-01-01T01:00:00.000000Z"
    assert browser.set is not None
    assert (browser.set.key, browser.set["httponly"], browser.set["secure"]) == (
        "__Secure-baton",
        True,
        True,
    )
    # without a path it is sent to all that begins with `.../v1/`, and to nothing else
    assert (browser.set["samesite"], browser.set["path"], browser.set["domain"]) == (
        "Strict",
        "",
        "",
    )
    assert browser.set["max-age"] == "3600"
    assert "jane" not in browser.cookie
    assert await browser.who() == "jane@example.com"


async def test_on_one_machine_the_cookie_works_without_https(bench: Any) -> None:
    local = Browser(bench, ring(bench, secure=False))
    await local.sign_in(key="dev-jane")
    assert local.set is not None
    assert (local.set.key, local.set["secure"]) == ("baton", "")
    assert await local.who() == "jane@example.com"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"key": "dev-desk"}, "people-only"),
        ({"key": "nobody-knows-this-key"}, "unauthenticated"),
        ({"key": "dev-jane", "credential": "x"}, "schema"),
        ({}, "schema"),
        ({"key": 7}, "schema"),
        ({"credential": "x"}, "door-closed"),
    ],
)
async def test_nobody_else_gets_a_session(
    browser: Browser, body: dict[str, Any], reason: str
) -> None:
    assert await browser.ask("POST", "/session", body) == reason
    assert browser.cookie == ""


OTHER_SITES: list[dict[str, str]] = [
    {"baton-page": "", "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin"},
    {"baton-page": "1", "sec-fetch-site": "cross-site"},
    {"baton-page": "1", "sec-fetch-site": "same-site"},
    {"baton-page": "1", "sec-fetch-site": "none"},
    {"baton-page": "1", "origin": "https://evil.test", "host": "baton.test"},
    {"baton-page": "1", "origin": "null", "host": "baton.test"},
    {"baton-page": "1", "origin": "https://baton.test:8443", "host": "baton.test"},
    {"content-type": "text/plain", "origin": "https://evil.test", "sec-fetch-site": "cross-site"},
]


@pytest.mark.parametrize("headers", OTHER_SITES)
async def test_what_another_site_can_make_a_browser_send_does_nothing(
    browser: Browser, headers: dict[str, str]
) -> None:
    signing_in = await browser.ask("POST", "/session", {"key": "dev-jane"}, headers)
    assert (signing_in, browser.cookie) == ("other-site", "")
    await browser.sign_in(key="dev-jane")
    claim = "/conversations/business_messages:3333:claim"
    for method, path in (("GET", "/me"), ("POST", claim), ("DELETE", "/session")):
        assert await browser.ask(method, path, {}, headers) == "other-site"
    assert await browser.who() == "jane@example.com"


@pytest.mark.parametrize(
    "headers",
    [
        {"baton-page": "1", "origin": "https://baton.test", "host": "baton.test"},
        {"baton-page": "1", "host": "baton.test"},
        PAGE,
    ],
)
async def test_old_and_new_browsers_call_from_the_page(
    browser: Browser, headers: dict[str, str]
) -> None:
    assert (await browser.ask("POST", "/session", {"key": "dev-jane"}, headers))["name"] == "Jane"
    assert (await browser.ask("GET", "/me", headers=headers))["name"] == "Jane"


async def test_a_key_counts_for_more_than_a_cookie(browser: Browser) -> None:
    await browser.sign_in(key="dev-jane")
    for given, answer in (("Bearer dev-desk", "desk"), ("Bearer x", None), ("Basic eDp5", None)):
        told = await browser.ask("GET", "/me", headers={"authorization": given})
        assert told == "unauthenticated" if answer is None else told["id"] == answer


async def test_a_session_lasts_an_hour_and_is_renewed_by_an_open_page_for_a_working_day(
    browser: Browser,
) -> None:
    await browser.sign_in(key="dev-jane")
    first, clock = browser.cookie, browser.bench.clock
    assert await browser.who() == "jane@example.com"
    assert browser.set is None  # just now
    clock.forward(timedelta(minutes=59).total_seconds())
    assert await browser.ask("GET", "/conversations/business_messages:1") == "unknown-conversation"
    assert browser.set is None  # there the cookie would get another path
    assert await browser.who() == "jane@example.com"
    assert browser.set is not None
    second, browser.cookie = browser.cookie, first
    clock.forward(timedelta(minutes=2).total_seconds())
    assert await browser.who() == "unauthenticated"
    browser.cookie = second
    hours = 0
    while await browser.who() == "jane@example.com":
        clock.forward(timedelta(minutes=30).total_seconds())
        hours += 0.5
    assert 10.5 <= hours <= 11.5


@pytest.mark.parametrize(
    ("people", "keys"),
    [
        ({"rita@example.com": PEOPLE["rita@example.com"]}, {}),
        (PEOPLE, {}),
        (PEOPLE, {"dev-jane": {"person": "rita@example.com"}}),
        (PEOPLE, {"dev-other": {"person": "jane@example.com"}}),
    ],
)
async def test_who_is_removed_or_has_lost_their_key_loses_the_session_at_once(
    browser: Browser, people: Any, keys: Any
) -> None:
    await browser.sign_in(key="dev-jane")
    browser.ring = ring(browser.bench, people, {"dev-desk": KEYS["dev-desk"], **keys})
    assert await browser.who() == "unauthenticated"


async def test_another_role_counts_at_the_next_request(browser: Browser) -> None:
    await browser.sign_in(key="dev-jane")
    queue = "/conversations"
    assert await browser.ask("GET", queue) == {"conversations": []}
    role = {**PEOPLE["jane@example.com"], "role": "reports"}
    browser.ring = ring(browser.bench, {**PEOPLE, "jane@example.com": role})
    assert await browser.ask("GET", queue) == "human-only"


async def test_keys_of_sessions_rotate(browser: Browser) -> None:
    await browser.sign_in(key="dev-jane")
    browser.ring = ring(browser.bench, secrets=("newer", "new"))
    assert await browser.who() == "jane@example.com"
    browser.ring = ring(browser.bench, secrets=("newer", "old"))
    assert await browser.who() == "unauthenticated"


@pytest.mark.parametrize(
    "cookie", ["__Secure-baton=", "__Secure-baton=x", "__Secure-baton=é", "=;;=", "baton={good}"]
)
async def test_a_cookie_that_is_none_of_ours_opens_nothing(browser: Browser, cookie: str) -> None:
    await browser.sign_in(key="dev-jane")
    browser.cookie = cookie.replace("{good}", browser.cookie.partition("=")[2])
    assert await browser.who() == "unauthenticated"


async def test_other_cookies_of_the_host_do_not_hide_the_session(browser: Browser) -> None:
    await browser.sign_in(key="dev-jane")
    browser.cookie = f'a="b; __Secure-baton=planted; {browser.cookie}; c'
    assert await browser.who() == "jane@example.com"


async def test_who_signs_out_has_no_cookie(browser: Browser) -> None:
    await browser.sign_in(key="dev-jane")
    assert await browser.ask("DELETE", "/session") == {}
    assert browser.set is not None
    assert (browser.set["max-age"], browser.set["httponly"]) == ("0", True)
    assert await browser.who() == "unauthenticated"


async def test_a_session_reads_bodies_and_files_as_a_key_does(browser: Browser) -> None:
    await browser.sign_in(key="dev-jane")
    path, cookie = "/v1/conversations/business_messages:1", {"cookie": browser.cookie}
    for headers, size in (({**PAGE, **cookie}, 1 << 20), (PAGE, 0), (cookie, 0)):
        assert body_limit(browser.ring, Request("POST", f"{path}:claim", headers=headers)) == size
        upload = Request("POST", f"{path}/media", headers=headers)
        assert is_upload(browser.ring, upload) is (size > 0)
    assert body_limit(browser.ring, Request("POST", "/v1/session")) == 16 << 10


async def test_without_its_keys_the_door_is_closed(browser: Browser) -> None:
    browser.ring = replace(browser.ring, sessions=None)
    assert await browser.sign_in(key="dev-jane") == "door-closed"
    assert await browser.ask("DELETE", "/session") == "door-closed"
    assert await browser.who() == "unauthenticated"
    browser.ring = ring(browser.bench, keys={})
    assert await browser.who() == "door-closed"
    assert await browser.sign_in(key="dev-jane") == "door-closed"


async def test_a_path_that_would_give_the_cookie_another_path_sets_none(browser: Browser) -> None:
    assert await browser.ask("POST", "/session/", {"key": "dev-jane"}) == "malformed-path"
    await browser.sign_in(key="dev-jane")
    browser.bench.clock.forward(600)
    assert (await browser.ask("GET", "/me/"))["id"] == "jane@example.com"
    assert browser.set is None


@pytest.fixture
async def google(bench: Any) -> AsyncIterator[GoogleSignIn]:
    async with google_accounts() as accounts:
        sender = HttpSender()
        yield GoogleSignIn(CLIENT, ("example.com",), sender, WallClock(), accounts.url)
        await sender.close()


async def test_people_sign_in_with_google_and_need_no_key(bench: Any, google: GoogleSignIn) -> None:
    browser = Browser(bench, ring(bench, keys={}, sign_in=google))
    assert await browser.ask("GET", "/session") == {"googleClientId": CLIENT}
    assert (await browser.sign_in(credential=id_token()))["id"] == "jane@example.com"
    assert await browser.who() == "jane@example.com"
    with_key = await browser.ask("GET", "/me", headers={"authorization": "Bearer x"})
    assert with_key == "door-closed"
    browser.ring = ring(bench)
    assert await browser.who() == "unauthenticated"
    assert await browser.ask("GET", "/session") == {}


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email": "omar@example.com"}, "not-in-the-team"),
        ({"hd": "evil.test"}, "wrong-domain"),
        ({"email_verified": False}, "email-not-verified"),
        ({"aud": "other.apps.googleusercontent.com"}, "unauthenticated"),
    ],
)
async def test_only_people_of_the_team_sign_in_with_google(
    bench: Any, google: GoogleSignIn, claims: dict[str, Any], reason: str
) -> None:
    browser = Browser(bench, ring(bench, sign_in=google))
    assert await browser.sign_in(credential=id_token(**claims)) == reason
    assert browser.cookie == ""
