"""What the doctor uses: a running Baton, its answers, and findings about it."""

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import TypeAdapter, ValidationError

from infra.deploy.gcloud import Run, run_command
from infra.deployables import PREFIX, deployables, function_of
from infra.uses import USES
from shared.schemas.http import FUNCTION_HEADER
from shared.schemas.representative import RepresentativeType
from shared.settings.types import KeyRow

TIMEOUT_SECONDS = 20.0


class NotThisDoor(Exception):
    """What answered at a function's address is not this function."""

    def __init__(self, function: str, finding: "Finding") -> None:
        super().__init__(function)
        self.function, self.finding = function, finding


class Verdict(Enum):
    WELL = "well"
    ILL = "ill"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and its result; `advice` says what to do. After a fatal finding the doctor checks
    nothing more.
    """

    verdict: Verdict
    what: str
    advice: str = ""
    fatal: bool = False


def well(what: str) -> Finding:
    return Finding(Verdict.WELL, what)


def ill(what: str, advice: str, *, fatal: bool = False) -> Finding:
    return Finding(Verdict.ILL, what, advice, fatal)


def skipped(what: str, why: str) -> Finding:
    return Finding(Verdict.SKIPPED, f"{what}: {why}")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 0 means that there was no answer; `text` then holds the error."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.text)
        except ValueError:
            return {}

    @property
    def error(self) -> dict[str, Any]:
        found = self.json.get("error") if isinstance(self.json, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def reason(self) -> str:
        """Returns Baton's reason for an error, an empty string where the answer is no error of
        Baton's.
        """
        details = self.error.get("details") or [{}]
        return str(details[0].get("reason", ""))

    @property
    def setting(self) -> str:
        details = self.error.get("details") or [{}]
        return str(details[0].get("metadata", {}).get("setting", ""))

    @property
    def function(self) -> str:
        """Returns the function of Baton's that answered, an empty string where none did."""
        return self.headers.get(FUNCTION_HEADER, "")


Send = Callable[[str, str, bytes | None, Mapping[str, str]], Answer]


def send(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
    """Returns the answer to a request over the network."""
    try:
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers))  # noqa: S310  # a URL that the operator gave
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310  # as above
            return _answer(response.status, response.read(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.read(), error.headers)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(0, str(getattr(error, "reason", error)), {})


def _answer(status: int, body: bytes, headers: Any) -> Answer:
    return Answer(
        status,
        body.decode(errors="replace"),
        {name.lower(): value for name, value in headers.items()},
    )


@dataclass(frozen=True, slots=True)
class Patient:
    """A running Baton and its known settings. `project` is set where it is deployed. `uses` are
    what is checked, by the names of infra/uses.py; a closed door of an `expected` one is a fault.
    """

    url: str
    known: Mapping[str, str]
    project: str | None
    region: str | None = None
    prefix: str = PREFIX
    uses: frozenset[str] = frozenset(USES)
    expected: frozenset[str] = frozenset(USES)
    unreadable: frozenset[str] = frozenset()  # secrets that this account may not read
    longest_wait: float = 600.0
    run: Run = run_command
    send: Send = send

    def first(self, setting: str) -> str | None:
        """Returns the first of a list of secrets, None where the list is unknown."""
        values = [part.strip() for part in self.known.get(setting, "").split(",")]
        return values[0] or None

    @property
    def key(self) -> str | None:
        """Returns an API key that may read the queue and the journal."""
        able = (
            key
            for key, one in self._keys.items()
            if one.admin or RepresentativeType.HUMAN in one.may
        )
        return next(able, None)

    @property
    def key_of_person(self) -> str | None:
        """Returns the key of a person."""
        return next((key for key, one in self._keys.items() if one.person is not None), None)

    @property
    def _keys(self) -> Mapping[str, KeyRow]:
        try:
            return TypeAdapter(dict[str, KeyRow]).validate_json(
                self.known.get("BATON_API_KEYS", "{}")
            )
        except ValidationError:
            return {}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Returns the answer of a function. In the name of a header, _ stands for -. Raises
        NotThisDoor where something else answers.
        """
        answer = self.look(method, path, body, **headers)
        function = path.split("/")[1]
        if answer.function == function:
            return answer
        raise NotThisDoor(function, stranger(self.address(function), function, answer))

    def address(self, function: str) -> str:
        return f"{self.url}/{function_of(function, self.prefix)}"

    def look(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Returns the answer to a request, from whatever answers. The path begins with the plain
        name of a function.
        """
        function, slash, rest = path.removeprefix("/").partition("/")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(method, f"{self.address(function)}{slash}{rest}", body, named)

    def closed(self, what: str, use: str, answer: Answer) -> Finding | None:
        """Returns the finding where a door is closed or the function does not work, else None."""
        if answer.reason == "door-closed":
            if use not in self.expected:
                return skipped(what, f"the door is closed until {answer.setting} is set")
            page = USES[use].page
            advice = f"Set {answer.setting} and deploy again. Where its value is found: {page}"
            return ill(f"{what}: the door is closed, {answer.setting} is not set", advice)
        return broken(what, answer) if answer.status >= 500 or answer.status == 0 else None

    def api(self, path: str) -> Answer:
        return self.ask(
            "GET",
            f"/send_representative/v1/conversations{path}",
            authorization=f"Bearer {self.key}",
        )


def stranger(address: str, function: str, answer: Answer) -> Finding:
    """Returns the finding where something else than the function answered at its address."""
    what = f"{function} is not checked: it does not answer at {address}"
    if answer.status == 0:
        return ill(f"{what} ({answer.text})", "Is it running, and is this its address?")
    base = (
        "Give what stands before the functions' names: http://127.0.0.1:8080, or "
        "https://REGION-PROJECT.cloudfunctions.net"
    )
    if answer.function:
        return ill(f"{what}, but {answer.function} does", base)
    if answer.status == 403:
        advice = (
            f"Everybody must be able to call it: platforms get this 403 too. Deploy {function} "
            "again; infra/README.md says what to do where the organisation forbids it."
        )
        return ill(f"{what}, Google answers 403", advice)
    if answer.reason:
        advice = f"{base}. If that is right, an older version is deployed: deploy again."
        return ill(f"{what}, but something else of Baton does ({answer.status})", advice)
    advice = f"{base}. If that is right, deploy {function}, or name the prefix of its deployment."
    return ill(f"{what}: what answers {answer.status} is not Baton", advice)


def without_function(url: str) -> str | None:
    """Returns the address without a function's name in its path, None where it has none."""
    parts = url.split("/")
    names = re.compile(rf"([a-z][a-z0-9]{{1,9}}_)?({'|'.join(deployables())})")
    named = next((n for n, part in enumerate(parts) if names.fullmatch(part)), None)
    return None if named is None else "/".join(parts[:named])


def broken(what: str, answer: Answer) -> Finding:
    advice = {
        "store-unavailable": (
            "The store cannot be used: look at BATON_STORE, Firestore and the function's rights."
        ),
        "store-damaged": "The store's file is damaged: start it again, and it says what to do.",
        "storage-full": "The disk under the store is full.",
        "misconfigured": (
            "The settings are wrong: the ERROR line at the function's start names every one."
        ),
    }.get(answer.reason, "The function's log lines of this minute say why.")
    said = f"{answer.status} {answer.reason}".strip() if answer.status else answer.text
    return ill(f"{what} is answered {said}", advice)
