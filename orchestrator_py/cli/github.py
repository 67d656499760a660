"""What a run leaves in the log and on the summary page of a GitHub workflow."""

import os
from collections.abc import Iterable, Iterator, Sequence

from orchestrator_py.cli.console import printable
from orchestrator_py.cli.finished_runs import FinishedRun
from orchestrator_py.cli.workflow_commands import harmless, workflow_command
from orchestrator_py.core.command_records import deciding_execution
from orchestrator_py.core.tally import marks, tally, why, word
from orchestrator_py.model.manifest import CommandRecord
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import SubtaskReport

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
MOST_ANNOTATIONS = 10
MOST_SUMMARY_BYTES = 1024 * 1024

_LONGEST_CELL = 300
_MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\`*_[]{}<>|#~&!$@:"})


def annotations(runs: Iterable[FinishedRun]) -> list[str]:
    """Workflow commands: an error for each stage that did not succeed, a warning for each waived or flaky one; GitHub shows ten of each."""
    errors, warnings = [], []
    for run in runs:
        for command, report in run.stages:
            if report.started and report.counted is not Outcome.SUCCEEDED:
                errors.append(_error(command, report))
        warnings += [workflow_command("warning", mark, title=run.manifest.pipeline_id) for mark in marks(run.summary.subtasks)]
    return [*_first(errors, "error"), *_first(warnings, "warning")]


def groups(runs: Iterable[FinishedRun]) -> Iterator[str]:
    """What each stage that did not succeed has printed, folded away; the runner obeys none of these lines but the first and the last."""
    for run in runs:
        for _, report in run.stages:
            execution = deciding_execution(report)
            if not report.started or report.counted is Outcome.SUCCEEDED or execution is None:
                continue
            said = [line for output in (execution.stdout, execution.stderr) for line in output.tail.split("\n") if line]
            if not said:
                continue
            yield workflow_command("group", f"{report.subtask_id} {word(report.outcome)}: the end of its output")
            yield from (harmless(printable(line)) for line in said)
            yield workflow_command("endgroup", "")


def step_summary(runs: Sequence[FinishedRun], room: int = MOST_SUMMARY_BYTES) -> str:
    """Markdown of at most so many bytes: a table for each run; lines that find no room are counted."""
    kept: list[str] = []
    lines = [line for run in runs for line in _table(run)]
    note = "\n… and {} more lines\n"
    left = room - len(note.format(len(lines)).encode())
    for line in lines:
        left -= len(line.encode(errors="replace")) + 1
        if left < 0:
            return "\n".join(kept) + note.format(len(lines) - len(kept)) if kept else ""
        kept.append(line)
    return "\n".join(kept) + "\n"


def append_summary(path: str, runs: Sequence[FinishedRun]) -> None:
    """To what other programs of the step have written, on a line of its own. OSError if that fails."""
    with open(path, "ab") as file:
        size = os.fstat(file.fileno()).st_size
        gap = "" if _ends_a_line(path, size) else "\n"
        summary = step_summary(runs, MOST_SUMMARY_BYTES - size - len(gap))
        if summary:
            file.write(f"{gap}{summary}".encode(errors="replace"))


def _ends_a_line(path: str, size: int) -> bool:
    if not size:
        return True
    with open(path, "rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _error(command: CommandRecord, report: SubtaskReport) -> str:
    where = "" if command.log_path is None else f"\nlog: {command.log_path}"
    return workflow_command("error", f"{why(report) or word(report.outcome)}{where}", title=f"{report.subtask_id} {word(report.outcome)}")


def _first(commands: list[str], kind: str) -> list[str]:
    if len(commands) <= MOST_ANNOTATIONS:
        return commands
    more = workflow_command(kind, f"and {len(commands) - MOST_ANNOTATIONS + 1} more; the summary of the step names all", title="more")
    return [*commands[: MOST_ANNOTATIONS - 1], more]


def _table(run: FinishedRun) -> Iterator[str]:
    manifest = run.manifest
    yield f"### {_cell(manifest.pipeline_id)} {word(run.outcome)}"
    yield ""
    yield _cell(f"{tally(run.summary.subtasks)}, run {manifest.run_id}")
    yield ""
    yield "| stage | outcome | seconds | |"
    yield "| --- | --- | ---: | --- |"
    for command, report in run.stages:
        seconds = sum(attempt.elapsed.total_seconds() for attempt in report.attempts)
        ended = word(report.outcome) if report.started else "not started"
        marked = f"{ended}{', waived' if report.waived else ''}{', flaky' if report.flaky else ''}"
        yield f"| {_cell(command.id)} | {marked} | {f'{seconds:.1f}' if report.attempts else ''} | {_cell(why(report))} |"
    yield ""


def _cell(text: str) -> str:
    """What others wrote is neither markup nor the end of a line."""
    cut = text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"
    return "".join(character if character.isprintable() else " " for character in cut).translate(_MARKDOWN)
