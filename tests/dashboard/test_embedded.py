"""Runs inside other programs are there while they go on, in the shapes of command-line runs, and lost when their process has died."""

from pathlib import Path

from tests.cli.running import Data, as_list, run
from tests.dashboard import embedded
from tests.dashboard.serving import Served, Stream, serving


def wait_until_it_is_there(stream: Stream, run_id: str) -> Data:
    """Its row, as soon as what is quick in it has ended."""
    while True:
        for row in as_list(stream.wait_for("runs")["runs"]):
            if row["run_id"] == run_id and row["stages"] == {"running": 1, "succeeded": 1}:
                return row


def status_of(served: Served, run_id: str) -> object:
    return served.read(f"/api/runs/nightly/{run_id}")["status"]


def running(served: Served) -> list[object]:
    return [task["running"] for task in as_list(served.read("/api/tasks")["tasks"])]


def test_a_run_goes_over_the_stream_while_it_lasts_and_ends_with_what_is_on_record(tmp_path: Path) -> None:
    (tmp_path / ".runs").mkdir()
    with serving(tmp_path) as served, served.stream() as stream:
        program = embedded.start(tmp_path, "one")
        row = wait_until_it_is_there(stream, "one")
        assert (row["task"], row["source"], row["status"], row["terminal"]) == ("nightly", "flight", "running", False)
        assert (row["completed_at"], row["title"]) == (None, "Nightly")
        assert isinstance(row["elapsed_seconds"], float)
        with served.stream("?task=nightly&run=one") as followed:
            detail = followed.wait_for("run")
            fetch, report = as_list(detail["subtasks"])
            assert (fetch["status"], report["status"], report["title"], report["completed_at"]) == (
                "succeeded",
                "running",
                "The report",
                None,
            )
            assert isinstance(report["elapsed_seconds"], float)
            instances = {one["instance_id"]: one["status"] for one in as_list(detail["assignments"])}
            assert instances[report["instance_id"]] == "running"
            assert [found["run_id"] for found in as_list(served.read("/api/runs?status=running")["runs"])] == ["one"]
            assert running(served) == [1]
            assert embedded.finish(program) == "succeeded"
            assert set(stream.words_of("one", "succeeded")) <= {"running", "succeeded"}
        detail = served.read("/api/runs/nightly/one")
        assert (detail["source"], detail["status"], detail["stages"]) == ("history", "succeeded", {"succeeded": 2})
        told = [(one["id"], one["title"], one["status"], one["started_at"]) for one in as_list(detail["subtasks"])]
        assert told == [("fetch", None, "succeeded", None), ("report", "The report", "succeeded", None)]
        assert running(served) == [0]


def test_a_run_whose_process_is_killed_is_lost_and_so_it_is_put_on_record(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.stream() as stream:
        program = embedded.start(tmp_path, "one")
        wait_until_it_is_there(stream, "one")
        program.kill()
        program.communicate()
        assert stream.words_of("one", "lost")[-1] == "lost"
        detail = served.read("/api/runs/nightly/one")
        assert (detail["source"], detail["terminal"], detail["completed_at"], detail["elapsed_seconds"]) == ("flight", True, None, None)
        assert [one["status"] for one in as_list(detail["subtasks"])] == ["succeeded", "lost"]
        assert {one["status"] for one in as_list(detail["assignments"])} == {"lost"}
        assert running(served) == [0]
        next_program = embedded.start(tmp_path, "two")
        assert embedded.finish(next_program) == "succeeded"
        stream.words_of("two", "succeeded")
        detail = served.read("/api/runs/nightly/one")
        assert (detail["source"], detail["status"], detail["completed_at"]) == ("history", "lost", None)
        task = served.read("/api/tasks/nightly")
        assert (task["total_runs"], task["succeeded_runs"]) == (2, 1)
        assert [(point["run_id"], point["status"]) for point in as_list(task["history"])] == [("one", "lost"), ("two", "succeeded")]
    (reported,) = as_list(run(tmp_path, "report", "--format", "json").document()["tasks"])
    assert [(one["run_id"], one["status"]) for one in as_list(reported["outcomes"])] == [("one", "lost"), ("two", "succeeded")]


def test_two_programs_on_one_task_show_their_runs_beside_each_other(tmp_path: Path) -> None:
    """One of them owns the task, the other one hands its entries over to it."""
    with serving(tmp_path) as served, served.stream() as stream:
        programs = {}
        for name in ("one", "two"):
            programs[name] = embedded.start(tmp_path, name)
            wait_until_it_is_there(stream, name)
        assert running(served) == [2]
        assert embedded.finish(programs["two"]) == "succeeded"
        stream.words_of("two", "succeeded")
        assert (status_of(served, "one"), status_of(served, "two")) == ("running", "succeeded")
        assert embedded.finish(programs["one"]) == "succeeded"
        stream.words_of("one", "succeeded")
        assert list((tmp_path / ".runs" / "nightly" / "in-flight").iterdir()) == []


def test_a_run_with_the_name_of_one_on_record_is_running_whatever_else_is_recorded(tmp_path: Path) -> None:
    assert embedded.finish(embedded.start(tmp_path, "one")) == "succeeded"
    with serving(tmp_path) as served, served.stream() as stream:
        again = embedded.start(tmp_path, "one")
        wait_until_it_is_there(stream, "one")
        assert embedded.finish(embedded.start(tmp_path, "two")) == "succeeded"
        told: dict[object, object] = {}
        while told.get("two") != "succeeded":
            told |= {row["run_id"]: row["status"] for row in as_list(stream.wait_for("runs")["runs"])}
        assert told.get("one", "running") == "running"
        assert status_of(served, "one") == "running"
        assert embedded.finish(again) == "succeeded"
        assert set(stream.words_of("one", "succeeded")) <= {"running", "succeeded"}


def test_the_command_line_tells_of_it_too(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.stream() as stream:
        program = embedded.start(tmp_path, "one")
        wait_until_it_is_there(stream, "one")
    (found,) = as_list(run(tmp_path, "runs", "--format", "json").document()["runs"])
    assert (found["run_id"], found["status"], found["stages_succeeded"], found["stages"]) == ("one", "running", 1, 2)
    told = run(tmp_path, "status", "--format", "json").document()
    assert (told["run_id"], told["status"], told["completed_at"]) == ("one", "running", None)
    assert [(one["id"], one["status"]) for one in as_list(told["stages"])] == [("fetch", "succeeded"), ("report", "running")]
    assert "running: one" in run(tmp_path, "report").stdout
    assert 'running_runs{task="nightly"} 1.0' in run(tmp_path, "metrics", "export").stdout
    assert embedded.finish(program) == "succeeded"
    assert as_list(run(tmp_path, "runs", "--format", "json").document()["runs"]) == []
