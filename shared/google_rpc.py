"""Google's RPCs with less of the official libraries: their message types, and their channels.

A library's package imports all of its clients, and its message types are wrappers that are made one
by one: a third of a second at each start, and 20 MB. So the descriptors of the messages are kept
beside this module, as `python -m infra.google_messages` reads them from the libraries, and a test
compares both. Calls are those of the channel, and raise gRPC's own errors.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import grpc  # type: ignore[import-untyped]  # grpcio and protobuf have no types
from google.protobuf.descriptor_pb2 import FileDescriptorSet  # type: ignore[import-untyped]
from google.protobuf.descriptor_pool import DescriptorPool  # type: ignore[import-untyped]
from google.protobuf.message_factory import GetMessageClass  # type: ignore[import-untyped]

from shared.errors import Unavailable
from shared.logs import log

DESCRIPTORS = Path(__file__).with_name("google_messages.binpb")
Metadata = tuple[str, str]


def message_type(name: str) -> Any:
    """Returns the class of a message, for example `google.firestore.v1.CommitRequest`."""
    return GetMessageClass(_pool().FindMessageTypeByName(name))


@cache
def _pool() -> DescriptorPool:
    """Returns a pool of its own, so that the libraries can be imported beside it."""
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file:
        pool.Add(file)
    return pool


@lru_cache(maxsize=1024)
def routing(field: str, value: str) -> Metadata:
    """Returns the metadata by which Google routes a call.

    https://google.aip.dev/client-libraries/4222
    """
    return "x-goog-request-params", urlencode({field: value}, safe="/")


def channel(
    emulator: str | None, host: str, scopes: Sequence[str], options: Sequence[tuple[str, Any]] = ()
) -> Any:
    """Returns a new channel to an emulator, or to Google with the default credentials of this
    process.

    Raises Unavailable without credentials.
    """
    if emulator is not None:
        return grpc.aio.insecure_channel(emulator, options=options)
    # imported here: an emulator needs none of it
    from google.api_core.grpc_helpers_async import create_channel
    from google.auth.exceptions import GoogleAuthError

    try:
        return create_channel(host, default_scopes=scopes, default_host=host, options=options)
    except GoogleAuthError as error:
        log("ERROR", "no Google credentials", host=host, detail=str(error)[:500])
        raise Unavailable(
            "no-google-credentials", "Google credentials are missing or were refused."
        ) from error
