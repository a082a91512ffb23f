"""A simulated Business Messages: the REST API that Baton calls, and the customer's phone.

It answers ALREADY_EXISTS to a repeated messageId or eventId, 400 where a required value is missing,
PERMISSION_DENIED to an unknown conversation.
https://developers.google.com/business-communications/business-messages/reference/rest
"""

import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.signing import signature
from infra.local.simulators.bodies import at, now, object_of
from infra.local.simulators.business_messages_content import fault_of
from infra.local.simulators.media import File, FilesSimulator, NotFetched
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import google_error, json_of
from shared.schemas.notation import conversation_id

PREFIX = "/sim/business_messages"
EVENTS = ("TYPING_STARTED", "TYPING_STOPPED", "REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT")
PICTURES = ("image/jpeg", "image/jpg", "image/png", "image/gif")
LARGEST_PICTURE = 5 << 20
NO_FILES: Mapping[str, Any] = {}


class BusinessMessagesSimulator(FilesSimulator):
    prefix, api = PREFIX, "/v1/"

    def __init__(self, store: PlatformStore, webhook_url: str, signing_key: str) -> None:
        self._signing_key = signing_key
        super().__init__(store, webhook_url)

    def api_routes(self) -> list[Route]:
        base = "/v1/conversations/{conversation:path}"
        return [
            Route(f"{base}/messages/{{message}}/receipt", self._receipt, methods=["PATCH"]),
            Route(f"{base}/messages", self._message, methods=["POST"]),
            Route(f"{base}/events", self._event, methods=["POST"]),
            Route(f"{base}/surveys", self._survey, methods=["POST"]),
            Route("/v1/media/{file}", self._picture, methods=["GET"]),
        ]

    def customer_routes(self) -> list[Route]:
        return [
            Route("/customers/{conversation}/messages", self._say, methods=["POST"]),
            Route("/customers/{conversation}/status", self._status, methods=["POST"]),
            *self.files_routes(),
        ]

    def signed(self, body: bytes) -> Mapping[str, str]:
        return {"x-goog-signature": signature(self._signing_key, body)}

    def refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        return google_error(
            status, "RESOURCE_EXHAUSTED" if status == 429 else "INTERNAL", words, headers
        )

    def conversation_of(self, key: str) -> str:
        return conversation_id("business_messages", key)

    # The REST API that Baton calls.

    async def _message(self, request: Request) -> Response:
        body = await json_of(request)
        fault = fault_of(body)
        if fault is not None:
            return google_error(400, "INVALID_ARGUMENT", fault)
        try:
            pictures = await self._pictures_of(body)
        except NotFetched as error:
            return google_error(400, "INVALID_ARGUMENT", f"image.contentInfo.fileUrl: {error}")
        return self._shown(request, body, "message", str(body["messageId"]), pictures)

    async def _event(self, request: Request) -> Response:
        body, event_id = await json_of(request), request.query_params.get("eventId")
        if not event_id or body.get("eventType") not in EVENTS:
            return google_error(
                400, "INVALID_ARGUMENT", "eventId and a known eventType are required."
            )
        if body["eventType"].startswith("TYPING"):
            return self._typed(request, body)
        return self._shown(request, body, "event", event_id)

    async def _pictures_of(self, body: dict[str, Any]) -> dict[str, Any]:
        """Returns the picture of a message, which the platform fetches from its link."""
        link = at(body, "image", "contentInfo", "fileUrl")
        file = await self.fetched(link) if isinstance(link, str) else None
        if file is None:
            return {}
        if file.base_type not in PICTURES or file.size > LARGEST_PICTURE:
            raise NotFetched(f"{file.base_type} of {file.size} bytes is not supported.")
        return {"files": [self.view("image", file)]}

    def _shown(
        self,
        request: Request,
        body: dict[str, Any],
        kind: str,
        native: str,
        files: Mapping[str, Any] = NO_FILES,
    ) -> Response:
        conversation = request.path_params["conversation"]
        if not self.store.knows(conversation):
            return google_error(403, "PERMISSION_DENIED", "Unknown conversation.")
        if (body.get("representative") or {}).get("representativeType") not in ("BOT", "HUMAN"):
            return google_error(
                400, "INVALID_ARGUMENT", "representative.representativeType is required."
            )
        if not self.store.show(conversation, "business", kind, native, {**body, **files}):
            return google_error(409, "ALREADY_EXISTS", f"The {kind} {native} exists already.")
        self.typing.pop(conversation, None)
        return JSONResponse({"name": f"conversations/{conversation}/{kind}s/{native}", **body})

    async def _survey(self, request: Request) -> Response:
        conversation, survey_id = (
            request.path_params["conversation"],
            request.query_params.get("surveyId"),
        )
        if not self.store.knows(conversation):
            return google_error(403, "PERMISSION_DENIED", "Unknown conversation.")
        if not survey_id:
            return google_error(400, "INVALID_ARGUMENT", "surveyId is required.")
        if not self.store.show(conversation, "business", "survey", survey_id, {}):
            return google_error(409, "ALREADY_EXISTS", f"The survey {survey_id} exists already.")
        return JSONResponse({"name": f"conversations/{conversation}/surveys/{survey_id}"})

    def _typed(self, request: Request, body: dict[str, Any]) -> Response:
        conversation, who = request.path_params["conversation"], body.get("representative") or {}
        if not self.store.knows(conversation):
            return google_error(403, "PERMISSION_DENIED", "Unknown conversation.")
        if body["eventType"] == "TYPING_STARTED":
            self.typing[conversation] = who.get("displayName")
        elif self.typing.get(conversation) == who.get("displayName"):
            self.typing[conversation] = None
        return JSONResponse(body)

    async def _receipt(self, request: Request) -> Response:
        conversation, message = request.path_params["conversation"], request.path_params["message"]
        if not self.store.knows(conversation):
            return google_error(403, "PERMISSION_DENIED", "Unknown conversation.")
        self.store.show(conversation, "business", "receipt", message, await json_of(request))
        return JSONResponse({"receiptType": "READ"})

    # The customer's phone.

    async def _say(self, request: Request) -> Response:
        conversation, body = request.path_params["conversation"], await json_of(request)
        if not isinstance(body.get("text"), str) or not body["text"]:
            return google_error(400, "INVALID_ARGUMENT", "Say something: text is required.")
        native = str(body.get("messageId") or uuid.uuid4())
        name = f"conversations/{conversation}/messages/{native}"
        message = {"messageId": native, "name": name, "text": body["text"], "createTime": now()}
        with self.store.whole():
            self.store.learn(conversation, body.get("displayName"))
            if self.store.show(conversation, "customer", "message", native, message):
                self._report(
                    conversation,
                    {"message": message, "context": _context(self.store.name_of(conversation))},
                )
        await self.let_baton_hear()
        return JSONResponse(message)

    async def _status(self, request: Request) -> Response:
        """Takes `isTyping`, `requestedLiveAgent`, and `read` (the id of a message of the
        business).
        """
        conversation, body = request.path_params["conversation"], await json_of(request)
        status = {
            name: value
            for name, value in body.items()
            if name in ("isTyping", "requestedLiveAgent")
        }
        with self.store.whole():
            self.store.learn(conversation)
            if status.get("requestedLiveAgent"):
                self.store.show(conversation, "customer", "status", str(uuid.uuid4()), status)
            if status:
                self._report(conversation, {"userStatus": {**status, "createTime": now()}})
            if body.get("read"):
                self._report(conversation, {"receipts": _read(conversation, str(body["read"]))})
        await self.let_baton_hear()
        return JSONResponse(status)

    def is_customer(self, key: str) -> bool:
        return bool(key)

    def unsendable(self, kind: str, file_type: str, size: int) -> str | None:
        if kind != "image" or file_type not in PICTURES:
            return "On Business Messages a customer can send pictures only."
        return None

    def reported_file(
        self, key: str, native: str, kind: str, file: File, caption: str | None, origin: str
    ) -> dict[str, Any]:
        """The text of a picture is a link to it, and lives as long as the platform keeps it."""
        name, link = (
            f"conversations/{key}/messages/{native}",
            f"{origin}{PREFIX}/v1/media/{file.id}",
        )
        message = {"messageId": native, "name": name, "text": link, "createTime": now()}
        return self._reported(
            key, {"message": message, "context": _context(self.store.name_of(key))}
        )

    async def _picture(self, request: Request) -> Response:
        file = self.files.get(request.path_params["file"])
        return self.given(file) if file else google_error(404, "NOT_FOUND", "No such file.")

    def overhear(self, body: bytes, headers: Mapping[str, str]) -> None:
        if headers.get("x-goog-signature") != signature(self._signing_key, body):
            return
        report = object_of(body)
        conversation, message = report.get("conversationId"), report.get("message")
        if not isinstance(conversation, str):
            return
        self.store.learn(conversation)
        if isinstance(message, dict) and isinstance(message.get("messageId"), str):
            self.store.show(conversation, "customer", "message", message["messageId"], message)

    def _report(self, conversation: str, payload: dict[str, Any]) -> None:
        self.report(self._reported(conversation, payload))

    def _reported(self, conversation: str, payload: dict[str, Any]) -> dict[str, Any]:
        common = {
            "agent": "brands/1111/agents/2222",
            "conversationId": conversation,
            "customAgentId": "live-agent-handoff",
            "requestId": str(uuid.uuid4()),
            "sendTime": now(),
        }
        return {**common, **payload}


def _read(conversation: str, message: str) -> dict[str, Any]:
    name = f"conversations/{conversation}/messages/{message}"
    return {"receipts": [{"message": name, "receiptType": "READ"}], "createTime": now()}


def _context(name: str | None) -> dict[str, Any]:
    user = {"displayName": name or "Michael", "userDeviceLocale": "en"}
    return {"entryPoint": "PLACESHEET", "userInfo": user, "resolvedLocale": "en"}
