"""The environment as a frozen model: defaults, rotation, and faults that name the setting but
never its value.
"""

import json

import pytest

from shared.bootstrap.platforms import platforms
from shared.bootstrap.policy import policy
from shared.bootstrap.root import Baton
from shared.errors import Misconfigured
from shared.platforms.unverified import SAFE, Fact
from shared.platforms.whatsapp.platform import WhatsApp
from shared.settings.doors import closed_doors
from shared.settings.model import read_settings

KEYS = '{"dev-secret-key": {"name": "bot", "may": ["BOT"]}}'


def test_locally_everything_has_a_default() -> None:
    settings = read_settings({})
    assert (settings.baton_store, settings.baton_queue) == (
        "sqlite:///.baton/baton.sqlite",
        "inline",
    )
    assert (settings.baton_bot, settings.business_messages_auth) == ("acknowledge", "google")


def test_a_bot_of_ones_own_is_the_only_one() -> None:
    assert read_settings({"BOT_WEBHOOK_URL": "https://bot.example/hook"}).baton_bot == "none"


def test_deployed_the_defaults_are_the_clouds() -> None:
    settings = read_settings({"K_SERVICE": "receive-webhook"})
    assert (settings.baton_store, settings.baton_queue, settings.baton_bot) == (
        "firestore",
        "pubsub",
        "none",
    )


@pytest.mark.parametrize("setting", [{"BATON_STORE": "sqlite:///x"}, {"BATON_QUEUE": "inline"}])
def test_deployed_the_embedded_parts_are_refused(setting: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"K_SERVICE": "receive-webhook", **setting})


def test_another_host_than_googles_gets_no_google_token() -> None:
    assert (
        read_settings({"BUSINESS_MESSAGES_API_URL": "https://example.com"}).business_messages_auth
        == "none"
    )


def test_secrets_rotate_by_listing_two() -> None:
    assert read_settings({"CSKU_WEBHOOK_SECRETS": "dev-new, dev-old,"}).csku_webhook_secrets == (
        "dev-new",
        "dev-old",
    )


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
    assert "dev-secret-key" not in settings.baton_api_keys
    assert [key.name for key in settings.baton_api_keys.values()] == ["bot"]


def test_a_webhook_without_its_secret_is_a_closed_door() -> None:
    settings = read_settings({"BOT_WEBHOOK_URL": "https://x", "TEAM_WEBHOOK_URL": "https://x"})
    assert closed_doors(settings, "deliver_outbox") == ["OUTBOUND_WEBHOOK_KEYS"]
    assert closed_doors(settings, "notify_handoff") == ["TEAM_WEBHOOK_SECRET"]
    assert closed_doors(read_settings({}), "deliver_outbox") == []


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("crm.example.com", "https://"),
        ("https://{platform}.example.com/x", "host"),
        ("https://example.com:{native_id}/x", "host"),
        ("https://crm.example.com/{secret}", "placeholders"),
        ("https://crm.example.com/{", "placeholders"),
        ("https://crm.example.com/{}", "placeholders"),
        ("https://crm.example.com/{conversation_id.x}", "placeholders"),
    ],
)
def test_where_comments_go_is_settled_by_the_setting_alone(
    capsys: pytest.CaptureFixture[str], value: str, complaint: str
) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"CRM_COMMENT_URL": value})
    assert complaint in capsys.readouterr().out


@pytest.mark.parametrize(
    ("agent", "url"),
    [
        ("projects/p/locations/global/agents/a", "https://dialogflow.googleapis.com"),
        (
            "projects/p/locations/us-central1/agents/a/environments/e",
            "https://us-central1-dialogflow.googleapis.com",
        ),
    ],
)
def test_dialogflow_is_asked_in_the_agents_region(agent: str, url: str) -> None:
    settings = read_settings({"DIALOGFLOW_AGENT": agent})
    assert (settings.dialogflow_api_url, settings.dialogflow_auth) == (url, "google")
    elsewhere = read_settings(
        {"DIALOGFLOW_AGENT": agent, "DIALOGFLOW_API_URL": "http://127.0.0.1:1"}
    )
    assert elsewhere.dialogflow_auth == "none"


@pytest.mark.parametrize(
    "agent", ["a", "projects/p/agents/a", "projects/p/locations/l/agents/a/sessions/s"]
)
def test_what_is_no_agent_is_refused(agent: str) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"DIALOGFLOW_AGENT": agent})


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("not json", "give a JSON object"),
        (
            '{"en": {"joined": "{who} is here"}}',
            "en.joined: the placeholder {who} has no meaning here",
        ),
        (
            '{"en": {"nobody": "no {name} here"}}',
            "en.nobody: the placeholder {name} has no meaning here",
        ),
        ('{"en": {"hello": "hi"}}', "en.hello: no such notice"),
        ('{"en": {"prefix": "Agent: "}}', "en.prefix: must hold {name}"),
        ('{"en": {"left": " "}}', "en.left: must have 1 to 500 characters"),
        ('{"english": {}}', "english: give a language like en"),
        ('{"en": "hi"}', "BATON_NOTICES en: give an object"),
    ],
)
def test_words_that_could_not_be_said_are_refused_by_name(
    given: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"BATON_NOTICES": given})
    logged = capsys.readouterr().out
    assert "BATON_NOTICES" in logged
    assert complaint in logged


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ('{"english": {}}', "english: give a language like en"),
        (
            '{"en": {"Hello": "I am {me}"}}',
            "en.Hello: {me} has no meaning here; there are {customer}",
        ),
        ('{"en": {"Hello": " "}}', "en.Hello: must have 1 to 3072 characters"),
        ('{"en": {" ": "Hi"}}', "the title must have 1 to 80 characters"),
        ("hello", "give a JSON object"),
    ],
)
def test_answers_that_no_person_could_give_are_refused_by_name(
    given: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"BATON_CANNED": given})
    logged = capsys.readouterr().out
    assert "BATON_CANNED" in logged
    assert complaint in logged


