"""Every row of the table of doors: closed while a setting that it needs is missing, and open, or
not used at all, otherwise.
"""

import json
from typing import Any

import pytest

from shared.settings.doors import DOORS, closed_doors
from shared.settings.model import Settings, read_settings

KEY = {"dev-bot": {"name": "bot", "may": ["BOT"]}}
CCAI = {"name": "support", "kind": "ccai"}
SLACK = {"name": "support", "kind": "slack", "place": "C0SUPPORT"}
CHAT = {"name": "chat", "kind": "google_chat", "place": "spaces/AAAA"}
CSKU = {"name": "sales", "kind": "csku"}
MATRIX = {"name": "team", "kind": "matrix"}
FUNCTIONS = sorted({function for door in DOORS for function in door.functions})
# row: what makes a function use the door, and values that open it, in the order of its needs
ROWS: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "webhook of Business Messages": ({}, ("dev-key", "dev-token")),
    "webhook of CSKU": ({}, ("dev-secret",)),
    "webhook of RCS": ({}, ("dev-token",)),
    "webhook of WhatsApp": ({}, ("dev-secret", "dev-token")),
    "webhook of CCAI": ({}, ("dev-secret",)),
    "threads at Google Chat, whose webhook brings the answers": (
        {"BATON_DESKS": json.dumps([CHAT])},
        ("123456789012",),
    ),
    "webhook of Matrix": ({}, ("dev-hs-token",)),
    "webhook of Slack": ({}, ("dev-secret", "dev-token")),
    "REST API": ({}, (json.dumps(KEY),)),
    "sessions of people": (
        {"BATON_AGENTS": '{"jane@example.com": {"name": "Jane"}}'},
        ("dev-key",),
    ),
    "bridge": ({}, ("4f1d7c92b6e8a0354f1d7c92b6e8a035", "https://crm.test")),
    "plain webhooks of bot and desk": ({"BOT_WEBHOOK_URL": "https://bot.test"}, ("dev-key",)),
    "comments in the CRM": (
        {"CRM_COMMENT_URL": "https://crm.test/{native_id}"},
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
    ),
    "messages and files of WhatsApp": ({"BATON_PLATFORMS": "whatsapp"}, ("dev-token",)),
    "links to files": ({"MEDIA_URL": "https://media.test"}, ("dev-key",)),
    "chats at CCAI, which an erase ends too": (
        {"BATON_DESKS": json.dumps([{**CCAI, "menu": 3}])},
        ("https://tenant.test", "baton", "dev-token"),
    ),
    "queue of chats at CCAI, for desks that name none": (
        {"BATON_DESKS": json.dumps([CCAI])} | {"CCAI_API_URL": "https://tenant.test"}
        | {"CCAI_API_USER": "baton", "CCAI_API_TOKEN": "dev-token"},
        ("0",),
    ),
    "rooms of Matrix, which an erase reaches too": (
        {"BATON_DESKS": json.dumps([MATRIX])},
        ("https://matrix.test", "example.org", "dev-as-token"),
    ),
    "threads of Slack, which an erase reaches too": (
        {"BATON_DESKS": json.dumps([SLACK])},
        ("dev-token",),
    ),
    "files of Slack": ({"BATON_PLATFORMS": "slack"}, ("dev-token",)),
    "flags at CSKU": (
        {"BATON_DESKS": json.dumps([CSKU]), "CSKU_NEED_HUMAN": "true"},
        ("business", "dev-secret"),
    ),
    "Dialogflow": (
        {"BATON_BOT": "dialogflow"},
        ("projects/p/locations/global/agents/a",),
    ),
    "webhook of the team": (
        {"TEAM_WEBHOOK_URL": "https://team.test"},
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
    ),
}  # fmt: skip


def test_every_row_has_a_case() -> None:
    assert list(ROWS) == [door.name for door in DOORS]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_door_is_closed_until_all_that_it_needs_is_set(door: Any) -> None:
    used, values = ROWS[door.name]
    names = [name.upper() for name in door.needs]
    opened = dict(zip(names, values, strict=True))
    for function in door.functions:
        assert set(names) <= set(closed_doors(read_settings(used), function))
        for missing in names:
            given = {name: value for name, value in opened.items() if name != missing}
            closed = closed_doors(read_settings(used | given), function)
            assert set(closed) & set(names) == {missing}
        assert not set(closed_doors(read_settings(used | opened), function)) & set(names)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_door_is_no_other_functions(door: Any) -> None:
    used, _ = ROWS[door.name]
    for function in set(FUNCTIONS) - set(door.functions):
        theirs = {need for one in DOORS if function in one.functions for need in one.needs}
        only = {need.upper() for need in door.needs if need not in theirs}
        assert not only & set(closed_doors(read_settings(used), function))


ONLY_CSKU = {"BATON_PLATFORMS": "csku"}


def test_a_desk_that_is_not_there_needs_no_secrets() -> None:
    api_only = read_settings(ONLY_CSKU | {"BATON_DESKS": json.dumps([{"name": "ours"}])})
    assert closed_doors(api_only, "deliver_outbox") == []
    flagged = read_settings(ONLY_CSKU | {"CSKU_NEED_HUMAN": "true"})
    assert closed_doors(flagged, "deliver_outbox") == []


def test_a_platform_that_is_not_in_use_needs_no_secrets() -> None:
    whatsapp = read_settings({"BATON_PLATFORMS": "whatsapp"})
    missing = ["WHATSAPP_APP_SECRETS", "WHATSAPP_VERIFY_TOKEN"]
    assert closed_doors(whatsapp, "receive_webhook") == missing
    assert closed_doors(whatsapp, "deliver_outbox") == ["WHATSAPP_ACCESS_TOKEN"]
    assert closed_doors(read_settings(ONLY_CSKU), "send_representative") == ["BATON_API_KEYS"]


def test_a_desk_of_csku_needs_secrets_only_where_it_is_flagged() -> None:
    desks = ONLY_CSKU | {"BATON_DESKS": json.dumps([CSKU])}
    assert closed_doors(read_settings(desks), "deliver_outbox") == []
    flagged = desks | {"CSKU_NEED_HUMAN": "true", "CSKU_API_BUSINESS": "b"}
    assert closed_doors(read_settings(flagged), "deliver_outbox") == ["CSKU_API_SECRET"]


def test_desks_of_ccai_without_their_secrets_are_announced() -> None:
    desks = {"BATON_PLATFORMS": "ccai", "BATON_DESKS": json.dumps([CCAI])}
    missing = ["CCAI_API_URL", "CCAI_API_USER", "CCAI_API_TOKEN"]
    assert closed_doors(read_settings(desks), "send_representative")[1:] == missing
    assert closed_doors(read_settings(desks), "deliver_outbox") == [*missing, "CCAI_MENU_ID"]


def test_every_need_is_a_setting() -> None:
    assert {name for door in DOORS for name in door.needs} <= set(Settings.model_fields)
