"""The guard of the size of a change: asks git and the disk, and lets `budget` decide."""

from collections.abc import Iterable, Sequence

from orchestrator_py.guards.budget import OVERRIDE, Budget, weigh
from orchestrator_py.guards.change import Change
from orchestrator_py.guards.changed_lines import changed_lines
from orchestrator_py.guards.comparison import Comparison, against_base, of_commit, of_range, of_work_tree
from orchestrator_py.guards.finding import Report
from orchestrator_py.guards.git import NO_REPOSITORY, Git, open_repository
from orchestrator_py.lean import frozen


@frozen(kw_only=True)
class Measured:
    """What somebody has named: at most one of the four, in the words of the command line."""

    base: str | None = None
    commit: str | None = None
    range: str | None = None
    uncommitted: bool = False


@frozen(kw_only=True)
class Measurement:
    """A change, file by file, and what it was held against."""

    comparison: Comparison
    changes: Sequence[Change]


def measure(root: str, ignored: Iterable[str], measured: Measured) -> Measurement | None:
    """None where there is no repository. InputError if what is named is no commit, or git fails."""
    git = open_repository(root, measured.base, measured.commit, measured.range)
    if git is None:
        return None
    comparison = _compare(git, measured)
    return Measurement(comparison=comparison, changes=changed_lines(git, comparison, ignored))


def hold_against(budget: Budget, measurement: Measurement | None, *, reason: str | None) -> Report:
    """A reason of more than blanks waives what is found."""
    if measurement is None:
        return Report(guard="diff-budget", scope="nothing to measure", notes=[f"diff-budget: {NO_REPOSITORY}"])
    size, findings = weigh(measurement.changes, budget)
    report = Report(guard="diff-budget", scope=f"{size} since {measurement.comparison.label}", findings=findings)
    if findings and reason is not None:
        report.waived = " ".join(reason.split()) or None
        told = f"waived because of {OVERRIDE}: {report.waived}" if report.waived else f"{OVERRIDE} holds no reason and waives nothing"
        report.notes.append(f"diff-budget: {told}")
    return report


def guard_budget(root: str, budget: Budget, ignored: Iterable[str], *, measured: Measured, reason: str | None) -> Report:
    """Both at once."""
    return hold_against(budget, measure(root, ignored, measured), reason=reason)


def _compare(git: Git, measured: Measured) -> Comparison:
    if measured.uncommitted:
        return of_work_tree(git)
    if measured.commit is not None:
        return of_commit(git, measured.commit)
    if measured.range is not None:
        return of_range(git, measured.range)
    return against_base(git, measured.base)
