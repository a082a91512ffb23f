"""What tags of languages say. The judge is a library that knows all of BCP 47 and the IANA
registry.
"""

import itertools
import string

import langcodes
import pytest

from shared.schemas.languages import language_of, read

CODES = ["".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=2)]
TAGS = [
    "fil-PH", "in_ID", "pt-BR", "PT_br", "zh-Hant", "zh_Hant_HK", "zh-hans-cn", "sr-Latn-RS",
    "es-419", "ar-001",
    "de-1996", "de-DE-1996", "en-US-POSIX", "haw-US", "yue-HK", "zh-yue", "kok-IN", "ckb_IQ",
]  # fmt: skip


def test_every_code_of_two_letters_is_the_one_of_today() -> None:
    expected = {
        one: langcodes.Language.get(langcodes.standardize_tag(one)).language for one in CODES
    }
    assert {one: language_of(one) for one in CODES} == expected


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_says_what_it_says(tag: str) -> None:
    judged, said = langcodes.Language.get(langcodes.standardize_tag(tag)), read(tag)
    assert (said.language, said.region) == (judged.language, judged.territory)
    assert judged.script in (None, said.script)


@pytest.mark.parametrize(
    "tag",
    [None, "", "C", "POSIX", "x-private", "i-klingon", "1", "🙂", "-", "_", "e n", "englisch"],
)
def test_what_is_no_tag_says_nothing(tag: str | None) -> None:
    assert language_of(tag) == ""
