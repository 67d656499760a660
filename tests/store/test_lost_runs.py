"""The record of a run whose process died is completed once, with nothing that nobody saw."""

import json
import os
from pathlib import Path

import pytest
from attrs import evolve

from orchestrator_py.core.assignments import assign_instances, name_slots
from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.json_text import encode_json, parse_json, pretty_json
from orchestrator_py.ids import RunId, parse_run_id, parse_task_id
from orchestrator_py.model.manifest import ChildRun, CommandRecord, CommandStatus, Manifest, ResumeEvent, RunStatus
from orchestrator_py.model.run_request import RunSchedule
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.reading.run import read_run
from orchestrator_py.store.audit import audit
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.live_runs import begin_live_run
from orchestrator_py.store.lost_runs import complete_lost_runs
from orchestrator_py.store.task_store import open_task_store

TASK, RUN = parse_task_id("t"), parse_run_id("run-1")
STARTED, NOW = Timestamp("2026-01-02T03:04:05.006Z"), Timestamp("2026-01-02T03:05:00.000Z")
MANIFEST = Manifest(
    task_id=TASK,
    task_slug="t",
    run_id=RUN,
    pipeline_id="p",
    pipeline_title="P",
    status=RunStatus.IN_PROGRESS,
    started_at=STARTED,
    updated_at=STARTED,
    artifact_root=".runs/t/cli/run-1",
    compat_path=".runs/t/mcp/run-1",
    log_path=".runs/t/cli/run-1/runner.ndjson",
    resume_token="0" * 64,
    commands=(
        CommandRecord(index=1, id="a", title="A", command="a", kind="command", status=CommandStatus.SUCCEEDED),
        CommandRecord(index=2, id="b", title="B", command="b", kind="command", status=CommandStatus.RUNNING, started_at=STARTED),
        CommandRecord(index=3, id="c", title="C", command="c", kind="command"),
    ),
)


def layout(root: Path) -> Layout:
    return Layout.below(root)


def task(root: Path) -> TaskLayout:
    return layout(root).task(TASK)


def lose(root: Path, manifest: Manifest | None) -> None:
    """As a run that was killed leaves it: a manifest, a marker that nobody holds."""
    begin_live_run(task(root), RUN).release()
    if manifest is not None:
        path = task(root).cli_run(RUN).manifest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_json(pretty_json(to_json(manifest))))


def complete(root: Path) -> tuple[str, ...]:
    store = open_task_store(layout(root), TASK, now=lambda: NOW)
    completed = complete_lost_runs(task(root), store, lambda: NOW)
    store.close()
    return completed


def manifest_of(root: Path) -> Manifest:
    return from_json(Manifest, parse_json(task(root).cli_run(RUN).manifest.read_bytes()))


def entries(root: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in read_history(task(root))]


def test_a_lost_run_is_sealed_as_failed_without_an_invented_end(tmp_path: Path) -> None:
    lose(tmp_path, MANIFEST)
    assert complete(tmp_path) == (RUN,)
    sealed = manifest_of(tmp_path)
    assert (sealed.status, sealed.status_detail, sealed.completed_at) == (RunStatus.FAILED, "owner-lost", None)
    assert [command.status.value for command in sealed.commands] == ["succeeded", "failed", "pending"]
    assert sealed.commands[1].completed_at is None
    assert sealed.metrics_recorded
    (entry,) = entries(tmp_path)
    assert (entry["status"], entry["completed_at"], entry["duration_seconds"]) == ("failed", None, None)


def test_sealing_twice_changes_nothing(tmp_path: Path) -> None:
    lose(tmp_path, MANIFEST)
    complete(tmp_path)
    before = task(tmp_path).cli_run(RUN).manifest.read_bytes()
    lose(tmp_path, None)
    assert complete(tmp_path) == ()
    assert task(tmp_path).cli_run(RUN).manifest.read_bytes() == before
    assert len(entries(tmp_path)) == 1


