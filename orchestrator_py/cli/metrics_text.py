"""What the `metrics` commands say, as text and as data."""

from collections.abc import Iterator, Sequence

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.pruning import FinishedRun
from orchestrator_py.ids import TaskId
from orchestrator_py.model.finding import Finding
from orchestrator_py.model.rollups import Completeness, MttrDelta
from orchestrator_py.store.audit import Audit
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.overview import Overview
from orchestrator_py.store.prune import Candidates
from orchestrator_py.store.rebuild import Rebuilt

NAMED = 10
"""Lines that cannot be read are named up to so many; all are counted."""


def finding_data(finding: Finding) -> dict[str, object]:
    """Keys: path, line (null where there is none), problem, remedy."""
    return {"path": finding.path, "line": finding.line, "problem": finding.problem, "remedy": finding.remedy}


# show --------------------------------------------------------------------------------------------------------------


def overview_data(overview: Overview) -> dict[str, object]:
    """The totals, and the two rollups that are measured against a threshold, as their documents hold them."""
    totals, rollups = overview.rollups.post_rollout, overview.rollups
    return {
        "total_runs": 0 if totals is None else totals.total_runs,
        "succeeded_runs": 0 if totals is None else totals.succeeded_runs,
        "completion_rate": None if totals is None else totals.completion_rate,
        "mttr": _without_time(rollups.mttr_delta),
        "completeness": _without_time(rollups.completeness),
        "unreadable": {"count": len(overview.unreadable), "lines": [finding_data(one) for one in overview.unreadable[:NAMED]]},
        "queued": overview.queued,
        "pruned": overview.pruned,
    }


def overview_lines(overview: Overview) -> Iterator[str]:
    """A paragraph; what is nought is left out."""
    totals = overview.rollups.post_rollout
    if totals is None:
        yield f"{overview.task_id}: no runs"
    else:
        verdict = "" if totals.meets_threshold else ", below the threshold of 95 %"
        rate = f"{totals.completion_rate:.1%}".replace("%", " %")
        yield f"{overview.task_id}: {_count(totals.total_runs, 'run')}, {totals.succeeded_runs} succeeded ({rate}{verdict})"
    yield from _duration_lines(overview.rollups.mttr_delta)
    yield from _completeness_lines(overview.rollups.completeness)
    if overview.queued:
        yield f"  {_count(overview.queued, 'entry', 'entries')} in the queue, not counted yet"
    if overview.pruned:
        yield f"  {_count(overview.pruned, 'run')} pruned"
    if overview.unreadable:
        yield f"  {_count(len(overview.unreadable), 'line')} cannot be read and do not count"
        yield from (f"    {finding}" for finding in overview.unreadable[:NAMED])


def _duration_lines(mttr: MttrDelta | None) -> Iterator[str]:
    if mttr is not None and mttr.current_mttr_seconds is not None and mttr.baseline_mttr_seconds is not None:
        yield f"  mean duration {mttr.current_mttr_seconds:.3f} s, baseline {mttr.baseline_mttr_seconds:.3f} s"


def _completeness_lines(completeness: Completeness | None) -> Iterator[str]:
    if completeness is not None:
        counts = completeness.missing_counts
        yield (
            f"  missing: instance_stats {counts.instance_stats}, privacy_events {counts.privacy_events}, "
            f"control_plane_status {counts.control_plane_status} (ratio {completeness.missing_field_ratio:.3f})"
        )


def _without_time(document: MttrDelta | Completeness | None) -> object:
    data = None if document is None else to_json(document)
    return {key: value for key, value in data.items() if key != "updated_at"} if isinstance(data, dict) else None


# verify ------------------------------------------------------------------------------------------------------------


def verified_lines(task_id: TaskId, audited: Audit) -> Iterator[str]:
    """One line for each finding, or one that says that there is none."""
    yield from map(str, audited.findings)
    yield from (f"note: {notice}" for notice in audited.notices)
    yield f"{task_id}: {_count(len(audited.findings), 'finding')}" if audited.findings else f"{task_id}: equal"


# rebuild -----------------------------------------------------------------------------------------------------------


def rebuilt_data(task: TaskLayout, rebuilt: Rebuilt) -> dict[str, object]:
    """Paths are relative to the repository."""
    return {
        "entries": rebuilt.entries,
        "unreadable": rebuilt.unreadable,
        "repeated": rebuilt.repeated,
        "restored": rebuilt.restored,
        "set_aside": [task.layout.relative(path) for path in rebuilt.set_aside],
        "left": [finding_data(finding) for finding in rebuilt.left],
    }


def rebuilt_lines(task: TaskLayout, rebuilt: Rebuilt) -> Iterator[str]:
    """What stands there now, and what became of the rest."""
    yield f"{task.task_id}: {_count(rebuilt.entries, 'entry', 'entries')}"
    if rebuilt.unreadable:
        yield f"  {_count(rebuilt.unreadable, 'line')} that cannot be read: kept in the file set aside"
    if rebuilt.repeated:
        yield f"  {_count(rebuilt.repeated, 'entry', 'entries')} gave way to a later one of the same run"
    if rebuilt.restored:
        yield f"  {_count(rebuilt.restored, 'entry', 'entries')} made again from the manifests of the runs"
    yield from (f"  set aside: {task.layout.relative(path)}" for path in rebuilt.set_aside)
    yield from (f"  left as it is: {finding}" for finding in rebuilt.left)


# prune -------------------------------------------------------------------------------------------------------------


def pruned_lines(task_id: TaskId, removed: Sequence[FinishedRun], candidates: Candidates, *, dry_run: bool) -> Iterator[str]:
    """The runs that went, and why others were kept that nobody asked to keep."""
    word = "would be removed" if dry_run else "removed"
    yield f"{task_id}: {_count(len(removed), 'run')} {word}, {len(candidates.finished) - len(removed)} left"
    yield from (f"  {word}: {run.run_id}" for run in removed)
    yield from (f"  kept: {finding}" for finding in candidates.kept)


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
