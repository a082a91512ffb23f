"""One customer under many names: the sequences that broke a design which was thrown away, each with
the outcome that it must have.
"""

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.api.handlers import Ask, get_journal, link, rename
from shared.conversations import requests as control
from shared.conversations.apply import apply
from shared.conversations.receive_webhook import receive_webhook
from shared.conversations.resolve import where_it_acts
from shared.customers import links, same_customer
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.errors import BadRequest, NotFound, Refused
from shared.handoff.visibility import words_for
from shared.media.names import kept_name
from shared.media_links import MediaName
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.commands import CallDesk, Publish, Record, SendMessage, State
from shared.schemas.conversation import Channel, Conversation, Phase
from shared.schemas.desks import Called
from shared.schemas.events import HumanJoined, HumanLeft, HumanMessage
from shared.schemas.http import Request
from shared.schemas.journal import Verdict
from shared.schemas.notation import conversation_id
from shared.schemas.notifications import HANDOFFS, USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience
from shared.settings.types import ApiKey
from shared.stores.cache import CachedStore
from shared.stores.media.directory import DirectoryStore
from tests.unit.use_cases.phones_play import RCS_ANA, bot, ports_of, rcs, signed, wamid

N, U, V, M = "12025550100", "US.111", "US.222", "12025550999"
NAMES = {
    one: conversation_id("whatsapp", f"1:{'+' if one[0] != 'U' else ''}{one}")
    for one in (N, U, V, M)
}
JANE, OMAR = (
    Representative(representative_type=RepresentativeType.HUMAN, display_name=one)
    for one in ("Jane", "Omar")
)


