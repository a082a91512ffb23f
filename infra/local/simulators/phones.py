"""What the simulated platforms have in common whose customers are telephone numbers."""

import contextlib
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import Simulator, google_error, json_of
from shared.errors import BatonError
from shared.platforms.base import Platform
from shared.platforms.phones import Line, e164
from shared.platforms.suggestions import REQUEST_HUMAN
from shared.schemas import http as exchange
from shared.schemas.events import UserMessage

FIRST_NUMBER = 12025550100  # numbers that are kept for fiction


class PhoneSimulator(Simulator):
    """`agent` is the one business behind it; a customer's key is their number with its `+`."""

    agent: str

    def __init__(self, store: PlatformStore, webhook_url: str, platform: Platform) -> None:
        self._platform = platform
        super().__init__(store, webhook_url)

    @abstractmethod
    def message(self, key: str, native: str, text: str) -> dict[str, Any]:
        """Returns the webhook that says what a customer wrote."""

    @abstractmethod
    def tap(self, key: str, native: str, postback: str, text: str) -> dict[str, Any]:
        """Returns the webhook that says what a customer tapped."""

    @abstractmethod
    def statuses(self, key: str, status: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Returns the webhooks that say what else a customer did, by the names that `POST
        .../status` takes.
        """

    def key_of(self, given: str) -> str:
        return e164(given) or given

    def conversation_of(self, key: str) -> str:
        return Line(self._platform.name, self.agent, key, "", "-").conversation

    def customer_routes(self) -> list[Route]:
        return [
            Route("/customers", self._newcomer, methods=["POST"]),
            Route("/customers/{key}/messages", self._say, methods=["POST"]),
            Route("/customers/{key}/status", self._status, methods=["POST"]),
        ]

    async def _newcomer(self, request: Request) -> Response:
        """Gives a customer a number, and says by which id Baton will know them."""
        name = (await json_of(request)).get("displayName")
        with self.store.whole():
            key = f"+{FIRST_NUMBER + len(self.store.conversations())}"
            self.store.learn(key, name if isinstance(name, str) else None)
        return JSONResponse({"id": key, "name": name, "conversation": self.conversation_of(key)})

    async def _say(self, request: Request) -> Response:
        """Writes, or taps a suggestion: `{"text"}`, with `"postbackData"` for a tap."""
        key, body = self.key_of(request.path_params["key"]), await json_of(request)
        if not isinstance(body.get("text"), str) or not body["text"] or e164(key) is None:
            return google_error(
                400, "INVALID_ARGUMENT", "Say something, as a telephone number: text is required."
            )
        native, postback = str(body.get("messageId") or self.new_id()), body.get("postbackData")
        shown = {"messageId": native, "text": body["text"]}
        with self.store.whole():
            self.store.learn(key, body.get("displayName"))
            if self.store.show(key, "customer", "message", native, shown):
                said = (key, native, postback, body["text"]) if isinstance(postback, str) else None
                self.report(self.tap(*said) if said else self.message(key, native, body["text"]))
        await self.let_baton_hear()
        return JSONResponse({**shown, "conversation": self.conversation_of(key)})

    async def _status(self, request: Request) -> Response:
        key, status = self.key_of(request.path_params["key"]), await json_of(request)
        with self.store.whole():
            self.store.learn(key)
            if status.get("requestedLiveAgent"):
                self._asks_for_human(key, status)
            for webhook in self.statuses(key, status):
                self.report(webhook)
        await self.let_baton_hear()
        return JSONResponse(status)

    def _asks_for_human(self, key: str, status: Mapping[str, Any]) -> None:
        """There is no such button on these platforms: a suggestion of the bot's is tapped, here
        also one that nobody sent.
        """
        native = self.new_id()
        self.store.show(key, "customer", "status", native, dict(status))
        self.report(self.tap(key, native, REQUEST_HUMAN, "Talk to a person"))

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def overhear(self, body: bytes, headers: Mapping[str, str]) -> None:
        request = exchange.Request("POST", "/", body, headers)
        with contextlib.suppress(BatonError):
            self._platform.authenticate(request)
            for event in self._platform.events(request):
                if isinstance(event, UserMessage) and event.address:
                    key = self.key_of(event.address.rpartition("|")[2])
                    self.store.learn(key)
                    native = event.native_id or event.id
                    shown = {"messageId": native, "text": event.said}
                    self.store.show(key, "customer", "message", native, shown)
