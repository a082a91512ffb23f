"""Firestore's RPCs: bare protocol buffers through the official client, no retries, 5 s, errors in Baton's words.

The wrapper classes' encoding costs more CPU than the rest of a commit, so requests are built as bare messages. Nothing
is retried here: retries are Baton's own, and a commit that is retried blindly fails on what it wrote itself.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.cloud.firestore_v1.types import (
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

TIMEOUT_SECONDS = 5.0
OPTIONS = [("grpc.keepalive_time_ms", 30_000), ("grpc.max_receive_message_length", -1)]  # as the library's own client

Message = Mapping[str, Any]  # a protocol buffer in the form that its constructor takes
_Commit: Any = type(CommitRequest.pb(CommitRequest()))
_Get: Any = type(GetDocumentRequest.pb(GetDocumentRequest()))
_Query: Any = type(RunQueryRequest.pb(RunQueryRequest()))
_Aggregation: Any = type(RunAggregationQueryRequest.pb(RunAggregationQueryRequest()))


class FirestoreRpc:
    """One database. The client is built at the first call, inside the event loop that then owns it."""

    def __init__(self, project: str, emulator: str | None = None, database: str = "(default)") -> None:
        self.database = f"projects/{project}/databases/{database}"
        self.root = f"{self.database}/documents"
        self._emulator = emulator
        self._client: FirestoreAsyncClient | None = None
        metadata = [("google-cloud-resource-prefix", self.database)]
        if emulator is not None:
            metadata.append(("authorization", "Bearer owner"))
        self._options: dict[str, Any] = {"retry": None, "timeout": TIMEOUT_SECONDS, "metadata": metadata}

    async def get(self, name: str) -> Any | None:
        """Returns the document, None where there is none. Raises Unavailable."""
        tracing.count("get")
        with _errors():
            try:
                answer = await self._connected().get_document(GetDocumentRequest.wrap(_Get(name=name)), **self._options)
            except NotFound as error:
                _must_exist(error)
                return None
        return Document.pb(answer)

    async def commit(self, writes: Sequence[Message]) -> list[Any]:
        """Returns the update time of each write; all or none are made. Raises PreconditionFailed, Unavailable.

        Aborted means that others hold these documents and nothing was written: for the caller the same as a conflict,
        to be decided again after a pause, and better than a 503 that brings the event back much later.
        """
        request = CommitRequest.wrap(_Commit(database=self.database, writes=writes))
        tracing.count("commit")
        with _errors():
            try:
                answer = await self._connected().commit(request, **self._options)
            except (AlreadyExists, FailedPrecondition, NotFound, Aborted) as error:
                _must_exist(error)
                raise PreconditionFailed from error
        return [result.update_time for result in CommitResponse.pb(answer).write_results]

    async def query(self, parent: str, query: Message) -> list[Any]:
        """Returns the documents. Raises Unavailable, and BadRequest for a cursor that Firestore cannot read."""
        request = RunQueryRequest.wrap(_Query(parent=parent, structured_query=query))
        tracing.count("query")
        with _errors(cursor="start_at" in query):
            answers = await self._connected().run_query(request, **self._options)
            return [answer.document async for answer in _bare(RunQueryResponse, answers) if answer.HasField("document")]

    async def count(self, parent: str, query: Message) -> int:
        """Returns how many documents the query finds. Raises Unavailable."""
        counting = {"structured_query": query, "aggregations": [{"alias": "n", "count": {}}]}
        request = RunAggregationQueryRequest.wrap(_Aggregation(parent=parent, structured_aggregation_query=counting))
        tracing.count("count")
        with _errors():
            answers = await self._connected().run_aggregation_query(request, **self._options)
            counts = [answer.result.aggregate_fields async for answer in _bare(RunAggregationQueryResponse, answers)]
        return sum(fields["n"].integer_value for fields in counts if "n" in fields)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.transport.close()  # type: ignore[no-untyped-call]  # an oversight of the library's

    def _connected(self) -> FirestoreAsyncClient:
        if self._client is None:
            self._client = FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=self._channel()))
        return self._client

    def _channel(self) -> grpc.aio.Channel:
        if self._emulator is not None:
            return grpc.aio.insecure_channel(self._emulator, options=OPTIONS)
        return FirestoreGrpcAsyncIOTransport.create_channel(options=OPTIONS)


async def _bare(kind: Any, answers: Any) -> AsyncIterator[Any]:
    async for answer in answers:
        yield kind.pb(answer)


@contextmanager
def _errors(*, cursor: bool = False) -> Iterator[None]:
    """Raises Unavailable for what Firestore's client raises; after a commit nobody knows then whether it was made."""
    try:
        yield
    except InvalidArgument as error:
        if cursor:
            raise BadRequest("invalid-cursor", "The cursor is not one that was given out here.") from error
        raise _unavailable(error) from error
    except (GoogleAPIError, GoogleAuthError) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    log("WARNING", "the store cannot be used now", error=type(error).__name__, detail=str(error)[:500])
    return Unavailable("store-unavailable", f"The store cannot be used now ({type(error).__name__}).")


def _must_exist(error: Exception) -> None:
    """Raises `error` where it is the database, not a document, that is missing: Firestore has one code for both."""
    if isinstance(error, NotFound) and "database" in str(error.message).lower().partition("projects/")[0]:
        raise error