def test_a_verdict_that_was_written_but_not_recorded_is_recorded_as_it_is(tmp_path: Path) -> None:
    lose(tmp_path, evolve(MANIFEST, status=RunStatus.SUCCEEDED, completed_at=NOW))
    complete(tmp_path)
    assert (manifest_of(tmp_path).status, manifest_of(tmp_path).metrics_recorded) == (RunStatus.SUCCEEDED, True)
    assert [entry["status"] for entry in entries(tmp_path)] == ["succeeded"]


def test_a_run_that_is_in_the_history_is_finished_from_it(tmp_path: Path) -> None:
    lose(tmp_path, evolve(MANIFEST, status=RunStatus.SUCCEEDED, completed_at=NOW))
    complete(tmp_path)
    lose(tmp_path, MANIFEST)
    assert complete(tmp_path) == (RUN,)
    finished = manifest_of(tmp_path)
    assert (finished.status, finished.completed_at, finished.metrics_recorded) == (RunStatus.SUCCEEDED, NOW, True)
    assert len(entries(tmp_path)) == 1


def record_end(root: Path, *words: str, status: RunStatus = RunStatus.SUCCEEDED) -> None:
    """The run's entry is durable, with these words for its stages; of its manifest the disk has an older one."""
    commands = tuple(evolve(one, status=CommandStatus(word)) for one, word in zip(MANIFEST.commands, words, strict=True))
    lose(root, evolve(MANIFEST, status=status, completed_at=NOW, commands=commands))
    complete(root)
    lose(root, MANIFEST)
    assert complete(root) == (RUN,)


@pytest.mark.parametrize(
    ("status", "words", "told"),
    [
        ("succeeded", ["succeeded", "succeeded", "succeeded"], ["succeeded", "succeeded", "succeeded"]),
        ("succeeded", ["succeeded", "skipped", "succeeded"], ["succeeded", "running", "running"]),
        ("failed", ["succeeded", "failed", "failed"], ["succeeded", "failed", "failed"]),
        ("failed", ["succeeded", "failed", "pending"], ["succeeded", "running", "running"]),
        ("cancelled", ["succeeded", "failed", "pending"], ["succeeded", "running", "running"]),
    ],
)
def test_a_manifest_that_is_finished_from_an_entry_tells_of_the_stages_what_the_entry_counts_and_guesses_nothing(
    tmp_path: Path, status: str, words: list[str], told: list[str]
) -> None:
    record_end(tmp_path, *words, status=RunStatus(status))
    finished = manifest_of(tmp_path)
    assert (finished.status.value, finished.status_detail, finished.completed_at) == (status, None, NOW)
    assert (finished.summary or "").startswith(f"This run is on record as {status}; ")
    assert [command.status.value for command in finished.commands] == told
    assert all("was lost" in (one.summary or "") or "not known" in (one.summary or "") for one in finished.commands[1:])
    (entry,) = entries(tmp_path)
    assert entry["status"] == status


def test_a_stage_whose_end_is_not_on_record_is_told_as_lost(tmp_path: Path) -> None:
    record_end(tmp_path, "succeeded", "skipped", "succeeded")
    run = read_run(str(tmp_path / ".runs"), TASK, RUN)
    assert run is not None
    assert (run.word, [run.stage_word(one) for one in run.objects("commands")]) == ("succeeded", ["succeeded", "lost", "lost"])
    assert run.stage_elapsed(run.objects("commands")[1], NOW) is None


def test_instances_of_a_run_that_is_on_record_as_succeeded_have_not_failed(tmp_path: Path) -> None:
    schedule = RunSchedule(min_instances=1, max_instances=1)
    plan = assign_instances(schedule, name_slots(schedule), "t", STARTED)
    lose(tmp_path, evolve(MANIFEST, status=RunStatus.SUCCEEDED, completed_at=NOW))
    complete(tmp_path)
    lose(tmp_path, evolve(MANIFEST, scheduler=plan))
    complete(tmp_path)
    scheduler = manifest_of(tmp_path).scheduler
    assert scheduler is not None
    assert [one.status.value for one in scheduler.assignments.values()] == ["succeeded"]


