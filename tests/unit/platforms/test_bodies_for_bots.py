"""Bodies made for customers of RCS and WhatsApp, read as Google's own samples of Business Messages
read theirs.

Each reader does what its sample does with a body, and no more carefully: an absent field raises
KeyError here where the sample raises a TypeError. Samples, all of
github.com/google-business-communications: bm-nodejs-dialogflow-integration (routes.js,
lib/firebase_handler.js), bm-nodejs-live-agent-transfer (step-4), bm-bootstrap-nodejs
(src/reply.js), bm-python-echo-bot (main.py).
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.platforms.base import Platform
from shared.platforms.rcs.platform import Rcs
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.http import Request

Body = dict[str, Any]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHONES = ("+6281234567890", "+12025550100", "+4915112345678")


def dialogflow_integration(body: Body) -> str:
    """routes.js `directMessage`: the last part of `agent` and the name become keys of a
    Firebase database.
    """
    agent = body["agent"].rpartition("/")[2]
    name = body["context"]["userInfo"]["displayName"]
    assert not set(".#$[]/") & set(agent + body["conversationId"]), "Firebase refuses such a key"
    assert name is not None, "Firebase refuses an undefined value"
    if "message" in body:
        return f"{body['message']['messageId']}: {body['message']['text']}"
    if "suggestionResponse" in body:
        return str(body["suggestionResponse"]["postbackData"])
    return "live agent" if body["userStatus"].get("requestedLiveAgent") else "typing"


def live_agent_transfer(body: Body) -> str:
    """step-4: `/callback` of the codelab cuts the brand out of `agent` and keeps everything in
    a data store.
    """
    agent = body["agent"]
    brand = agent[agent.index("brands/") + 7 : agent.index("/agents")]
    kept = (
        body["conversationId"],
        body["requestId"],
        brand,
        body["context"]["userInfo"]["displayName"],
    )
    assert all(kept)
    if "message" in body:
        return str(body["message"]["text"])
    if "suggestionResponse" in body:
        return str(body["suggestionResponse"]["text"])
    return "queued" if "requestedLiveAgent" in body["userStatus"] else "typing"


def bootstrap(body: Body) -> str:
    """src/reply.js"""
    if "message" in body or "suggestionResponse" in body:
        said = (
            body["message"]["text"]
            if "message" in body
            else body["suggestionResponse"]["postbackData"]
        )
        return str(said.strip().lower())
    return "joins" if body["userStatus"].get("requestedLiveAgent") else "types"


def echo_bot(body: Body) -> str:
    """main.py"""
    if "message" in body:
        return str(body["message"]["text"])
    if "suggestionResponse" in body:
        return str(body["suggestionResponse"]["text"])
    return "wants a person" if "requestedLiveAgent" in body["userStatus"] else "types"


def every_documented_field(body: Body) -> str:
    """The reference's UserMessage, whatever of it an honest value exists for.

    https://developers.google.com/business-communications/business-messages/reference/rest/v1/UserMessage
    """
    context, user = body["context"], body["context"]["userInfo"]
    wanted = (
        body["agent"],
        body["conversationId"],
        body["requestId"],
        body["sendTime"],
        context["entryPoint"],
    )
    assert all((*wanted, context["resolvedLocale"], user["displayName"], user["userDeviceLocale"]))
    payload = next(
        body[name]
        for name in ("message", "suggestionResponse", "userStatus", "receipts")
        if name in body
    )
    assert datetime.fromisoformat(payload["createTime"]) <= NOW
    if "message" in body:
        assert (
            payload["name"]
            == f"conversations/{body['conversationId']}/messages/{payload['messageId']}"
        )
    if "suggestionResponse" in body:
        assert payload["type"] == payload["suggestionType"] == "REPLY"
        assert payload["text"]
    return "complete"


def _rcs(phone: str, **said: object) -> tuple[Platform, bytes]:
    whole = {"agentId": "an-agent@rbm.goog", "senderPhoneNumber": phone, "messageId": "m-1", **said}
    data = base64.b64encode(json.dumps(whole).encode()).decode()
    return Rcs(now=lambda: NOW), json.dumps({"message": {"data": data}}).encode()


def _whatsapp(phone: str, **said: object) -> tuple[Platform, bytes]:
    message = {"from": phone.removeprefix("+"), "id": "wamid.1", **said}
    value = {"metadata": {"phone_number_id": "106540352242000"}, "messages": [message]}
    body = {"entry": [{"changes": [{"field": "messages", "value": value}]}]}
    return WhatsApp(now=lambda: NOW), json.dumps(body).encode()


def _button(postback: str) -> dict[str, Any]:
    return {
        "type": "interactive",
        "interactive": {"button_reply": {"id": postback, "title": "Chip"}},
    }


SAID: dict[str, Callable[[str], tuple[Platform, bytes]]] = {
    "rcs text": lambda phone: _rcs(phone, text="Hi"),
    "rcs tap": lambda phone: _rcs(phone, suggestionResponse={"postbackData": "yes", "text": "Yes"}),
    "rcs person": lambda phone: _rcs(
        phone, suggestionResponse={"postbackData": "baton:request-human", "text": "P"}
    ),
    "rcs file": lambda phone: _rcs(phone, userFile={"payload": {"fileUri": "https://x.test/f"}}),
    "rcs typing": lambda phone: _rcs(phone, eventType="IS_TYPING"),
    "rcs receipt": lambda phone: _rcs(phone, eventType="READ"),
    "whatsapp text": lambda phone: _whatsapp(phone, type="text", text={"body": "Hi"}),
    "whatsapp tap": lambda phone: _whatsapp(phone, **_button("yes")),
    "whatsapp person": lambda phone: _whatsapp(phone, **_button("baton:request-human")),
    "whatsapp image": lambda phone: _whatsapp(phone, type="image", image={"id": "1"}),
}
NEWS = {"rcs receipt"}  # which no sample reads


def _body(platform: Platform, raw: bytes) -> Body:
    (event,) = platform.events(Request("POST", "/", raw))
    form: Body = getattr(event, "form", None) or {}
    return form


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize("said", SAID)
def test_googles_samples_can_read_it(said: str, phone: str) -> None:
    body = _body(*SAID[said](phone))
    readers = (
        () if said in NEWS else (dialogflow_integration, live_agent_transfer, bootstrap, echo_bot)
    )
    assert all(read(body) for read in (every_documented_field, *readers))


def test_what_asks_for_a_person_has_one_form_everywhere() -> None:
    forms = [_body(*SAID[said](PHONES[0])) for said in ("rcs person", "whatsapp person")]
    assert [form["userStatus"]["requestedLiveAgent"] for form in forms] == [True, True]
    assert [dialogflow_integration(form) for form in forms] == ["live agent"] * 2


def test_no_body_names_a_number() -> None:
    for said, made in SAID.items():
        assert not [phone for phone in PHONES if phone[1:] in json.dumps(_body(*made(phone)))], said


def test_a_language_that_no_number_tells_is_the_deployments() -> None:
    platform, raw = SAID["rcs text"]("+12025550100")
    assert isinstance(platform, Rcs)
    assert (
        _body(Rcs(language="pt", now=platform.now), raw)["context"]["userInfo"]["userDeviceLocale"]
        == "pt"
    )
