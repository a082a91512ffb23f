"""Faulty layers, to prove that the suite finds what it is for.

Each is a sound layer behind a relay with one fault: in front of its webhook and API, or between it
and the platform. The conversation's id says which fault applies.
"""

import itertools
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.conformance.layer import Layer, forwarded
from tests.conformance.oracle import (
    CLAIMS,
    DOORS,
    DUPLICATES,
    DURABILITY,
    FRAMES,
    LABELS,
    ORDER,
    SPEAKERS,
    TIMERS,
)
from tests.conformance.phone import PATH, Phone, refusal

Raw = tuple[int, bytes]
KEPT = ("authorization", "x-goog-signature", "content-type")
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Asked:
    """A request on its way. `target` has the query."""

    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found

    def saying(self, **changes: Any) -> "Asked":
        return Asked(self.target, self.headers, json.dumps({**self.said, **changes}).encode())

    def under(self, event: str) -> "Asked":
        return Asked(f"{self.target.partition('?')[0]}?eventId={event}", self.headers, self.body)

    def with_header(self, name: str, value: str) -> "Asked":
        return Asked(self.target, {**self.headers, name: value}, self.body)

    @property
    def event(self) -> str:
        return parse_qs(urlsplit(self.target).query).get("eventId", [""])[0]


Send = Callable[[Asked], Raw]


@dataclass(frozen=True)
class World:
    """What a fault may use beside the request: the sound layer and the platform."""

    layer: Layer
    phone: Phone


@dataclass(frozen=True)
class Fault:
    """`breaks` are the invariants that fail, with those that must fail as a consequence. `only`:
    the vectors that need this ability find it, and the others have nothing to do with it.
    """

    breaks: frozenset[str]
    before: Callable[[World, Asked, Send], Raw] | None = None
    behind: Callable[[World, Asked, Send], Raw] | None = None
    only: str = ""


def _shown(world: World, asked: Asked) -> Raw:
    """Shows a request that the layer has refused."""
    path = f"/v1/conversations{asked.target.partition('/v1/conversations')[2]}"
    world.phone.take(path, asked.body)
    return 200, asked.body


def _speaks(asked: Asked, kind: str) -> bool:
    is_message = asked.target.endswith("/messages")
    return is_message and asked.said.get("representative", {}).get("representativeType") == kind


def _talks_anyway(kind: str) -> Callable[[World, Asked, Send], Raw]:
    def before(world: World, asked: Asked, send: Send) -> Raw:
        status, answer = send(asked)
        refused = status == 409 and b"FAILED_PRECONDITION" in answer
        return _shown(world, asked) if refused and _speaks(asked, kind) else (status, answer)

    return before


def _without(event: str) -> Callable[[World, Asked, Send], Raw]:
    def behind(world: World, asked: Asked, send: Send) -> Raw:
        return (200, asked.body) if asked.said.get("eventType") == event else send(asked)

    return behind


def _joined_twice(world: World, asked: Asked, send: Send) -> Raw:
    if asked.said.get("eventType") == "REPRESENTATIVE_JOINED":
        send(asked.under(f"{asked.event}-again"))
    return send(asked)


def _without_pictures(world: World, asked: Asked, send: Send) -> Raw:
    who = asked.said.get("representative", {})
    return send(asked.saying(representative={**who, "avatarImage": "https://x.example/none.png"}))


def _as_the_bot(world: World, asked: Asked, send: Send) -> Raw:
    if not _speaks(asked, "HUMAN"):
        return send(asked)
    who = asked.said["representative"]
    return send(asked.saying(representative={**who, "representativeType": "BOT"}))


def _sixth_is_late(world: World, asked: Asked, send: Send) -> Raw:
    if asked.said.get("text") != "conformance b5":
        return send(asked)
    threading.Timer(1.0, send, (asked,)).start()
    return 200, asked.body


def _said_twice(world: World, asked: Asked, send: Send) -> Raw:
    if "messageId" in asked.said:
        send(asked.saying(messageId=f"{asked.said['messageId']}-again"))
    return send(asked)


def _repeats_are_new_words(world: World, asked: Asked, send: Send) -> Raw:
    if asked.target.endswith("/messages"):
        asked = asked.saying(messageId=f"{asked.said.get('messageId')}-{next(_NUMBERS)}")
    return send(asked)


def _repeats_are_new_events(world: World, asked: Asked, send: Send) -> Raw:
    return send(asked.under(f"{asked.event}-{next(_NUMBERS)}") if asked.event else asked)


def _gives_up(world: World, asked: Asked, send: Send) -> Raw:
    status, answer = send(asked)
    return (200, answer) if status == 503 else (status, answer)


def _tries_under_new_ids(world: World, asked: Asked, send: Send) -> Raw:
    if "messageId" in asked.said:
        return send(asked.saying(messageId=f"{asked.said['messageId']}-{next(_NUMBERS)}"))
    return send(asked)


def _believes_all(world: World, asked: Asked, send: Send) -> Raw:
    if "/v1/" in asked.target:
        return send(asked)
    return send(asked.with_header("x-goog-signature", world.layer.signature(asked.body)))


def _knows_all(world: World, asked: Asked, send: Send) -> Raw:
    return send(asked.with_header("authorization", f"Bearer {world.layer.keys['admin']}"))


