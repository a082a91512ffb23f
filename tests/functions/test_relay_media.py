"""The real function in a process of its own: what curl gets, what it costs in memory, and that it
delays nothing else.
"""

import itertools
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pytest

from tests.functions.relayed import Relayed, relayed
from tests.slowness import slowness
from tests.unit.file_server import PNG

MIB = 1 << 20
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2"
LARGE = 64 * MIB
EXTRA_MEMORY = 40 * MIB
USUAL_SECONDS = 0.1  # a webhook takes a fifth of it where nothing else runs


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relayed]:
    with relayed(tmp_path_factory.mktemp("relay")) as running:
        yield running


def _curl(*words: str) -> bytes:
    curl = shutil.which("curl")
    assert curl is not None
    return subprocess.run([curl, "-sS", *words], capture_output=True, check=True, timeout=60).stdout


def _status(url: str, *words: str) -> str:
    return _curl(url, "-o", "/dev/null", "-w", "%{http_code} %{content_type}", *words).decode()


def test_curl_gets_the_file_and_its_parts(relay: Relayed) -> None:
    content = MP4 + bytes(range(256)) * 4000
    url = relay.link(content, "video", mime_type="video/mp4")
    assert _curl(url) == content
    assert _status(url) == "200 video/mp4"
    assert _curl(url, "-r", "100-199") == content[100:200]
    assert _status(url, "-r", "100-199") == "206 video/mp4"
    assert _curl(url, "-r", "-9") == content[-9:]
    assert _curl(url, "-C", "1000000") == content[1000000:]  # goes on with a download
    assert _status(url, "-r", f"{len(content)}-") == "416 application/json"
    head = _curl("-I", url).decode().lower()
    assert f"content-length: {len(content)}\r\n" in head and "accept-ranges: bytes\r\n" in head


def test_errors_have_batons_one_shape(relay: Relayed) -> None:
    url = relay.link(PNG)
    for path, status, reason in (
        (f"{url}x", 404, "no-such-link"),
        (url.rpartition("/")[0] + "/abc", 404, "no-such-link"),
    ):
        error = json.loads(_curl(path))["error"]
        assert (error["code"], error["details"][0]["reason"]) == (status, reason)
    relay.files.files.clear()
    error = json.loads(_curl(url))["error"]
    assert (error["code"], error["details"][0]["reason"]) == (410, "file-gone")


def test_a_file_that_is_cut_off_does_not_look_whole(relay: Relayed) -> None:
    url = relay.link(MP4 + bytes(MIB), "video", mime_type="video/mp4")
    relay.files.faults[max(relay.files.files)] = "cut"
    curl = shutil.which("curl")
    assert curl is not None
    ended = subprocess.run([curl, "-sS", url], capture_output=True, timeout=60, check=False)
    assert ended.returncode == 18  # CURLE_PARTIAL_FILE
    assert "an answer was cut off" in relay.server.log.read_text()


def test_a_reader_who_goes_away_ends_the_fetch(relay: Relayed) -> None:
    url = relay.link(MP4 + bytes(64 * MIB), "video", mime_type="video/mp4")
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as client:
        client.sendall(f"GET {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        relay.server.wait_until(lambda: relay.files.open_now == 1)
    relay.server.wait_until(lambda: relay.files.open_now == 0)


def _memory(relay: Relayed) -> int:
    """Returns the most memory that the process has had since the last call, in bytes."""
    assert relay.server.process is not None
    folder = Path(f"/proc/{relay.server.process.pid}")
    lines = (folder / "status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    (folder / "clear_refs").write_text("5")
    return int(peak.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the memory")
def test_a_large_file_passes_through_little_memory(relay: Relayed) -> None:
    _curl(relay.link(PNG))  # loads what the first file loads
    url = relay.link(MP4 + bytes(LARGE), "video", mime_type="video/mp4")
    _memory(relay)
    before = _memory(relay)
    got = _curl(url, "-o", "/dev/null", "-w", "%{size_download}")
    assert int(got) == len(MP4) + LARGE
    assert _memory(relay) - before < EXTRA_MEMORY


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the memory")
def test_twenty_files_at_once_delay_no_webhook(relay: Relayed) -> None:
    """In one process, where the local run has all functions; deployed, each has its own."""
    url = relay.link(MP4 + bytes(5 * MIB), "video", mime_type="video/mp4")
    numbers = itertools.count()
    slower = slowness(lambda: _webhook(relay, f"alone-{next(numbers)}"), USUAL_SECONDS)
    _memory(relay)
    before, done, taken = _memory(relay), threading.Event(), list[float]()

    def report() -> None:
        while not done.is_set():
            taken.append(_webhook(relay, f"w{len(taken)}"))
            time.sleep(0.1)

    with ThreadPoolExecutor(21) as pool:
        reporting = pool.submit(report)
        slowly = ("-o", "/dev/null", "-w", "%{size_download}", "--limit-rate", "1M")
        while len(taken) <= 10 and not reporting.done():
            got = list(pool.map(lambda _: int(_curl(url, *slowly)), range(20)))
            assert got == [len(MP4) + 5 * MIB] * 20
        done.set()
        reporting.result()
    assert _memory(relay) - before < EXTRA_MEMORY
    assert len(taken) > 10
    assert median(taken) < 0.5 * slower and max(taken) < 5 * slower


def _webhook(relay: Relayed, message_id: str) -> float:
    """Returns the seconds until a webhook was answered."""
    started = time.monotonic()
    text = {"type": "text", "text": {"body": "hello"}}
    assert relay.report("12025550199", text, message_id) == 200
    return time.monotonic() - started
