"""What Baton itself says to a customer."""

from enum import StrEnum


class Notice(StrEnum):
    WAITING = "Everyone is busy right now. You are still in line, and somebody will be with you as soon as possible."
    NOBODY = "Sorry, nobody is available right now. You can keep chatting here, and ask for a person again at any time."
    RETURNED = "The person you were talking to is no longer here. You are back with the assistant."


def frame_notice(event_type: str, name: str) -> str:
    """Returns the text that stands in for a JOINED or LEFT which the platform refuses for good."""
    verb = "joined" if event_type == "REPRESENTATIVE_JOINED" else "left"
    return f"{name or 'A person'} {verb} the conversation."
