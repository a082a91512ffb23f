"""Where the desks of each channel are: a place takes one message a second."""

from collections.abc import Mapping

from tests.functions.desk import CHANNELS

AUDIENCE, PUSH = "123456789012", "push@acme.iam.gserviceaccount.com"  # of a Chat app
PLACES: Mapping[str, Mapping[str, str]] = {
    "google_chat": {channel: f"spaces/{channel.upper()}" for channel in CHANNELS},
    "slack": {channel: f"C0{channel.upper().replace('_', '')}" for channel in CHANNELS},
}
