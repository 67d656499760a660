"""The JSON API keeps what its description promises, wherever it is mounted and whatever is asked of it.

`ORCHESTRATOR_PY_FUZZED_REQUESTS=N` makes up N requests for each endpoint and kind, 15 by default.
"""

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from anyio import to_thread
from httpx import ASGITransport, AsyncClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection
from starlette.applications import Starlette
from starlette.routing import Mount

from orchestrator_py.dashboard import create_app
from orchestrator_py.dashboard.app import Dashboard
from orchestrator_py.dashboard.record import HISTORY
from tests.cli.running import command, configure_stages, run
from tests.reading.records import entry_line, stage, timed_id, write_run

LOCAL = {"Host": "localhost"}
FUZZED = ("/api/tasks", "/api/tasks/{task}", "/api/runs", "/api/runs/{task}/{run}", "/api/runs/{task}/{run}/log/{stage}")
EXAMPLES = int(os.environ.get("ORCHESTRATOR_PY_FUZZED_REQUESTS", "15"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that succeeded, failed and were waived; ids that mean harm; files that make no sense."""
    folder = tmp_path_factory.mktemp("place")
    configure_stages(folder, command("one", "echo out; echo err >&2"), command("two", "exit 3", allowFailure=True))
    assert run(folder, "run", "--task", "t").code == 0
    configure_stages(folder, command("<img src=x onerror=alert(1)>", "exit 4"))
    assert run(folder, "run", "--task", "&amp;' %2e").code == 1
    strange = folder / ".runs" / "strange" / "cli"
    for name, text in {"2026-01-01T00-00-00-000Z-1": "[]", "2026-01-01T00-00-00-000Z-2": "{", "x": '{"status": "in_progress"}'}.items():
        (strange / name).mkdir(parents=True)
        (strange / name / "manifest.json").write_text(text)
    surprising: dict[str, Any] = {
        "status": "succeeded",
        "commands": [{"id": 7, "exit_code": 1e300, "status": [], "started_at": "\ud800"}, 5],
    }
    surprising |= {"scheduler": {"assignments": [{"attempts": [1, {}]}, None]}, "child_runs": {}, "summary": {"a": 1}}
    (strange / "y").mkdir()
    (strange / "y" / "manifest.json").write_text(json.dumps(surprising))
    (strange.parent / "metrics.json").write_text('{"run_id": "a/b"}\n[]\n{"run_id": "h", "commands_passed": -3, "duration_seconds": "x"}\n')
    return folder


@pytest.fixture
def app(place: Path) -> Dashboard:
    return create_app(place)


async def ask(app: Any, path: str, **headers: str) -> tuple[int, Any]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as client:
        answer = await client.get(path, headers=headers)
        return answer.status_code, answer.json() if answer.headers["content-type"] == "application/json" else answer.text


async def test_rows_details_and_logs_say_what_the_record_says(app: Dashboard) -> None:
    _, runs = await ask(app, "/api/runs?task=t")
    (row,) = runs["runs"]
    assert (row["status"], row["stages"], row["terminal"]) == ("succeeded", {"succeeded": 1, "waived": 1}, True)
    _, detail = await ask(app, f"/api/runs/t/{row['run_id']}")
    assert [(one["id"], one["status"], one["waived"]) for one in detail["subtasks"]] == [
        ("one", "succeeded", False),
        ("two", "failed", True),
    ]
    _, log = await ask(app, f"/api/runs/t/{row['run_id']}/log/1")
    assert {(piece["stream"], piece["data"]) for piece in log["pieces"]} == {("stdout", "out\n"), ("stderr", "err\n")}
    assert (log["fresh"], log["cut"]) == (True, False)


async def test_tasks_carry_rollups_and_figures(app: Dashboard) -> None:
    _, tasks = await ask(app, "/api/tasks")
    (found,) = [one for one in tasks["tasks"] if one["task"] == "t"]
    assert (found["total_runs"], found["succeeded_runs"], found["completion_rate"], found["running"]) == (1, 1, 1, 0)
    _, task = await ask(app, "/api/tasks/t")
    assert task["stages"] == [{"id": "two", "failed": 0, "flaky": 0, "waived": 1}]
    assert task["median_seconds"] == task["baseline_seconds"] == task["history"][0]["elapsed_seconds"]


async def test_who_puts_a_lost_run_on_record_has_not_seen_it(tmp_path: Path) -> None:
    lost: dict[str, Any] = {"status": "failed", "status_detail": "owner-lost", "completed_at": None}
    seen, later = "2025-12-21T14:02:52.000Z", "2026-01-11T14:00:00.000Z"
    write_run(tmp_path / ".runs", "r", stage("a", "failed"), **lost, heartbeat_at=seen, updated_at=later)
    _, detail = await ask(create_app(tmp_path), "/api/runs/t/r")
    assert (detail["status"], detail["last_seen_at"], detail["updated_at"]) == ("lost", seen, later)
    assert ([one["status"] for one in detail["subtasks"]], detail["stages"]) == (["lost"], {"lost": 1})
    event = {"type": "stage:completed", "runId": "r", "stageId": "a", "status": "failed", "outcome": "timed_out"}
    (tmp_path / ".runs" / "t" / "cli" / "r" / "events.jsonl").write_text(json.dumps(event) + "\n")
    _, detail = await ask(create_app(tmp_path), "/api/runs/t/r")
    assert [one["status"] for one in detail["subtasks"]] == ["timed_out"]


async def test_what_cannot_be_read_is_named_and_takes_nothing_from_the_rest(app: Dashboard) -> None:
    _, runs = await ask(app, "/api/runs")
    assert [problem.partition(": ")[2] for problem in runs["problems"]] == ["is no JSON object", "is not JSON"]
    assert {row["run_id"] for row in runs["runs"] if row["task"] == "strange"} == {"x", "y", "h"}
    assert [row["status"] for row in runs["runs"] if row["run_id"] == "x"] == ["lost"]


async def test_pages_of_the_list_and_the_filter_agree(app: Dashboard) -> None:
    _, everything = await ask(app, "/api/runs?task=strange")
    _, first = await ask(app, "/api/runs?task=strange&status=succeeded&limit=1")
    assert [row["run_id"] for row in first["runs"]] == [row["run_id"] for row in everything["runs"] if row["status"] == "succeeded"]
    pages = [(await ask(app, f"/api/runs?task=strange&limit=1&offset={place}"))[1]["runs"] for place in range(everything["total"])]
    assert [row["run_id"] for page in pages for row in page] == [row["run_id"] for row in everything["runs"]]


@pytest.mark.parametrize("runs", [HISTORY, HISTORY + 1])
async def test_what_is_told_of_a_long_history_says_whether_there_is_more(tmp_path: Path, runs: int) -> None:
    (tmp_path / ".runs" / "t").mkdir(parents=True)
    (tmp_path / ".runs" / "t" / "metrics.json").write_bytes(b"".join(entry_line(timed_id(number)) for number in range(runs)))
    app, oldest, next_one = create_app(tmp_path), timed_id(0), timed_id(1)
    _, told = await ask(app, "/api/runs?limit=1")
    assert (told["total"], told["older"]) == (HISTORY, runs > HISTORY)
    assert (await ask(app, f"/api/runs/t/{next_one}"))[0] == 200
    status, answer = await ask(app, f"/api/runs/t/{oldest}")
    assert status == (404 if runs > HISTORY else 200)
    assert runs == HISTORY or "older ones are not looked at" in answer["error"]


@pytest.mark.parametrize(
    "path", ["/api/runs?limit=0", "/api/runs?limit=1001", "/api/runs?status=done", "/api/runs?x=1", "/api/runs?limit=1&limit=2"]
)
async def test_a_parameter_that_makes_no_sense_is_refused(app: Dashboard, path: str) -> None:
    assert (await ask(app, path))[0] == 400


async def test_it_works_under_any_prefix(place: Path) -> None:
    around = Starlette(routes=[Mount("/deep/down", create_app(place))])
    assert "<script" in (await ask(around, "/deep/down/"))[1]
    assert len((await ask(around, "/deep/down/api/tasks"))[1]["tasks"]) == 3
    assert (await ask(around, "/deep/down/api/openapi.json"))[1]["servers"] == [{"url": "/deep/down"}]
    locked = Starlette(routes=[Mount("/deep", create_app(place, token="correct-horse-battery"))])
    assert (await ask(locked, "/deep/"))[0] == 401
    assert (await ask(locked, "/deep/static/dashboard.css"))[0] == 200
    assert (await ask(locked, "/deep/api/tasks", Authorization="Bearer correct-horse-battery"))[0] == 200


async def test_a_fastapi_application_mounts_it_beside_its_own_routes(place: Path) -> None:
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed: mounting was tried with starlette alone")
    around = fastapi.FastAPI()
    around.add_api_route("/own", lambda: {"own": "answer"})
    around.mount("/runs", create_app(place))
    assert await ask(around, "/own") == (200, {"own": "answer"})
    assert "<script" in (await ask(around, "/runs/"))[1]
    assert (await ask(around, "/runs/static/dashboard.css"))[0] == 200
    (row,) = (await ask(around, "/runs/api/runs?task=t"))[1]["runs"]
    assert (await ask(around, f"/runs/api/runs/t/{row['run_id']}"))[1]["status"] == "succeeded"
    assert (await ask(around, "/runs/api/openapi.json"))[1]["servers"] == [{"url": "/runs"}]
    assert "/runs/api/tasks" not in (await ask(around, "/openapi.json"))[1]["paths"]
    assert (await ask(around, "/runs/api/tasks", Host="elsewhere"))[0] == 421
    assert (await ask(around, "/runs/api/nothing"))[0] == 404


async def test_the_embedding_application_says_under_which_names_it_is_reached(place: Path) -> None:
    assert (await ask(create_app(place), "/api/tasks", Host="dash.example:8000"))[0] == 421
    assert (await ask(create_app(place, allowed_hosts=["dash.example"]), "/api/tasks", Host="DASH.example:8000"))[0] == 200
    assert (await ask(create_app(place, allowed_hosts=["*"]), "/api/tasks", Host="anything"))[0] == 200
    friendly = create_app(place, allowed_origins=["https://portal.example"])
    assert (await ask(friendly, "/api/tasks", Origin="https://portal.example"))[0] == 200
    assert (await ask(friendly, "/api/tasks", Origin="https://other.example"))[0] == 403


async def test_every_endpoint_is_described_and_every_described_one_is_there(app: Dashboard) -> None:
    _, document = await ask(app, "/api/openapi.json")
    routes = {route.path for route in app._guarded.app.routes}  # type: ignore[attr-defined]  # the application behind the guard
    undescribed = {"/", "/static/{name}", "/api/openapi.json", "/metrics"}
    assert set(document["paths"]) == routes - undescribed


async def test_figures_for_prometheus_are_there(app: Dashboard) -> None:
    status, text = await ask(app, "/metrics")
    assert (status, 'task="t"' in text) == (200, True)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize("real", [False, True], ids=["made-up ids", "ids that are there"])
@pytest.mark.parametrize("path", FUZZED)
def test_no_request_that_can_be_made_up_breaks_what_the_description_promises(
    app: Dashboard, place: Path, path: str, real: bool, mode: schemathesis.GenerationMode
) -> None:
    """Requests that fit the description, and others that do not; every answer is checked against it."""
    (run_folder,) = (place / ".runs" / "t" / "cli").iterdir()
    known = {name: value for name, value in {"task": "t", "run": run_folder.name}.items() if real and f"{{{name}}}" in path}
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=LOCAL)
    tried = 0

    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(case=schema[path]["GET"].as_strategy(generation_mode=mode))
    def check(case: "schemathesis.Case[Any]") -> None:
        nonlocal tried
        tried += 1
        case.path_parameters = {**case.path_parameters, **known}
        case.call_and_validate(headers=LOCAL, excluded_checks=[negative_data_rejection] if known else [])

    with suppress(Unsatisfiable):  # nothing can be wrong with a request that has no parameters
        check()
    assert tried or path == "/api/tasks"


async def test_the_check_finds_an_answer_that_breaks_the_promise(app: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator_py.dashboard.api.task_summary", lambda *_: {"task": "t", "secret": "x"})
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=LOCAL)
    with pytest.raises(FailureGroup):
        await to_thread.run_sync(lambda: schema["/api/tasks"]["GET"].Case().call_and_validate(headers=LOCAL))


@pytest.mark.parametrize(
    "query", ["?task=t", "?run=x", "?stage=1", "?task=t&run=x&stage=0", "?task=t&run=x&stage=1e9", "?nothing=1", "?task=..&run=.."]
)
async def test_a_stream_that_makes_no_sense_is_refused(app: Dashboard, query: str) -> None:
    assert (await ask(app, f"/api/events{query}"))[0] in (400, 404)


async def test_the_program_on_the_page_of_the_docs_mounts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "dashboard.md").read_text()
    (program,) = re.findall(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    assert (await ask(names["app"], "/runs/api/tasks"))[1]["tasks"] == []
