"""The built-in bot that acknowledges, as in the reference conversation."""

from shared.errors import AlreadyExists, NotFound, Refused
from shared.platforms.base import parse_object
from shared.ports import Ports
from shared.schemas.content import Content
from shared.schemas.events import BotMessage
from shared.schemas.ids import command_id, parse_conversation_id
from shared.schemas.representative import Representative, RepresentativeType
from shared.services.control import accept

ACKNOWLEDGEMENT = "Thanks for contacting us. I'll pass this along when a live agent is available to chat with you."


async def acknowledge(ports: Ports, user_message: bytes) -> None:
    """Answers a body of `baton-user-messages` that is for the bot alone, once however often it is published."""
    body = parse_object(user_message)
    message, native = body.get("message"), body.get("conversationId")
    if body.get("audience") != ["BOT"] or not isinstance(message, dict) or not isinstance(native, str):
        return
    conversation = parse_conversation_id(native)
    bot = Representative(representative_type=RepresentativeType.BOT, display_name=ports.policy.bot_name)
    reply = BotMessage(
        id=command_id(conversation, str(message.get("messageId")), "acknowledgement"),
        source=conversation,
        actor="bot",
        fact=False,
        keeps_id=True,
        representative=bot,
        content=Content(text=ACKNOWLEDGEMENT),
    )
    try:
        await accept(ports, reply)
    except (AlreadyExists, Refused, NotFound):
        return  # said before, a human came first, or the customer was erased