class World:
    """A business's number on WhatsApp, at two instances of Baton; each has a cache of its own."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.counted = Counted(bench.store)
        self.instances = [
            replace(ports_of(bench), store=CachedStore(self.counted)) for _ in range(2)
        ]
        self.begin = bench.clock.now()
        self.ids = itertools.count()

    @property
    def ports(self) -> Ports:
        return self.instances[0]

    async def says(self, message: str, *names: str, at: int = 0, on: int = 0) -> None:
        await self.reports(on, {**self._from(*names, at=at), **_text(message)})

    async def begins_twice(self, on: int = 0) -> None:
        """One customer writes under their number, and then under their user id: nothing says yet
        that they are one.
        """
        await self.says("m1", N, at=1)
        await self.says("m2", U, at=2, on=on)

    async def changed(
        self, message: str, old: str, told: dict[str, str], at: int = 0, on: int = 0
    ) -> None:
        system = {"type": "user_changed_number", **told}
        item = {"id": wamid(message), "type": "system", "system": system}
        await self.reports(on, {**self._from(old, at=at), **item})

    async def reports(self, on: int, message: dict[str, Any]) -> None:
        answer = await receive_webhook(self.instances[on], signed(messages=[message]))
        assert answer.status == 200

    def _from(self, *names: str, at: int) -> dict[str, Any]:
        when = self.begin + timedelta(seconds=at)
        self.bench.clock.time = max(self.bench.clock.time, when)
        fields = {("from_user_id" if one[0] == "U" else "from"): one for one in names}
        return {**fields, "timestamp": str(int(when.timestamp()))}

    async def acts(self, kind: type[Any], conversation: str, who: Representative) -> None:
        more = {"content": {"text": "hello"}} if kind is HumanMessage else {}
        event = kind.model_validate(
            {
                "id": f"a{next(self.ids)}",
                "source": conversation,
                "actor": "key:x",
                "key": "x",
                "fact": False,
                "representative": who,
                **more,
            }
        )
        applied = await apply(self.ports, event)
        assert applied.refusal is None, applied.refusal

    async def acts_as_customer(self, name: str) -> None:
        button = {"payload": "baton:request-human", "text": "A person"}
        item = {"id": wamid("ask"), "type": "button", "button": button}
        await self.reports(0, {**self._from(name, at=2), **item})

    async def homes(self) -> dict[str, list[str]]:
        """Returns what was said, by the conversation in which it is."""
        found: dict[str, list[str]] = {}
        page = await self.bench.store.conversations(None, 100)
        for one in page.items:
            if one.same_as is not None:
                continue
            said = []
            for former in (*one.formerly, one):
                journal = await self.bench.store.journal(former.id, None, 100)
                said += [words_for(Audience.AGENT, entry.value) for entry in journal.items]
            found[one.id] = sorted(filter(None, said))
        return {id: said for id, said in found.items() if said}

    async def conversation(self, name: str) -> Conversation:
        found = await where_it_acts(self.ports, NAMES.get(name, name))
        assert found is not None
        return found.value

    async def delivered(self, *conversations: str) -> None:
        for one in conversations:
            await deliver(self.ports, one)

    def shown(self) -> list[str]:
        calls: Any = self.ports.sender
        sent = [json.loads(one.body) for one in calls.calls if "graph.facebook" in one.url]
        return [one["text"]["body"] for one in sent if "text" in one]


class Counted:
    """A store that counts documents read and written, and calls."""

    def __init__(self, store: Any) -> None:
        self.store, self.loads, self.commits = store, list[str](), list[int]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def load(self, conversation: str, *, fresh: bool = True) -> Any:
        self.loads.append(conversation)
        return await self.store.load(conversation, fresh=fresh)

    async def commit(self, commit: Commit) -> Any:
        self.commits.append(len(commit.entries) + len(commit.conversations) + len(commit.updates))
        return await self.store.commit(commit)

    def cost(self) -> tuple[int, list[int]]:
        found = len(self.loads), self.commits.copy()
        self.loads.clear()
        self.commits.clear()
        return found


def _text(message: str) -> dict[str, Any]:
    return {"id": wamid(message), "type": "text", "text": {"body": message}}


@pytest.fixture
def world(bench: Any) -> World:
    return World(bench)


async def test_first_name_wins(world: World) -> None:
    """Trap 1: two conversations at rest, and the bot speaks in one while Jane holds the other."""
    await world.says("m1", N, at=1)
    await world.acts(HumanJoined, NAMES[N], JANE)
    await world.says("m2", U, at=2)
    await world.says("m3", U, N, at=3)
    assert await world.homes() == {NAMES[N]: ["m1", "m2", "m3"]}
    assert (await world.conversation(U)).phase is Phase.HUMAN
    assert (await apply(world.ports, bot(NAMES[U], "b-1"))).refusal is not None


@pytest.mark.parametrize("order", list(itertools.permutations([(N,), (U,), (U, N)])))
@pytest.mark.parametrize("instances", [(0, 0, 0), (0, 1, 0), (0, 0, 1)])
async def test_any_order_of_names_is_one_conversation(
    world: World, order: Any, instances: Any
) -> None:
    for _ in range(2):
        for n, (names, on) in enumerate(zip(order, instances, strict=True)):
            await world.says(f"m{n}", *names, at=n, on=on)
    (said,) = (await world.homes()).values()
    assert said == ["m0", "m1", "m2"]
    assert (await world.conversation(U)).id == (await world.conversation(N)).id


async def test_an_old_copy_does_not_say_that_a_name_is_free(world: World) -> None:
    """Trap 2."""
    await world.begins_twice(on=1)
    await world.says("m3", U, N, at=3)
    await world.says("m1", N, at=1, on=1)
    (said,) = (await world.homes()).values()
    assert said == ["m1", "m2", "m3"]


async def test_a_conversation_that_loses_its_name_is_written(world: World) -> None:
    """Trap 3: a copy of the one that had the number must fail its token."""
    await world.says("p1", U, N, at=1)
    await world.says("q1", V, N, at=9, on=1)
    await world.says("q2", N, at=10)
    assert await world.homes() == {NAMES[U]: ["p1"], NAMES[V]: ["q1", "q2"]}


async def test_the_record_comes_from_the_conversation(world: World) -> None:
    """Trap 4."""
    await world.says("m1", U, N, at=1)
    await world.says("m1", U, at=1, on=1)
    await world.says("m1", N, at=1)
    assert await world.homes() == {NAMES[U]: ["m1"]}


@pytest.mark.parametrize("names", [(N,), (U,), (U, N)])
async def test_former_journals_are_asked(world: World, names: Any) -> None:
    """Trap 5."""
    await world.begins_twice()
    await world.says("m3", U, N, at=3)
    for message in ("m1", "m2", "m3"):
        await world.says(message, *names, at=1, on=1)
    (said,) = (await world.homes()).values()
    assert said == ["m1", "m2", "m3"]


async def test_two_people_who_share_a_number_are_not_joined(world: World) -> None:
    """Trap 6: and a late pair does not take the number back."""
    await world.says("q1", V, N, at=5)
    await world.says("p1", U, N, at=1, on=1)
    await world.says("q2", N, at=6)
    assert await world.homes() == {NAMES[V]: ["q1", "q2"], NAMES[U]: ["p1"]}


async def test_a_move_remembers_whose_the_number_was(world: World) -> None:
    """Trap 7."""
    await world.says("p1", U, N, at=1)
    await world.says("q1", V, N, at=9)
    for on in (0, 1):
        await world.says("p2", N, at=2, on=on)
    assert await world.homes() == {NAMES[U]: ["p1", "p2"], NAMES[V]: ["q1"]}
    journal = await world.bench.store.journal(NAMES[U], None, 100)
    assert "number-moved" in [one.value.reason for one in journal.items]


async def test_the_names_of_a_duplicate_are_learned(world: World) -> None:
    """Trap 8."""
    await world.begins_twice()
    await world.says("m3", N, at=3)
    await world.says("m3", U, N, at=3)
    (said,) = (await world.homes()).values()
    assert said == ["m1", "m2", "m3"]


@pytest.mark.parametrize("early", [True, False])
async def test_a_change_of_number_goes_on_in_one_conversation(world: World, early: bool) -> None:
    """Trap 9: the notice first, then the older message that was under way, then the new one."""
    notice = {"previous_user_id": U, "user_id": V, "wa_id": M}
    if early:
        await world.changed("c", N, notice, at=3)
    await world.says("m1", U, N, at=1)
    if not early:
        await world.changed("c", N, notice, at=3)
        await world.changed("c", N, notice, at=3, on=1)
    await world.says("m2", V, M, at=4, on=1)
    await world.says("m3", M, at=5)
    (said,) = (await world.homes()).values()
    assert said == ["m1", "m2", "m3"]
    assert (await world.conversation(V)).address == f"1|{M}"
    await world.says("q1", N, at=9)
    assert sorted((await world.homes()).values()) == [["m1", "m2", "m3"], ["q1"]]


async def test_a_notice_that_tells_numbers_only(world: World) -> None:
    await world.says("m1", N, at=1)
    await world.changed("c", N, {"wa_id": M}, at=3)
    await world.says("m2", M, at=4)
    (said,) = (await world.homes()).values()
    assert said == ["m1", "m2"]


async def test_a_notice_after_words_from_the_new_number_joins_them(world: World) -> None:
    await world.says("m1", N, at=1)
    await world.says("m2", M, at=4)
    await world.changed("c", N, {"wa_id": M}, at=3, on=1)
    (said,) = (await world.homes()).values()
    assert said == ["m1", "m2"]


def sent_to(world: World) -> list[tuple[str, str]]:
    """Returns each text with the customer to whom it was sent."""
    calls: Any = world.ports.sender
    sent = [json.loads(one.body) for one in calls.calls if "graph.facebook" in one.url]
    texts = [one for one in sent if "text" in one]
    return [(one["text"]["body"], one.get("recipient") or one.get("to")) for one in texts]


@pytest.mark.parametrize("joined", [False, True])
async def test_words_for_a_customer_whose_number_is_anothers_go_to_their_user_id(
    world: World, joined: bool
) -> None:
    await world.says("p1", U, N, at=1)
    if joined:
        await receive_webhook(world.ports, rcs(messageId="r-1", text="hi"))
        await links.link(world.ports, NAMES[U], RCS_ANA, "admin")
        await world.says("p2", U, N, at=2)
    await world.acts(HumanJoined, NAMES[U], JANE)
    await world.says("q1", V, N, at=9, on=1)
    await world.acts(HumanMessage, NAMES[U], JANE)
    await world.delivered(NAMES[U], NAMES[V], RCS_ANA)
    assert [whom for words, whom in sent_to(world) if words == "Jane: hello"] == [U]
    await world.acts(HumanJoined, NAMES[V], OMAR)
    await world.acts(HumanMessage, NAMES[V], OMAR)
    await world.delivered(NAMES[V])
    assert [whom for words, whom in sent_to(world) if words == "Omar: hello"] == [f"+{N}"]


@pytest.mark.parametrize("names", [(U, N), (N,)])
async def test_a_late_message_does_not_bring_back_a_number_that_is_anothers(
    world: World, names: tuple[str, ...]
) -> None:
    await world.says("p1", U, N, at=1)
    await world.says("q1", V, N, at=9, on=1)
    await world.acts(HumanJoined, NAMES[U], JANE)
    await world.says("p2", *names, at=2)
    assert (await world.homes())[NAMES[U]] == ["p1", "p2"]
    await world.acts(HumanMessage, NAMES[U], JANE)
    await world.delivered(NAMES[U])
    assert [whom for words, whom in sent_to(world) if words == "Jane: hello"] == [U]


async def test_a_customer_whose_number_is_anothers_before_they_are_known(world: World) -> None:
    await world.says("q1", V, N, at=9, on=1)
    await world.says("p1", U, N, at=1)
    await world.acts(HumanJoined, NAMES[U], JANE)
    await world.acts(HumanMessage, NAMES[U], JANE)
    await world.delivered(NAMES[U])
    assert [whom for words, whom in sent_to(world) if words == "Jane: hello"] == [U]


async def test_a_human_hears_that_the_number_is_anothers_now(world: World) -> None:
    await world.says("p1", U, N, at=1)
    await world.acts(HumanJoined, NAMES[U], JANE)
    await world.says("q1", V, N, at=9)
    await world.delivered(NAMES[U])
    told = [
        one
        for one in world.bench.publisher.on(USER_MESSAGES)
        if "numberMoved" in one.get("details", {})
    ]
    assert [(one["audience"], one["conversation"]) for one in told] == [(["HUMAN"], NAMES[U])]
    assert told[0]["details"] == {"numberMoved": {"reachable": True}}
    assert "message" not in told[0]
    known = await world.conversation(U)
    assert (known.phase, [one.representative.name for one in known.humans]) == (
        Phase.HUMAN,
        ["Jane"],
    )


async def test_nothing_is_said_to_a_number_that_is_anothers_where_no_other_address_is_known(
    world: World,
) -> None:
    await world.says("p1", N, at=1)
    await world.acts(HumanJoined, NAMES[N], JANE)
    await world.delivered(NAMES[N])
    quiet = int(timedelta(days=31).total_seconds())
    await world.says("q1", V, N, at=quiet)
    shown = sent_to(world)
    words = {"content": {"text": "hello"}, "representative": JANE, "fact": False}
    event = HumanMessage.model_validate(
        {"id": "j1", "source": NAMES[N], "actor": "key:x", "occurred_at": None, **words}
    )
    applied = await apply(world.ports, event)
    assert (applied.verdict, applied.conversation.id) == (Verdict.REFUSED, NAMES[N])
    assert applied.refusal is not None
    assert applied.refusal.reason == "number-moved"
    world.bench.clock.forward(7200)
    await deliver(world.ports, NAMES[N], timers=True)
    assert sent_to(world) == shown, "the human is idle, and LEFT reaches nobody else"
    assert (await world.conversation(V)).address == f"1|{N}"


async def test_a_change_of_number_changes_the_address_at_once(world: World) -> None:
    await world.says("m1", U, N, at=1)
    await world.acts(HumanJoined, NAMES[U], JANE)
    await world.changed("c", N, {"previous_user_id": U, "user_id": V, "wa_id": M}, at=3)
    await world.acts(HumanMessage, NAMES[U], JANE)
    await world.delivered(NAMES[U], NAMES[V])
    assert [whom for words, whom in sent_to(world) if words == "Jane: hello"] == [f"+{M}"]


async def test_a_late_notice_does_not_change_the_address(world: World) -> None:
    await world.says("m1", U, N, at=1)
    await world.says("m2", U, M, at=9)
    await world.changed("c", N, {"previous_user_id": U, "user_id": U, "wa_id": N}, at=3)
    assert (await world.conversation(U)).address == f"1|{M}"


async def test_two_that_cannot_be_joined_are_told_to_the_team_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.says("m1", N, at=1)
    await world.says("m2", U, at=2)
    known = await world.bench.store.load(NAMES[N])
    many = tuple(f"csku:chat-{n}" for n in range(60))
    full = known.value.model_copy(update={"links": many})
    await world.bench.store.commit(Commit([], [Snapshot(full, known.token)]))
    for number in range(3):
        await world.says(f"m{number + 3}", U, N, at=number + 3, on=number % 2)
    assert await world.homes() == {NAMES[N]: ["m1"], NAMES[U]: ["m2", "m3", "m4", "m5"]}
    await world.delivered(NAMES[U], NAMES[N])
    told = [
        (one["conversation"], one["reason"])
        for one in world.bench.publisher.on(HANDOFFS)
        if one["type"] == "identity.conflict"
    ]
    assert told == [(NAMES[U], f"too-many-links: {NAMES[N]}")]
    errors = [one for one in capsys.readouterr().out.splitlines() if '"ERROR"' in one]
    assert len(errors) == 1


def ask_of(world: World, conversation: str, body: dict[str, Any]) -> Ask:
    key = ApiKey(name="key", may=frozenset({RepresentativeType.HUMAN}), admin=True)
    request = Request("POST", "/", json.dumps(body).encode())
    return Ask(world.ports, key, request, conversation)


async def test_two_humans_stay_two_humans(world: World) -> None:
    """Trap 10: a fact cannot be refused."""
    await world.begins_twice()
    await world.acts(HumanJoined, NAMES[N], JANE)
    world.bench.clock.forward(1)
    await world.acts(HumanJoined, NAMES[U], OMAR)
    await world.says("m3", U, N, at=3)
    known = await world.conversation(N)
    assert [one.representative.name for one in known.humans] == ["Jane", "Omar"]
    await world.acts(HumanMessage, NAMES[N], JANE)
    await world.acts(HumanMessage, NAMES[U], OMAR)
    await world.acts(HumanLeft, NAMES[U], JANE)
    assert (await world.conversation(N)).phase is Phase.HUMAN
    await world.acts(HumanLeft, NAMES[N], OMAR)
    assert (await world.conversation(U)).phase is Phase.BOT


async def test_what_the_bot_still_wanted_to_say_is_dropped(world: World) -> None:
    """Trap 11."""
    await world.begins_twice()
    await apply(world.ports, bot(NAMES[U], "b-1"))
    await world.acts(HumanJoined, NAMES[N], JANE)
    await world.says("m3", U, N, at=3)
    await world.delivered(NAMES[U], NAMES[N])
    assert "News!" not in " ".join(world.shown())
    sent = [
        command
        for entry in (await world.bench.store.journal(NAMES[U], None, 50)).items
        for command in entry.value.commands
        if isinstance(command, SendMessage)
    ]
    assert [(one.state, one.error) for one in sent] == [(State.DROPPED, "human-present")]


async def test_the_lines_wait_for_each_other(world: World) -> None:
    """Trap 12: Omar's JOINED is pending in one line; his LEFT, in the other, does not overtake."""
    await world.begins_twice()
    await world.acts(HumanJoined, NAMES[N], JANE)
    await world.delivered(NAMES[N])
    await world.acts(HumanJoined, NAMES[U], OMAR)
    await world.says("m3", U, N, at=3)
    home = (await world.conversation(U)).id
    await world.acts(HumanLeft, home, OMAR)
    await world.delivered(home)
    shown = " ".join(world.shown())
    assert shown.index("Omar") < shown.rindex("Omar")
    after = await world.conversation(U)
    assert after.waits_for == ()


