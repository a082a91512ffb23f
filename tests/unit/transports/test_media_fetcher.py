"""Files are fetched from the hosts of a platform, and from nowhere else; no platform can hold
Baton up.
"""

import socket
from collections.abc import AsyncIterator

import pytest

from shared.errors import NotFound, Refused, TooLate, Unavailable
from shared.schemas.http import Call
from shared.transports.media_fetcher import MediaFetcher, is_public, origin_of
from tests.unit.file_server import PNG, TOKEN, FileServer, serving

HERE = ("127.0.0.1", "localhost")


@pytest.fixture
async def server() -> AsyncIterator[FileServer]:
    async with serving(FileServer({"a": (PNG, "image/png")})) as one:
        yield one


@pytest.fixture
async def fetcher(server: FileServer) -> AsyncIterator[MediaFetcher]:
    """One for which the server is the platform that the settings name."""
    one = MediaFetcher({origin_of(server.url)}, idle=0.5, total=2.0)
    yield one
    await one.close()


@pytest.fixture
async def stranger() -> AsyncIterator[MediaFetcher]:
    one = MediaFetcher(idle=0.5, total=2.0)
    yield one
    await one.close()


def _call(url: str, auth: str = "none", **headers: str) -> Call:
    return Call("GET", url, b"", headers, auth)


async def _read(fetcher: MediaFetcher, call: Call, *hosts: str) -> bytes:
    async with fetcher.open(call, hosts or HERE) as opened:
        return b"".join([chunk async for chunk in opened.chunks])


async def test_a_file_comes_whole_with_its_headers(
    server: FileServer, fetcher: MediaFetcher
) -> None:
    async with fetcher.open(_call(f"{server.url}/files/a"), HERE) as opened:
        content = b"".join([chunk async for chunk in opened.chunks])
    assert (opened.status, content) == (200, PNG)
    assert opened.headers["content-length"] == str(len(PNG))
    assert server.asked[0]["user-agent"].startswith("Baton/")


async def test_a_part_is_asked_for_and_comes(server: FileServer, fetcher: MediaFetcher) -> None:
    call = _call(f"{server.url}/files/a", range="bytes=4-7")
    async with fetcher.open(call, HERE) as opened:
        content = b"".join([chunk async for chunk in opened.chunks])
    assert (opened.status, content) == (206, PNG[4:8])


ELSEWHERE = (
    "https://127.0.0.1/files/a",
    "https://localhost/files/a",  # a name of the platform's that leads to this machine
    "https://[::1]/files/a",
    "https://169.254.169.254/computeMetadata/v1/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://2130706433/files/a",
    "https://0x7f.1/files/a",
    "https://localhost:{port}/files/a",
    "http://localhost/files/a",
    "https://lookaside.fbsbx.com.evil.example/x",
    "https://evil.example/lookaside.fbsbx.com",
    "https://evilfbcdn.net/x",
    "https://token@localhost/x",
    "file:///etc/passwd",
    "ftp://localhost/x",
    "gopher://localhost/x",
    "https://",
    "https://[/x",
)
NAMED = (*HERE, "::1", "169.254.169.254", "0x7f.1", "2130706433", ".fbcdn.net")


@pytest.mark.parametrize(
    "url", [*ELSEWHERE, "http://127.0.0.1:{port}/files/a", "//localhost/x", ""]
)
async def test_no_other_address_is_asked(
    server: FileServer, stranger: MediaFetcher, url: str
) -> None:
    """Also if the platform is said to have its files there."""
    port = server.url.rpartition(":")[2]
    with pytest.raises(Refused):
        await _read(stranger, _call(url.format(port=port)), *NAMED)
    assert server.asked == []


@pytest.mark.parametrize("url", ELSEWHERE)
async def test_no_redirect_leads_elsewhere(
    server: FileServer, fetcher: MediaFetcher, url: str
) -> None:
    server.faults["a"] = f"to {url.format(port=server.url.rpartition(':')[2])}"
    with pytest.raises(Refused):
        await _read(fetcher, _call(f"{server.url}/files/a"), *NAMED)
    assert len(server.asked) == 1


