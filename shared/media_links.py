"""The links by which people and programs fetch the files of a conversation from `relay_media`.

A link ends with a token that names the file. Only Baton can read a token, so that a link shows
neither a customer nor a message.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime, timedelta

from pydantic import JsonValue

from shared.errors import DoorClosed, Gone, NotFound
from shared.schemas.base import JsonObject
from shared.values import frozen

FOR_PEOPLE = timedelta(days=7)


@frozen
class MediaName:
    """The place of one file: the conversation and the id of the journal entry whose message has
    it, and its position among the files of that message.
    """

    conversation: str
    entry: str
    index: int = 0


@frozen
class MediaLinks:
    """Makes and reads links. The first key makes them; each of `keys` reads them.

    `base` is the address of `relay_media`. A link ends after `lifetime`.
    """

    base: str
    keys: tuple[str, ...] = field(repr=False)
    lifetime: timedelta
    now: Callable[[], datetime]

    def link(self, name: MediaName, *, for_people: bool = False) -> str:
        """Returns a new link. One `for_people` stands in a message that a customer may read days
        later, so it lasts longer. Raises DoorClosed without a key.
        """
        from cryptography.fernet import Fernet  # imported here: few conversations have files

        if not self.keys:
            raise DoorClosed("MEDIA_LINK_KEYS")
        lasts = [FOR_PEOPLE.total_seconds()] if for_people else []
        named = json.dumps([name.conversation, name.entry, name.index, *lasts]).encode()
        token = Fernet(_key(self.keys[0])).encrypt_at_time(named, int(self.now().timestamp()))
        return f"{self.base.rstrip('/')}/{token.decode().rstrip('=')}"

    def named_by(self, token: str) -> MediaName:
        """Returns the file that a token names.

        Raises DoorClosed without a key, NotFound for what is no token, Gone after its lifetime.
        """
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        if not self.keys:
            raise DoorClosed("MEDIA_LINK_KEYS")
        reader, now = MultiFernet([Fernet(_key(key)) for key in self.keys]), self.now()
        padded = token + "=" * (-len(token) % 4)
        try:
            named = reader.decrypt(padded)
            begun = reader.extract_timestamp(padded)
        except (InvalidToken, ValueError):
            raise NotFound("no-such-link", "This is no link to a file.") from None
        conversation, entry, index, *lasts = json.loads(named)
        if now.timestamp() >= begun + max((self.lifetime.total_seconds(), *lasts)):
            raise Gone("link-expired", "This link has expired. Read the conversation again.")
        return MediaName(conversation, entry, index)

    def with_links(
        self, conversation: str, entry: str, details: JsonObject, *, for_people: bool = False
    ) -> JsonObject:
        """Returns what came beside a message, with a link to each of its files."""
        files = details.get("attachments")
        if not isinstance(files, list) or not self.keys:
            return details
        ends = self.now() + (max(self.lifetime, FOR_PEOPLE) if for_people else self.lifetime)
        linked: list[JsonValue] = [
            {
                **file,
                "url": self.link(MediaName(conversation, entry, index), for_people=for_people),
                "urlExpiresAt": ends.isoformat(timespec="seconds").replace("+00:00", "Z"),
            }
            for index, file in enumerate(files)
            if isinstance(file, Mapping)
        ]
        return {**details, "attachments": linked}


def _key(secret: str) -> bytes:
    """Returns a key of the length that the cipher needs, from a secret of any length."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"media link\0" + secret.encode()).digest())