def test_an_entry_that_a_seal_has_made_seals_again(tmp_path: Path) -> None:
    """Killed between the entry and the manifest."""
    lose(tmp_path, MANIFEST)
    complete(tmp_path)
    sealed = manifest_of(tmp_path)
    lose(tmp_path, MANIFEST)
    complete(tmp_path)
    assert manifest_of(tmp_path) == sealed


def test_an_entry_from_before_the_run_was_resumed_does_not_finish_it(tmp_path: Path) -> None:
    lose(tmp_path, evolve(MANIFEST, status=RunStatus.FAILED, completed_at=NOW))
    complete(tmp_path)
    later = Timestamp("2026-01-02T09:00:00.000Z")
    resumed = ResumeEvent(actor="somebody", reason="resume", outcome="accepted", timestamp=later)
    lose(tmp_path, evolve(MANIFEST, resume_events=(resumed,)))
    complete(tmp_path)
    assert manifest_of(tmp_path).status_detail == "owner-lost"


# Sub-pipelines -----------------------------------------------------------------------------------------------------


def child_of(run_id: str, status: RunStatus = RunStatus.IN_PROGRESS) -> ChildRun:
    return ChildRun(run_id=RunId(run_id), pipeline_id="p", status=status, manifest=f".runs/t/cli/{run_id}/manifest.json")


def lose_all(root: Path, *manifests: Manifest) -> None:
    for manifest in manifests:
        begin_live_run(task(root), manifest.run_id).release()
        path = task(root).cli_run(manifest.run_id).manifest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_json(pretty_json(to_json(manifest))))


@pytest.mark.parametrize("names", [("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")])
@pytest.mark.parametrize("word", [RunStatus.SUCCEEDED, RunStatus.CANCELLED, RunStatus.IN_PROGRESS])
def test_a_lost_run_says_of_those_that_it_had_begun_what_they_say_of_themselves(
    tmp_path: Path, names: tuple[str, str, str], word: RunStatus
) -> None:
    """Whatever their names are; the one in the middle was lost with the first."""
    first, middle, last = names
    end = NOW if word.is_terminal else None
    lose_all(
        tmp_path,
        evolve(MANIFEST, run_id=RunId(first), child_runs=(child_of(middle),)),
        evolve(MANIFEST, run_id=RunId(middle), parent_run_id=RunId(first), child_runs=(child_of(last),)),
        evolve(MANIFEST, run_id=RunId(last), parent_run_id=RunId(middle), status=word, completed_at=end),
    )
    assert complete(tmp_path) == (last, middle, first)
    told = {name: from_json(Manifest, parse_json(task(tmp_path).cli_run(RunId(name)).manifest.read_bytes())) for name in names}
    expected = word if word.is_terminal else RunStatus.FAILED
    assert [told[name].status for name in names] == [RunStatus.FAILED, RunStatus.FAILED, expected]
    assert [child.status for child in told[first].child_runs] == [RunStatus.FAILED]
    assert [child.status for child in told[middle].child_runs] == [expected]
    assert [entry["run_id"] for entry in entries(tmp_path)] == [last, middle, first]


