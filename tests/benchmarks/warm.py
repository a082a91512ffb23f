"""A conversation in the middle of its life and the next event's commit, for what is measured
without a server.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from shared.conversations.apply import apply
from shared.handoff.policy import Policy
from shared.platforms.base import Platform
from shared.platforms.business_messages.platform import BusinessMessages
from shared.platforms.csku.platform import Csku
from shared.ports import Commit, Ports, Snapshot, Written
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event
from shared.schemas.http import Request
from shared.transports.clock import WallClock
from tests.benchmarks.webhooks import CSKU_SECRET, SIGNING_KEY, WEBHOOKS

PLATFORMS: dict[str, Platform] = {
    "csku": Csku(webhook_secrets=(CSKU_SECRET,)),
    "business_messages": BusinessMessages(signing_keys=(SIGNING_KEY,)),
}


def policy() -> Policy:
    minutes = timedelta(minutes=2)
    return Policy(
        unclaimed_after=minutes,
        unclaimed_reminders=3,
        human_idle_after=minutes * 15,
        give_up_after=timedelta(days=1),
        bot_name="Baton",
        webhooks=frozenset(),
        capabilities={name: platform.capabilities for name, platform in PLATFORMS.items()},
    )


def request(kind: str, message: str) -> Request:
    """Returns a webhook as the edge hands it on."""
    body, headers = WEBHOOKS[kind]("conv_abc123", message)
    given = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **headers,
    }
    return Request("POST", f"/{kind}", body, given, {})


def event(kind: str, message: str) -> Event:
    (found,) = PLATFORMS[kind].events(request(kind, message))
    return cast(Event, found)


class _Recording:
    """As much of a store as one event needs; it keeps the last commit."""

    def __init__(self) -> None:
        self.last: Commit | None = None
        self.token: object = None

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        return Snapshot(self.last.conversations[0].value, self.token) if self.last else None

    async def commit(self, commit: Commit) -> Written:
        self.last = commit
        return Written([Snapshot(one, None) for one in commit.entries], [*commit.conversations])


async def next_commit(kind: str, token: object) -> Commit:
    """Returns what the second event of a conversation writes, over the state that `token` names."""
    store: Any = _Recording()
    ports = Ports(store, cast(Any, None), cast(Any, None), WallClock(), policy(), PLATFORMS)
    await apply(ports, event(kind, "first"))
    store.token = token
    await apply(ports, event(kind, "second"))
    return cast(Commit, store.last)


def now() -> datetime:
    return datetime.now(UTC)
