"""The REST API, asked without HTTP by a key that may do everything."""

import json
from typing import Any

from shared.api.keys import Keyring
from shared.api.routes import send_representative
from shared.errors import BatonError
from shared.ports import Ports
from shared.schemas.http import Request
from shared.schemas.notation import sha256
from shared.settings.types import ApiKey

KEYS = Keyring({sha256("k"): ApiKey(name="jane", may=frozenset({"BOT", "HUMAN"}), admin=True)})


async def ask(
    ports: Ports, method: str, path: str, body: dict[str, Any] | None = None, **query: str
) -> dict[str, Any]:
    """Returns the answer's body. Raises BatonError."""
    sent = b"" if body is None else json.dumps(body).encode()
    request = Request(
        method, f"/v1/conversations{path}", sent, {"authorization": "Bearer k"}, query
    )
    return dict(json.loads((await send_representative(ports, KEYS, request)).body))


async def refusal(
    ports: Ports, method: str, path: str, body: dict[str, Any], **query: str
) -> str | None:
    """Returns the reason for which this is refused, None where it is not."""
    try:
        await ask(ports, method, path, body, **query)
    except BatonError as error:
        return error.reason
    return None