def test_runs_that_name_each_other_are_each_completed_once(tmp_path: Path) -> None:
    lose_all(tmp_path, *(evolve(MANIFEST, run_id=RunId(name), child_runs=(child_of("a"), child_of("b"))) for name in "ab"))
    assert sorted(complete(tmp_path)) == ["a", "b"]
    assert sorted(str(entry["run_id"]) for entry in entries(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("name", ["../metrics.json", "nobody", ""])
def test_a_child_that_nothing_is_known_of_was_lost_and_its_name_leads_nowhere(tmp_path: Path, name: str) -> None:
    lose(tmp_path, evolve(MANIFEST, child_runs=(child_of(name), child_of("told", RunStatus.SUCCEEDED))))
    (task(tmp_path).folder / "metrics.json").touch()
    assert complete(tmp_path) == (RUN,)
    assert [child.status.value for child in manifest_of(tmp_path).child_runs] == ["failed", "succeeded"]
    assert len(entries(tmp_path)) == 1


# What is not there -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b"\xff\xfe"])
def test_a_manifest_that_cannot_be_read_is_left_alone(tmp_path: Path, content: bytes) -> None:
    lose(tmp_path, MANIFEST)
    path = task(tmp_path).cli_run(RUN).manifest
    path.write_bytes(content)
    assert complete(tmp_path) == ()
    assert path.read_bytes() == content
    assert entries(tmp_path) == []


def test_a_run_that_died_before_its_first_manifest_leaves_nothing(tmp_path: Path) -> None:
    lose(tmp_path, None)
    assert complete(tmp_path) == ()
    assert list(task(tmp_path).live_runs.iterdir()) == []


@pytest.mark.parametrize("names", [[], ["runner.ndjson"], ["runner.ndjson", "manifest.json.tmp-1-2-3"]])
def test_the_folder_of_a_run_that_died_before_its_first_manifest_goes(tmp_path: Path, names: list[str]) -> None:
    lose(tmp_path, None)
    folder = task(tmp_path).cli_run(RUN).folder
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    assert complete(tmp_path) == ()
    assert not folder.exists()
    assert audit(task(tmp_path)).findings == ()


def test_a_lost_run_without_a_manifest_keeps_what_it_has_said(tmp_path: Path) -> None:
    lose(tmp_path, None)
    folder = task(tmp_path).cli_run(RUN).folder
    folder.mkdir(parents=True)
    (folder / "runner.ndjson").write_bytes(b"{}\n")
    complete(tmp_path)
    assert (folder / "runner.ndjson").read_bytes() == b"{}\n"


@pytest.mark.parametrize("name", ["manifest.json", "run-summary.json", ".heartbeat", ".resume-token"])
def test_temp_files_of_a_lost_run_go(tmp_path: Path, name: str) -> None:
    lose(tmp_path, MANIFEST)
    temp = task(tmp_path).cli_run(RUN).folder / f"{name}.tmp-1-2-3"
    temp.touch()
    assert complete(tmp_path) == (RUN,)
    assert not temp.exists()


@pytest.mark.parametrize(
    "name", ["work.tmp-cpGO", "report.tmp-1", "results.json.tmp-1-2-3", "manifest.json.tmp-1", "manifest.json.tmp-1-2-3"]
)
@pytest.mark.parametrize("kind", ["file", "folder", "link", "FIFO"])
def test_what_a_command_left_in_the_folder_of_a_lost_run_stays_and_stops_nobody(tmp_path: Path, name: str, kind: str) -> None:
    lose(tmp_path, MANIFEST)
    left = task(tmp_path).cli_run(RUN).folder / name
    match kind:
        case "folder":
            left.mkdir()
            (left / "inside").touch()
        case "link":
            left.symlink_to(tmp_path / "elsewhere")
        case "FIFO":
            os.mkfifo(left)
        case _:
            left.touch()
    assert complete(tmp_path) == (RUN,)
    assert manifest_of(tmp_path).status_detail == "owner-lost"
    assert os.path.lexists(left) is not (name == "manifest.json.tmp-1-2-3" and kind == "file")
    assert complete(tmp_path) == ()


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_a_command_put_in_place_of_everything_in_the_folder_of_a_lost_run_stops_nobody(tmp_path: Path, kind: str) -> None:
    lose(tmp_path, None)
    log = task(tmp_path).cli_run(RUN).runner_log
    log.parent.mkdir(parents=True)
    log.mkdir() if kind == "folder" else log.symlink_to(tmp_path / "elsewhere")
    assert complete(tmp_path) == ()
    assert os.path.lexists(log)
    assert list(task(tmp_path).live_runs.iterdir()) == []


def test_a_living_run_is_not_touched(tmp_path: Path) -> None:
    lose(tmp_path, MANIFEST)
    run = begin_live_run(task(tmp_path), RUN)
    assert complete(tmp_path) == ()
    assert manifest_of(tmp_path).status is RunStatus.IN_PROGRESS
    run.release()
