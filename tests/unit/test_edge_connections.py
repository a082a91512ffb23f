"""How long a function keeps connections."""

from importlib import import_module

from gunicorn.config import Config  # type: ignore[import-untyped]  # it has no types

FRONT_END_SECONDS = 600  # as long Google's load balancers keep theirs to a backend


def test_connections_are_kept_longer_than_by_the_front_end() -> None:
    import_module("shared.edge.http")
    assert Config().keepalive > FRONT_END_SECONDS
