"""One function for each operation.

Each checks the rights, parses the body, calls the use case and returns the answer.
"""

import re
import uuid
from email.message import Message

from shared.api import views
from shared.api.bodies import (
    ClaimBody,
    EventBody,
    FailBody,
    Human,
    LinkBody,
    MessageBody,
    NoteBody,
    ReceiptBody,
    ReleaseBody,
    RenameBody,
    RequestHumanBody,
    SurveyBody,
    must_be_sound,
    speaker,
    themselves,
)
from shared.api.keys import is_human, is_supervisor, must_send_templates, must_speak_as
from shared.conversations import requests as control
from shared.conversations.queue_position import people_ahead
from shared.customers import erase, links, same_customer
from shared.errors import BadRequest, NotFound, Refused
from shared.media import uploads
from shared.media.tokens import media_id, uploaded
from shared.platforms.base import HasForms
from shared.platforms.bodies import Model, parse_object, validate
from shared.ports import Ports
from shared.schemas.commands import Signal
from shared.schemas.content import Content, File
from shared.schemas.content_rules import file_faults
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import (
    BotJoined,
    BotLeft,
    BotMessage,
    Claim,
    Event,
    HandoffFailed,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    Noted,
    SurveyAsked,
)
from shared.schemas.http import Request, Response
from shared.schemas.notation import parse_conversation_id
from shared.schemas.representative import Representative, RepresentativeType
from shared.settings.types import ApiKey
from shared.values import frozen

PAGE = 100
ORDERS = ("sequence", "latest")


@frozen
class Ask:
    """One authenticated request.

    `written` is the conversation's id as it is in the path, which answers repeat. `message` is the
    message id in the path.
    """

    ports: Ports
    caller: ApiKey
    request: Request
    written: str = ""
    message: str = ""

    @property
    def conversation(self) -> str:
        """The canonical id of the conversation."""
        return self.canonical(self.written)

    def canonical(self, written: str) -> str:
        """Returns the canonical id of a conversation that a caller wrote."""
        prefix, _, native = written.partition(":")
        platform = self.ports.platforms.get(prefix)
        if isinstance(platform, HasForms):
            written = f"{prefix}:{platform.canonical(native)}"
        return parse_conversation_id(written)

    def body(self, model: type[Model]) -> Model:
        """Returns the validated body. Raises BadRequest."""
        return validate(model, parse_object(self.request.body or b"{}"))

    def speaker(self, given: Representative | None) -> Representative:
        """Returns the representative.

        Raises Forbidden if this key may not speak as that type, BadRequest.
        """
        representative = speaker(given, self.caller, self.ports.policy.bot_name)
        must_speak_as(self.caller, representative.representative_type)
        return representative

    def human(self, given: Human | None) -> Representative:
        """Returns the human of a control verb: a person who calls, else the one that is given.

        Raises Forbidden for another person's name, BadRequest if none is given.
        """
        person = self.caller.person
        if person is not None:
            return themselves(person, given.representative if given else None)
        if given is None:
            raise BadRequest(
                "schema",
                "representative: name the human; only a person may leave it out.",
                field="representative",
            )
        return given.representative

    def id_in_query(self, field: str) -> str:
        """Returns the caller's own id from the query. Raises BadRequest."""
        found = self.request.query.get(field, "")
        if not 1 <= len(found) <= 256:
            raise BadRequest(
                "schema", f"{field}: give one in the query, 1 to 256 characters.", field=field
            )
        return found

    @property
    def person_id(self) -> str | None:
        """The id of the person who calls, None for a system."""
        return self.caller.person.id if self.caller.person else None

    def common(self, event_id: str | None) -> dict[str, object]:
        """Returns the fields that every event has. Without a caller's id it gets a random one."""
        return {
            "id": event_id or uuid.uuid4().hex,
            "source": self.conversation,
            "actor": f"key:{self.caller.name}",
            "key": self.caller.name,
            "fact": False,
        }


async def create_message(ask: Ask) -> Response:
    """Accepts a message of a bot or human. Returns the message."""
    body = ask.body(MessageBody)
    who = ask.speaker(body.representative)
    kind = BotMessage if who.representative_type is RepresentativeType.BOT else HumanMessage
    content = Content.taken(
        body.model_dump(exclude={"message_id", "representative"}, exclude_none=True)
    )
    must_be_sound(content)
    if ask.request.query.get("forceFallback", "false").lower() == "true":
        content = _fallback_of(content)
    if content.template is not None:
        must_send_templates(ask.caller)
    said = content.shown
    content = await _with_upload(ask, content)
    event = kind.model_validate(
        {
            **ask.common(body.message_id),
            "keeps_id": True,
            "representative": who,
            "person_id": ask.person_id,
            "content": content,
        }
    )
    accepted = await control.accept(ask.ports, event)
    name = f"conversations/{ask.written}/messages/{body.message_id}"
    return views.json_response(
        {
            "name": name,
            "messageId": body.message_id,
            **said,
            "representative": views.representative_view(who),
            **views.waiting_view(accepted.conversation, accepted.commands),
        }
    )


