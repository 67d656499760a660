"""How the newest runs went, as data for programs."""

from collections import Counter

from orchestrator_py.reading.task_report import TaskReport, ranked

MOST_STAGES = 5


def report_data(report: TaskReport) -> dict[str, object]:
    """Of one task. Times are in seconds; `change` is a fraction of the baseline."""
    return {
        "task": report.task,
        "total_runs": report.totals.get("total_runs"),
        "succeeded_runs": report.totals.get("succeeded_runs"),
        "completion_rate": report.totals.get("completion_rate"),
        "outcomes": [{"run_id": run_id, "status": word} for run_id, word in report.outcomes],
        "counts": dict(report.counts),
        "duration": {
            "runs": len(report.durations),
            "median_seconds": report.median,
            "p95_seconds": report.p95,
            "baseline_seconds": report.baseline.get("duration_seconds"),
            "change": report.change,
        },
        "failing": _ranked_data(report.failed),
        "flaky": _ranked_data(report.flaky),
        "waived": _ranked_data(report.waived),
        "unguarded": [{"run_id": run_id, "guardrails": told} for run_id, told in report.unguarded],
        "reviews": [{"run_id": run_id, "decision": decision} for run_id, decision in report.reviews],
        "unfinished": [
            {"run_id": run.run_id, "status": run.word, "started_at": run.manifest.get("started_at")} for run in report.unfinished
        ],
        "unreadable_lines": report.unreadable,
        "unreadable": [{"path": one.path, "problem": one.problem} for one in report.problems],
    }


def _ranked_data(counter: Counter[str]) -> list[dict[str, object]]:
    return [{"stage": stage, "runs": runs} for stage, runs in top_stages(counter)]


def top_stages(counter: Counter[str]) -> list[tuple[str, int]]:
    """The stages of which is told, with the number of runs."""
    return ranked(counter, MOST_STAGES)
