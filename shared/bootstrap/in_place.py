"""Which lines of the outbox the functions that accept events may deliver themselves.

Each is given what its own events usually lead to, and no secret for more: what the customer says
goes to the bot and the desk, what a bot or desk says goes to the customer. All other lines are left
to `deliver_outbox`, and so are the counts of the reports, which many instances write.
"""

from collections.abc import Mapping

from shared.schemas.notifications import HANDOFFS, USER_MESSAGES

DELIVERS: Mapping[str, frozenset[str]] = {
    "receive_webhook": frozenset(
        (f"topic {USER_MESSAGES}", f"topic {HANDOFFS}", "webhook BOT", "webhook HUMAN")
    ),
    "send_representative": frozenset((f"topic {HANDOFFS}", "channel")),
}
