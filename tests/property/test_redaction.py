"""Whatever way a telephone number is written, nothing of it stays; short numbers, dates and
times do.
"""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.export.redaction import Mask
from shared.schemas.conversation import Conversation
from shared.schemas.variables import Audience, Provenance, Variable
from tests.property.effort import effort

pytestmark = pytest.mark.soak

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
CAPTURED = datetime(2026, 3, 1, tzinfo=UTC)
HIDDEN: dict[str, Any] = {
    "audiences": (Audience.EVENT,), "captured_at": CAPTURED, "provenance": Provenance(signed=True),
}  # fmt: skip

ZEROS = [ord(zero) for zero in "0\uff10\u0660\u06f0\u0966\u0e50\u09e6\U0001d7ce\U0001d7d8"]
SPACES = st.text(" \u00a0\u202f\u2009\u2007\t\n", max_size=3)
# before a digit they divide a number, else what is said; a per cent never
CLAUSES = ",:;!?\u3001\u060c\u061b\u061f%"
SIGNS = st.one_of(
    st.sampled_from(
        [
            "",
            "-",
            "--",
            ".",
            "/",
            "\u2010",
            "\u2011",
            "\u2013",
            "\u2014",
            "\u2212",
            ") ",
            " (",
            "\u200b",
            "_",
        ]
    ),
    st.sampled_from(
        ["\u30fc", "\uff70", "\u2550", "%20", "%C2%A0", "<br>", "</p><p>", "&nbsp;", "\\n"]
    ),
    st.characters(categories=["P", "Sm", "Sk", "So"], exclude_characters=CLAUSES).filter(
        lambda one: unicodedata.normalize("NFKC", one) == one
    ),
)
SEPARATORS = st.tuples(SPACES, SIGNS, SPACES).map("".join)
GROUPS = st.sampled_from(
    [(1,) * 9, (2,) * 5, (3, 3, 4), (4, 4, 3), (4, 3, 3), (3, 8), (7,), (15,), (2, 3, 4, 4), (5, 6)]
)
BEFORE = st.sampled_from(
    [
        "",
        "+",
        "(+",
        "00",
        "WA",
        "tel",
        "no",
        "call.",
        "call ",
        "wa.me/",
        "\u00e9",
        "\u7535\u8bdd",
        "#",
    ]
)
AFTER = st.sampled_from(
    ["", ".", "!", "x12", " ext2", " ext. 34", "abc", " #5", ", please", "\u3002"]
)
WORDS = ["Price", "at", "on", "for", "\u20ac", "by"]


@st.composite
def numbers(draw: st.DrawFn) -> str:
    zero, separator = draw(st.sampled_from(ZEROS)), draw(SEPARATORS)
    groups = [
        draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)) for size in draw(GROUPS)
    ]
    return separator.join("".join(chr(zero + digit) for digit in group) for group in groups)


@effort(400)
@given(numbers(), BEFORE, AFTER)
def test_nothing_of_a_telephone_number_stays(number: str, before: str, after: str) -> None:
    masked = Mask().text(f"{before}{number}{after}") or ""
    assert "[phone]" in masked
    assert not any(unicodedata.digit(one, None) is not None for one in masked)


READABLE = st.one_of(
    st.decimals(0, 999, places=2).map(str),
    st.integers(0, 999_999).map(str),
    st.times().map(lambda one: one.strftime("%H:%M")),
    st.times().map(lambda one: one.strftime("%H:%M:%S")),
    st.dates(date(1900, 1, 1), date(2099, 12, 31)).flatmap(
        lambda one: st.sampled_from(
            [one.isoformat(), f"{one:%d.%m.%Y}", f"{one:%m/%d/%Y}", f"{one:%Y/%m/%d}"]
        )
    ),
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2099, 1, 1)).map(
        lambda one: f"{one:%Y-%m-%d %H:%M}"
    ),
)


@effort(300)
@given(st.lists(st.tuples(st.sampled_from(WORDS), READABLE), min_size=1, max_size=4))
def test_prices_dates_times_and_short_numbers_stay(parts: list[tuple[str, str]]) -> None:
    text = " ".join(f"{word} {number}" for word, number in parts)
    assert Mask().text(text) == text


LETTERS = st.characters(
    max_codepoint=0x24F, categories=["L"], exclude_characters="\u013f\u0140\u0149"
) | st.sampled_from(
    "\u03b1\u1fb3\u03c2\u0430\u0439\u6771\u4eac\uac00\u30ac\u0928\u0ba8\ufb01\u1e9e"
)
TYPED = st.lists(
    st.text(LETTERS | st.sampled_from("0123456789"), min_size=1, max_size=6), min_size=1, max_size=4
)
FORM = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])
CASE = st.sampled_from([str, str.upper, str.lower, str.casefold, str.title])


@effort(400)
@given(
    TYPED,
    FORM,
    FORM,
    CASE,
    st.sampled_from([" ", "\n", " \u00a0", " \u2028\t", ", "]),
    st.sampled_from(["", "\u200b", "\u00ad"]),
)
def test_nothing_of_a_hidden_value_stays_however_it_is_typed(
    parts: list[str], kept: Form, said: Form, case: Callable[[str], str], space: str, invisible: str
) -> None:
    assume(sum(map(len, parts)) >= 3)
    value = Variable(key="k", value=unicodedata.normalize(kept, " ".join(parts)), **HIDDEN)
    text = invisible.join(unicodedata.normalize(said, case(space.join(parts))))
    masked = Mask([Conversation(id="csku:1", address="1", variables=(value,))]).text(f"x {text} x")
    assert masked == "x [hidden] x"
