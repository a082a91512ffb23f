"""A simulated WhatsApp Cloud API, and a phone: ids of the platform's own, a window of 24 hours,
statuses, and Meta's agent as another sender on the number.

A thread has one owner. What the customer writes goes to the owner as `messages`, and to who only
listens as `standby`. Baton is the escalation partner: it may take a thread, also by sending.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
Four answers are UNVERIFIED, because no source that we could read has them: error 131047 outside the
window, 131030 for an unknown number, and 100 for an unknown media id and for a file that is too
large.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.bodies import at, object_of
from infra.local.simulators.media import File, NotFetched, base_type, form_of
from infra.local.simulators.phones import FIRST_NUMBER, Heard, PhoneSimulator, is_e164
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import google_error, json_of
from infra.local.simulators.whatsapp_content import CONTACT, WrongContent, shown, unfit, uploadable

PREFIX = "/sim/whatsapp"
NUMBER = "100000000000001"  # the id of the business's phone number
COUNTRY, OWN_NUMBER = "1", "15550000001"  # the business's calling code and number
WINDOW = timedelta(hours=24)
TYPING_SECONDS = 25.0
URL_LIFETIME = timedelta(minutes=5)
ID_LIFETIME, UPLOAD_LIFETIME = timedelta(days=7), timedelta(days=30)
CAPTIONED = ("image", "video", "document")
AGENT, US = "ai_agent", "escalation"  # roles of the owners of a thread


OURS = {"display_phone_number": OWN_NUMBER, "phone_number_id": NUMBER}
ANSWERED, WANTED = "Meta's agent answers:", "Meta's agent: a person will take over."
_USER_ID = re.compile(r"[A-Z]{2}[.][A-Za-z0-9.]{1,140}")
_NO_MESSAGE = ("edit", "revoke")  # these open no window


class WhatsAppSimulator(PhoneSimulator):
    prefix, api, platform, agent = PREFIX, "/v", "whatsapp", NUMBER

    def __init__(
        self, store: PlatformStore, webhook_url: str, app_secret: str, access_token: str
    ) -> None:
        self._secret, self._token = app_secret, access_token
        self._silent: dict[str, timedelta] = {}
        self._owners: dict[str, str] = {}
        self._with_agent: set[str] = set()
        self._is_partner = True
        self._hiding = set[str]()  # their next message is the last one that tells the number
        self._hidden = set[str]()
        super().__init__(store, webhook_url)

    def is_customer(self, key: str) -> bool:
        return is_e164(key) or _USER_ID.fullmatch(key) is not None

    def conversation_of(self, key: str) -> str:
        """Baton knows a number of Brazil, Argentina or Mexico without its optional digit."""
        bare = re.sub(r"^[+](55[0-9]{2})9([6-9][0-9]{7})$", r"+\1\2", key)
        bare = re.sub(r"^[+](?:(54)9|(52)1)([0-9]{10})$", r"+\1\2\3", bare)
        return super().conversation_of(bare)

    def new_key(self, asked: Mapping[str, Any]) -> str:
        """A customer with a `username` has a user id and no number that the business may see."""
        key = super().new_key(asked)
        return user_of(key) if asked.get("username") else key

    def api_routes(self) -> list[Route]:
        number = "/v{version}/{number}"
        return [
            Route(f"{number}/messages", self._messages, methods=["POST"]),
            Route(f"{number}/thread_control", self._thread_control, methods=["POST"]),
            Route(f"{number}/media", self._upload, methods=["POST"]),
            Route("/v{version}/whatsapp_business/attachments/", self._download, methods=["GET"]),
            Route("/v{version}/{media}", self._where, methods=["GET"]),
        ]

    def customer_routes(self) -> list[Route]:
        return [
            *super().customer_routes(),
            Route("/customers/{key}/echo", self._echo, methods=["POST"]),
            Route("/customers/{key}/agent", self._agent, methods=["GET", "PUT"]),
            Route("/customers/{key}/messages/{id:path}", self._edit, methods=["PATCH"]),
            Route("/customers/{key}/messages/{id:path}", self._revoke, methods=["DELETE"]),
            Route("/customers/{key}/reactions", self._react, methods=["POST"]),
        ]

    def signed(self, body: bytes) -> Mapping[str, str]:
        """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint"""
        digest = hmac.digest(self._secret.encode(), body, "sha256")
        return {"x-hub-signature-256": f"sha256={digest.hex()}"}

    def refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        return _error(status, 130429 if status == 429 else 131000, words, headers)

    async def _messages(self, request: Request) -> Response:
        body = await json_of(request)
        refused = self._refused(request, body)
        if refused is not None:
            return refused
        return self._read(body) if body.get("status") == "read" else await self._send(body)

    def _refused(self, request: Request, body: Mapping[str, Any]) -> Response | None:
        if not self._is_authorized(request):
            return _error(401, 190, "Invalid OAuth access token.")
        if request.path_params["number"] != NUMBER:
            return _error(400, 33, "This number does not exist, or is not yours.")
        if body.get("messaging_product") != "whatsapp":
            return _error(400, 100, "messaging_product must be whatsapp.")
        return None

    def _is_authorized(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self._token}"

    # Files. https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media

    async def _upload(self, request: Request) -> Response:
        form = await form_of(request)
        fields = {name: value[0].decode("utf-8", "replace") for name, value in form.items()
                  if name != "file"}  # fmt: skip
        refused = self._refused(request, fields)
        if refused is not None:
            return refused
        if "file" not in form:
            return _error(400, 100, "The parameter file is required.")
        content, kind, name = form["file"]
        fault = uploadable(base_type(kind), len(content))
        if fault:
            return _error(400, 100, fault)
        return JSONResponse({"id": self.files.keep(content, kind, name).id})

    async def _where(self, request: Request) -> Response:
        """Returns where a file is for the next five minutes."""
        if not self._is_authorized(request):
            return _error(401, 190, "Invalid OAuth access token.")
        name, number = request.path_params["media"], request.query_params.get("phone_number_id")
        file = self._file_of(name)
        if file is None or number not in (None, NUMBER) or self.faults.strikes("media_gone"):
            words = f"Unsupported get request. Object with ID '{name}' does not exist."
            return _error(400, 100, words, subcode=33)
        ends = int((self.files.now() + URL_LIFETIME).timestamp())
        asked = urlencode({"mid": file.id, "ext": ends, "hash": self._hash_of(file.id, ends)})
        here = f"{request.url.scheme}://{request.url.netloc}{PREFIX}"
        return JSONResponse(
            {
                "messaging_product": "whatsapp",
                "url": f"{here}/v1/whatsapp_business/attachments/?{asked}",
                "mime_type": file.mime_type,
                "sha256": file.sha256.hex(),
                "file_size": file.size,
                "id": file.id,
            }
        )

    async def _download(self, request: Request) -> Response:
        if not self._is_authorized(request):
            return _error(401, 190, "Invalid OAuth access token.")
        asked = request.query_params
        file, ends = self._file_of(asked.get("mid", "")), asked.get("ext", "")
        is_ours = ends.isdecimal() and file is not None
        if not is_ours or asked.get("hash") != self._hash_of(asked["mid"], int(ends)):
            return Response(status_code=404)
        if file is None or self.files.now().timestamp() >= int(ends):
            return Response(status_code=404)
        return self.given(file)

    def _hash_of(self, media: str, ends: int) -> str:
        return hmac.digest(self._secret.encode(), f"{media} {ends}".encode(), "sha256").hex()

    def _file_of(self, media: str) -> File | None:
        """Returns a file whose id has not expired. An id of a webhook lives for a week."""
        file = self.files.get(media)
        if file is None:
            return None
        lifetime = ID_LIFETIME if self.store.is_reported(media) else UPLOAD_LIFETIME
        return file if self.files.age(file) < lifetime else None

    async def _with_files(self, content: dict[str, Any]) -> dict[str, Any]:
        """Returns a message with its files as the phone shows them.

        Raises WrongContent for an id that is none, NotFetched for a link that gives no such file.
        """
        views = []
        for asked in content.get("files", []):
            kind, link = asked["kind"], asked.get("link")
            file = await self.fetched(link) if link else self._file_of(str(asked["id"]))
            if file is None and not link:
                raise WrongContent(f"Param {kind}: {asked['id']} is not a valid media id.")
            fault = unfit(kind, file.base_type, file.size) if file else None
            if fault:
                raise NotFetched(fault)
            shown_as = "voice" if asked.get("voice") else kind
            view = self.view(shown_as, file) if file else {"kind": shown_as, "url": link}
            given = {"fileName": asked["filename"]} if asked.get("filename") else {}
            views.append({**view, **given})
        return {**content, **({"files": views} if views else {})}

    async def _thread_control(self, request: Request) -> Response:
        """A release is reported to nobody. What is passed to the agent is reported to the agent.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing
        """
        body = await json_of(request)
        refused, action = self._refused(request, body), body.get("action")
        if refused is not None:
            return refused
        key = self._recipient_of(body)
        if not self.store.knows(key):
            return _error(400, 131030, "Recipient phone number not in allowed list.")
        if action == "take":
            if not self._is_partner and self._owner_of(key) == AGENT:
                return _error(400, 2494191, "Only the escalation partner may take this thread.")
            self._owners[key] = US
        elif action not in ("pass", "release"):
            return _error(400, 100, "action must be pass, release or take.")
        elif self._owners.get(key) != US:
            return _error(400, 100, "This app is not the owner of the thread.")
        elif action == "release":
            del self._owners[key]
        elif at(body, "control_pass", "target_role") != AGENT:
            return _error(400, 100, "target_role must be ai_agent.")
        else:
            self._owners[key] = AGENT
        return JSONResponse({"messaging_product": "whatsapp"})

    def _owner_of(self, key: str) -> str | None:
        """Returns the owner of a thread, None for an idle one."""
        return self._owners.get(key)

    def _next_owner_of(self, key: str) -> str:
        """Returns who gets the customer's words. An idle thread goes to its entry point."""
        entry_point = AGENT if key in self._with_agent else US
        return self._owners.setdefault(key, entry_point)

    async def _send(self, body: dict[str, Any]) -> Response:
        key = self._recipient_of(body)
        if not self.store.knows(key):
            return _error(400, 131030, "Recipient phone number not in allowed list.")
        if body.get("type") != "template" and not self._is_open(key):
            return _error(
                400,
                131047,
                "Re-engagement message: more than 24 hours since the customer last wrote.",
            )
        if body.get("type") == "reaction":
            return self._reacted(key, body)
        content, fault = dict[str, Any](), None
        try:
            content = await self._with_files(shown(body))
            answered = str(at(body, "context", "message_id"))
            if key in (self.store.owner_of(side, answered) for side in ("customer", "business")):
                content["about"] = answered  # an unknown message is answered without its words
        except WrongContent as error:
            return _error(400, 100, str(error))
        except NotFetched as error:
            fault = str(error)
        if self._owner_of(key) == AGENT and not self._is_partner:
            return _error(400, 2494191, "Another sender is the owner of this thread.")
        self._owners[key] = US
        native = self.new_id()
        with self.store.whole():
            if fault is None:
                self.store.show(key, "business", "message", native, content)
                for status in ("sent", "delivered"):
                    self.report(self._status_of(key, native, status))
            else:  # the answer does not wait for the file
                self.report(self._failed(key, native, 131053, "Media upload error", fault))
        self.typing.pop(key, None)
        given = body.get("to") or body.get("recipient")
        contact = {"input": given, **self._names_of(key, "wa_id", "user_id")}
        return JSONResponse(
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": native}]}
        )

    def _reacted(self, key: str, body: dict[str, Any]) -> Response:
        """Shows a reaction to the customer's message; with an empty emoji it is taken back.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/reaction-messages
        """
        of, emoji = at(body, "reaction", "message_id"), at(body, "reaction", "emoji")
        if not isinstance(of, str) or not isinstance(emoji, str):
            return _error(400, 100, "reaction must have message_id and emoji.")
        if self.store.owner_of("customer", of) != key:
            return _error(400, 131009, "Parameter value is not valid: no such message.")
        native = self.new_id()
        with self.store.whole():
            row = {"of": of, **({"emoji": emoji} if emoji else {})}
            self.store.show(key, "business", "reaction", native, row)
            self.report(self._status_of(key, native, "sent"))
        contact = {"input": body.get("to"), **self._names_of(key, "wa_id", "user_id")}
        return JSONResponse(
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": native}]}
        )

    def _is_open(self, key: str) -> bool:
        """Returns whether the customer wrote within the window. `silentHours` of a status moves the
        clock.
        """
        said = [
            row["at"]
            for row in self.store.transcript(key)
            if row["side"] == "customer" and row["kind"] not in _NO_MESSAGE
        ]
        silent = self._silent.get(key, timedelta())
        return bool(said) and datetime.now(UTC) - datetime.fromisoformat(said[-1]) + silent < WINDOW

    def _read(self, body: dict[str, Any]) -> Response:
        key = self.store.owner_of("customer", str(body.get("message_id")))
        if key is None:
            return _error(400, 100, "No such message.")
        self.store.show(
            key, "business", "receipt", str(body["message_id"]), {"receiptType": "READ"}
        )
        if body.get("typing_indicator"):
            self.typing[key] = "The business"
            asyncio.get_running_loop().call_later(TYPING_SECONDS, self.typing.pop, key, None)
        return JSONResponse({"success": True})

    # The customer's phone, and the business's phone.

    async def _echo(self, request: Request) -> Response:
        """Sends a text from the WhatsApp Business app: the customer sees it, and Baton gets an
        echo.
        """
        key, body = self.key_of(request.path_params["key"]), await json_of(request)
        native, text = self.new_id(), str(body.get("text"))
        item = {
            **_item(key, native, {"type": "text", "text": {"body": text}}),
            **self._names_of(key, "to", "to_user_id"),
            "from": OWN_NUMBER,
        }
        with self.store.whole():
            self.store.learn(key)
            self.store.show(key, "business", "message", native, {"text": text, "echo": True})
            self.report(_batch("smb_message_echoes", message_echoes=[item]))
        await self.let_baton_hear()
        return JSONResponse({"messageId": native, "text": text})

    async def _agent(self, request: Request) -> Response:
        """Switches Meta's agent on or off for a customer: `{"answers": true}`. With
        `"partner": false` Baton may take no thread from it. Returns the customer's switches.
        """
        key, body = self.key_of(request.path_params["key"]), await json_of(request)
        if isinstance(body.get("answers"), bool):
            self._owners.pop(key, None)
            change = self._with_agent.add if body["answers"] else self._with_agent.discard
            change(key)
        if isinstance(body.get("partner"), bool):
            self._is_partner = body["partner"]
        hides = key in self._hiding or key in self._hidden
        return JSONResponse(
            {
                "answers": key in self._with_agent,
                "owner": self._owner_of(key),
                "hidesNumber": hides,
            }
        )

    async def _say(self, request: Request) -> Response:
        answer = await super()._say(request)
        key, body = self.key_of(request.path_params["key"]), await json_of(request)
        if answer.status_code == 200 and self._owner_of(key) == AGENT:
            with self.store.whole():
                self._agent_answers(key, str(body["text"]))
            await self.let_baton_hear()
        return answer

    def _agent_answers(self, key: str, words: str) -> None:
        """Answers as Meta's agent. It passes a customer who wants a person to Baton."""
        wants_person = "person" in words.lower()
        self._agent_says(key, WANTED if wants_person else f"{ANSWERED} {words}")
        if wants_person:
            self._owners[key] = US
            whom = self._names_of(key, "phone_number", "user_id")
            self.report(_handover(whom, "control_passed", AGENT, US))

    def _agent_says(self, key: str, text: str) -> None:
        native = self.new_id()
        self.store.show(key, "business", "message", native, {"text": text, "agent": True})
        whom = self._names_of(key, "to", "to_user_id")
        said = {**whom, "type": "text", "text": {"body": text}}
        self.report(_standby(message_echoes=[_item(key, native, {"message": said})]))

    async def _edit(self, request: Request) -> Response:
        """Changes the words of an earlier message: `{"text"}`.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit
        """
        text = (await json_of(request)).get("text")
        if not isinstance(text, str) or not text:
            return google_error(400, "INVALID_ARGUMENT", "text is required.")
        message = {"type": "text", "text": {"body": text}}
        of = request.path_params["id"]
        edit = {"original_message_id": of, "message": message}
        return await self._again(request, of, "edit", {"edit": edit}, {"text": text})

    async def _revoke(self, request: Request) -> Response:
        """Deletes an earlier message.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/revoke
        """
        of = request.path_params["id"]
        revoke = {"original_message_id": of}
        return await self._again(request, of, "revoke", {"revoke": revoke}, {})

    async def _react(self, request: Request) -> Response:
        """Reacts to a message of either side: `{"message", "emoji"}`; without an emoji the reaction
        is taken back.
        """
        body = await json_of(request)
        of, emoji = str(body.get("message")), body.get("emoji")
        known = {"emoji": emoji} if isinstance(emoji, str) and emoji else {}
        reaction = {"message_id": of, **known}
        return await self._again(request, of, "reaction", {"reaction": reaction}, known)

    async def _again(
        self, request: Request, of: str, kind: str, what: dict[str, Any], shown: dict[str, Any]
    ) -> Response:
        """Shows and reports what the customer does with an earlier message."""
        key = self.key_of(request.path_params["key"])
        sides = ("customer", "business") if kind == "reaction" else ("customer",)
        if not any(self.store.owner_of(side, of) == key for side in sides):
            return google_error(404, "NOT_FOUND", "This customer has no such message.")
        native = self.new_id()
        row = {"of": of, **shown}
        with self.store.whole():
            self.store.show(key, "customer", kind, native, row)
            self.report(self._said(key, native, {"type": kind, **what}))
        await self.let_baton_hear()
        return JSONResponse({"messageId": native, **row})

    def heard(self, body: bytes) -> Iterator[Heard]:
        """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages"""
        for value in _values(object_of(body)):
            for message in _list(value.get("messages")):
                key, native = self._sender_of(message), at(message, "id")
                is_new = at(message, "type") not in (*_NO_MESSAGE, "reaction")
                if self.is_customer(key) and isinstance(native, str) and is_new:
                    yield Heard(key, native, _text_of(message))

    def message(self, key: str, native: str, text: str) -> dict[str, Any]:
        return self._said(key, native, {"type": "text", "text": {"body": text}})

    def reported_file(
        self, key: str, native: str, kind: str, file: File, caption: str | None, origin: str
    ) -> dict[str, Any]:
        """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/audio"""
        name = "audio" if kind == "voice" else kind
        digest = base64.b64encode(file.sha256).decode()
        what: dict[str, Any] = {"mime_type": file.mime_type, "sha256": digest, "id": file.id}
        if name == "audio":
            what["voice"] = kind == "voice"
        if kind == "document" and file.name:
            what["filename"] = file.name
        if kind == "sticker":
            what["animated"] = False
        if caption and kind in CAPTIONED:
            what["caption"] = caption
        self.store.was_reported(file.id)
        return self._said(key, native, {"type": name, name: what})

    def unsendable(self, kind: str, file_type: str, size: int) -> str | None:
        """A customer's app turns every picture into a JPEG, every voice note into Ogg."""
        wrong = super().unsendable(kind, file_type, size)
        if wrong or kind == "document":
            return wrong
        if kind == "voice":
            return None if file_type == "audio/ogg" else "A voice note is of type audio/ogg."
        return unfit(kind, file_type, size)

    def tap(self, key: str, native: str, postback: str, text: str) -> dict[str, Any]:
        if postback == CONTACT:
            return self._said(key, native, self._contact_of(key))
        reply = {"type": "button_reply", "button_reply": {"id": postback, "title": text}}
        return self._said(key, native, {"type": "interactive", "interactive": reply})

    def _contact_of(self, key: str) -> dict[str, Any]:
        """Returns what the customer shares of themselves: a number that is reserved for fiction
        where they have none here.
        """
        number = key if is_e164(key) else f"+{FIRST_NUMBER}"
        phone = {"phone": number, "wa_id": number.removeprefix("+"), "type": "CELL"}
        name = {"formatted_name": self.store.name_of(key) or "Michael"}
        card = {"origin": "contact_request", "name": name, "phones": [phone]}
        return {"type": "contacts", "contacts": [card]}

    def statuses(self, key: str, status: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Takes `read` and `failed` (the id of a message of the business), `silentHours`, and
        `hidesNumber`: the customer takes a username. WhatsApp does not report typing.
        """
        if status.get("hidesNumber") is True and key not in self._hidden:
            self._hiding.add(key)
        elif status.get("hidesNumber") is False:
            self._hiding.discard(key)
            self._hidden.discard(key)
        if isinstance(status.get("silentHours"), int | float):
            self._silent[key] = timedelta(hours=status["silentHours"])
        kinds = ("read", "failed")
        return [self._status_of(key, str(status[kind]), kind) for kind in kinds if status.get(kind)]

    def new_id(self) -> str:
        """Returns a wamid. A real one contains the customer's number. This one contains a number
        that is reserved for fiction.
        """
        whole = (
            b"\x1c\x18\x0b12025550100\x15\x02\x00\x12\x18\x20"
            + uuid.uuid4().hex.upper().encode()
            + b"\x00"
        )
        return f"wamid.{base64.b64encode(whole).decode()}"

    def _said(self, key: str, native: str, what: dict[str, Any]) -> dict[str, Any]:
        if what["type"] not in _NO_MESSAGE:
            self._silent.pop(key, None)
        profile = {"profile": {"name": self.store.name_of(key) or "Michael"}}
        contact = {**profile, **self._names_of(key, "wa_id", "user_id")}
        sender = self._names_of(key, "from", "from_user_id")
        if key in self._hiding:
            self._hiding.discard(key)
            self._hidden.add(key)
        said = {**sender, **_item(key, native, what)}
        if self._next_owner_of(key) == AGENT:
            return _standby(contacts=[contact], messages=[said])
        return _batch("messages", contacts=[contact], messages=[said])

    def _names_of(self, key: str, number: str, user: str) -> dict[str, str]:
        """Returns the fields that name a customer, by a number, a user id, or both.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids/
        """
        if not is_e164(key):
            return {user: key}
        if key in self._hidden:
            return {user: user_of(key)}
        known = {number: key.removeprefix("+")}
        return {**known, user: user_of(key)} if key in self._hiding else known

    def _sender_of(self, message: Mapping[str, Any]) -> str:
        number = f"+{at(message, 'from')}"
        return number if is_e164(number) else self._key_of_user(str(at(message, "from_user_id")))

    def _recipient_of(self, body: Mapping[str, Any]) -> str:
        if body.get("to"):
            return recipient_of(body)
        return self._key_of_user(str(body.get("recipient", "")))

    def _key_of_user(self, user: str) -> str:
        known = (row["id"] for row in self.store.conversations())
        return next((key for key in known if is_e164(key) and user_of(key) == user), user)

    def _status_of(self, key: str, native: str, status: str) -> dict[str, Any]:
        if status == "failed":
            return self._failed(key, native, 131026, "Message undeliverable")
        whom = self._names_of(key, "recipient_id", "recipient_user_id")
        return _batch("messages", statuses=[_item(key, native, {"status": status, **whom})])

    def _failed(
        self, key: str, native: str, code: int, title: str, details: str | None = None
    ) -> dict[str, Any]:
        whom = self._names_of(key, "recipient_id", "recipient_user_id")
        data = {"error_data": {"details": details}} if details else {}
        errors = [{"code": code, "title": title, "message": title, **data}]
        what = {"status": "failed", **whom, "errors": errors}
        return _batch("messages", statuses=[_item(key, native, what)])


def _item(key: str, native: str, what: dict[str, Any]) -> dict[str, Any]:
    return {"id": native, "timestamp": str(int(datetime.now(UTC).timestamp())), **what}


def _batch(field: str, **lists: Any) -> dict[str, Any]:
    return _change(field, {"messaging_product": "whatsapp", "metadata": OURS, **lists})


def _standby(**lists: Any) -> dict[str, Any]:
    """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/standby/"""
    return _batch("standby", standby=lists)


def _handover(whom: dict[str, str], kind: str, before: str, after: str) -> dict[str, Any]:
    """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messaging-handovers/"""
    roles = {"previous_owner_role": before, "new_owner_role": after}
    value = {
        "messaging_product": "whatsapp",
        "recipient": OURS,
        "sender": whom,
        "timestamp": str(int(datetime.now(UTC).timestamp())),
        "type": kind,
        kind: {"metadata": "the customer asks for a person", **roles},
    }
    return _change("messaging_handovers", value)


def _change(field: str, value: dict[str, Any]) -> dict[str, Any]:
    changes = [{"field": field, "value": value}]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "200000000000001", "changes": changes}],
    }


def _error(
    status: int,
    code: int,
    message: str,
    headers: dict[str, str] | None = None,
    subcode: int | None = None,
) -> Response:
    error = {
        "message": f"(#{code}) {message}",
        "type": "OAuthException",
        "code": code,
        **({"error_subcode": subcode} if subcode else {}),
        "fbtrace_id": "sim",
    }
    return JSONResponse({"error": error}, status, headers)


def user_of(number: str) -> str:
    """Returns the user id of the customer with this number."""
    return f"US.{int(hashlib.sha256(number.encode()).hexdigest(), 16) % 10**20:020}"


def recipient_of(body: Mapping[str, Any]) -> str:
    """Returns the key of the customer who gets a message.

    A number may contain plus signs, hyphens, parentheses and spaces. The platform puts the calling
    code of the business before a number without a plus sign.
    https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
    """
    number = re.sub(r"[-() ]", "", str(body.get("to", "")))
    return number if number.startswith("+") else f"+{COUNTRY}{number}"


def _values(batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the values of all changes in a webhook."""
    for entry in _list(batch.get("entry")):
        for change in _list(at(entry, "changes")):
            if isinstance(at(change, "value"), dict):
                yield change["value"]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text_of(message: Mapping[str, Any]) -> str:
    """Returns the text that the phone shows for a message of the customer."""
    found = (
        at(message, "text", "body"),
        at(message, "interactive", "button_reply", "title"),
        at(message, "interactive", "list_reply", "title"),
        at(message, "button", "text"),
    )
    return next((one for one in found if isinstance(one, str)), f"[{message.get('type')}]")
