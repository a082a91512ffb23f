"""A simulated RCS for Business: the documented ids, limits and errors, and the customer's phone.

https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/phones.agentMessages/create
"""

import asyncio
import base64
import binascii
import hmac
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.bodies import at, now, object_of
from infra.local.simulators.media import LARGEST, File, NotFetched, base_type, kind_of
from infra.local.simulators.phones import Heard, PhoneSimulator, is_e164
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.rcs_content import refused_content
from infra.local.simulators.simulator import google_error, json_of

PREFIX = "/sim/rcs"
AGENT = "baton-agent@rbm.goog"
TYPING_SECONDS = 20.0
UPLOAD_LIFETIME = timedelta(days=60)
FILE_TYPES = (
    "application/pdf", "image/jpeg", "image/jpg", "image/gif", "image/png", "video/h263",
    "video/m4v", "video/mp4", "video/mpeg", "video/mpeg4", "video/webm", "audio/aac", "audio/mp3",
    "audio/mpeg", "audio/mpg", "audio/mp4", "audio/mp4-latm", "audio/3gpp", "application/ogg",
    "audio/ogg",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class RcsSimulator(PhoneSimulator):
    prefix, api, platform, agent = PREFIX, "/v1/", "rcs", AGENT

    def __init__(self, store: PlatformStore, webhook_url: str, client_token: str) -> None:
        self._token = client_token
        super().__init__(store, webhook_url)

    def api_routes(self) -> list[Route]:
        return [
            Route("/v1/phones/{phone}/agentMessages", self._message, methods=["POST"]),
            Route("/v1/phones/{phone}/agentEvents", self._event, methods=["POST"]),
            Route("/v1/blob/{file}", self._blob, methods=["GET"]),
            Route("/upload/v1/files", self._upload, methods=["POST"]),
        ]

    def is_api(self, path: str) -> bool:
        return path.startswith((self.api, "/upload/"))

    def signed(self, body: bytes) -> Mapping[str, str]:
        """The signed text is `message.data` of the Pub/Sub envelope, decoded.

        https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks
        """
        digest = hmac.digest(self._token.encode(), _data_of(body), "sha512")
        return {"x-goog-signature": base64.b64encode(digest).decode()}

    def refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        return google_error(
            status, "RESOURCE_EXHAUSTED" if status == 429 else "INTERNAL", words, headers
        )

    async def _message(self, request: Request) -> Response:
        body, native = await json_of(request), request.query_params.get("messageId")
        content = body.get("contentMessage")
        refused = self._refused(request, native) or refused_content(content)
        if refused or not isinstance(content, dict) or native is None:
            return refused or google_error(400, "INVALID_ARGUMENT", "contentMessage is required.")
        key = request.path_params["phone"]
        # a repeated id is ignored, also where the recipient is another one
        if self.store.owner_of("business", native) is None:
            try:
                files = await self._files_of(content)
            except NotFetched as error:
                return google_error(400, "INVALID_ARGUMENT", str(error))
            traffic = body.get("messageTrafficType")
            self._show(key, native, {**content, **files, "messageTrafficType": traffic})
        return JSONResponse({"name": f"phones/{key}/agentMessages/{native}", **body})

    def _show(self, key: str, native: str, content: dict[str, Any]) -> None:
        """Shows the message in Business Messages' form, and reports that it was delivered."""
        info = content.pop("contentInfo", None)
        image = {"image": {"contentInfo": info}} if info else {}
        with self.store.whole():
            self.store.show(key, "business", "message", native, {**content, **image})
            self.report(self._event_of(key, "DELIVERED", messageId=native))
        self.typing.pop(key, None)

    async def _files_of(self, content: dict[str, Any]) -> dict[str, Any]:
        """Returns the file of a message, which the platform fetches from its link. The answer that
        refuses it is UNVERIFIED.

        https://developers.google.com/business-communications/rcs-business-messaging/guides/build/messages/send#media-and-pdf-file-messages
        """
        link, name = (
            at(content, "contentInfo", "fileUrl"),
            at(content, "uploadedRbmFile", "fileName"),
        )
        if isinstance(name, str):
            return {"files": [self._uploaded(name)]}
        file = await self.fetched(link) if isinstance(link, str) else None
        if file is None:
            return {}
        if file.base_type not in FILE_TYPES:
            raise NotFetched(f"A file of type {file.base_type} is not supported.")
        return {"files": [self.view(kind_of(file.mime_type), file)]}

    async def _upload(self, request: Request) -> Response:
        """Takes the bytes of a file.

        https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/files/create
        """
        if request.query_params.get("agentId") != AGENT:
            return google_error(403, "PERMISSION_DENIED", "Not an agent of yours.")
        content, mime_type = await request.body(), request.headers.get("content-type", "")
        if base_type(mime_type) not in FILE_TYPES or not 0 < len(content) <= LARGEST:
            words = f"A file of type {mime_type} with {len(content)} bytes is not supported."
            return google_error(400, "INVALID_ARGUMENT", words)
        return JSONResponse({"name": f"files/{self.files.keep(content, mime_type, None).id}"})

    def _uploaded(self, name: str) -> dict[str, Any]:
        """Returns an uploaded file as the phone shows it. Raises NotFetched after 60 days."""
        file = self.files.get(name.removeprefix("files/"))
        if file is None or self.files.age(file) >= UPLOAD_LIFETIME:
            raise NotFetched(f"There is no file {name}.")
        return self.view(kind_of(file.mime_type), file)

    async def _blob(self, request: Request) -> Response:
        """Gives a file of a customer's to whom the webhook has told its link."""
        file = self.files.get(request.path_params["file"])
        return self.given(file) if file else google_error(404, "NOT_FOUND", "No such file.")

    async def _event(self, request: Request) -> Response:
        body, native = await json_of(request), request.query_params.get("eventId")
        refused = self._refused(request, native)
        if refused:
            return refused
        key, kind = request.path_params["phone"], body.get("eventType")
        if kind == "IS_TYPING":
            self.typing[key] = "The business"
            asyncio.get_running_loop().call_later(TYPING_SECONDS, self.typing.pop, key, None)
        elif kind == "READ" and body.get("messageId"):
            self.store.show(key, "business", "receipt", str(body["messageId"]), body)
        else:
            return google_error(
                400, "INVALID_ARGUMENT", "eventType is IS_TYPING, or READ with a messageId."
            )
        return JSONResponse({"name": f"phones/{key}/agentEvents/{native}", **body})

    def _refused(self, request: Request, native: str | None) -> Response | None:
        if not native or not _UUID.fullmatch(native):
            return google_error(400, "INVALID_ARGUMENT", "messageId or eventId must be a UUID.")
        if not request.query_params.get("agentId"):
            return google_error(400, "INVALID_ARGUMENT", "agentId is required.")
        if request.query_params["agentId"] != AGENT:
            return google_error(403, "PERMISSION_DENIED", "Not an agent of yours.")
        if not is_e164(request.path_params["phone"]):
            return google_error(400, "INVALID_ARGUMENT", "The number must be in E.164 format.")
        if not self.store.knows(request.path_params["phone"]):
            return google_error(404, "NOT_FOUND", "This number cannot be reached by RCS.")
        return None

    # The customer's phone.

    def heard(self, body: bytes) -> Iterator[Heard]:
        """https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/UserMessage"""
        message = object_of(_data_of(body))
        key, native = message.get("senderPhoneNumber"), message.get("messageId")
        said = (
            message.get("text"),
            at(message, "suggestionResponse", "text"),
            at(message, "userFile", "payload", "fileUri"),
            _place_of(message.get("location")),
        )
        text = next((one for one in said if isinstance(one, str)), None)
        if is_e164(key) and isinstance(native, str) and text is not None:
            yield Heard(str(key), native, text)

    def message(self, key: str, native: str, text: str) -> dict[str, Any]:
        return self._said(key, messageId=native, text=text)

    def reported_file(
        self, key: str, native: str, kind: str, file: File, caption: str | None, origin: str
    ) -> dict[str, Any]:
        """https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/UserFile"""
        payload = {
            "mimeType": file.mime_type,
            "fileSizeBytes": file.size,
            "fileName": file.name or file.id,
            "fileUri": f"{origin}{PREFIX}/v1/blob/{file.id}",
        }
        return self._said(key, messageId=native, userFile={"payload": payload})

    def tap(self, key: str, native: str, postback: str, text: str) -> dict[str, Any]:
        return self._said(
            key, messageId=native, suggestionResponse={"postbackData": postback, "text": text}
        )

    def statuses(self, key: str, status: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Takes `isTyping`, `read` (the id of a message of the business), `subscribed` (true or
        false).

        A customer who unsubscribes causes an event and a message with a keyword.
        """
        found = []
        if status.get("isTyping"):
            found.append(self._event_of(key, "IS_TYPING"))
        if status.get("read"):
            found.append(self._event_of(key, "READ", messageId=str(status["read"])))
        if isinstance(status.get("subscribed"), bool):
            kind, word = ("SUBSCRIBE", "START") if status["subscribed"] else ("UNSUBSCRIBE", "STOP")
            self.store.show(
                key,
                "customer",
                "message",
                native := self.new_id(),
                {"messageId": native, "text": word},
            )
            found += [self._event_of(key, kind), self.message(key, native, word)]
        return found

    def _event_of(self, key: str, kind: str, **more: str) -> dict[str, Any]:
        return self._said(key, eventType=kind, eventId=str(uuid.uuid4()), **more)

    def _said(self, key: str, **what: Any) -> dict[str, Any]:
        """Returns the Pub/Sub envelope of a report."""
        sent = now()
        data = json.dumps(
            {"senderPhoneNumber": key, "agentId": AGENT, "sendTime": sent, **what}
        ).encode()
        envelope = {
            "data": base64.b64encode(data).decode(),
            "messageId": str(uuid.uuid4()),
            "publishTime": sent,
        }
        return {"message": envelope, "subscription": "projects/baton/subscriptions/rbm-agent"}


def _data_of(body: bytes) -> bytes:
    """Returns the decoded `message.data` of a Pub/Sub envelope, nothing where there is none.

    https://docs.cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage
    """
    data = at(object_of(body), "message", "data")
    try:
        return base64.b64decode(data, validate=True) if isinstance(data, str) else b""
    except binascii.Error:
        return b""


def _place_of(location: object) -> str | None:
    """Returns a place in degrees. Protobuf's JSON form may leave out a zero."""
    if not isinstance(location, dict):
        return None
    return f"{location.get('latitude', 0)}, {location.get('longitude', 0)}"
