"""A platform on which Baton sends nothing to customers: one of desks, or one that delivers
itself.
"""

from shared.platforms.base import Outcome, outcome_of_status
from shared.schemas.commands import Signal, ToChannel
from shared.schemas.conversation import Capabilities
from shared.schemas.http import Answer, Call


class NoCustomers:
    """The part of a Platform that such a platform has in common with others of them.

    `outcome` and `refusal` are those of the calls that fetch files.
    """

    __slots__ = ()

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def call(self, command: ToChannel | Signal) -> Call | None:
        return None

    def outcome(self, answer: Answer) -> Outcome:
        return outcome_of_status(answer.status)

    def refusal(self, answer: Answer) -> str | None:
        return None

    def sent_id(self, command: ToChannel, answer: Answer) -> str | None:
        return None


_CAPABILITIES = Capabilities(
    delivers=False,
    frames=False,
    labels=False,
    typing=False,
    receipts=False,
    rich_cards=False,
    idempotent_sends=False,
)
