"""What simulated platforms share whose customers are telephone numbers."""

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.media import FilesSimulator
from infra.local.simulators.simulator import google_error, json_of
from shared.schemas.notation import conversation_id

FIRST_NUMBER = 12025550100  # the first of the numbers that are reserved for fiction
# Baton's own postback for the request for a person; shared/platforms/README.md documents it.
REQUEST_HUMAN = "baton:request-human"
# ITU-T E.164: a plus sign and at most 15 digits, of which the first is not 0.
# https://www.itu.int/rec/T-REC-E.164
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def is_e164(number: object) -> bool:
    """Returns whether this is a telephone number in E.164 form."""
    return isinstance(number, str) and _E164.fullmatch(number) is not None


@dataclass(frozen=True, slots=True)
class Heard:
    """A customer's message that a webhook reports."""

    key: str
    native: str
    text: str


class PhoneSimulator(FilesSimulator):
    """`platform` is the prefix of Baton's conversation ids. `agent` is the one business that the
    platform serves. A customer's key is the number with its `+`.
    """

    platform: str
    agent: str

    @abstractmethod
    def message(self, key: str, native: str, text: str) -> dict[str, Any]:
        """Returns the webhook for a text of the customer's."""

    @abstractmethod
    def tap(self, key: str, native: str, postback: str, text: str) -> dict[str, Any]:
        """Returns the webhook for a tapped suggestion."""

    @abstractmethod
    def statuses(self, key: str, status: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Returns the webhooks for other actions of the customer. `status` is the body of `POST
        .../status`.
        """

    @abstractmethod
    def heard(self, body: bytes) -> Iterator[Heard]:
        """Yields the customers' messages that a webhook reports."""

    def is_customer(self, key: str) -> bool:
        return is_e164(key)

    def new_key(self, asked: Mapping[str, Any]) -> str:
        """Returns the key of a new customer. `asked` is the body of `POST .../customers`."""
        return f"+{FIRST_NUMBER + len(self.store.conversations())}"

    def key_of(self, given: str) -> str:
        with_plus = f"+{given.removeprefix('+')}"
        return with_plus if is_e164(with_plus) else given

    def conversation_of(self, key: str) -> str:
        return conversation_id(self.platform, f"{self.agent}:{key}")

    def customer_routes(self) -> list[Route]:
        return [
            Route("/customers", self._newcomer, methods=["POST"]),
            Route("/customers/{key}/messages", self._say, methods=["POST"]),
            Route("/customers/{key}/status", self._status, methods=["POST"]),
            *self.files_routes(),
        ]

    async def _newcomer(self, request: Request) -> Response:
        """Assigns a number to a new customer. Returns it with Baton's id of the conversation."""
        asked = await json_of(request)
        name = asked.get("displayName")
        with self.store.whole():
            key = self.new_key(asked)
            self.store.learn(key, name if isinstance(name, str) else None)
        return JSONResponse({"id": key, "name": name, "conversation": self.conversation_of(key)})

    async def _say(self, request: Request) -> Response:
        """Sends a text, or taps a suggestion: `{"text"}`, with `"postbackData"` for a tap."""
        key, body = self.key_of(request.path_params["key"]), await json_of(request)
        if not isinstance(body.get("text"), str) or not body["text"] or not self.is_customer(key):
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
        """Taps the suggestion that asks for a human, also where the bot did not offer it. These
        platforms have no button for that.
        """
        native = self.new_id()
        self.store.show(key, "customer", "status", native, dict(status))
        self.report(self.tap(key, native, REQUEST_HUMAN, "Talk to a person"))

    def overhear(self, body: bytes, headers: Mapping[str, str]) -> None:
        if any(headers.get(name) != value for name, value in self.signed(body).items()):
            return
        for one in self.heard(body):
            self.store.learn(one.key)
            shown = {"messageId": one.native, "text": one.text}
            self.store.show(one.key, "customer", "message", one.native, shown)
