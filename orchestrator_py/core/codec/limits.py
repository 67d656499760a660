"""Texts and numbers that may not be just any text or number: a type for each, and what a converter does with it."""

import math
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import NewType

from orchestrator_py.core.codec.problems import Problem, ShapeError, show
from orchestrator_py.core.codec.strict import Converter
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.policy import RETRYABLE

Name = NewType("Name", str)  # more than blanks
ShellText = NewType("ShellText", str)  # what can be handed to a process
Command = NewType("Command", str)  # both
InnerPath = NewType("InnerPath", str)  # both, and it stays inside the repository
VariableName = NewType("VariableName", str)  # what can name an environment variable
Limit = NewType("Limit", timedelta)  # in seconds, at least a millisecond
LimitMilliseconds = NewType("LimitMilliseconds", timedelta)  # the same in milliseconds
Pause = NewType("Pause", timedelta)  # in seconds, may be 0
Attempts = NewType("Attempts", int)  # at least 1
Units = NewType("Units", int)  # the same, of a resource
Least1 = NewType("Least1", int)  # the same, of anything else
Factor = NewType("Factor", float)  # at least 1
RetryableOutcome = NewType("RetryableOutcome", Outcome)  # after which another attempt may follow

NO_PAUSE = Pause(timedelta())
ONE_ATTEMPT = Attempts(1)
THIRTY_DAYS = Least1(30)
NO_GROWTH = Factor(1.0)
_SHORTEST_LIMIT = timedelta(milliseconds=1)

SCHEMAS: Mapping[object, Mapping[str, object]] = {
    Name: {"type": "string", "pattern": "\\S"},
    ShellText: {"type": "string", "pattern": "^[^\\u0000]*$"},
    Command: {"type": "string", "pattern": "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"},
    VariableName: {"type": "string", "pattern": "^[^=\\u0000]+$"},
    Limit: {"type": "number", "minimum": 0.001},
    LimitMilliseconds: {"type": "number", "minimum": 1},
    Pause: {"type": "number", "minimum": 0},
    Attempts: {"type": "integer", "minimum": 1},
    Units: {"type": "integer", "minimum": 1},
    Least1: {"type": "integer", "minimum": 1},
    InnerPath: {"type": "string", "pattern": "^(?!\\s*/)(?!(\\s*|.*/)\\.\\.(/|\\s*$))[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"},
    Factor: {"type": "number", "minimum": 1},
    RetryableOutcome: {"enum": sorted(outcome.value for outcome in RETRYABLE)},
}
"""The same limits as JSON Schema says them."""


def add_limits(converter: Converter) -> None:
    """Let the converter check every type of this module."""
    converter.register_structure_hook(Name, _name)
    converter.register_structure_hook(ShellText, _shell_text)
    converter.register_structure_hook(VariableName, _variable_name)
    converter.register_structure_hook(Command, _command)
    converter.register_structure_hook(Attempts, _count)
    converter.register_structure_hook(Units, _count)
    converter.register_structure_hook(Least1, _count)
    converter.register_structure_hook(InnerPath, _inner_path)
    converter.register_structure_hook(Factor, _factor)
    converter.register_structure_hook(RetryableOutcome, _retryable)
    converter.register_structure_hook(Limit, partial(_span, timedelta(seconds=1), _SHORTEST_LIMIT))
    converter.register_structure_hook(LimitMilliseconds, partial(_span, timedelta(milliseconds=1), _SHORTEST_LIMIT))
    converter.register_structure_hook(Pause, partial(_span, timedelta(seconds=1), NO_PAUSE))


def _name(data: object, _: object) -> str:
    if isinstance(data, str) and data.strip():
        return data
    raise _expected("a text that is not empty", data)


def _shell_text(data: object, _: object) -> str:
    """A process takes neither a NUL character nor half of a surrogate pair."""
    if isinstance(data, str) and "\0" not in data and not any("\ud800" <= character <= "\udfff" for character in data):
        return data
    raise _expected("a text without NUL characters and lone surrogates", data)


def _variable_name(data: object, kind: object) -> str:
    name = _shell_text(data, kind)
    if name and "=" not in name:
        return name
    raise _expected("the name of a variable, not empty and without '='", data)


def _command(data: object, kind: object) -> str:
    return _shell_text(_name(data, kind), kind)


def _inner_path(data: object, kind: object) -> str:
    path = _command(data, kind).strip()  # as it is used
    if path.startswith("/") or ".." in path.split("/"):
        raise _expected("a path inside the repository, relative to it", data)
    return path


def _span(unit: timedelta, least: timedelta, data: object, _: object) -> timedelta:
    if isinstance(data, int | float) and not isinstance(data, bool) and data >= 0:
        try:
            span = data * unit
        except OverflowError:
            raise _expected("a smaller number", data) from None
        if span >= least:
            return span
    raise _expected("a time of at least a millisecond" if least else "0 or a greater number", data)


def _count(data: object, _: object) -> int:
    if type(data) is int and data >= 1:
        return data
    raise _expected("a whole number, at least 1", data)


def _factor(data: object, _: object) -> float:
    if isinstance(data, int | float) and not isinstance(data, bool) and 1 <= data < math.inf:
        return float(data)
    raise _expected("a number, at least 1", data)


def _retryable(data: object, _: object) -> Outcome:
    known = {outcome.value: outcome for outcome in RETRYABLE}
    if isinstance(data, str) and data in known:
        return known[data]
    raise _expected(f"one of {', '.join(map(repr, sorted(known)))}", data)


def _expected(what: str, data: object) -> ShapeError:
    return ShapeError([Problem("$", f"expected {what}, got {show(data)}")])
