"""A vendor of threads as a process of its own: VENDOR is its kind, BATON_URL where the functions
are, PORT and BATON_HOME where it serves and keeps its state.
"""

import asyncio
import os
from pathlib import Path

import uvicorn

from infra.local.settings import SLACK_SECRET, SLACK_TOKEN
from infra.local.simulators.google_chat_app import GoogleChatSimulator
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.slack import SlackSimulator
from infra.local.simulators.threads import ThreadSimulator
from tests.threads.places import AUDIENCE, PLACES, PUSH


def vendor(kind: str, store: PlatformStore, baton: str, here: str) -> ThreadSimulator:
    """Google Chat's events come through Pub/Sub, by which nothing is lost."""
    door, places = f"{baton}/receive_webhook/{kind}", tuple(PLACES[kind].values())
    if kind == "slack":
        return SlackSimulator(store, door, SLACK_SECRET, SLACK_TOKEN, here, channels=places)
    return GoogleChatSimulator(store, door, AUDIENCE, PUSH, spaces=places, subscribed=True)


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
