"""Is a change small enough to be read? Decided from facts alone."""

from collections.abc import Iterable, Sequence

from orchestrator_py.guards.change import Change
from orchestrator_py.guards.finding import Finding
from orchestrator_py.lean import frozen

OVERRIDE = "DIFF_BUDGET_OVERRIDE_REASON"
_NAMED = 3
_SPLIT = f"Split the change, or say in {OVERRIDE} why it cannot be split"


@frozen(kw_only=True)
class Budget:
    """What one change may have at most."""

    files: int
    lines: int


def weigh(changes: Iterable[Change], budget: Budget) -> tuple[str, list[Finding]]:
    """The size of the change in words, and what is wrong with it. Generated files count in nothing."""
    counted = [change for change in changes if not change.generated]
    lines = sum(change.lines for change in counted)
    findings = [_uncounted(change) for change in counted if change.problem]
    if len(counted) > budget.files:
        findings.append(_over("diff-files", len(counted), "files", budget.files, sorted(change.path for change in counted)))
    if lines > budget.lines:
        largest = sorted(counted, key=lambda change: (-change.lines, change.path))
        findings.append(_over("diff-lines", lines, "lines", budget.lines, [f"{change.path} ({change.lines})" for change in largest]))
    return f"{len(counted)} of {budget.files} files, {lines} of {budget.lines} lines", findings


def _over(rule: str, number: int, what: str, allowed: int, names: Sequence[str]) -> Finding:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    message = f"{number} {what} have changed, {allowed} are allowed: {', '.join(names[:_NAMED])}{more}"
    return Finding(file=None, rule=rule, message=message, remedy=_SPLIT)


def _uncounted(change: Change) -> Finding:
    remedy = "Add it to .gitignore or to ignoredPaths, or make it smaller and readable"
    return Finding(file=change.path, rule="diff-untracked", message=str(change.problem), remedy=remedy)
