"""The reports page: static files, served by the function that has the reports.

The page may load nothing from elsewhere.
"""

from pathlib import Path

from shared.errors import MethodNotAllowed, NotFound
from shared.schemas.http import Request, Response

ROOT = "/reports"
CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".txt": "text/plain",
}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def is_page(request: Request) -> bool:
    """Returns whether the request is for the reports page."""
    return request.path == ROOT or request.path.startswith(f"{ROOT}/")


def reports_page(folder: Path | None, request: Request) -> Response:
    """Returns a file of the page.

    Only names in its folder are served. Raises NotFound, MethodNotAllowed.
    """
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("GET, HEAD")
    if request.path == ROOT:  # the page's links are relative to its folder
        return Response(status=308, headers={"location": "reports/"})
    name = request.path.removeprefix(f"{ROOT}/") or "index.html"
    found = (one for one in folder.iterdir() if one.suffix in CONTENT_TYPES) if folder else iter(())
    file = next((one for one in found if one.name == name), None)
    if file is None:
        raise NotFound("unknown-path", "The reports page has no such file; it is at /reports/.")
    return Response(
        body=file.read_bytes(),
        content_type=f"{CONTENT_TYPES[file.suffix]}; charset=utf-8",
        headers=HEADERS,
    )
