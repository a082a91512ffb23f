"""Files of WhatsApp: an id leads to an address, which lives for five minutes and needs the token
too. An id of a webhook lives for seven days.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from urllib.parse import quote

import pydantic_core

from shared.errors import DoorClosed, NotFound, Unavailable
from shared.platforms.linked_files import host_of
from shared.schemas.details import Attachment
from shared.schemas.http import Answer, Call

# UNVERIFIED: only the first one is in Meta's samples. The others have files of Meta's other
# products, and get no token.
WITH_TOKEN = "lookaside.fbsbx.com"  # noqa: S105  # a host
HOSTS = (WITH_TOKEN, ".fbcdn.net", ".whatsapp.net")
_NO_SUCH_OBJECT = 100


def hosts(api_url: str) -> tuple[str, ...]:
    """Returns the hosts that have files: also that of the API, which may be another one in tests
    and behind a gateway.
    """
    return (*HOSTS, host_of(api_url))


def lookup(api_url: str, token: str | None, file: Attachment) -> Call | None:
    if file.id is None:
        return None
    url = f"{api_url.rstrip('/')}/{quote(file.id, safe='')}"
    return Call("GET", url, b"", auth=_auth(token))


def source(api_url: str, token: str | None, file: Attachment, found: Answer | None) -> Call:
    url = file.link if found is None else _url(found)
    if not url:
        raise NotFound("file-gone", "WhatsApp says of no file where it is.")
    trusted = (WITH_TOKEN, host_of(api_url))
    return Call("GET", url, b"", auth=_auth(token) if host_of(url) in trusted else "none")


def _url(found: Answer) -> str | None:
    try:
        body = pydantic_core.from_json(found.body)
    except ValueError:
        body = None
    known = body if isinstance(body, dict) else {}
    if found.status == 200:
        url = known.get("url")
        return url if isinstance(url, str) else None
    error = known.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if found.status == 404 or (found.status == 400 and code == _NO_SUCH_OBJECT):
        raise NotFound("file-gone", "WhatsApp has this file no longer.")
    if found.status in (401, 403):
        raise Unavailable("platform-refused", "WhatsApp does not accept the access token.")
    raise Unavailable("platform-failed", f"WhatsApp has answered with HTTP {found.status}.")


def _auth(token: str | None) -> str:
    if not token:
        raise DoorClosed("WHATSAPP_ACCESS_TOKEN")
    return f"bearer:{token}"
