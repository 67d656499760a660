"""What is wrong in a document, and where."""

import json
import re
from collections.abc import Iterable, Mapping

from orchestrator_py.lean import frozen


@frozen
class Problem:
    """One thing that is wrong in a document: where (`$.stages[2].id`) and what was expected there."""

    place: str
    message: str

    def below(self, step: str) -> "Problem":
        """The same problem, seen from one level further up."""
        return Problem("$" + step + self.place.removeprefix("$"), self.message)


class ShapeError(ValueError):
    """Data that does not fit; only `decode` lets it out, as a DecodeError."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{problem.place}: {problem.message}" for problem in self.problems))


def step(key: str) -> str:
    """The step into a member of an object, as a JSON path writes it: `.stages`, or `["a b"]` where that would be misread."""
    return f".{key}" if key.isidentifier() or re.fullmatch(r"[\w-]+", key) else f"[{json.dumps(key)}]"


def show(data: object) -> str:
    """A short name of a JSON value for a message."""
    match data:
        case None:
            return "null"
        case bool():
            return "true" if data else "false"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            text = repr(data)
            return text if len(text) <= 60 else f"{text[:57]}..."
