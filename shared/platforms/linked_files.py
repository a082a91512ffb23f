"""Files that a platform names by a link, which is its own permission."""

from urllib.parse import urlsplit

from shared.errors import NotFound
from shared.schemas.details import Attachment
from shared.schemas.http import Call

# Google's platforms keep files in Cloud Storage, in buckets such as rcs-user-content-us and
# business-messages-us, which may be the path's first part or the host's.
GOOGLE_HOSTS = ("storage.googleapis.com", ".storage.googleapis.com")


def fetching(file: Attachment) -> Call:
    """Returns the call that fetches a file by its link. Raises NotFound if it has none."""
    if not file.link:
        raise NotFound("file-gone", "The platform has named no link to this file.")
    return Call("GET", file.link, b"")


def host_of(api_url: str) -> str:
    """Returns the host of a platform's API, which has its files where it is another one than the
    vendor's: in tests, or behind a gateway.
    """
    return (urlsplit(api_url).hostname or "").lower()
