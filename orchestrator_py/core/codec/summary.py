"""The run summary and the results in it as JSON; a value's exact words (outcome, cause, subtasks) stay with the Python object."""

from orchestrator_py.core.codec.strict import Converter, shape
from orchestrator_py.model.result import BuildArtifact, BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.summary import GroupEntry, GroupSummary, RunSummary

_EXECUTION = frozenset({"execution"})
_PYTHON_ONLY = frozenset({"outcome", "cause", "subtasks"})


def add_summary_shapes(converter: Converter) -> None:
    """Build, test and review results, the group, the run summary."""
    shape(converter, BuildArtifact, keys="camel", always="all")
    shape(converter, BuildResult, keys="camel", hidden=_EXECUTION, always=frozenset({"artifacts", "mode", "run_id"}), extra=True)
    shape(converter, TestReport, keys="camel")
    shape(converter, TestResult, keys="camel", hidden=_EXECUTION, always=frozenset({"reports", "run_id"}), extra=True)
    shape(converter, ReviewDecision, keys="camel")
    shape(converter, ReviewResult, keys="camel", hidden=_EXECUTION, extra=True)
    shape(converter, GroupEntry, keys="camel")
    shape(converter, GroupSummary, keys="camel", always="all")
    shape(converter, RunSummary, keys="camel", hidden=_PYTHON_ONLY, extra=True)