async def _with_upload(ask: Ask, content: Content) -> Content:
    """Returns the message with what Baton knows of the upload that it names.

    Raises BadRequest for an id that is none or has expired, Refused for one of another
    conversation.
    """
    file = content.file
    if file is None or file.media_id is None:
        return content
    found = uploaded(uploads.links_of(ask.ports), file.media_id)
    conversation = await control.channel_of(ask.ports, ask.conversation)
    if found.conversation != conversation.id:
        raise Refused(
            "media-of-another-conversation",
            "This upload belongs to another conversation; upload the file for this one.",
        )
    return content.model_copy(update={"file": found.shown_as(file)})


async def upload_media(ask: Ask) -> Response:
    """Takes a file for a message of the conversation. Returns the id by which messages name it."""
    given = _upload_of(ask.request)
    conversation = await control.channel_of(ask.ports, ask.conversation)
    control.check_delivers(conversation)
    keys = uploads.links_of(ask.ports)
    taken = await uploads.take(ask.ports, conversation, given)
    try:
        await control.seen(ask.ports, conversation.id)
    except NotFound:  # erased meanwhile
        await uploads.forget(ask.ports, taken)
        raise
    shown = ask.ports.policy.of(conversation.platform).shows(taken.shown_as(given.file))
    return views.json_response(views.upload_view(taken, shown, media_id(keys, taken), keys.now()))


def _upload_of(request: Request) -> uploads.Upload:
    """Raises BadRequest."""
    said = {
        "kind": request.query.get("kind"),
        "mime_type": request.headers.get("content-type"),
        "file_name": _name_in(request),
    }
    if not said["mime_type"]:
        raise BadRequest("schema", "Content-Type: give the MIME type of the file.")
    file = validate(File, said)
    fault = next(file_faults(file), None)
    if fault is not None:
        raise BadRequest("schema", f"{fault[0]}: {fault[1]}.", field=fault[0])
    if request.chunks is None:
        raise BadRequest("malformed-path", "Files are uploaded at /v1/conversations/{id}/media.")
    return uploads.Upload(file, request.chunks, request.declared or None)


def _name_in(request: Request) -> str | None:
    """Returns the name of the file in Content-Disposition (RFC 6266). It may be personal, and logs
    of requests have no headers.
    """
    header = Message()
    header["content-disposition"] = request.headers.get("content-disposition", "attachment")
    return header.get_filename() or None


def _fallback_of(content: Content) -> Content:
    """Returns the fallback text only, which `forceFallback` asks for.

    Raises BadRequest if there is none.
    """
    if content.fallback is None:
        raise BadRequest(
            "schema", "fallback: give one, as forceFallback is true.", field="fallback"
        )
    return Content(text=content.fallback)


async def create_event(ask: Ask) -> Response:
    """Accepts a representative's joining or leaving, or sends a typing event. Returns the event."""
    body, event_id = ask.body(EventBody), ask.id_in_query("eventId")
    who = ask.speaker(body.representative)
    if body.event_type == "TYPING_STARTED" or body.event_type == "TYPING_STOPPED":
        signal = Signal(id=event_id, to="", kind=body.event_type, representative=who)
        await control.signal_typing(ask.ports, ask.conversation, signal)
    else:
        await _frame(ask, body.event_type, event_id, who)
    name = f"conversations/{ask.written}/events/{event_id}"
    shown = {
        "name": name,
        "eventType": body.event_type,
        "representative": views.representative_view(who),
    }
    return views.json_response(shown)


async def _frame(ask: Ask, event_type: str, event_id: str, who: Representative) -> None:
    joined = event_type == "REPRESENTATIVE_JOINED"
    is_bot = who.representative_type is RepresentativeType.BOT
    kind = (BotJoined if joined else BotLeft) if is_bot else (HumanJoined if joined else HumanLeft)
    common = {**ask.common(event_id), "keeps_id": True, "person_id": ask.person_id}
    await control.accept(ask.ports, kind.model_validate({**common, "representative": who}))


