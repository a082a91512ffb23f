"""People who answer customers in Matrix, with a real client (matrix-nio)."""

import asyncio
import io
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import nio

from infra.local.server import PATIENCE_SECONDS
from tests.homeserver.server import PASSWORD, Spoken, spoken, user_id
from tests.homeserver.stored import is_picture
from tests.kill.story import FIRST_NAP, LONGEST_NAP, PIXEL

T = TypeVar("T")
SYNC_MILLISECONDS = 10_000
READ_LIMIT = 200


@dataclass
class Person:
    """Somebody who is signed in, and whose client follows what happens."""

    name: str
    client: nio.AsyncClient
    loop: asyncio.AbstractEventLoop
    typing: dict[str, list[str]] = field(default_factory=dict)  # by room, who types now
    read: dict[str, dict[str, str]] = field(default_factory=dict)  # by room and user, which event

    @property
    def id(self) -> str:
        return user_id(self.name)

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Returns the server's answer. The client repeats what it could not send."""
        answer = asyncio.run_coroutine_threadsafe(what, self.loop).result(PATIENCE_SECONDS)
        assert not isinstance(answer, nio.ErrorResponse), answer
        return answer

    def until(self, holds: Callable[[], T]) -> T:
        """Returns the first true value of `holds`."""

        async def waiting() -> T:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (found := holds()):
                    await asyncio.sleep(0.02)
                return found

        return self.do(waiting())

    def accepts(self, room: str) -> None:
        """Accepts the invitation to a room once it comes."""
        self.until(lambda: room in self.client.invited_rooms)
        self.joins(room)

    def joins(self, room: str) -> None:
        self.do(self.client.join(room))

    def declines(self, room: str) -> None:
        self.until(lambda: room in self.client.invited_rooms)
        self.leaves(room)

    def leaves(self, room: str) -> None:
        self.do(self.client.room_leave(room))

    def says(self, room: str, text: str, **more: Any) -> str:
        """Returns the id of the event."""
        return self._sends(room, {"msgtype": "m.text", "body": text, **more})

    def replies(self, room: str, about: str, text: str) -> str:
        relation = {"m.in_reply_to": {"event_id": about}}
        return self.says(room, text, **{"m.relates_to": relation})

    def edits(self, room: str, about: str, text: str) -> str:
        new = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": about}
        return self.says(room, f"* {text}", **{"m.new_content": new, "m.relates_to": relation})

    def redacts(self, room: str, about: str) -> None:
        self.do(self.client.room_redact(room, about))

    def reacts(self, room: str, about: str, key: str) -> str:
        relation = {"rel_type": "m.annotation", "event_id": about, "key": key}
        return self._sends(room, {"m.relates_to": relation}, "m.reaction")

    def sends_file(self, room: str, name: str, mime_type: str, content: bytes) -> str:
        upload = self.client.upload(
            lambda *_: io.BytesIO(content), mime_type, name, filesize=len(content)
        )
        uploaded = asyncio.run_coroutine_threadsafe(upload, self.loop).result(PATIENCE_SECONDS)[0]
        assert isinstance(uploaded, nio.UploadResponse), uploaded
        kind = "m.image" if mime_type.startswith("image/") else "m.file"
        info = {"mimetype": mime_type, "size": len(content)}
        body = {"msgtype": kind, "body": name, "url": uploaded.content_uri, "info": info}
        return self._sends(room, body)

    def sends_picture(self, room: str) -> str:
        return self.sends_file(room, "pixel.png", "image/png", PIXEL)

    def types(self, room: str, typing: bool = True) -> None:
        self.do(self.client.room_typing(room, typing, 30_000))

    def reads(self, room: str, event: str) -> None:
        self.do(self.client.update_receipt_marker(room, event))

    def downloads(self, media: str) -> bytes:
        answer = self.do(self.client.download(media))
        assert isinstance(answer, nio.MemoryDownloadResponse)
        return bytes(answer.body)

    def timeline(self, room: str) -> list[dict[str, Any]]:
        """Returns the events of a room that this person may read, the oldest first."""
        direction = nio.MessageDirection.back
        asked = self.client.room_messages(room, limit=READ_LIMIT, direction=direction)
        return [event.source for event in self.do(asked).chunk][::-1]

    def shown(self, room: str) -> list[Spoken]:
        """Returns the messages as a client shows them."""
        return [one for one in spoken(self.timeline(room)) if not one.redacted]

    def heard(self, room: str) -> list[str]:
        """Returns the words of others, as a client shows them."""
        return [one.text for one in self.shown(room) if one.sender != self.id]

    def hears(self, room: str, text: str) -> bool:
        return any(text in one for one in self.heard(room))

    def sees_picture(self, room: str) -> bool:
        of_others = [one for one in self.shown(room) if one.sender != self.id and is_picture(one)]
        return any(not one.media or self.downloads(one.media) == PIXEL for one in of_others)

    def waits_to_hear(self, room: str, text: str) -> Spoken:
        """Returns the message with this text, once it has come."""
        return self._waits_for(room, lambda one: text in one.text)

    def waits_to_see(self, room: str, kind: str) -> Spoken:
        """Returns the first message of others of this kind, once it has come."""
        return self._waits_for(room, lambda one: one.kind == kind and one.sender != self.id)

    def _waits_for(self, room: str, holds: Callable[[Spoken], bool]) -> Spoken:
        deadline, nap = time.monotonic() + PATIENCE_SECONDS, FIRST_NAP
        while True:
            shown = self.shown(room)
            for one in shown:
                if holds(one):
                    return one
            assert time.monotonic() < deadline, f"it did not come; the room shows {shown}"
            time.sleep(nap)
            nap = min(nap * 1.5, LONGEST_NAP)

    def _sends(self, room: str, content: dict[str, Any], kind: str = "m.room.message") -> str:
        return str(self.do(self.client.room_send(room, kind, content)).event_id)


