"""All operations of the REST API as data.

Routes and the OpenAPI document are generated from them.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from pydantic import BaseModel

from shared.api import bodies, colleagues, handlers, people, reports, sign_in
from shared.api.handlers import Ask
from shared.api.keys import (
    ADMIN,
    ALL,
    ANY,
    DESK,
    EVERYBODY,
    HUMAN,
    OWNER,
    PERSON,
    REPORTS,
    REPORTS_ON_AGENTS,
    SPEAKER,
    SUPERVISOR,
    Keyring,
    Right,
)
from shared.schemas.conversation import Phase
from shared.schemas.details import MEDIA_KINDS
from shared.schemas.http import Request, Response
from shared.values import frozen

Handler = Callable[[Ask], Awaitable[Response]]
SignInHandler = Callable[[Keyring, Request], Awaitable[Response]]
H = TypeVar("H", Handler, SignInHandler)


@frozen
class Query:
    """A query parameter. If it has `values`, no others are accepted."""

    name: str
    meaning: str
    required: bool = False
    values: tuple[str, ...] = ()


@frozen
class Operation(Generic[H]):
    """One operation. `path` is below /v1; a part in braces is one percent-encoded segment.

    - `who`: who may call it; checked before the handler is.
    - `answer`: the name of a model in `answers`. Only the OpenAPI document imports that module,
      which keeps cold starts short.
    - `csv`: the answer may be CSV. `takes_file`: the body is a file of any type. `from_page`:
      it needs the header that Baton's own pages send.
    - `refused`: status codes that callers must handle, besides 400, 401, 403 and 503.
    """

    method: str
    path: str
    handler: H
    who: Right
    summary: str
    answer: str
    body: type[BaseModel] | None = None
    query: tuple[Query, ...] = ()
    refused: tuple[int, ...] = (404,)
    csv: bool = False
    takes_file: bool = False
    from_page: bool = False


CURSOR = Query("cursor", "`nextCursor` of the previous page")
PERIOD = (
    Query("from", "the first day, like 2026-11-20; by default seven days before `to`"),
    Query("to", "the first day that is not in the report; by default tomorrow"),
    Query("tz", "a time zone of the IANA database; by default UTC"),
    Query(
        "by",
        "the breakdown by channel, desk, day, hour, kind, length, reason; several by commas",
    ),
    Query("format", "json by default", values=reports.FORMATS),
)
C = "/conversations/{conversation}"

OPERATIONS: tuple[Operation[Handler], ...] = (
    Operation(
        "GET", "/conversations", handlers.list_conversations, DESK,
        "List the conversations of a phase, longest wait first.",
        "QueueAnswer",
        query=(Query("phase", "QUEUED by default", values=tuple(Phase)), CURSOR),
        refused=(),
    ),
    Operation(
        "GET", C, handlers.get_conversation, ANY,
        "Get a conversation: its phase, representatives, waiting time and variables.",
        "ConversationView",
    ),
    Operation(
        "DELETE", C, handlers.delete_conversation, ADMIN,
        "Erase a conversation and those that are linked with it.",
        "EmptyAnswer",
    ),
    Operation(
        "POST", f"{C}/messages", handlers.create_message, SPEAKER,
        "Send a message to the customer.",
        "MessageAnswer", bodies.MessageBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}/media", handlers.upload_media, SPEAKER,
        "Upload a file for a message; the body is the file. Its name is in the header "
        "Content-Disposition.",
        "UploadAnswer",
        query=(Query("kind", "what the file is; by default by its type", values=MEDIA_KINDS),),
        refused=(404, 409, 413, 415), takes_file=True,
    ),
    Operation(
        "POST", f"{C}/events", handlers.create_event, SPEAKER,
        "Send an event: the representative joined, left, or is typing.",
        "EventAnswer", bodies.EventBody,
        (Query("eventId", "the caller's own id of the event", required=True),),
        (404, 409, 429),
    ),
    Operation(
        "POST", f"{C}/surveys", handlers.create_survey, SPEAKER,
        "Send the platform's survey to the customer.",
        "NamedAnswer", bodies.SurveyBody,
        (Query("surveyId", "the caller's own id of the survey", required=True),),
        (404, 409, 429),
    ),
    Operation(
        "PATCH", f"{C}/messages/{{message}}/receipt", handlers.update_receipt, ANY,
        "Mark a message of the customer as read; best effort.",
        "ReceiptAnswer", bodies.ReceiptBody,
    ),
    Operation(
        "GET", f"{C}/journal", handlers.get_journal, DESK,
        "List the journal: the events, their commands, and the outcomes.",
        "JournalAnswer",
        query=(
            CURSOR,
            Query("order", "sequence by default, or the latest first", values=handlers.ORDERS),
            Query("limit", "how many entries, at most 100, which is the default"),
        ),
    ),
    Operation(
        "POST", f"{C}:requestHuman", handlers.request_human, ANY,
        "Request a human.",
        "ConversationView", bodies.RequestHumanBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:claim", handlers.claim, HUMAN,
        "Claim a conversation, unless another representative holds it.",
        "ConversationView", bodies.ClaimBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:release", handlers.release,
        OWNER,
        "Release a conversation: the human leaves it.",
        "ConversationView", bodies.ReleaseBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:transfer", people.transfer, HUMAN,
        "Pass the conversation on: offer it to a person, or put the customer into a queue.",
        "ConversationView", bodies.TransferBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:decline", people.decline, HUMAN,
        "Decline the offer that was made to you.",
        "ConversationView", bodies.OfferBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:withdraw", people.withdraw, HUMAN,
        "Withdraw the offer that you made, or as a supervisor any offer.",
        "ConversationView", bodies.OfferBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:takeOver", people.take_over, SUPERVISOR,
        "Take the conversation from those who are present.",
        "ConversationView", bodies.TakeOverBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:fail", handlers.fail, DESK,
        "Report that no human is available; a waiting customer is notified.",
        "ConversationView", bodies.FailBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:note", handlers.note, HUMAN,
        "Note something for colleagues; neither the customer nor a bot sees it.",
        "ConversationView", bodies.NoteBody, refused=(404, 409, 429),
    ),
    Operation(
        "GET", "/canned", handlers.list_canned, DESK,
        "List the answers that people at the desk choose from.",
        "CannedAnswer", refused=(),
    ),
    Operation(
        "GET", "/people", colleagues.list_people, DESK,
        "List the people who answer, whether they are available, and the desks.",
        "PeopleAnswer", refused=(),
    ),
    Operation(
        "POST", f"{C}:link", handlers.link, ADMIN,
        "Link a desk's conversation, or another channel of the customer, to a channel.",
        "ConversationView", bodies.LinkBody, refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:unlink", handlers.unlink, ADMIN,
        "Remove a link.",
        "ConversationView", refused=(404, 409, 429),
    ),
    Operation(
        "POST", f"{C}:rename", handlers.rename, ADMIN,
        "Give a name of the customer, a number or user id, to another conversation.",
        "ConversationView", bodies.RenameBody, refused=(404, 409, 429),
    ),
    Operation(
        "GET", "/me", people.get_me, ALL,
        "Get who calls: the person of BATON_AGENTS or the system, and their rights. With `since` "
        "the answer has what the person sees of their work, and comes once that has changed.",
        "MeAnswer",
        query=(
            Query("since", "`since` of the previous answer; empty to be answered at once"),
            Query("page", "the name of the open page that asks; it counts as open"),
        ),
        refused=(),
    ),
    Operation(
        "PUT", "/me/presence", people.update_presence, PERSON,
        "Say whether you are available, and that your page is open.",
        "PresenceAnswer", bodies.PresenceBody, refused=(429,),
    ),
    Operation(
        "GET", "/reports/handoffs", reports.report_handoffs, REPORTS,
        "Get the report on the outcomes of handoffs.",
        "ReportAnswer", query=PERIOD, refused=(), csv=True,
    ),
    Operation(
        "GET", "/reports/agents", reports.report_agents, REPORTS_ON_AGENTS,
        "Get the report on agents.",
        "ReportAnswer", query=PERIOD, refused=(), csv=True,
    ),
)  # fmt: skip

# These need no key.
SIGN_IN: tuple[Operation[SignInHandler], ...] = (
    Operation(
        "GET", "/session", sign_in.get_sign_in, EVERYBODY,
        "Get how people sign in here.",
        "SignInAnswer", refused=(),
    ),
    Operation(
        "POST", "/session", sign_in.create_session, EVERYBODY,
        "Sign in: a person's key, or an ID token of Google's, becomes a session cookie.",
        "SessionAnswer", bodies.SignInBody, refused=(), from_page=True,
    ),
    Operation(
        "DELETE", "/session", sign_in.delete_session, EVERYBODY,
        "Sign out: remove the session cookie from the browser.",
        "EmptyAnswer", refused=(), from_page=True,
    ),
)  # fmt: skip
