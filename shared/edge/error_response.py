"""The error format of every function, which is that of Google's APIs.

https://cloud.google.com/apis/design/errors#http_mapping
"""

from typing import Any

import pydantic_core

from shared.errors import BatonError
from shared.schemas.http import Response

_HEADERS = {
    "allowed": "allow",
    "retry_after": "retry-after",
    "content_range": "content-range",
}


def error_response(error: BatonError) -> Response:
    """Returns the HTTP response for an error."""
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": error.reason,
        "domain": "baton",
        "metadata": dict(error.metadata),
    }
    body: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "status": error.status,
        "details": [detail],
    }
    headers = {
        header: error.metadata[name] for name, header in _HEADERS.items() if name in error.metadata
    }
    notes = {"reason": error.reason, "conversation": error.metadata.get("conversation")}
    return Response(
        error.code, pydantic_core.to_json({"error": body}), headers=headers, notes=notes
    )