async def test_the_grave_knows_its_names(world: World) -> None:
    """Trap 13."""
    await world.says("m1", U, N, at=1)
    await world.says("m2", N, at=2)
    await erase(world.ports, NAMES[N], "admin")
    assert await world.homes() == {}
    for on in (0, 1):
        await world.says("m2", N, at=2, on=on)
        await world.says("m1", U, at=1, on=on)
    assert await world.homes() == {}
    await world.says("m3", N, at=9)
    assert await world.homes() == {NAMES[U]: ["m3"]}


async def test_an_erase_reaches_what_was_joined(world: World) -> None:
    await world.begins_twice()
    await world.says("m3", U, N, at=3)
    await erase(world.ports, NAMES[N], "admin")
    for one in (NAMES[N], NAMES[U]):
        journal = await world.bench.store.journal(one, None, 100, expired=True)
        assert [entry.value.text for entry in journal.items] == [None] * len(journal.items)
    for message in ("m1", "m2", "m3"):
        for names in ((N,), (U,), (U, N)):
            await world.says(message, *names, at=3, on=1)
    assert await world.homes() == {}


async def test_a_name_is_kept_as_long_as_the_customer_writes(world: World) -> None:
    """Trap 14: its document is written again once a life, in a commit that is made anyway."""
    life = int(world.ports.policy.kept_for.total_seconds())
    await world.says("m1", U, N, at=1)
    kept = []
    for n in range(1, 4):
        world.bench.clock.forward(life + 3600)
        await world.says(f"u{n}", U, at=n * (life + 3600))
        (number,) = [one for one in (await world.conversation(U)).names if not one.strong]
        kept.append(number.kept)
        document = await world.bench.store.load(NAMES[N])
        assert document is not None
        assert document.value.version == 1 + n
    assert len(set(kept)) == 3


