"""Signing in and out: a key or an ID token of Google's becomes a session."""

from collections.abc import Mapping
from dataclasses import replace

from shared.api import views
from shared.api.bodies import SignInBody
from shared.api.keys import Keyring
from shared.api.sessions import Sessions, must_be_of_a_page
from shared.errors import BadRequest, DoorClosed, Forbidden, Unauthenticated
from shared.platforms.bodies import parse_object, validate
from shared.schemas.http import Request, Response
from shared.schemas.notation import format_time, sha256
from shared.schemas.people import Person
from shared.settings.types import ApiKey

BODY_LIMIT = 16 << 10  # bytes; an ID token has one to two thousand
PRIVATE = {"cache-control": "no-store"}


async def get_sign_in(keyring: Keyring, request: Request) -> Response:
    """Returns how people sign in here."""
    google = keyring.sign_in
    return views.json_response({"googleClientId": google.client_id if google else None})


async def create_session(keyring: Keyring, request: Request) -> Response:
    """Signs a person in. Returns who they are, and the cookie."""
    must_be_of_a_page(request)
    if request.path.endswith("/"):  # the cookie would have another path
        raise BadRequest("malformed-path", "People sign in at /v1/session, without a slash.")
    body = validate(SignInBody, parse_object(request.body or b"{}"))
    if (body.key is None) is (body.credential is None):
        raise BadRequest("schema", "Give either a key or a credential of Google's.", field="key")
    if body.key is not None:
        who, by = _by_key(keyring, body.key)
    else:
        who, by = await _by_google(keyring, body.credential or "")
    sessions = _sessions(keyring)
    session = sessions.begin(who.id, by)
    caller = views.caller_view(ApiKey.of_person(who))
    shown = {**caller, "until": format_time(session.until)}
    headers = {**PRIVATE, "set-cookie": sessions.cookie(session)}
    return replace(views.json_response(shown), headers=headers)


async def delete_session(keyring: Keyring, request: Request) -> Response:
    """Signs out: removes the cookie from the browser. Returns an empty object."""
    must_be_of_a_page(request)
    headers = {**PRIVATE, "set-cookie": _sessions(keyring).no_cookie()}
    return replace(views.json_response({}), headers=headers)


def renewal(keyring: Keyring, request: Request) -> Mapping[str, str]:
    """Returns the headers that renew the session of a request, none if it has none or if it was
    renewed just now.
    """
    sessions = keyring.sessions
    session = sessions.of(request) if sessions and "authorization" not in request.headers else None
    if sessions is None or session is None or request.path.endswith("/"):
        return {}
    renewed = sessions.renewed(session)
    return {} if renewed is session else {**PRIVATE, "set-cookie": sessions.cookie(renewed)}


def _sessions(keyring: Keyring) -> Sessions:
    if keyring.sessions is None:
        raise DoorClosed("BATON_SESSION_KEYS")
    return keyring.sessions


def _by_key(keyring: Keyring, key: str) -> tuple[Person, str]:
    """Returns whose key this is, and its SHA-256."""
    if not keyring.keys:
        raise DoorClosed("BATON_API_KEYS")
    caller = keyring.of_key(key)
    if caller is None:
        raise Unauthenticated
    if caller.person is None:
        raise Forbidden(
            "people-only", "This is the key of a system; people sign in with a key of their own."
        )
    return caller.person, sha256(key.strip())


async def _by_google(keyring: Keyring, credential: str) -> tuple[Person, str]:
    """Returns whose address a token of Google's names, and the terms of the sign-in."""
    if keyring.sign_in is None:
        raise DoorClosed("BATON_SIGN_IN_CLIENT_ID")
    person = keyring.people.get(await keyring.sign_in.email(credential))
    if person is None:
        raise Forbidden(
            "not-in-the-team", "This address is not in BATON_AGENTS; ask who has set Baton up."
        )
    return person, keyring.sign_in.terms
