"""One conversation from the first word to its erasure, and what must be true of it afterwards."""

import json
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from infra.local.oracle import open_frames, texts, violations
from shared.schemas.journal import JournalEntry
from tests.emulators.senders import Answered, Caller

WORD = "SECRETWORD"  # in everything that people say, and nowhere else
HUMAN_TEXT, BOT_TEXT = f"{WORD} How can I help?", f"{WORD} Goodbye"

STEPS: Sequence[Callable[[Caller], Coroutine[None, None, Answered]]] = (
    lambda caller: caller.says(f"{WORD} Hi, I have a problem", "m-1"),
    lambda caller: caller.wants_human("r-1"),
    lambda caller: caller.joins("e-1"),
    lambda caller: caller.human_says(HUMAN_TEXT, "m-2"),
    lambda caller: caller.leaves("e-2"),
    lambda caller: caller.bot_says(BOT_TEXT, "m-3"),
    lambda caller: caller.erases(),
)
ERASE = len(STEPS) - 1
KINDS = [
    "user_message",
    "human_requested",
    "human_joined",
    "human_message",
    "human_left",
    "bot_message",
]
TOLD = ["handoff.requested", "handoff.joined", "handoff.answered", "handoff.ended"]


def faults_of_state(journal: Sequence[JournalEntry]) -> list[str]:
    """I3, I5: every event changed the state once, and came to an end."""
    kinds, seqs = [entry.kind for entry in journal], [entry.seq for entry in journal]
    faults = [] if kinds == KINDS else [f"I3: the journal holds {kinds}"]
    faults += [f"I3: version {seq} was made {n} times" for seq, n in Counter(seqs).items() if n > 1]
    return faults + [
        f"I5: {entry.kind} is {entry.outcome}" for entry in journal if entry.outcome != "done"
    ]


def faults_of_view(transcript: Sequence[Mapping[str, Any]]) -> list[str]:
    """I1, I2, I4, I10: as the customer saw it, to the end."""
    wanted = [HUMAN_TEXT, BOT_TEXT]
    faults = violations(transcript, wanted)
    if texts(transcript) != wanted or open_frames(transcript):
        faults.append(
            f"I4: the customer saw {texts(transcript)}, with {open_frames(transcript)} there"
        )
    return faults


def faults_of_topic(bodies: Sequence[Mapping[str, Any]]) -> list[str]:
    """I6: the team is notified once per edge, in order. A copy is the same to the letter."""
    first: dict[str, str] = {}
    faults = []
    for body in bodies:
        copy = json.dumps(body, sort_keys=True)
        if first.setdefault(body["id"], copy) != copy:
            faults.append(f"I6: {body['id']} was published with different contents")
    told = [json.loads(copy)["type"] for copy in first.values()]
    return faults + ([] if told == TOLD else [f"I6: the team was told {told}"])
