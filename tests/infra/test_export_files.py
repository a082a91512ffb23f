"""An export names the files of messages, saves them where asked, and leaves them out of a redacted
one.
"""

import csv
import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.server import LocalServer
from infra.local.settings import MEDIA_LINK_KEY
from tests import forked
from tests.browser.recordings import PDF, picture, voice_note
from tests.forked import ForkedServer
from tests.functions.test_files_travel import Phone, claimed, eventually, uploaded
from tests.infra.exporting import Run, run, settings

__all__ = ["run"]
PHOTO = picture()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A run with a conversation that has files of both sides, which only the platforms have."""
    with ForkedServer(tmp_path_factory.mktemp("files"), {"MEDIA_BUCKET": ""}) as server:
        phone = Phone(server, "whatsapp")
        phone.says("Hi")
        phone.sends(PHOTO, "image", "image/png", caption="The broken part")
        phone.sends(voice_note(), "voice", "audio/ogg; codecs=opus")
        phone.sends(PDF, "document", "application/pdf", fileName="../../Bill <1>.pdf")
        claimed(server, phone)
        message = {"messageId": "m-1", "file": {"mediaId": uploaded(server, phone)}}
        message["representative"] = {"representativeType": "HUMAN", "displayName": "Jane"}
        path = f"/send_representative/v1/conversations/{phone.conversation}/messages"
        key = {"authorization": "Bearer dev-agent"}
        assert server.send("POST", path, json.dumps(message).encode(), key).status == 200
        eventually(phone.files)
        yield server


def store(server: LocalServer) -> Path:
    return server.log.parent / "baton.sqlite"


def saving(
    server: LocalServer, media: Path, *arguments: str, key: str = MEDIA_LINK_KEY, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Exports with the settings of an operator, who has no credentials of platforms."""
    known = {"MEDIA_URL": f"{server.url}/relay_media", "MEDIA_LINK_KEYS": key}
    given = {**settings(store(server)), **known}
    done = forked.run("infra.export", "--media", str(media), *arguments, **given)
    assert done.returncode == status, done.stderr
    return done


def test_each_format_names_the_files_and_not_the_platforms_own_ids(
    played: LocalServer, run: Run
) -> None:
    chat = json.loads(run(store(played)).stdout)
    files = [file for one in chat["messages"] for file in one["metadata"].get("files", [])]
    assert [file["kind"] for file in files] == ["image", "voice", "document", "document"]
    assert files[0]["caption"] == "The broken part"
    assert files[3]["fileName"] == "Manual.pdf"
    assert not any({"id", "link", "upload", "url"} & set(file) for file in files)
    rows = list(csv.DictReader(run(store(played), "--format", "csv").stdout.splitlines()))
    named = [row["files"] for row in rows if row["files"]]
    assert [named[0], named[1], named[3]] == ["[image]", "[voice]", "Manual.pdf"]
    page = run(store(played), "--format", "html").stdout
    assert "<bdi>Manual.pdf</bdi>" in page
    assert "Bill <1>" not in page


def test_files_are_saved_once_for_their_owner_alone(played: LocalServer, tmp_path: Path) -> None:
    media = tmp_path / "media"
    chat = json.loads(saving(played, media).stdout)
    files = [file for one in chat["messages"] for file in one["metadata"].get("files", [])]
    paths = [media / file["saved"] for file in files]
    assert [path.read_bytes() for path in paths] == [PHOTO, voice_note(), PDF, PDF]
    assert all(media in path.resolve().parents for path in paths)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    before = [path.stat().st_mtime_ns for path in paths]
    saving(played, media, "--format", "html")
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_what_cannot_be_saved_is_listed_and_tried_again(
    played: LocalServer, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    done = saving(played, media, key="dev-another-link-key", status=1)
    assert "4 files could not be saved" in done.stderr
    failures = [json.loads(line) for line in (media / "failed.jsonl").read_text().splitlines()]
    assert [one["reason"] for one in failures] == ["no-such-link"] * 4
    assert len(done.stdout.splitlines()) == 1  # the transcript is whole all the same
    saving(played, media)
    assert not (media / "failed.jsonl").exists()


def test_a_file_that_ends_early_is_not_kept(played: LocalServer, tmp_path: Path) -> None:
    put_faults(played, media_cut=1)
    try:
        saving(played, tmp_path, status=1)
    finally:
        put_faults(played)
    chat = json.loads(saving(played, tmp_path).stdout)
    files = [file for one in chat["messages"] for file in one["metadata"].get("files", [])]
    assert (tmp_path / files[0]["saved"]).read_bytes() == PHOTO


def put_faults(server: LocalServer, **faults: float) -> None:
    server.send("PUT", "/sim/whatsapp/faults", json.dumps(faults).encode())


def test_a_redacted_export_has_no_files(played: LocalServer, run: Run, tmp_path: Path) -> None:
    for form in ("jsonl", "csv", "html"):
        text = run(store(played), "--redact", "--format", form).stdout
        assert "Manual.pdf" not in text
        assert "Bill" not in text
    refused = run(store(played), "--redact", "--media", str(tmp_path / "none"), status=2)
    assert "--redact leaves out all files" in refused.stderr
    assert not (tmp_path / "none").exists()
