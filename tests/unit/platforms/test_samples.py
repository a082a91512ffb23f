"""Every sample of every platform: headers and raw body as they arrive, and the events they must
become.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.bootstrap.platforms import platforms
from shared.platforms.base import HasKeys, Platform
from shared.platforms.google_chat.platform import GoogleChat
from shared.platforms.rcs.platform import Rcs
from shared.platforms.slack.platform import Slack
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Answer, Request
from shared.settings.model import read_settings

ARRIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)  # where the platform tells no time
SAMPLES = Path(__file__).parents[2] / "samples"
CASES = sorted(folder for folder in SAMPLES.glob("*/*") if folder.is_dir())
# The samples were signed with secrets that no deployment accepts: they are set behind the check.
SET_UP = platforms(
    read_settings({}).model_copy(
        update={
            "business_messages_signing_keys": ("an-older-key", "sample-signing-key"),
            "business_messages_client_token": "sample-client-token",
            "csku_webhook_secrets": ("an-older-secret", "sample-csku-secret"),
            "rcs_client_tokens": ("an-older-token", "sample-rcs-token"),
            "whatsapp_app_secrets": ("an-older-secret", "sample-app-secret"),
            "ccai_webhook_secrets": ("an-older-secret", "sample-ccai-secret"),
            "matrix_hs_tokens": ("an-older-token", "sample-hs-token"),
            "matrix_server_name": "example.org",
            "slack_signing_secrets": ("an-older-secret", "sample-slack-secret"),
            "ccai_events_user": "sample-user",
            "ccai_events_password": "sample-password",
            "google_chat_audience": "123456789012",
            "google_chat_push_account": "sample@acme.iam.gserviceaccount.com",
        }
    )
)
KNOWN: dict[str, Platform] = {
    name: replace(one, now=lambda: ARRIVED)
    if isinstance(one, Rcs | WhatsApp | GoogleChat | Slack)
    else one
    for name, one in SET_UP.items()
}


def _request(case: Path) -> tuple[Platform, Request]:
    headers = json.loads((case / "headers.json").read_text())
    platform = KNOWN[case.parent.name]
    return platform, Request("POST", f"/{platform.name}", (case / "body").read_bytes(), headers)


def _shown(event: Event | Ephemeral) -> dict[str, Any]:
    if isinstance(event, Event):
        shown = event.model_dump(mode="json") | {"kind": event.kind, "text": event.text}
        who = getattr(event, "representative", None)
        return shown | (
            {"representative": who.model_dump(mode="json", by_alias=True, exclude_none=True)}
            if who
            else {}
        )
    return {
        "type": type(event).__name__,
        "source": event.source,
        "form": getattr(event, "form", None),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_sample_becomes_the_expected_events(case: Path) -> None:
    platform, request = _request(case)
    if isinstance(platform, HasKeys):
        assert platform.keys_lookup(request) is not None
        keys = (case.parent / "keys.json").read_bytes()
        platform.authenticate_with(request, Answer(200, keys))
    else:
        platform.authenticate(request)
    found = [_shown(event) for event in platform.events(request)]
    expected = json.loads((case / "expected.json").read_text())
    assert len(found) == len(expected)
    for event, wanted in zip(found, expected, strict=True):
        assert {name: event.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_reading_a_sample_twice_gives_the_same_journal_ids(case: Path) -> None:
    platform, request = _request(case)
    ids = [event.entry_id for event in platform.events(request) if isinstance(event, Event)]
    assert ids == [event.entry_id for event in platform.events(request) if isinstance(event, Event)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_platform_has_samples(name: str) -> None:
    assert any(case.parent.name == name for case in CASES)
