"""What a reviewer is given to read: the evidence, as Markdown."""

from collections.abc import Iterator, Sequence

from orchestrator_py.guards.change import Change
from orchestrator_py.guards.checklist import Checklist
from orchestrator_py.guards.finding import Report
from orchestrator_py.lean import field, frozen

MOST_FILES = 200


@frozen(kw_only=True)
class StageEvidence:
    """One stage of the run, in words."""

    id: str
    told: str


@frozen(kw_only=True)
class Evidence:
    """Everything that is known of a change and of the run that has checked it. `show` is a command that prints the change."""

    title: str
    task: str
    run_id: str
    pipeline: str
    status: str
    manifest: str
    scope: str
    show: str | None
    changes: Sequence[Change]
    budget: Report | None
    guardrails: str
    recommendation: str | None
    stages: Sequence[StageEvidence]
    approvals: Sequence[str] = ()
    checklist: Checklist = field(factory=Checklist)
    notes: str | None = None


def hand_off(evidence: Evidence) -> str:
    """The text of review.md."""
    return "\n".join(_lines(evidence)) + "\n"


def _lines(evidence: Evidence) -> Iterator[str]:
    yield f"# Review: {_line(evidence.title)}"
    yield ""
    yield "Please review the change below. Exit code 0 approves it; any other exit code rejects it, and what you print is the feedback."
    yield 'Who decides in words prints `{"approved": false, "feedback": "..."}` as the last line; only `true` with exit code 0 approves.'
    yield from _section("Run", _run(evidence))
    yield from _section("Guardrails", _guardrails(evidence))
    yield from _section("Change", _change(evidence))
    yield from _section("Checklist", _checklist(evidence.checklist))
    yield from _section("Notes", _quoted(evidence.notes) if evidence.notes else ["None were given (variable `NOTES`)."])


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield from lines


def _run(evidence: Evidence) -> list[str]:
    stages = [f"- {_line(stage.id)}: {_line(stage.told)}" for stage in evidence.stages]
    return [
        f"- task: {_line(evidence.task)}",
        f"- run: {_line(evidence.run_id)} of pipeline {_line(evidence.pipeline)}, {_line(evidence.status)}",
        f"- manifest: `{_line(evidence.manifest)}`",
        *(["", "Stages:", "", *stages] if stages else []),
    ]


def _guardrails(evidence: Evidence) -> list[str]:
    approvals = [f"- approved all the same: {_line(approval)}" for approval in evidence.approvals]
    recommended = [f"- {_line(evidence.recommendation)}"] if evidence.recommendation else []
    return [f"- {_line(evidence.guardrails)}", *recommended, *_budget(evidence.budget), *approvals]


def _budget(report: Report | None) -> list[str]:
    if report is None:
        return ["- diff-budget: not measured here; a stage of its own does that, or somebody has skipped it"]
    waived = f" (waived: {_line(report.waived)})" if report.waived and report.findings else ""
    found = f"{len(report.findings) or 'no'} finding{'' if len(report.findings) == 1 else 's'}"
    return [f"- diff-budget: {found}{waived}; {report.scope}", *(f"  - {_line(str(finding))}" for finding in report.findings)]


def _change(evidence: Evidence) -> list[str]:
    changes = sorted(evidence.changes, key=lambda change: change.path)
    lines = sum(change.lines for change in changes)
    files = [f"- {_line(change.path)}: {_told(change)}" for change in changes[:MOST_FILES]]
    more = [f"- and {len(changes) - MOST_FILES} more"] if len(changes) > MOST_FILES else []
    show = [f"- to see it: `{evidence.show}`"] if evidence.show else []
    return [f"- {evidence.scope}: {len(changes)} files, {lines} lines added and deleted", *show, "", *files, *more]


def _told(change: Change) -> str:
    return f"{change.lines} lines{', generated' if change.generated else ''}{f', {change.problem}' if change.problem else ''}"


def _checklist(checklist: Checklist) -> list[str]:
    if checklist.path is None:
        return [f"The task has none ({', '.join(f'`{place}`' for place in checklist.looked_at)})."]
    summary = ["", f"Summary of `{_line(checklist.summary_path)}`:", "", *_quoted(checklist.summary)] if checklist.summary_path else []
    return [f"`{_line(checklist.path)}`: {checklist.done} of {len(checklist.items)} done.", "", *map(_line, checklist.items), *summary]


def _quoted(text: str) -> list[str]:
    """What others wrote makes no headings of ours."""
    return [f"> {_line(line)}".rstrip() for line in text.strip().splitlines()]


def _line(text: str) -> str:
    """Begins no line of its own, and moves no cursor."""
    return "".join(character if character.isprintable() or character == "\t" else " " for character in text)
