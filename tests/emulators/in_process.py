"""Baton's functions without a server: each request goes through the edge, as the framework
would hand it over.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pydantic_core
from starlette.requests import Request
from starlette.types import Message

from infra.local.settings import (
    API_KEYS,
    BRIDGE_KEY,
    CCAI_EVENTS_PASSWORD,
    CCAI_EVENTS_USER,
    CCAI_SECRETS,
    CLIENT_TOKEN,
    CSKU_SECRET,
    MATRIX_AS_TOKEN,
    MATRIX_HS_TOKEN,
    MATRIX_SERVER_NAME,
    RCS_TOKEN,
    SIGNING_KEY,
    WHATSAPP_SECRET,
    WHATSAPP_VERIFY,
)
from shared.bootstrap.root import Baton
from shared.edge import http as edge
from shared.schemas.http import Door
from shared.settings.model import read_settings

FUNCTIONS = Path(__file__).parents[2] / "functions"
COMMON = {
    "BATON_API_KEYS": json.dumps(API_KEYS),
    "BATON_BOT": "none",
    "BRIDGE_TOKEN_KEYS": BRIDGE_KEY,
    "BRIDGE_ALLOWED_ORIGINS": "https://crm.example",
    "BUSINESS_MESSAGES_SIGNING_KEYS": SIGNING_KEY,
    "BUSINESS_MESSAGES_CLIENT_TOKEN": CLIENT_TOKEN,
    "CSKU_WEBHOOK_SECRETS": CSKU_SECRET,
    "RCS_CLIENT_TOKENS": RCS_TOKEN,
    "WHATSAPP_APP_SECRETS": WHATSAPP_SECRET,
    "WHATSAPP_VERIFY_TOKEN": WHATSAPP_VERIFY,
    "CCAI_WEBHOOK_SECRETS": CCAI_SECRETS,
    "MATRIX_HS_TOKENS": MATRIX_HS_TOKEN,
    "MATRIX_AS_TOKEN": MATRIX_AS_TOKEN,
    "MATRIX_SERVER_NAME": MATRIX_SERVER_NAME,
    "MATRIX_API_URL": "http://127.0.0.1:9",
    "CCAI_EVENTS_USER": CCAI_EVENTS_USER,
    "CCAI_EVENTS_PASSWORD": CCAI_EVENTS_PASSWORD,
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Functions:
    """One process that serves every function."""

    baton: Baton
    _handlers: dict[str, Door] = field(default_factory=dict)

    @classmethod
    def of(cls, **settings: str) -> "Functions":
        return cls(Baton(read_settings({**COMMON, **settings})))

    async def ask(
        self,
        function: str,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: bytes = b"",
    ) -> Answer:
        """Returns the answer to a request; `path` is raw."""
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": query,
            "headers": [
                (k.lower().encode("latin-1"), v.encode("latin-1"))
                for k, v in (headers or {}).items()
            ],
            "server": ("127.0.0.1", 8080),
            "scheme": "http",
        }
        serving = edge.answer(Request(scope, partial(_receive, body)), function, self._find)
        answer = await asyncio.create_task(serving)  # in a context of its own, as a server does
        return Answer(answer.status_code, _parsed(bytes(answer.body)), answer.headers)

    def _find(self, function: str) -> Door:
        if function not in self._handlers:
            folder = [FUNCTIONS / function] if function == "forward_variables" else []
            self._handlers[function] = cast(Door, getattr(self.baton, function)(*folder))
        return self._handlers[function]

    async def close(self) -> None:
        """Closes what was opened."""
        ports = self.baton.ports
        for port in map(_innermost, (ports.sender, ports.publisher, ports.store)):
            if hasattr(port, "close"):
                await port.close()


def _innermost(port: object) -> Any:
    """Returns what a cache or a late builder holds, if it has built anything: they have nothing
    to close.
    """
    inside = next(
        (vars(port)[name] for name in ("_store", "_sender", "_publisher") if name in vars(port)),
        None,
    )
    return port if inside is None else _innermost(inside)


async def _receive(body: bytes) -> Message:
    return {"type": "http.request", "body": body, "more_body": False}


def _parsed(body: bytes) -> Any:
    try:
        return pydantic_core.from_json(body)
    except ValueError:
        return body.decode(errors="replace")
