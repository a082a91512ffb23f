"""What is left in an instance when Firestore ends a watch: nothing."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio has no types
import pytest

from shared.errors import Unavailable
from shared.google_rpc import message_type
from shared.stores.firestore.rpc import FirestoreRpc

NAME = "projects/p/databases/(default)/documents/people/jane"
TARGET = {"documents": {"documents": [NAME]}}
_Asked, _Answer = map(
    message_type, ("google.firestore.v1.ListenRequest", "google.firestore.v1.ListenResponse")
)
MOMENT = (
    {"target_change": {"target_change_type": "CURRENT", "target_ids": [1]}},
    {"document_change": {"document": {"name": NAME}, "target_ids": [1]}},
    {"target_change": {"read_time": {"seconds": 1}}},
)


class Firestore(grpc.GenericRpcHandler):  # type: ignore[misc]  # as above
    """Sends who listens one moment, and then ends with a status."""

    def __init__(self, status: grpc.StatusCode) -> None:
        self._status = status
        self.asked: list[Any] = []

    def service(self, handler_call_details: Any) -> Any:
        return grpc.stream_stream_rpc_method_handler(
            self._listen, _Asked.FromString, _Answer.SerializeToString
        )

    def _listen(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        self.asked.append(next(requests))
        yield from (_Answer(**one) for one in MOMENT)
        if self._status is not grpc.StatusCode.OK:
            context.abort(self._status, "for a test")


@contextmanager
def serving(firestore: Firestore) -> Iterator[str]:
    """Yields its address. It runs in threads: the tasks of the event loop are the client's."""
    server = grpc.server(ThreadPoolExecutor(1), handlers=[firestore])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield address
    finally:
        server.stop(None).wait()


@pytest.mark.parametrize(
    "status",
    [
        grpc.StatusCode.OK,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,  # as after LISTEN_SECONDS
    ],
)
async def test_a_watch_that_firestore_ends_leaves_no_task_behind(status: grpc.StatusCode) -> None:
    """An open page begins the next watch at once. What each one left would be memory until the next
    collection of garbage, which logs that a task was destroyed.
    """
    firestore, before = Firestore(status), asyncio.all_tasks()
    with serving(firestore) as address:
        rpc = FirestoreRpc("p", address)
        for _ in range(3):
            assert await heard(rpc) == [{NAME}]
        _, left = await asyncio.wait([*asyncio.all_tasks() - before, ended()], timeout=5)
        await rpc.close()
    assert not left
    assert [one.add_target.documents.documents for one in firestore.asked] == [[NAME]] * 3


async def heard(rpc: FirestoreRpc) -> list[set[str]]:
    moments = list[set[str]]()
    with suppress(Unavailable):
        async for found in rpc.listen(TARGET):
            moments.append(set(found))  # what came before an error counts as well
    return moments


def ended() -> asyncio.Task[None]:
    """Returns a task that ends at once: there must be something to wait for."""
    return asyncio.create_task(asyncio.sleep(0))
