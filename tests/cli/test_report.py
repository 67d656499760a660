"""`report`: how the newest runs went, from rollups, newest entries and manifests."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Data, as_list, as_object, command, configure, configure_stages, pipeline, run, subpipeline
from tests.reading.records import entry_line, stage, timed_id, write_run
from tests.store.broken import broken


def reported(folder: Path, *arguments: str) -> Data:
    done = run(folder, "report", "--format", "json", *arguments)
    assert (done.code, done.stderr) == (0, "")
    (task,) = as_list(done.document()["tasks"])
    return task


def five_runs(root: Path) -> Path:
    """Seconds 1 to 5; `b` fails in three of them, `a` is flaky in two and waived in one."""
    folder = root / ".runs" / "t"
    for number in range(1, 6):
        bad = number > 2
        stages = [stage("a", "skipped" if number == 5 else "succeeded"), stage("b", "failed" if bad else "succeeded")]
        detail = "stage:b:timed_out" if bad else "flaky:a"
        write_run(root / ".runs", timed_id(number), *stages, status="failed" if bad else "succeeded", status_detail=detail)
    lines = [entry_line(timed_id(n), status="failed" if n > 2 else "succeeded", seconds=n) for n in range(1, 6)]
    (folder / "metrics.json").write_bytes(b"".join(lines))
    (folder / "metrics").mkdir()
    (folder / "metrics" / "baseline.json").write_text(json.dumps({"duration_seconds": 2}))
    (folder / "metrics" / "post-rollout.json").write_text(json.dumps({"total_runs": 5, "succeeded_runs": 2, "completion_rate": 0.4}))
    return folder


def test_outcomes_durations_and_stages_are_told(tmp_path: Path) -> None:
    five_runs(tmp_path)
    assert run(tmp_path, "report").stdout.splitlines() == [
        "t: 5 runs, 2 succeeded (40.0 %)",
        "  newest 5: timed out 3, succeeded 2",
        "  trend: ++ttt (oldest first)",
        "  duration: median 3.0 s, p95 5.0 s, baseline 2.0 s (+50 %)",
        "  fails most: b 3",
        "  flakes most: a 2",
        "  waived: a 1",
    ]
    task = reported(tmp_path)
    assert task["duration"] == {"runs": 5, "median_seconds": 3, "p95_seconds": 5, "baseline_seconds": 2, "change": 0.5}
    assert (task["failing"], task["flaky"]) == ([{"stage": "b", "runs": 3}], [{"stage": "a", "runs": 2}])
    assert as_object(reported(tmp_path, "--last", "2")["counts"]) == {"timed_out": 2}


def test_a_stage_that_a_stop_has_ended_has_not_failed(tmp_path: Path) -> None:
    """The manifest has one word for both; the events tell which it was."""
    folder = five_runs(tmp_path)
    for number in (3, 4):
        event = {"type": "stage:completed", "runId": timed_id(number), "stageId": "b", "status": "failed", "outcome": "cancelled"}
        (folder / "cli" / timed_id(number) / "events.jsonl").write_text(json.dumps(event) + "\n")
    assert reported(tmp_path)["failing"] == [{"stage": "b", "runs": 1}]


def test_a_stage_of_a_lost_run_has_failed_if_its_events_say_so(tmp_path: Path) -> None:
    folder = five_runs(tmp_path)
    lost: dict[str, Any] = {"status": "failed", "status_detail": "owner-lost", "completed_at": None}
    write_run(tmp_path / ".runs", timed_id(6), stage("seen", "failed"), stage("unseen", "failed"), **lost)
    event = {"type": "stage:completed", "runId": timed_id(6), "stageId": "seen", "status": "failed", "outcome": "failed"}
    (folder / "cli" / timed_id(6) / "events.jsonl").write_text(json.dumps(event) + "\n")
    with (folder / "metrics.json").open("ab") as history:
        history.write(json.dumps({"run_id": timed_id(6), **lost}).encode() + b"\n")
    assert reported(tmp_path)["failing"] == [{"stage": "b", "runs": 3}, {"stage": "seen", "runs": 1}]
    told = run(tmp_path, "status", "--run", timed_id(6), "--format", "json").document()
    assert [one["status"] for one in as_list(told["stages"])] == ["failed", "lost"]
    assert "  seen    failed" in run(tmp_path, "status", "--run", timed_id(6)).stdout


def test_a_table_for_a_pull_request(tmp_path: Path) -> None:
    five_runs(tmp_path)
    write_run(tmp_path / ".runs", "gone", status="in_progress", completed_at=None)
    (tmp_path / ".runs" / "t" / "live-runs").mkdir()
    (tmp_path / ".runs" / "t" / "live-runs" / "gone").write_text("")
    head, rule, row, *rest = run(tmp_path, "report", "--format", "markdown").stdout.splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == 9
    assert row == "| t | 5 runs, 2 succeeded (40.0 %) | timed out 3, succeeded 2 | 3.0 s | 5.0 s | 2.0 s | b 3 | a 2 |"
    assert rest == ["", "- **lost**: `gone` (t)"]


@pytest.mark.parametrize(
    ("form", "wanted"),
    [("text", "2499 succeeded (99.9 %)"), ("markdown", "2499 succeeded (99.9 %)"), ("html", "<data value=0.9996>99.9 %</data>")],
)
def test_all_but_one_are_not_all(tmp_path: Path, form: str, wanted: str) -> None:
    folder = five_runs(tmp_path)
    totals = {"total_runs": 2500, "succeeded_runs": 2499, "completion_rate": 0.9996}
    (folder / "metrics" / "post-rollout.json").write_text(json.dumps(totals))
    assert wanted in run(tmp_path, "report", "--format", form).stdout


def test_events_tell_of_attempts_that_a_manifest_does_not_know(tmp_path: Path) -> None:
    """A run that failed names no flaky stages in its manifest."""
    folder = five_runs(tmp_path)
    event = {
        "type": "stage:completed",
        "runId": timed_id(4),
        "stageId": "a",
        "outcome": "succeeded",
        "attempts": 3,
        "flaky": True,
        "waived": False,
    }
    events = folder / "cli" / timed_id(4) / "events.jsonl"
    events.write_text(f'{{"type":"run:started"}}\n{json.dumps(event)}\n{{"type":"stage:comp')
    assert reported(tmp_path)["flaky"] == [{"stage": "a", "runs": 3}]


def test_a_real_history_is_told(tmp_path: Path) -> None:
    flaky = command("f", "test -e again || { touch again; exit 1; }", retry={"maxAttempts": 2})
    configure_stages(tmp_path, flaky, command("bad", "exit 3"))
    assert run(tmp_path, "run").code == 1
    task = reported(tmp_path)
    assert (task["task"], task["total_runs"], task["counts"]) == ("0101", 1, {"failed": 1})
    assert task["failing"] == [{"stage": "bad", "runs": 1}]


def test_a_stage_of_a_child_run_is_not_the_stage_of_the_same_name(tmp_path: Path) -> None:
    flaky = command("test", "test -e again || { touch again; exit 1; }", retry={"maxAttempts": 2})
    child = pipeline("child", command("test", "exit 3"))
    configure(tmp_path, pipeline("p", flaky, subpipeline("sub", "child", optional=True)), child)
    assert run(tmp_path, "run").code == 0
    task = reported(tmp_path)
    in_one_run = [{"stage": "test", "runs": 1}]
    assert (task["flaky"], task["failing"]) == (in_one_run, in_one_run)  # it failed in the run of the child
    page = run(tmp_path, "report", "--format", "html").stdout
    assert re.search(r"<tr><th scope=row>test<td>((?!<tr>).)*<b class=succeeded>succeeded, flaky</b>((?!<tr>).)*<td>2", page)
    assert re.search(r"<tr><th scope=row>test<td>((?!<tr>).)*<b class=failed>failed</b><small> exit code 3</small>", page)


def test_damaged_files_are_named_and_the_rest_is_told(tmp_path: Path) -> None:
    folder = five_runs(tmp_path)
    (folder / "metrics" / "baseline.json").write_text("{")
    (folder / "cli" / timed_id(1) / "manifest.json").write_text("[]")
    with (folder / "metrics.json").open("ab") as file:
        file.write(b"no json\n")
    done = run(tmp_path, "report")
    assert done.code == 0
    assert done.stderr.count("left out: ") == 2
    assert "newest 5: timed out 3, succeeded 2" in done.stdout
    assert "1 of the newest lines cannot be read" in done.stdout
    (folder / "metrics.json").unlink()
    (folder / "metrics.json").symlink_to("metrics.json")
    again = run(tmp_path, "report")
    assert again.code == 0
    assert "metrics.json: is a symbolic link where a file belongs" in again.stderr


@pytest.mark.parametrize(("durations", "baseline", "told"), [((1e308, 1e308), 1e308, (1e308, 0)), ((3, 3), 5e-324, (3, None))])
def test_durations_that_nobody_has_seen_are_told_in_every_form(
    tmp_path: Path, durations: tuple[float, float], baseline: float, told: tuple[float, float | None]
) -> None:
    folder = five_runs(tmp_path)
    (folder / "metrics.json").write_bytes(b"".join(entry_line(name, seconds=one) for name, one in zip("ab", durations, strict=True)))
    (folder / "metrics" / "baseline.json").write_text(json.dumps({"duration_seconds": baseline}))
    duration = as_object(reported(tmp_path)["duration"])
    assert (duration["median_seconds"], duration["change"]) == told
    for form in ("text", "markdown", "html"):
        done = run(tmp_path, "report", "--format", form)
        assert (done.code, done.stderr) == (0, "")
        assert re.search(r"\b(inf|nan)\b", done.stdout.partition("<script")[0]) is None


def test_damage_in_the_journal_is_named_and_what_stands_around_it_is_told(tmp_path: Path) -> None:
    broken(tmp_path, "damaged_journal")
    done = run(tmp_path, "report", "--format", "json")
    (task,) = as_list(done.document()["tasks"])
    assert (done.code, done.stderr.count("left out: "), task["counts"]) == (0, 1, {"succeeded": 3})
    assert "is damaged at byte 0" in done.stderr
    assert "`orchestrator-py metrics rebuild`" in done.stderr
    (problem,) = as_list(task["unreadable"])
    assert "is damaged at byte 0" in str(problem["problem"])


def test_without_runs_it_says_so(tmp_path: Path) -> None:
    (tmp_path / ".runs" / "t" / "cli").mkdir(parents=True)
    assert run(tmp_path, "report").stdout == "t: no runs\n"
