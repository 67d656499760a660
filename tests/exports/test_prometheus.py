"""What Prometheus is told: the figures of the record, valid, in few series, at the cost of what is new."""

import os
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_py.core.json_text import compact_json
from orchestrator_py.exports import task_figures
from orchestrator_py.exports.cicd_words import utf8
from orchestrator_py.exports.history_counts import Counts
from orchestrator_py.exports.metric_families import Collector
from orchestrator_py.exports.prometheus import OPENMETRICS, TEXT, _encode, exposition
from orchestrator_py.exports.prometheus import Exposition as Answer
from orchestrator_py.exports.task_figures import ENDINGS, Figures, Memory, TaskFigures
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.layout import Layout
from orchestrator_py.store.live_runs import begin_live_run
from orchestrator_py.store.overview import read_overview
from tests.exports.families import read, scrape
from tests.reading.records import write_segment
from tests.store.broken import settled, write_manifest
from tests.store.entries import NOW, TASK, entry, open_store, task_below, write_history


def line(run_id: str, *, repeated: bool = False, **more: object) -> EntryLine:
    data = {"run_id": run_id, "task_id": TASK, "status": "succeeded", "completed_at": NOW, "recorded_at": NOW, **more}
    return EntryLine(run_id=RunId(run_id), line=compact_json(data).encode(), repeated=repeated)


def record(root: Path, *lines: EntryLine) -> None:
    store = open_store(root)
    store.commit(lines)
    store.close()


def test_the_figures_are_those_of_the_record(tmp_path: Path) -> None:
    stats = [{"recovery_events": 2}, {"recovery_events": 1}, "no object", {"recovery_events": -1}]
    record(
        tmp_path,
        line("a", duration_seconds=0.1, commands_passed=3, commands_failed=0),
        line("b", duration_seconds=2.5, commands_passed=1, commands_failed=2, status="failed", instance_stats=stats),
        line("c", duration_seconds=20_000, status="cancelled", completed_at="2025-12-21T14:02:48.637Z"),
        line("d", duration_seconds=None, status="a word of another writer", completed_at=None),
    )
    found, rollups = scrape(tmp_path), read_overview(task_below(tmp_path)).rollups
    assert [found.value("runs_total", outcome=word) for word in ("succeeded", "failed", "cancelled", "unknown")] == [1, 1, 1, 1]
    assert [found.value("commands_total", result=word) for word in ("passed", "failed")] == [4, 2]
    assert found.value("recovery_events_total") == 3
    assert [found.value("run_duration_seconds_bucket", le=bound) for bound in ("0.1", "1.0", "5.0", "14400.0", "+Inf")] == [1, 1, 2, 2, 3]
    assert (found.value("run_duration_seconds_count"), found.value("run_duration_seconds_sum")) == (3, 20_002.6)
    assert rollups.post_rollout is not None
    assert rollups.mttr_delta is not None
    assert rollups.completeness is not None
    assert found.value("recorded_runs") == rollups.post_rollout.total_runs
    assert found.value("completion_ratio") == rollups.post_rollout.completion_rate
    assert found.value("mttr_seconds") == rollups.mttr_delta.current_mttr_seconds
    assert found.value("mttr_baseline_seconds") == 0.1
    assert found.value("missing_field_ratio") == rollups.completeness.missing_field_ratio
    assert found.value("last_run_end_timestamp_seconds") == found.value("last_success_timestamp_seconds") == 1766325767.637
    assert not found.has("last_run_duration_seconds")


def test_the_last_run_has_its_exact_word_while_its_manifest_is_there(tmp_path: Path) -> None:
    record(tmp_path, line("a", status="failed"))
    manifest = write_manifest(task_below(tmp_path), "a", status="failed", status_detail="stage:x:timed_out")
    words = {word: scrape(tmp_path).value("last_run_outcome", outcome=word) for word in ENDINGS}
    assert [word for word, value in words.items() if value] == ["timed_out"]
    manifest.unlink()
    assert scrape(tmp_path).value("last_run_outcome", outcome="failed") == 1


def test_an_embedded_run_that_was_lost_is_so_as_the_newest_one_and_failed_in_the_history(tmp_path: Path) -> None:
    record(tmp_path, line("a", status="failed", completed_at=None))
    found = scrape(tmp_path)
    words = {word: found.value("last_run_outcome", outcome=word) for word in ENDINGS}
    assert [word for word, value in words.items() if value] == ["lost"]
    assert (found.value("lost_runs"), found.value("runs_total", outcome="failed")) == (0, 1)


