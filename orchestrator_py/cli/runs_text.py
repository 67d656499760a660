"""Runs in a list, as text and as data."""

from collections.abc import Sequence

from orchestrator_py.cli.status_text import spoken
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.run import Run


def runs_data(runs: Sequence[Run], problems: Sequence[UnreadableError], now: str) -> dict[str, object]:
    """The one JSON document of `runs --format json`."""
    return {"runs": [_run_data(run, now) for run in runs], "unreadable": [{"path": one.path, "problem": one.problem} for one in problems]}


def _run_data(run: Run, now: str) -> dict[str, object]:
    passed, stages = _passed(run)
    return {
        "run_id": run.run_id,
        "task": run.task,
        "pipeline": run.manifest.get("pipeline_id"),
        "status": run.word,
        "detail": run.manifest.get("status_detail"),
        "started_at": run.manifest.get("started_at"),
        "completed_at": run.manifest.get("completed_at"),
        "elapsed_seconds": run.elapsed(now),
        "stages_succeeded": passed,
        "stages": stages,
        "parent_run_id": run.manifest.get("parent_run_id"),
    }


def runs_lines(runs: Sequence[Run], now: str) -> list[str]:
    """A table: id, task, pipeline, word, seconds, stages, detail."""
    rows = [_row(run, now) for run in runs]
    widths = [max((len(row[place]) for row in rows), default=0) for place in range(6)]
    return ["  ".join([*(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)), row[6]]).rstrip() for row in rows]


def _row(run: Run, now: str) -> tuple[str, ...]:
    passed, stages = _passed(run)
    seconds = run.elapsed(now)
    return (
        run.run_id,
        run.task,
        run.text("pipeline_id"),
        spoken(run.word),
        "-" if seconds is None else f"{seconds:.1f} s",
        f"{passed}/{stages}",
        run.text("status_detail"),
    )


def _passed(run: Run) -> tuple[int, int]:
    counts = run.counts
    return counts["succeeded"], counts.total()
