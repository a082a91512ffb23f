"""Range requests (RFC 9110, section 14): which part of a file a reader asks for."""

import re

from shared.errors import OutOfRange
from shared.values import frozen

_ONE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)


@frozen
class Part:
    """The bytes `start` to `end`, both included, of `total`."""

    start: int
    end: int
    total: int

    @property
    def size(self) -> int:
        return self.end - self.start + 1

    @property
    def header(self) -> str:
        """The part as the value of Range."""
        return f"bytes={self.start}-{self.end}"

    @property
    def content_range(self) -> str:
        """The part as the value of Content-Range."""
        return f"bytes {self.start}-{self.end}/{self.total}"


def asked_part(value: str | None, total: int) -> Part | None:
    """Returns the part that a Range header asks for, None for the whole file: a header that is
    malformed or asks for several parts may be ignored.

    Raises OutOfRange.
    """
    found = _ONE.fullmatch(value or "")
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:  # the last bytes
        start, end = max(total - int(found[2]), 0), total - 1
        if not int(found[2]):
            raise _out_of_range(total)
    else:
        start, end = int(found[1]), min(int(found[2] or total), total - 1)
        if found[2] and int(found[2]) < start:
            return None
    if start >= total:
        raise _out_of_range(total)
    return Part(start, end, total)


def _out_of_range(total: int) -> OutOfRange:
    return OutOfRange(
        "no-such-part", f"The file has {total} bytes.", content_range=f"bytes */{total}"
    )
