"""The deployed queue: one unary Publish per message, over the official library's channel.

The batching client adds 11 ms and a thread, and pauses its key after a failure; here a failure is
the caller's, who keeps the message in the outbox. The client around a plain call costs more CPU
than the call.
"""

from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio has no types
from google.api_core.exceptions import GoogleAPIError
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.api_core.grpc_helpers_async import wrap_errors
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.types import PublishRequest

from shared import tracing
from shared.errors import Unavailable
from shared.logs import log

TIMEOUT_SECONDS = 5.0
# the protocol buffer's own class: the wrapper encodes slowly
_Publish: Any = type(PublishRequest.pb(PublishRequest()))


class PubsubPublisher:
    """A Publisher. The channel is opened at the first call, inside the event loop that then
    owns it.
    """

    def __init__(self, project: str, emulator: str | None = None) -> None:
        self._project = project
        self._emulator = emulator
        self._channel: Any | None = None

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        tracing.count("publish")
        name = f"projects/{self._project}/topics/{topic}"
        message = {"data": body, "ordering_key": ordering_key, "attributes": _attributes()}
        metadata = [to_grpc_metadata((("topic", name),))]  # type: ignore[no-untyped-call]  # an oversight of the library's
        try:
            await self._connected()(
                _Publish(topic=name, messages=[message]), timeout=TIMEOUT_SECONDS, metadata=metadata
            )
        except (GoogleAPIError, GoogleAuthError) as error:
            cause = type(error).__name__
            log(
                "WARNING",
                "the queue cannot be used now",
                topic=topic,
                error=cause,
                detail=str(error)[:500],
            )
            raise Unavailable(
                "queue-unavailable", f"The queue cannot be used now ({cause})."
            ) from error

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _connected(self) -> Any:
        """Returns the call; it raises the official client's errors."""
        if self._channel is None:
            self._channel = _opened(self._emulator)
            bare = self._channel.unary_unary(
                "/google.pubsub.v1.Publisher/Publish", _Publish.SerializeToString
            )
            self._publish = wrap_errors(bare)  # type: ignore[no-untyped-call]  # as above
        return self._publish


def _attributes() -> dict[str, str]:
    traceparent = tracing.current().traceparent
    return {"traceparent": traceparent} if traceparent else {}


def _opened(emulator: str | None) -> Any:
    if emulator is not None:
        return grpc.aio.insecure_channel(emulator)
    return PublisherGrpcAsyncIOTransport.create_channel()
