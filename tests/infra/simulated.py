"""Short words for playing a customer, and Baton, against a simulated platform that is not
served.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp

from infra.local.simulators.rcs import AGENT, RcsSimulator
from infra.local.simulators.simulator import Simulator
from infra.local.simulators.whatsapp import NUMBER
from shared.platforms.rcs.platform import Rcs
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content
from shared.schemas.http import Answer, Call, Request
from shared.schemas.representative import Representative, RepresentativeType

BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
HERE, PHONE = "http://platform.test", "+12025550100"
RCS = Rcs(client_tokens=("token",), api_url=f"{HERE}/sim/rcs")
WHATSAPP = WhatsApp(("secret",), api_url=f"{HERE}/sim/whatsapp/v23.0", access_token="access")


async def ask(simulator: ASGIApp, call: Call) -> Answer:
    parts, said = urlsplit(call.url), list[Mapping[str, Any]]()
    given = False

    async def receive() -> Mapping[str, Any]:
        nonlocal given
        if given:
            await asyncio.Event().wait()  # the caller stays
        given = True
        return {"type": "http.request", "body": call.body}

    async def send(message: Any) -> None:
        said.append(message)

    bearer = [(b"authorization", f"Bearer {call.auth.partition(':')[2]}".encode())]
    own = [(name.encode(), value.encode()) for name, value in call.headers.items()]
    scope = {
        "type": "http", "method": call.method, "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(), "headers": [*own, *bearer], "http_version": "1.1",
        "scheme": "http",
        "server": ("platform", 80), "client": ("baton", 1), "root_path": "",
    }  # fmt: skip
    await simulator(scope, receive, send)  # type: ignore[arg-type]  # the scope is whole, its keys are not typed
    headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return Answer(said[0]["status"], b"".join(message["body"] for message in said[1:]), headers)


async def customer(
    simulator: Simulator, path: str, body: dict[str, Any], method: str = "POST"
) -> dict[str, Any]:
    simulator.let_baton_hear = _at_once  # type: ignore[method-assign]  # there is no Baton here
    raw = json.dumps(body).encode()
    answer: dict[str, Any] = json.loads(
        (await ask(simulator, Call(method, f"{HERE}{simulator.prefix}{path}", raw))).body
    )
    return answer


async def _at_once() -> None:
    return None


async def says(simulator: Simulator, text: str = "Hi") -> dict[str, Any]:
    return await customer(simulator, f"/customers/{PHONE}/messages", {"text": text})


async def sent(
    simulator: Simulator, text: str = "Hello", command_id: str = "1", **content: Any
) -> Answer:
    platform, to = (
        (RCS, f"{AGENT}|{PHONE}")
        if isinstance(simulator, RcsSimulator)
        else (WHATSAPP, _wa_address())
    )
    said = Content.model_construct(text=text, **content)
    call = platform.call(
        SendMessage.model_construct(id=command_id, to=to, representative=BOT, content=said)
    )
    assert call is not None
    return await ask(simulator, call)


def _wa_address() -> str:
    return f"{NUMBER}|{PHONE.removeprefix('+')}"


def shown(simulator: Simulator, kind: str = "message") -> list[str]:
    rows = simulator.store.transcript(PHONE)
    return [
        row["body"].get("text", "")
        for row in rows
        if row["side"] == "business" and row["kind"] == kind
    ]


def told(simulator: Simulator) -> list[Any]:
    """Returns what the platform of Baton makes of the webhooks that wait, each of them proved."""
    found: list[Any] = []
    platform = RCS if isinstance(simulator, RcsSimulator) else WHATSAPP
    for seq, body in simulator.store.webhooks(100):
        request = Request("POST", "/", body.encode(), simulator.signed(body.encode()))
        platform.authenticate(request)
        found += platform.events(request)
        simulator.store.delivered(seq)
    return found
