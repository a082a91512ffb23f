"""Each function under the framework: for every method and path the answer has the one shape. Bodies
without proof take little memory.
"""

import asyncio
import http.client
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.settings import ADMIN_KEY, CSKU_SECRET, WHATSAPP_SECRET
from shared.edge.lingering import SILENCE_SECONDS
from shared.platforms.bodies import hmac_sha256_hex
from tests.infra.framework import ROOT, Answer, Served, forked, serving

FUNCTIONS = sorted(main.parent.name for main in ROOT.glob("functions/*/main.py"))
ALLOWED = {"receive_webhook": "POST", "send_representative": "GET", "relay_media": "GET, HEAD"}
KEY = f"authorization: Bearer {ADMIN_KEY}\r\n"
LARGE, SLICE = 4 << 20, 64 << 10
ALL_AT_ONCE = 80  # as many as an instance gets
# What an uptime check asks is answered 200.
ALIVE = {("receive_webhook", "GET", "/"), ("relay_media", "GET", "/")}
FORGED = "x-hub-signature-256: sha256=" + "0" * 64 + "\r\n"


@pytest.fixture(scope="module", params=FUNCTIONS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Served]]:
    with serving(request.param, tmp_path_factory.mktemp(request.param), forked) as running:
        yield request.param, running


def _request(method: str, target: str, headers: str = "", body: bytes = b"") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nhost: x\r\n{headers}\r\n".encode() + body


def _check(answer: Answer) -> None:
    error = answer.error
    assert error["code"] == answer.status
    assert error["details"][0]["domain"] == "baton"
    assert (answer.status == 405) == ("allow" in answer.headers)


async def test_any_method_and_path_is_answered_in_the_one_shape(served: tuple[str, Served]) -> None:
    function, server = served
    for method in (
        "PROPFIND",
        "TRACE",
        "GET",
        "PUT",
        "OPTIONS",
        "DELETE",
        "MKCOL",
        "PATCH",
        "REPORT",
    ):
        for target in (
            "*",
            "/",
            "/robots.txt",
            "/favicon.ico",
            "/%ff%00",
            "/a?b=" + "[" * 2000,
            "//x//",
            "http://x/y",
        ):
            answer = await server.ask(_request(method, target, KEY))
            if (function, method, target) in ALIVE:
                assert answer.status == 200
                continue
            assert 400 <= answer.status < 500 or function == "sweep", (method, target, answer)
            _check(answer)


async def test_a_wrong_method_names_the_right_one(served: tuple[str, Served]) -> None:
    function, server = served
    path = {"receive_webhook": "/csku", "send_representative": "/v1/conversations"}.get(
        function, "/"
    )
    origin = "origin: https://crm.example\r\n"
    for method in ("PROPFIND", "TRACE", "POST" if function == "relay_media" else "HEAD", "PUT"):
        answer = await server.ask(_request(method, path, KEY + origin))
        if function == "forward_variables":
            assert answer.status == 403  # this page may not ask at all
        else:
            assert (answer.status, answer.headers["allow"]) == (
                405,
                ALLOWED.get(function, "POST"),
            ), method


async def test_what_is_no_http_is_no_server_error(served: tuple[str, Served]) -> None:
    for raw in (
        b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x01\r\n\r\n",
    ):
        answer = await served[1].ask(raw)
        assert 400 <= answer.status < 500


@pytest.fixture(scope="module")
def webhooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving("receive_webhook", tmp_path_factory.mktemp("webhooks")) as running:
        yield running


def _large(path: str, headers: str, size: int = LARGE) -> bytes:
    return _request("POST", path, f"content-length: {size}\r\n{headers}", b"x" * (size - 1))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/business_messages", ""),
        ("/rcs", ""),
        ("/csku", "authorization: guess\r\n"),
        ("/whatsapp", ""),
        ("/ccai", "authorization: Basic eA==\r\n"),
        ("/nowhere", FORGED),
    ],
)
async def test_what_its_headers_refuse_is_answered_before_it_is_read(
    webhooks: Served, path: str, headers: str
) -> None:
    before = webhooks.forget_peak()
    answers = await asyncio.gather(
        *(webhooks.ask(_large(path, headers)) for _ in range(ALL_AT_ONCE))
    )
    # no such platform, and doors without a secret
    expected = {"/nowhere": 404, "/rcs": 503, "/ccai": 503}
    assert {answer.status for answer in answers} == {expected.get(path, 401)}
    assert webhooks.peak() - before < 40