async def test_redirects_to_another_port_of_this_machine_are_refused(
    server: FileServer, fetcher: MediaFetcher
) -> None:
    async with serving(FileServer({"a": (b"internal", "text/plain")})) as other:
        server.faults["a"] = f"to {other.url}/files/a"
        with pytest.raises(Refused):
            await _read(fetcher, _call(f"{server.url}/files/a"))
        assert other.asked == []


async def test_redirects_are_followed_a_few_times(
    server: FileServer, fetcher: MediaFetcher
) -> None:
    server.faults["r0"] = "to /files/a"
    for n in range(1, 4):
        server.faults[f"r{n}"] = f"to {server.url}/files/r{n - 1}"
    assert await _read(fetcher, _call(f"{server.url}/files/r2")) == PNG
    with pytest.raises(Unavailable):
        await _read(fetcher, _call(f"{server.url}/files/r3"))


async def test_credentials_go_to_no_other_origin(server: FileServer) -> None:
    async with serving(FileServer({"a": (PNG, "image/png")})) as other:
        fetcher = MediaFetcher({origin_of(server.url), origin_of(other.url)})
        server.faults["a"] = f"to {other.url}/files/a"
        assert await _read(fetcher, _call(f"{server.url}/files/a", f"bearer:{TOKEN}")) == PNG
        await fetcher.close()
        assert server.asked[0]["authorization"] == f"Bearer {TOKEN}"
        assert "authorization" not in other.asked[0]


@pytest.mark.parametrize("fault", ["silent", "stalls", "drips"])
async def test_a_slow_platform_is_given_up(
    server: FileServer, fetcher: MediaFetcher, fault: str
) -> None:
    server.faults["a"] = fault
    with pytest.raises(TooLate):
        await _read(fetcher, _call(f"{server.url}/files/a"))


async def test_a_platform_that_never_ends_the_handshake_is_given_up() -> None:
    """It takes the connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        fetcher = MediaFetcher({origin_of(url)}, connect=0.3)
        with pytest.raises(TooLate):
            await _read(fetcher, _call(f"{url}/files/a"))
        await fetcher.close()


async def test_a_file_that_is_cut_off_is_not_taken_for_whole(
    server: FileServer, fetcher: MediaFetcher
) -> None:
    server.faults["a"] = "cut"
    with pytest.raises(Unavailable, match="cut"):
        await _read(fetcher, _call(f"{server.url}/files/a"))


async def test_an_endless_file_ends_with_its_reader(
    server: FileServer, fetcher: MediaFetcher
) -> None:
    server.faults["a"] = "endless"
    size = 0
    async with fetcher.open(_call(f"{server.url}/files/a"), HERE) as opened:
        async for chunk in opened.chunks:
            size += len(chunk)
            if size > 1 << 20:
                break
    assert size < 2 << 20


@pytest.mark.parametrize(
    ("status", "auth", "error"),
    [
        ("404", "none", NotFound),
        ("410", "bearer:t", NotFound),
        ("403", "none", NotFound),  # how a link ends whose signature has expired
        ("403", "bearer:t", Unavailable),
        ("401", "bearer:t", Unavailable),
        ("500", "none", Unavailable),
        ("429", "none", Unavailable),
    ],
)
async def test_what_an_error_of_a_platform_means(
    server: FileServer, fetcher: MediaFetcher, status: str, auth: str, error: type[Exception]
) -> None:
    server.faults["a"] = status
    with pytest.raises(error):
        await _read(fetcher, _call(f"{server.url}/files/a", auth))


async def test_a_platform_that_cannot_be_reached(nowhere: str) -> None:
    fetcher = MediaFetcher({origin_of(nowhere)})
    with pytest.raises(Unavailable, match="reached"):
        await _read(fetcher, _call(f"{nowhere}/files/a"))
    await fetcher.close()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2607:f8b0:4004:c07::64", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("no address", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public
