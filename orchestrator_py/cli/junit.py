"""The runs of one call as JUnit XML: a suite for each run, a test case for each stage. It never looks better than the verdict."""

import os
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from orchestrator_py.cli.finished_runs import FinishedRun
from orchestrator_py.core.command_records import deciding_execution
from orchestrator_py.core.tally import by_whom, why, word
from orchestrator_py.core.xml_text import xml_text
from orchestrator_py.errors import InputError, StoreError
from orchestrator_py.lean import frozen
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.store.files import make_folders, remove_file, replace_bytes

TYPE_CHECKING = False  # the library is imported when a file is written
if TYPE_CHECKING:
    from junitparser import TestCase, TestSuite

_NO = (Outcome.FAILED, Outcome.REJECTED)


@frozen
class JunitFile:
    """Where the report goes. `JunitFile.at` makes one that can be written."""

    path: Path

    @classmethod
    def at(cls, name: str) -> "JunitFile":
        """The file of that name; what an earlier run left there is gone. InputError if it cannot be written, or the library is missing."""
        from importlib.util import find_spec

        if find_spec("junitparser") is None:
            raise InputError("--junit-xml needs the library junitparser; install orchestrator-py[junit].")
        path = Path(os.path.abspath(name))
        try:
            make_folders(path.parent)
            replace_bytes(path, b"", durable=False)
            remove_file(path)
        except StoreError as error:
            raise InputError(f"--junit-xml {error}") from None
        return cls(path)

    def write(self, runs: Iterable[FinishedRun]) -> None:
        """Replaces the file whole. StoreError if that fails."""
        replace_bytes(self.path, junit_xml(runs), durable=False)


def junit_xml(runs: Iterable[FinishedRun]) -> bytes:
    """The document, UTF-8."""
    from junitparser import JUnitXml

    document, content = JUnitXml("orchestrator-py"), BytesIO()
    for run in runs:
        document.add_testsuite(_suite(run))
    document.update_statistics()
    document.write(content)
    return content.getvalue()


def _suite(run: FinishedRun) -> "TestSuite":
    from junitparser import Error, TestSuite

    manifest = run.manifest
    suite = TestSuite(xml_text(manifest.pipeline_id))
    suite.timestamp = manifest.started_at
    for key, value in {"run_id": manifest.run_id, "task_id": manifest.task_id, "outcome": run.outcome.value}.items():
        suite.add_property(key, xml_text(value))
    suite.add_testcases([_case(manifest.pipeline_id, command.id, report) for command, report in run.stages])
    suite.update_statistics()
    if run.outcome is not Outcome.SUCCEEDED and not (suite.failures or suite.errors):
        suite.add_testcase(_new_case(manifest.pipeline_id, "(run)", 0.0, Error(xml_text(_why_not(run)), run.outcome.value)))
    return suite


def _why_not(run: FinishedRun) -> str:
    """A run of which no stage says that it did not succeed: it was stopped between two stages, or nothing ran."""
    cause = run.summary.cause
    return "nothing ran" if run.outcome is Outcome.SKIPPED else word(run.outcome) + (f": {by_whom(cause)}" if cause else "")


def _case(classname: str, name: str, report: SubtaskReport) -> "TestCase":
    from junitparser import Error, Failure, Properties, Property, Skipped, SystemErr, SystemOut

    reason, outcome = xml_text(why(report)), report.outcome.value
    seconds = sum(attempt.elapsed.total_seconds() for attempt in report.attempts)
    case, notes = _new_case(classname, name, seconds), _notes(report)
    if notes:
        properties = Properties()
        for key, value in notes.items():
            properties.add_property(Property(key, xml_text(value)))
        case.append(properties)
    if report.outcome is Outcome.ERROR or (report.started and report.counted not in (Outcome.SUCCEEDED, *_NO)):
        case.append(Error(reason or word(report.outcome), outcome))
    elif not report.started:
        case.append(Skipped(reason or "not started"))
    elif report.counted in _NO:
        case.append(Failure(reason or word(report.outcome), outcome))
    execution = deciding_execution(report)
    said = "" if execution is None else execution.stdout.tail
    for kind, text in ((SystemOut, "".join(f"{key}: {value}\n" for key, value in notes.items()) + said), (SystemErr, _errors(report))):
        if text:
            case.append(kind(xml_text(text)))
    return case


def _new_case(classname: str, name: str, seconds: float, result: object = None) -> "TestCase":
    from junitparser import TestCase

    case = TestCase(xml_text(name), xml_text(classname), round(seconds, 3))
    if result is not None:
        case.append(result)
    return case


def _errors(report: SubtaskReport) -> str:
    execution = deciding_execution(report)
    return "" if execution is None else execution.stderr.tail


def _notes(report: SubtaskReport) -> dict[str, str]:
    """What a test case that passed does not tell by itself."""
    notes = {}
    if report.waived:
        notes["waived"] = f"{word(report.outcome)} {why(report)}".strip()
    if report.flaky:
        notes["flaky"] = f"{len(report.attempts)} attempts"
    if report.started and report.skip_reason is not None:
        notes["reused"] = "kept from an earlier call"
    return notes
