"""Where the bytes of an attachment are: in Baton's own store, or at its platform."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from shared.errors import Gone, NotFound, TooLate, Unsupported
from shared.media.names import kept_name, upload_name
from shared.media_links import MediaName
from shared.platforms.base import HasMedia
from shared.ports import Fetcher, Opened, Ports
from shared.schemas.details import Attachment
from shared.schemas.http import Call
from shared.schemas.notation import platform_of


@dataclass(slots=True)
class Source:
    """Opens one file as often as its reader needs. The platform is asked once where the file is.

    `reporter` is the conversation that reported the message: its platform has the file.
    """

    ports: Ports
    reporter: str
    name: MediaName
    file: Attachment
    _call: Call | None = field(default=None, init=False)

    @asynccontextmanager
    async def open(self, part: str | None = None) -> AsyncIterator[Opened]:
        """Opens the file, or the part of it that a Range header names.

        Raises Gone, Refused, Unsupported, Unavailable.
        """
        async with AsyncExitStack() as stack:
            try:
                found = await self._find(stack, part)
            except NotFound:
                raise Gone("file-gone", "The platform has this file no longer.") from None
            yield found

    async def _find(self, stack: AsyncExitStack, part: str | None) -> Opened:
        store = self.ports.media_store
        if store is not None:
            try:
                return await stack.enter_async_context(store.open(self._kept_name, part))
            except NotFound:
                if self.file.id is None and self.file.link is None:
                    raise
        platform, fetcher = self._platform()
        call = await self._fetching(platform)
        ranged = call if part is None else replace(call, headers={**call.headers, "range": part})
        return await stack.enter_async_context(fetcher.open(ranged, platform.media_hosts))

    @property
    def _kept_name(self) -> str:
        if self.file.upload is not None:
            return upload_name(self.name.conversation, self.file.upload)
        return kept_name(self.name)

    def _platform(self) -> tuple[HasMedia, Fetcher]:
        platform = self.ports.platforms.get(platform_of(self.reporter))
        if not isinstance(platform, HasMedia) or self.ports.media is None:
            raise Unsupported("no-files", "Baton cannot fetch the files of this platform.")
        return platform, self.ports.media

    async def _fetching(self, platform: HasMedia) -> Call:
        if self._call is None:
            lookup = platform.media_lookup(self.file)
            found = None
            if lookup is not None:
                found = await self.ports.sender.send(lookup)
                if found is None:
                    raise TooLate("platform-too-slow", "The platform has not answered in time.")
            self._call = platform.media_source(self.file, found)
        return self._call
