"""Asks a bot at most once per customer message: it records the intent, then the call's answer.

    (absent) ── create ──> in-flight ── an answer ─────────> answered ── all taken ──> done
                            │  └─ a failure, or a crash ─> answered ─ apologized ─> failed | unknown
                            └─ nothing to ask any more ──> skipped

A call has no idempotency key: a second one would move the bot's own conversation on. So the intent
is written first, as a journal entry of kind `bot`. Another instance that finds it in flight waits,
and after its deadline the bot is not asked again.
"""

import asyncio
import contextlib
import uuid
from datetime import datetime, timedelta

from shared.bots.base import Bot
from shared.bots.words import Words
from shared.conversations.entries import new_entry
from shared.errors import BadRequest, NotYet, Unavailable
from shared.platforms.base import Outcome, outcome_of_status
from shared.ports import Commit, Ports, PreconditionFailed, Snapshot
from shared.schemas.base import JsonObject
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.http import Answer, Call
from shared.schemas.journal import Asked, JournalEntry
from shared.schemas.notation import entry_id

Entry = Snapshot[JournalEntry]
GRACE = timedelta(seconds=10)
LATEST = timedelta(hours=1)  # an answer to an older message would only surprise
PAUSES = (0.5, 1.0)  # seconds between tries of a call that certainly did not arrive
NEVER_ASKED = (401, 429)
NO_ANSWER, INTERRUPTED, NOTHING_SAID = "no answer", "interrupted", "nothing readable"
UNSURE = (NO_ANSWER, INTERRUPTED)


async def asked_once(ports: Ports, bot: Bot, words: Words) -> Entry | None:
    """Returns the entry with an answer that is not yet accepted; None where there is none. Raises
    NotYet.
    """
    known = await ports.store.entry(
        words.conversation, entry_id(words.conversation, "bot", words.id)
    )
    if known is None:
        return await _ask(ports, bot, words, await _begin(ports, bot, words))
    asked = known.value.asked
    if asked is None or asked.state not in ("in-flight", "answered"):
        return None
    if asked.state == "answered":
        return known
    if asked.until is not None and asked.until > ports.clock.now():
        raise NotYet(words.conversation)
    return await record(
        ports, known, asked.model_copy(update={"state": "answered", "error": INTERRUPTED})
    )


async def _ask(ports: Ports, bot: Bot, words: Words, mine: Entry) -> Entry | None:
    """Asks the bot, or records why not. The conversation is read after the intent is stored, so
    that a later erase finds the intent.
    """
    snapshot = await ports.store.load(words.conversation)
    needless = _needless(snapshot.value if snapshot else None, words, ports.clock.now())
    if snapshot is None or needless is not None:
        await record(ports, mine, Asked(bot=bot.name, state="skipped", error=needless))
        return None
    answer, error = await _heard(ports, bot, bot.call(words.as_asked_of(snapshot.value)))
    if answer is not None and snapshot.value.phase is Phase.BOT and bot.reply(answer).fails:
        answer, error = None, NOTHING_SAID
    return await record(
        ports, mine, Asked(bot=bot.name, state="answered", answer=answer, error=error)
    )


def _needless(conversation: Conversation | None, words: Words, now: datetime) -> str | None:
    if conversation is None or conversation.erased:
        return "the customer was erased"
    if conversation.phase is Phase.HUMAN or conversation.human_version > words.version:
        return "a human has come"
    return "too late" if now - words.accepted_at > LATEST else None


async def _begin(ports: Ports, bot: Bot, words: Words) -> Entry:
    until = ports.clock.now() + timedelta(seconds=bot.timeout) + GRACE
    entry = new_entry(
        ports,
        entry_id(words.conversation, "bot", words.id),
        words.conversation,
        "bot",
        seq=words.version,
        actor=f"bot:{bot.name}",
        nonce=uuid.uuid4().hex,
        event_id=words.id,
        asked=Asked(bot=bot.name, state="in-flight", until=until),
    )
    try:
        await ports.store.commit(Commit([entry]))
    except PreconditionFailed as error:
        raise NotYet(words.conversation) from error
    mine = await ports.store.entry(words.conversation, entry.id)
    if mine is None or mine.value.nonce != entry.nonce:
        raise NotYet(words.conversation)
    return mine


async def record(ports: Ports, entry: Entry, asked: Asked) -> Entry:
    """Returns the entry with the new state of the question. Raises NotYet where another instance
    has written it since.
    """
    after = entry.value.model_copy(update={"asked": asked, "reason": asked.error})
    try:
        return await ports.store.update(Snapshot(after, entry.token))
    except PreconditionFailed as error:
        raise NotYet(entry.value.conversation) from error


async def _heard(ports: Ports, bot: Bot, call: Call) -> tuple[JsonObject | None, str | None]:
    """Returns the part of the bot's answer that is stored, or the reason why there is none."""
    try:
        async with asyncio.timeout(bot.timeout):
            answer = await _sent(ports, call)
        if answer is None or outcome_of_status(answer.status) is not Outcome.DONE:
            return None, f"HTTP {answer.status}" if answer else NO_ANSWER
        return bot.heard(answer), None
    except TimeoutError:
        return None, NO_ANSWER
    except (Unavailable, BadRequest) as error:
        return None, error.reason


async def _sent(ports: Ports, call: Call) -> Answer | None:
    """Returns the bot's answer. It repeats only a call that certainly did not reach the bot."""
    for pause in PAUSES:
        with contextlib.suppress(Unavailable):
            answer = await ports.sender.send(call)
            if answer is None or answer.status not in NEVER_ASKED:
                return answer
        await asyncio.sleep(pause)
    return await ports.sender.send(call)
