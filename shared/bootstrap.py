"""The composition root: from the environment to ports. Everything is built once, lazily, inside the event loop."""

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from shared.edge import Handler
from shared.handoff.policy import Policy
from shared.logs import log
from shared.platforms.registry import platforms
from shared.ports import ConversationStore, Ports, Publisher, Webhooks
from shared.schemas.conversation import Capabilities
from shared.settings import Settings, closed_doors, read_settings
from shared.transports.clock import WallClock

if TYPE_CHECKING:
    from shared.transports.inline import InlineQueue


class Baton:
    """One process's Baton: its settings, its ports, and the handler of each function."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def ports(self) -> Ports:
        from shared.transports.http_sender import HttpSender

        known = platforms(self.settings)
        return Ports(
            store=self._store(),
            publisher=self._publisher(),
            sender=HttpSender(),
            clock=WallClock(),
            policy=self._policy({name: platform.capabilities for name, platform in known.items()}),
            platforms=known,
            webhooks=Webhooks(self.settings.webhooks, next(iter(self.settings.outbound_webhook_keys), None)),
        )

    @cached_property
    def inline_queue(self) -> "InlineQueue":
        """The embedded queue, which delivers in this process and runs the built-in bot."""
        from shared.schemas.notifications import USER_MESSAGES
        from shared.services.bot import acknowledge
        from shared.transports.inline import InlineQueue

        queue = InlineQueue(self._deliver_inline)
        if self.settings.baton_bot == "acknowledge":
            queue.subscribe(USER_MESSAGES, lambda body: acknowledge(self.ports, body))
        return queue

    def receive_webhook(self) -> Handler:
        from shared.services.receive import receive_webhook

        return partial(receive_webhook, self.ports)

    def send_representative(self) -> Handler:
        from shared.api.keys import Keyring
        from shared.api.routes import send_representative

        return partial(send_representative, self.ports, Keyring(self.settings.baton_api_keys))

    def deliver_outbox(self) -> Handler:
        from shared.services.wake_ups import deliver_outbox

        return partial(deliver_outbox, self.ports)

    def sweep(self) -> Handler:
        from shared.services.wake_ups import sweep_all

        return partial(sweep_all, self.ports)

    def _store(self) -> ConversationStore:
        from shared.stores.sqlite import SqliteStore

        return SqliteStore(self.settings.baton_store.removeprefix("sqlite:///"))

    def _publisher(self) -> Publisher:
        return self.inline_queue

    async def _deliver_inline(self, conversation: str, timers: bool) -> float | None:
        from shared.services.deliver import deliver

        delivered = await deliver(self.ports, conversation, timers=timers)
        if delivered.next_try is None:
            return None
        return max((delivered.next_try - self.ports.clock.now()).total_seconds(), 0.0)

    def _policy(self, capabilities: Mapping[str, Capabilities]) -> Policy:
        settings = self.settings
        return Policy(
            unclaimed_after=timedelta(seconds=settings.unclaimed_after),
            unclaimed_reminders=settings.unclaimed_reminders,
            human_idle_after=timedelta(seconds=settings.human_idle_after),
            give_up_after=timedelta(seconds=settings.delivery_give_up_after),
            bot_name=settings.baton_bot_name,
            webhooks=frozenset(settings.webhooks),
            capabilities=capabilities,
        )


@cache
def baton() -> Baton:
    """Returns this process's Baton. Raises Misconfigured."""
    return Baton(read_settings(os.environ))


@cache
def handler(function: str) -> Handler:
    """Returns the handler of a function, having said which of its doors stay closed for want of a secret."""
    one = baton()
    for setting in closed_doors(one.settings, function):
        log("ERROR", f"a door of {function} is closed: {setting} is not set", function=function, setting=setting)
    built: Handler = getattr(one, function)()
    return built
