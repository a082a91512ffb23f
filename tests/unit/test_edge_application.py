"""What stands between the server and a function: the id of each execution in its log lines, and
answers to what is no request.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import functions_framework.aio
import pytest
from functions_framework.execution_id import execution_context_var
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.config import Config
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]  # it has no types

from shared import tracing
from shared.edge.application import Application
from shared.logs import log

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def project() -> Iterator[str]:
    tracing.name_project("baton-prod")
    yield "baton-prod"
    tracing.name_project(None)


@functions_framework.aio.http
async def _function(request: Request) -> Response:
    """Logs once at its start and, after the others had their turn, once at its end."""
    tracing.begin(request.headers)
    log("INFO", "began", path=request.url.path)
    await asyncio.sleep(0)
    log("INFO", "ended", path=request.url.path)
    context: Any = execution_context_var.get()
    return Response(context.execution_id if context else "")


def _application() -> Application:
    return Application([Route("/{path:path}", endpoint=_function)], middleware=[])


async def _ask(application: Application, path: str, **headers: str) -> bytes:
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    await asyncio.create_task(application(scope, receive, send))
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]
    return bytes(sent[1]["body"])


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_each_line_has_the_id_of_its_own_execution(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_EXECUTION_ID", "true")
    application = _application()
    asked = (_ask(application, f"/{n}", function_execution_id=f"ab{n}") for n in range(3))
    assert await asyncio.gather(*asked) == [b"ab0", b"ab1", b"ab2"]
    lines = _lines(capsys)
    assert {line["message"] for line in lines[:3]} == {"began"}
    assert len(lines) == 6
    for line in lines:
        ours = {"execution_id": f"ab{line['path'].removeprefix('/')}"}
        assert line["logging.googleapis.com/labels"] == ours


@pytest.mark.parametrize("given", [{}, {"function_execution_id": "words of somebody"}])
async def test_an_execution_without_an_id_gets_one(
    given: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_EXECUTION_ID", "true")
    application = _application()
    first, second = [await _ask(application, "/", **given) for _ in range(2)]
    assert first.isalnum() and len(first) == len(second) == 12 and first != second
    labels = [line["logging.googleapis.com/labels"]["execution_id"] for line in _lines(capsys)]
    assert labels == [first.decode()] * 2 + [second.decode()] * 2


async def test_a_line_names_its_trace_and_span(
    project: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_EXECUTION_ID", "true")
    await _ask(_application(), "/", x_cloud_trace_context=f"{TRACE}/123;o=1")
    for line in _lines(capsys):
        assert line["logging.googleapis.com/trace"] == f"projects/{project}/traces/{TRACE}"
        assert line["logging.googleapis.com/spanId"] == "123"


async def test_a_run_without_ids_logs_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOG_EXECUTION_ID", raising=False)
    assert await _ask(_application(), "/", function_execution_id="ab") == b""
    assert not any("logging.googleapis.com/labels" in line for line in _lines(capsys))


async def test_the_servers_own_start_and_end_are_answered() -> None:
    events, sent = iter(("lifespan.startup", "lifespan.shutdown")), list[Any]()

    async def receive() -> Any:
        return {"type": next(events)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await _application()({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_websocket_is_refused() -> None:
    sent = list[Any]()

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await _application()({"type": "websocket", "path": "/"}, receive, send)
    assert sent == ["websocket.close"]


def test_the_worker_s_server_puts_nothing_before_the_application() -> None:
    """Uvicorn's own would rewrite the client's address, for which no function asks."""
    application = _application()
    config = Config(application, log_config=None, **UvicornWorker.CONFIG_KWARGS)
    config.load()
    assert config.loaded_app is application
