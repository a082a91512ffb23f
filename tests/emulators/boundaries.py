"""Every call that the functions make about a conversation, numbered as it comes; any of them can be
made the last.

At a boundary the call is held: before it takes effect, or when it has taken effect and its answer
is on the way. There the process is killed, so that one kill strikes many conversations, each at
another boundary.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

T = TypeVar("T")
Side = Literal["before", "after"]
CONVERSATION = re.compile(rb"crash-[0-9]+x")


class Struck(Exception):
    """The process of the caller was killed; there is no caller to answer."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The `n`th call of a conversation, and on which side of its taking effect."""

    n: int
    side: Side


@dataclass
class Boundaries:
    """`seen` is what each conversation called, `plan` the boundary at which it stops, `held` the
    boundary at which it is held now.
    """

    seen: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    plan: dict[str, Boundary] = field(default_factory=dict)
    held: dict[str, Boundary] = field(default_factory=dict)
    _dead: asyncio.Event = field(default_factory=asyncio.Event)

    async def cross(self, call: str, request: bytes, work: Callable[[], Awaitable[T]]) -> T:
        """Returns what `work` returns, unless this is where its conversation is struck. Raises
        Struck.
        """
        found = CONVERSATION.search(request)
        if found is None:
            return await work()
        conversation = found.group().decode()
        self.seen[conversation].append(call)
        n = len(self.seen[conversation])
        await self._hold(conversation, Boundary(n, "before"))
        result = await work()
        await self._hold(conversation, Boundary(n, "after"))
        return result

    async def _hold(self, conversation: str, here: Boundary) -> None:
        if self.plan.get(conversation) == here:
            del self.plan[conversation]
            self.held[conversation] = here
            try:
                await self._dead.wait()
            finally:
                self.held.pop(conversation, None)
            raise Struck

    def bury(self) -> None:
        """Lets go of what is held, once the callers are dead."""
        self._dead.set()
        self._dead = asyncio.Event()
