"""From end to end: a customer's message until the bot has it, an answer until the platform has it.

Two deployments stand side by side on the same emulators, in projects of their own, and take turns:
one delivers in place, the other through the queue. What this process plays is the platform, the
bot's webhook and the topics' front door: a message has reached the bot's topic when its Publish
arrives there. When a subscriber gets it is the emulator's own affair: that takes up to 0.1 s.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from google.pubsub_v1.types import PublishRequest

from shared.schemas.notifications import OUTBOX, USER_MESSAGES
from tests.benchmarks.emulators import Emulators, emulators
from tests.benchmarks.proxy import Proxy, overheard, proxy
from tests.benchmarks.servers import Running, baton, serve
from tests.benchmarks.webhooks import BOT_KEY, SIGNING_KEY

MODES = {"in place": "on", "queued": "off"}
FUNCTIONS = ("receive_webhook", "send_representative", "deliver_outbox")
PATIENCE_SECONDS = 30.0
CONVERSATIONS = 10
RHYTHM_SECONDS = 0.1  # of the emulator's pushes
# what is measured of each turn of the dialogue
ACK, TOPIC, WEBHOOK = "webhook: ack", "webhook to the bot's topic", "webhook to the bot's webhook"
API_ACK, PLATFORM = "API: ack", "API to the platform's call"


class _Outside(ThreadingHTTPServer):
    """Answers every call with 200, and notes when a message arrived first, and where."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.arrived: dict[tuple[str, str], float] = {}
        self.news = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Callers that end break their connections off."""

    def note(self, where: str, body: dict[str, Any]) -> None:
        message = body.get("messageId") or body.get("message", {}).get("messageId")
        if message:
            with self.news:
                self.arrived.setdefault((where, message), time.perf_counter())
                self.news.notify_all()

    def hear(self, method: str, request: bytes) -> None:
        """Notes what is published for the bot."""
        if method != "Publish":
            return
        published = PublishRequest.deserialize(request)
        if published.topic.endswith(f"/{USER_MESSAGES}"):
            for one in published.messages:
                self.note(TOPIC, json.loads(one.data))

    def time_of(self, where: str, message: str) -> float:
        """Returns when it arrived, waiting for it. Raises RuntimeError."""
        with self.news:
            if not self.news.wait_for(lambda: (where, message) in self.arrived, PATIENCE_SECONDS):
                raise RuntimeError(f"{message} never reached the {where}")
            return self.arrived[where, message]


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Outside

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        where = WEBHOOK if self.path == "/bot" else PLATFORM
        self.server.note(where, body)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@dataclass(slots=True)
class Path:
    """What the turns of one deployment took: milliseconds by what was measured, and the processor
    time of all its functions.
    """

    ms: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Deployment:
    servers: Mapping[str, Running]
    outside: _Outside

    def warm_up(self) -> None:
        """Sends the first messages until they are taken: an emulator's first answers are slow."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        for n, send in enumerate((self.servers["receive_webhook"].post, self.answer)):
            while (status := send("warm", f"w-{n}")) != 200:
                if time.monotonic() > deadline:
                    _must(status)
                time.sleep(0.1)

    def turn(self, number: int, random: Random) -> dict[str, float]:
        """Plays a message of the customer and an answer to it. Returns milliseconds.

        Both are sent at random times: the emulator pushes in a rhythm of its own, and turns that
        keep step with it would all meet the shortest delay, or all the longest.
        """
        conversation, said, answer = f"conv-{number % CONVERSATIONS}", f"s-{number}", f"a-{number}"
        time.sleep(random.uniform(0, RHYTHM_SECONDS))
        began = time.perf_counter()
        _must(self.servers["receive_webhook"].post(conversation, said))
        acked = time.perf_counter()
        found = {ACK: acked - began}
        found |= {one: self.outside.time_of(one, said) - began for one in (TOPIC, WEBHOOK)}
        time.sleep(random.uniform(0, RHYTHM_SECONDS))
        began = time.perf_counter()
        _must(self.answer(conversation, answer))
        found[API_ACK] = time.perf_counter() - began
        found[PLATFORM] = self.outside.time_of(PLATFORM, answer) - began
        return {name: seconds * 1000 for name, seconds in found.items()}

    def answer(self, conversation: str, message: str) -> int:
        server = self.servers["send_representative"]
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
        body = json.dumps({"messageId": message, "text": "Good morning, how can I help?"})
        headers = {"content-type": "application/json", "authorization": f"Bearer {BOT_KEY}"}
        with contextlib.closing(connection):
            path = f"/v1/conversations/{conversation}/messages"
            connection.request("POST", path, body, headers)
            return connection.getresponse().status

    def cpu_seconds(self) -> float:
        return sum(server.cpu_seconds() for server in self.servers.values())


