"""The examples do what they say."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from httpx import ASGITransport, AsyncClient, Response
from starlette.applications import Starlette
from starlette.types import Message

from examples.embedded_starlette import CLIENT_CLOSED_REQUEST, create_app
from tests.test_docs import environment

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
PATIENCE_SECONDS = 30


def _run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


# A script ------------------------------------------------------------------------------------------------------------


def test_the_minimal_program_greets_everybody_and_leaves_its_report(tmp_path: Path) -> None:
    done = _run(tmp_path, str(EXAMPLES / "embedded_minimal.py"))
    assert (done.stdout, done.stderr) == ("Outcome.SUCCEEDED ['Hello, Ada!', 'Hello, Grace!', 'Hello, Edsger!']\n", "")
    (entry,) = _history(tmp_path, "greetings")
    assert (entry["status"], entry["commands_passed"]) == ("succeeded", 3)


def test_the_readme_shows_the_minimal_program() -> None:
    (shown,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    documented = ast.parse((EXAMPLES / "embedded_minimal.py").read_text())
    assert ast.dump(ast.Module(documented.body[1:], [])) == ast.dump(ast.parse(shown))


# A pipeline ----------------------------------------------------------------------------------------------------------


def test_the_pipeline_succeeds_with_one_flaky_and_one_waived_stage(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "pipelines" / "codex.orchestrator.json", tmp_path)
    done = _run(tmp_path, "-m", "orchestrator_py", "run", "--format", "json")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / json.loads(done.stdout)["manifest"]).read_text())
    assert manifest["status_detail"] == "waived:spelling; flaky:fetch"
    assert (tmp_path / "build" / "report.txt").read_text().split() == ["6", "red", "blue"]


# A web service -------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _client(app: Starlette) -> AsyncIterator[AsyncClient]:
    async with app.router.lifespan_context(app), AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client


async def _describe(name: str) -> str:
    if name == "bad":
        raise ValueError("cannot be done")
    return "" if name == "lazy" else f"{name} is done"


async def _post(tmp_path: Path, body: object) -> Response:
    async with _client(create_app(_describe, tmp_path)) as client:
        return await client.post("/runs", json=body)


def _history(root: Path, task: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (root / ".runs" / task / "metrics.json").read_text().splitlines()]


def _manifests(root: Path) -> list[Path]:
    return list(root.rglob("manifest.json"))


async def test_a_request_is_answered_with_the_outcome_and_the_summary_that_is_on_record(tmp_path: Path) -> None:
    answer = await _post(tmp_path, {"task": "release", "subtasks": ["docs", "wheel"]})
    assert (answer.status_code, answer.json()["outcome"]) == (200, "succeeded")
    summary = answer.json()["summary"]
    assert [build["notes"] for build in summary["builds"]] == ["docs is done", "wheel is done"]
    assert json.loads((tmp_path / ".runs" / "release" / summary["runId"] / "manifest.json").read_text()) == summary


@pytest.mark.parametrize("name", ["bad", "lazy"])
async def test_a_subtask_that_fails_is_reported_and_does_not_stop_the_others(tmp_path: Path, name: str) -> None:
    answer = await _post(tmp_path, {"task": "release", "subtasks": [name, "docs"]})
    assert (answer.status_code, answer.json()["outcome"]) == (200, "failed")
    assert [entry["status"] for entry in answer.json()["summary"]["group"]["entries"]] == ["failed", "succeeded"]


async def test_the_subtasks_of_a_request_run_at_the_same_time(tmp_path: Path) -> None:
    async with _client(create_app(_meeting_of(3), tmp_path)) as client:
        with anyio.fail_after(PATIENCE_SECONDS):
            answer = await client.post("/runs", json={"task": "release", "subtasks": ["a", "b", "c"]})
    assert answer.json()["outcome"] == "succeeded"


def _meeting_of(number: int) -> Callable[[str], Awaitable[str]]:
    """Work that ends only when so many have begun."""
    present: set[str] = set()
    complete = anyio.Event()

    async def meet(name: str) -> str:
        present.add(name)
        if len(present) == number:
            complete.set()
        await complete.wait()
        return f"{name} has met the others"

    return meet


@pytest.mark.parametrize(
    "body",
    [
        {"task": "release"},
        {"task": "release", "subtasks": []},
        {"task": "release", "subtasks": [1]},
        {"task": "../release", "subtasks": ["docs"]},
        ["release"],
    ],
)
async def test_a_request_that_cannot_run_is_refused_with_a_sentence_and_starts_nothing(tmp_path: Path, body: object) -> None:
    answer = await _post(tmp_path, body)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert _manifests(tmp_path) == []


async def test_a_body_that_is_not_json_is_refused(tmp_path: Path) -> None:
    async with _client(create_app(_describe, tmp_path)) as client:
        answer = await client.post("/runs", content=b"{")
    assert answer.status_code == 422


async def test_a_client_that_goes_away_ends_its_run_and_the_record_says_cancelled(tmp_path: Path) -> None:
    working = anyio.Event()
    app = create_app(_blocking(working), tmp_path)
    sent: list[Message] = []

    async def receive() -> Message:
        if not body:
            await working.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body.pop(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    body = [b'{"task": "release", "subtasks": ["docs", "wheel"]}']
    scope = {"type": "http", "method": "POST", "path": "/runs", "headers": [], "query_string": b""}
    async with app.router.lifespan_context(app):
        with anyio.fail_after(PATIENCE_SECONDS):
            await app(scope, receive, send)
    assert sent[0]["status"] == CLIENT_CLOSED_REQUEST
    assert [entry["status"] for entry in _history(tmp_path, "release")] == ["cancelled"]


async def test_a_server_that_stops_ends_the_runs_in_flight_and_the_record_says_cancelled(tmp_path: Path) -> None:
    working = anyio.Event()
    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as requests, _client(create_app(_blocking(working), tmp_path)) as client:
            requests.start_soon(lambda: client.post("/runs", json={"task": "release", "subtasks": ["docs"]}))
            await working.wait()
    assert [entry["status"] for entry in _history(tmp_path, "release")] == ["cancelled"]


def _blocking(working: anyio.Event) -> Callable[[str], Awaitable[str]]:
    async def block(name: str) -> str:
        working.set()
        await anyio.sleep_forever()
        return name

    return block
