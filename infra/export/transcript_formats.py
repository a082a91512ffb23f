"""Transcripts as JSONL (a conversation per line), CSV (a message or event per line) and HTML (to
read), written as a stream.
"""

import html
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from infra.export.transcripts import Line, NamedFile
from shared.reports import spreadsheets
from shared.schemas.notation import format_time

Write = Callable[[str], None]


class Format(Protocol):
    """Writes one export: `begin` and `end` once, and for each conversation `open`, its lines,
    `close`.
    """

    def begin(self) -> None: ...

    def open(self, conversation: str, channel: str) -> None: ...

    def line(self, line: Line) -> None: ...

    def close(self) -> None: ...

    def end(self) -> None: ...


class Jsonl:
    """The chat format of training tools: `messages` with role and content.

    Events between messages are `events` in the metadata of the message that follows, or of the
    conversation after the last message. So only events are held back.
    """

    def __init__(self, write: Write, human_role: str) -> None:
        self._write = write
        self._human_role = human_role
        self._events: list[dict[str, Any]] = []
        self._first = True

    def begin(self) -> None: ...

    def open(self, conversation: str, channel: str) -> None:
        self._first, self._events = True, []
        self._write(f'{{"id": {_json(conversation)}, "channel": {_json(channel)}, "messages": [')

    def line(self, line: Line) -> None:
        if line.role is None:
            self._events.append(_event(line))
            return
        role = self._human_role if line.role == "human_agent" else line.role
        name = {"name": line.name} if line.name else {}
        message = {"role": role, "content": line.text, **name, "metadata": self._metadata(line)}
        self._write(f"{'' if self._first else ', '}{_json(message)}")
        self._first = False

    def _metadata(self, line: Line) -> dict[str, Any]:
        events, self._events = self._events, []
        happened = {"events": events} if events else {}
        speaker = {"speaker": line.role} if line.role == "human_agent" else {}
        why = {"reason": line.reason} if line.reason else {}
        return {
            "time": format_time(line.time),
            "outcome": line.outcome,
            **why,
            **speaker,
            **happened,
            **({"files": list(map(_file, line.files))} if line.files else {}),
        }

    def close(self) -> None:
        happened = {"events": self._events} if self._events else {}
        self._write(f'], "metadata": {_json(happened)}}}\n')

    def end(self) -> None: ...


class Csv:
    COLUMNS = (
        "conversation", "time", "role", "name", "kind", "text", "reason", "outcome", "files",
    )  # fmt: skip

    def __init__(self, write: Write, human_role: str) -> None:
        self._write = write
        self._human_role = human_role
        self._conversation = ""

    def begin(self) -> None:
        self._write(spreadsheets.header(self.COLUMNS))

    def open(self, conversation: str, channel: str) -> None:
        self._conversation = conversation

    def line(self, line: Line) -> None:
        role = self._human_role if line.role == "human_agent" else line.role
        said = (
            role or "",
            line.name or "",
            line.kind,
            line.text or "",
            line.reason or "",
            line.outcome,
            "\n".join(one.saved or _title(one) for one in line.files),
        )
        self._write(spreadsheets.row([self._conversation, format_time(line.time), *said]))

    def close(self) -> None: ...

    def end(self) -> None: ...


HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>Transcripts</title><style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
:root { color-scheme: light dark; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; border-top: 1px solid; padding-top: 1rem; }
p { margin: .6rem 0; overflow-wrap: anywhere; } span { display: block; white-space: pre-wrap; }
.event { font-style: italic; } .event b { font-weight: normal; }
.user { margin-inline-start: 3rem; }
time, .outcome { font-size: .8rem; opacity: .75; }
</style></head><body><h1>Transcripts</h1>
"""


class Html:
    def __init__(self, write: Write, human_role: str) -> None:
        self._write = write
        self._roles = {"user": "Customer", "assistant": "BOT", "human_agent": "HUMAN"}

    def begin(self) -> None:
        self._write(HEAD)

    def open(self, conversation: str, channel: str) -> None:
        self._write(f"<h2>{html.escape(conversation)}</h2>\n")

    def line(self, line: Line) -> None:
        """Returns one line. Each part is a `bdi` element: text that is written from right to left
        does not change the order of others.
        """
        who = " ".join(
            filter(None, (self._roles[line.role] if line.role else line.kind, line.name))
        )
        how = ": ".join(
            filter(None, (line.outcome, line.reason if line.reason != line.outcome else None))
        )
        text = f'<span dir="auto">{html.escape(line.text or "")}</span>' if line.role else ""
        time = f"<time>{format_time(line.time)[:19].replace('T', ' ')}</time>"
        about = (
            f"{time} <b><bdi>{html.escape(who)}</bdi></b> <bdi "
            f'class="outcome">{html.escape(how)}</bdi>'
        )
        files = "".join(map(_anchor, line.files))
        self._write(f'<p class="{line.role or "event"}">{about}{text}{files}</p>\n')

    def close(self) -> None: ...

    def end(self) -> None:
        self._write("</body></html>\n")


FORMATS: Mapping[str, Callable[[Write, str], Format]] = {"jsonl": Jsonl, "csv": Csv, "html": Html}


def _event(line: Line) -> dict[str, Any]:
    known = {"name": line.name, "reason": line.reason}
    there = {key: value for key, value in known.items() if value}
    return {"time": format_time(line.time), "kind": line.kind, **there, "outcome": line.outcome}


def _file(named: NamedFile) -> dict[str, Any]:
    """Returns what a file is, without the platform's own id and link, which end soon."""
    shown = named.file.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"id", "link", "upload"}
    )
    return {**shown, **({"saved": named.saved} if named.saved else {})}


def _title(named: NamedFile) -> str:
    file = named.file
    return file.file_name or f"[{file.kind or 'file'}]"


def _anchor(named: NamedFile) -> str:
    title = f"<bdi>{html.escape(_title(named))}</bdi>"
    if named.saved is None:
        return f'<span class="file">{title}</span>'
    return f'<span class="file"><a href="{html.escape(quote(named.saved))}">{title}</a></span>'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