async def test_a_bare_number_is_not_trusted_for_ever(world: World) -> None:
    """Trap 15."""
    await world.says("p1", N, at=1)
    later = 46 * 86400
    world.bench.clock.forward(later)
    await world.says("q1", V, N, at=later)
    await world.says("q2", N, at=later + 1, on=1)
    assert await world.homes() == {NAMES[N]: ["p1"], NAMES[V]: ["q1", "q2"]}
    journal = await world.bench.store.journal(NAMES[N], None, 100)
    assert "number-quiet" in [one.value.reason for one in journal.items]


async def test_never_two_steps(world: World) -> None:
    """Trap 16."""
    await world.begins_twice()
    await world.says("m3", V, at=2)
    await world.says("m4", U, N, at=3)
    item = {"id": wamid("c"), "type": "system"}
    system = {"type": "user_changed_user_id", "previous_user_id": U, "user_id": V}
    when = {"timestamp": str(int(world.begin.timestamp()) + 5)}
    await world.reports(0, {**item, **when, "system": system})
    (home,) = await world.homes()
    assert {(await world.conversation(one)).id for one in (N, U, V)} == {home}
    assert (await control.seen(world.ports, NAMES[N])).id == home
    await world.acts(HumanJoined, NAMES[N], JANE)
    assert (await world.conversation(home)).phase is Phase.HUMAN


