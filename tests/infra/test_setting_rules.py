"""terraform checks plain settings by rules that are derived from the model and agree with it."""

import pytest
from pydantic import ValidationError

from infra.deploy.setting_rules import FILE, rules, text
from infra.deployables import deployables, settings
from shared.settings.model import Settings

NUMBERS = [
    "abc",
    "-1",
    "0",
    "0.5",
    "1",
    "7",
    "8",
    "40",
    "41",
    "100",
    "101",
    "1.5",
    "36500",
    "36501",
]
FORMS = [
    "x",
    "ftp://x.test",
    "https://x.test",
    "https://x.test/path",
    "http://localhost:9000",
    "HTTPS://X.test",
]


def accepted(name: str, value: str) -> bool:
    try:
        Settings.model_validate({name.lower(): value})
    except ValidationError:
        return False
    return True


def test_the_file_is_written_from_the_model() -> None:
    assert FILE.read_text() == text()
    assert list(rules()) == settings(deployables())


@pytest.mark.parametrize("name", [name for name, rule in rules().items() if "number" in rule])
def test_the_limits_of_numbers_are_the_models(name: str) -> None:
    rule = rules()[name]
    for value in NUMBERS:
        assert _is_within(rule, value) is accepted(name, value), (name, value)


def _is_within(rule: dict[str, object], text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    above, least, most = (rule.get(one) for one in ("above", "least", "most"))
    within = (above is None or value > float(str(above))) and (
        least is None or value >= float(str(least))
    )
    whole = rule["number"] == "number" or value.is_integer()
    return within and whole and (most is None or value <= float(str(most)))


@pytest.mark.parametrize("name", [name for name, rule in rules().items() if "one_of" in rule])
def test_the_words_that_a_setting_takes_are_the_models(name: str) -> None:
    words = rules()[name]["one_of"]
    assert [word for word in words if not accepted(name, word)] == []
    assert not accepted(name, "none of them")


@pytest.mark.parametrize(
    "name", [name for name, rule in rules().items() if "list_of" in rule and "or" in rule]
)
def test_the_words_of_a_list_are_the_models(name: str) -> None:
    rule = rules()[name]
    assert [word for word in [*rule["list_of"], *rule["or"]] if not accepted(name, word)] == []
    assert not accepted(name, f"{rule['list_of'][0]},none of them")
