"""A topic's message in each form in which it may reach a function: as Google's documents and
the emulator show them.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MESSAGE_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"
SOURCE = "//pubsub.googleapis.com/projects/baton-prod/topics/baton-outbox"


@dataclass(frozen=True, slots=True)
class Envelope:
    body: bytes
    headers: Mapping[str, str]


def _pushed(body: Mapping[str, Any]) -> dict[str, Any]:
    """As Pub/Sub pushes it: ids and times twice, in camelCase and snake_case."""
    message = {
        "attributes": {
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "unknown": "yes",
        },
        "data": base64.b64encode(json.dumps(body).encode()).decode(),
        "messageId": "8251063513718215",
        "message_id": "8251063513718215",
        "orderingKey": "business_messages:3333",
        "publishTime": "2026-03-01T12:00:00.123Z",
        "publish_time": "2026-03-01T12:00:00.123Z",
    }
    return {
        "deliveryAttempt": 2,
        "message": message,
        "subscription": "projects/baton-prod/subscriptions/eventarc-x",
    }


def raw_push(body: Mapping[str, Any]) -> Envelope:
    return Envelope(
        json.dumps(_pushed(body)).encode(),
        {"content-type": "application/json", "user-agent": "APIs-Google"},
    )


def binary_event(body: Mapping[str, Any]) -> Envelope:
    """As Eventarc delivers it: the CloudEvent's attributes are headers, `;charset` and all."""
    headers = {
        "content-type": "application/json; charset=utf-8",
        "ce-id": "8251063513718215",
        "ce-source": SOURCE,
        "ce-specversion": "1.0",
        "ce-time": "2026-03-01T12:00:00.123Z",
        "ce-type": MESSAGE_TYPE,
    }
    return Envelope(json.dumps(_pushed(body)).encode(), headers)


def structured_event(body: Mapping[str, Any]) -> Envelope:
    event = {
        "specversion": "1.0",
        "id": "8251063513718215",
        "source": SOURCE,
        "type": MESSAGE_TYPE,
        "time": "2026-03-01T12:00:00.123Z",
        "datacontenttype": "application/json",
        "unknownextension": "yes",
        "data": _pushed(body),
    }
    return Envelope(
        json.dumps(event).encode(), {"content-type": "application/cloudevents+json; charset=UTF-8"}
    )


FORMS: Mapping[str, Callable[[Mapping[str, Any]], Envelope]] = {
    "raw push": raw_push,
    "binary CloudEvent": binary_event,
    "structured CloudEvent": structured_event,
}
