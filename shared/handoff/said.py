"""What of a journal was said in the conversation, and by whom: the same for every place that
shows it to people.
"""

from collections.abc import Mapping
from typing import Literal

from shared.schemas.commands import SendMessage, State
from shared.schemas.events import BotMessage, HumanMessage, SuggestionResponse, UserMessage
from shared.schemas.journal import JournalEntry, Verdict

SPEAKERS: Mapping[str, Literal["customer", "bot", "human"]] = {
    UserMessage.kind: "customer",
    SuggestionResponse.kind: "customer",
    BotMessage.kind: "bot",
    HumanMessage.kind: "human",
}
_UNSEEN = {State.FAILED, State.UNFRAMED, State.DROPPED}


def was_said(entry: JournalEntry) -> bool:
    """Returns whether these are words that the customer wrote, was shown, or is about to be shown.

    A desk's echo of the customer's words, what was refused or suppressed, and what did not arrive,
    were not said. Late words of a human are said though they change nothing (`stale`).
    """
    if entry.kind not in SPEAKERS or entry.text is None:
        return False
    if SPEAKERS[entry.kind] == "customer":
        return entry.verdict is Verdict.ACCEPTED
    shown = [command.state for command in entry.commands if isinstance(command, SendMessage)]
    is_taken = entry.verdict is Verdict.ACCEPTED or (entry.verdict is Verdict.STALE and bool(shown))
    return is_taken and not (shown and _UNSEEN.issuperset(shown))
