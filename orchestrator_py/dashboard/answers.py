"""Answers of the JSON API, and the words of requests that it understands."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import RunId, TaskId, parse_run_id, parse_task_id
from orchestrator_py.model.timestamp import Timestamp, format_timestamp
from orchestrator_py.reading.run import WORDS

WORDS_OF_RUNS = (*WORDS, "unknown")


class RefusedError(Exception):
    """The request cannot be answered; `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def now() -> Timestamp:
    """As the record writes times."""
    return format_timestamp(datetime.now(UTC))


def json_text(data: object) -> str:
    """In ASCII, so that what no UTF-8 can hold does not get in the way."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def answer(data: Mapping[str, object], status: int = 200) -> Response:
    return Response(json_text(data), status_code=status, media_type="application/json")


def refuse(status: int, message: str) -> Response:
    return answer({"error": message}, status)


def task_of(request: Request) -> TaskId:
    """The task in the path."""
    return parse_task_of(request.path_params["task"])


def run_of(request: Request) -> RunId:
    """The run in the path."""
    try:
        return parse_run_id(request.path_params["run"])
    except IdentifierError:
        raise RefusedError(404, "There is no such run.") from None


def parse_task_of(text: object) -> TaskId:
    try:
        return parse_task_id(text)
    except IdentifierError:
        raise RefusedError(404, "There is no such task.") from None


def query(request: Request, *allowed: str) -> dict[str, str]:
    """The words behind the question mark, each at most once, and none that has no meaning here."""
    words = dict(request.query_params)
    for name in request.query_params:
        if name not in allowed:
            raise RefusedError(400, f"There is no parameter {name!r}; those that are there: {', '.join(allowed) or 'none'}.")
    if len(request.query_params.multi_items()) != len(words):
        raise RefusedError(400, "A parameter stands there twice.")
    return words


def number(words: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = words.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise RefusedError(400, f"{name}: expected a whole number from {least} to {most}.")
    return int(text)


def word(words: Mapping[str, str], name: str) -> str | None:
    text = words.get(name)
    if text is not None and text not in WORDS_OF_RUNS:
        raise RefusedError(400, f"{name}: expected one of {', '.join(WORDS_OF_RUNS)}.")
    return text
