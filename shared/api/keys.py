"""API keys: stored as SHA-256, compared in constant time, with the rights of the settings."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import DoorClosed, Forbidden, Unauthenticated
from shared.schemas.http import Request
from shared.schemas.ids import sha256
from shared.schemas.representative import RepresentativeType
from shared.settings.types import ApiKey


@dataclass(frozen=True, slots=True)
class Keyring:
    """The API keys by their SHA-256."""

    keys: Mapping[str, ApiKey]

    def caller(self, request: Request) -> ApiKey:
        """Returns the key that the request carries.

        Raises DoorClosed if no keys are set, Unauthenticated.
        """
        if not self.keys:
            raise DoorClosed("BATON_API_KEYS")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        hashed = sha256(given.strip())
        found = [key for known, key in self.keys.items() if hmac.compare_digest(known, hashed)]
        if scheme.lower() != "bearer" or not found:
            raise Unauthenticated
        return found[0]


def must_speak_as(caller: ApiKey, kind: RepresentativeType) -> None:
    """Raises Forbidden unless this key may speak as `kind`."""
    if kind not in caller.may:
        raise Forbidden(
            "may-not-speak", f"This key may not speak as {kind.value}.", type=kind.value
        )


def must_speak(caller: ApiKey) -> None:
    """Raises Forbidden unless this key may speak as a bot or human."""
    if not caller.may:
        raise Forbidden("may-not-speak", "This key may speak neither as BOT nor as HUMAN.")


def must_send_templates(caller: ApiKey) -> None:
    """Raises Forbidden unless this key may send templates."""
    if not caller.templates:
        raise Forbidden(
            "may-not-send-templates",
            'This key may not send templates; give it "templates": true in BATON_API_KEYS.',
        )


def is_human(caller: ApiKey) -> bool:
    """Returns whether this is a desk's key or an admin's."""
    return RepresentativeType.HUMAN in caller.may or caller.admin


def must_be_human(caller: ApiKey) -> None:
    """Raises Forbidden unless this is a desk's key or an admin's."""
    if not is_human(caller):
        raise Forbidden(
            "human-only", "Only a key that may speak as HUMAN, or an admin key, may do this."
        )


def must_be_admin(caller: ApiKey) -> None:
    """Raises Forbidden unless this is an admin's key."""
    if not caller.admin:
        raise Forbidden("admin-only", "Only an admin key may do this.")
