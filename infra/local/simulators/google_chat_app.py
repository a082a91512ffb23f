"""The simulated Google Chat of a local run: its API over HTTP, the certificates of its tokens, and
the people of a space.

https://developers.google.com/workspace/chat/verify-requests-from-chat

What it has answered is in its file, and there again after it was killed. A customer's key is a
thread: `AAAA~T00001` is `spaces/AAAA/threads/T00001`.
"""

import base64
import itertools
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.settings import GOOGLE_CHAT_SPACE
from infra.local.simulators.google_chat import APP, Json, Member, SimulatedChat
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import google_error
from infra.local.simulators.threads import ThreadSimulator
from shared.schemas.notation import conversation_id

PREFIX = "/sim/google_chat"
CHAT, GOOGLE = "chat@system.gserviceaccount.com", "https://accounts.google.com"
CERTIFICATES = (f"/service_accounts/v1/metadata/x509/{CHAT}", "/oauth2/v1/certs")
METHODS = ["GET", "POST", "PATCH", "DELETE"]
LASTS = timedelta(hours=1)
# Which API's error a fault is shown as.
STATUSES = {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}
# A subscription's own pauses. https://cloud.google.com/pubsub/docs/handling-failures
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 600.0
# https://cloud.google.com/pubsub/docs/push#receive_push
ACKNOWLEDGED = (102, 200, 201, 202, 204)
Judge = Callable[[str, str, Mapping[str, str], bytes, Json], None]


class GoogleChatSimulator(ThreadSimulator):
    prefix, api = PREFIX, "/v1/"

    def __init__(
        self,
        store: PlatformStore,
        webhook_url: str,
        audience: str,
        push_account: str | None = None,
        *,
        spaces: Sequence[str] = (GOOGLE_CHAT_SPACE,),
        subscribed: bool = False,
        judge: Judge = lambda *_: None,
    ) -> None:
        """`audience` is the app's authentication audience: the number of its project, or a URL. The
        app is reached through Pub/Sub where a `push_account` is given. `subscribed`: it also gets
        every message of its spaces. `judge` looks at each call and its answer.
        """
        self._audience, self._push_account, self._judge = audience, push_account, judge
        self.chat = SimulatedChat(tuple(spaces), subscribed, wrapped=push_account is not None)
        self.chat.restore(store.kept)
        self.chat.keep, self.chat.tell = store.keep, self._report_all
        self._people = {name: Member(**one) for name, one in store.kept("member").items()}
        super().__init__(store, webhook_url)

    def api_routes(self) -> list[Route]:
        return [
            *(Route(path, self._certificates, methods=["GET"]) for path in CERTIFICATES),
            Route("/v1/{rest:path}", self._answer, methods=METHODS),
        ]

    def signed(self, body: bytes) -> Mapping[str, str]:
        now, by_number = int(time.time()), self._audience.isdecimal()
        email = self._push_account or CHAT
        by_google = {"iss": GOOGLE, "email": email, "email_verified": True}
        claims = {"iss": CHAT} if by_number and self._push_account is None else by_google
        lasts = {"iat": now, "exp": now + LASTS.seconds}
        whole = {**claims, **lasts, "aud": self._audience}
        token = jwt.encode(whole, self._key, "RS256", {"kid": self._key_id})
        return {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        return google_error(status, STATUSES[status], words, headers)

    def overhear(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Does nothing: a webhook that is posted by hand adds no message to the space."""

    def conversation_of(self, key: str) -> str:
        return conversation_id("google_chat", key)

    def pauses(self, body: str) -> Iterator[float]:
        return (min(FIRST_PAUSE * 2**number, LONGEST_PAUSE) for number in itertools.count())

    def is_taken(self, status: int) -> bool:
        return status in ACKNOWLEDGED if self._push_account else super().is_taken(status)

    def threads(self) -> list[str]:
        begun = (one for one in self.chat.threads() if self.chat.shown(one)[0]["sender"] == APP)
        return [one.removeprefix("spaces/").replace("/threads/", "~") for one in begun]

    def messages(self, key: str) -> list[Json]:
        return self.chat.shown(_thread_of(key))

    def acts(self, key: str, body: dict[str, Any]) -> bool:
        """A button is what it says. The app is mentioned unless `"mention": false` stands there."""
        who, thread = self._member(body), _thread_of(key)
        if body.get("press"):
            if body["press"] not in self.chat.buttons(thread):
                return False
            self.chat.presses(who, thread, str(body["press"]))
            return True
        text, mention = str(body.get("text", "")), body.get("mention") is not False
        more = {"attachment": [self._attachment(body["file"])]} if "file" in body else {}
        self.chat.writes(who, thread, text, mention=mention, **more)
        return True

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        """Google's key, which stays the same."""
        kept = self.store.kept("key").get("pem")
        key = load_pem_private_key(kept.encode(), None) if kept else None
        if not isinstance(key, rsa.RSAPrivateKey):
            key = _new_key()
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            self.store.keep("key", "pem", pem.decode())
        return key

    @cached_property
    def _key_id(self) -> str:
        if not self.store.keeps("key", "id"):
            self.store.keep("key", "id", uuid.uuid4().hex)
        return str(self.store.kept("key")["id"])

    @cached_property
    def _certificate(self) -> str:
        now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CHAT)])
        built = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=self._key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(days=1),
            not_valid_after=now + timedelta(days=30),
        ).sign(self._key, hashes.SHA256())
        return built.public_bytes(serialization.Encoding.PEM).decode()

    def _report_all(self) -> None:
        while self.chat.events:
            self.report(self.chat.events.pop(0))

    async def _certificates(self, request: Request) -> Response:
        return JSONResponse({self._key_id: self._certificate})

    async def _answer(self, request: Request) -> Response:
        path = f"/v1/{request.path_params['rest']}"
        query, body = dict(request.query_params), await request.body()
        with self.store.whole():
            status, answer = self.chat.answer(request.method, path, query, body)
        if isinstance(answer, bytes):
            return Response(answer)
        self._judge(request.method, path, query, body, answer)
        return JSONResponse(answer, status)

    def _attachment(self, given: Mapping[str, str]) -> Json:
        """Returns the file that a person adds: its `name`, `mimetype`, and `content` in base64."""
        data = base64.b64decode(given["content"])
        return self.chat.attachment(data, given["mimetype"], given["name"])

    def _member(self, body: Json) -> Member:
        """Returns a member of the space. A member is known by their name."""
        name, email = str(body["name"]), body.get("email")
        known = self._people.get(name)
        address = str(email or (known.email if known else f"{name.lower()}@example.org"))
        number = known.number if known else len(self._people) + 1
        self._people[name] = Member(name, address, number)
        self.store.keep("member", name, asdict(self._people[name]))
        return self._people[name]


@cache
def _new_key() -> rsa.RSAPrivateKey:
    """Returns the key of this process: to make one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _thread_of(key: str) -> str:
    space, _, thread = key.partition("~")
    return f"spaces/{space}/threads/{thread}"
