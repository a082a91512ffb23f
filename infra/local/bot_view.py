"""What the page shows of the bot: which one runs, what it asked Dialogflow, and who may see what it captured."""

from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.dialogflow import session_of
from infra.local.dialogflow_store import DialogflowStore
from shared import bootstrap
from shared.handoff.visibility import project
from shared.schemas.ids import parse_conversation_id
from shared.schemas.variables import SessionVariable

PATH = "/local/bot/{conversation:path}"


def application(store: DialogflowStore) -> Starlette:
    """Returns an ASGI application that tells of one conversation's bot at PATH."""

    async def bot(request: Request) -> Response:
        conversation = parse_conversation_id(request.path_params["conversation"])
        session = session_of(conversation)
        turns = [{**turn, "captured": _captured(turn)} for turn in store.turns(session)]
        running = bootstrap.baton().settings.baton_bot
        return JSONResponse({"bot": running, "session": session, "turns": turns})

    return Starlette(routes=[Route(PATH, bot)])


def _captured(turn: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the variables that an answer captures, each once, with the audiences that may see it."""
    declared = [one for message in turn["responseMessages"] if (one := _declared(message)) is not None]
    return list({row["key"]: row for one in declared for row in _rows(one)}.values())


def _declared(message: dict[str, Any]) -> SessionVariable | None:
    payload = message.get("payload", {}).get("ujet", {}).get("session_variable")
    try:
        return None if payload is None else SessionVariable.model_validate(payload)
    except ValidationError:
        return None


def _rows(declared: SessionVariable) -> list[dict[str, Any]]:
    """A variable that the customer's next message gives has no value yet."""
    asks = declared.capture_target == "end_user_response"
    payload = {declared.capture_key or "": None} if asks else declared.payload or {}
    audiences = project(declared.model_copy(update={"payload": payload})).audiences
    return [
        {"key": key, "value": value, "asks": asks, "audiences": [one for one, seen in audiences.items() if key in seen]}
        for key, value in payload.items()
    ]
