"""The pages for people: the desk and the reports. They are static files, served by the function
that has the API which they call.

A page may load nothing from elsewhere, but pictures and recordings of customers from
`relay_media`.
"""

from collections.abc import Mapping
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
GOOGLE = "https://accounts.google.com/gsi/"
GSI = {"script": "client", "style": "style", "connect": "", "frame": ""}
HEADERS = {
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def is_page(request: Request) -> bool:
    """Returns whether the request is for one of the pages."""
    return request.path.split("/")[1:2] in [[page] for page in PAGES]


def page_file(
    folder: Path | None, request: Request, media: str | None = None, *, google: bool = False
) -> Response:
    """Returns a file of a page, from the folder of its name in `folder`. `media` is the address of
    `relay_media`; with `google` people may sign in with Google.

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
        headers=_headers(page, media, google=google and page == "desk"),
    )


def _headers(page: str, media: str | None, *, google: bool) -> Mapping[str, str]:
    """Returns what a page may load, beside the headers that every page has. Google's script asks
    for the origin of the page.

    https://developers.google.com/identity/gsi/web/guides/get-google-api-clientid
    """
    gsi = {one: f" {GOOGLE}{place}" if google else "" for one, place in GSI.items()}
    parts = urlsplit(media or "")
    files = f" {parts.scheme}://{parts.netloc}" if parts.netloc and page == "desk" else ""
    frames = gsi["frame"] or " 'none'"
    ancestors = "'self'" if page == "desk" else "'none'"
    policy = (
        f"default-src 'none'; script-src 'self'{gsi['script']}; style-src 'self'{gsi['style']};"
        f" connect-src 'self'{gsi['connect']}; frame-src{frames};"
        f" img-src 'self' data: blob:{files}; media-src 'self' blob:{files};"
        f" base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
    asked = {"referrer-policy": "strict-origin-when-cross-origin"} if google else {}
    return {**HEADERS, **asked, "content-security-policy": policy}
