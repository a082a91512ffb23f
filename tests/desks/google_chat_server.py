"""The simulated Google Chat over HTTP. Its events come through Pub/Sub, with a token of Google's.

https://cloud.google.com/pubsub/docs/push
https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
"""

import base64
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.google_chat import APP, Json, Member, SimulatedChat
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import google_error
from infra.local.simulators.threads import ThreadSimulator
from tests.unit.google_accounts import certificate

PREFIX = "/sim/google_chat"
AUDIENCE, PUSH = "123456789012", "push@acme.iam.gserviceaccount.com"
METHODS = ["GET", "POST", "PATCH", "DELETE"]
# A subscription's own pauses, which grow. https://cloud.google.com/pubsub/docs/handling-failures
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 600.0
ACKNOWLEDGED = (102, 200, 201, 202, 204)
Judge = Callable[[str, str, Mapping[str, str], bytes, Json], None]


class GoogleChatSimulator(ThreadSimulator):
    """What it has answered is in its file, and there again after it was killed. `key` is Google's,
    `judge` looks at each call and its answer. A customer's key is a chat, `<space>~<thread>`.
    """

    prefix, api = PREFIX, "/v1/"

    def __init__(
        self,
        store: PlatformStore,
        webhook_url: str,
        key: RSAPrivateKey,
        spaces: Sequence[str] = ("spaces/AAAA",),
        *,
        subscribed: bool = False,
        judge: Judge = lambda *_: None,
    ) -> None:
        self._key, self._judge = key, judge
        self.chat = SimulatedChat(tuple(spaces), subscribed, wrapped=True)
        self.chat.restore(store.kept)
        self.chat.keep, self.chat.tell = store.keep, self._report_all
        super().__init__(store, webhook_url)

    def api_routes(self) -> list[Route]:
        return [
            Route("/v1/{path:path}", self._answer, methods=METHODS),
            Route("/oauth2/v1/certs", self._certificates, methods=["GET"]),
        ]

    def signed(self, body: bytes) -> Mapping[str, str]:
        token = google_token(self._key)
        return {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        name = "RESOURCE_EXHAUSTED" if status == 429 else "INTERNAL"
        return google_error(status, name, words, headers)

    def overhear(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Does nothing: a webhook that is posted by hand adds no message to a space."""

    def pauses(self, body: str) -> Iterator[float]:
        return (min(FIRST_PAUSE * 2**number, LONGEST_PAUSE) for number in itertools.count())

    def is_taken(self, status: int) -> bool:
        return status in ACKNOWLEDGED

    def threads(self) -> list[str]:
        begun = (one for one in self.chat.threads() if self.chat.shown(one)[0]["sender"] == APP)
        return [one.removeprefix("spaces/").replace("/threads/", "~") for one in begun]

    def messages(self, key: str) -> list[Json]:
        return self.chat.shown(thread_of(key))

    def acts(self, key: str, body: dict[str, Any]) -> bool:
        who, thread = self._person(str(body["name"]), body.get("email")), thread_of(key)
        if body.get("press"):
            if body["press"] not in self.chat.buttons(thread):
                return False
            self.chat.presses(who, thread, str(body["press"]))
            return True
        file, more = body.get("file"), dict[str, Any]()
        if file is not None:
            data = base64.b64decode(file["content"])
            more["attachment"] = [self.chat.attachment(data, file["mimetype"], file["name"])]
        self.chat.writes(who, thread, str(body.get("text", "")), **more)
        return True

    def _person(self, name: str, email: str | None) -> Member:
        """Returns a person of the workspace, who is known by their name."""
        known = list(self.store.kept("number"))
        if name not in known:
            known.append(name)
            self.store.keep("number", name, len(known))
        return Member(name, email or f"{len(known)}@elsewhere.example", known.index(name) + 1)

    async def _answer(self, request: Request) -> Response:
        query, body = dict(request.query_params), await request.body()
        path = f"/v1/{request.path_params['path']}"
        with self.store.whole():
            status, answer = self.chat.answer(request.method, path, query, body)
        if isinstance(answer, bytes):
            return Response(answer, status)
        self._judge(request.method, path, query, body, answer)
        return JSONResponse(answer, status)

    async def _certificates(self, request: Request) -> Response:
        return JSONResponse({"google": certificate("google", self._key)})

    def _report_all(self) -> None:
        while self.chat.events:
            self.report(self.chat.events.pop(0))


def google_token(key: RSAPrivateKey) -> str:
    now = int(time.time())
    claims = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "email": PUSH}
    times = {"iat": now, "exp": now + 3600, "email_verified": True}
    return jwt.encode({**claims, **times}, key, "RS256", {"kid": "google"})


def thread_of(chat: str) -> str:
    space, _, thread = chat.partition("~")
    return f"spaces/{space}/threads/{thread}"
