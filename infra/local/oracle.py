"""Judges the transcript of what a customer was shown.

It shares no code with the state machine, so it cannot repeat the machine's mistakes. A JOINED or
LEFT that the platform refused for good appears as a text with the human's label; it counts as that
event. On a channel without events and labels everything is text: `as_labelled` adds what a reader
concludes from the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
_JOINED, _LEFT = "REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"
_NOBODYS_NAME = ("A person", "Una persona", "Seorang petugas", "Uma pessoa", "客服人员")
# The words of these notices in English, Spanish, Indonesian, Portuguese and Chinese.
_IN_WORDS = (
    " joined the conversation.",
    " se ha unido a la conversación.",
    " bergabung dalam percakapan.",
    " entrou na conversa.",
    "已加入对话。",
)
_OUT_WORDS = (
    " left the conversation.",
    " ha salido de la conversación.",
    " meninggalkan percakapan.",
    " saiu da conversa.",
    "已离开对话。",
)
_BOT_AGAIN_WORDS = (
    " has left. You are talking with our automated assistant again.",
    " ha salido. Vuelves a hablar con nuestro asistente automático.",
    " telah pergi. Anda kembali berbicara dengan asisten otomatis kami.",
    " saiu. Você está falando novamente com o nosso assistente automático.",
    "已离开。现在由我们的自动助手继续与您对话。",
)
# What says that the customer waits for a person: in words of the notices in the same languages.
_WAIT_WORDS = (
    "You are still in line",
    "You keep your place in line",
    "Sigues en la cola",
    "Conservas tu puesto en la cola",
    "Anda masih dalam antrean",
    "Tempat Anda dalam antrean tetap sama",
    "continua na fila",
    "mantém o seu lugar na fila",
    "您仍在排队",
    "您的排队位置保持不变",
)
_MARKS = (": ", "：", ":")


def violations(transcript: Sequence[Row], accepted: Sequence[str] = ()) -> list[str]:
    """Returns a description of each invariant that the transcript of one conversation breaks.

    `accepted` are texts that Baton took and could deliver. Each must be shown, in that order, and
    as often as it is listed.
    """
    witness = _Witness()
    for row in _sent(transcript):
        witness.look(row)
    end = ["I2: it ends before it is said whether the bot speaks or they wait"]
    return [*witness.found, *(end if witness.untold else []), *_disorder(transcript, accepted)]


def open_frames(transcript: Sequence[Row]) -> list[str]:
    """Returns the names of the humans who are still present, by what the customer was shown."""
    witness = _Witness()
    for row in _sent(transcript):
        witness.look(row)
    return sorted(witness.present)


def texts(transcript: Sequence[Row]) -> list[str]:
    """Returns the texts that the customer was shown, in order."""
    return [
        row["body"]["text"]
        for row in _sent(transcript)
        if row["kind"] == "message" and "text" in row["body"]
    ]


def as_labelled(transcript: Sequence[Row], humans: Sequence[str]) -> list[Row]:
    """Returns a transcript of bare texts with the speaker, JOINED and LEFT added, as far as a
    reader can conclude them.

    `humans` are the names of all humans who may take part. A notice that is repeated at once is a
    repetition after a lost answer.
    """
    rows: list[Row] = []
    before = ""
    for row in (
        row for row in transcript if row["side"] == "business" and row["kind"] == "message"
    ):
        text = _words(row["body"])
        body = _meaning(text, sorted(humans, key=len, reverse=True))
        if "eventType" not in body or text != before:
            rows.append(
                {**row, "kind": "event" if "eventType" in body else "message", "body": body}
            )
        before = text
    return rows


def _words(body: Row) -> str:
    """Returns the text of a message, in the form of the channel that showed it."""
    text = body.get("text", body.get("contentMessage", {}).get("text", ""))
    return str(text.get("body", "")) if isinstance(text, Mapping) else str(text)


def _meaning(text: str, humans: Sequence[str]) -> Row:
    for shown, name in [
        *((one, one) for one in humans if one),
        *((one, "") for one in _NOBODYS_NAME),
    ]:
        who = {"representative": {"representativeType": "HUMAN", "displayName": name}}
        rest = text.removeprefix(shown)
        if rest == text:
            continue
        if rest in _IN_WORDS:
            return {**who, "eventType": _JOINED}
        if rest in _OUT_WORDS or rest in _BOT_AGAIN_WORDS:
            return {**who, "eventType": _LEFT, "bot again": rest in _BOT_AGAIN_WORDS}
        mark = next((mark for mark in _MARKS if rest.startswith(mark)), None)
        if mark is not None:
            return {**who, "text": rest.removeprefix(mark)}
    return {"representative": {"representativeType": "BOT", "displayName": ""}, "text": text}


def _sent(transcript: Sequence[Row]) -> list[Row]:
    return [
        row
        for row in transcript
        if row["side"] == "business" and row["kind"] in ("message", "event")
    ]


@dataclass(slots=True)
class _Witness:
    """Reads one row after the other, as the customer sees them."""

    present: set[str] = field(default_factory=set)
    untold: bool = False  # the last human has left, and it is not said yet who speaks now
    ids: set[tuple[str, str]] = field(default_factory=set)
    found: list[str] = field(default_factory=list)

    def look(self, row: Row) -> None:
        self._same_id(row)
        speaker = row["body"].get("representative") or {}
        kind, name = speaker.get("representativeType"), speaker.get("displayName") or ""
        frame = _frame_event(row, kind, name)
        if self.untold and not (frame == _JOINED or self._says_who_waits(row)):
            self._fault("I2", row, "comes before it is said whether the bot speaks or they wait")
        self.untold = False
        if kind not in ("BOT", "HUMAN"):
            self._fault("I10", row, f"has no representative but {speaker}")
        elif frame:
            self._frame(row, frame, kind, name)
        elif kind == "HUMAN":
            self._human(row, name)
        elif self.present:
            self._fault(
                "I2", row, f"is the bot's while {', '.join(sorted(self.present))} is present"
            )

    def _same_id(self, row: Row) -> None:
        key = (row["kind"], row["id"])
        if key in self.ids:
            self._fault("I4", row, "was shown before under the same id")
        self.ids.add(key)

    def _frame(self, row: Row, frame: str, kind: str, name: str) -> None:
        if kind != "HUMAN":
            self._fault("I10", row, f"lets a {kind} join or leave")
        if (frame == _JOINED) == (name in self.present):
            self._fault(
                "I1",
                row,
                f"is a second {frame} of {name!r}"
                if self.present
                else f"is {frame} of nobody there",
            )
        if frame == _JOINED:
            self.present.add(name)
        else:
            self.present.discard(name)
        again = row["body"].get("bot again")
        if again and self.present:
            self._fault("I2", row, "says of the bot what is not so: that it speaks now")
        self.untold = again is False and not self.present

    @staticmethod
    def _says_who_waits(row: Row) -> bool:
        return any(words in _words(row["body"]) for words in _WAIT_WORDS)

    def _human(self, row: Row, name: str) -> None:
        if row["kind"] != "message":
            self._fault("I10", row, "is an event that nobody knows")
        if name not in self.present:
            self._fault("I1", row, f"is {name!r}'s, who has not joined or has left")

    def _fault(self, invariant: str, row: Row, what: str) -> None:
        self.found.append(f"{invariant}: {row['kind']} {row['id']} (seq {row['seq']}) {what}")


def _frame_event(row: Row, kind: object, name: str) -> str | None:
    """Returns JOINED or LEFT for such an event, and for the text that replaces it."""
    if row["kind"] == "event":
        event = row["body"].get("eventType")
        return str(event) if event in (_JOINED, _LEFT) else None
    if kind != "HUMAN":
        return None
    text, names = row["body"].get("text", ""), [name] if name else _NOBODYS_NAME
    spoken = {name + words: _JOINED for name in names for words in _IN_WORDS}
    return {**spoken, **{name + words: _LEFT for name in names for words in _OUT_WORDS}}.get(text)


def _disorder(transcript: Sequence[Row], accepted: Sequence[str]) -> list[str]:
    shown, wanted = texts(transcript), set(accepted)
    relevant = [text for text in shown if text in wanted]
    counted = [(text, accepted.count(text), relevant.count(text)) for text in sorted(wanted)]
    found = [
        f"I4: {text!r} was accepted {a} and shown {s} times" for text, a, s in counted if a != s
    ]
    if not found and relevant != list(accepted):
        place = next(i for i, text in enumerate(accepted) if relevant[i] != text)
        found.append(f"I4: {relevant[place]!r} was shown where {accepted[place]!r} was accepted")
    return found
