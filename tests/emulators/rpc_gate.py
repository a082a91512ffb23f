"""A gRPC server between one function and the emulators: it forwards every RPC as it is; an
interceptor counts it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

import grpc  # type: ignore[import-untyped]  # grpcio has no types

from tests.emulators.boundaries import Boundaries, Struck

HOP_BY_HOP = ("user-agent", "grpc-", ":", "te", "content-type")


class RpcCounter(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpcio has no types
    """Counts the RPCs that arrive, by the method's name."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: Any
    ) -> Any:
        self.made[details.method.rpartition("/")[2]] += 1
        return await continuation(details)


class RpcGate(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """One port for both emulators; `refuse` makes so many of the next RPCs fail before they
    reach one.
    """

    def __init__(self, function: str, firestore: str, pubsub: str, boundaries: Boundaries) -> None:
        self.counter = RpcCounter()
        self.address = ""
        self.refuse = 0
        self._function = function
        self._hosts = {"google.firestore": firestore, "google.pubsub": pubsub}
        self._boundaries = boundaries
        self._channels: dict[str, Any] = {}
        self._server: Any = None

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server(interceptors=[self.counter])
        self._server.add_generic_rpc_handlers([self])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._channels = {
            package: grpc.aio.insecure_channel(host) for package, host in self._hosts.items()
        }
        await self._server.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._server.stop(None)
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))

    def service(self, handler_call_details: Any) -> Any:
        return grpc.unary_stream_rpc_method_handler(
            partial(self._forward, handler_call_details.method)
        )

    async def _forward(self, method: str, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """A unary RPC is on the wire a stream of one, so this serves both."""
        if self.refuse:
            self.refuse -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "told to fail")
        name = f"{self._function} {method.rpartition('/')[2]}"
        try:
            answers, error = await self._boundaries.cross(
                name, request, partial(self._ask, method, request, context)
            )
        except Struck:
            raise asyncio.CancelledError from None
        for answer in answers:
            yield answer
        if error is not None:
            await context.abort(error.code(), error.details())

    async def _ask(self, method: str, request: bytes, context: Any) -> tuple[list[bytes], Any]:
        channel = self._channels[".".join(method.strip("/").split(".")[:2])]
        metadata = [
            pair for pair in context.invocation_metadata() if not pair[0].startswith(HOP_BY_HOP)
        ]
        call = channel.unary_stream(method)(
            request, metadata=metadata, timeout=context.time_remaining()
        )
        answers: list[bytes] = []
        try:
            async for answer in call:
                answers.append(answer)  # noqa: PERF401  # what came before an error is passed on as well
        except grpc.aio.AioRpcError as error:
            return answers, error
        return answers, None
