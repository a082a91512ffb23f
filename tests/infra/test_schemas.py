"""The schemas of topics and webhooks: not stale, valid themselves, and true of what platforms, the
CRM record and the team's webhook get. Use cases and property tests judge every body they publish.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import pydantic_core
import pytest

from infra.documents.messages import MESSAGES
from infra.openapi import kept
from shared.bootstrap.platforms import platforms
from shared.schemas.http import Request
from shared.schemas.notifications import HANDOFFS, CommentBody, Notification
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.team import HEADLINES, Briefing, Url
from shared.schemas.variables import Provenance
from shared.settings.model import Settings
from shared.teams.team_webhook import TeamWebhook
from tests.schemas import FOLDER, judge

SAMPLES = Path(__file__).parents[1] / "samples"
# Of its own reference's placeholders one breaks the platform's form; Baton passes it on as it is.
PLACEHOLDERS = SAMPLES / "business_messages" / "message-with-placeholders"
CASES = sorted(one for one in SAMPLES.glob("*/*") if one.is_dir() and one != PLACEHOLDERS)
KNOWN = platforms(Settings())
KEPT = kept()
NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_the_repository_keeps_is_what_the_code_makes(path: Path) -> None:
    assert json.loads(path.read_text()) == KEPT[path], "make openapi"


def test_no_schema_is_kept_that_the_code_does_not_make() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_schema_is_one(name: str) -> None:
    assert jsonschema_rs.meta.is_valid(json.loads((FOLDER / f"{name}.json").read_text()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_what_every_platform_reports_of_a_customer_is_as_described(case: Path) -> None:
    headers = json.loads((case / "headers.json").read_text())
    platform = KNOWN[case.parent.name]
    request = Request("POST", f"/{platform.name}", (case / "body").read_bytes(), headers)
    for event in platform.events(request):
        form = getattr(event, "form", None)
        if form:  # empty where Baton only tracks, and so passes nothing on
            judge("bot-and-desk-webhook", pydantic_core.to_json(form))


@pytest.mark.parametrize("kind", HEADLINES)
def test_what_the_teams_webhook_gets_is_as_described(kind: str) -> None:
    jane = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
    body = {"id": "n-1", "type": kind, "conversation": "rcs:h-1", "time": NOW, "desk": "api"}
    told = Notification.model_validate({**body, "representative": jane, "waited_seconds": 2.5})
    judge(HANDOFFS, told.model_dump_json(by_alias=True).encode())
    briefing = Briefing(told, NOW, customer="Ann", lines=("Ann: hi",), link="https://c.test/1")
    call = TeamWebhook(Url("https://t.test"), "whsec_c2VjcmV0").call(briefing)
    judge("team-webhook", call.body or b"")


def test_a_comment_is_as_described() -> None:
    comment = CommentBody(
        id="c-1", conversation="rcs:h-1", time=NOW, comment="order: A1",
        variables={"order": "A1"}, provenance=Provenance(signed=True),
    )  # fmt: skip
    judge("crm-comment", comment.model_dump_json(by_alias=True).encode())


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("baton-outbox", {"conversation": "rcs:h-1"}),
        ("baton-handoffs", {"schema_version": 1, "id": "n", "type": "handoff.lost"}),
        ("baton-user-messages", {"schema_version": 1, "audience": [], "conversationId": "1"}),
        ("bot-and-desk-webhook", {"message": {"text": "hi"}}),
        ("bot-and-desk-webhook", {"conversationId": "1", "message": "hi"}),
        ("team-webhook", {"type": "handoff.joined"}),
    ],
)
def test_another_body_is_refused(name: str, body: dict[str, object]) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        judge(name, pydantic_core.to_json(body))
