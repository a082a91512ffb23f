"""One customer on RCS and WhatsApp, through the real functions: who moves in the middle of a
human's frame keeps it.
"""

import json
import uuid
from typing import Any

import pytest

from infra.local.oracle import as_labelled, open_frames, texts, violations
from infra.local.server import LocalServer
from tests.functions.test_channels import Phone

JANE = {"representative": {"displayName": "Jane Doe", "representativeType": "HUMAN"}}


def newcomer(server: LocalServer, platform: str) -> Phone:
    new = server.send("POST", f"/sim/{platform}/customers", b'{"displayName": "Ana"}').body
    one = Phone(server, platform, new["id"], new["conversation"])
    one.do("messages", text=f"Hi from {platform}")
    return one


def heard(phone: Phone, holder: Phone, text: str) -> None:
    """The customer writes; returns once the conversation that holds theirs has it."""
    phone.do("messages", text=text)
    phone.server.wait_until(lambda: text in [entry.get("text") for entry in holder.journal()])


def jane_says(phone: Phone, text: str) -> int:
    return phone.post(
        "/messages", "dev-agent", messageId=str(uuid.uuid4()), text=text, **JANE
    ).status


def seen(phone: Phone, holder: Phone) -> list[dict[str, Any]]:
    phone.server.wait_until_quiet(holder.conversation)
    return [dict(row) for row in as_labelled(phone.rows(), ["Jane Doe"])]


def joined(phone: Phone, to: Phone) -> dict[str, Any]:
    """Links the one to the other, once nothing is under way there any more."""
    answers: list[Any] = []

    def done() -> bool:
        answers.append(phone.post(":link", "dev-admin", to=to.conversation))
        return bool(answers[-1].status == 200)

    phone.server.wait_until(done)
    link: dict[str, Any] = answers[-1].body["link"]
    return link


@pytest.mark.parametrize("trouble", ["none", "duplicates and disorder"])
def test_a_customer_who_moves_from_rcs_to_whatsapp_keeps_the_human(
    server: LocalServer, trouble: str
) -> None:
    rcs, whatsapp = newcomer(server, "rcs"), newcomer(server, "whatsapp")
    for phone in (rcs, whatsapp):
        server.wait_until(lambda one=phone: bool(one.journal()))  # type: ignore[misc]  # bound at once
        if trouble != "none":
            phone.faults(duplicate=1, reorder=1, too_many=0.3, retry_after=0)
    try:
        assert rcs.post(":claim", "dev-agent", **JANE).status == 200
        assert jane_says(rcs, "Hello, I am Jane.") == 200
        link = joined(whatsapp, rcs)
        assert (link["kind"], link["to"], link["phase"]) == ("channel", rcs.conversation, "HUMAN")
        heard(whatsapp, rcs, "I am on WhatsApp now")
        assert jane_says(rcs, "Hello again, Ana.") == 200
        assert whatsapp.bot_says("I talk over her.").status == 409
        assert rcs.post(":release", "dev-agent", **JANE).status == 200
        heard(rcs, rcs, "Back on RCS")
        assert rcs.bot_says("What now?").status == 200
        heard(whatsapp, rcs, "And on WhatsApp")
        assert whatsapp.bot_says("Still here.").status == 200
        on_rcs, on_whatsapp = seen(rcs, rcs), seen(whatsapp, rcs)
    finally:
        rcs.faults()
        whatsapp.faults()
    assert violations(on_rcs, ["Hello, I am Jane.", "What now?"]) == []
    assert violations(on_whatsapp, ["Hello again, Ana.", "Still here."]) == []
    assert (open_frames(on_rcs), open_frames(on_whatsapp)) == ([], [])
    assert len(texts(on_rcs)) == len(texts(on_whatsapp)) == 2
    state = server.get(f"/send_representative/v1/conversations/{rcs.conversation}", "dev-agent")
    assert state["channels"][0]["conversation"] == whatsapp.conversation


def test_who_lets_the_channels_go_lets_each_be_on_its_own(server: LocalServer) -> None:
    rcs, whatsapp = newcomer(server, "rcs"), newcomer(server, "whatsapp")
    for phone in (rcs, whatsapp):
        server.wait_until(lambda one=phone: bool(one.journal()))  # type: ignore[misc]  # bound at once
    joined(whatsapp, rcs)
    server.wait_until_quiet(rcs.conversation)
    assert whatsapp.post(":unlink", "dev-admin").body.get("linkedTo") is None
    heard(whatsapp, whatsapp, "On my own")
    assert whatsapp.bot_says("So it is.").status == 200
    assert "So it is." in whatsapp.shown()
    assert "So it is." not in rcs.shown()
    assert json.dumps(rcs.journal()).count("On my own") == 0