async def create_survey(ask: Ask) -> Response:
    """Asks for the platform's survey.

    A survey has no representative: a key that may speak as HUMAN asks as one, any other as a bot.
    """
    survey_id = ask.id_in_query("surveyId")
    ask.body(SurveyBody)
    kind = (
        RepresentativeType.HUMAN
        if RepresentativeType.HUMAN in ask.caller.may
        else RepresentativeType.BOT
    )
    must_speak_as(ask.caller, kind)
    person = ask.caller.person
    nameless = Representative(representative_type=kind, display_name=ask.caller.name)
    who = person.representative if person else nameless
    common = {**ask.common(survey_id), "keeps_id": True}
    await control.accept(ask.ports, SurveyAsked.model_validate({**common, "representative": who}))
    return views.json_response({"name": f"conversations/{ask.written}/surveys/{survey_id}"})


async def update_receipt(ask: Ask) -> Response:
    """Sends a READ receipt for a message of the customer; best effort."""
    if not ask.message.strip("."):  # `.` and `..` are path segments that clients resolve
        raise BadRequest("malformed-path", "The message id in the path is invalid.")
    body = ask.body(ReceiptBody)
    channel = await control.shown_in(ask.ports, ask.conversation)
    control.check_delivers(channel)
    signal = Signal(id=uuid.uuid4().hex, to="", kind="READ", message_id=ask.message)
    await control.signal_receipt(ask.ports, channel, signal)
    name = f"conversations/{ask.written}/messages/{ask.message}/receipt"
    return views.json_response({"name": name, "receiptType": body.receipt_type})


async def get_conversation(ask: Ask) -> Response:
    """Returns a conversation, with the customer's position in the queue while they wait."""
    conversation = await control.seen(ask.ports, ask.conversation)
    waits = conversation.phase is Phase.QUEUED and not conversation.tracked
    ahead = views.place_view(await people_ahead(ask.ports, conversation)) if waits else {}
    return await _view(ask, conversation, **ahead, device=await _device(ask, conversation))


async def _device(ask: Ask, conversation: Conversation) -> dict[str, object] | None:
    """Returns what the customer's device tells, to desks and admins. A bot gets none of it."""
    if not is_human(ask.caller) or all(one.person is None for one in conversation.humans):
        return None
    found = await ask.ports.store.device(conversation.id)
    known, now = found.value if found else None, ask.ports.clock.now()
    return views.device_view(known, conversation, now)


async def list_conversations(ask: Ask) -> Response:
    """Returns one page of the conversations of a phase, longest wait first."""
    phase = ask.request.query.get("phase", Phase.QUEUED.value)
    if phase not in Phase.__members__:
        raise BadRequest("schema", f"phase: one of {', '.join(Phase)}.", field="phase")
    page = await ask.ports.store.queue(phase, ask.request.query.get("cursor"), PAGE)
    shown = [views.listed_view(one) for one in page.items if not one.erased]
    return views.json_response({"conversations": shown, "nextCursor": page.cursor})


async def get_journal(ask: Ask) -> Response:
    """Returns one page of the journal, in sequence or from its end. Markers are left out."""
    order, limit = _journal_part(ask.request)
    conversation = await control.seen(ask.ports, ask.conversation)
    journals = [*(former.id for former in conversation.formerly), conversation.id]
    store, latest = ask.ports.store, order == "latest"
    if latest:
        journals.reverse()
    number, cursor = _place(ask.request.query.get("cursor"), len(journals))
    read = store.journal_back if latest else store.journal
    page = await read(journals[number], cursor, limit)
    following: str | None = f"@{number} {page.cursor}" if page.cursor else f"@{number + 1}"
    if number == len(journals) - 1:
        following = following if page.cursor and latest else page.cursor
    return views.json_response(
        {
            "entries": [
                views.entry_view(entry.value, ask.ports.media_links)
                for entry in page.items
                if not entry.value.marker
            ],
            "nextCursor": following,
        }
    )


def _journal_part(request: Request) -> tuple[str, int]:
    """Returns the order of a journal, and how many entries a page has. Raises BadRequest."""
    order, limit = request.query.get("order", "sequence"), request.query.get("limit", str(PAGE))
    if order not in ORDERS:
        raise BadRequest("schema", f"order: one of {', '.join(ORDERS)}.", field="order")
    if re.fullmatch("[0-9]{1,3}", limit) is None or not 1 <= int(limit) <= PAGE:
        raise BadRequest("schema", f"limit: a number from 1 to {PAGE}.", field="limit")
    return order, int(limit)


