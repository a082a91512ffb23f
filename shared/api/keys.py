"""Who calls the API, and who may do what.

API keys are stored as SHA-256, and compared in constant time.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial

from shared.api.sessions import Session, Sessions
from shared.errors import DoorClosed, Forbidden, Unauthenticated
from shared.ports import SignIn
from shared.schemas.http import Request
from shared.schemas.notation import sha256
from shared.schemas.people import Person
from shared.schemas.representative import RepresentativeType
from shared.settings.types import ApiKey
from shared.values import frozen


@frozen
class Keyring:
    """Who calls: the API keys by their SHA-256, the people who may have a session, and how they
    sign in. `sessions` and `sign_in` are None where that is not set up.
    """

    keys: Mapping[str, ApiKey]
    people: Mapping[str, Person] = field(default_factory=dict)
    sessions: Sessions | None = None
    sign_in: SignIn | None = None

    def caller(self, request: Request) -> ApiKey:
        """Returns who calls: by the key of the request, else by its session.

        Raises DoorClosed without keys, unless the request may have a session by Google,
        Unauthenticated, Forbidden for a session that another site uses.
        """
        authorization = request.headers.get("authorization")
        if not self.keys and (authorization is not None or self.sign_in is None):
            raise DoorClosed("BATON_API_KEYS")
        if authorization is None:
            session = self.sessions.of(request) if self.sessions else None
            caller = self.of_session(session) if session else None
        else:
            scheme, _, given = authorization.partition(" ")
            caller = self.of_key(given) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Unauthenticated
        return caller

    def of_key(self, given: str) -> ApiKey | None:
        """Returns whose key this is."""
        hashed = sha256(given.strip())
        found = [key for known, key in self.keys.items() if hmac.compare_digest(known, hashed)]
        return found[0] if found else None

    def of_session(self, session: Session) -> ApiKey | None:
        """Returns whose session this is, None if they may not have one any more: they are not among
        the people, or they signed in with what is not accepted any more.
        """
        person = self.people.get(session.person)
        with_key = self.keys.get(session.by)
        by_key = with_key is not None and with_key.person == person
        by_google = self.sign_in is not None and self.sign_in.terms == session.by
        return ApiKey.of_person(person) if person and (by_key or by_google) else None


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
    """Returns whether this is a person who answers, a desk's key or an admin's."""
    return RepresentativeType.HUMAN in caller.may or caller.admin


def is_supervisor(caller: ApiKey) -> bool:
    """Returns whether this caller may move what others hold."""
    return caller.supervisor or caller.admin


def must_be_human(caller: ApiKey) -> None:
    """Raises Forbidden unless this is a person who answers, a desk's key or an admin's."""
    if not is_human(caller):
        raise Forbidden(
            "human-only", "Only a key that may speak as HUMAN, or an admin key, may do this."
        )


def must_be_supervisor(caller: ApiKey) -> None:
    """Raises Forbidden unless this is a supervisor or an admin."""
    if not is_supervisor(caller):
        raise Forbidden("supervisors-only", "Only a supervisor or an admin may do this.")


def must_be_admin(caller: ApiKey) -> None:
    """Raises Forbidden unless this is an admin."""
    if not caller.admin:
        raise Forbidden("admin-only", "Only an admin key may do this.")


def must_be_person(caller: ApiKey) -> Person:
    """Returns who calls. Raises Forbidden for the key of a system."""
    if caller.person is None:
        raise Forbidden("people-only", "Only a person of BATON_AGENTS may do this.")
    return caller.person


def must_answer(caller: ApiKey) -> Person:
    """Returns the person who calls. Raises Forbidden for a system, and for who does not answer."""
    person = must_be_person(caller)
    must_be_human(caller)
    return person


def must_see_conversations(caller: ApiKey) -> None:
    """Raises Forbidden for who sees the reports and nothing else."""
    if caller.reports:
        raise Forbidden("reports-only", "This caller sees the reports, and nothing else.")


def must_see_reports(caller: ApiKey) -> None:
    """Raises Forbidden unless this caller may see the reports without names of agents."""
    if not caller.reports:
        must_be_human(caller)


def must_see_reports_on_agents(caller: ApiKey) -> None:
    """Raises Forbidden unless this caller may see what each agent did."""
    if not (caller.reports or is_supervisor(caller)):
        raise Forbidden(
            "reports-on-agents",
            "Only the roles reports, supervisor and admin, or an admin key, may see this.",
        )


def must_be_known(caller: ApiKey) -> None:
    """Allows every caller."""


@frozen
class Right:
    """Who may call an operation: `check` raises Forbidden for all others. `words` say it in the
    OpenAPI document.
    """

    words: str
    check: Callable[[ApiKey], object]


EVERYBODY = Right("everybody", must_be_known)
ALL = Right("any key or person", must_be_known)
ANY = Right("any key or person, but not one that sees reports only", must_see_conversations)
SPEAKER = Right(
    "a key that may speak as that type of representative; a person as themselves", must_speak
)
DESK = Right("a person who answers, a key that may speak as HUMAN, or an admin's", must_be_human)
HUMAN = Right(
    "a person who answers, or a key that may speak as HUMAN",
    partial(must_speak_as, kind=RepresentativeType.HUMAN),
)
OWNER = Right(
    "the person or key that brought the human in, a supervisor, or an admin", must_be_human
)
PERSON = Right("a person who answers", must_answer)
SUPERVISOR = Right("a supervisor or an admin", must_be_supervisor)
ADMIN = Right("an admin", must_be_admin)
REPORTS = Right(
    "a person, a key that may speak as HUMAN or see reports, or an admin's", must_see_reports
)
REPORTS_ON_AGENTS = Right("who sees reports, a supervisor or an admin", must_see_reports_on_agents)
