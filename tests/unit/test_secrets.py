"""Which values are accepted as secrets: no placeholder, nothing short, nothing that can be guessed.
A refused one closes its own door alone.
"""

import base64
import json
import secrets
import uuid
from pathlib import Path

import pytest

from infra.local import settings as local
from shared.schemas.notation import sha256
from shared.settings.doors import closed_doors
from shared.settings.model import Settings, read_settings
from shared.settings.secrets import BEARERS, LISTS, SINGLE, weakness

GOOD = "4f1d7c92b6e8a035"  # 16 hexadecimal digits are 64 bits
NONE = [
    "...",
    "…",
    "***",
    "<your-token>",
    "${TOKEN}",
    "secret",
    "changeme",
    "change-me-change-me",
    "primary",
    "secondary",
    "your-secret-key-here-1234",
    "REPLACE_ME_WITH_SECRET",
    "passwordpassword",
    "xxxxxxxxxxxxxxxxxxxxxxxx",
    "0000000000000000000000000",
    "1234567890123456",
    "12345678901234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "abcabcabcabcabcabcabcabc",
    "hunter2!hunter2!",
    "4f1d7c92b6e8a03",
    "short",
]
WHSEC = {
    f"whsec_{base64.b64encode(one.encode()).decode()}"
    for one in ("changemechangeme", "secret", "to be chosen...")
}


@pytest.mark.parametrize("secret", [*NONE, *sorted(WHSEC), "Bearer ...", "Token changeme"])
def test_what_is_no_secret(secret: str) -> None:
    assert weakness(secret) is not None
    assert weakness(secret, development=True) is not None


@pytest.mark.parametrize(
    "secret", [one for one in vars(local).values() if str(one).startswith("dev-")]
)
def test_a_key_of_the_local_run_counts_on_one_machine_only(secret: str) -> None:
    for one in secret.split(","):
        assert weakness(one) is not None
        assert weakness(one, development=True) is None


def test_what_is_drawn_at_random_counts() -> None:
    for _ in range(300):
        drawn = [
            secrets.token_hex(24),
            secrets.token_urlsafe(16),
            str(uuid.uuid4()),
            secrets.token_hex(16).upper(),
        ]
        drawn += [
            f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
            "EAAG" + secrets.token_urlsafe(120),
        ]
        assert [weakness(one) for one in drawn] == [None] * len(drawn)


def test_every_secret_is_looked_at_or_is_an_address() -> None:
    hidden = {name for name, field in Settings.model_fields.items() if not field.repr}
    addresses = {name for name in hidden if name.endswith("_url")}
    assert {*SINGLE, *LISTS, *BEARERS, "baton_api_keys"} == hidden - addresses


@pytest.mark.parametrize("value", ["...", "changeme", "abc"])
@pytest.mark.parametrize("name", [*SINGLE, *LISTS])
@pytest.mark.parametrize("where", [{}, {"K_SERVICE": "receive-webhook"}], ids=["here", "deployed"])
def test_a_weak_secret_counts_as_missing_and_is_named(
    where: dict[str, str], name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = read_settings({**where, name.upper(): value})
    assert not getattr(settings, name)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["severity"], name.upper() in line["message"]) for line in lines] == [
        ("ERROR", True)
    ]
    assert value == "..." or value not in lines[0]["message"].partition(": ")[2]


def test_of_a_list_only_the_weak_ones_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    settings = read_settings(
        {"RCS_CLIENT_TOKENS": f"primary,{GOOD},secondary", "WHATSAPP_APP_SECRETS": GOOD}
    )
    assert settings.rcs_client_tokens == (GOOD,)
    assert settings.whatsapp_app_secrets == (GOOD,)
    said = capsys.readouterr().out
    assert "RCS_CLIENT_TOKENS 1 is a placeholder" in said
    assert "RCS_CLIENT_TOKENS 3 is a placeholder" in said


def test_a_weak_key_of_the_api_opens_nothing() -> None:
    rights = {"name": "desk", "may": ["HUMAN"]}
    settings = read_settings({"BATON_API_KEYS": json.dumps({"secret-key": rights, GOOD: rights})})
    assert set(settings.baton_api_keys) == {sha256(GOOD)}
    none = read_settings({"BATON_API_KEYS": json.dumps({"secret-key": rights})})
    assert closed_doors(none, "send_representative") == ["BATON_API_KEYS"]


def test_the_local_runs_own_keys_open_nothing_where_it_is_deployed() -> None:
    given = {
        name: one
        for name, one in local.defaults(8080, Path()).items()
        if not name.startswith("BATON_") and name != "MEDIA_BUCKET"  # a directory of this machine
    }
    deployed = read_settings(
        {**given, "BATON_API_KEYS": json.dumps(local.API_KEYS), "K_SERVICE": "receive-webhook"}
    )
    assert [name for name in (*SINGLE, *LISTS, "baton_api_keys") if getattr(deployed, name)] == []