def test_a_resumed_run_ends_twice_and_is_on_record_once_so_that_no_counter_falls(tmp_path: Path) -> None:
    record(tmp_path, line("a", status="failed"))
    assert scrape(tmp_path).value("runs_total", outcome="failed") == 1
    record(tmp_path, line("a", repeated=True))
    found = scrape(tmp_path)
    assert [found.value("runs_total", outcome=word) for word in ("failed", "succeeded")] == [1, 1]
    assert (found.value("recorded_runs"), found.value("succeeded_runs"), found.value("completion_ratio")) == (1, 1, 1)


def test_a_run_that_goes_on_is_running_and_one_whose_process_died_is_lost(tmp_path: Path) -> None:
    task = settled(tmp_path, "done")
    write_manifest(task, "live", status="in_progress", completed_at=None)
    marker = begin_live_run(task, RunId("live"))
    found = scrape(tmp_path)
    assert (found.value("running_runs"), found.value("lost_runs")) == (1, 0)
    marker.release()
    found = scrape(tmp_path)
    assert (found.value("running_runs"), found.value("lost_runs")) == (0, 1)


def test_no_run_is_a_label_and_the_words_are_few_whatever_stands_in_the_history(tmp_path: Path) -> None:
    record(tmp_path, *(line(f"run-{number}", status=f"status-{number}") for number in range(50)))
    found = scrape(tmp_path)
    assert found.labels("outcome") == {"succeeded", "failed", "cancelled", *ENDINGS}
    assert found.labels("task") == {TASK}
    assert len(found.values) < 60


@pytest.mark.parametrize(
    ("accept", "wanted"),
    {
        "": TEXT,
        "*/*": TEXT,
        "text/plain": TEXT,
        "text/html, application/openmetrics-text": OPENMETRICS,
        "Application/OpenMetrics-Text; version=1.0.0; charset=utf-8; q=0.5": OPENMETRICS,
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.4": OPENMETRICS,
        "application/openmetrics-text;q=0": TEXT,
        "application/openmetrics-text;q=often": TEXT,
        "application/openmetrics-text;version=2.0.0": TEXT,
    }.items(),
)
def test_the_accept_header_chooses_and_either_parser_is_content(tmp_path: Path, accept: str, wanted: str) -> None:
    settled(tmp_path, "a")
    answer = exposition(Layout.below(tmp_path), accept)
    assert answer.content_type == wanted
    assert read(answer).value("runs_total", outcome="succeeded") == 1
    assert answer.content.endswith(b"# EOF\n") is (wanted == OPENMETRICS)


@given(accept=st.text(alphabet=string.printable))
def test_no_accept_header_is_a_defect(accept: str) -> None:
    assert exposition(Layout.below(Path("/nowhere")), accept).content_type in (TEXT, OPENMETRICS)


def figures_of(*ids: str) -> Figures:
    tasks = [
        TaskFigures(task_id=TaskId(name), counts=Counts(), rollups={}, running=1, lost=0, last_word="failed", problems=()) for name in ids
    ]
    return Figures(tasks=tuple(tasks))


@given(ids=st.lists(st.text(), min_size=1, max_size=3, unique_by=utf8), kind=st.sampled_from([TEXT, OPENMETRICS]))
def test_a_hostile_task_id_is_a_label_and_nothing_else(ids: list[str], kind: str) -> None:
    figures = figures_of(*ids)
    found = read(Answer(kind, _encode(figures, kind)))
    expected = sum(len(family.samples) for family in Collector(figures).collect())
    assert len(found.values) == expected
    assert found.labels("task") == set(map(utf8, ids))


ENTRIES = [
    b'{"run_id":"a","status":"succeeded","duration_seconds":2,"commands_passed":1}',
    b'{"run_id":"b","status":"failed","duration_seconds":1e308,"commands_failed":2.5}',
    b'{"run_id":"b","status":["failed"],"duration_seconds":-4,"commands_failed":true,"completed_at":"0001-01-01T00:00:00Z"}',
    b"\xef\xbb\xbf{}",
    b"no json",
    b"[1]",
    b" ",
    b"\xff",
]