def _place(cursor: str | None, journals: int) -> tuple[int, str | None]:
    """Returns which of a customer's journals a cursor is in, and the cursor in that journal. Those
    of conversations that became part of this one come first in sequence. Raises BadRequest.
    """
    last = journals - 1
    if cursor is None:
        return 0, None
    found = re.fullmatch(r"@([0-9]{1,4})(?: (.+))?", cursor, re.DOTALL)
    if found is None:
        return last, cursor
    if int(found[1]) > last:
        raise BadRequest("invalid-cursor", "The cursor is invalid; start without one.")
    return int(found[1]), found[2]


async def request_human(ask: Ask) -> Response:
    """Accepts a request for a human. Returns the conversation."""
    body = ask.body(RequestHumanBody)
    common = ask.common(body.request_id)
    return await take_verb(
        ask,
        HumanRequested.model_validate(
            {**common, **body.model_dump(include={"reason", "metadata"})}
        ),
    )


async def claim(ask: Ask) -> Response:
    """Accepts a human's claim of the conversation. Returns the conversation."""
    body = ask.body(ClaimBody)
    said = {
        "representative": ask.human(body.representative),
        "person_id": ask.person_id,
        "offer": body.offer,
    }
    return await take_verb(ask, Claim.model_validate({**ask.common(body.request_id), **said}))


async def release(ask: Ask) -> Response:
    """Accepts that a human leaves. A person releases themselves, a key its own humans, and a
    supervisor or an admin any human.
    """
    body = ask.body(ReleaseBody)
    anybody = is_supervisor(ask.caller)
    who = body.representative if anybody else None
    owner = None if anybody else ask.caller.name
    said = {
        "representative": who.representative if who else ask.human(body.representative),
        "person_id": ask.person_id,
        "reason": body.reason,
        "owner": owner,
    }
    return await take_verb(ask, HumanLeft.model_validate({**ask.common(body.request_id), **said}))


async def note(ask: Ask) -> Response:
    """Accepts a person's note for their colleagues. Returns the conversation."""
    body = ask.body(NoteBody)
    said = {
        "representative": ask.human(body.representative),
        "person_id": ask.person_id,
        "note": body.text,
    }
    return await take_verb(ask, Noted.model_validate({**ask.common(body.request_id), **said}))


async def list_canned(ask: Ask) -> Response:
    """Returns the answers that people at the desk choose from."""
    answers = [
        {"language": language, "title": title, "text": text}
        for language, texts in ask.ports.canned.items()
        for title, text in texts.items()
    ]
    return views.json_response({"answers": answers})


async def fail(ask: Ask) -> Response:
    """Accepts that no human is available. Returns the conversation."""
    body = ask.body(FailBody)
    return await take_verb(
        ask, HandoffFailed.model_validate({**ask.common(body.request_id), "reason": body.reason})
    )


async def link(ask: Ask) -> Response:
    """Links the conversation to another one. Returns it with the result of the link."""
    to = ask.canonical(ask.body(LinkBody).to)
    linked = await links.link(ask.ports, ask.conversation, to, ask.caller.name)
    now = await control.seen(ask.ports, to)
    other = ask.conversation if now.id == to else to
    joined = views.link_view(linked.id if linked.id != now.id else other, linked, now)
    return await _view(ask, linked, link=joined)


async def rename(ask: Ask) -> Response:
    """Gives a name of the conversation to another one. Returns the other one."""
    body = ask.body(RenameBody)
    name, to = ask.canonical(body.name), ask.canonical(body.to)
    renamed = await same_customer.rename(ask.ports, ask.conversation, name, to, ask.caller.name)
    return await _view(ask, renamed)


async def unlink(ask: Ask) -> Response:
    """Removes the conversation's link. Returns the conversation."""
    return await _view(ask, await links.unlink(ask.ports, ask.conversation, ask.caller.name))


async def delete_conversation(ask: Ask) -> Response:
    """Erases the conversation and those linked with it. Returns an empty object."""
    await erase.erase(ask.ports, ask.conversation, ask.caller.name)
    return views.json_response({})


async def take_verb(ask: Ask, event: Event) -> Response:
    """Takes a verb. Returns the conversation."""
    return await _view(ask, await control.control(ask.ports, event))


async def _view(ask: Ask, conversation: Conversation, **more: object) -> Response:
    pending = await ask.ports.store.pending_count(conversation.id)
    return views.json_response(
        {
            **views.conversation_view(
                conversation, pending, agent=is_human(ask.caller), admin=ask.caller.admin
            ),
            **more,
        }
    )
