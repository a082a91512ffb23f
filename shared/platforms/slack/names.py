"""Ids of Slack's threads, and the names by which Baton finds what it has posted."""

from shared.schemas.notation import conversation_id

NAME = "slack"
# The kinds of metadata on Baton's messages, which Slack calls event types.
# https://docs.slack.dev/messaging/message-metadata
REQUEST, TRANSCRIPT = "baton_request", "baton_transcript"
THREAD = "baton_thread"  # the type of a thread that was read again, as a webhook
STANDING, CLOSED, ACTIONS = "baton_standing", "baton_closed", "baton_actions"  # ids of blocks
ACTION = "baton_"  # stands before what a button does
OPEN_PAGE = f"{ACTION}open_page"


def native_thread(channel: str, ts: str) -> str:
    """Returns the id of the thread below the message `ts` of a channel."""
    return f"{channel}-{ts}"


def thread(channel: str, ts: str) -> str:
    """Returns the id of a thread's conversation."""
    return conversation_id(NAME, native_thread(channel, ts))


def place_of(native: str) -> tuple[str, str]:
    """Returns the channel of a thread, and the message below which it stands."""
    channel, _, ts = native.partition("-")
    return channel, ts
