"""Where files are kept: the same contract for a directory and for Cloud Storage, whose own client
reads what was written to the emulator.

https://pypi.org/project/gcp-storage-emulator/
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import google.cloud.storage as storage
import pytest
from google.auth.credentials import AnonymousCredentials

from infra.local.server import free_port
from shared.errors import NotFound, Unavailable
from shared.media.names import folder_of, kept_name, upload_name
from shared.media_links import MediaName
from shared.stores.media.bucket import PIECE, BucketStore
from shared.stores.media.directory import DirectoryStore

Store = BucketStore | DirectoryStore
BUCKET = "files"
ANA = kept_name(MediaName("whatsapp:ana", "e1"))


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    port = free_port()
    given = ["start", "--port", str(port), "--in-memory", "--default-bucket", BUCKET, "--quiet"]
    main = "from gcp_storage_emulator.__main__ import main; import sys; main(sys.argv[1:])"
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", main, *given])
    url = f"http://127.0.0.1:{port}"
    client = _client(url)
    for _ in range(200):
        try:
            client.bucket(BUCKET).exists()
            break
        except Exception:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait()


def _client(url: str) -> storage.Client:
    options = {"api_endpoint": url}
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return storage.Client("p", credentials=anonymous, client_options=options)


@pytest.fixture(params=["directory", "bucket"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "directory":
        yield DirectoryStore(tmp_path, timedelta(days=1))
        return
    made = BucketStore(BUCKET, None, request.getfixturevalue("emulator"))
    yield made
    await made.delete(folder_of("whatsapp:ana"))
    await made.close()


async def _chunks(whole: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


async def _read(store: Store, name: str, part: str | None = None) -> tuple[int, bytes]:
    async with store.open(name, part) as opened:
        return opened.status, b"".join([chunk async for chunk in opened.chunks])


def _bytes(size: int) -> bytes:
    return hashlib.shake_256(b"file").digest(size)


@pytest.mark.parametrize("size", [1, 1000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5])
async def test_a_file_is_as_it_was_given(store: Store, size: int) -> None:
    whole = _bytes(size)
    await store.put(ANA, "audio/ogg; codecs=opus", _chunks(whole))
    async with store.open(ANA, None) as opened:
        assert opened.status == 200
        assert opened.headers["content-type"] == "audio/ogg; codecs=opus"
        assert opened.headers["content-length"] == str(size)
        assert b"".join([chunk async for chunk in opened.chunks]) == whole


@pytest.mark.parametrize(
    ("part", "status", "expected"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=990-2000", 206, slice(990, None)),
    ],
)
async def test_a_part_of_a_file(store: Store, part: str, status: int, expected: slice) -> None:
    whole = _bytes(1000)
    await store.put(ANA, "video/mp4", _chunks(whole))
    assert await _read(store, ANA, part) == (status, whole[expected])
    async with store.open(ANA, part) as opened:
        assert opened.headers["content-length"] == str(len(whole[expected]))
        assert opened.headers["content-range"].endswith("/1000")


async def test_parts_that_the_emulator_does_not_know(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, timedelta(days=1))
    await store.put(ANA, "video/mp4", _chunks(_bytes(1000)))
    assert await _read(store, ANA, "bytes=-5") == (206, _bytes(1000)[-5:])
    assert await _read(store, ANA, "bytes=5-2") == (200, _bytes(1000))
    async with store.open(ANA, "bytes=1000-") as opened:
        assert opened.status == 416


async def test_what_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound):
        await _read(store, upload_name("whatsapp:ana", "nothing"))


async def test_what_ends_too_early_is_not_kept(store: Store) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield _bytes(PIECE + 1)
        raise Unavailable("gone", "The platform has stopped.")

    with pytest.raises(Unavailable, match="stopped"):
        await store.put(ANA, "video/mp4", broken())
    with pytest.raises(NotFound):
        await _read(store, ANA)


async def test_a_file_is_replaced_at_once(store: Store) -> None:
    await store.put(ANA, "image/png", _chunks(b"one"))
    await store.put(ANA, "image/jpeg", _chunks(b"two"))
    assert await _read(store, ANA) == (200, b"two")


async def test_a_conversation_is_deleted_with_all_that_it_has_and_no_other(store: Store) -> None:
    theirs = [kept_name(MediaName("whatsapp:ana", f"e{n}", n)) for n in range(3)]
    upload, other = upload_name("whatsapp:ana", "u"), kept_name(MediaName("whatsapp:bo", "e1"))
    for name in (*theirs, upload, other):
        await store.put(name, "image/png", _chunks(b"x"))
    await store.delete(folder_of("whatsapp:ana"))
    await store.delete(folder_of("whatsapp:ana"))  # again, as after a crash
    for name in (*theirs, upload):
        with pytest.raises(NotFound):
            await _read(store, name)
    assert (await _read(store, other))[1] == b"x"
    await store.delete(folder_of("whatsapp:bo"))


@pytest.mark.parametrize("size", [5, 2 * PIECE + 5])
async def test_googles_own_client_reads_the_same(emulator: str, size: int) -> None:
    store, whole = BucketStore(BUCKET, None, emulator), _bytes(size)
    await store.put(ANA, "application/pdf", _chunks(whole))
    blob = await asyncio.to_thread(_client(emulator).bucket(BUCKET).get_blob, ANA)
    assert blob is not None and blob.content_type == "application/pdf"
    assert await asyncio.to_thread(blob.download_as_bytes) == whole
    await store.close()


async def test_a_bucket_that_is_away_can_be_asked_again() -> None:
    store = BucketStore(BUCKET, None, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        await store.put(ANA, "image/png", _chunks(b"x"))
    with pytest.raises(Unavailable):
        await _read(store, ANA)
    with pytest.raises(Unavailable):
        await store.delete(folder_of("whatsapp:ana"))
    await store.close()


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "a//b", "", "a/.b", "a\n"])
async def test_no_name_leads_out_of_the_directory(tmp_path: Path, name: str) -> None:
    store = DirectoryStore(tmp_path / "media", timedelta(days=1))
    with pytest.raises(NotFound):
        await store.put(name, "image/png", _chunks(b"x"))
    with pytest.raises(NotFound):
        await _read(store, name)
    with pytest.raises(ValueError, match="prefix"):
        await store.delete(f"../{name}")
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]


async def test_a_directory_forgets_what_it_kept_long_enough(tmp_path: Path) -> None:
    old, new = upload_name("whatsapp:ana", "old"), upload_name("whatsapp:ana", "new")
    await DirectoryStore(tmp_path, timedelta(days=1)).put(old, "image/png", _chunks(b"x"))
    past = time.time() - timedelta(days=2).total_seconds()
    os.utime(tmp_path / "files" / old, (past, past))
    store = DirectoryStore(tmp_path, timedelta(days=1))
    await store.put(new, "image/png", _chunks(b"y"))
    with pytest.raises(NotFound):
        await _read(store, old)
    assert (await _read(store, new))[1] == b"y"
