"""The environment as a frozen model: defaults, rotation, and faults that name the setting but never its value."""

import pytest

from shared.errors import Misconfigured
from shared.settings import closed_doors, read_settings

KEYS = '{"secret-key": {"name": "bot", "may": ["BOT"]}}'


def test_locally_everything_has_a_default() -> None:
    settings = read_settings({})
    assert (settings.baton_store, settings.baton_queue) == ("sqlite:///.baton/baton.sqlite", "inline")
    assert (settings.baton_bot, settings.business_messages_auth) == ("acknowledge", "google")


def test_deployed_the_defaults_are_the_clouds() -> None:
    settings = read_settings({"K_SERVICE": "receive-webhook"})
    assert (settings.baton_store, settings.baton_queue, settings.baton_bot) == ("firestore", "pubsub", "none")


@pytest.mark.parametrize("setting", [{"BATON_STORE": "sqlite:///x"}, {"BATON_QUEUE": "inline"}])
def test_deployed_the_embedded_parts_are_refused(setting: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"K_SERVICE": "receive-webhook", **setting})


def test_another_host_than_googles_gets_no_google_token() -> None:
    assert read_settings({"BUSINESS_MESSAGES_API_URL": "https://example.com"}).business_messages_auth == "none"


def test_secrets_rotate_by_listing_two() -> None:
    assert read_settings({"CSKU_WEBHOOK_SECRETS": "new, old,"}).csku_webhook_secrets == ("new", "old")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNCLAIMED_AFTER", "0"),
        ("UNCLAIMED_REMINDERS", "-1"),
        ("JOURNAL_TTL_DAYS", "7"),
        ("HUMAN_IDLE_AFTER", "soon"),
        ("BATON_STORE", "postgres://hunter2"),
        ("BATON_QUEUE", "kafka"),
        ("BATON_BOT", "oracle"),
        ("BATON_API_KEYS", "hunter2-key"),
        ("BATON_API_KEYS", '["hunter2-key"]'),
        ("BATON_API_KEYS", '{"hunter2-key": {"may": ["BOT"]}}'),
        ("BATON_API_KEYS", '{"hunter2-key": {"name": "x", "may": ["ROBOT"]}}'),
        ("BUSINESS_MESSAGES_AUTH", "hunter2-token"),
        ("BOT_WEBHOOK_URL", "bot.example.com/hunter2"),
        ("SLACK_WEBHOOK_URL", "ftp://hunter2"),
        ("TEAM_WEBHOOK_SECRET", "hunter2 not base64"),
        ("BRIDGE_VARIABLES_AUDIENCES", "everybody"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(
    name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misconfigured):
        read_settings({name: value})
    line = capsys.readouterr().out
    assert name in line
    assert "hunter2" not in line


def test_all_wrong_settings_are_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"UNCLAIMED_AFTER": "x", "JOURNAL_TTL_DAYS": "x"})
    line = capsys.readouterr().out
    assert "UNCLAIMED_AFTER" in line
    assert "JOURNAL_TTL_DAYS" in line


def test_secrets_never_print() -> None:
    secrets = {
        "BATON_API_KEYS": KEYS,
        "CSKU_WEBHOOK_SECRETS": "secret-a",
        "BUSINESS_MESSAGES_SIGNING_KEYS": "secret-b",
        "BUSINESS_MESSAGES_AUTH": "bearer:secret-c",
        "SLACK_WEBHOOK_URL": "https://hooks.test/secret-d",
        "BOT_WEBHOOK_URL": "https://bot.test/secret-e",
        "BRIDGE_TOKEN_KEYS": "secret-f" * 4,
    }
    assert "secret-" not in repr(read_settings(secrets))


def test_a_key_is_kept_as_its_hash() -> None:
    settings = read_settings({"BATON_API_KEYS": KEYS})
    assert "secret-key" not in settings.baton_api_keys
    assert [key.name for key in settings.baton_api_keys.values()] == ["bot"]


def test_a_webhook_without_its_secret_is_a_closed_door() -> None:
    settings = read_settings({"BOT_WEBHOOK_URL": "https://x", "TEAM_WEBHOOK_URL": "https://x"})
    assert closed_doors(settings, "deliver_outbox") == ["OUTBOUND_WEBHOOK_KEYS"]
    assert closed_doors(settings, "notify_handoff") == ["TEAM_WEBHOOK_SECRET"]
    assert closed_doors(read_settings({}), "deliver_outbox") == []
