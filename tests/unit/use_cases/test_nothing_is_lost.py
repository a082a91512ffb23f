"""What pywa, an independent client of WhatsApp's Cloud API, reads in a message reaches bot, desk
and journal: each word and each datum.

https://pypi.org/project/pywa/
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pywa import WhatsApp
from pywa.types import MessageType
from pywa.types.base_update import RawUpdate

from shared.api.views import entry_view
from shared.conversations.apply import apply_and_wake
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.platforms.whatsapp import platform as whatsapp
from shared.ports import Ports
from shared.schemas.events import HumanRequested
from shared.schemas.http import Request
from shared.schemas.notation import conversation_id, hidden
from tests.unit.use_cases.phones_play import ports_of

SAMPLES = Path(__file__).parents[2] / "samples" / "whatsapp"
NUMBER, WHO = "106540352242000", "5511987654321"
CUSTOMER = conversation_id("whatsapp", f"{NUMBER}:+{WHO}")
PYWA = WhatsApp(phone_id=NUMBER, token="t", filter_updates=False)
# What every update has, and what names the customer or the business. Who wrote a quoted message is
# `by` in Baton's data.
ENVELOPE = {
    "_client", "raw", "waba_id", "type", "metadata", "from_user", "chat", "timestamp",
    "shared_data", "uploaded_at", "uploaded_to", "uploaded_by", "from_user_id",
}  # fmt: skip
# Which messages hold nothing that the customer said: a number that changed, an opened chat.
UNSAID = {MessageType.SYSTEM, MessageType.REQUEST_WELCOME}


def sample(name: str) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads((SAMPLES / name / "body").read_bytes())
    except ValueError:
        return {}
    return read


def value_of(body: dict[str, Any]) -> dict[str, Any]:
    changes = [change for entry in body.get("entry", []) for change in entry.get("changes", [])]
    found: dict[str, Any] = changes[0]["value"] if len(changes) == 1 else {}
    return found


def kind_of(body: dict[str, Any]) -> MessageType | None:
    """Returns the kind of a body with one message, as pywa knows it. It knows no `standby`."""
    fields = {change["field"] for entry in body.get("entry", []) for change in entry["changes"]}
    messages = value_of(body).get("messages", []) if fields == {"messages"} else []
    is_one = len(messages) == 1 and "from" in messages[0] and "group_id" not in messages[0]
    known = set(map(str, MessageType))
    kind = messages[0].get("type") if is_one else None
    return MessageType(kind) if kind in known else None


ALL = {path.name: kind_of(sample(path.name)) for path in SAMPLES.iterdir()}
# What pywa cannot read. Forms of list-reply and unsupported that it reads are beside them.
BROKEN = {
    "edit-of-nothing",
    "form-with-a-broken-answer",
    "list-reply",
    "location-without-a-place",
    "image-with-a-link",
    "image-with-a-link-for-us-alone",
    "text-with-placeholders",
    "text-without-an-id",
    "unsupported",
}
OWN_CHIP = "asks-for-a-person"  # its label is Baton's; it arrives as requestedLiveAgent
SAID = sorted(
    name
    for name, kind in ALL.items()
    if kind and kind not in UNSAID and name not in {*BROKEN, OWN_CHIP}
)


def read_by_pywa(name: str) -> Any:
    """Returns pywa's own object of a sample. It needs a time, a user id and hashes of files."""
    body = sample(name)
    value = value_of(body)
    value["contacts"] = [{"profile": {"name": "x"}, "wa_id": WHO, "user_id": "BR.1"}]
    (message,) = value["messages"]
    message["timestamp"] = "1770113730"
    for one in (message, message.get("edit", {}).get("message", {})):
        if isinstance(one.get(one.get("type")), dict):
            one[one["type"]].setdefault("sha256", "x")
    update = RawUpdate(json.dumps(body).encode(), hmac_header=None, update_hash="")
    handler: Any = PYWA._get_handler_type(update)
    return PYWA._handlers_to_updates[handler].from_update(PYWA, update)


def leaves(read: Any) -> Iterator[str]:
    """Yields each word and each datum. Ids of messages are hidden ones outside of Baton."""
    if dataclasses.is_dataclass(read):
        for field in dataclasses.fields(read):
            is_its_own_id = field.name == "id" and hasattr(read, "raw")
            if field.name not in ENVELOPE and not is_its_own_id:
                yield from leaves(getattr(read, field.name))
    elif isinstance(read, dict):
        for inner in read.values():
            yield from leaves(inner)
    elif isinstance(read, list | tuple):
        for inner in read:
            yield from leaves(inner)
    elif isinstance(read, Enum):
        yield str(read.value)
    elif isinstance(read, datetime):
        yield str(int(read.timestamp()))
    elif isinstance(read, str) and read:
        yield hidden(read) if read.startswith("wamid.") else read
    elif isinstance(read, int | float) and not isinstance(read, bool):
        yield str(read)


def is_told(leaf: str, told: str) -> bool:
    return json.dumps(leaf, ensure_ascii=False)[1:-1] in told or leaf.removesuffix(".0") in told


@pytest.fixture
def ports(bench: Any) -> Ports:
    found = ports_of(bench)
    channel = whatsapp.WhatsApp(("sample-app-secret",), access_token="t")
    policy = replace(found.policy, bot_hears=frozenset({"reaction"}))
    return replace(found, platforms={**found.platforms, "whatsapp": channel}, policy=policy)


async def take(ports: Ports, name: str) -> None:
    headers = json.loads((SAMPLES / name / "headers.json").read_text())
    raw = (SAMPLES / name / "body").read_bytes()
    await receive_webhook(ports, Request("POST", "/whatsapp", raw, headers))
    await deliver(ports, CUSTOMER)


@pytest.mark.parametrize("name", SAID)
async def test_each_word_and_datum_that_pywa_reads_reaches_bot_desk_and_journal(
    ports: Ports, bench: Any, name: str
) -> None:
    asks = HumanRequested(
        id="q", source=CUSTOMER, actor="test", address=f"{NUMBER}|{WHO}", reason="help"
    )
    await apply_and_wake(ports, asks)
    await take(ports, name)
    every = bench.publisher.on("baton-user-messages")
    page = await ports.store.journal(CUSTOMER, None, 100)
    told = {
        "bot": [one for one in every if "BOT" in one["audience"]],
        "desk": [one for one in every if "HUMAN" in one["audience"]],
        "journal": [entry_view(one.value) for one in page.items],
    }
    lost = [
        (reader, leaf)
        for reader, bodies in told.items()
        for leaf in leaves(read_by_pywa(name))
        if not is_told(leaf, json.dumps(bodies, ensure_ascii=False))
    ]
    assert lost == []


def test_every_kind_of_message_that_pywa_knows_is_among_the_samples() -> None:
    assert set(MessageType) - {MessageType.UNKNOWN} <= set(ALL.values())
    assert {"order-with-items", "form-with-answers", "call-permission", "from-an-ad"} <= set(SAID)