def _must(status: int) -> None:
    if status != 200:
        raise RuntimeError(f"a function answered {status}")


@contextlib.contextmanager
def deployed(
    pair: Emulators,
    mode: str,
    *,
    behind: Emulators | None = None,
    webhook: bool,
    ordered: bool = True,
) -> Iterator[Deployment]:
    """Starts the functions; what they call is passed on to the addresses of `behind`. `ordered` as
    in Emulators.push.
    """
    with contextlib.ExitStack() as stack:
        outside = _Outside()
        thread = threading.Thread(target=outside.serve_forever, daemon=True)
        thread.start()
        stack.callback(outside.shutdown)
        passed_to = behind or pair
        topics = stack.enter_context(overheard(passed_to.pubsub, outside.hear))
        settings = {
            "BATON_DELIVER_IN_PLACE": mode,
            "BUSINESS_MESSAGES_API_URL": outside.url,
            "BATON_API_KEYS": json.dumps({BOT_KEY: {"name": "bot", "may": ["BOT"]}}),
            "OUTBOUND_WEBHOOK_KEYS": SIGNING_KEY,
            **({"BOT_WEBHOOK_URL": f"{outside.url}/bot"} if webhook else {}),
        }
        servers = {
            function: stack.enter_context(
                serve(
                    baton("business_messages", function, settings),
                    passed_to.behind(passed_to.firestore, topics),
                )
            )
            for function in FUNCTIONS
        }
        deliver = servers["deliver_outbox"]
        pair.push(OUTBOX, f"http://127.0.0.1:{deliver.port}/deliver_outbox", ordered=ordered)
        deployment = Deployment(servers, outside)
        deployment.warm_up()
        yield deployment


def end_to_end(turns: int) -> dict[str, Path]:
    """Returns what so many turns took in each mode, after some that are not measured."""
    found, random = {name: Path() for name in MODES}, Random(1)
    with emulators() as pair, contextlib.ExitStack() as stack:
        deployments = {
            name: stack.enter_context(deployed(pair.apart(), mode, webhook=True))
            for name, mode in MODES.items()
        }
        for number in range(-2 * CONVERSATIONS, turns):
            for name, deployment in deployments.items():
                before = deployment.cpu_seconds()
                took = deployment.turn(number, random)
                if number >= 0:
                    for row, ms in took.items():
                        found[name].ms.setdefault(row, []).append(ms)
                    found[name].cpu_ms += (deployment.cpu_seconds() - before) * 1000
    return found


def dialogue(turns: int) -> dict[str, dict[str, float]]:
    """Returns the RPCs of a turn by mode: a message to a topic, and an answer, settled."""
    found = {}
    for name, mode in MODES.items():
        with emulators() as pair, proxy(pair) as counting:
            started = deployed(pair, mode, behind=counting.emulators, webhook=False)
            with started as deployment:
                _turns(deployment, range(-2 * CONVERSATIONS, 0))
                _settled(counting)
                _turns(deployment, range(turns))
                counts = _settled(counting)
        rpcs = {one: n / turns for one, n in counts.items() if one[0].isupper()}
        found[name] = rpcs
    return found


def _turns(deployment: Deployment, numbers: Sequence[int] | range) -> None:
    for number in numbers:
        conversation, said, answer = f"conv-{number % CONVERSATIONS}", f"s-{number}", f"a-{number}"
        _must(deployment.servers["receive_webhook"].post(conversation, said))
        deployment.outside.time_of(TOPIC, said)
        _must(deployment.answer(conversation, answer))
        deployment.outside.time_of(PLATFORM, answer)


def _settled(counting: Proxy) -> dict[str, float]:
    """Returns what was counted, once nothing has been called for a while."""
    total: dict[str, float] = {}
    quiet = 0
    while quiet < 3:
        time.sleep(0.4)
        counted: Any = counting.counts()
        for name, number in counted.items():
            total[name] = total.get(name, 0) + number
        quiet = 0 if counted else quiet + 1
    return total
