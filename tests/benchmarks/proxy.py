"""A gRPC proxy in front of both emulators, a process of its own: it delays every RPC and counts
what each costs.

It prints its two addresses, then answers each line on its input with the counts since the last; it
ends with its input. `overheard` is one in this process, which tells of each RPC as it arrives.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio has no types
from google.cloud.firestore_v1.types import CommitRequest, RunQueryResponse

from tests.benchmarks.emulators import Emulators

Hear = Callable[[str, bytes], None]  # the method's name, and the request
STREAMS = {"RunQuery", "BatchGetDocuments", "RunAggregationQuery", "Listen", "Write"}


class Forward(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """Forwards bytes as they are."""

    def __init__(
        self, host: str, delay: float, counts: Counter[str], hear: Hear | None = None
    ) -> None:
        self._channel = grpc.aio.insecure_channel(host)
        self._delay = delay
        self._counts = counts
        self._hear = hear

    def service(self, details: Any) -> Any:
        method, kind = details.method, details.method.rpartition("/")[2]

        async def unary(request: bytes, context: Any) -> bytes:
            await self._pass(kind, request)
            try:
                answer: bytes = await self._channel.unary_unary(method)(
                    request, metadata=_metadata(context)
                )
            except grpc.aio.AioRpcError as error:
                await context.abort(
                    error.code(), error.details() or "", tuple(error.trailing_metadata() or ())
                )
                raise
            return answer

        async def stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
            await self._pass(kind, request)
            found = 0
            async for answer in self._channel.unary_stream(method)(
                request, metadata=_metadata(context)
            ):
                found += kind != "RunQuery" or bool(
                    RunQueryResponse.deserialize(answer).document.name
                )
                yield answer
            self._counts["reads"] += max(found, 1)

        if kind in STREAMS:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(unary)

    async def _pass(self, kind: str, request: bytes) -> None:
        if self._hear is not None:
            self._hear(kind, request)
        await asyncio.sleep(self._delay)
        self._counts[kind] += 1
        if kind == "Commit":
            self._counts["writes"] += len(CommitRequest.deserialize(request).writes)
        self._counts["reads"] += kind == "GetDocument"


def _metadata(context: Any) -> list[tuple[str, str]]:
    left_out = {"user-agent", "te", "content-type"}
    return [(key, value) for key, value in context.invocation_metadata() if key not in left_out]


@dataclass(frozen=True, slots=True)
class Proxy:
    process: subprocess.Popen[str]
    emulators: Emulators

    def counts(self) -> Counter[str]:
        """Returns what was counted since the last time."""
        self.process.stdin.write("\n")  # type: ignore[union-attr]  # it is a pipe
        self.process.stdin.flush()  # type: ignore[union-attr]  # as above
        return Counter(json.loads(self.process.stdout.readline()))  # type: ignore[union-attr]  # as above


@contextlib.contextmanager
def proxy(pair: Emulators, delay_ms: float = 0.0) -> Iterator[Proxy]:
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.proxy",
        pair.firestore,
        pair.pubsub,
        str(delay_ms),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        firestore, pubsub = json.loads(process.stdout.readline())  # type: ignore[union-attr]  # it is a pipe
        yield Proxy(process, pair.behind(firestore, pubsub))
        process.stdin.close()  # type: ignore[union-attr]  # as above


@contextlib.contextmanager
def overheard(host: str, hear: Hear) -> Iterator[str]:
    """Yields the address of a proxy in front of one emulator. `hear` is called in its thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = _serve(host, 0.0, Counter(), hear)
    address, server = asyncio.run_coroutine_threadsafe(serving, loop).result()
    try:
        yield address
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _main(hosts: list[str], delay: float) -> None:
    counts: Counter[str] = Counter()
    # a server without connections ends
    served = [await _serve(host, delay, counts) for host in hosts]
    _say([address for address, _ in served])
    while await asyncio.to_thread(sys.stdin.readline):
        _say(counts)
        counts.clear()


async def _serve(
    host: str, delay: float, counts: Counter[str], hear: Hear | None = None
) -> tuple[str, Any]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Forward(host, delay, counts, hear),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return f"127.0.0.1:{port}", server


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("hosts", nargs=2)
    parser.add_argument("delay_ms", type=float)
    given = parser.parse_args()
    asyncio.run(_main(given.hosts, given.delay_ms / 1000))