@settings(max_examples=40)
@given(lines=st.lists(st.sampled_from(ENTRIES), max_size=12), cuts=st.lists(st.integers(0, 12), max_size=4), torn=st.booleans())
def test_counting_on_comes_to_the_same_as_counting_anew(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], cuts: list[int], torn: bool
) -> None:
    """The file grows from look to look, sometimes without its last newline, and sometimes it is another one."""
    root, memory = tmp_path_factory.mktemp("history"), Memory()
    for cut in [*cuts, len(lines)]:
        content = b"\n".join(lines[:cut])
        write_history(task_below(root), content if torn else content + b"\n")
        assert scrape(root, memory=memory) == scrape(root)


def test_a_history_is_read_from_where_it_was_left_also_when_its_journal_is_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[bytes] = []
    add_line = Counts.add_line

    def counting(self: Counts, text: bytes) -> None:
        counted.append(text)
        add_line(self, text)

    monkeypatch.setattr(Counts, "add_line", counting)
    store, memory = open_store(tmp_path), Memory()
    for number in range(30):
        store.commit([entry(f"r{number}")])
        if number % 7 == 0:
            store.flush()
        assert scrape(tmp_path, memory=memory).value("runs_total", outcome="succeeded") == number + 1
    assert len(counted) == 30
    store.close()


def test_a_task_that_cannot_be_read_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    bad = Layout.below(tmp_path).task(TaskId("bad"))
    bad.metrics.mkdir(parents=True)
    bad.rollups.mkdir()
    bad.post_rollout.write_text("torn")
    answer = exposition(Layout.below(tmp_path), OPENMETRICS)
    found = read(answer)
    assert [str(bad.metrics) in answer.problems[0], str(bad.post_rollout) in answer.problems[1]] == [True, True]
    assert [found.value("unreadable_places", task=name) for name in ("task-1", "bad")] == [0, 2]
    assert found.value("runs_total", outcome="succeeded") == 1
    assert {name for name, labels in found.values if ("task", "bad") in labels} == {
        f"orchestrator_py_{name}" for name in ("running_runs", "lost_runs", "unreadable_places")
    }, "a counter that falls to nought would be taken for a restart"


@pytest.mark.parametrize("linked", ["rollups", "out"])
def test_figures_behind_a_link_that_leads_out_are_nobodys(tmp_path: Path, linked: str) -> None:
    settled(tmp_path, "a")
    task = task_below(tmp_path)
    folder = task.rollups if linked == "rollups" else task.mttr_delta.parent
    folder.rename(tmp_path / "outside")
    folder.symlink_to(tmp_path / "outside")
    answer = exposition(Layout.below(tmp_path), OPENMETRICS)
    names = {name for name, _ in read(answer).values}
    assert ("orchestrator_py_recorded_runs" in names, "orchestrator_py_mttr_seconds" in names) == (linked == "out", linked == "rollups")
    assert any(str(folder) in problem and "leads out" in problem for problem in answer.problems)


def test_a_history_whose_journal_is_damaged_has_no_counters_rather_than_too_few(tmp_path: Path) -> None:
    """Also where they were counted before: it is mended, or put back, and goes on from there."""
    memory, task = Memory(), settled(tmp_path, "old")
    segment = write_segment(task.folder, task.metrics.stat().st_size, [entry(name).line + b"\n" for name in "abc"])
    whole = segment.read_bytes()
    assert scrape(tmp_path, memory=memory).value("runs_total", outcome="succeeded") == 4
    segment.write_bytes(whole.replace(b'"b"', b'"x"'))
    for kept in (memory, Memory()):
        answer = exposition(Layout.below(tmp_path), OPENMETRICS, memory=kept)
        (problem,) = answer.problems
        assert problem.startswith(f"{segment}: is damaged at byte ")
        assert "metrics rebuild" in problem
        found = read(answer)
        assert not found.has("runs_total", outcome="succeeded")
        assert (found.value("recorded_runs"), found.value("unreadable_places")) == (1, 1)
    segment.write_bytes(whole)
    assert scrape(tmp_path, memory=memory).value("runs_total", outcome="succeeded") == 4


def test_beyond_the_most_tasks_those_that_changed_last_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_figures, "MOST_TASKS", 2)
    for number, name in enumerate(("c", "b", "a")):
        task = Layout.below(tmp_path).task(TaskId(name))
        write_history(task, entry("r").line + b"\n")
        for path in (task.metrics, task.folder):
            os.utime(path, (1000 + number, 1000 + number))
    found = scrape(tmp_path)
    assert found.labels("task") == {"a", "b"}
    assert [found.values[f"orchestrator_py_{name}", frozenset()] for name in ("tasks", "tasks_left_out")] == [2, 1]
