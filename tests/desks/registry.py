"""The desks that the contract suite runs on. A new desk adds its simulator here."""

from collections.abc import Mapping

from tests.desks.ccai import Ccai
from tests.desks.csku import Csku
from tests.desks.google_chat import GoogleChat
from tests.desks.matrix import Matrix
from tests.desks.simulator import DeskSimulator
from tests.desks.slack import Slack

SIMULATORS: Mapping[str, type[DeskSimulator]] = {
    "ccai": Ccai,
    "csku": Csku,
    "google_chat": GoogleChat,
    "matrix": Matrix,
    "slack": Slack,
}