async def test_a_token_never_comes_again(world: World) -> None:
    """Trap 17: a grave and its next life go on counting."""
    await world.says("m1", U, N, at=1)
    before = (await world.conversation(U)).version
    await erase(world.ports, NAMES[U], "admin")
    await world.says("m2", U, N, at=2)
    assert (await world.conversation(U)).version > before + 1


async def test_the_grave_goes_on_waiting(world: World) -> None:
    """Trap 18."""
    await world.begins_twice()
    await world.acts(HumanJoined, NAMES[N], JANE)
    await world.says("m3", U, N, at=3)
    waits = (await world.conversation(U)).waits_for
    assert waits
    await erase(world.ports, NAMES[U], "admin")
    await world.says("m4", U, at=4)
    assert (await world.conversation(U)).waits_for == waits


async def test_a_batch_is_in_order_within_a_customer(world: World) -> None:
    """Trap 19: by customer, and not by name."""
    batch = []
    for n in range(12):
        names = ((N,), (U,), (U, N))[n % 3]
        batch.append({**world._from(*names, at=n), **_text(f"m{n:02}")})
    await receive_webhook(world.ports, signed(messages=batch))
    whole = await world.conversation(U)
    said = []
    for one in (*(former.id for former in whole.formerly), whole.id):
        journal = await world.bench.store.journal(one, None, 100)
        said.append([words_for(Audience.AGENT, entry.value) for entry in journal.items])
    words = [[one for one in each if one] for each in said]
    assert sorted(itertools.chain(*words)) == [f"m{n:02}" for n in range(12)]
    assert all(each == sorted(each) for each in words)


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ("5511987650101", "551187650101"),
        ("5491123456789", "541123456789"),
        ("5215512345678", "525512345678"),
    ],
)
@pytest.mark.parametrize("flip", [False, True])
async def test_both_forms_of_a_number_are_one_customer(
    world: World, written: str, other: str, flip: bool
) -> None:
    first, second = (other, written) if flip else (written, other)
    await world.says("m1", first, at=1)
    await world.says("m2", second, at=2)
    (said,) = (await world.homes()).values()
    assert said == ["m1", "m2"]
    (home,) = await world.homes()
    assert (await world.conversation(home)).address == f"1|{second}"


