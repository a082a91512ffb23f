"""Files that a platform names by a link, which is its own permission."""

from urllib.parse import urlsplit

from shared.errors import NotFound
from shared.schemas.details import Attachment
from shared.schemas.http import Answer, Call

# Google's platforms keep files in Cloud Storage, in buckets such as rcs-user-content-us and
# business-messages-us, which may be the path's first part or the host's.
GOOGLE_HOSTS = ("storage.googleapis.com", ".storage.googleapis.com")


class LinkedFiles:
    """The part of HasMedia that is the same for every platform that names a link to each file."""

    __slots__ = ()

    def media_lookup(self, file: Attachment) -> Call | None:
        return None

    def media_source(self, file: Attachment, found: Answer | None) -> Call:
        if not file.link:
            raise NotFound("file-gone", "The platform has named no link to this file.")
        return Call("GET", file.link, b"")


def host_of(api_url: str) -> str:
    """Returns the host of a platform's API, which has its files where it is another one than the
    vendor's: in tests, or behind a gateway.
    """
    return (urlsplit(api_url).hostname or "").lower()
