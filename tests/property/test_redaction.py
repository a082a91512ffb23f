"""Whatever way a telephone number is written, nothing of it stays; short numbers, dates and times do."""

import unicodedata
from datetime import date, datetime

from hypothesis import given
from hypothesis import strategies as st

from infra.redaction import Mask
from tests.property.effort import effort

ZEROS = [ord(zero) for zero in "0\uff10\u0660\u06f0\u0966\u0e50\u09e6\U0001d7ce\U0001d7d8"]
SPACES = st.text(" \u00a0\u202f\u2009\u2007\t\n", max_size=3)
SIGNS = st.sampled_from(
    ["", "-", "--", ".", "/", "\u2010", "\u2011", "\u2013", "\u2014", "\u2212", ") ", " (", "\u200b", "_"]
)
SEPARATORS = st.tuples(SPACES, SIGNS, SPACES).map("".join)
GROUPS = st.sampled_from(
    [(1,) * 9, (2,) * 5, (3, 3, 4), (4, 4, 3), (4, 3, 3), (3, 8), (7,), (15,), (2, 3, 4, 4), (5, 6)]
)
BEFORE = st.sampled_from(
    ["", "+", "(+", "00", "WA", "tel", "no", "call.", "call ", "wa.me/", "\u00e9", "\u7535\u8bdd", "#"]
)
AFTER = st.sampled_from(["", ".", "!", "x12", " ext2", " ext. 34", "abc", " #5", ", please", "\u3002"])
WORDS = ["Price", "at", "on", "for", "\u20ac", "by"]


@st.composite
def numbers(draw: st.DrawFn) -> str:
    zero, separator = draw(st.sampled_from(ZEROS)), draw(SEPARATORS)
    groups = [draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)) for size in draw(GROUPS)]
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
        lambda one: st.sampled_from([one.isoformat(), f"{one:%d.%m.%Y}", f"{one:%m/%d/%Y}", f"{one:%Y/%m/%d}"])
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
