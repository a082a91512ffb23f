"""Firestore's RPCs as bare protocol buffers over the official channel, with a timeout of 5 s.

The library's wrapper classes and its client cost more CPU time than the rest of a commit. So
requests are bare messages, and calls are those of the channel.

No call is retried here, because Baton has its own retries. A commit that is retried blindly would
fail on the documents that its first try wrote.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio has no types
from google.api_core.exceptions import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    GoogleAPIError,
    InvalidArgument,
    NotFound,
)
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.api_core.grpc_helpers_async import wrap_errors
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    CommitRequest,
    CommitResponse,
    Document,
    GetDocumentRequest,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    RunQueryResponse,
)

from shared import tracing
from shared.errors import BadRequest, Unavailable
from shared.logs import log
from shared.ports import PreconditionFailed

SERVICE = "/google.firestore.v1.Firestore"
TIMEOUT_SECONDS = 5.0
# the values of the library's own client
OPTIONS = [("grpc.keepalive_time_ms", 30_000), ("grpc.max_receive_message_length", -1)]

Message = Mapping[str, Any]  # a protocol buffer in the form that its constructor takes


def _bare(wrapper: Any) -> Any:
    """Returns the protocol buffer's own class."""
    return type(wrapper.pb(wrapper()))


_Commit, _Committed = _bare(CommitRequest), _bare(CommitResponse)
_Get, _Document = _bare(GetDocumentRequest), _bare(Document)
_GetAll, _Got = _bare(BatchGetDocumentsRequest), _bare(BatchGetDocumentsResponse)
_Query, _Found = _bare(RunQueryRequest), _bare(RunQueryResponse)
_Aggregation, _Aggregated = _bare(RunAggregationQueryRequest), _bare(RunAggregationQueryResponse)


