"""Runs groups of subtasks concurrently and reports truly how they went.

The public names: each is imported from the module that defines it when it is first used, so that `import orchestrator_py` costs nothing.
"""

import sys

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers read the name; that of `typing` costs a fifth of a start
if TYPE_CHECKING:
    from orchestrator_py.app.task_manager import TaskManager as TaskManager
    from orchestrator_py.core.codec.contract import from_json as from_json
    from orchestrator_py.core.codec.contract import to_json as to_json
    from orchestrator_py.errors import ConfigurationError as ConfigurationError
    from orchestrator_py.errors import DecodeError as DecodeError
    from orchestrator_py.errors import DefectError as DefectError
    from orchestrator_py.errors import HistoryChangedError as HistoryChangedError
    from orchestrator_py.errors import IdentifierError as IdentifierError
    from orchestrator_py.errors import InputError as InputError
    from orchestrator_py.errors import NotRecordedError as NotRecordedError
    from orchestrator_py.errors import OrchestratorError as OrchestratorError
    from orchestrator_py.errors import PlanError as PlanError
    from orchestrator_py.errors import RunHeldError as RunHeldError
    from orchestrator_py.errors import StoreError as StoreError
    from orchestrator_py.errors import WorkError as WorkError
    from orchestrator_py.executors.dask_executor import DaskExecutor as DaskExecutor
    from orchestrator_py.model.events import AttemptFailed as AttemptFailed
    from orchestrator_py.model.events import BuildCompleted as BuildCompleted
    from orchestrator_py.model.events import Event as Event
    from orchestrator_py.model.events import PlanCompleted as PlanCompleted
    from orchestrator_py.model.events import ReviewCompleted as ReviewCompleted
    from orchestrator_py.model.events import RunCompleted as RunCompleted
    from orchestrator_py.model.events import RunStarted as RunStarted
    from orchestrator_py.model.events import RunStopping as RunStopping
    from orchestrator_py.model.events import SubtaskFinished as SubtaskFinished
    from orchestrator_py.model.events import SubtaskStarted as SubtaskStarted
    from orchestrator_py.model.events import TestCompleted as TestCompleted
    from orchestrator_py.model.outcome import FailurePolicy as FailurePolicy
    from orchestrator_py.model.outcome import Outcome as Outcome
    from orchestrator_py.model.outcome import SkipReason as SkipReason
    from orchestrator_py.model.outcome import StopCause as StopCause
    from orchestrator_py.model.outcome import StopKind as StopKind
    from orchestrator_py.model.policy import RetryPolicy as RetryPolicy
    from orchestrator_py.model.policy import SubtaskPolicy as SubtaskPolicy
    from orchestrator_py.model.result import BuildArtifact as BuildArtifact
    from orchestrator_py.model.result import BuildInput as BuildInput
    from orchestrator_py.model.result import BuildResult as BuildResult
    from orchestrator_py.model.result import ReviewDecision as ReviewDecision
    from orchestrator_py.model.result import ReviewInput as ReviewInput
    from orchestrator_py.model.result import ReviewResult as ReviewResult
    from orchestrator_py.model.result import TestInput as TestInput
    from orchestrator_py.model.result import TestReport as TestReport
    from orchestrator_py.model.result import TestResult as TestResult
    from orchestrator_py.model.summary import AttemptReport as AttemptReport
    from orchestrator_py.model.summary import GroupEntry as GroupEntry
    from orchestrator_py.model.summary import GroupSummary as GroupSummary
    from orchestrator_py.model.summary import RunSummary as RunSummary
    from orchestrator_py.model.summary import SubtaskReport as SubtaskReport
    from orchestrator_py.model.task import Mode as Mode
    from orchestrator_py.model.task import PlanItem as PlanItem
    from orchestrator_py.model.task import PlanResult as PlanResult
    from orchestrator_py.model.task import TaskContext as TaskContext
    from orchestrator_py.ports import Builder as Builder
    from orchestrator_py.ports import Clock as Clock
    from orchestrator_py.ports import EventSink as EventSink
    from orchestrator_py.ports import Planner as Planner
    from orchestrator_py.ports import Reviewer as Reviewer
    from orchestrator_py.ports import Tester as Tester

_NAMES = {
    "app.task_manager": "TaskManager",
    "core.codec.contract": "from_json to_json",
    "errors": "ConfigurationError DecodeError DefectError HistoryChangedError IdentifierError InputError OrchestratorError PlanError "
    "NotRecordedError RunHeldError StoreError WorkError",
    "executors.dask_executor": "DaskExecutor",
    "model.events": "AttemptFailed BuildCompleted Event PlanCompleted ReviewCompleted RunCompleted RunStarted RunStopping SubtaskFinished "
    "SubtaskStarted TestCompleted",
    "model.outcome": "FailurePolicy Outcome SkipReason StopCause StopKind",
    "model.policy": "RetryPolicy SubtaskPolicy",
    "model.result": "BuildArtifact BuildInput BuildResult ReviewDecision ReviewInput ReviewResult TestInput TestReport TestResult",
    "model.summary": "AttemptReport GroupEntry GroupSummary RunSummary SubtaskReport",
    "model.task": "Mode PlanItem PlanResult TaskContext",
    "ports": "Builder Clock EventSink Planner Reviewer Tester",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = list(_HOMES)


def _load(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if sys.platform == "win32":
        raise ImportError("orchestrator_py needs Linux or macOS: it relies on process groups and kernel file locks.")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value  # from now on an ordinary attribute
    return value


if not TYPE_CHECKING:  # hidden from type checkers, or they would believe in every misspelt name
    __getattr__ = _load


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
