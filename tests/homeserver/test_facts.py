"""What Baton relies on at a homeserver, as Synapse and a real client judge it. A bare application
service stands where Baton will.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from infra.local.server import PATIENCE_SECONDS
from tests.homeserver.loaded import Loaded
from tests.homeserver.probe import AS_TOKEN, HS_TOKEN, Ghost, Probe, registration
from tests.homeserver.server import Homeserver, ping, spoken
from tests.kill.story import PIXEL

if TYPE_CHECKING:
    from tests.homeserver.person import Person, Signed


@pytest.fixture(scope="module")
def probe() -> Iterator[Probe]:
    with Probe() as one:
        yield one


@pytest.fixture(scope="module")
def server(
    loaded: Loaded, probe: Probe, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Homeserver]:
    one = Homeserver(loaded, tmp_path_factory.mktemp("synapse"), registration(probe.port))
    one.start()
    try:
        one.make_everybody()
        yield one
    finally:
        one.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def people(server: Homeserver) -> Iterator[Signed]:
    from tests.homeserver.person import Signed

    with Signed(server.url, "jane") as signed:
        yield signed


@pytest.fixture(scope="module")
def jane(people: Signed) -> Person:
    return people["jane"]


@pytest.fixture(scope="module")
def ghost(server: Homeserver) -> Ghost:
    return Ghost.new(server, "probe_ana")


@pytest.fixture
def room(ghost: Ghost, jane: Person) -> str:
    """A private room, to which Jane was invited and in which she is."""
    made = ghost.room(jane.id, name="Ana", topic="She asks for a person")
    jane.accepts(made)
    return made


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.02)


def test_a_ghost_is_registered_once_and_its_device_as_often_as_one_likes(
    server: Homeserver,
) -> None:
    one = Ghost(server, "probe_new")
    assert one.register().status == 200
    again = one.register()
    assert (again.status, again.body["errcode"]) == (400, "M_USER_IN_USE")
    device = {"display_name": "Probe"}
    made = [one.call("PUT", "/devices/PROBE", device, device=False).status for _ in range(2)]
    assert made == [201, 200]
    assert one.call("GET", "/account/whoami", device=False).body["user_id"] == one.id


def test_a_transaction_proves_itself_and_lies_below_the_url_of_the_registration(
    probe: Probe, jane: Person, room: str
) -> None:
    said = jane.says(room, "Hello, I am Jane.")
    until(lambda: probe.given(said))
    (asked,) = probe.given(said)
    assert asked.method == "PUT"
    assert asked.path.startswith("/deep/path/_matrix/app/v1/transactions/")
    assert asked.authorization == f"Bearer {HS_TOKEN}"
    event = next(event for event in asked.body["events"] if event["event_id"] == said)
    assert (event["room_id"], event["sender"]) == (room, jane.id)
    assert (event["type"], event["content"]["body"]) == ("m.room.message", "Hello, I am Jane.")


def test_a_transaction_comes_again_under_its_id_until_it_is_answered_200(
    server: Homeserver, probe: Probe, jane: Person, room: str
) -> None:
    before = jane.says(room, "before")
    until(lambda: probe.given(before))
    probe.status = 500
    first = jane.says(room, "first")
    until(lambda: probe.given(first))
    second = jane.says(room, "second")
    probe.status = 200
    # without it, Synapse waits 2 s, then 4 s and so on up to 512 s
    ping(server, "probe", AS_TOKEN)
    until(lambda: probe.given(second))
    refused, taken = probe.given(first)
    assert (refused.answered, taken.answered) == (500, 200)
    assert refused.path == taken.path
    same = [[event["event_id"] for event in one.body["events"]] for one in (refused, taken)]
    assert same[0] == same[1]  # their ages differ
    (later,) = probe.given(second)
    assert probe.asked.index(later) >= probe.asked.index(taken)
    pings = [one for one in probe.asked if one.path.endswith("/_matrix/app/v1/ping")]
    assert {(one.method, one.authorization) for one in pings} == {("POST", f"Bearer {HS_TOKEN}")}


def test_one_transaction_id_gives_one_event_for_messages_and_redactions(
    ghost: Ghost, server: Homeserver, room: str
) -> None:
    first, again = (ghost.send(room, "t-1", "Once") for _ in range(2))
    assert first.body["event_id"] == again.body["event_id"]
    path = f"/rooms/{quote(room)}/redact/{quote(first.body['event_id'])}/t-2"
    gone = [ghost.call("PUT", path, {}).body["event_id"] for _ in range(2)]
    assert gone[0] == gone[1]
    kinds = [event["type"] for event in server.events(room)]
    assert (kinds.count("m.room.message"), kinds.count("m.room.redaction")) == (1, 1)


@pytest.mark.parametrize("taken", ["alias", "user"])
def test_what_is_taken_is_said_so(ghost: Ghost, taken: str) -> None:
    alias = {"room_alias_name": "probe_handoff-1"} if taken == "alias" else {}
    if taken == "user":
        assert ghost.register().body["errcode"] == "M_USER_IN_USE"
        return
    made = ghost.room(**alias)
    again = ghost.call("POST", "/createRoom", {"preset": "private_chat", **alias})
    assert (again.status, again.body["errcode"]) == (400, "M_ROOM_IN_USE")
    found = ghost.call("GET", f"/directory/room/{quote('#probe_handoff-1:localhost')}")
    assert found.body["room_id"] == made


def test_typing_and_receipts_come_beside_the_events(probe: Probe, jane: Person, room: str) -> None:
    said = jane.says(room, "Look")
    jane.types(room)
    jane.reads(room, said)

    def typed() -> bool:
        return {"user_ids": [jane.id]} in [
            one["content"]
            for one in probe.ephemeral()
            if one["type"] == "m.typing" and one["room_id"] == room
        ]

    until(typed)
    until(
        lambda: any(
            one["type"] == "m.receipt" and said in one["content"] for one in probe.ephemeral()
        )
    )


def test_a_ghost_types_and_reads_and_jane_sees_it(ghost: Ghost, jane: Person, room: str) -> None:
    said = jane.says(room, "Are you there?")
    typing = {"typing": True, "timeout": 20_000}
    assert ghost.call("PUT", f"/rooms/{quote(room)}/typing/{quote(ghost.id)}", typing).status == 200
    receipt = f"/rooms/{quote(room)}/receipt/m.read/{quote(said)}"
    assert ghost.call("POST", receipt, {}).status == 200
    jane.until(lambda: jane.typing.get(room) == [ghost.id])
    jane.until(lambda: jane.read.get(room, {}).get(ghost.id) == said)


def test_media_is_given_only_with_a_token(
    server: Homeserver, ghost: Ghost, jane: Person, room: str
) -> None:
    said = jane.sends_file(room, "pixel.png", "image/png", PIXEL)
    media = next(one.media for one in spoken(server.events(room)) if one.event == said)
    where = media.removeprefix("mxc://")
    open_door = server.call("GET", f"/_matrix/media/v3/download/{where}")
    assert (open_door.status, open_door.body["errcode"]) == (404, "M_NOT_FOUND")
    without = server.call("GET", f"/_matrix/client/v1/media/download/{where}")
    assert (without.status, without.body["errcode"]) == (401, "M_MISSING_TOKEN")
    assert jane.downloads(media) == PIXEL
    assert server.download(where, ghost.token) == PIXEL


def test_edits_redactions_and_reactions_name_what_they_are_about(
    probe: Probe, jane: Person, room: str
) -> None:
    said = jane.says(room, "Helo")
    edit = jane.edits(room, said, "Hello")
    liked = jane.reacts(room, said, "👍")
    assert jane.heard(room) == [] and jane.shown(room)[-1].text == "Hello"
    jane.redacts(room, said)

    until(lambda: probe.given(edit) and probe.given(liked))
    events = {event["event_id"]: event for event in probe.events()}
    assert events[edit]["content"]["m.new_content"]["body"] == "Hello"
    assert events[edit]["content"]["m.relates_to"]["event_id"] == said
    assert events[liked]["content"]["m.relates_to"]["key"] == "👍"
    until(
        lambda: any(
            event["type"] == "m.room.redaction" and event["content"].get("redacts") == said
            for event in probe.events()
        )
    )
    assert jane.shown(room) == []


def test_who_joins_and_leaves_is_in_the_events(probe: Probe, jane: Person, room: str) -> None:
    jane.leaves(room)

    def memberships() -> list[str]:
        return [
            event["content"]["membership"]
            for event in probe.events()
            if event["type"] == "m.room.member"
            and event["room_id"] == room
            and event["state_key"] == jane.id
        ]

    until(lambda: memberships() == ["invite", "join", "leave"])


def test_a_limit_is_answered_with_the_time_to_wait(server: Homeserver) -> None:
    """An application service has the limits of anybody, unless its registration says otherwise."""
    hasty = Ghost.new(server, "probe_hasty")
    room = hasty.room()
    server.limit_messages(hasty.id, per_second=1, burst=1)
    sent = ((f"limit-{n}", hasty.send(room, f"limit-{n}", "Quick")) for n in range(100))
    transaction, refused = next(one for one in sent if one[1].status != 200)
    assert (refused.status, refused.body["errcode"]) == (429, "M_LIMIT_EXCEEDED")
    assert 0 < refused.body["retry_after_ms"] <= 2_000
    time.sleep(refused.body["retry_after_ms"] / 1000)
    assert hasty.send(room, transaction, "Quick").status == 200


@dataclass(frozen=True, slots=True)
class Killed:
    """What was under way when the homeserver was killed."""

    room: str
    with_device: str
    without: str
    said: str


@pytest.fixture(scope="module")
def killed(server: Homeserver, probe: Probe, ghost: Ghost, jane: Person) -> Killed:
    room = ghost.room(jane.id)
    jane.accepts(room)
    with_device = ghost.send(room, "t-3", "Once").body["event_id"]
    without = ghost.send(room, "t-4", "Twice", device=False).body["event_id"]
    until(lambda: probe.given(without))
    probe.pause = 2
    said = jane.says(room, "Is anybody there?")
    until(lambda: probe.given(said))
    server.stop(signal.SIGKILL)
    server.start()
    probe.pause = 0
    return Killed(room, with_device, without, said)


def test_a_transaction_id_outlives_the_homeserver_where_it_belongs_to_a_device(
    ghost: Ghost, killed: Killed
) -> None:
    """Without a device Synapse remembers it in memory only. So Baton names one in each send."""
    again = ghost.send(killed.room, "t-3", "Once").body["event_id"]
    other = ghost.send(killed.room, "t-4", "Twice", device=False).body["event_id"]
    assert (again == killed.with_device, other == killed.without) == (True, False)


def test_a_transaction_that_a_kill_interrupts_comes_again_once_the_service_has_failed(
    server: Homeserver, probe: Probe, jane: Person, killed: Killed
) -> None:
    """Synapse repeats nothing for a service that it believes to be up. So what people say just
    before a crash may come late, or never.

    https://github.com/element-hq/synapse/issues/11637
    """
    later = jane.says(killed.room, "later")
    until(lambda: probe.given(later))
    assert len(probe.given(killed.said)) == 1
    probe.status = 500
    refused = jane.says(killed.room, "refused")
    until(lambda: probe.given(refused))
    probe.status = 200
    ping(server, "probe", AS_TOKEN)
    until(lambda: len(probe.given(refused)) == 2)
    first, again = probe.given(killed.said)
    assert first.path == again.path
