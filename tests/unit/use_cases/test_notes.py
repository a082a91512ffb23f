"""What people at the desk see of each other, notes for colleagues, and answers to choose from."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.api.routes import send_representative
from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.errors import BadRequest, BatonError
from shared.ports import Commit, Snapshot
from shared.schemas.conversation import Phase
from shared.schemas.events import Event, UserMessage
from shared.schemas.http import Request
from shared.schemas.people import Person, Presence, Role, Slot
from tests.unit.use_cases.asking import KEYS, ask

C = "business_messages:3333"
JANE = {"displayName": "Jane Doe"}


def _said(name: str) -> Event:
    form: Any = {"message": {"messageId": name, "text": name}}
    return UserMessage(id=name, source=C, actor="p", address="a", form=form, said=name)


@pytest.mark.parametrize("phase", Phase)
async def test_a_note_is_in_the_journal_and_goes_nowhere_else(bench: Any, phase: Phase) -> None:
    await apply(bench.ports, _said("m-1"))
    if phase is not Phase.BOT:
        await ask(bench.ports, "POST", f"/{C}:requestHuman", {"reason": "r"})
    if phase is Phase.HUMAN:
        await ask(bench.ports, "POST", f"/{C}:claim", {"representative": JANE})
    note = {"representative": JANE, "text": "Angry, and right", "requestId": "n-1"}
    before = await ask(bench.ports, "GET", f"/{C}")
    for _ in range(2):
        shown = await ask(bench.ports, "POST", f"/{C}:note", note)
    assert shown["phase"] == phase
    assert shown["version"] == before["version"] + 1, "a repetition is no second note"
    entries = (await ask(bench.ports, "GET", f"/{C}/journal"))["entries"]
    (entry,) = [one for one in entries if one["kind"] == "noted"]
    assert entry["text"] == "Angry, and right"
    assert entry["representative"]["displayName"] == "Jane Doe"
    assert entry["commands"] == []


async def test_an_erase_removes_the_words_of_notes(bench: Any) -> None:
    await apply(bench.ports, _said("m-1"))
    await ask(bench.ports, "POST", f"/{C}:note", {"representative": JANE, "text": "secret words"})
    await erase(bench.ports, C, "admin")
    left = await bench.store.journal(C, None, 100, expired=True)
    assert "secret words" not in "".join(one.value.model_dump_json() for one in left.items)


@pytest.mark.parametrize("text", ["", " \n ", "x" * 3073])
async def test_a_note_needs_words(bench: Any, text: str) -> None:
    await apply(bench.ports, _said("m-1"))
    with pytest.raises(BadRequest):
        await ask(bench.ports, "POST", f"/{C}:note", {"representative": JANE, "text": text})


async def test_a_note_of_a_conversation_that_does_not_exist_is_refused(bench: Any) -> None:
    with pytest.raises(BatonError) as refused:
        await ask(bench.ports, "POST", f"/{C}:note", {"representative": JANE, "text": "n"})
    assert refused.value.code == 404


async def test_answers_are_listed_by_language_and_title(bench: Any) -> None:
    ports = replace(bench.ports, canned={"en": {"Bye": "Bye {customer}"}, "id": {"Salam": "Halo"}})
    request = Request("GET", "/v1/canned", b"", {"authorization": "Bearer k"})
    answer = await send_representative(ports, KEYS, request)
    assert json.loads(answer.body)["answers"] == [
        {"language": "en", "title": "Bye", "text": "Bye {customer}"},
        {"language": "id", "title": "Salam", "text": "Halo"},
    ]


async def test_colleagues_are_listed_with_whether_they_take_a_customer_now(bench: Any) -> None:
    jane = Person(id="jane@example.com", name="Jane Doe", capacity=2, languages=("en",))
    omar = Person(id="omar@example.com", name="Omar Haddad")
    wall = Person(id="wall", name="Screen", role=Role.REPORTS)
    now = bench.clock.now()
    there = Presence(
        id=jane.id,
        state="available",
        pages={"p": now + timedelta(seconds=60)},
        slots={"s": Slot(conversation=C, kind="held")},
    )
    await bench.store.commit(Commit((), people=[Snapshot(there, None)]))
    ports = replace(bench.ports, people={one.id: one for one in (jane, omar, wall)})
    request = Request("GET", "/v1/people", b"", {"authorization": "Bearer k"})
    answer = json.loads((await send_representative(ports, KEYS, request)).body)
    assert answer["desks"] == ["api"]
    common: dict[str, list[str]] = {"desks": []}
    assert answer["people"] == [
        {
            "id": "jane@example.com", "name": "Jane Doe", "languages": ["en"], "available": True,
            "room": 1, **common,
        },
        {
            "id": "omar@example.com", "name": "Omar Haddad", "languages": [], "available": False,
            **common,
        },
    ]  # fmt: skip