class FirestoreRpc:
    """One database. The channel is opened at the first call, inside the event loop that uses it."""

    def __init__(
        self, project: str, emulator: str | None = None, database: str = "(default)"
    ) -> None:
        self.database = f"projects/{project}/databases/{database}"
        self.root = f"{self.database}/documents"
        self._made_of = project, emulator, database
        self._read_time: Any | None = None
        self._emulator = emulator
        self._channel: Any | None = None
        self._metadata = [("google-cloud-resource-prefix", self.database)]
        if emulator is not None:
            # The emulator gives this token all rights.
            self._metadata.append(("authorization", "Bearer owner"))

    async def as_of_now(self) -> "FirestoreRpc":
        """Returns a view of this database at the last full minute.

        Its reads see no later write. Raises Unavailable.

        With point-in-time recovery, which deployments enable, full minutes can be read for a week
        and other moments for an hour. On an emulator the view is of the current moment: an emulator
        keeps every moment, and tests need not wait.
        """
        empty = {"from_": [{"collection_id": "conversations"}], "limit": {"value": 1}}
        request = _Query(parent=self.root, structured_query=empty)
        with _errors():
            answers = await self._connected().run_query(
                request, **self._options("parent", self.root)
            )
            *_, now = [answer.read_time async for answer in answers]
        frozen = FirestoreRpc(*self._made_of)
        frozen._read_time = now if self._emulator else {"seconds": now.seconds - now.seconds % 60}
        return frozen

    async def get(self, name: str) -> Any | None:
        """Returns the document, or None if there is none. Raises Unavailable."""
        tracing.count("get")
        with _errors():
            try:
                return await self._connected().get_document(
                    _Get(name=name, read_time=self._read_time), **self._options("name", name)
                )
            except NotFound as error:
                _must_exist(error)
                return None

    async def get_all(self, names: Sequence[str]) -> list[Any]:
        """Returns those of the documents that exist, in any order. Raises Unavailable."""
        request = _GetAll(database=self.database, documents=names, read_time=self._read_time)
        tracing.count("get_all")
        with _errors():
            answers = await self._connected().batch_get_documents(
                request, **self._options("database", self.database)
            )
            return [answer.found async for answer in answers if answer.HasField("found")]

    async def commit(self, writes: Sequence[Message]) -> list[Any]:
        """Returns the update time of each write.

        The commit is atomic. Raises PreconditionFailed, Unavailable.

        ABORTED means that others hold locks on these documents and nothing was written. It is
        handled like a conflict: the caller decides again after a pause. A 503 would bring the event
        back much later.
        """
        request = _Commit(database=self.database, writes=writes)
        tracing.count("commit")
        with _errors():
            try:
                answer = await self._connected().commit(
                    request, **self._options("database", self.database)
                )
            except (AlreadyExists, FailedPrecondition, NotFound, Aborted) as error:
                _must_exist(error)
                raise PreconditionFailed from error
        return [result.update_time for result in answer.write_results]

    async def query(self, parent: str, query: Message) -> list[Any]:
        """Returns the documents found.

        Raises Unavailable, and BadRequest for a cursor that Firestore rejects.
        """
        request = _Query(parent=parent, structured_query=query, read_time=self._read_time)
        tracing.count("query")
        with _errors(cursor="start_at" in query):
            answers = await self._connected().run_query(request, **self._options("parent", parent))
            return [answer.document async for answer in answers if answer.HasField("document")]

    async def count(self, parent: str, query: Message) -> int:
        """Returns the number of documents that the query finds. Raises Unavailable."""
        counting = {"structured_query": query, "aggregations": [{"alias": "n", "count": {}}]}
        request = _Aggregation(parent=parent, structured_aggregation_query=counting)
        tracing.count("count")
        with _errors():
            answers = await self._connected().run_aggregation_query(
                request, **self._options("parent", parent)
            )
            counts = [answer.result.aggregate_fields async for answer in answers]
        return sum(fields["n"].integer_value for fields in counts if "n" in fields)

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _options(self, routed_by: str, value: str) -> dict[str, Any]:
        routing = to_grpc_metadata(((routed_by, value),))  # type: ignore[no-untyped-call]  # an oversight of the library's
        return {"timeout": TIMEOUT_SECONDS, "metadata": [*self._metadata, routing]}

    def _connected(self) -> Any:
        """Returns the calls by name. They raise the errors of the official client."""
        if self._channel is None:
            channel = self._channel = self._opened()
            self._calls = SimpleNamespace(
                get_document=_call(channel.unary_unary, "GetDocument", _Get, _Document),
                batch_get_documents=_call(channel.unary_stream, "BatchGetDocuments", _GetAll, _Got),
                commit=_call(channel.unary_unary, "Commit", _Commit, _Committed),
                run_query=_call(channel.unary_stream, "RunQuery", _Query, _Found),
                run_aggregation_query=_call(
                    channel.unary_stream, "RunAggregationQuery", _Aggregation, _Aggregated
                ),
            )
        return self._calls

    def _opened(self) -> Any:
        if self._emulator is not None:
            return grpc.aio.insecure_channel(self._emulator, options=OPTIONS)
        return FirestoreGrpcAsyncIOTransport.create_channel(options=OPTIONS)


def _call(kind: Any, method: str, request: Any, answer: Any) -> Any:
    """Returns the call of a method. `kind` is a factory of the channel, unary or streaming."""
    bare = kind(f"{SERVICE}/{method}", request.SerializeToString, answer.FromString)
    return wrap_errors(bare)  # type: ignore[no-untyped-call]  # an oversight of the library's


@contextmanager
def _errors(*, cursor: bool = False) -> Iterator[None]:
    """Turns errors of Firestore's client into Unavailable.

    After a commit, Unavailable means that its outcome is unknown.
    """
    try:
        yield
    except InvalidArgument as error:
        if cursor:
            raise BadRequest(
                "invalid-cursor", "The cursor is invalid; start without one."
            ) from error
        raise _unavailable(error) from error
    except (GoogleAPIError, GoogleAuthError) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    log(
        "WARNING",
        "the store cannot be used now",
        error=type(error).__name__,
        detail=str(error)[:500],
    )
    return Unavailable(
        "store-unavailable", f"The store cannot be used now ({type(error).__name__})."
    )


def _must_exist(error: Exception) -> None:
    """Raises `error` if the database is missing and not a document: Firestore has one code for
    both.
    """
    if (
        isinstance(error, NotFound)
        and "database" in str(error.message).lower().partition("projects/")[0]
    ):
        raise error
