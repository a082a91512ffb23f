"""What `python -m infra.bridge_tag` prints is what a CRM page needs, to the letter."""

import subprocess
import sys

import pytest

from infra.bridge_tag import SCRIPT, integrity, main, tag, text, version

ENDPOINT = "https://europe-west1-shop.cloudfunctions.net/forward_variables"


def test_the_tag_names_version_and_hash() -> None:
    element = tag(ENDPOINT, b"script")
    assert element == (
        f'<script src="{ENDPOINT}/bridge.js?v=21a0270b7f66"'
        ' integrity="sha384-6ue5d2QaPwlaMGhNVnY+j4dug2fnmrD4zxJxcL2G/+on/gwRUMV5t16bKlY1s8CK"'
        ' crossorigin="anonymous"></script>'
    )
    assert tag(f"{ENDPOINT}/", b"script") == element


def test_another_script_has_another_version_and_hash() -> None:
    assert version(b"a") != version(b"b")
    assert integrity(b"a") != integrity(b"b")


def test_the_policy_names_origins_and_no_paths() -> None:
    policy = text(ENDPOINT, "https://tenant.ccaiplatform.com", b"")
    assert "  script-src  https://europe-west1-shop.cloudfunctions.net\n" in policy
    assert "  connect-src https://europe-west1-shop.cloudfunctions.net\n" in policy
    assert "  frame-src   https://tenant.ccaiplatform.com\n" in policy


def test_it_is_a_command() -> None:
    command = [sys.executable, "-m", "infra.bridge_tag", "--endpoint", ENDPOINT]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.startswith(tag(ENDPOINT, SCRIPT.read_bytes()))


@pytest.mark.parametrize(
    "url", ["forward_variables", "ftp://x.test/", "https://", "https://x.test/?a=1"]
)
def test_what_is_no_url_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--endpoint", url])
    assert "give a URL" in capsys.readouterr().err