async def test_what_began_under_the_other_form_goes_on(world: World) -> None:
    """A conversation of an older version, named after the number as it was written."""
    old = conversation_id("whatsapp", "1:+5511987650101")
    known = Conversation(id=old, address="1|5511987650101", version=3)
    await world.bench.store.commit(Commit((), [Snapshot(known, None)]))
    await world.says("m1", "551187650101", at=1)
    await world.says("m2", "5511987650101", at=2, on=1)
    assert await world.homes() == {old: ["m1", "m2"]}


async def test_a_late_message_does_not_change_the_address(world: World) -> None:
    await world.says("m1", U, N, at=5)
    await world.says("m2", U, at=2)
    assert (await world.conversation(U)).address == f"1|{N}"
    await world.says("m3", U, at=9)
    assert (await world.conversation(U)).address == f"1|{U}"


async def test_what_names_cost(world: World) -> None:
    """Documents read, and documents written in each commit (the entry is one of them)."""
    await world.says("m1", U, N, at=1)
    assert world.counted.cost() == (2, [3])
    await world.says("m2", U, N, at=2)
    assert world.counted.cost() == (0, [2])
    await world.says("m3", U, at=3)
    assert world.counted.cost() == (0, [2])
    await world.says("m4", U, N, at=4, on=1)  # a cold instance
    assert world.counted.cost() == (2, [2])
    world.instances[1] = replace(world.ports, store=CachedStore(world.counted))
    await world.says("m5", N, at=5, on=1)
    assert world.counted.cost() == (2, [2])


async def test_what_one_name_costs(world: World) -> None:
    await world.says("m1", N, at=1)
    assert world.counted.cost() == (1, [2])
    await world.says("m2", N, at=2)
    assert world.counted.cost() == (0, [2])
    await world.says("m3", U, N, at=3)  # a pair that is new for a known customer
    assert world.counted.cost() == (2, [3])


async def test_bots_hear_of_one_conversation(world: World) -> None:
    await world.says("m1", U, N, at=1)
    await world.says("m2", N, at=2)
    await deliver(world.ports, NAMES[U])
    forms = [body for body in world.bench.publisher.on("baton-user-messages") if "message" in body]
    assert {one["conversationId"] for one in forms} == {NAMES[U]}
    named = {one["message"]["name"].partition("/messages/")[0] for one in forms}
    assert named == {f"conversations/{NAMES[U]}"}


async def test_an_id_of_a_former_conversation_is_served(world: World) -> None:
    await world.begins_twice()
    await world.says("m3", U, N, at=3)
    home = (await world.conversation(U)).id
    (former,) = {NAMES[N], NAMES[U]} - {home}
    assert (await control.channel_of(world.ports, former)).id == home
    with pytest.raises(Refused) as refused:
        await links.unlink(world.ports, former, "admin")
    assert refused.value.reason == "same-customer"
    with pytest.raises(BadRequest):
        await links.link(world.ports, former, home, "admin")


async def test_the_journal_of_the_api_begins_with_the_former_one(world: World) -> None:
    await world.begins_twice()
    await world.says("m3", U, N, at=3)
    key = ApiKey(name="desk", may=frozenset({RepresentativeType.HUMAN}))
    cursor, said = None, []
    while True:
        query: dict[str, str] = {"cursor": cursor} if cursor else {}
        ask = Ask(world.ports, key, Request("GET", "/", b"", {}, query), NAMES[N])
        page = json.loads((await get_journal(ask)).body)
        said += [one["text"] for one in page["entries"] if one.get("text")]
        cursor = page.get("nextCursor")
        if cursor is None:
            break
    assert sorted(said) == ["m1", "m2", "m3"]


async def test_a_caller_may_write_the_number_in_either_form(world: World) -> None:
    await world.says("m1", "551187650101", at=1)
    key = ApiKey(name="desk", may=frozenset({RepresentativeType.HUMAN}))
    for written in ("whatsapp:1:+5511987650101", "whatsapp:1:+551187650101"):
        ask = Ask(world.ports, key, Request("GET", "/", b""), written)
        assert (await control.seen(world.ports, ask.conversation)).address == "1|551187650101"


