"""The reasons of requests as the reports count them.

Counts outlive conversations, so no customer's words may get there. A reason is the word of a
business or its bot, as `refund`. One that is long, or names an address, may be a customer's.
"""

import re

LONGEST = 60  # characters
OTHER = "(other)"
_NUMBER = re.compile(r"\d{3,}")


def counted_reason(reason: str) -> str:
    """Returns a reason on one line, with long numbers masked; OTHER where it may tell of a
    customer.
    """
    line = _NUMBER.sub("#", " ".join(reason.split()))
    return OTHER if len(line) > LONGEST or "@" in line or "://" in line else line
