"""The audit of one task: everything is read again and held against everything else. Nothing is changed, no lock is taken."""

import os
from collections.abc import Iterable, Iterator, Mapping

from orchestrator_py.core.history_lines import Ending, HistoryNotes, ending_of, endings_in
from orchestrator_py.core.pruning import is_terminal
from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.errors import StoreError
from orchestrator_py.lean import frozen
from orchestrator_py.model.finding import MENDED_BY_REBUILD, Finding
from orchestrator_py.store.history import read_history
from orchestrator_py.store.journal_audit import audit_journal, waiting_temps
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import read_queue
from orchestrator_py.store.rollup_audit import audit_rollups
from orchestrator_py.store.run_folders import FoundRun, command_line_runs, refuse_strange_folders

_CHOICE = (
    "if the manifest is right, set its metrics_recorded to false, and `orchestrator-py metrics rebuild` records it; "
    "if the entry is right, move the run's folder away"
)
"""Nothing on record tells which of the two is older."""


@frozen(kw_only=True)
class Audit:
    """`notices` are no faults: things that somebody may want to know."""

    findings: tuple[Finding, ...]
    notices: tuple[Finding, ...] = ()

    def lasting(self, later: "Audit") -> "Audit":
        """What both audits found; a live writer's work in progress does not look the same twice."""
        again = set(later.findings)
        return Audit(findings=tuple(finding for finding in self.findings if finding in again), notices=later.notices)


def audit(task: TaskLayout) -> Audit:
    """What is not as it should be. StoreError if history or journal cannot be read at all."""
    refuse_strange_folders(task)
    notes = HistoryNotes()
    rollup = rollup_of_history(notes.noting(read_history(task, damaged=True)))
    findings = [
        *_audit_lines(task, notes),
        *audit_journal(task),
        *audit_rollups(task, rollup, notes.size),
        *_audit_runs(task, command_line_runs(task), notes.runs | endings_in(_queued_lines(task))),
    ]
    return Audit(findings=tuple(findings), notices=tuple(_notices(task)))


def _audit_lines(task: TaskLayout, notes: HistoryNotes) -> Iterator[Finding]:
    """Lines of the journal have the number that they will have in metrics.json."""
    path = task.layout.relative(task.metrics)
    for note in notes.unreadable:
        yield Finding(path=path, line=note.number, problem=f"this line cannot be read and does not count: {note.text}")
    for note in notes.repeated:
        yield Finding(path=path, line=note.number, problem=f"the entry of run {note.text} stands there already")


def _audit_runs(task: TaskLayout, runs: Iterable[FoundRun], recorded: Mapping[str, Ending]) -> Iterator[Finding]:
    """A run's manifest and the history must say the same. A run with a marker is alive, or will be completed by the next opening."""
    for run in runs:
        problem = _run_problem(run, recorded)
        if problem is not None and not os.path.lexists(task.live_runs / run.run_id):
            yield Finding(path=task.layout.relative(run.path), problem=problem, remedy=_remedy(run, recorded))


def unusable_runs(task: TaskLayout) -> tuple[Finding, ...]:
    """The folders whose manifest tells nothing, and which are no living process's: no rebuild can mend them."""
    return tuple(_audit_runs(task, (run for run in command_line_runs(task) if run.document is None), {}))


def _run_problem(run: FoundRun, recorded: Mapping[str, Ending]) -> str | None:
    manifest = run.document
    if manifest is None:
        return run.problem
    ending, says_so = recorded.get(run.run_id), manifest.get("metrics_recorded") is True
    if not is_terminal(manifest):
        return None if ending is None else f"status is {manifest.get('status')!r}, but the run's entry is on record"
    if ending is None:
        return f"metrics_recorded is {'true' if says_so else 'false'}, and no entry of the run can be read"
    if ending == ending_of(manifest):
        return None if says_so else "metrics_recorded is false, but the run's entry is on record"
    if says_so:
        return (
            f"it says that the run ended as {_told(ending_of(manifest))}, and that this was recorded; the run's entry says {_told(ending)}"
        )
    return "the run has ended again, and only its earlier entry is on record"


def _told(ending: Ending) -> str:
    status, completed_at = ending
    return f"{status!s:.80} ({'no completed_at' if completed_at is None else f'completed_at {completed_at!s:.80}'})"


def _remedy(run: FoundRun, recorded: Mapping[str, Ending]) -> str:
    if run.document is None:
        return "put the file back, or move the run's folder away"
    if not is_terminal(run.document):
        return "its process was lost; the entry counts, and the folder can be moved away"
    if run.run_id in recorded and run.document.get("metrics_recorded") is True:
        return _CHOICE
    return MENDED_BY_REBUILD


def _queued_lines(task: TaskLayout) -> Iterator[bytes]:
    try:
        yield from (entry.line for files in read_queue(task.pending) for file in files for entry in file.entries)
    except StoreError:  # told by the audit of the queue
        return


def _notices(task: TaskLayout) -> Iterator[Finding]:
    problem = "a process is writing this, or was killed at it"
    remedy = "remove it when no process works on the task"
    return (Finding(path=task.layout.relative(path), problem=problem, remedy=remedy) for path in waiting_temps(task))
