"""JSON that is hard to read: deep, wide, long numbers, halves of characters, keys that come
twice, no JSON at all.
"""

from hypothesis import strategies as st

VALUES = [
    b"1" * 100_000,
    b"-" + b"9" * 4299,
    b"0." + b"1" * 100_000,
    b"1e999999",
    b"1e-999999",
    b"NaN",
    b"-Infinity",
    b'"\\ud83d"',
    b'"\\ude00\\ud83d"',
    b'"\xed\xa0\xbd"',
    b'"caf\xe9"',
    b'"\\u0000"',
    b'"a\x00b"',
    b'"' + b"x" * 200_000 + b'"',
    b'{"a": 1, "a": {"a": 2}, "": null}',
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"[" * 150 + b"]" * 150,
    b"[" + b",".join([b"{}"] * 130_000) + b"]",
    b"[" + b",".join([b"[]"] * 20_000) + b"]",
    b"{" + b",".join(b'"%d": 0' % n for n in range(5000)) + b"}",
]
WHOLE = [
    b"",
    b"null",
    b"[]",
    b"0",
    b'""',
    b"[1]",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"\x00",
    b"{}{}",
    *VALUES,
]


def hard_bodies(beginnings: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Such values as a body of their own, or as the last field of an object that begins so."""
    fields = st.sampled_from(
        [b'"message": ', b'"x": ', b'"sendTime": ', b'"timestamp": ', b'"message": {"text": ']
    )
    inside = st.builds(_field, beginnings, fields, st.sampled_from(VALUES))
    return st.sampled_from(WHOLE) | inside


def _field(begins: bytes, field: bytes, value: bytes) -> bytes:
    joined = begins + (b'"a", ' if begins.endswith(b": ") else b"") + field + value
    return joined + (b"}}" if field.endswith(b'"text": ') else b"}")