class Signed:
    """People who are signed in while the context lasts, in a thread of their own."""

    def __init__(self, homeserver: str, *names: str) -> None:
        self._homeserver, self._names = homeserver, names
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._following: list[asyncio.Task[None]] = []
        self.people: dict[str, Person] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        for name in self._names:
            asyncio.run_coroutine_threadsafe(self._sign_in(name), self._loop).result(
                PATIENCE_SECONDS
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._sign_out(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    async def _sign_in(self, name: str) -> None:
        # while the homeserver is down, it asks again soon
        config = nio.AsyncClientConfig(max_timeout_retry_wait_time=0.5)
        client = nio.AsyncClient(self._homeserver, user_id(name), config=config)
        signed = await client.login(PASSWORD)
        assert isinstance(signed, nio.LoginResponse), signed
        person = self.people[name] = Person(name, client, self._loop)

        def typed(room: nio.MatrixRoom, event: nio.TypingNoticeEvent) -> None:
            person.typing[room.room_id] = list(event.users)

        def was_read(room: nio.MatrixRoom, event: nio.ReceiptEvent) -> None:
            seen = person.read.setdefault(room.room_id, {})
            seen.update({one.user_id: one.event_id for one in event.receipts})

        client.add_ephemeral_callback(typed, nio.TypingNoticeEvent)
        client.add_ephemeral_callback(was_read, nio.ReceiptEvent)
        await client.sync(timeout=0)
        self._following.append(asyncio.create_task(self._follow(client)))

    @staticmethod
    async def _follow(client: nio.AsyncClient) -> None:
        while True:
            answer = await client.sync(timeout=SYNC_MILLISECONDS)
            if isinstance(answer, nio.SyncError):
                await asyncio.sleep(0.2)

    async def _sign_out(self) -> None:
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        for person in self.people.values():
            await person.client.close()
