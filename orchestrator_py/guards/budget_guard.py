"""The guard of the size of a change: asks git and the disk, and lets `budget` decide."""

from collections.abc import Iterable

from orchestrator_py.guards.budget import OVERRIDE, Budget, weigh
from orchestrator_py.guards.changed_lines import changed_lines
from orchestrator_py.guards.comparison import Comparison, against_base, of_commit, of_range
from orchestrator_py.guards.finding import Report
from orchestrator_py.guards.git import NO_REPOSITORY, Git, open_repository
from orchestrator_py.lean import frozen


@frozen(kw_only=True)
class Measured:
    """What somebody has named: at most one of the three, in the words of the command line."""

    base: str | None = None
    commit: str | None = None
    range: str | None = None


def guard_budget(root: str, budget: Budget, ignored: Iterable[str], *, measured: Measured, reason: str | None) -> Report:
    """A reason of more than blanks waives what is found. InputError if what is named is no commit, or git fails."""
    git = open_repository(root, measured.base, measured.commit, measured.range)
    if git is None:
        return Report(guard="diff-budget", scope="nothing to measure", notes=[f"diff-budget: {NO_REPOSITORY}"])
    comparison = _compare(git, measured)
    size, findings = weigh(changed_lines(git, comparison, ignored), budget)
    report = Report(guard="diff-budget", scope=f"{size} since {comparison.label}", findings=findings)
    if findings and reason is not None:
        report.waived = " ".join(reason.split()) or None
        told = f"waived because of {OVERRIDE}: {report.waived}" if report.waived else f"{OVERRIDE} holds no reason and waives nothing"
        report.notes.append(f"diff-budget: {told}")
    return report


def _compare(git: Git, measured: Measured) -> Comparison:
    if measured.commit is not None:
        return of_commit(git, measured.commit)
    if measured.range is not None:
        return of_range(git, measured.range)
    return against_base(git, measured.base)