def _all_may_claim(world: World, asked: Asked, send: Send) -> Raw:
    if not asked.target.endswith(world.layer.claim):
        return send(asked)
    target = asked.target.removesuffix(world.layer.claim)
    event = Asked(f"{target}/events?eventId=claim-{next(_NUMBERS)}", asked.headers, asked.body)
    return send(event.saying(eventType="REPRESENTATIVE_JOINED"))


def _keeps_notices(world: World, asked: Asked, send: Send) -> Raw:
    is_notice = "text" in asked.said and not asked.said["text"].startswith("conformance ")
    return (200, asked.body) if is_notice else send(asked)


def _forgets(world: World, asked: Asked, send: Send) -> Raw:
    """What a layer does that answers before it has kept something, and is killed then."""
    is_lost = asked.said.get("text") in ("conformance b1", "conformance b2")
    return (200, asked.body) if is_lost else send(asked)


def _of(*breaks: str, only: str = "", **hooks: Callable[[World, Asked, Send], Raw]) -> Fault:
    return Fault(frozenset(breaks), only=only, **hooks)


FAULTS: Mapping[str, Fault] = {
    "the-bot-talks-over-humans": _of(SPEAKERS, before=_talks_anyway("BOT")),
    "humans-talk-without-joining": _of(SPEAKERS, FRAMES, before=_talks_anyway("HUMAN")),
    # the human is still there, for all that the customer can see
    "left-is-not-shown": _of(FRAMES, SPEAKERS, behind=_without("REPRESENTATIVE_LEFT")),
    "joined-is-not-shown": _of(FRAMES, CLAIMS, behind=_without("REPRESENTATIVE_JOINED")),
    "joined-is-shown-twice": _of(FRAMES, behind=_joined_twice),
    "pictures-are-lost": _of(LABELS, behind=_without_pictures),
    "humans-are-labelled-bot": _of(LABELS, SPEAKERS, behind=_as_the_bot),
    "the-sixth-message-is-late": _of(ORDER, behind=_sixth_is_late),
    "everything-is-sent-twice": _of(DUPLICATES, behind=_said_twice),
    "a-repeated-message-is-a-new-one": _of(DUPLICATES, before=_repeats_are_new_words),
    "a-repeated-event-is-a-new-one": _of(DUPLICATES, FRAMES, before=_repeats_are_new_events),
    "a-failing-platform-is-not-asked-again": _of(DURABILITY, FRAMES, behind=_gives_up),
    "a-retry-has-a-new-id": _of(DUPLICATES, behind=_tries_under_new_ids),
    "any-signature-is-right": _of(DOORS, before=_believes_all),
    "any-key-may-do-all": _of(DOORS, before=_knows_all),
    "all-may-claim": _of(CLAIMS, before=_all_may_claim),
    "a-crash-loses-what-was-accepted": _of(DURABILITY, only="restart", before=_forgets),
    "notices-are-kept-back": _of(TIMERS, behind=_keeps_notices),
}


class Relay:
    """Serves while the context lasts. `/FAULT/api` and `/FAULT/webhook` are the layer with a fault;
    `/platform` is the platform that the layer must call. `layer` is set once it is known. Calls for
    conversations of no fault go to the platform at `otherwise`. `/restart` calls `restart`.
    """

    def __init__(self, phone: Phone, otherwise: str, restart: Callable[[], None]) -> None:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                kept = {name: headers[name] for name in KEPT if name in headers}
                status, body = relay.pass_on(Asked(self.path, kept, self.rfile.read(length)))
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._phone, self._otherwise, self._restart = phone, otherwise, restart
        self.layer: Layer | None = None
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def pass_on(self, asked: Asked) -> Raw:
        first, _, rest = asked.target.removeprefix("/").partition("/")
        if first == "restart":
            self._restart()
            return 200, b"{}"
        assert self.layer is not None
        world = World(self.layer, self._phone)
        if first == "platform":
            return self._behind(world, Asked(f"/{rest}", asked.headers, asked.body))
        return self._before(world, FAULTS[first], Asked(f"/{rest}", asked.headers, asked.body))

    def _before(self, world: World, fault: Fault, asked: Asked) -> Raw:
        def send(one: Asked) -> Raw:
            is_api = one.target.startswith("/api")
            base = world.layer.api if is_api else world.layer.webhook
            rest = one.target.removeprefix("/api" if is_api else "/webhook")
            return forwarded(f"{base}{rest}", one.body, one.headers)

        return fault.before(world, asked, send) if fault.before else send(asked)

    def _behind(self, world: World, asked: Asked) -> Raw:
        found = PATH.fullmatch(urlsplit(asked.target).path)
        if found is None:
            return 404, json.dumps(refusal(404, "NOT_FOUND")).encode()
        name = unquote(found[1]).partition("--")[0]
        if name not in FAULTS:
            return forwarded(f"{self._otherwise}{asked.target}", asked.body, asked.headers)
        behind = FAULTS[name].behind

        def send(one: Asked) -> Raw:
            status, answer = self._phone.take(one.target, one.body)
            return status, json.dumps(answer).encode()

        return behind(world, asked, send) if behind else send(asked)

    def faulty(self, name: str) -> Layer:
        """Returns the layer with this fault."""
        assert self.layer is not None
        url = f"{self.url}/{name}"
        same = self.layer
        return Layer(
            f"{url}/api", f"{url}/webhook", same.keys, same.signing_key, same.claim, same.patience
        )
