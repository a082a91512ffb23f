"""What Baton does beside Google's client libraries agrees with them."""

import subprocess
import sys
from typing import Any

import pytest
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.cloud.firestore_v1.services.firestore.transports import FirestoreTransport
from google.pubsub_v1.services.publisher.transports import PublisherTransport

from infra.google_messages import described
from shared.google_rpc import DESCRIPTORS, routing
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


def test_the_kept_descriptors_are_those_of_the_installed_libraries() -> None:
    kept = DESCRIPTORS.read_bytes()
    assert kept == described(), "run: python -m infra.google_messages"


def test_a_library_can_still_be_imported_as_a_whole_and_reads_what_ours_write() -> None:
    program = """
from shared.google_rpc import message_type
commit = message_type("google.firestore.v1.CommitRequest")(database="one")
publish = message_type("google.pubsub.v1.PublishRequest")(topic="two")
import sys
assert not {"google.cloud.firestore_v1", "google.pubsub_v1", "proto"} & {*sys.modules}
from google.cloud import firestore, firestore_v1
from google.pubsub_v1 import PublishRequest
assert firestore_v1.types.CommitRequest.deserialize(commit.SerializeToString()).database == "one"
assert PublishRequest.deserialize(publish.SerializeToString()).topic == "two"
assert isinstance(firestore.AsyncClient, type)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
