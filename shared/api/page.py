"""The pages for people: the desk, the reports, and signing in. They are static files, served by the
function that has the API which they call.

A page may load nothing from elsewhere, but pictures and recordings of customers from
`relay_media`. Signing in is a page of its own, so that Google's script is on no page that shows
customers.
"""

from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import MethodNotAllowed, NotFound
from shared.schemas.http import Request, Response

PAGES = ("desk", "reports", "sign_in")
GOOGLE = "https://accounts.google.com/gsi/"
CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".txt": "text/plain",
}
HEADERS = {
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}

# Google's button opens a window that calls back, and Google checks which page it is on.
FOR_GOOGLE = {
    "cross-origin-opener-policy": "same-origin-allow-popups",
    "referrer-policy": "strict-origin-when-cross-origin",
}


def is_page(request: Request) -> bool:
    """Returns whether the request is for one of the pages."""
    return request.path.split("/")[1:2] in [[page] for page in PAGES]


def page_file(folder: Path | None, media: str | None, request: Request) -> Response:
    """Returns a file of a page, from the folder of its name in `folder`. `media` is the address of
    `relay_media`.

    Only names in that folder are served. Raises NotFound, MethodNotAllowed.
    """
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("GET, HEAD")
    page, _, name = request.path.removeprefix("/").partition("/")
    if request.path == f"/{page}":  # the page's links are relative to its folder
        return Response(status=308, headers={"location": f"{page}/"})
    files = (folder / page).iterdir() if folder else iter(())
    found = (one for one in files if one.suffix in CONTENT_TYPES)
    file = next((one for one in found if one.name == (name or "index.html")), None)
    if file is None:
        raise NotFound("unknown-path", f"The page has no such file; it is at /{page}/.")
    return Response(
        body=file.read_bytes(),
        content_type=f"{CONTENT_TYPES[file.suffix]}; charset=utf-8",
        headers={
            **HEADERS,
            **(FOR_GOOGLE if page == "sign_in" else {}),
            "content-security-policy": _policy(page, media),
        },
    )


def _policy(page: str, media: str | None) -> str:
    """Returns what a page may load. No page may show it in a frame."""
    parts = urlsplit(media or "")
    files = f" {parts.scheme}://{parts.netloc}" if parts.netloc and page == "desk" else ""
    if page == "sign_in":
        # https://developers.google.com/identity/gsi/web/guides/get-google-api-clientid
        return (
            f"default-src 'none'; script-src 'self' {GOOGLE}client; frame-src {GOOGLE};"
            f" style-src 'self' {GOOGLE}style; connect-src 'self' {GOOGLE}; img-src data:;"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        f" img-src 'self' data: blob:{files}; media-src 'self' blob:{files};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
