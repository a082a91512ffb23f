"""The composition root: from the environment to ports. Everything is built once, lazily, inside
the event loop.
"""

import contextlib
import gc
import os
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from shared import tracing
from shared.bootstrap.desks import desks
from shared.bootstrap.garbage import no_garbage
from shared.bootstrap.platforms import api_urls, capabilities, platforms
from shared.bootstrap.policy import people, policy
from shared.bootstrap.teams import team
from shared.errors import Misconfigured
from shared.logs import log
from shared.media_links import MediaLinks
from shared.ports import ConversationStore, CrmRecord, Opened, Ports, Publisher, SignIn, Webhooks
from shared.schemas.http import PUSH_LIMIT, Answer, Call, Door, Request
from shared.settings.doors import closed_doors
from shared.settings.model import Settings, read_settings
from shared.transports.clock import WallClock

if TYPE_CHECKING:
    from shared.api.keys import Keyring
    from shared.bots.run_bot import Assistant
    from shared.stores.media.bucket import BucketStore
    from shared.stores.media.directory import DirectoryStore
    from shared.transports.http_sender import HttpSender
    from shared.transports.inline import InlineQueue
    from shared.transports.media_fetcher import MediaFetcher

# a slower bot delays no other conversation; the outbox asks again if it has answered
BOT_PATIENCE_SECONDS = 1.0
# when to look for cycles of objects: nearly all that a request makes is freed without
GARBAGE = (10_000, 10, 20)


