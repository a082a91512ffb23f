"""Google's RPCs with less of the official libraries: their message types, and their channels.

A library's package imports all of its clients: a fifth of a second at each start, and 20 MB. So
modules of message types are imported without the package around them. Calls are those of the
channel, and raise gRPC's own errors.
"""

import importlib
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import grpc  # type: ignore[import-untyped]  # grpcio has no types

from shared.errors import Unavailable
from shared.logs import log

Metadata = tuple[str, str]


def message_types(package: str, module: str) -> ModuleType:
    """Returns the module of message types `{package}.types.{module}`."""
    around = [one for one in (package, f"{package}.types") if one not in sys.modules]
    for name in around:
        spec = find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(name)
        sys.modules[name] = module_from_spec(spec)  # empty, but it knows where its modules are
    try:
        return importlib.import_module(f"{package}.types.{module}")
    finally:
        for name in around:  # so that a later import of the package is a whole one
            del sys.modules[name]


def bare(wrapper: Any) -> Any:
    """Returns the protocol buffer's own class: the library's wrapper around it is slow."""
    return type(wrapper.pb(wrapper()))


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