def test_the_language_must_be_one_that_has_words() -> None:
    with pytest.raises(Misconfigured):
        read_settings({"BATON_LANGUAGE": "fr"})
    assert read_settings(
        {"BATON_LANGUAGE": "fr", "BATON_NOTICES": '{"fr": {"left": "{name} est parti."}}'}
    )


@pytest.mark.parametrize("setting", ["NOTICES_OFF", "NAME_PREFIX_OFF", "DISCLOSURE_OFF"])
def test_a_switch_for_a_channel_that_does_not_exist_is_refused(setting: str) -> None:
    assert Baton(read_settings({setting: "business_messages"})).ports
    with pytest.raises(Misconfigured):
        _ = Baton(read_settings({setting: "business_mesages"})).ports


def test_where_whatsapp_is_in_use_functions_that_send_need_its_token() -> None:
    """They do not have the secrets of its webhook."""
    given = {"BATON_PLATFORMS": "csku,whatsapp", "BATON_API_KEYS": KEYS}
    used, able = read_settings(given), read_settings(given | {"WHATSAPP_ACCESS_TOKEN": "dev-t"})
    for function in ("send_representative", "deliver_outbox"):
        assert closed_doors(used, function) == ["WHATSAPP_ACCESS_TOKEN"]
        assert closed_doors(able, function) == []
    assert closed_doors(read_settings({}), "deliver_outbox") == []


def test_unverified_facts_count_only_by_name() -> None:
    assert read_settings({}).unverified_facts == SAFE
    assert read_settings({"UNVERIFIED_FACTS": "none"}).unverified_facts == frozenset()
    named = read_settings({"UNVERIFIED_FACTS": "rcs-keywords, whatsapp-to-user-id"})
    assert named.unverified_facts == {Fact.RCS_KEYWORDS, Fact.WHATSAPP_TO_USER_ID}
    with pytest.raises(Misconfigured):
        read_settings({"UNVERIFIED_FACTS": "the-moon-is-cheese"})


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            '{"name": "a"}',
            'BATON_DESKS: give a JSON list, like [{"name": "berlin", "languages": ["de"]}]',
        ),
        ('["a"]', 'BATON_DESKS 1: give an object, like {"name": "berlin"}'),
        ('[{"kind": "ccai"}]', "BATON_DESKS 1.name: is missing"),
        (
            '[{"name": "a", "kind": "slack"}]',
            "BATON_DESKS a: place: is missing; give the id of a channel, like C0123ABCDEF",
        ),
        (
            '[{"name": "a", "kind": "slack", "place": "#support"}]',
            "BATON_DESKS a: place: give the id of a channel, like C0123ABCDEF",
        ),
        ('[{"name": "a", "languages": "id"}]', 'BATON_DESKS a.languages: give a list, like ["id"]'),
        (
            '[{"name": "a", "languages": ["indonesian!!"]}]',
            "BATON_DESKS a.languages: give tags of languages",
        ),
        (
            '[{"name": "a", "hours": {"time_zone": "UTC", "monday": ["09:00-12:00"]}}]',
            "BATON_DESKS a.hours.monday: there is no such key",
        ),
        (
            '[{"name": "a", "hours": {"time_zone": "UTC", "mon": ["9-12"]}}]',
            "BATON_DESKS a.hours.mon.1: give times like 09:00-17:00",
        ),
        (
            '[{"name": "a", "hours": {"time_zone": "UTC", "mon": ["09:00-12:00"]}, "holidays": '
            '["25.12.2026"]}]',
            "BATON_DESKS a.holidays.1: give a date like 2026-12-25",
        ),
    ],
)
def test_a_faulty_desk_is_refused_by_name_and_in_words(
    value: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misconfigured):
        read_settings({"BATON_DESKS": value})
    assert told in json.loads(capsys.readouterr().out)["message"]


def test_bots_hear_only_what_they_may_ask_for() -> None:
    assert read_settings({}).baton_bot_hears == ()
    given = read_settings({"BATON_BOT_HEARS": "reactions"})
    assert policy(given, {}).bot_hears == frozenset({"reaction"})
    with pytest.raises(Misconfigured):
        read_settings({"BATON_BOT_HEARS": "everything"})


def test_groups_are_off_unless_switched_on() -> None:
    for given, groups in (({}, False), ({"WHATSAPP_GROUPS": "on"}, True)):
        channel = platforms(read_settings(given))["whatsapp"]
        assert isinstance(channel, WhatsApp)
        assert channel.groups is groups
