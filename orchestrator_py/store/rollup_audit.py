"""Whether the published rollups are those of the history. Nothing is changed."""

import json
from collections.abc import Iterator
from pathlib import Path

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.differences import differences
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.core.rollup import Rollup
from orchestrator_py.errors import DecodeError, StoreError
from orchestrator_py.lean import asdict
from orchestrator_py.model.finding import MENDED_BY_OPENING, Finding
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.files import read_bytes
from orchestrator_py.store.history import read_history, read_stamp
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.rollup_files import document_files, open_seal, read_baseline

_SHOWN = 3


def audit_rollups(task: TaskLayout, rollup: Rollup, size: int) -> Iterator[Finding]:
    """`rollup` is that of the whole history, `size` the bytes of history and journal together."""
    try:
        expected = expected_documents(task, rollup)
    except StoreError as error:
        yield _unreadable(task, task.baseline, error)
        expected = {}
    for path in document_files(task).values():
        yield from _audit_document(task, path, expected.get(path))
    yield from _audit_state(task, rollup, size)


def expected_documents(task: TaskLayout, rollup: Rollup) -> dict[Path, object]:
    """What each document should hold, but for `updated_at`. A baseline on record stays, whatever it says."""
    baseline = read_baseline(task.baseline)
    files = document_files(task)
    documents = {files[type(one)]: to_json(one) for one in rollup.documents(baseline=baseline, updated_at=Timestamp(""))}
    return documents if baseline is None else {**documents, task.baseline: parse_json(read_bytes(task.baseline) or b"null")}


def is_damaged(path: Path, task: TaskLayout) -> bool:
    """Whether a rollup file that stands there cannot be read."""
    content = read_bytes(path)
    if content is None:
        return False
    try:
        return (_open_state(content) if path == task.rollup_state else parse_json(content)) is None
    except ValueError:
        return True


def _audit_document(task: TaskLayout, path: Path, expected: object) -> Iterator[Finding]:
    name = task.layout.relative(path)
    try:
        content = read_bytes(path)
        found = None if content is None else parse_json(content)
    except StoreError as error:
        yield _unreadable(task, path, error)
        return
    except ValueError:
        yield Finding(path=name, problem="it is not JSON")
        return
    if content is None and expected is not None:
        yield Finding(path=name, problem="it is missing", remedy=MENDED_BY_OPENING)
    elif content is not None and expected is None:
        yield Finding(path=name, problem="the history has nothing to put in it")
    elif content is not None:
        told = differences(_without_time(found), _without_time(expected))
        if told:
            more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
            yield Finding(path=name, problem=f"it differs from the history: {', '.join(told[:_SHOWN])}{more}", remedy=MENDED_BY_OPENING)


def _audit_state(task: TaskLayout, rollup: Rollup, size: int) -> Iterator[Finding]:
    """The state is a cache: that it is missing is no fault."""
    try:
        content = read_bytes(task.rollup_state)
    except StoreError as error:
        yield _unreadable(task, task.rollup_state, error)
        return
    problem = None if content is None else _state_problem(task, content, rollup, size)
    if problem is not None:
        yield Finding(path=task.layout.relative(task.rollup_state), problem=problem, remedy=MENDED_BY_OPENING)


def _state_problem(task: TaskLayout, content: bytes, rollup: Rollup, size: int) -> str | None:
    match _open_state(content):
        case {"end": int(end), "stamp": stamp, "rollup": data}:
            pass
        case _:
            return "its checksum does not fit"
    if stamp != asdict(read_stamp(task.metrics)):
        return "metrics.json is not the file that the rollups were made from: another program changed it, or the last writer was killed"
    if end > size:
        return f"it covers {end} bytes, but history and journal have {size}"
    try:
        resumed = Rollup.from_data(data)
    except DecodeError as error:
        return str(error).removesuffix(".")
    lines = read_history(task, max(0, end - 1), damaged=True)
    if end > 0 and next(lines, None) != b"":
        return f"byte {end} of the history, which it covers, is not the end of a line"
    for line in lines:
        resumed.add_line(line)
    return None if _text(resumed) == _text(rollup) else "its totals are not those of the lines that it covers"


def _open_state(content: bytes) -> object:
    """None for anything but a state whose checksum fits."""
    try:
        return open_seal(content)
    except (ValueError, RecursionError):
        return None


def _text(rollup: Rollup) -> str:
    return json.dumps(rollup.to_data(), sort_keys=True)


def _without_time(document: object) -> object:
    return {key: value for key, value in document.items() if key != "updated_at"} if isinstance(document, dict) else document


def _unreadable(task: TaskLayout, path: Path, error: StoreError) -> Finding:
    reason = str(error).removeprefix(f"{path}: ").partition(";")[0]
    return Finding(path=task.layout.relative(path), problem=reason, remedy="move it away")
