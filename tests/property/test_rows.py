"""Each command of a decision comes from a row of the tables, and what reaches a customer from an
effect whose words say so.
"""

import pytest

from shared.handoff.machine import decide
from shared.handoff.policy import Policy
from shared.handoff.terms import Effect
from shared.schemas import events
from shared.schemas.commands import SendEvent, SendReaction, SendSurvey, ToCustomer
from shared.schemas.conversation import Conversation
from shared.schemas.representative import RepresentativeType
from tests.property.pools import Pool, on_each
from tests.property.test_decide import NOW, conversations, happenings, policies
from tests.walk import walked

pytestmark = pytest.mark.soak


@on_each(300, Pool(conversations(), 150), Pool(happenings(), 150), Pool(policies, 100))
def test_every_command_comes_from_a_row(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    walk, decision = walked(before, event, NOW, policy), decide(before, event, NOW, policy)
    assert [command for _, _, command in walk.emitted] == list(decision.commands)
    if decision.refusal is None:
        assert walk.draft.conversation == decision.conversation
    for _, effect, command in walk.emitted:
        assert not isinstance(command, ToCustomer) or _says(effect, command), effect


def _says(effect: Effect, command: ToCustomer) -> bool:
    """Returns whether the words of the effect, as TABLE.md prints them, name this command."""
    if isinstance(command, SendSurvey):
        return "survey" in effect
    if isinstance(command, SendReaction):
        return "reaction" in effect
    if isinstance(command, SendEvent):
        return _is_frame(effect)
    if command.reopens:
        return "template" in effect
    is_human = command.representative.representative_type is RepresentativeType.HUMAN
    return (
        "message" in effect
        if is_human
        else "message, BOT" in effect or "tell the customer" in effect
    )


def _is_frame(effect: Effect) -> bool:
    """JOINED goes before a message where the customer has not been shown who speaks."""
    return any(word in effect for word in ("JOINED", "LEFT", "message, HUMAN"))
