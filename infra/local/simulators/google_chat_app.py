"""The simulated Google Chat of a local run: its API over HTTP, the certificates of its tokens, and
the people of a space.

https://developers.google.com/workspace/chat/verify-requests-from-chat

It keeps its messages as long as it runs. A customer's key is a thread: `AAAA~T00001` is
`spaces/AAAA/threads/T00001`.
"""

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.settings import GOOGLE_CHAT_SPACE
from infra.local.simulators.google_chat import APP, Json, Member, SimulatedChat
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import Simulator, google_error, json_of
from shared.schemas.notation import conversation_id

PREFIX = "/sim/google_chat"
CHAT, GOOGLE = "chat@system.gserviceaccount.com", "https://accounts.google.com"
CERTIFICATES = (f"/service_accounts/v1/metadata/x509/{CHAT}", "/oauth2/v1/certs")
METHODS = ["GET", "POST", "PATCH", "DELETE"]
LASTS = timedelta(hours=1)
# Which API's error a fault is shown as.
STATUSES = {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}


class GoogleChatSimulator(Simulator):
    prefix, api = PREFIX, "/v1/"

    def __init__(self, store: PlatformStore, webhook_url: str, audience: str) -> None:
        """`audience` is the app's authentication audience: the number of its project, or a URL."""
        self._audience, self._key_id = audience, uuid.uuid4().hex
        self.chat = SimulatedChat(spaces=(GOOGLE_CHAT_SPACE,), tell=self._report_all)
        self._people: dict[str, Member] = {}
        super().__init__(store, webhook_url)

    def api_routes(self) -> list[Route]:
        return [
            *(Route(path, self._certificates, methods=["GET"]) for path in CERTIFICATES),
            Route("/v1/{rest:path}", self._answer, methods=METHODS),
        ]

    def customer_routes(self) -> list[Route]:
        return [
            Route("/threads", self._threads, methods=["GET"]),
            Route("/threads/{key}", self._thread, methods=["GET"]),
            Route("/threads/{key}/people", self._person_acts, methods=["POST"]),
        ]

    def signed(self, body: bytes) -> Mapping[str, str]:
        now = int(time.time())
        by_google = {"iss": GOOGLE, "email": CHAT, "email_verified": True}
        claims = {"iss": CHAT} if self._audience.isdecimal() else by_google
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

    def threads(self) -> list[str]:
        """Returns the threads that the app has begun, the oldest first."""
        begun = (one for one in self.chat.threads() if self.chat.shown(one)[0]["sender"] == APP)
        return [one.removeprefix("spaces/").replace("/threads/", "~") for one in begun]

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

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
        status, answer = self.chat.answer(request.method, path, query, body)
        return Response(answer) if isinstance(answer, bytes) else JSONResponse(answer, status)

    async def _threads(self, request: Request) -> Response:
        return JSONResponse({"threads": self.threads()})

    async def _thread(self, request: Request) -> Response:
        key = request.path_params["key"]
        shown = self.chat.shown(_thread_of(key)) if key in self.threads() else []
        return JSONResponse({"messages": shown})

    async def _person_acts(self, request: Request) -> Response:
        """Lets a person act: `{"name", "text"}`, or `{"name", "press": <what a button says>}`. The
        app is mentioned unless `"mention": false` stands there.
        """
        body, key = await json_of(request), request.path_params["key"]
        if key not in self.threads() or not body.get("name"):
            return JSONResponse({"error": "There is no such thread, or no name."}, 404)
        who, thread = self._member(body), _thread_of(key)
        if body.get("press"):
            buttons = self.chat.buttons(thread)
            if body["press"] not in buttons:
                known = ", ".join(buttons) or "none"
                return JSONResponse({"error": f"There is no such button. There are: {known}."}, 409)
            self.chat.presses(who, thread, str(body["press"]))
        else:
            text, mention = str(body.get("text", "")), body.get("mention") is not False
            self.chat.writes(who, thread, text, mention=mention)
        await self.let_baton_hear()
        return JSONResponse({"thread": key})

    def _member(self, body: Json) -> Member:
        """Returns a member of the space. A member is known by their name."""
        name, email = str(body["name"]), body.get("email")
        known = self._people.get(name)
        address = str(email or (known.email if known else f"{name.lower()}@example.org"))
        number = known.number if known else len(self._people) + 1
        self._people[name] = Member(name, address, number)
        return self._people[name]


def _thread_of(key: str) -> str:
    space, _, thread = key.partition("~")
    return f"spaces/{space}/threads/{thread}"