@pytest.mark.parametrize("held", [None, "there", "here"])
async def test_a_channel_that_is_joined_to_another_gets_the_other_name(
    world: World, held: str | None
) -> None:
    """An operator joined the number's conversation to one on RCS; then the user id turns out to be
    the same customer. Who is here in either is here in both.
    """
    await world.says("m1", N, at=1)
    await receive_webhook(world.ports, rcs(messageId="r-1", text="hi"))
    await links.link(world.ports, NAMES[N], RCS_ANA, "admin")
    await world.says("m2", U, at=2)
    if held is not None:
        await world.acts(HumanJoined, RCS_ANA if held == "there" else NAMES[U], JANE)
    await world.says("m3", U, N, at=3)
    acting = await world.conversation(U)
    assert (acting.id, acting.channel) == (RCS_ANA, NAMES[N])
    assert (await world.conversation(N)).id == RCS_ANA
    assert (acting.phase is Phase.HUMAN) == (held is not None)
    assert [one.representative.name for one in acting.humans] == (["Jane"] if held else [])
    for message, names in (("m1", (U,)), ("m2", (N,)), ("m3", (N,))):
        await world.says(message, *names, at=3, on=1)
    said = (await world.homes())[RCS_ANA]
    assert said == ["hi", "m1", "m2", "m3"] or said == ["hi", "m2", "m3"]
    await erase(world.ports, NAMES[U], "admin")
    assert await world.homes() == {}


async def test_a_waiting_customer_goes_on_waiting(world: World) -> None:
    await world.begins_twice()
    await world.acts_as_customer(N)
    await world.says("m3", U, N, at=3)
    known = await world.conversation(U)
    assert (known.id, known.phase) == (NAMES[N], Phase.QUEUED)
    assert known.timer is not None


async def test_of_two_desks_the_one_with_the_handoff_keeps_it(world: World) -> None:
    """The other's chat is closed."""
    one, two = (
        Called(desk=desk, kind="ccai", handoff=f"h-{desk}", opens_chats=True, chat=f"ccai:chat-{n}")
        for n, desk in enumerate(("sales", "support"))
    )
    for name, called, phase in ((N, one, Phase.HUMAN), (U, two, Phase.QUEUED)):
        await world.says(f"m{name}", name, at=1)
        found = await world.bench.store.load(NAMES[name])
        known = found.value
        update = {"called": called, "phase": phase, "version": known.version + 1}
        after = Snapshot(known.model_copy(update=update), found.token)
        await world.bench.store.commit(Commit((), [after]))
    await world.says("m3", U, N, at=3, on=1)
    whole = await world.conversation(U)
    assert (whole.id, whole.called, whole.past_chats) == (NAMES[N], one, ("ccai:chat-1",))
    journal = await world.bench.store.journal(NAMES[N], None, 100)
    closed = [
        (command.chat, command.action, command.reason)
        for entry in journal.items
        for command in entry.value.commands
        if isinstance(command, CallDesk) and command.action == "close"
    ]
    assert closed == [("ccai:chat-1", "close", "same-customer")]
    journal = await world.bench.store.journal(NAMES[U], None, 100)
    told = [
        command.body["type"]
        for entry in journal.items
        for command in entry.value.commands
        if isinstance(command, Publish) and command.topic == HANDOFFS
    ]
    assert told == ["handoff.failed"]


async def test_the_bot_hears_once_which_conversations_became_one(world: World) -> None:
    await world.begins_twice()
    await world.says("m3", U, N, at=3)
    await world.says("m4", U, N, at=4)
    home = (await world.conversation(U)).id
    (former,) = {NAMES[N], NAMES[U]} - {home}
    await deliver(world.ports, home)
    forms = [body for body in world.bench.publisher.on("baton-user-messages") if "message" in body]
    told = {one["message"]["text"]: one.get("details") for one in forms}
    assert told["m3"] == {"previousConversationIds": [former]}
    assert told["m4"] is None


@pytest.mark.parametrize("further", [N, U])
async def test_the_people_of_the_other_desk_leave(world: World, further: str) -> None:
    """Both had called a desk, and somebody of each has joined: whose desk does not go on has left,
    and the customer is shown it before the next words.
    """
    people = {N: (JANE, "ccai:chat-0"), U: (OMAR, "ccai:chat-1")}
    for name, (who, chat) in people.items():
        await world.says(f"m{name}", name, at=1)
        await world.acts(HumanJoined, NAMES[name], who)
        await world.delivered(NAMES[name])
        found = await world.bench.store.load(NAMES[name])
        known = found.value
        called = Called(desk=chat, kind="ccai", handoff=chat, opens_chats=True, chat=chat)
        here = tuple(human.model_copy(update={"source": chat}) for human in known.humans)
        update = {"called": called, "humans": here, "version": known.version + 1}
        if name == further:  # it has joined channels, so it goes on
            update["elsewhere"] = (Channel(id="rcs:x", address="x"),)
        await world.bench.store.commit(
            Commit((), [Snapshot(known.model_copy(update=update), found.token)])
        )
    await world.says("m3", U, N, at=3, on=1)
    whole = await world.conversation(U)
    (stays,) = [who for name, (who, _) in people.items() if name == further]
    (goes,) = [who for name, (who, _) in people.items() if name != further]
    assert [one.representative.name for one in whole.humans] == [stays.name]
    await world.delivered(NAMES[N], NAMES[U])
    leaves = [one for one in world.shown() if "left" in one]
    assert len(leaves) == 1
    assert str(goes.name) in leaves[0]
    measured: list[str] = []
    for name in (N, U):
        for entry in (await world.bench.store.journal(NAMES[name], None, 100)).items:
            records = [one for one in entry.value.commands if isinstance(one, Record)]
            measured += [measure.name.value for one in records for measure in one.measures]
    assert measured.count("handling") == 1, "of the one who has left"


