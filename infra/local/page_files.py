"""The page of a local run: the files of one folder, which may load nothing from anywhere else."""

from pathlib import Path

from starlette.responses import FileResponse, JSONResponse, Response

FOLDER = Path(__file__).parent / "page"
CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".png": "image/png"}
HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


def page_file(path: str) -> Response:
    """Returns what is at `/` or `/page/<file>`; only names that the folder lists are known."""
    name = "index.html" if path == "/" else path.removeprefix("/page/")
    file = next((one for one in FOLDER.iterdir() if one.name == name and one.suffix in CONTENT_TYPES), None)
    if file is None:
        return JSONResponse({"error": "The page has no such file; it is at /."}, 404)
    return FileResponse(file, media_type=CONTENT_TYPES[file.suffix], headers=HEADERS)
