"""Lost and doubled runs, and files that make no sense, are found where they are planted."""

import json
import os
from pathlib import Path

from bench.measure import environment
from bench.watching import watching
from bench.workloads.pipelines import count_runs


def history(folder: Path, *run_ids: str) -> Path:
    (folder / "metrics.json").write_text("".join(json.dumps({"run_id": run_id}) + "\n" for run_id in run_ids))
    return folder


def test_every_run_once_is_nothing_to_count(tmp_path: Path) -> None:
    assert count_runs(history(tmp_path, "a", "b"), ["a", "b"]) == {"lost": 0, "doubled": 0, "queued": 0}


def test_a_missing_and_a_doubled_run_are_counted(tmp_path: Path) -> None:
    assert count_runs(history(tmp_path, "a", "a"), ["a", "b"]) == {"lost": 1, "doubled": 1, "queued": 0}


def test_a_run_that_waits_in_the_queue_is_not_lost(tmp_path: Path) -> None:
    history(tmp_path, "a")
    (tmp_path / "metrics.pending").mkdir()
    (tmp_path / "metrics.pending" / "b.jsonl").write_text('{"run_id": "b"}\n')
    assert count_runs(tmp_path, ["a", "b"]) == {"lost": 0, "doubled": 0, "queued": 1}


def test_the_reader_sees_what_is_torn(tmp_path: Path) -> None:
    (tmp_path / "whole.json").write_text("{}")
    (tmp_path / "manifest.json").write_text('{"half": ')
    (tmp_path / "metrics.json").write_text('{}\n{"no newline": 1}')
    with watching(tmp_path, environment(tmp_path)) as seen:
        wait_for_a_read_of(tmp_path)
    assert 2 <= seen["unparsable"] < seen["reads"]


def wait_for_a_read_of(folder: Path) -> None:
    """A FIFO: opening it for writing waits for its reader."""
    os.mkfifo(folder / "zzz.json")
    (folder / "zzz.json").write_text("{}")
    (folder / "zzz.json").unlink()
