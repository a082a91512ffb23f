"""People who answer customers: who they are, and what they do now."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field

from shared.schemas.base import Ours, Stored
from shared.schemas.notation import Time
from shared.schemas.representative import Representative, RepresentativeType

MOST_PAGES = 20


class Role(StrEnum):
    """What a person may do.

    An agent answers customers. A supervisor also sees, moves and takes over the conversations of
    others. `reports` sees the reports and nothing else. An admin may do everything.
    """

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    REPORTS = "reports"
    ADMIN = "admin"


class Person(Ours):
    """A person of `BATON_AGENTS`.

    - `id`: their e-mail address in lower case, or the name of their key. It is the name under
      which they hold conversations.
    - `languages`: the languages that they speak, as in BCP 47; empty for any.
    - `desks`: the desks whose customers they answer; empty for every desk.
    - `capacity`: how many conversations they hold at once, None for any number.
    """

    id: str
    name: str
    avatar: str | None = None
    languages: tuple[str, ...] = ()
    desks: tuple[str, ...] = ()
    capacity: Annotated[int, Field(ge=0)] | None = None
    role: Role = Role.AGENT

    @property
    def representative(self) -> Representative:
        """Returns the representative as whom they speak."""
        return Representative(
            representative_type=RepresentativeType.HUMAN,
            display_name=self.name,
            avatar_image=self.avatar,
        )


class Slot(Stored):
    """What a conversation that a person holds, or is offered, takes of their capacity."""

    conversation: str
    kind: Literal["offered", "held"]


class Presence(Stored):
    """What a person does now. The document is `people/{hash of the id}`.

    - `state`: `away` gets no offers, and keeps what it holds.
    - `pages`: the desk pages that are open, and until when each is known to be. Without pages the
      person works by the API only: they are offered nothing by Baton, and are never gone.
    - `slots`: by the id of the claim or offer that took each, never by conversation.
    - `assigned_at`: when Baton last offered them a conversation.
    """

    id: str
    state: Literal["available", "away"] = "away"
    pages: dict[str, Time] = Field(default_factory=dict)
    slots: dict[str, Slot] = Field(default_factory=dict)
    assigned_at: Time | None = None
    version: int = 0

    @property
    def due_at(self) -> Time | None:
        """When the last of their pages is gone, None where nothing has to follow from that."""
        return max(self.pages.values(), default=None) if self.slots else None

    def is_gone(self, now: datetime) -> bool:
        """Returns whether they had pages open, and none is open any more."""
        return bool(self.pages) and all(until <= now for until in self.pages.values())

    def has_page(self, now: datetime) -> bool:
        """Returns whether a page of theirs is open."""
        return bool(self.pages) and not self.is_gone(now)

    def is_available(self, now: datetime) -> bool:
        """Returns whether they may be offered a conversation."""
        return self.state == "available" and self.has_page(now)

    def on_page(self, page: str, until: datetime, now: datetime) -> Self:
        """Returns the person with this page known to be open until then. Pages that are gone are
        forgotten, and so are the oldest of too many.
        """
        others = [(name, end) for name, end in self.pages.items() if end > now and name != page]
        return self._next(pages={**dict(others[-MOST_PAGES:]), page: until})

    def in_state(self, state: Literal["available", "away"]) -> Self:
        """Returns the person as available or away."""
        return self._next(state=state)

    def with_slot(self, slot: str, taken: Slot, now: datetime, *, assigned: bool) -> Self:
        """Returns the person with this slot. `assigned`: Baton offers the conversation itself.

        Who takes a conversation after their pages are gone works by the API: they are not gone.
        """
        by_api = taken.kind == "held" and self.is_gone(now)
        return self._next(
            slots={**self.slots, slot: taken},
            pages={} if by_api else self.pages,
            assigned_at=now if assigned else self.assigned_at,
        )

    def without(self, slots: Collection[str]) -> Self:
        """Returns the person without these slots."""
        return self._next(slots={one: of for one, of in self.slots.items() if one not in slots})

    def _next(self, **update: object) -> Self:
        return self.model_copy(update={**update, "version": self.version + 1})


class PersonSeen(Ours):
    """A person, as a decision may know them: read before it, and a precondition of its commit.

    - `slots`: the ids of their slots. `available`: they may be offered a conversation now.
    """

    person: Person
    available: bool = False
    slots: tuple[str, ...] = ()

    @property
    def room(self) -> int | None:
        """Returns how many more conversations they take, None for any number."""
        capacity = self.person.capacity
        return None if capacity is None else max(0, capacity - len(self.slots))


class SlotTaken(Ours):
    """A slot that a decision takes, in the same commit: an offered one becomes a held one."""

    person: str
    slot: str
    kind: Literal["offered", "held"]
