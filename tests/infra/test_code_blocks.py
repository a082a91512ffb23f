"""The blocks of code in the documents: what can run here runs, against a local run and in the
order of reading; the rest is at least well-formed, and says why it does not run.
"""

import ast
import base64
import hmac
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from infra.documents.printed import documents
from infra.local.server import LocalServer
from infra.local.settings import BRIDGE_KEY
from infra.local.talk import Talk
from tests.forked import ForkedServer

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8080"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLOUD = "needs a project of Google Cloud"
STAYS = "starts a local run, which tests/infra/test_local_run.py does"
HOMESERVER = "starts a homeserver, which tests/homeserver does"
INSTALLS = "installs what this run has installed"
TWO = "needs two conversations of one customer, which tests/unit/use_cases has"
BUILT = "prints or exports, which the tests of the tool do"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: where it stands, in which language, and its text."""

    document: str
    language: str
    text: str

    @property
    def name(self) -> str:
        """Returns the document and the first line that is no comment."""
        lines = (line for line in self.text.splitlines() if line.strip() and line[0] != "#")
        return f"{self.document}: {next(lines)[:60]}"


def blocks(*languages: str) -> list[Block]:
    """Returns the blocks in these languages, in the order of reading."""
    found = [
        Block(str(path.relative_to(ROOT)), language, text)
        for path in documents()
        for language, text in re.findall(
            r"^```(\w*)\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL
        )
    ]
    return [block for block in found if block.language in languages]


def named(block: Block) -> str:
    return block.name


def test_every_block_names_a_language_that_is_known_here() -> None:
    fences = sum(path.read_text().count("\n```") for path in documents())
    assert 2 * len(blocks("sh", "json", "python", "html", "mermaid", "yaml")) == fences


@pytest.mark.parametrize("block", blocks("json"), ids=named)
def test_json_can_be_read(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("python"), ids=named)
def test_python_can_be_read(block: Block) -> None:
    ast.parse(block.text)


@pytest.mark.parametrize("block", blocks("sh"), ids=named)
def test_shell_can_be_read(block: Block) -> None:
    read = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")


# Why a block does not run here, by how its first line begins.
NOT_RUN = {
    "README.md: make run": STAYS,
    "README.md: python -m venv": INSTALLS,
    "README.md: python infra/examples/bot.py": "tests/infra/test_examples.py runs it",
    "README.md: make deploy": CLOUD,
    "functions/run_bot/README.md: BATON_BOT=dialogflow": STAYS,
    "functions/forward_variables/README.md: BRIDGE_ALLOWED_ORIGINS": STAYS,
    "infra/README.md": CLOUD,
    "shared/platforms/README.md: curl": TWO,
    "shared/platforms/ccai/README.md: BATON_DESKS": STAYS,
    "shared/platforms/google_chat/README.md: BATON_DESKS": STAYS,
    "shared/platforms/matrix/README.md: python -m infra.matrix homeserver": HOMESERVER,
    "shared/platforms/slack/README.md: BATON_DESKS": STAYS,
    "shared/reports/README.md: .venv/bin/python -m infra.export": BUILT,
    "tests/conformance/README.md: .venv/bin/python": "tests/conformance does what it says",
}
RUN = [block for block in blocks("sh") if not any(block.name.startswith(one) for one in NOT_RUN)]


@pytest.mark.parametrize("begin", NOT_RUN)
def test_what_does_not_run_is_there(begin: str) -> None:
    assert any(block.name.startswith(begin) for block in blocks("sh"))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with ForkedServer(tmp_path_factory.mktemp("blocks")) as running:
        yield running


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")
def test_shell_does_what_the_documents_say(local: LocalServer) -> None:
    """The blocks share one local run, as they do for their reader: later ones build on earlier."""
    for block in RUN:
        local.wait_until_quiet("3333")
        ran = run(block, local)
        assert ran.returncode == 0, f"{block.name}: {ran.stdout}{ran.stderr}"
        assert '"error"' not in ran.stdout, block.name


def run(block: Block, local: LocalServer) -> subprocess.CompletedProcess[str]:
    """Returns how a shell ended that stopped at the first command or call that failed."""
    lines = [
        "set -eu",
        'curl() { command curl --silent --show-error --fail-with-body "$@"; echo; }',
        f"API={local.url}/send_representative/v1/conversations",
        block.text.replace(ADDRESS, local.url),
    ]
    script = "\n".join(lines)
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=120, cwd=ROOT
    )


def python_block(begin: str) -> str:
    (block,) = (one for one in blocks("python") if begin in one.text)
    return block.text


def test_the_token_of_an_agent_is_one() -> None:
    names = {"jwt": jwt, "datetime": datetime, "UTC": UTC, "timedelta": timedelta}
    made = eval(python_block("jwt.encode"), {**names, "agent_id": "jane", "key": BRIDGE_KEY})  # noqa: S307  # our own document
    claims = jwt.decode(made, BRIDGE_KEY, algorithms=["HS256"], audience="baton")
    assert claims["sub"] == "jane"


def test_the_core_of_a_bot_works(local: LocalServer) -> None:
    talk, body = Talk.open(local), b'{"message": {"text": "hi"}}'
    signed = base64.b64encode(hmac.digest(b"dev-signing-key", body, "sha512")).decode()

    def post(path: str, content: dict[str, Any]) -> None:
        reply = local.send(
            "POST",
            f"/send_representative{path}",
            json.dumps(content).encode(),
            {"authorization": "Bearer dev-bot"},
        )
        assert reply.status == 200, reply.body

    names: dict[str, Any] = {
        "base64": base64, "hmac": hmac, "SIGNING_KEY": b"dev-signing-key", "body": body,
        "headers": {"X-Goog-Signature": signed}, "post": post, "c": talk.id,
    }  # fmt: skip
    exec(python_block("X-Goog-Signature"), names)  # noqa: S102  # our own document
    assert names["genuine"]
    assert talk.state()["phase"] == "QUEUED"