async def test_eighty_forged_bodies_at_once_leave_room_for_others(webhooks: Served) -> None:
    before = webhooks.forget_peak()
    held = [
        asyncio.create_task(webhooks.ask(_large("/whatsapp", FORGED))) for _ in range(ALL_AT_ONCE)
    ]
    busy = set[asyncio.Task[Answer]]()
    while len(busy) < ALL_AT_ONCE - 6:
        busy, _ = await asyncio.wait(held, timeout=0.2)
    for one in busy:
        assert (one.result().status, one.result().headers["retry-after"]) == (503, "1")
        assert one.result().error["details"][0]["reason"] == "too-busy"
    body = b'{"object": "whatsapp_business_account", "entry": []}'
    signed = (
        "x-hub-signature-256: "
        f"sha256={hmac_sha256_hex(WHATSAPP_SECRET, body)}\r\ncontent-length: {len(body)}\r\n"
    )
    assert (await webhooks.ask(_request("POST", "/whatsapp", signed, body))).status == 200
    for one in held:
        one.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    # of the 512 MB of an instance; without a limit it was 340
    assert webhooks.peak() - before < 100
    assert (await webhooks.ask(_large("/whatsapp", FORGED)[:-1] + b"xy")).status in (401, 503)


async def test_a_body_that_does_not_come_gives_its_place_back(webhooks: Served) -> None:
    answer = await webhooks.ask(_large("/whatsapp", FORGED, 2000))
    assert (answer.status, answer.error["details"][0]["reason"]) == (408, "body-too-slow")


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_a_client_that_sends_for_long_sees_why_its_body_is_refused(
    webhooks: Served, connection: str
) -> None:
    """It does not look for an answer before it has sent all. The judge is the client of the
    standard library.
    """
    client = http.client.HTTPConnection("127.0.0.1", webhooks.port, timeout=30)
    for slices, status in ((40, 413), (1, 200)):  # a connection that is kept takes another
        client.putrequest("POST", "/csku")
        client.putheader("authorization", CSKU_SECRET)
        client.putheader("connection", connection)
        client.putheader("content-length", str(slices * SLICE))
        client.endheaders()
        for _ in range(slices):
            client.send(bytes(SLICE))
            time.sleep(0.04)
        answer = client.getresponse()
        assert (answer.status, answer.read().startswith(b'{"error":')) == (status, slices > 1)
    client.close()


async def test_a_client_that_listens_sees_at_once_why_its_body_is_refused(webhooks: Served) -> None:
    key = f"authorization: {CSKU_SECRET}\r\n"
    begun = _large("/csku", key, (1 << 20) + 1)[:SLICE]
    answer = await webhooks.ask(begun, seconds=SILENCE_SECONDS - 1)
    assert answer.status == 413


async def test_a_signed_body_of_empty_objects_is_taken_quickly_in_little_memory(
    webhooks: Served,
) -> None:
    before = webhooks.forget_peak()
    body = b'{"entry": [' + b"{}," * 1_390_000 + b"{}]}"
    signed = (
        "x-hub-signature-256: "
        f"sha256={hmac_sha256_hex(WHATSAPP_SECRET, body)}\r\ncontent-length: {len(body)}\r\n"
    )
    assert (await webhooks.ask(_request("POST", "/whatsapp", signed, body))).status == 200
    assert webhooks.peak() - before < 50


async def test_only_whatsapp_may_send_more_than_a_mebibyte(webhooks: Served) -> None:
    key = f"authorization: {CSKU_SECRET}\r\n"
    answer = await webhooks.ask(_large("/csku", key, (1 << 20) + 1))
    assert (answer.status, answer.error["message"]) == (
        413,
        f"The body may have at most {1 << 20} bytes.",
    )


def test_a_server_opens_no_socket_for_commands(tmp_path: Path) -> None:
    """Gunicorn opens it once the workers run, in a folder of its user's home that stays."""
    home = tmp_path / "home"
    home.mkdir()
    with serving("receive_webhook", tmp_path, HOME=str(home)):
        pass
    assert list(home.iterdir()) == []
