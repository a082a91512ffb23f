"""Baton's topics and push subscriptions on a Pub/Sub emulator, for a local run with the
deployed store and queue.
"""

import json
import urllib.request
from typing import Any

from infra.deployables import deployables
from infra.local.server import PATIENCE_SECONDS
from shared.schemas.notifications import HANDOFFS, OUTBOX, USER_MESSAGES, VARIABLES

TOPICS = (OUTBOX, HANDOFFS, USER_MESSAGES, VARIABLES)


def create_topics(emulator: str, project: str, url: str) -> None:
    """Creates the topics, and an ordered push subscription to `url`/<function> for each
    function that a topic calls.
    """
    for topic in TOPICS:
        _call("PUT", emulator, f"projects/{project}/topics/{topic}", {})
    for function, row in deployables().items():
        if row.topic:
            subscription = {
                "topic": f"projects/{project}/topics/{row.topic}",
                "pushConfig": {"pushEndpoint": f"{url}/{function}"},
                "enableMessageOrdering": True,
                "ackDeadlineSeconds": 60,
            }
            _call("PUT", emulator, f"projects/{project}/subscriptions/{function}", subscription)


def delete_subscriptions(emulator: str, project: str) -> None:
    """Ends what `create_topics` has begun: an emulator goes on for ever to call an address where
    nothing listens any more.
    """
    for function, row in deployables().items():
        if row.topic:
            _call("DELETE", emulator, f"projects/{project}/subscriptions/{function}", None)


def _call(method: str, emulator: str, path: str, body: dict[str, Any] | None) -> None:
    request = urllib.request.Request(  # the emulator's own loopback address
        f"http://{emulator}/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS):  # noqa: S310  # as above
        return
