"""What a page is made of, with any text in the place of everything that others write."""

from collections.abc import Sequence

from orchestrator_py.pages.document import report_document
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.rollups import Rollups
from orchestrator_py.reading.run import Run
from orchestrator_py.reading.task_overview import TaskOverview
from orchestrator_py.reading.task_report import TaskReport
from orchestrator_py.reading.timeline import read_timeline

NOW = "2025-12-21T14:10:00.000Z"
Data = dict[str, object]


def stage(text: str, status: str = "succeeded") -> Data:
    return {
        "id": text, "title": text, "kind": "command", "status": status,
        "started_at": "2025-12-21T14:02:48.000Z", "completed_at": "2025-12-21T14:02:49.000Z", "summary": text,
    }  # fmt: skip


def run(text: str, word: str = "failed") -> Run:
    attempt = {"number": 1, "started_at": "2025-12-21T14:02:47.700Z", "completed_at": "2025-12-21T14:02:49.500Z"}
    assignment = {"instance_id": text, "capability": text, "status": text, "attempts": [attempt]}
    manifest: Data = {
        "pipeline_id": text, "status_detail": text,
        "started_at": "2025-12-21T14:02:47.637Z", "completed_at": "2025-12-21T14:02:49.637Z",
        "commands": [stage(text), stage(f"2{text}", "failed"), stage(f"3{text}", "pending")],
        "scheduler": {"assignments": [assignment]},
    }  # fmt: skip
    return Run(task=text, run_id=text, path="/nowhere/manifest.json", manifest=manifest, word=word)


def report(text: str, words: Sequence[str] = ("succeeded", "failed")) -> TaskReport:
    found = TaskReport(text)
    for number, word in enumerate(words):
        found.outcomes.append((text, word))
        seconds = 1.0 + number % 7
        found.entries.append({"run_id": text, "started_at": "2025-12-21T14:02:47.637Z", "duration_seconds": seconds, "commands_passed": 2})
        found.durations.append(seconds)
    for counter in (found.failed, found.flaky, found.waived):
        counter[text] = 2
    found.totals = {"total_runs": 2, "succeeded_runs": 1, "completion_rate": 0.5, "meets_threshold": False}
    found.baseline = {"duration_seconds": 2}
    found.unfinished = [run(text, "running")]
    found.unguarded, found.reviews = [(text, text)], [(text, text)]
    found.problems, found.unreadable = [UnreadableError(text, text)], 3
    return found


def overview(text: str, words: Sequence[str] = ("succeeded", "failed")) -> TaskOverview:
    epochs = [{"epoch": 1, "runs": 2}]
    rollups = Rollups(
        completeness={"missing_field_ratio": 0.5, "missing_counts": {text: 1}},
        per_epoch={"epochs": epochs},
        mttr={"current_mttr_seconds": 1.5},
        state={"safety": {text: 1}},
    )
    return TaskOverview(report(text, words), rollups, [read_timeline(run(text, word), NOW, []) for word in ("failed", "running", "lost")])


def document(text: str, words: Sequence[str] = ("succeeded", "failed")) -> str:
    return report_document([overview(text, words), overview(text, words)], now=NOW)
