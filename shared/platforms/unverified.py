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


# Two independent sources state each of them. If one is wrong, a message fails and the team is
# notified, or a bot is silent without need.
SAFE = frozenset(Fact)
