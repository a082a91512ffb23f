"""The static files of the local run's page and of the adapter in its frame. Each has a folder, and
may load nothing from elsewhere.
"""

from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.types import Message, Send

from shared.errors import MethodNotAllowed, NotFound

PAGE, ADAPTER = Path(__file__).parent / "page", Path(__file__).parent / "adapter"
ADAPTER_HOST = "adapter.localhost"
CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "
    "data:; media-src 'self';"
    " base-uri 'none'; form-action 'none'; "
)
HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
FRAMES = {
    PAGE: f"frame-src 'self' http://{ADAPTER_HOST}:*; frame-ancestors 'none'",
    ADAPTER: "frame-ancestors http://127.0.0.1:* http://localhost:*",
}

# pages of a function that the local run's page shows in a frame; a deployment's are in no frame
FRAMED = ("/send_representative/desk/", "/send_representative/sign_in/")


def in_our_frame(send: Send) -> Send:
    """Returns `send`. It allows this run's own page to show the answer in a frame."""

    async def allowing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, value.replace(b"frame-ancestors 'none'", b"frame-ancestors 'self'"))
                for name, value in message["headers"]
            ]
            message = {**message, "headers": headers}
        await send(message)

    return allowing


def page_file(method: str, path: str, folder: Path = PAGE) -> Response:
    """Returns what is at `/` or `/page/<file>`. Raises NotFound for names that the folder does
    not list.
    """
    name = "index.html" if path == "/" else path.removeprefix("/page/")
    file = next(
        (one for one in folder.iterdir() if one.name == name and one.suffix in CONTENT_TYPES), None
    )
    if file is None:
        raise NotFound("unknown-path", "The page has no such file; it is at /.")
    if method not in ("GET", "HEAD"):
        raise MethodNotAllowed("GET, HEAD")
    headers = {**HEADERS, "content-security-policy": POLICY + FRAMES[folder]}
    return FileResponse(file, media_type=CONTENT_TYPES[file.suffix], headers=headers)
