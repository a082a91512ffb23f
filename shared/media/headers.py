"""The headers with which a file of a customer is handed out, so that nothing in it ever runs."""

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote

CACHED_SECONDS = 300
LONGEST_NAME = 120  # characters
# Only for what a browser shows as a page of its own: it may draw itself, and nothing else.
_POLICY = "; ".join(
    (
        "sandbox",
        "default-src 'none'",
        "img-src 'self'",
        "media-src 'self'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
SAFE: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "cross-origin",  # pages of other origins show pictures
    "x-robots-tag": "noindex",
}
_RUNS = re.compile(r"\.(x?html?|shtml|xht|svgz?|xml|xsl|mht(ml)?)\.*$", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]')


def disposition(how: str, name: str) -> str:
    """Returns Content-Disposition, `inline` or `attachment`, with the name in both of its forms
    (RFC 6266, RFC 8187).
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", plain).strip() or "file"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def safe_name(given: str | None, kind: str | None, mime_type: str) -> str:
    """Returns the name under which a file is saved. It names no folder and has no invisible
    characters. One whose ending would let a browser run the file from the disk gets another.
    """
    visible = "".join(one for one in given or "" if unicodedata.category(one)[0] not in "CZ")
    spaced = "".join(
        " " if unicodedata.category(one) == "Zs" else one
        for one in given or ""
        if unicodedata.category(one)[0] != "C" and unicodedata.category(one) not in ("Zl", "Zp")
    )
    name = _NOT_IN_NAMES.sub("_", spaced).strip(" .")
    if not name or not visible:
        ending = mime_type.partition("/")[2]
        name = f"{kind or 'file'}.{'bin' if ending == 'octet-stream' else ending}"
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        kept = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
        name = name[: LONGEST_NAME - len(kept)] + kept
    return f"{name}.txt" if _RUNS.search(name) else name
