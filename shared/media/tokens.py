"""The ids of uploads. An id carries all that Baton must know of the file, so that nothing is stored
for a file that no message shows. Only Baton can read it.
"""

import base64
import hashlib
import json
from dataclasses import asdict
from datetime import timedelta

from shared.errors import BadRequest, DoorClosed
from shared.media_links import MediaLinks
from shared.schemas.content import File
from shared.values import frozen

LIFETIME = timedelta(days=1)


@frozen
class Uploaded:
    """A file that a caller uploaded for a conversation.

    `upload` is where Baton's own store has it, `native_id` where the platform of `channel` has it.
    """

    conversation: str
    kind: str
    mime_type: str
    size: int
    sha256: str
    file_name: str | None = None
    upload: str | None = None
    native_id: str | None = None
    channel: str | None = None

    def shown_as(self, given: File) -> File:
        """Returns the file of a message that names this upload."""
        facts = {name: value for name, value in asdict(self).items() if name != "conversation"}
        named = given.file_name or self.file_name
        return File(**{**facts, "file_name": named, "alt_text": given.alt_text})


def media_id(links: MediaLinks, uploaded: Uploaded) -> str:
    """Returns the id of an upload. Raises DoorClosed without a key."""
    from cryptography.fernet import Fernet  # imported here: few instances take uploads

    facts = {name: value for name, value in asdict(uploaded).items() if value is not None}
    key = _key(_keys(links)[0])
    token = Fernet(key).encrypt_at_time(json.dumps(facts).encode(), int(links.now().timestamp()))
    return token.decode().rstrip("=")


def uploaded(links: MediaLinks, given: str) -> Uploaded:
    """Returns the upload that has this id.

    Raises BadRequest for what is no id or has expired, DoorClosed without a key.
    """
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    reader = MultiFernet([Fernet(_key(key)) for key in _keys(links)])
    padded = given + "=" * (-len(given) % 4)
    try:
        facts, begun = reader.decrypt(padded), reader.extract_timestamp(padded)
    except (InvalidToken, ValueError, TypeError):
        words = "file.mediaId: no upload has this id."
        raise BadRequest("unknown-media", words, field="file.mediaId") from None
    if links.now().timestamp() >= begun + LIFETIME.total_seconds():
        words = "file.mediaId: this upload has expired; upload the file again."
        raise BadRequest("media-expired", words, field="file.mediaId")
    return Uploaded(**json.loads(facts))


def _keys(links: MediaLinks) -> tuple[str, ...]:
    if not links.keys:
        raise DoorClosed("MEDIA_LINK_KEYS")
    return links.keys


def _key(secret: str) -> bytes:
    """Returns a key for ids, which is never that of a link made from the same secret."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"media id\0" + secret.encode()).digest())
