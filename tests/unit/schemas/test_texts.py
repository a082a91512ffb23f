"""Texts are cut between grapheme clusters. The judge is graphemeu; what cuts is regex."""

from itertools import accumulate

import grapheme
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.schemas.texts import first_piece, shortened, split_text

FAMILY, FLAG, HAND, KEYCAP = "👨‍👩‍👧‍👦", "🇮🇩", "👍🏽", "1️⃣"
THAI, ARABIC, HINDI, ACCENT, HANGUL = "กำ", "حّ", "क्षि", "e\u0301", "각"
CLUSTERS = [
    FAMILY,
    FLAG,
    HAND,
    KEYCAP,
    THAI,
    ARABIC,
    HINDI,
    ACCENT,
    HANGUL,
    "\r\n",
    " ",
    "\n",
    "a",
    ".",
    "。",
    "你",
]
WRITTEN = st.lists(st.sampled_from(CLUSTERS) | st.characters(), max_size=60).map("".join)
LIMITS = st.integers(1, 40)


def _ends(text: str) -> set[int]:
    return {0, *accumulate(map(len, grapheme.graphemes(text)))}


def _longest(text: str) -> int:
    return max(map(len, grapheme.graphemes(text)), default=0)


@given(text=WRITTEN, limit=LIMITS)
def test_pieces_are_the_text_within_the_limit_never_blank_and_never_begin_inside_a_cluster(
    text: str, limit: int
) -> None:
    pieces, at, ends = split_text(text, limit), 0, _ends(text)
    for piece in pieces:
        assert 0 < len(piece) <= limit
        assert piece.strip()
        begins = text.index(piece, at)
        assert not text[at:begins].strip()  # only white space is dropped
        assert begins in ends or _longest(text) > limit
        at = begins + len(piece)
    assert not text[at:].strip()


@given(text=WRITTEN, limit=LIMITS)
def test_no_piece_but_the_last_is_short_unless_a_long_cluster_follows(
    text: str, limit: int
) -> None:
    longest = _longest(text)
    for piece in split_text(text, limit)[:-1]:
        assert len(piece) > limit * 2 // 3 or len(piece) + longest > limit or longest > limit


@given(text=WRITTEN, limit=LIMITS, mark=st.sampled_from(["", "…"]))
def test_what_is_shortened_ends_with_a_whole_cluster_and_its_mark(
    text: str, limit: int, mark: str
) -> None:
    cut = shortened(text, limit, mark)
    assert len(cut) <= limit
    if len(text) <= limit:
        assert cut == text
        return
    assert cut.endswith(mark)
    kept = cut.removesuffix(mark)
    assert text.startswith(kept)
    spaces = len(text[len(kept) :]) - len(text[len(kept) :].lstrip())
    ends = _ends(text)
    assert (
        any(len(kept) + more in ends for more in range(spaces + 1))
        or _longest(text) + len(mark) > limit
    )


@given(text=WRITTEN, limit=LIMITS)
def test_a_limit_may_be_one_of_bytes(text: str, limit: int) -> None:
    cut = shortened(text, limit + 3, size=lambda one: len(one.encode()))
    assert len(cut.encode()) <= limit + 3
    assert text.startswith(cut.removesuffix("…"))


@pytest.mark.parametrize("cluster", [FAMILY, FLAG, HAND, KEYCAP, THAI, ARABIC, ACCENT, "\r\n"])
@pytest.mark.parametrize("before", range(12))
def test_what_people_read_as_one_character_stays_whole(cluster: str, before: int) -> None:
    pieces = split_text("x" * before + cluster * 5 + "x", 12)
    assert all(set(piece) <= {"x", *cluster} for piece in pieces)
    assert sum(piece.count(cluster) for piece in pieces) == 5


def test_a_cut_is_looked_for_in_the_last_third_only() -> None:
    chinese = "你好 " + "这是一个没有空格的很长的句子" * 25
    assert len(split_text(chinese, 256)[0]) == 256
    assert len(split_text("Hi\n" + "x" * 300, 256)[0]) == 256


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("one two three", "one two "),
        ("one\n\ntwo. three fou five", "one\n\ntwo. three fou "),
        ("aaaaaaa aaaaa\n\nb. c dd eee", "aaaaaaa aaaaa\n\n"),
        ("aaaaaaa aaaaaaa. b c dd eee", "aaaaaaa aaaaaaa. "),
        ("aaaaaaa aaaaaaa\nb. c dd eee", "aaaaaaa aaaaaaa\n"),
        ("一二三四五六七八九十一二三四五。七八九十一二三", "一二三四五六七八九十一二三四五。"),
    ],
)
def test_a_piece_ends_with_a_paragraph_a_line_a_sentence_or_a_word(text: str, first: str) -> None:
    assert split_text(text, 8 if first == "one two " else 20)[0] == first


def test_a_text_that_fits_is_left_as_it_is() -> None:
    assert split_text("short \n", 8) == ["short \n"]
    assert first_piece("short", 8) == shortened("short", 5) == "short"


def test_nothing_is_said_where_there_is_nothing_but_white_space() -> None:
    assert split_text(" \n" * 50, 8) == split_text("  ", 8) == split_text("", 8) == []
    assert split_text("a" + " " * 50 + "b", 8) == ["a" + " " * 7, "   b"]


def test_a_cluster_longer_than_the_limit_is_torn_in_linear_time() -> None:
    pieces = split_text("x" + "\u0301" * 200_000 + "." * 200_000, 3072)
    assert "".join(pieces) == "x" + "\u0301" * 200_000 + "." * 200_000
    assert shortened("x" + "\u0301" * 50, 10) == "x" + "\u0301" * 8 + "…"