class Baton:
    """Baton in one process: its settings, its ports, and the handler of each function."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def ports(self) -> Ports:
        known = platforms(self.settings)
        return Ports(
            store=self._store(),
            publisher=self._publisher(),
            sender=self._sender,
            clock=WallClock(),
            policy=policy(self.settings, capabilities(known)),
            platforms=known,
            webhooks=Webhooks(
                self.settings.webhooks, next(iter(self.settings.outbound_webhook_keys), None)
            ),
            crm=self._crm(),
            desks=desks(self.settings),
            team=team(self.settings),
            canned=self.settings.baton_canned,
            streams=self.settings.reports_stream == "on",
            early_wake_ups=self.settings.baton_queue == "pubsub",
            media_links=self._media_links() if self.settings.media_url else None,
            media=self._fetcher,
            media_store=self._media_store,
            people=people(self.settings),
            page_open_for=timedelta(seconds=self.settings.presence_seconds),
        )

    @cached_property
    def inline_queue(self) -> "InlineQueue":
        """The embedded queue, which delivers in this process and runs the built-in bot."""
        from shared.schemas.notifications import HANDOFFS, USER_MESSAGES
        from shared.transports.inline import InlineQueue

        queue = InlineQueue(self._deliver_inline)
        if self.assistant.name != "none":
            queue.subscribe(USER_MESSAGES, self._answer_inline, patience=BOT_PATIENCE_SECONDS)
        queue.subscribe(HANDOFFS, self._notify_inline)
        return queue

    @cached_property
    def assistant(self) -> "Assistant":
        """The built-in bot, if any."""
        from shared.bootstrap.bots import assistant

        return assistant(self.settings)

    async def close(self) -> None:
        """Closes the connections to platforms, for a process that stops serving. Nothing is sent
        afterwards.
        """
        await self._sender.close()
        await self._fetcher.close()
        if self._media_store is not None:
            await self._media_store.close()

    def receive_webhook(self) -> Door:
        from shared.conversations.receive_webhook import body_limit, receive_webhook

        ports = self._delivering("receive_webhook")
        return Door(partial(receive_webhook, ports), partial(body_limit, ports))

    def forward_variables(self, folder: Path) -> Door:
        from shared.browser.forward_variables import Bridge, body_limit, forward_variables

        settings = self.settings
        bridge = Bridge(
            token_keys=settings.bridge_token_keys,
            origins=frozenset(settings.bridge_allowed_origins),
            audiences=settings.bridge_variables_audiences,
            script=(folder / "bridge.js").read_bytes(),
            tells_failures=settings.virtual_agent_failed == "request-human",
        )
        return Door(
            partial(forward_variables, self.ports, bridge), partial(body_limit, self.ports, bridge)
        )

    def send_representative(self, folder: Path | None = None) -> Door:
        from shared.api.routes import body_limit, is_upload, send_representative

        keyring = self._keyring()
        ports = self._delivering("send_representative")
        answer = partial(send_representative, ports, keyring, pages=folder)
        return Door(answer, partial(body_limit, keyring), partial(is_upload, keyring))

    def _keyring(self) -> "Keyring":
        from shared.api.keys import Keyring
        from shared.api.sessions import Sessions

        settings = self.settings
        keys = settings.baton_session_keys
        return Keyring(
            keys=settings.api_keys,
            people=settings.people,
            sessions=Sessions(keys, WallClock(), secure=settings.deployed) if keys else None,
            sign_in=self._sign_in(),
        )

    def _sign_in(self) -> SignIn | None:
        settings = self.settings
        if settings.baton_sign_in_client_id is None:
            return None
        from shared.transports.google_sign_in import GoogleSignIn

        domains = settings.baton_sign_in_domains
        return GoogleSignIn(settings.baton_sign_in_client_id, domains, self._sender, WallClock())

    def deliver_outbox(self) -> Door:
        from shared.delivery.wake_ups import deliver_outbox

        return Door(partial(deliver_outbox, self.ports), _pushed)

    def run_bot(self) -> Door:
        from shared.bots.run_bot import run_bot

        return Door(partial(run_bot, self.ports, self.assistant), _pushed)

    def notify_handoff(self) -> Door:
        from shared.teams.notify_handoff import notify_handoff

        return Door(partial(notify_handoff, self.ports), _pushed)

    def sweep(self) -> Door:
        from shared.delivery.sweep import sweep_all

        return Door(partial(sweep_all, self.ports), lambda _: 0)

    def relay_media(self) -> Door:
        from shared.media.relay import relay_media

        return Door(partial(relay_media, self.ports, self._media_links()), lambda _: 0)

    def _delivering(self, function: str) -> Ports:
        """Returns the ports of a function that delivers what it accepts, if the settings say so."""
        if self.settings.baton_deliver_in_place != "on":
            return self.ports
        from shared.bootstrap.in_place import DELIVERS
        from shared.delivery.in_place import DeliverInPlace

        return replace(self.ports, in_place=DeliverInPlace(DELIVERS[function]))

    @cached_property
    def _sender(self) -> "_SenderAtFirstUse":
        return _SenderAtFirstUse()

    @cached_property
    def _fetcher(self) -> "_FetcherAtFirstUse":
        return _FetcherAtFirstUse(api_urls(self.settings))

    def _store(self) -> ConversationStore:
        if self.settings.baton_store == "firestore":
            return self._firestore()
        from shared.stores.sqlite.store import SqliteStore

        return SqliteStore(self.settings.baton_store.removeprefix("sqlite:///"))

    def _firestore(self) -> ConversationStore:
        from shared.stores.cache import CachedStore
        from shared.stores.firestore.rpc import FirestoreRpc
        from shared.stores.firestore.store import FirestoreStore

        emulator, ttl = (
            self.settings.firestore_emulator_host,
            timedelta(days=self.settings.journal_ttl_days),
        )
        rpc, kept = (
            FirestoreRpc(self._project(emulator), emulator, self.settings.baton_database),
            timedelta(days=self.settings.reports_ttl_days),
        )
        return CachedStore(FirestoreStore(rpc, WallClock(), ttl, kept))

    def _publisher(self) -> Publisher:
        if self.settings.baton_queue != "pubsub":
            return self.inline_queue
        from shared.transports.pubsub import PubsubPublisher

        emulator = self.settings.pubsub_emulator_host
        return PubsubPublisher(self._project(emulator), emulator, self.settings.baton_prefix)

    def _project(self, emulator: str | None) -> str:
        """Returns GOOGLE_CLOUD_PROJECT, or the project that the credentials name. Raises
        Misconfigured.
        """
        project = self.settings.google_cloud_project or (
            None if emulator else _project_of_credentials()
        )
        if project is None:
            fault = "GOOGLE_CLOUD_PROJECT is not set, and no credentials name a project"
            log("ERROR", f"the settings are wrong: {fault}")
            raise Misconfigured(fault)
        return project

    def _media_links(self) -> MediaLinks:
        """Returns what makes links; without MEDIA_URL it only reads them."""
        settings = self.settings
        lifetime = timedelta(seconds=settings.media_link_seconds)
        base = settings.media_url or ""
        return MediaLinks(base, settings.media_link_keys, lifetime, WallClock().now)

    @cached_property
    def _media_store(self) -> "_MediaStoreAtFirstUse | None":
        return _MediaStoreAtFirstUse(self.settings) if self.settings.media_bucket else None

    def _crm(self) -> CrmRecord | None:
        settings = self.settings
        if settings.crm_comment_url is None:
            return None
        return CrmRecord(
            settings.crm_comment_url,
            settings.crm_comment_method,
            settings.crm_comment_secret,
            settings.crm_comment_authorization,
        )

    async def _deliver_inline(self, conversation: str, timers: bool) -> float | None:
        from shared.delivery.deliver import deliver

        delivered = await deliver(self.ports, conversation, timers=timers)
        if delivered.next_try is None:
            return None
        return max((delivered.next_try - self.ports.clock.now()).total_seconds(), 0.0)

    async def _answer_inline(self, body: bytes) -> None:
        from shared.bots.run_bot import answer
        from shared.platforms.bodies import parse_object

        await answer(self.ports, self.assistant, parse_object(body))

    async def _notify_inline(self, body: bytes) -> None:
        from shared.platforms.bodies import parse_object
        from shared.teams.notify_handoff import take

        await take(self.ports, parse_object(body))


def _pushed(request: Request) -> int:
    return PUSH_LIMIT if request.method == "POST" else 0


class _SenderAtFirstUse:
    """A Sender that is built at its first use. Most functions never call out, and importing the
    HTTP client takes a quarter of their start.
    """

    @cached_property
    def _sender(self) -> "HttpSender":
        from shared.transports.http_sender import HttpSender

        return HttpSender()

    async def send(self, call: Call) -> Answer | None:
        return await self._sender.send(call)

    async def close(self) -> None:
        if "_sender" in vars(self):
            await self._sender.close()


class _FetcherAtFirstUse:
    """A Fetcher that is built at its first use, for the same reason."""

    def __init__(self, own: Collection[str]) -> None:
        self._own = own

    @cached_property
    def _fetcher(self) -> "MediaFetcher":
        from shared.transports.media_fetcher import MediaFetcher, origin_of

        return MediaFetcher({origin_of(url) for url in self._own})

    def open(
        self, call: Call, hosts: Collection[str]
    ) -> contextlib.AbstractAsyncContextManager[Opened]:
        return self._fetcher.open(call, hosts)

    async def close(self) -> None:
        if "_fetcher" in vars(self):
            await self._fetcher.close()


class _MediaStoreAtFirstUse:
    """A MediaStore that is built at its first use, for the same reason."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _store(self) -> "BucketStore | DirectoryStore":
        place = self._settings.media_bucket or ""
        if place.startswith("file://"):
            from shared.stores.media.directory import DirectoryStore

            kept_for = timedelta(days=self._settings.journal_ttl_days)
            return DirectoryStore(Path(unquote(urlsplit(place).path)), kept_for)
        from shared.stores.media.bucket import SCOPE, BucketStore
        from shared.transports.google_tokens import GoogleTokens

        return BucketStore(place, partial(GoogleTokens().of, SCOPE))

    async def put(self, name: str, mime_type: str, chunks: AsyncIterator[bytes]) -> None:
        await self._store.put(name, mime_type, chunks)

    def open(self, name: str, part: str | None) -> contextlib.AbstractAsyncContextManager[Opened]:
        return self._store.open(name, part)

    async def delete(self, prefix: str) -> None:
        await self._store.delete(prefix)

    async def close(self) -> None:
        if "_store" in vars(self):
            await self._store.close()


def _project_of_credentials() -> str | None:
    import google.auth
    import google.auth.exceptions

    try:
        project: str | None = google.auth.default()[1]
    except google.auth.exceptions.GoogleAuthError:
        return None
    return project


@cache
def baton() -> Baton:
    """Returns this process's Baton. Raises Misconfigured."""
    return Baton(read_settings(os.environ))


@cache
def handler(function: str, folder: Path | None = None) -> Door:
    """Returns the handler of a function. `folder` has its static files, if any. Raises
    Misconfigured.
    """
    build = getattr(baton(), function)
    with no_garbage():  # it loads the use case
        built: Door = build() if folder is None else build(folder)
    return built


def announce(function: str) -> None:
    """Logs at start which of a function's doors are closed because a setting is missing; wrong
    settings are logged as well.
    """
    with contextlib.suppress(Misconfigured), no_garbage():
        tracing.name_project(baton().settings.google_cloud_project)
        for setting in closed_doors(baton().settings, function):
            log(
                "ERROR",
                f"a door of {function} is closed: {setting} is not set",
                function=function,
                setting=setting,
            )
    gc.set_threshold(*GARBAGE)
