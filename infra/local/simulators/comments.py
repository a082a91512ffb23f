"""The record of the simulated CRM: comments that Baton posts. It takes signed comments only, each
once.

It verifies by the Standard Webhooks scheme, as a CRM does:
https://www.standardwebhooks.com/
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.faults import Share, struck
from shared.stores.sqlite.store import open_database

_SCHEMA = """
create table if not exists comments (
  webhook_id text primary key, conversation text not null, at text not null, body text not null,
  times integer not null default 1);
"""


class CommentFaults(BaseModel):
    """What may happen to a comment before the record stores it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server_error: Share = 0


class Comments:
    """Keeps the posted comments in its own SQLite file. A repeated `webhook-id` is only counted."""

    def __init__(self, path: str, secrets: Sequence[str]) -> None:
        self._db = open_database(path, _SCHEMA, whole=True)
        self._signed = [Webhook(secret) for secret in secrets]
        self.faults = CommentFaults()

    def routes(self, prefix: str) -> list[Route]:
        record = f"{prefix}/comments/{{conversation:path}}"
        return [
            Route(f"{prefix}/comments-faults", self._get_faults, methods=["GET"]),
            Route(f"{prefix}/comments-faults", self._set_faults, methods=["PUT"]),
            Route(record, self._post, methods=["POST", "PUT", "PATCH"]),
            Route(record, self._list, methods=["GET"]),
        ]

    async def _post(self, request: Request) -> Response:
        if struck(self.faults.server_error):
            return JSONResponse({"error": "The simulated CRM was told to fail."}, 500)
        body = await request.body()
        if not self._genuine(body, dict(request.headers)):
            return JSONResponse(
                {"error": "The signature does not fit the body, or is older than five minutes."},
                401,
            )
        comment = _parsed(body)
        if comment is None:
            return JSONResponse({"error": "Give a JSON object with a comment."}, 400)
        self._keep(request.headers["webhook-id"], request.path_params["conversation"], comment)
        return JSONResponse({}, 201)

    def _genuine(self, body: bytes, headers: dict[str, str]) -> bool:
        return any(_verifies(one, body, headers) for one in self._signed)

    def _keep(self, webhook_id: str, conversation: str, comment: dict[str, Any]) -> None:
        self._db.execute(
            """insert into comments (webhook_id, conversation, at, body) values (?, ?, ?, ?)
               on conflict (webhook_id) do update set times = times + 1""",
            (webhook_id, conversation, datetime.now(UTC).isoformat(), json.dumps(comment)),
        )

    async def _list(self, request: Request) -> Response:
        rows = self._db.execute(
            "select webhook_id, at, times, body from comments where conversation = ? order by "
            "rowid",
            (request.path_params["conversation"],),
        ).fetchall()
        told = [
            {**json.loads(body), "webhook_id": one, "at": at, "times": times}
            for one, at, times, body in rows
        ]
        return JSONResponse({"comments": told})

    async def _get_faults(self, request: Request) -> Response:
        return JSONResponse(self.faults.model_dump())

    async def _set_faults(self, request: Request) -> Response:
        try:
            self.faults = CommentFaults.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": {"message": error.errors()[0]["msg"]}}, 400)
        return JSONResponse(self.faults.model_dump())


def _verifies(signed: Webhook, body: bytes, headers: dict[str, str]) -> bool:
    """Returns whether the signature is valid. The library raises ValueError for a malformed header,
    not its own error.
    """
    try:
        signed.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        comment = json.loads(body)
    except ValueError:
        return None
    return (
        comment if isinstance(comment, dict) and isinstance(comment.get("comment"), str) else None
    )
