"""The pages for people: the desk and the reports. They are static files, served by the function
that has the API which they call.

A page may load nothing from elsewhere, but pictures and recordings of customers from
`relay_media`.
"""

from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import MethodNotAllowed, NotFound
from shared.schemas.http import Request, Response

PAGES = ("desk", "reports")
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
        headers={**HEADERS, "content-security-policy": _policy(page, media)},
    )


def _policy(page: str, media: str | None) -> str:
    """Returns what a page may load. The local run shows the desk in a frame of its own page."""
    parts = urlsplit(media or "")
    files = f" {parts.scheme}://{parts.netloc}" if parts.netloc and page == "desk" else ""
    ancestors = "'self'" if page == "desk" else "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        f" img-src 'self' data: blob:{files}; media-src 'self' blob:{files};"
        f" base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
