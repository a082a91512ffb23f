"""Which entries sent these messages. Questions that are asked at the same time are one query: a
webhook may report on hundreds of messages, most of which Baton did not send.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from shared.stores.firestore import messages as forms
from shared.stores.firestore.rpc import FirestoreRpc

Asked = dict[str, asyncio.Future[Any]]


class SentMessages:
    """Finds the documents of journal entries by the platform's own ids of their messages."""

    def __init__(self, rpc: FirestoreRpc) -> None:
        self._rpc = rpc
        self._next: Asked = {}
        self._running: set[asyncio.Task[None]] = set()

    async def find(self, native: str) -> Any | None:
        """Returns the document of the latest entry with this key. Raises Unavailable."""
        if not self._next:
            task = asyncio.create_task(self._ask_soon())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        asked = self._next.setdefault(native, asyncio.get_running_loop().create_future())
        return await asyncio.shield(asked)  # others may wait for it too

    async def _ask_soon(self) -> None:
        await asyncio.sleep(0)  # until all who ask now have asked
        asked, self._next = self._next, {}
        keys, most = [*asked], forms.MOST_AT_ONCE
        parts = [keys[n : n + most] for n in range(0, len(keys), most)]
        await asyncio.gather(*(self._ask(part, asked) for part in parts))

    async def _ask(self, natives: Sequence[str], asked: Asked) -> None:
        found: dict[str, Any] = {}
        try:
            for document in await self._rpc.query(self._rpc.root, forms.find_by_natives(natives)):
                found = dict.fromkeys(forms.natives_of(document), document) | found
        except Exception as error:  # of any kind: all who asked raise it
            for native in natives:
                asked[native].set_exception(error)
                asked[native].exception()  # one who was cancelled meanwhile does not
        else:
            for native in natives:
                asked[native].set_result(found.get(native))
