"""Firestore's RPCs as bare protocol buffers over the official channel, with a timeout of 5 s.

The library's wrapper classes and its client cost more CPU time than the rest of a commit. So
requests are bare messages, and calls are those of the channel (see `google_rpc`).

No call is retried here, because Baton has its own retries. A commit that is retried blindly would
fail on the documents that its first try wrote.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio has no types

from shared import tracing
from shared.errors import BadRequest, Unavailable
from shared.google_rpc import channel, message_type, routing
from shared.logs import log
from shared.ports import PreconditionFailed

SERVICE = "/google.firestore.v1.Firestore"
HOST = "firestore.googleapis.com"
SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/datastore",
)
TIMEOUT_SECONDS = 5.0
LISTEN_SECONDS = 600.0
# the values of the library's own client
OPTIONS = [("grpc.keepalive_time_ms", 30_000), ("grpc.max_receive_message_length", -1)]

_REFUSED = (
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
)

Message = Mapping[str, Any]  # a protocol buffer in the form that its constructor takes


def _type(name: str) -> Any:
    return message_type(f"google.firestore.v1.{name}")


_Commit, _Committed = _type("CommitRequest"), _type("CommitResponse")
_Get = _type("GetDocumentRequest")
_GetAll, _Got = _type("BatchGetDocumentsRequest"), _type("BatchGetDocumentsResponse")
_Listen, _Heard = _type("ListenRequest"), _type("ListenResponse")
_Query, _Found = _type("RunQueryRequest"), _type("RunQueryResponse")
_Aggregation = _type("RunAggregationQueryRequest")
_Aggregated = _type("RunAggregationQueryResponse")
_Document = _type("Document")


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
        self._of_database = self._options("database", self.database)

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
            answers = self._connected().run_query(request, **self._options("parent", self.root))
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
            except grpc.aio.AioRpcError as error:
                if not _is_missing(error):
                    raise
                return None

    async def get_all(self, names: Sequence[str]) -> list[Any]:
        """Returns those of the documents that exist, in any order. Raises Unavailable."""
        request = _GetAll(database=self.database, documents=names, read_time=self._read_time)
        tracing.count("get_all")
        with _errors():
            answers = self._connected().batch_get_documents(request, **self._of_database)
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
        try:
            answer = await self._connected().commit(request, **self._of_database)
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSED or _is_missing(error):
                raise PreconditionFailed from error
            raise _unavailable(error) from error
        return [result.update_time for result in answer.write_results]

    async def query(self, parent: str, query: Message) -> list[Any]:
        """Returns the documents found.

        Raises Unavailable, and BadRequest for a cursor that Firestore rejects.
        """
        request = _Query(parent=parent, structured_query=query, read_time=self._read_time)
        tracing.count("query")
        with _errors(cursor="start_at" in query):
            answers = self._connected().run_query(request, **self._options("parent", parent))
            return [answer.document async for answer in answers if answer.HasField("document")]

    async def count(self, parent: str, query: Message) -> int:
        """Returns the number of documents that the query finds. Raises Unavailable."""
        counting = {"structured_query": query, "aggregations": [{"alias": "n", "count": {}}]}
        request = _Aggregation(parent=parent, structured_aggregation_query=counting)
        tracing.count("count")
        with _errors():
            answers = self._connected().run_aggregation_query(
                request, **self._options("parent", parent)
            )
            counts = [answer.result.aggregate_fields async for answer in answers]
        return sum(fields["n"].integer_value for fields in counts if "n" in fields)

    async def listen(self, target: Message) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yields the documents of the target by name, all of one moment: first as they are, then
        after each change.

        It ends where Firestore ends it, and after LISTEN_SECONDS. Raises Unavailable.
        """
        tracing.count("listen")
        listening, options = _Listening(), {**self._of_database, "timeout": LISTEN_SECONDS}
        asked = _Listen(database=self.database, add_target={**target, "target_id": 1})
        with _errors():
            answers = self._connected().listen(**options)
            try:
                # Firestore listens while this side of the call is open. gRPC would read requests
                # from an iterator in a task, which it does not end where Firestore ends the call.
                await answers.write(asked)
                async for answer in answers:
                    if listening.hears(answer):
                        yield listening.found
                    if listening.is_over:
                        return
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                    raise
            finally:
                answers.cancel()

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _options(self, routed_by: str, value: str) -> dict[str, Any]:
        metadata = grpc.aio.Metadata(*self._metadata, routing(routed_by, value))
        return {"timeout": TIMEOUT_SECONDS, "metadata": metadata}

    def _connected(self) -> Any:
        """Returns the calls by name."""
        if self._channel is None:
            opened = self._channel = channel(self._emulator, HOST, SCOPES, OPTIONS)
            self._calls = SimpleNamespace(
                get_document=_call(opened.unary_unary, "GetDocument", _Get, _Document),
                batch_get_documents=_call(opened.unary_stream, "BatchGetDocuments", _GetAll, _Got),
                commit=_call(opened.unary_unary, "Commit", _Commit, _Committed),
                listen=_call(opened.stream_stream, "Listen", _Listen, _Heard),
                run_query=_call(opened.unary_stream, "RunQuery", _Query, _Found),
                run_aggregation_query=_call(
                    opened.unary_stream, "RunAggregationQuery", _Aggregation, _Aggregated
                ),
            )
        return self._calls


