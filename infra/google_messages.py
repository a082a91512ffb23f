"""`python -m infra.google_messages`: writes the descriptors of Google's messages that functions
load, from the libraries that are installed.
"""

import argparse
from typing import Any

from google.cloud.firestore_v1.types import CommitRequest
from google.protobuf.descriptor_pb2 import (  # type: ignore[import-untyped]  # it has no types
    FileDescriptorProto,
    FileDescriptorSet,
)
from google.pubsub_v1.types import PublishRequest

from infra.command import run_tool
from infra.deployables import ROOT
from shared.google_rpc import DESCRIPTORS


def described() -> bytes:
    """Returns the files that describe the messages of Firestore and Pub/Sub."""
    files: dict[str, FileDescriptorProto] = {}
    for wrapper in (CommitRequest, PublishRequest):
        _collect(wrapper.pb().DESCRIPTOR.file, files)
    content: bytes = FileDescriptorSet(file=files.values()).SerializeToString(deterministic=True)
    return content


def _collect(file: Any, files: dict[str, FileDescriptorProto]) -> None:
    """Adds a file after those that it imports: a pool takes them in this order. The libraries name
    their imports in another order at each start.
    """
    if file.name not in files:
        for imported in sorted(file.dependencies, key=lambda one: one.name):
            _collect(imported, files)
        parsed = FileDescriptorProto.FromString(file.serialized_pb)
        parsed.dependency.sort()
        files[file.name] = parsed


def main(given: list[str] | None = None) -> int:
    what = "Write the descriptors of Google's messages that functions load."
    argparse.ArgumentParser(prog="python -m infra.google_messages", description=what).parse_args(
        given
    )
    DESCRIPTORS.write_bytes(described())
    print(DESCRIPTORS.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    run_tool(main)
