"""Holds the records of the runs below a folder against each other: manifest, run summary and history must tell the same of each."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from command_line import TASK


def contradictions(task: Path) -> Iterator[str]:
    """Each disagreement between the records of a task's runs, one sentence each."""
    history = {entry["run_id"]: entry for entry in map(json.loads, (task / "metrics.json").read_text().splitlines())}
    manifests = {path.parent.name: json.loads(path.read_text()) for path in task.glob("cli/*/manifest.json")}
    if history.keys() != manifests.keys():
        yield f"the history has {sorted(history)}, the folders are {sorted(manifests)}"
    for run_id in history.keys() & manifests.keys():
        summary = json.loads((task / "cli" / run_id / "run-summary.json").read_text())
        yield from (f"{run_id}: {what}" for what, holds in _claims(manifests[run_id], history[run_id], summary) if not holds)


def _claims(manifest: Mapping[str, object], entry: Mapping[str, object], summary: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    yield "the manifest is terminal", manifest["status"] in ("succeeded", "failed", "cancelled")
    yield "the history has the manifest's status", entry["status"] == manifest["status"]
    yield "the manifest knows that it was recorded", manifest["metrics_recorded"] is True
    yield "the summary is that of the run", summary["runId"] == manifest["run_id"]
    yield "approved as it succeeded", _approved(summary) is (manifest["status"] == "succeeded")


def _approved(summary: Mapping[str, object]) -> object:
    review = summary["review"]
    return review["decision"]["approved"] if isinstance(review, dict) else None


def main() -> int:
    task = Path(sys.argv[1]) / ".runs" / TASK
    found = list(contradictions(task))
    print("\n".join(found) or "manifests, summaries and history agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
