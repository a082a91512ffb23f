"""Whether the words of an effect, as TABLE.md prints them, name what reaches a customer."""

from shared.handoff.terms import Effect
from shared.schemas.commands import SendEvent, SendReaction, SendSurvey, ToCustomer
from shared.schemas.representative import RepresentativeType


def says(effect: Effect, command: ToCustomer) -> bool:
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
