"""What Baton does beside Google's client libraries agrees with them."""

import subprocess
import sys
from typing import Any

import pytest
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.cloud.firestore_v1.services.firestore.transports import FirestoreTransport
from google.pubsub_v1.services.publisher.transports import PublisherTransport

from shared.google_rpc import routing
from shared.stores.firestore import rpc
from shared.transports import pubsub


@pytest.mark.parametrize(
    ("ours", "transport"), [(rpc, FirestoreTransport), (pubsub, PublisherTransport)]
)
def test_channels_go_where_the_librarys_go(ours: Any, transport: Any) -> None:
    assert (ours.HOST, ours.SCOPES) == (transport.DEFAULT_HOST, transport.AUTH_SCOPES)


@pytest.mark.parametrize(
    "value", ["projects/p/topics/t", "projects/p/databases/(default)", "a b&c=ü/d:e%2F+~"]
)
def test_calls_are_routed_as_the_librarys_are(value: str) -> None:
    theirs: Any = to_grpc_metadata
    assert routing("name", value) == theirs({"name": value})


def test_a_library_can_still_be_imported_as_a_whole() -> None:
    program = """
from shared.google_rpc import message_types
types = message_types("google.cloud.firestore_v1", "firestore")
import sys
assert "google.cloud.firestore_v1" not in sys.modules
from google.cloud import firestore, firestore_v1
assert firestore_v1.types.CommitRequest is types.CommitRequest
assert isinstance(firestore.AsyncClient, type)
assert message_types("google.cloud.firestore_v1", "firestore") is types
"""
    subprocess.run([sys.executable, "-c", program], check=True)
