"""Publishes to Pub/Sub: one unary Publish call per message, over the official library's channel.

The library's batching client adds 11 ms and a thread, and blocks an ordering key after a failure.
Here a failure is raised to the caller, who keeps the message in the outbox. The library's wrapper
around a plain call costs more CPU time than the call.
"""

from functools import cache
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio has no types

from shared import tracing
from shared.errors import Unavailable
from shared.google_rpc import channel, message_type, routing
from shared.logs import log

TIMEOUT_SECONDS = 5.0
PREFIX = "baton"  # of the topics' names, where a project holds one Baton
HOST = "pubsub.googleapis.com"
SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/pubsub",
)


_Publish = message_type("google.pubsub.v1.PublishRequest")


class PubsubPublisher:
    """A Publisher. The channel is opened at the first call, inside the event loop that uses it."""

    def __init__(self, project: str, emulator: str | None = None, prefix: str = PREFIX) -> None:
        self._topics = f"projects/{project}/topics/{prefix}"
        self._emulator = emulator
        self._channel: Any | None = None

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        """Publishes one message with the trace context as an attribute. Raises Unavailable."""
        tracing.count("publish")
        name = f"{self._topics}{topic.removeprefix(PREFIX)}"
        message = {"data": body, "ordering_key": ordering_key, "attributes": _attributes()}
        try:
            await self._connected()(
                _Publish(topic=name, messages=[message]),
                timeout=TIMEOUT_SECONDS,
                metadata=_metadata(name),
            )
        except grpc.aio.AioRpcError as error:
            cause = error.code().name
            log(
                "WARNING",
                "the queue cannot be used now",
                topic=topic,
                error=cause,
                detail=(error.details() or "")[:500],
            )
            raise Unavailable(
                "queue-unavailable", f"The queue cannot be used now ({cause})."
            ) from error

    async def close(self) -> None:
        opened, self._channel = self._channel, None
        if opened is not None:
            await opened.close()

    def _connected(self) -> Any:
        """Returns the Publish call."""
        if self._channel is None:
            self._channel = channel(self._emulator, HOST, SCOPES)
            self._publish = self._channel.unary_unary(
                "/google.pubsub.v1.Publisher/Publish", _Publish.SerializeToString
            )
        return self._publish


@cache
def _metadata(topic: str) -> Any:
    return grpc.aio.Metadata(routing("topic", topic))


def _attributes() -> dict[str, str]:
    traceparent = tracing.current().traceparent
    return {"traceparent": traceparent} if traceparent else {}
