"""Names of tasks, runs and subtasks, and the one parser that makes a name safe inside a path."""

from orchestrator_py.errors import IdentifierError

TYPE_CHECKING = False  # type checkers read the name; who only reads records is spared the import
if TYPE_CHECKING:
    from typing import Literal, NewType

    TaskId = NewType("TaskId", str)
    RunId = NewType("RunId", str)
    SubtaskId = NewType("SubtaskId", str)
    InstanceId = NewType("InstanceId", str)
else:
    TaskId = RunId = SubtaskId = InstanceId = str

_FORBIDDEN = frozenset('<>:"|?*')
_SUSPECT = frozenset({*map(chr, range(32)), chr(127), *_FORBIDDEN})
_LONGEST_NAME_BYTES = 255  # NAME_MAX of every file system that we write to


def parse_task_id(value: object) -> TaskId:
    """The value, unchanged, if it may name a task's folder; else IdentifierError with the contract's words."""
    return TaskId(_parse_identifier("task", value))


def parse_run_id(value: object) -> RunId:
    """The value, unchanged, if it may name a run's folder; else IdentifierError with the contract's words."""
    return RunId(_parse_identifier("run", value))


def _parse_identifier(kind: 'Literal["task", "run"]', value: object) -> str:
    if not isinstance(value, str) or not value:
        raise IdentifierError(f"Invalid {kind} ID: value must be a non-empty string.")
    reason = _reason_to_refuse(value)
    if reason is not None:
        raise IdentifierError(f'Invalid {kind} ID "{value}": {reason}')
    return value


def _reason_to_refuse(value: str) -> str | None:
    """The first rule that the value breaks, in the contract's order; the last two rules are ours."""
    for character in () if _SUSPECT.isdisjoint(value) else value:
        if character in _FORBIDDEN:
            return f'character "{character}" is not allowed.'
        if character in _SUSPECT:
            return "control characters are not allowed."
    if value.startswith("."):
        return "leading dots are not allowed."
    if "/" in value or "\\" in value:
        return "slashes are not allowed."
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return "lone surrogates are not allowed."
    if len(value.encode()) > _LONGEST_NAME_BYTES:
        return f"it is longer than {_LONGEST_NAME_BYTES} bytes, which no file system can name."
    return None