class _Listening:
    """What Firestore has sent of the target.

    https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1#listenresponse
    """

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.is_over = self._is_whole = False
        self._has_changed = True

    def hears(self, answer: Any) -> bool:
        """Returns whether `found` is of one moment, and has changed since the last one."""
        kind = answer.WhichOneof("response_type")
        if kind == "target_change":
            return self._ends_a_moment(answer.target_change)
        self._has_changed = True
        if kind == "document_change" and not answer.document_change.removed_target_ids:
            document = answer.document_change.document
            self.found[document.name] = document
        elif kind == "document_change":
            self.found.pop(answer.document_change.document.name, None)
        elif kind in ("document_delete", "document_remove"):
            self.found.pop(getattr(answer, kind).document, None)
        else:  # the number of documents: it differs where a removal was not sent
            self.is_over = len(self.found) != answer.filter.count
        return False

    def _ends_a_moment(self, change: Any) -> bool:
        kind, kinds = change.target_change_type, change.TargetChangeType
        self.is_over = kind == kinds.REMOVE
        if kind == kinds.CURRENT:
            self._is_whole = True
        elif kind == kinds.RESET:
            self._is_whole = False
            self.found.clear()
        ends = kind == kinds.NO_CHANGE and not change.target_ids and change.HasField("read_time")
        if not (self._is_whole and ends):
            return False
        changed, self._has_changed = self._has_changed, False
        return changed


def _call(kind: Any, method: str, request: Any, answer: Any) -> Any:
    """Returns the call of a method. `kind` is a factory of the channel, unary or streaming."""
    return kind(f"{SERVICE}/{method}", request.SerializeToString, answer.FromString)


@contextmanager
def _errors(*, cursor: bool = False) -> Iterator[None]:
    """Turns gRPC's errors into Unavailable, and into BadRequest for a cursor that was refused."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        if cursor and error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            raise BadRequest(
                "invalid-cursor", "The cursor is invalid; start without one."
            ) from error
        raise _unavailable(error) from error


def _unavailable(error: grpc.aio.AioRpcError) -> Unavailable:
    """Logs the error. Returns what it means; after a commit, that its outcome is unknown."""
    code = error.code().name
    log(
        "WARNING",
        "the store cannot be used now",
        error=code,
        detail=(error.details() or "")[:500],
    )
    return Unavailable("store-unavailable", f"The store cannot be used now ({code}).")


def is_invalid(error: Exception) -> bool:
    """Returns whether Firestore refused the request itself."""
    return _code_of(error) is grpc.StatusCode.INVALID_ARGUMENT


def is_slowed(error: Exception) -> bool:
    """Returns whether others write the same documents, or seem to."""
    return _code_of(error) in (grpc.StatusCode.ABORTED, grpc.StatusCode.DEADLINE_EXCEEDED)


def _code_of(error: Exception) -> grpc.StatusCode | None:
    cause = error.__cause__
    return cause.code() if isinstance(cause, grpc.aio.AioRpcError) else None


def _is_missing(error: grpc.aio.AioRpcError) -> bool:
    """Returns whether a document is missing, and not the database: Firestore has one code for
    both.
    """
    said = (error.details() or "").lower().partition("projects/")[0]
    return error.code() is grpc.StatusCode.NOT_FOUND and "database" not in said
