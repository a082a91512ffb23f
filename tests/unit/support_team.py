"""A conversation with people of `BATON_AGENTS`: their rooms are kept as the store keeps them."""

from datetime import timedelta
from typing import Any

from shared.handoff.machine import Decision
from shared.schemas import events, own_events
from shared.schemas.commands import FreeSlot, Publish, SendEvent
from shared.schemas.people import Person, PersonSeen
from tests.unit.talk import Talk

JANE = Person(id="jane@example.com", name="Jane", capacity=2)
OMAR = Person(id="omar@example.com", name="Omar", capacity=1)
ZOE = Person(id="zoe@example.com", name="Zoe")  # the supervisor


class Team(Talk):
    """`rooms` has the slots of each person, by the commits that took and freed them."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.rooms: dict[str, set[str]] = {one.id: set() for one in (JANE, OMAR, ZOE)}
        self.away: set[str] = set()

    def seen(self, person: Person) -> PersonSeen:
        return PersonSeen(
            person=person,
            available=person.id not in self.away,
            slots=tuple(sorted(self.rooms[person.id])),
        )

    def take(self, event: events.Event) -> Decision:
        decision = super().take(event)
        for taken in decision.slots:
            self.rooms[taken.person].add(taken.slot)
        for command in decision.commands:
            if isinstance(command, FreeSlot):
                self.rooms[command.person].discard(command.slot)
        if isinstance(event, own_events.PersonGone):
            self.rooms[event.person].discard(event.slot)
        return decision

    def by(self, who: Person, **more: Any) -> dict[str, Any]:
        acts: dict[str, Any] = {"fact": False, "key": who.id, "person_id": who.id}
        return {**self.common(), **acts, "representative": who.representative, **more}

    def asks(self) -> Decision:
        return self.wants_human(fact=False)

    def claims(self, person: Person, **more: Any) -> Decision:
        return self.take(events.Claim(**self.by(person, person=self.seen(person), **more)))

    def adds(self, person: Person) -> Decision:
        return self.take(events.HumanJoined(**self.by(person, person=self.seen(person))))

    def takes_over(self, person: Person, seen: str | None, **more: Any) -> Decision:
        room = self.seen(person)
        return self.take(events.TakeOver(**self.by(person, person=room, seen_holder=seen, **more)))

    def goes(self, person: Person) -> Decision:
        return self.take(events.HumanLeft(**self.by(person, reason="done")))

    def writes(self, person: Person, text: str = "hello") -> Decision:
        return self.says(text, person.name, fact=False, key=person.id, person_id=person.id)

    def offers(self, by: Person, to: Person, **more: Any) -> Decision:
        values: dict[str, Any] = {
            "to_agent": to.id,
            "person": self.seen(to),
            "reason": "knows it",
            **more,
        }
        return self.take(events.Transfer(**self.by(by, **values)))

    def passes(self, by: Person, desk: str | None = None, **more: Any) -> Decision:
        where: dict[str, Any] = {"to_desk": desk} if desk else {"to_queue": True}
        return self.take(events.Transfer(**self.by(by, **where, **more)))

    def declines(self, person: Person, offer: str | None = None) -> Decision:
        return self.ends_offer(person, "declined", offer)

    def withdraws(self, person: Person, offer: str | None = None, **more: Any) -> Decision:
        return self.ends_offer(person, "withdrawn", offer, **more)

    def ends_offer(self, person: Person, why: Any, offer: str | None, **more: Any) -> Decision:
        acts: dict[str, Any] = {
            **self.common(),
            "fact": False,
            "key": person.id,
            "by": person.id,
            **more,
        }
        return self.take(events.OfferEnded(**acts, why=why, offer=offer or self.offer))

    def offer_expires(self, offer: str | None = None) -> Decision:
        self.now += timedelta(seconds=45)
        return self.take(own_events.OfferTimeout(**self.common(), offer=offer or self.offer))

    def baton_offers(self, to: Person) -> Decision:
        return self.take(own_events.Offered(**self.common(), to=to.id, person=self.seen(to)))

    def finds_nobody(self) -> Decision:
        look = self.conversation.assign
        assert look is not None
        return self.take(own_events.AssignTimeout(**self.common(), armed=look.armed, n=look.n))

    def is_gone(self, person: Person, slot: str | None = None) -> Decision:
        gone = slot or next(iter(sorted(self.rooms[person.id])))
        return self.take(own_events.PersonGone(**self.common(), person=person.id, slot=gone))

    def silent(self) -> Decision:
        self.now += timedelta(minutes=30)
        return self.idle()

    def reminded(self) -> Decision:
        self.now += timedelta(minutes=2)
        return self.timeout()

    @property
    def offer(self) -> str:
        offer = self.conversation.offer
        assert offer is not None
        return offer.id

    @property
    def here(self) -> list[str]:
        return [human.representative.name for human in self.conversation.humans]

    @property
    def tried(self) -> list[str]:
        return list(self.conversation.tried)

    @property
    def frames(self) -> list[str]:
        """Returns the JOINED and LEFT that the customer gets, in order."""
        return [
            f"{one.event_type.removeprefix('REPRESENTATIVE_')} {one.representative.name}"
            for one in self.done
            if isinstance(one, SendEvent)
        ]

    @property
    def notified(self) -> list[dict[str, Any]]:
        return [
            one.body for one in self.done if isinstance(one, Publish) and one.topic.endswith("offs")
        ]

    @property
    def kinds(self) -> list[str]:
        return [one["type"] for one in self.notified]


def named(decision: Decision) -> str | None:
    """Returns why a request was refused."""
    return decision.refusal.reason if decision.refusal else None
