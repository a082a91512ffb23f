"""What the page shows of the bot and of the desks' chats: the name of the bot, its questions to
Dialogflow, the audiences of captured variables, and the desks that would get a chat.
"""

from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.applications import application
from infra.local.simulators.dialogflow_store import DialogflowStore
from shared.bootstrap import root as bootstrap
from shared.bots.dialogflow import session_of
from shared.handoff.routing.desk import Desk
from shared.handoff.visibility import project
from shared.schemas.notation import parse_conversation_id, platform_of
from shared.schemas.variables import SessionVariable

PATH = "/local/bot/{conversation:path}"


def bot_application(store: DialogflowStore) -> Starlette:
    """Returns an ASGI application that describes the bot of one conversation at PATH."""

    async def bot(request: Request) -> Response:
        conversation = parse_conversation_id(request.path_params["conversation"])
        session = session_of(conversation)
        turns = [{**turn, "captured": _captured(turn)} for turn in store.turns(session)]
        settings = bootstrap.baton().settings
        chats = [
            _takes(desk, platform_of(conversation))
            for desk in settings.baton_desks
            if desk.opens_chats
        ]
        told = {"bot": settings.baton_bot, "session": session, "turns": turns, "chatDesks": chats}
        return JSONResponse(told)

    return application([Route(PATH, bot)])


def _takes(desk: Desk, channel: str) -> dict[str, Any]:
    """Returns a desk that opens chats, and whether it takes customers of this channel."""
    return {"name": desk.name, "takes": not desk.channels or channel in desk.channels}


def _captured(turn: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the variables that an answer captures, each once, with the audiences that may
    see it.
    """
    declared = [
        one for message in turn["responseMessages"] if (one := _declared(message)) is not None
    ]
    return list({row["key"]: row for one in declared for row in _rows(one)}.values())


def _declared(message: dict[str, Any]) -> SessionVariable | None:
    payload = message.get("payload", {}).get("ujet", {}).get("session_variable")
    try:
        return None if payload is None else SessionVariable.model_validate(payload)
    except ValidationError:
        return None


def _rows(declared: SessionVariable) -> list[dict[str, Any]]:
    """Returns a row per variable. A variable that the customer's next message sets has no value
    yet.
    """
    asks = declared.capture_target == "end_user_response"
    payload = {declared.capture_key or "": None} if asks else declared.payload or {}
    audiences = project(declared.model_copy(update={"payload": payload})).audiences
    return [
        {
            "key": key,
            "value": value,
            "asks": asks,
            "audiences": [one for one, seen in audiences.items() if key in seen],
        }
        for key, value in payload.items()
    ]
