"""What of a journal was said in the conversation, and by whom: the same for every place that
shows it to people.
"""

from collections.abc import Mapping
from typing import Literal

from shared.schemas.base import JsonObject
from shared.schemas.commands import SendMessage, State
from shared.schemas.details import Details, first_words
from shared.schemas.events import (
    BotMessage,
    CallPermission,
    Edited,
    HumanMessage,
    Overheard,
    Reaction,
    Revoked,
    SuggestionResponse,
    UserMessage,
)
from shared.schemas.journal import JournalEntry, Verdict

SPEAKERS: Mapping[str, Literal["customer", "bot", "human"]] = {
    UserMessage.kind: "customer",
    SuggestionResponse.kind: "customer",
    Reaction.kind: "customer",
    CallPermission.kind: "customer",
    Edited.kind: "customer",
    Revoked.kind: "customer",
    BotMessage.kind: "bot",
    Overheard.kind: "bot",
    HumanMessage.kind: "human",
}
_WORDLESS = {
    Reaction.kind,
    CallPermission.kind,
    Revoked.kind,
}  # may have no text, and say something
_UNSEEN = {State.FAILED, State.UNFRAMED, State.DROPPED}


def was_said(entry: JournalEntry) -> bool:
    """Returns whether these are words that the customer wrote, was shown, or is about to be shown.

    A desk's echo of the customer's words, what was refused or suppressed, and what did not arrive,
    were not said. Late words of a human are said though they change nothing (`stale`), and so is
    what was overheard.
    """
    if entry.kind not in SPEAKERS or (entry.text is None and entry.kind not in _WORDLESS):
        return False
    if SPEAKERS[entry.kind] == "customer":
        return entry.verdict is Verdict.ACCEPTED
    if entry.kind == Overheard.kind:
        return True
    shown = [command.state for command in entry.commands if isinstance(command, SendMessage)]
    is_taken = entry.verdict is Verdict.ACCEPTED or (entry.verdict is Verdict.STALE and bool(shown))
    return is_taken and not (shown and _UNSEEN.issuperset(shown))


def in_words(said: str | None, details: JsonObject) -> str | None:
    """Returns what was said with what came beside it, for readers of plain text. Orders, forms,
    places and files stand in the words already.
    """
    known = Details.model_validate(details)
    lines: list[str | None] = []
    if known.about and known.about.text and not known.choice:
        lines.append(f"> {first_words(known.about.text)}")
    if known.product:
        lines.append(f"[product {known.product.product_id or known.product.catalog_id}]")
    if known.referral:
        ad = known.referral
        parts = (ad.headline, ad.body, ad.source_url)
        lines.append(" ".join(filter(None, (f"[{ad.source_type or 'ad'}]", *parts))))
    if known.reaction:
        said = (
            f"[reaction] {known.reaction.emoji}"
            if known.reaction.emoji
            else "[no reaction any more]"
        )
    if known.edited:
        said = f"[edited] {said}"
    if known.revoked:
        said = "[deleted a message]"
    if known.number_moved:
        said = "[this customer's phone number belongs to another customer now]"
    if known.call_permission:
        said = f"[call permission] {known.call_permission.response}"
    if known.choice and known.choice.description:
        lines, said = [*lines, said], f"({known.choice.description})"
    return "\n".join(filter(None, [*lines, said])) or None
