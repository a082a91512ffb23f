"""Outbound HTTP against a real server: what arrived, what did not, what is unknown, and whose token
was sent.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.errors import Paced, Unavailable
from shared.schemas.http import Call, Pace
from shared.transports.http_sender import HttpSender
from shared.transports.media_fetcher import MediaFetcher, origin_of

SCOPE = "https://www.googleapis.com/auth/businessmessages"


class Server:
    """Answers /token with a new access token each time, /drop not at all, /redirect elsewhere,
    others with 200.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.url = ""


@pytest.fixture
def server() -> Iterator[Server]:
    kept = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            kept.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if self.path == "/drop":
                self.close_connection = True
                return
            tokens = sum(path == "/token" for path, _, _ in kept.seen)
            answer = {"access_token": f"token-{tokens}", "expires_in": 3600, "token_type": "Bearer"}
            self._answer(200 if self.path == "/token" else kept.status, json.dumps(answer).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(302 if self.path == "/redirect" else status)
            self.send_header("location", "/elsewhere")
            self.send_header("Retry-After", "3")
            self.send_header("set-cookie", "session=of-this-customer; Path=/")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield kept
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    one = HttpSender()
    yield one
    await one.close()


@pytest.fixture
def service_account(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials as Google hands them out, whose tokens come from our own server."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account: dict[str, Any] = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "1",
        "private_key": pem,
        "client_email": "baton@p.iam.gserviceaccount.com",
        "token_uri": f"{server.url}/token",
    }
    (tmp_path / "account.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))


def _call(url: str, auth: str = "none") -> Call:
    return Call("POST", url, b'{"a": 1}', {"content-type": "application/json"}, auth)


async def test_an_answer_comes_back_whole_with_lower_case_headers(
    server: Server, sender: HttpSender
) -> None:
    server.status = 429
    answer = await sender.send(_call(f"{server.url}/x"))
    assert answer is not None
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")
    assert b"access_token" in answer.body
    assert server.seen[0][2] == b'{"a": 1}'


async def test_a_cookie_of_one_answer_is_not_sent_with_the_next_call(
    server: Server, sender: HttpSender
) -> None:
    """The next call may be about another customer."""
    url = server.url.replace("127.0.0.1", "localhost")  # an address alone has no cookies
    for _ in range(2):
        assert await sender.send(_call(f"{url}/x")) is not None
    assert [headers.get("cookie") for _, headers, _ in server.seen] == [None, None]


async def test_a_redirect_is_not_followed(server: Server, sender: HttpSender) -> None:
    answer = await sender.send(_call(f"{server.url}/redirect"))
    assert answer is not None
    assert answer.status == 302
    assert len(server.seen) == 1


async def test_a_connection_that_breaks_before_the_answer_is_not_known_to_have_failed(
    server: Server, sender: HttpSender
) -> None:
    assert await sender.send(_call(f"{server.url}/drop")) is None


@pytest.mark.parametrize("url", ["not a url", "http://", "ftp://127.0.0.1/x"])
async def test_what_is_no_address_was_not_sent(sender: HttpSender, url: str) -> None:
    with pytest.raises(Unavailable):
        await sender.send(_call(url))


async def test_a_call_without_a_listener_was_not_sent(sender: HttpSender, nowhere: str) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        await sender.send(_call(f"{nowhere}/x"))


async def test_a_bearer_token_goes_along(server: Server, sender: HttpSender) -> None:
    await sender.send(_call(f"{server.url}/x", "bearer:secret:with:colons"))
    assert server.seen[0][1]["authorization"] == "Bearer secret:with:colons"


@pytest.mark.usefixtures("service_account")
async def test_a_google_token_is_fetched_once_and_again_after_a_401(
    server: Server, sender: HttpSender
) -> None:
    for status in (200, 401, 200):
        server.status = status
        await sender.send(_call(f"{server.url}/x", f"google:{SCOPE}"))
    sent = [(path, headers.get("authorization")) for path, headers, _ in server.seen]
    assert sent == [
        ("/token", None),
        ("/x", "Bearer token-1"),
        ("/x", "Bearer token-1"),
        ("/token", None),
        ("/x", "Bearer token-2"),
    ]


@pytest.mark.usefixtures("service_account")
async def test_a_file_is_fetched_with_a_google_token_as_well(server: Server) -> None:
    fetcher = MediaFetcher({origin_of(server.url)})
    call = _call(f"{server.url}/x", f"google:{SCOPE}")
    for status in (200, 401, 200):
        server.status = status
        with contextlib.suppress(Unavailable):
            async with fetcher.open(call, ("127.0.0.1",)):
                pass
    await fetcher.close()
    sent = [headers.get("authorization") for path, headers, _ in server.seen if path == "/x"]
    assert sent == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


async def test_without_google_credentials_nothing_is_sent(
    server: Server, sender: HttpSender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(Unavailable, match="credentials"):
        await sender.send(_call(f"{server.url}/x", f"google:{SCOPE}"))
    assert server.seen == []


async def test_calls_wait_their_turn_where_a_host_takes_so_many_a_second(
    sender: HttpSender, server: Server
) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answers = await asyncio.gather(
        *(
            sender.send(Call("POST", f"{server.url}/x", b"{}", paces=(Pace("host", 20),)))
            for _ in range(5)
        )
    )
    assert [answer and answer.status for answer in answers] == [200] * 5
    assert loop.time() - begun >= 4 / 20


async def test_a_call_that_would_wait_too_long_is_not_sent(
    sender: HttpSender, server: Server
) -> None:
    call = Call("POST", f"{server.url}/x", b"{}", paces=(Pace("host", 0.1),))
    await sender.send(call)
    with pytest.raises(Unavailable):
        await sender.send(call)
    assert len(server.seen) == 1


async def test_the_pace_of_one_host_is_not_anothers(sender: HttpSender, server: Server) -> None:
    await sender.send(Call("POST", f"{server.url}/x", b"{}", paces=(Pace("one", 0.1),)))
    answer = await sender.send(
        Call(
            "POST",
            f"{server.url.replace('127.0.0.1', 'localhost')}/x",
            b"{}",
            paces=(Pace("another", 0.1),),
        )
    )
    assert answer is not None


async def test_a_burst_goes_at_once_and_uses_up_the_calls_of_the_time_after_it(
    sender: HttpSender, server: Server
) -> None:
    call = Call("POST", f"{server.url}/x", b"{}", paces=(Pace("pair", 1 / 6, 3),))
    for _ in range(3):
        await sender.send(call)
    with pytest.raises(Paced) as refused:
        await sender.send(call)
    assert 5 < refused.value.seconds <= 6
    assert len(server.seen) == 3


async def test_a_call_that_one_limit_refuses_counts_for_no_other(
    sender: HttpSender, server: Server
) -> None:
    slow, fast = Pace("slow", 0.1), Pace("fast", 0.1)
    await sender.send(Call("POST", f"{server.url}/x", b"{}", paces=(slow,)))
    with pytest.raises(Paced):
        await sender.send(Call("POST", f"{server.url}/x", b"{}", paces=(fast, slow)))
    await sender.send(Call("POST", f"{server.url}/x", b"{}", paces=(fast,)))
    assert len(server.seen) == 2
