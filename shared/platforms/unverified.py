"""What Baton does by sources that are not the vendor's own reference, or that nobody has seen at
work: each has a name, and UNVERIFIED_FACTS lists those that count.
"""

from enum import StrEnum


class Fact(StrEnum):
    """WhatsApp's come from copies of Meta's pages, RCS's from another provider's guide."""

    WHATSAPP_ERROR_CODES = "whatsapp-error-codes"
    WHATSAPP_LONG_LISTS = "whatsapp-long-lists"
    WHATSAPP_RECIPIENT = "whatsapp-recipient"
    WHATSAPP_RECIPIENT_USER_ID = "whatsapp-recipient-user-id"
    WHATSAPP_TO_USER_ID = "whatsapp-to-user-id"
    RCS_KEYWORDS = "rcs-keywords"


# Where these are wrong, a message fails and the team hears of it, a receipt is lost, or a bot is
# silent that need not be. The one that is left out could put a human into a conversation in which
# there is none.
SAFE = frozenset(Fact) - {Fact.WHATSAPP_TO_USER_ID}
