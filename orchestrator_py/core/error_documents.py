"""The error detail of a failed stage: one file for each stage of a command-line run that ended badly."""

from orchestrator_py.core.command_records import deciding_execution, stage_file_stem
from orchestrator_py.core.command_summary import error_detail
from orchestrator_py.core.json_text import encode_json, pretty_json
from orchestrator_py.model.document import DocumentKind, RunDocument
from orchestrator_py.model.messages import OpenRun
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import Timestamp


def error_documents(opening: OpenRun, place: int | None, report: SubtaskReport, at: Timestamp) -> tuple[RunDocument, ...]:
    """The stage's error file, `place` being that of its command in the manifest.

    None for an embedded run, a success, a waived failure, a sub-pipeline, or a command that never ended.
    """
    if opening.manifest is None or place is None or report.counted is Outcome.SUCCEEDED:
        return ()
    execution, command = deciding_execution(report), opening.manifest.commands[place]
    if execution is None or command.command is None:
        return ()
    detail = error_detail(
        execution,
        run_id=opening.run_id,
        task_id=opening.task.id,
        index=command.index,
        command_id=command.id,
        command=command.command,
        at=at,
    )
    content = encode_json(pretty_json(detail) + "\n")
    return (RunDocument(kind=DocumentKind.ERROR_DETAIL, run_id=opening.run_id, content=content, name=f"{stage_file_stem(command)}.json"),)
