"""Servers that run the real functions, on SQLite and in-process queue and on Firestore and
Pub/Sub alike.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pytest

from infra.local.emulated import create_topics, delete_subscriptions
from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests.forked import ForkedServer
from tests.soak import sample

NewServer = Callable[[Path, dict[str, str]], LocalServer]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a test tries on several channels or with several faults, it tries on one pair of store
    and queue each.
    """
    config.hook.pytest_deselected(items=sample(items, "new_server", Path(__file__).parent))


class Subscribed(ForkedServer):
    """A local run to which an emulator of Pub/Sub pushes while the context lasts."""

    def __init__(self, pubsub: str, folder: Path, environment: dict[str, str]) -> None:
        super().__init__(folder, environment)
        self._pubsub, self._project = pubsub, environment["GOOGLE_CLOUD_PROJECT"]
        create_topics(pubsub, self._project, self.url)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        delete_subscriptions(self._pubsub, self._project)
        super().__exit__(kind, error, at)


@pytest.fixture(scope="session", params=["embedded", "emulators"])
def new_server(request: pytest.FixtureRequest) -> NewServer:
    """Returns what makes a server on one of the two pairs of store and queue, with state of its
    own.
    """
    if request.param == "embedded":
        return ForkedServer
    firestore = request.getfixturevalue("firestore_emulator")
    pubsub = request.getfixturevalue("pubsub_emulator")

    def made(folder: Path, environment: dict[str, str]) -> LocalServer:
        project = f"test-{uuid.uuid4().hex[:12]}"
        deployed = {
            "BATON_STORE": "firestore",
            "BATON_QUEUE": "pubsub",
            "GOOGLE_CLOUD_PROJECT": project,
            "FIRESTORE_EMULATOR_HOST": firestore,
            "PUBSUB_EMULATOR_HOST": pubsub,
        }
        return Subscribed(pubsub, folder, {**deployed, **environment})

    return made


@pytest.fixture(scope="module")
def server(
    new_server: NewServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    """One local run for the tests of a file; each test has conversations of its own. It starts in a
    tenth of a second, and its sweeps would keep an emulator busy until all tests have ended.
    """
    with new_server(tmp_path_factory.mktemp("baton"), {}) as running:
        yield running


@pytest.fixture
def start(new_server: NewServer, tmp_path: Path) -> Iterator[Callable[..., LocalServer]]:
    """Returns what starts a local run with settings of the test's own."""
    with ExitStack() as running:
        yield lambda **environment: running.enter_context(new_server(tmp_path, environment))


@pytest.fixture
def talk(server: LocalServer) -> Talk:
    """A conversation that the platform has just reported to Baton."""
    return Talk.open(server)
