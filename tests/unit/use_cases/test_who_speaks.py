"""Who calls the API: people speak as themselves, systems for anybody, each with their rights."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from shared.api.keys import Keyring
from shared.api.operations import OPERATIONS
from shared.api.routes import send_representative
from shared.conversations.apply import take
from shared.delivery.deliver import deliver
from shared.errors import BatonError
from shared.schemas.events import UserMessage
from shared.schemas.http import Request
from shared.settings.model import read_settings

C = "business_messages:3333"
PEOPLE: dict[str, dict[str, Any]] = {
    "jane@x.test": {"name": "Jane", "avatar": "https://x.test/jane.png", "capacity": 4},
    "omar@x.test": {"name": "Omar"},
    "sue@x.test": {"name": "Sue", "role": "supervisor"},
    "rita@x.test": {"name": "Rita", "role": "reports"},
    "ada@x.test": {"name": "Ada", "role": "admin"},
}
SYSTEMS: dict[str, dict[str, Any]] = {
    "bot": {"may": ["BOT"]},
    "desk": {"may": ["HUMAN"]},
    "root": {"may": ["BOT", "HUMAN"], "admin": True},
    "wall": {"reports": True},
    "none": {},
}
KEYS = {f"dev-{one.split('@')[0]}": {"person": one} for one in PEOPLE} | {
    f"dev-{name}": {"name": name, **rights} for name, rights in SYSTEMS.items()
}
RING = Keyring(
    read_settings({"BATON_AGENTS": json.dumps(PEOPLE), "BATON_API_KEYS": json.dumps(KEYS)}).api_keys
)
READS = {"get_me", "get_conversation", "request_human", "update_receipt"}
SPEAKS = READS | {"create_message", "upload_media", "create_event", "create_survey"}
ANSWERS = SPEAKS | {
    "list_conversations", "get_journal", "claim", "transfer", "decline", "withdraw", "release",
    "fail", "note", "list_canned", "list_people", "report_handoffs",
}  # fmt: skip
ADMIN = {"delete_conversation", "link", "unlink", "rename"}
PERSON = ANSWERS | {"update_presence"}
MAY = {
    "jane": PERSON,
    "sue": PERSON | {"report_agents", "take_over"},
    "rita": {"get_me", "report_handoffs", "report_agents"},
    "ada": PERSON | ADMIN | {"report_agents", "take_over"},
    "bot": SPEAKS,
    "desk": ANSWERS,
    "root": ANSWERS | ADMIN | {"report_agents", "take_over"},
    "wall": {"get_me", "report_handoffs", "report_agents"},
    "none": READS,
}


async def answer(bench: Any, who: str, method: str, path: str, body: Any = None) -> Any:
    """Returns the answer of the API, or why it refuses."""
    path, _, query = path.partition("?")
    sent = b"" if body is None else json.dumps(body).encode()
    given = dict([query.split("=", 1)]) if query else {}
    headers = {"authorization": f"Bearer dev-{who}"}
    request = Request(method, f"/v1{path}", sent, headers, given)
    try:
        return json.loads((await send_representative(bench.ports, RING, request)).body)
    except BatonError as error:
        return error.reason


@pytest.fixture
async def talk(bench: Any) -> Any:
    """A customer who has written once."""
    form: Any = {"conversationId": "3333", "message": {"messageId": "m1", "text": "hi"}}
    said = {"form": form, "said": "hi", "address": "3333"}
    await take(bench.ports, [UserMessage(id="m1", source=C, actor="customer", **said)])
    return bench


@pytest.mark.parametrize("who", MAY)
async def test_each_caller_may_do_what_the_table_says_and_nothing_else(talk: Any, who: str) -> None:
    refused = set[str]()
    for one in OPERATIONS:
        path = one.path.replace("{conversation}", C).replace("{message}", "m")
        try:
            headers = {"authorization": f"Bearer dev-{who}"}
            await send_representative(
                talk.ports, RING, Request(one.method, f"/v1{path}", b"?", headers)
            )
        except BatonError as error:
            if error.code == 403:
                refused.add(one.handler.__name__)
    # what a key may speak as is asked of the body, but a survey has none
    assert {one.handler.__name__ for one in OPERATIONS} - refused == MAY[who]


async def said_to(bench: Any) -> list[Any]:
    await deliver(bench.ports, C, timers=False)
    return [one.get("representative") for one in bench.sender.sent]


async def test_a_person_speaks_with_their_own_name_and_picture(talk: Any) -> None:
    jane = {
        "representativeType": "HUMAN",
        "displayName": "Jane",
        "avatarImage": "https://x.test/jane.png",
    }
    path = f"/conversations/{C}"
    assert (await answer(talk, "jane", "POST", f"{path}:claim", {}))["representatives"] == [jane]
    given = [
        {},
        {"representative": {"representativeType": "HUMAN"}},
        {"representative": {**jane, "avatarImage": "https://evil.test/boss.png"}},
    ]
    for number, one in enumerate(given):
        body = {"messageId": f"h{number}", "text": "hi", **one}
        told = await answer(talk, "jane", "POST", f"{path}/messages", body)
        assert told["representative"] == jane
    left = await answer(talk, "jane", "POST", f"{path}:release", {"reason": "done"})
    assert left["phase"] == "BOT"
    shown = await said_to(talk)
    assert [one for one in shown if one["representativeType"] == "HUMAN"] == [jane] * 5
    journal = (await answer(talk, "jane", "GET", f"{path}/journal"))["entries"]
    assert {one["actor"] for one in journal} == {"customer", "jane@x.test"}


OTHER = {"representativeType": "HUMAN", "displayName": "Omar"}
BOT = {"representativeType": "BOT", "displayName": "Jane"}


@pytest.mark.parametrize("who", ["jane", "sue", "ada"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/messages", {"messageId": "x", "text": "hi"}),
        ("/events?eventId=x", {"eventType": "REPRESENTATIVE_JOINED"}),
        ("/events?eventId=x", {"eventType": "REPRESENTATIVE_LEFT"}),
        ("/events?eventId=x", {"eventType": "TYPING_STARTED"}),
        (":claim", {}),
        (":note", {"text": "he called before"}),
    ],
)
async def test_nobody_speaks_under_the_name_of_another(
    talk: Any, who: str, path: str, body: dict[str, Any]
) -> None:
    await answer(talk, "omar", "POST", f"/conversations/{C}:claim", {})
    before = (await talk.store.load(C)).value.version
    for given, reason in ((OTHER, "not-yourself"), (BOT, "may-not-speak")):
        if path.startswith(":") and given is BOT:
            continue  # a claim or a note of a bot is a malformed one
        told = await answer(
            talk, who, "POST", f"/conversations/{C}{path}", {**body, "representative": given}
        )
        assert told == reason
    assert (await talk.store.load(C)).value.version == before


async def test_an_agent_releases_themselves_and_a_supervisor_anybody(talk: Any) -> None:
    path = f"/conversations/{C}"
    await answer(talk, "omar", "POST", f"{path}:claim", {})
    named = {"representative": OTHER}
    assert await answer(talk, "jane", "POST", f"{path}:release", named) == "not-yourself"
    assert await answer(talk, "jane", "POST", f"{path}:release", {}) == "not-joined"
    assert (await answer(talk, "sue", "POST", f"{path}:release", named))["phase"] == "BOT"


async def test_a_system_names_the_human_and_may_name_anybody(talk: Any) -> None:
    path = f"/conversations/{C}"
    assert await answer(talk, "desk", "POST", f"{path}:claim", {}) == "schema"
    told = await answer(talk, "desk", "POST", f"{path}:claim", {"representative": OTHER})
    assert told["representatives"] == [OTHER]


async def test_who_calls_learns_who_they_are(bench: Any) -> None:
    jane = await answer(bench, "jane", "GET", "/me")
    assert jane == {
        "kind": "person",
        "id": "jane@x.test",
        **PEOPLE["jane@x.test"],
        "role": "agent",
        "languages": [],
        "desks": [],
        "may": ["HUMAN"],
        "supervisor": False,
        "admin": False,
        "templates": False,
        "reports": False,
    }
    wall = await answer(bench, "wall", "GET", "/me")
    assert (wall["kind"], wall["id"], wall["may"], wall["reports"]) == ("system", "wall", [], True)
    assert await answer(bench, "gone", "GET", "/me") == "unauthenticated"


async def test_a_conversation_cannot_be_called_me(bench: Any) -> None:
    assert await answer(bench, "jane", "POST", "/me") == "method-not-allowed"
    assert await answer(bench, "jane", "GET", f"/me/{quote(C)}") == "unknown-path"