@pytest.mark.parametrize("humans", [(), (N,), (U,), (N, U)])
async def test_an_operator_joins_two_conversations_of_one_number_for_good(
    world: World, humans: tuple[str, ...]
) -> None:
    await world.says("m1", N, at=1)
    await world.says("m2", U, at=2)
    for name in humans:
        await world.acts(HumanJoined, NAMES[name], {N: JANE, U: OMAR}[name])
    ask = ask_of(world, NAMES[U], {"to": NAMES[N]})
    body = json.loads((await link(ask)).body)
    whole = await world.conversation(U)
    assert (await world.conversation(N)).id == whole.id
    other = NAMES[U] if whole.id == NAMES[N] else NAMES[N]
    assert body["link"]["kind"] == "same-customer"
    assert (body["link"]["to"], body["link"]["conversation"]) == (whole.id, other)
    assert sorted(str(one.representative.name) for one in whole.humans) == sorted(
        {N: "Jane", U: "Omar"}[name] for name in humans
    )
    await world.says("m3", N, at=3, on=1)
    await world.says("m4", U, at=4)
    for message, name in (("m1", U), ("m2", N)):
        await world.says(message, name, at=1, on=1)
    (said,) = (await world.homes()).values()
    assert said == ["m1", "m2", "m3", "m4"]
    journal = await world.bench.store.journal(whole.id, None, 100)
    kinds = {(one.value.kind, one.value.actor) for one in journal.items}
    assert {("link", "key"), ("same_customer", "key")} <= kinds
    with pytest.raises(Refused) as refused:
        await links.unlink(world.ports, other, "key")
    assert refused.value.reason == "same-customer"


async def test_a_customer_of_another_number_is_another_channel(world: World) -> None:
    """Two numbers of the business are two chats on the customer's phone."""
    await world.says("m1", N, at=1)
    other = signed(metadata={"phone_number_id": "2"}, messages=[{"from": N, **_text("m2")}])
    await receive_webhook(world.ports, other)
    there = conversation_id("whatsapp", f"2:+{N}")
    await links.link(world.ports, there, NAMES[N], "admin")
    whole = await world.conversation(N)
    assert [one.id for one in whole.elsewhere] != []


async def test_an_operator_gives_a_name_to_another_conversation(world: World) -> None:
    """The platform has told a pair that was wrong, and an operator knows better."""
    await world.says("p1", U, N, at=1)
    await world.says("q1", V, at=2)
    await world.acts(HumanJoined, NAMES[U], JANE)
    ask = ask_of(world, NAMES[U], {"name": f"whatsapp:1:+{N}", "to": NAMES[V]})
    body = json.loads((await rename(ask)).body)
    assert body["name"] == f"conversations/{NAMES[V]}"
    for on in (0, 1):
        await world.says(f"q{on + 2}", N, at=10 + on, on=on)
    await world.says("p2", U, at=12)
    assert await world.homes() == {NAMES[U]: ["p1", "p2"], NAMES[V]: ["q1", "q2", "q3"]}
    await world.acts(HumanMessage, NAMES[U], JANE)
    await world.delivered(NAMES[U])
    assert [whom for words, whom in sent_to(world) if words == "Jane: hello"] == [U]
    with pytest.raises(Refused) as refused:
        await rename(ask)
    assert refused.value.reason == "not-its-name"


@pytest.mark.parametrize(
    ("conversation", "name", "to", "error"),
    [
        (NAMES[M], NAMES[N], NAMES[V], NotFound),
        (NAMES[U], NAMES[N], NAMES[M], NotFound),
        (NAMES[U], NAMES[M], NAMES[V], Refused),
        (NAMES[U], NAMES[N], NAMES[U], BadRequest),
        (NAMES[U], NAMES[N], RCS_ANA, Refused),
    ],
)
async def test_a_name_that_cannot_be_moved(
    world: World, conversation: str, name: str, to: str, error: type[Exception]
) -> None:
    await world.says("p1", U, N, at=1)
    await world.says("q1", V, at=2)
    await receive_webhook(world.ports, rcs(messageId="r-1", text="hi"))
    with pytest.raises(error):
        await same_customer.rename(world.ports, conversation, name, to, "key")


async def test_an_erase_deletes_the_files_of_all_names(world: World, tmp_path: Path) -> None:
    await world.begins_twice()
    await world.says("m3", U, N, at=3)
    store = DirectoryStore(tmp_path / "media", timedelta(days=1))
    for name in (NAMES[N], NAMES[U]):
        await store.put(kept_name(MediaName(name, "e1")), "image/png", _bytes())
    await erase(replace(world.ports, media_store=store), NAMES[N], "admin")
    assert [one for one in (tmp_path / "media").rglob("*") if one.is_file()] == []


async def _bytes() -> AsyncIterator[bytes]:
    yield b"x"
