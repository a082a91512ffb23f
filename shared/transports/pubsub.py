"""The deployed queue: one unary Publish per message. The batching client adds 11 ms and a thread, and pauses its key
after a failure; here a failure is the caller's, who keeps the message in the outbox."""

import grpc  # type: ignore[import-untyped]  # grpcio has no types
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared import tracing
from shared.errors import Unavailable
from shared.logs import log

TIMEOUT_SECONDS = 5.0


class PubsubPublisher:
    """A Publisher. The client is built at the first call, inside the event loop that then owns it."""

    def __init__(self, project: str, emulator: str | None = None) -> None:
        self._project = project
        self._emulator = emulator
        self._client: PublisherAsyncClient | None = None

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        tracing.count("publish")
        message = PubsubMessage(data=body, ordering_key=ordering_key, attributes=_attributes())
        request = PublishRequest(topic=f"projects/{self._project}/topics/{topic}", messages=[message])
        try:
            await self._connected().publish(request, retry=None, timeout=TIMEOUT_SECONDS)
        except (GoogleAPIError, GoogleAuthError) as error:
            cause = type(error).__name__
            log("WARNING", "the queue cannot be used now", topic=topic, error=cause, detail=str(error)[:500])
            raise Unavailable("queue-unavailable", f"The queue cannot be used now ({cause}).") from error

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.transport.close()  # type: ignore[no-untyped-call]  # an oversight of the library's

    def _connected(self) -> PublisherAsyncClient:
        if self._client is None:
            self._client = PublisherAsyncClient(transport=_emulated(self._emulator) if self._emulator else None)
        return self._client


def _attributes() -> dict[str, str]:
    traceparent = tracing.current().traceparent
    return {"traceparent": traceparent} if traceparent else {}


def _emulated(host: str) -> PublisherGrpcAsyncIOTransport:
    return PublisherGrpcAsyncIOTransport(channel=grpc.aio.insecure_channel(host))
