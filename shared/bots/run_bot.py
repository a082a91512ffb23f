"""The built-in bot: its reply to a customer is taken as requests, each once.

The ids of these requests are derived from the customer's message, so that a second run after a
crash repeats nothing.
"""

import contextlib

from shared.bots.base import Bot, Escalation, Reply
from shared.bots.events import events_of
from shared.bots.intent import UNSURE, Entry, asked_once, record
from shared.bots.words import Words, words_of
from shared.conversations.apply import take
from shared.edge.pushed import pushed_body
from shared.errors import BatonError, MethodNotAllowed, NotFound
from shared.handoff.notices import Notice
from shared.logs import log
from shared.ports import Ports
from shared.schemas.base import JsonObject
from shared.schemas.content import Content
from shared.schemas.http import Request, Response
from shared.schemas.journal import Asked
from shared.values import frozen

FAILED = Escalation("the bot cannot answer")


@frozen
class Assistant:
    """Answers customers: with a bot that is asked, with always the same `reply`, or not at all.

    `escalates`: a human is requested where the bot fails.
    """

    bot: Bot | None = None
    reply: Reply | None = None
    escalates: bool = False

    @property
    def name(self) -> str:
        return self.bot.name if self.bot else "acknowledge" if self.reply else "none"


async def run_bot(ports: Ports, assistant: Assistant, request: Request) -> Response:
    """Returns 200 once the customer has an answer, or needs none. Raises BadRequest, and NotYet,
    after which the queue sends it again.
    """
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    await answer(ports, assistant, pushed_body(request))
    return Response(body=b"{}", notes={"bot": assistant.name})


async def answer(ports: Ports, assistant: Assistant, body: JsonObject) -> None:
    """Answers a body of `baton-user-messages` that is for the bot: once, however often it is
    published.

    Raises BadRequest for any other body, NotYet while another instance works on it, and
    Unavailable.
    """
    words = words_of(body) if _is_for(assistant, body) else None
    if words is not None and assistant.reply is not None:
        await _take(ports, words, words.id, assistant.reply)
    if words is None or assistant.bot is None:
        return
    entry = await asked_once(ports, assistant.bot, words)
    if entry is not None and entry.value.asked is not None:
        await _follow(ports, assistant, assistant.bot, words, entry, entry.value.asked)


def _is_for(assistant: Assistant, body: JsonObject) -> bool:
    """Returns whether the assistant answers this body. While a customer waits for a human only a
    bot answers: a fixed reply would announce the human again.
    """
    audience, also = body.get("audience"), body.get("also")
    waits = audience == ["BOT", "HUMAN"] or (audience == ["BOT"] and also == ["HUMAN"])
    return (waits and assistant.bot is not None and assistant.bot.while_queued) or (
        audience == ["BOT"] and not also
    )


async def _follow(
    ports: Ports, assistant: Assistant, bot: Bot, words: Words, entry: Entry, asked: Asked
) -> None:
    """Takes the bot's answer, or an apology; only then is the answer removed from the store."""
    error = asked.error or await _taken(ports, bot, words, asked)
    if error is not None:
        log(
            "ERROR",
            "the built-in bot failed",
            conversation=words.conversation,
            bot=bot.name,
            reason=error,
        )
        await _take(ports, words, f"{words.id}:apology", await _apology(ports, assistant, words))
    state = "done" if error is None else "unknown" if error in UNSURE else "failed"
    await record(
        ports, entry, asked.model_copy(update={"answer": None, "error": error, "state": state})
    )


async def _taken(ports: Ports, bot: Bot, words: Words, asked: Asked) -> str | None:
    """Returns None once all of the answer is taken, or the reason why it cannot be."""
    reply = bot.reply(asked.answer or {})
    for refused in reply.refused:
        log(
            "WARNING",
            "a part of the bot's answer was refused",
            conversation=words.conversation,
            reason=refused,
        )
    try:
        await _take(ports, words, words.id, reply)
    except BatonError as error:
        if error.retryable:
            raise
        return error.reason
    return None


async def _take(ports: Ports, words: Words, answer_id: str, reply: Reply) -> None:
    """Takes the reply. A refused part is journalled as such: a human joined first. An erased
    customer gets nothing.
    """
    events = events_of(reply, words, answer_id, ports.policy.bot_name, ports.clock.now())
    with contextlib.suppress(NotFound):
        await take(ports, events)


async def _apology(ports: Ports, assistant: Assistant, words: Words) -> Reply:
    snapshot = await ports.store.load(words.conversation)
    said = ports.policy.notices.text(Notice.APOLOGY, snapshot.value.locale if snapshot else None)
    return Reply(contents=(Content(text=said),), escalation=FAILED if assistant.escalates else None)
