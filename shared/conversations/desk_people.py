"""Who the people of a desk are, where the desk's events name them by an id alone."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar, cast

from shared.conversations.desk_message_ids import (
    about_customers_message,
    about_what_was_passed_on,
)
from shared.errors import Unavailable
from shared.platforms.base import (
    HasPeople,
    HasPlaces,
    Outcome,
    Profile,
    is_able,
    outcome_of_status,
)
from shared.ports import Ports
from shared.schemas.conversation import Conversation
from shared.schemas.ephemeral import AgentSignal
from shared.schemas.events import (
    ByRepresentative,
    HumanMessage,
    HumanReacted,
    HumanRevoked,
)
from shared.schemas.notation import platform_of
from shared.schemas.people import Person
from shared.schemas.representative import NAME_LIMIT, Representative, RepresentativeType
from shared.schemas.texts import shortened

KNOWN_FOR = timedelta(minutes=10)
MOST_KNOWN = 1000  # people of an instance
SECONDS = 2.0  # platforms wait a few seconds for the answer to a webhook

_NAMES_A_MESSAGE = HumanMessage | HumanReacted
ByPerson = TypeVar("ByPerson", ByRepresentative, AgentSignal)


async def named(ports: Ports, one: ByPerson) -> ByPerson:
    """Returns the event with the name and picture of the person who acts. A person with the e-mail
    address of one in `BATON_AGENTS` speaks under that name.

    Raises Unavailable if the desk does not say who it is: the event must come again, because the
    same person must always have the same name.
    """
    person = one.native_person
    if person is None or (isinstance(one, ByRepresentative) and one.named):
        return one
    name = platform_of(one.source)
    platform = ports.platforms.get(name)
    if not isinstance(platform, HasPeople):
        return one
    profile = await _profile(ports, platform, name, person)
    who = _representative(profile, person, ports.people)
    return one.model_copy(update={"representative": who})


def as_known_here(conversation: Conversation, one: ByPerson) -> ByPerson:
    """Returns the event under the name by which the customer knows the person who acts: somebody
    who is present keeps the name with which they joined, and a second person of that name gets a
    number.
    """
    if one.native_person is None:
        return one
    at = platform_of(one.source)
    here = {
        human.native: human.representative
        for human in conversation.humans
        if human.native is not None and platform_of(human.source) == at
    }
    who = here.get(one.native_person) or _unlike(one.representative, here.values())
    return one if who == one.representative else one.model_copy(update={"representative": who})


def _unlike(who: Representative, others: Collection[Representative]) -> Representative:
    """Returns a person under a name that none of the others has."""
    taken, name, number = {one.name for one in others}, who.name, 1
    while name in taken:
        number += 1
        end = f" ({number})"
        name = f"{shortened(who.name, NAME_LIMIT - len(end))}{end}"
    return who if name == who.name else who.model_copy(update={"display_name": name})


async def as_ours(ports: Ports, one: ByRepresentative) -> ByRepresentative | None:
    """Returns what a person did, with their name and the ids of the customer's messages; None for
    what is about a message that is not known. Raises as `named`.
    """
    platform = ports.platforms.get(platform_of(one.source))
    about: ByRepresentative | None = one
    if platform is not None and is_able(type(platform), HasPlaces):
        about = await _placed(ports, cast("HasPlaces", platform), one)
    if isinstance(about, HumanRevoked):
        about = await about_what_was_passed_on(ports, about)
    elif isinstance(about, _NAMES_A_MESSAGE) and about.about is not None:
        about = await about_customers_message(ports, about)
    return None if about is None else await named(ports, about)


async def _placed(
    ports: Ports, platform: HasPlaces, one: ByRepresentative
) -> ByRepresentative | None:
    """Returns the event with the chat in which it took place, None if it was in none. Raises
    Unavailable if the platform does not say it now.
    """
    lookup = platform.place_lookup(one)
    if lookup is None:
        return one
    answer = await ports.sender.send(replace(lookup, timeout=SECONDS))
    if answer is None:
        raise Unavailable("platform-failed", "The platform does not say where this was.")
    return platform.placed(one, answer)


async def _profile(ports: Ports, platform: HasPeople, name: str, person: str) -> Profile:
    now, known = ports.clock.now(), ports.profiles
    found = known.get((name, person))
    if found is not None and now < found[1]:
        return found[0]
    answer = await ports.sender.send(replace(platform.person_lookup(person), timeout=SECONDS))
    if answer is None or outcome_of_status(answer.status) is Outcome.TRANSIENT:
        raise Unavailable("person-unknown", "The platform does not say who this is. Send it again.")
    profile = platform.profile(answer)
    while len(known) >= MOST_KNOWN:
        del known[next(iter(known))]
    known[name, person] = profile, now + KNOWN_FOR
    return profile


def _representative(profile: Profile, person: str, people: Mapping[str, Person]) -> Representative:
    ours = people.get(profile.email) if profile.email else None
    if ours is not None:
        return ours.representative
    return Representative(
        representative_type=RepresentativeType.HUMAN,
        display_name=shortened(profile.name or person, NAME_LIMIT),
        avatar_image=profile.avatar,
    )
