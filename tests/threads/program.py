"""A vendor of threads as a process of its own: VENDOR is its kind, BATON_URL where the functions
are, PORT and BATON_HOME where it serves and keeps its state.
"""

import asyncio
import os
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from infra.local.settings import SLACK_SECRET, SLACK_TOKEN
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.slack import SlackSimulator
from infra.local.simulators.threads import ThreadSimulator
from tests.desks.google_chat_server import GoogleChatSimulator
from tests.threads.places import PLACES


def vendor(kind: str, store: PlatformStore, baton: str, here: str) -> ThreadSimulator:
    door, places = f"{baton}/receive_webhook/{kind}", tuple(PLACES[kind].values())
    if kind == "slack":
        return SlackSimulator(store, door, SLACK_SECRET, SLACK_TOKEN, here, channels=places)
    return GoogleChatSimulator(store, door, _key(store), places, subscribed=True)


def _key(store: PlatformStore) -> RSAPrivateKey:
    """Returns Google's key, which stays the same."""
    kept = store.kept("key").get("google")
    if kept is None:
        made = generate_private_key(public_exponent=65537, key_size=2048)
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        kept = pem.decode()
        store.keep("key", "google", kept)
    key = load_pem_private_key(kept.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


async def main() -> None:
    port, store = int(os.environ["PORT"]), Path(os.environ["BATON_HOME"], "vendor.sqlite")
    here, baton = f"http://127.0.0.1:{port}", os.environ["BATON_URL"]
    simulator = vendor(os.environ["VENDOR"], PlatformStore(str(store)), baton, here)
    simulator.gives_up = True
    config = uvicorn.Config(
        simulator, port=port, lifespan="off", log_level="warning", access_log=False
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(uvicorn.Server(config).serve())
        tasks.create_task(simulator.post_webhooks())


if __name__ == "__main__":
    asyncio.run(main())
