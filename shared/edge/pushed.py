"""Unwraps the messages that Pub/Sub and Eventarc push to a function."""

import base64

from shared import tracing
from shared.errors import BadRequest
from shared.platforms.bodies import parse_object
from shared.schemas.base import JsonObject
from shared.schemas.http import Request


def pushed_body(request: Request) -> JsonObject:
    """Returns the message's own JSON from a raw Pub/Sub push, a binary or a structured CloudEvent.
    Raises BadRequest.

    https://cloud.google.com/pubsub/docs/push, https://github.com/googleapis/google-cloudevents
    """
    envelope = parse_object(request.body)
    if "specversion" in envelope and isinstance(envelope.get("data"), dict):
        envelope = _object(envelope["data"])
    message = _object(envelope.get("message"))
    _go_on_with_the_trace(message, request)
    data = message.get("data")
    if not isinstance(data, str) or not data:
        raise BadRequest(
            "empty-message",
            "The pushed message has no data; Baton's topics always carry a JSON body.",
        )
    try:
        return parse_object(base64.b64decode(data, validate=True))
    except ValueError as error:  # not base64, or not ASCII
        raise BadRequest(
            "malformed-base64", "message.data is not base64.", field="message.data"
        ) from error


def _go_on_with_the_trace(message: JsonObject, request: Request) -> None:
    attributes = message.get("attributes")
    traceparent = attributes.get("traceparent") if isinstance(attributes, dict) else None
    if isinstance(traceparent, str):
        tracing.begin({**request.headers, "traceparent": traceparent})


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise BadRequest("schema", "message: must be an object.", field="message")
    return value
