"""What the guards found: as lines, as data, as annotations."""

import os
from collections.abc import Iterable, Iterator, Sequence

from orchestrator_py.cli.workflow_commands import workflow_command
from orchestrator_py.guards.finding import Finding, Report

MOST_ANNOTATIONS = 10
"""GitHub shows no more of a step."""


def lines(reports: Iterable[Report]) -> Iterator[str]:
    """A line for each finding, and one for each guard."""
    for report in reports:
        yield from map(str, report.findings)
        found = f"{len(report.findings) or 'no'} finding{'' if len(report.findings) == 1 else 's'}"
        yield f"{report.guard}: {found}{' (waived)' if report.waived and report.findings else ''}; {report.scope}"


def findings_data(reports: Sequence[Report]) -> dict[str, object]:
    """The one JSON document of `guard --format json`."""
    return {
        "findings": [_finding_data(finding) for report in reports for finding in report.findings],
        "notes": [note for report in reports for note in report.notes],
    }


def annotations(reports: Iterable[Report], root: str, workspace: str) -> list[str]:
    """Workflow commands: an error for each finding, a warning for one that is waived. Files are named from the workspace."""
    found = [(finding, "warning" if report.waived else "error") for report in reports for finding in report.findings]
    shown = found if len(found) <= MOST_ANNOTATIONS else found[: MOST_ANNOTATIONS - 1]
    told = [_annotation(kind, finding, root, workspace) for finding, kind in shown]
    rest = len(found) - len(shown)
    return [*told, workflow_command("error", f"and {rest} more; the log of the step names all", title="more")] if rest else told


def _annotation(kind: str, finding: Finding, root: str, workspace: str) -> str:
    place = {}
    if finding.file is not None:
        place["file"] = os.path.relpath(os.path.join(root, finding.file), os.path.realpath(workspace))
    if finding.line is not None:
        place["line"] = str(finding.line)
    return workflow_command(kind, f"{finding.message}. {finding.remedy}.", **place, title=finding.rule)


def _finding_data(finding: Finding) -> dict[str, object]:
    return {
        "file": finding.file,
        "line": finding.line,
        "rule": finding.rule,
        "message": finding.message,
        "remedy": finding.remedy,
    }
