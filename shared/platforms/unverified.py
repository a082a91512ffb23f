"""Behaviour that rests on sources other than the vendor's reference, or that was never observed.

UNVERIFIED_FACTS lists the facts that Baton relies on.
"""

from enum import StrEnum


class Fact(StrEnum):
    """The sources are copies of Meta's pages for WhatsApp, and another provider's guide for RCS."""

    WHATSAPP_ERROR_CODES = "whatsapp-error-codes"
    WHATSAPP_LONG_LISTS = "whatsapp-long-lists"
    WHATSAPP_RECIPIENT = "whatsapp-recipient"
    WHATSAPP_RECIPIENT_USER_ID = "whatsapp-recipient-user-id"
    WHATSAPP_STANDBY_BODY = "whatsapp-standby-body"
    WHATSAPP_TO_USER_ID = "whatsapp-to-user-id"
    RCS_KEYWORDS = "rcs-keywords"


# If one of these is wrong, a message fails and the team is notified, a receipt is lost, or a bot
# is silent without need. The excluded one could show a human in a conversation that has none.
SAFE = frozenset(Fact) - {Fact.WHATSAPP_TO_USER_ID}
