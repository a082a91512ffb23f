"""200 WhatsApp statuses in one webhook, of as many customers, every RPC 10 ms longer."""

import json
import time
from http.client import HTTPConnection

from shared.platforms.bodies import hmac_sha256_hex
from tests.benchmarks.emulators import emulators
from tests.benchmarks.proxy import proxy
from tests.benchmarks.servers import baton, serve
from tests.benchmarks.webhooks import SAMPLES, WHATSAPP_SECRET

STATUSES, DELAY_MS = 200, 10.0


def seconds(rounds: int) -> list[float]:
    """Returns how long each of so many webhooks took, after one that is not measured."""
    with (
        emulators() as pair,
        proxy(pair, DELAY_MS) as slow,
        serve(baton("csku"), slow.emulators) as server,
    ):
        server.post("conv-0", "warm")
        return [_posted(server.port, number) for number in range(rounds + 1)][1:]


def _posted(port: int, number: int) -> float:
    body = _body(number)
    signature = f"sha256={hmac_sha256_hex(WHATSAPP_SECRET, body)}"
    headers = {"content-type": "application/json", "x-hub-signature-256": signature}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    connection.request("POST", "/whatsapp", body, headers)
    status = connection.getresponse().status
    took = time.perf_counter() - began
    connection.close()
    if status != 200:
        raise RuntimeError(f"the webhook with {STATUSES} statuses was answered {status}")
    return took


def _body(number: int) -> bytes:
    body = json.loads((SAMPLES / "whatsapp/status-delivered/body").read_text())
    statuses = body["entry"][0]["changes"][0]["value"]["statuses"]
    statuses[:] = [
        {**statuses[0], "id": f"wamid.{number}-{n}", "recipient_id": f"551190000{n:04}"}
        for n in range(STATUSES)
    ]
    return json.dumps(body).encode()
