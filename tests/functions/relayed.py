"""A local run whose WhatsApp is a server of files in this process, and customers who send files."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.server import LocalServer
from infra.local.settings import ADMIN_KEY, WHATSAPP_SECRET
from shared.platforms.bodies import hmac_sha256_hex
from shared.schemas.notation import conversation_id
from tests.forked import ForkedServer
from tests.unit.file_server import TOKEN, FileServer, serving

READY_SECONDS = 10.0


@dataclass
class Relayed:
    server: LocalServer
    files: FileServer
    sent: int = 0

    def link(self, content: bytes, kind: str = "image", **media: Any) -> str:
        """Returns the link to a file that a new customer sends, as the journal has it."""
        self.sent += 1
        name = f"{1000 + self.sent}"
        told = {"id": name, "mime_type": "image/png", **media}
        self.files.files[name] = (content, told["mime_type"])
        customer = f"1202555{name}"
        assert self.report(customer, {"type": kind, kind: told}, name) == 200
        conversation = conversation_id("whatsapp", f"1:+{customer}")
        path = f"/send_representative/v1/conversations/{conversation}/journal"
        entries = self.server.get(path, ADMIN_KEY)["entries"]
        (file,) = next(one["details"]["attachments"] for one in entries if "details" in one)
        return str(file["url"])

    def report(self, customer: str, message: dict[str, Any], native: str) -> int:
        """Returns the status with which Baton answers a message of a customer's."""
        whole = {"from": customer, "id": f"wamid.{native}", "timestamp": str(int(time.time()))}
        value = {"metadata": {"phone_number_id": "1"}, "messages": [{**whole, **message}]}
        change = {"field": "messages", "value": value}
        body = json.dumps({"entry": [{"changes": [change]}]}).encode()
        signature = f"sha256={hmac_sha256_hex(WHATSAPP_SECRET, body)}"
        headers = {"x-hub-signature-256": signature}
        return self.server.send("POST", "/receive_webhook/whatsapp", body, headers).status


@contextmanager
def relayed(folder: Path) -> Iterator[Relayed]:
    """Runs both while the context lasts."""
    files, ready, done = FileServer(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(files):
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(READY_SECONDS)
    settings = {
        "WHATSAPP_API_URL": files.graph,
        "WHATSAPP_ACCESS_TOKEN": TOKEN,
        "MEDIA_BUCKET": "",  # nothing is kept, so each reader gets it from the platform
    }
    try:
        with ForkedServer(folder, settings) as server:
            yield Relayed(server, files)
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
